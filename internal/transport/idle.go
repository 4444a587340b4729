package transport

import (
	"sync"
	"time"
)

// idleConns are connections that wait for their next exchange, per host; the latest used is the first to be used again.
type idleConns struct {
	keep time.Duration

	mu     sync.Mutex
	byHost map[string][]*conn
	sweep  *time.Timer // set while there are any
}

// put is false if there are enough.
func (i *idleConns) put(c *conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.byHost[c.key]) >= maxIdlePerHost {
		return false
	}
	if i.byHost == nil {
		i.byHost = map[string][]*conn{}
	}
	c.used = time.Now()
	i.byHost[c.key] = append(i.byHost[c.key], c)
	if i.sweep == nil {
		i.sweep = time.AfterFunc(i.keep, i.expire)
	}
	return true
}

// take returns a connection that the upstream has not closed, or nil.
func (i *idleConns) take(key string) *conn {
	for {
		c := i.pop(key)
		if c == nil || (time.Since(c.used) < i.keep && c.quiet.yes()) {
			return c
		}
		_ = c.Close()
	}
}

func (i *idleConns) pop(key string) *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := i.byHost[key]
	if len(all) == 0 {
		return nil
	}
	c := all[len(all)-1]
	all[len(all)-1] = nil
	i.byHost[key] = all[:len(all)-1]
	return c
}

// expire closes what has waited too long.
func (i *idleConns) expire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sweep = nil
	for key, all := range i.byHost {
		old := 0
		for old < len(all) && time.Since(all[old].used) >= i.keep {
			_ = all[old].Close()
			old++
		}
		if old == len(all) {
			delete(i.byHost, key)
			continue
		}
		i.byHost[key] = append([]*conn(nil), all[old:]...)
		if i.sweep == nil {
			i.sweep = time.AfterFunc(i.keep, i.expire)
		}
	}
}

func (i *idleConns) closeAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, all := range i.byHost {
		for _, c := range all {
			_ = c.Close()
		}
	}
	i.byHost = nil
	if i.sweep != nil {
		i.sweep.Stop()
		i.sweep = nil
	}
}

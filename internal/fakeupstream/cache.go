package fakeupstream

import (
	"crypto/sha256"
	"sync"
	"time"
)

// segment is one block of the prompt in the order the services hash it: tools, system, messages.
type segment struct {
	path   string // where its cache mark stands, for error messages
	bytes  []byte // canonical, without the mark
	tokens int64
	mark   string // "", "5m" or "1h": a cache point directly after it
}

// newSegment counts media flat, since their tokens depend on pixels and not on bytes.
func newSegment(path string, v any, media bool) segment {
	b := canon(v)
	s := segment{path: path, bytes: b, tokens: estimate(len(b))}
	if media {
		s.tokens = 1500
	}
	return s
}

const (
	lookback   = 20      // blocks before a cache point that are searched for an earlier entry
	openAIStep = 128     // automatic caching counts in steps of this many tokens
	maxEntries = 200_000 // beyond it the cache starts over
)

// prefixCache remembers prompt prefixes per model and credential. It answers what a request reads and writes.
type prefixCache struct {
	min int64
	now func() time.Time

	mu      sync.Mutex
	entries map[[32]byte]cached
}

type cached struct {
	expires time.Time
	ttl     time.Duration
}

func newPrefixCache(minTokens int, now func() time.Time) *prefixCache {
	if minTokens == 0 {
		minTokens = 1024
	}
	return &prefixCache{min: int64(minTokens), now: now, entries: map[[32]byte]cached{}}
}

func (c *prefixCache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

// prefix is the prompt up to and including one segment.
type prefix struct {
	hash   [32]byte
	tokens int64
}

func prefixes(a *ask) []prefix {
	out := make([]prefix, len(a.segs))
	h := sha256.Sum256([]byte(a.cred + "\x00" + a.modelID))
	var n int64
	for i, s := range a.segs {
		n += s.tokens
		sum := sha256.New()
		sum.Write(h[:])
		sum.Write(s.bytes)
		sum.Sum(h[:0])
		out[i] = prefix{hash: h, tokens: n}
	}
	return out
}

// charge is the input side of a call's usage; it reads, refreshes and writes entries. A Claude model caches up to
// marked points, any other caches automatically.
func (c *prefixCache) charge(a *ask) Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) > maxEntries {
		clear(c.entries)
	}
	pre := prefixes(a)
	if a.marked() {
		return c.chargeMarked(a, pre)
	}
	if a.model.Claude == 0 {
		return c.chargeAutomatic(pre)
	}
	return Usage{Input: a.tokens()}
}

func (a *ask) marked() bool {
	for _, s := range a.segs {
		if s.mark != "" {
			return true
		}
	}
	return false
}

func (c *prefixCache) chargeMarked(a *ask, pre []prefix) Usage {
	read, last := c.longest(a, pre), lastMark(a, "")
	var u Usage
	at := int64(0)
	if read >= 0 {
		at = pre[read].tokens
		u.CacheRead = at
		c.touch(pre[read].hash)
	}
	if end := pre[last].tokens; end >= c.min {
		if i := lastMark(a, "1h"); i >= 0 && pre[i].tokens > at {
			u.CacheWrite1h = pre[i].tokens - at
			at = pre[i].tokens
		}
		u.CacheWrite = max(end-at, 0)
	}
	c.store(a, pre)
	u.Input = a.tokens() - u.CacheRead - u.CacheWrite - u.CacheWrite1h
	return u
}

// longest is the index of the longest live prefix within reach of a cache point, or -1.
func (c *prefixCache) longest(a *ask, pre []prefix) int {
	best := -1
	for i, s := range a.segs {
		if s.mark == "" {
			continue
		}
		for j := i; j > best && j > i-lookback; j-- {
			if c.live(pre[j].hash) {
				best = j
			}
		}
	}
	return best
}

func lastMark(a *ask, ttl string) int {
	for i := len(a.segs) - 1; i >= 0; i-- {
		if m := a.segs[i].mark; m != "" && (ttl == "" || m == ttl) {
			return i
		}
	}
	return -1
}

func (c *prefixCache) store(a *ask, pre []prefix) {
	for i, s := range a.segs {
		if s.mark == "" || pre[i].tokens < c.min {
			continue
		}
		ttl := 5 * time.Minute
		if s.mark == "1h" {
			ttl = time.Hour
		}
		c.entries[pre[i].hash] = cached{expires: c.now().Add(ttl), ttl: ttl}
	}
}

func (c *prefixCache) chargeAutomatic(pre []prefix) Usage {
	var u Usage
	for _, p := range pre {
		if p.tokens >= c.min && c.live(p.hash) {
			u.CacheRead = p.tokens / openAIStep * openAIStep
		}
		if p.tokens >= c.min {
			c.entries[p.hash] = cached{expires: c.now().Add(5 * time.Minute), ttl: 5 * time.Minute}
		}
	}
	if n := len(pre); n > 0 {
		u.Input = pre[n-1].tokens - u.CacheRead
	}
	return u
}

func (c *prefixCache) live(h [32]byte) bool {
	e, ok := c.entries[h]
	if ok && !c.now().Before(e.expires) {
		delete(c.entries, h)
		return false
	}
	return ok
}

// touch renews an entry: a read extends its life by its own lifetime.
func (c *prefixCache) touch(h [32]byte) {
	e := c.entries[h]
	e.expires = c.now().Add(e.ttl)
	c.entries[h] = e
}

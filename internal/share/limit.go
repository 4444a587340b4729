package share

import (
	"sync"
	"time"
)

// One address may ask burst times at once, and then perSecond times a second: enough for a page that loads the bodies
// of a trace, too little to keep the server busy.
const (
	burst     = 200
	perSecond = 20
	// maxAddresses bounds memory; when it is reached, those that have been quiet are forgotten, else all.
	maxAddresses = 4096
)

// limiter is a token bucket per address. The zero value is ready.
type limiter struct {
	mu   sync.Mutex
	seen map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func (b bucket) refilled(now time.Time) bucket {
	return bucket{min(burst, b.left+max(0, now.Sub(b.at).Seconds())*perSecond), now}
}

func (l *limiter) allow(ip string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.seen[ip]
	if !ok {
		l.makeRoom(now)
		b = bucket{burst, now}
	}
	b = b.refilled(now)
	ok = b.left >= 1
	if ok {
		b.left--
	}
	l.seen[ip] = b
	return ok
}

func (l *limiter) makeRoom(now time.Time) {
	if l.seen == nil {
		l.seen = map[string]bucket{}
	}
	if len(l.seen) < maxAddresses {
		return
	}
	for ip, b := range l.seen {
		if b.refilled(now).left >= burst {
			delete(l.seen, ip)
		}
	}
	if len(l.seen) >= maxAddresses {
		clear(l.seen)
	}
}

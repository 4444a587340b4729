package otlp

import "sync"

// rooms lends memory to requests, which need about as much as their size twice over: as read, and for the bodies in them.
type rooms struct{ pool sync.Pool }

// Sizes of what is lent; a larger request has memory of its own. Usual exporters send less.
const (
	smallestRoom = 64 << 10
	largestRoom  = 4 << 20
)

// get is memory of n bytes or more.
func (p *rooms) get(n int) []byte {
	if n > largestRoom {
		return make([]byte, n)
	}
	if b, ok := p.pool.Get().(*[]byte); ok && len(*b) >= n {
		return *b
	}
	size := smallestRoom
	for size < n {
		size *= 2
	}
	return make([]byte, size)
}

// put takes memory back that nobody uses any more.
func (p *rooms) put(b []byte) {
	if len(b) <= largestRoom {
		p.pool.Put(&b)
	}
}

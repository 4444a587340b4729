package edge

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"weir/internal/fault"
)

// Bytes bounds the request bodies held in memory at once. A request over the bound is refused at once with
// fault.Unavailable: many large bodies together must not end the process.
type Bytes struct {
	limit int64
	used  atomic.Int64
}

// bodyStep is what a body of undeclared length counts as, and by how much more it counts as it grows.
const bodyStep = 1 << 20

// NewBytes allows limit bytes in flight.
func NewBytes(limit int64) *Bytes { return &Bytes{limit: limit} }

func (b *Bytes) add(n int64) error {
	switch {
	case b == nil:
		return nil
	case n > b.limit:
		return tooLarge(b.limit)
	case b.used.Add(n) > b.limit:
		b.used.Add(-n)
		return &fault.Error{Kind: fault.Unavailable, Msg: "too many request bytes in flight; try again shortly", RetryAfter: time.Second}
	}
	return nil
}

func (b *Bytes) release(n int64) {
	if b != nil {
		b.used.Add(-n)
	}
}

// A body must arrive within bodyGrace and at bodyRate bytes a second on average: a client that trickles holds memory
// for as long as it likes.
const (
	bodyGrace = 30 * time.Second
	bodyRate  = 32 << 10
)

func timeFor(bytes int64) time.Duration { return time.Duration(bytes/bodyRate) * time.Second }

// guard is a request body that is counted and has a deadline.
type guard struct {
	io.ReadCloser
	bytes      *Bytes
	conn       *http.ResponseController
	deadline   time.Time
	held, read int64
	released   bool
}

// take counts a request in and guards its body; release must be called when the request is done.
func (b *Bytes) take(w http.ResponseWriter, r *http.Request) (release func(), err error) {
	n := r.ContentLength
	if n == 0 || r.Body == nil {
		return func() {}, nil
	}
	if n < 0 {
		n = bodyStep
	}
	if err := b.add(n); err != nil {
		return nil, err
	}
	g := &guard{ReadCloser: r.Body, bytes: b, conn: http.NewResponseController(w), deadline: time.Now().Add(bodyGrace), held: n}
	g.extend(n)
	r.Body = g
	return g.release, nil
}

func (g *guard) extend(n int64) {
	g.deadline = g.deadline.Add(timeFor(n))
	_ = g.conn.SetReadDeadline(g.deadline) // not every writer has deadlines
}

// Read implements io.Reader. The deadline ends with the body: after it the server waits for the client to hang up, and
// would take a deadline for that.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	if g.released {
		return n, err
	}
	g.read += int64(n)
	switch {
	case err != nil:
		_ = g.conn.SetReadDeadline(time.Time{})
	case g.read > g.held:
		if err := g.bytes.add(bodyStep); err != nil {
			return n, err
		}
		g.held += bodyStep
		g.extend(bodyStep)
	}
	return n, err
}

func (g *guard) release() {
	g.released = true
	g.bytes.release(g.held)
}

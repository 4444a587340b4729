package edge

import (
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

// unknownLength is what a body of undeclared length counts as.
const unknownLength = 1 << 20

// NewBytes allows limit bytes in flight.
func NewBytes(limit int64) *Bytes { return &Bytes{limit: limit} }

// take counts a request in; release must be called when it is done.
func (b *Bytes) take(r *http.Request) (release func(), err error) {
	n := r.ContentLength
	if b == nil || n == 0 {
		return func() {}, nil
	}
	if n < 0 {
		n = unknownLength
	}
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return nil, &fault.Error{Kind: fault.Unavailable, Msg: "too many request bytes in flight; try again shortly", RetryAfter: time.Second}
	}
	return func() { b.used.Add(-n) }, nil
}

package ingest

import (
	"context"

	"weir/internal/span"
)

// Incoming is a span from outside, mapped, on its way into the store.
type Incoming struct {
	// Span has everything but Day and the references to bodies. Project is set.
	Span          *span.Span
	Input, Output []byte // JSON, or nil where nothing was sent
	// Update marks a span that adds to an earlier one rather than standing for all of it: what it leaves unset stays.
	Update bool
}

// Rejected is a span that was not taken, and why.
type Rejected struct {
	Index int // in the request
	Err   error
}

// Intake takes spans from outside.
type Intake interface {
	// Accept stores spans and returns once they survive power loss. Spans that cannot be stored are named in rejected;
	// the others are stored. fault.Unavailable or fault.RateLimited (with RetryAfter) refuse the whole request, and then
	// sending it again is harmless.
	Accept(ctx context.Context, spans []Incoming) (rejected []Rejected, err error)
}

package query

import (
	"context"
	"errors"
	"time"

	"weir/internal/span"
	"weir/internal/tenant"
)

// Part is where a text is looked for.
type Part string

// The parts of a span that hold text.
const (
	AnyText    Part = "text"   // all of the below, names, errors, attributes, and all Searched fields but the ids
	InputText  Part = "input"  // what went in
	OutputText Part = "output" // what came out
)

// Needle is a text to be found, regardless of case and of the width of characters, anywhere in a word.
type Needle struct {
	Part Part
	Text string
}

// TextQuery selects spans whose texts hold all needles. From and To bound the time of receipt by whole days; zero times
// do not.
type TextQuery struct {
	Project  tenant.ProjectID
	Needles  []Needle
	From, To time.Time
}

// ErrPartial says that not all texts could be searched in time.
var ErrPartial = errors.New("query: not all texts have been searched")

// Texts finds spans by what is in their bodies.
type Texts interface {
	// Search calls yield with spans that hold all needles, the newest received first, until it returns false. A text that
	// several spans of a day share is found at the one that brought it in. ErrPartial, or the context's error, comes after
	// what was found: more may be there.
	Search(ctx context.Context, q TextQuery, yield func(span.Key) bool) error
	// Holds reports whether one span holds a needle.
	Holds(ctx context.Context, s *span.Span, n Needle) (bool, error)
}

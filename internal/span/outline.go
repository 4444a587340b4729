package span

import (
	"time"

	"weir/internal/money"
)

// Outline is what the tree of a trace shows of a span.
type Outline struct {
	ID, Parent string
	Name       string
	Kind       Kind
	Status     Status
	Start, End time.Time
	FirstToken time.Duration // as in Span
	Model      string        // the name the client asked for
	Error      string        // its type, or else its text
	Tokens     int64
	Cost       money.Nano
	Covered    bool
}

// OutlineOf outlines a span.
func OutlineOf(s *Span) Outline {
	o := Outline{
		ID: s.ID, Parent: s.Parent, Name: s.Name, Kind: s.Kind, Status: s.Status, Start: s.Start, End: s.End, FirstToken: s.FirstToken, Model: s.Group,
		Error: s.ErrorType, Tokens: s.Usage.Total(), Cost: s.Cost.Total, Covered: s.Covered,
	}
	if o.Error == "" {
		o.Error = s.ErrorText
	}
	return o
}

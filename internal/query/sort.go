package query

import (
	"encoding/base64"
	"math"
	"strings"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
)

// Sort orders a list by a field, then by trace and span id in the same direction. The zero Sort is the newest first.
// Spans without the score are not in a list sorted by it.
type Sort struct {
	Field *Field
	Path  string // of the score, if Field is that
	Asc   bool
}

// By is the field in force.
func (s Sort) By() *Field {
	if s.Field == nil {
		return FieldNamed("start")
	}
	return s.Field
}

func (s Sort) String() string {
	name := s.By().Name
	if s.Path != "" {
		name += "." + s.Path
	}
	if s.Asc {
		return name
	}
	return "-" + name
}

// ScoreScale is what a score is multiplied by where lists are sorted by it.
const ScoreScale = 1e6

// Place is where a span stands in the order; it is not ok for a span that is not in the list.
func (s Sort) Place(sp *span.Span) (v int64, ok bool) {
	if s.Path == "" {
		return s.By().NumberOf(sp), true
	}
	for _, p := range s.By().PairsOf(sp) {
		if p.Path == s.Path {
			x, ok := ScoreNumber(p.Value)
			return int64(math.RoundToEven(x * ScoreScale)), ok
		}
	}
	return 0, false
}

// ScoreNumber is the number a score's text stands for, within a billion; that of a boolean is 0 or 1.
func ScoreNumber(text string) (float64, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	x, ok := numberIn(text)
	return x, ok && math.Abs(x) <= 1e9
}

// ParseSort reads "-start", "duration" and the like; "" is "-start".
func ParseSort(s string) (Sort, error) {
	if s == "" {
		return Sort{}, nil
	}
	name, desc := strings.CutPrefix(s, "-")
	f, path := Lookup(name)
	if f == nil || !f.Sortable() && !f.Numeric {
		return Sort{}, fault.Bad("sort", "cannot sort by %q", clip.To(name, 60))
	}
	return Sort{Field: f, Path: path, Asc: !desc}, nil
}

// Cursor is the place after a row in a sorted list.
type Cursor struct {
	Sort  string `json:"o"`
	Value int64  `json:"v"`
	Trace string `json:"t"`
	Span  string `json:"s,omitempty"`
}

// Encode makes a cursor opaque.
func (c Cursor) Encode() string { return base64.RawURLEncoding.EncodeToString(jsonx.MustMarshal(c)) }

// DecodeCursor reads a cursor made for the same order.
func DecodeCursor(s, order string) (Cursor, error) {
	var c Cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || jsonx.Unmarshal(b, &c) != nil {
		return c, fault.Bad("cursor", "cursor is malformed; take next_cursor of the page before")
	}
	if c.Sort != order {
		return c, fault.Bad("cursor", "cursor belongs to a list in another order")
	}
	return c, nil
}

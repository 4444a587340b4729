package query

import (
	"encoding/base64"
	"strings"

	"weir/internal/fault"
	"weir/internal/jsonx"
)

// Sort orders a list by a field, then by trace and span id in the same direction. The zero Sort is the newest first.
type Sort struct {
	Field *Field
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
	if s.Asc {
		return s.By().Name
	}
	return "-" + s.By().Name
}

// ParseSort reads "-start", "duration" and the like; "" is "-start".
func ParseSort(s string) (Sort, error) {
	if s == "" {
		return Sort{}, nil
	}
	name, desc := strings.CutPrefix(s, "-")
	f := FieldNamed(name)
	if f == nil || !f.Sortable() {
		return Sort{}, fault.Bad("sort", "cannot sort by %q", clip(name))
	}
	return Sort{Field: f, Asc: !desc}, nil
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

// clip bounds what is quoted from a client.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

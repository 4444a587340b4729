// Package mapping turns spans of applications, in whatever convention their instrumentation follows, into span.Span: one
// versioned table per dialect. It also reads the recorded bodies of any dialect as one kind of conversation.
package mapping

import (
	"time"

	"weir/internal/span"
)

// Raw is a span as it arrived, in OpenTelemetry's terms, which all dialects share. Slices and texts may point into the
// request's buffer: what is kept must be copied.
type Raw struct {
	Trace, ID, Parent string // hex digits, lower case; Parent "" at a root
	Name              string
	Kind              string // "internal", "server", "client", "producer", "consumer" or ""
	Start, End        time.Time
	Failed            bool // status code 2
	StatusText        string
	Attributes        []Attribute
	Events            []Event
	Links             []span.Link
	Resource          []Attribute
	Scope             string // name of the instrumentation
	ScopeVersion      string
}

// Attribute is a name and a value: string, bool, int64, float64, []byte, []any or map[string]any of these.
type Attribute struct {
	Key   string
	Value any
}

// Event is something that happened during a span, or a log record that names it.
type Event struct {
	Name       string
	Time       time.Time
	Attributes []Attribute
	Body       any // of log records; as the value of an attribute
}

// Mapped is a span with its fields filled in and its bodies, which are JSON, or nil where there are none. Project, Day,
// and the references to the bodies are for the intake to set.
type Mapped struct {
	Span          *span.Span
	Input, Output []byte
}

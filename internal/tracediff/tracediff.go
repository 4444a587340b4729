// Package tracediff lays two traces beside each other: their spans aligned by structure and content, and for each pair
// what differs in messages, arguments, parameters, outcome, tokens, cost and time.
package tracediff

import (
	"context"
	"fmt"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/span"
)

// Op says what became of a step between the first trace and the second.
type Op string

// The operations. A moved step is under another parent or in another order; it may have changed as well, which its
// parts tell.
const (
	Same    Op = "same"
	Changed Op = "changed"
	Added   Op = "added"
	Removed Op = "removed"
	Moved   Op = "moved"
)

// Bounds of one diff. What lies beyond is left out and said in Diff.Notes.
const (
	MaxSpans  = 5000     // of each side
	maxPairs  = 400      // pairs whose bodies are read
	maxBodies = 64 << 20 // bytes of bodies read
)

// Side is one of the two: the spans of a trace in order of start, and the span whose subtree is meant, "" for all.
// Total is how many spans the trace has, where Spans are only the first of them.
type Side struct {
	Spans []*span.Span
	Total int
	Root  string
}

// Viewer reads what a span's bodies say, whatever their dialect. A span without bodies is an empty Conversation.
type Viewer interface {
	View(ctx context.Context, s *span.Span) (*Conversation, error)
}

// Conversation is what went into a span and came out of it: messages, or any other value.
type Conversation struct {
	Input, Output           []Message
	InputValue, OutputValue jsonx.Raw // where there are no messages; nil if there is nothing
}

// Message is one turn.
type Message struct {
	Role  string
	Parts []Part
}

// Part is one piece of a message. Type is "text", "thinking", "tool_call", "tool_result" or anything else, whose Value
// is compared as a whole.
type Part struct {
	Type  string
	Text  string
	ID    string    // of a tool call or result; not compared, since it is made anew each time
	Name  string    // of the tool
	Value jsonx.Raw // arguments, result, or the part itself
}

// Diff is two traces beside each other.
type Diff struct {
	Rows   []Row // depth first, in the order of the second trace, with what was removed where it stood
	A, B   Totals
	Counts map[Op]int
	Notes  []string // what was left out, and why
}

// Row is a step: A is nil if it was added, B if it was removed. Delta is what the step itself gained, Subtree what it
// gained with everything below it.
type Row struct {
	Op      Op
	Depth   int
	A, B    *span.Span
	Delta   Delta
	Subtree *Delta // nil for a step without children
	Parts   []Change
	Unread  bool // bodies differ, but were not compared: the diff has more pairs than are read
}

// Totals sums up a side. Covered spans do not count for cost and tokens.
type Totals struct {
	Spans, Calls, Errors int
	Tokens               int64
	Cost                 money.Nano
	DurationNS           int64 // from the first start to the last end
}

// Delta is second minus first; for a step on one side only, its own figures with their sign.
type Delta struct {
	DurationNS int64
	Cost       money.Nano
	Tokens     int64
}

func (d Delta) plus(e Delta) Delta {
	return Delta{d.DurationNS + e.DurationNS, d.Cost + e.Cost, d.Tokens + e.Tokens}
}

// Change is one difference within a pair.
type Change struct {
	What   string // message, arguments, result, output, params, model, status, error
	Path   string // such as input.messages[3] or $.query.limit
	Role   string // of messages
	Op     Op
	Before jsonx.Raw // nil where it was added
	After  jsonx.Raw // nil where it was removed
	Words  []Word    // of texts
}

// Compare aligns two sides and reads what differs.
func Compare(ctx context.Context, a, b Side, v Viewer) (*Diff, error) {
	d := &differ{ctx: ctx, viewer: v, out: &Diff{Counts: map[Op]int{}}}
	ta, err := d.side(a, "first")
	if err != nil {
		return nil, err
	}
	tb, err := d.side(b, "second")
	if err != nil {
		return nil, err
	}
	d.out.A, d.out.B = ta.totals(), tb.totals()
	ta.mate, tb.mate = tb, ta
	d.align(ta, tb)
	d.rematch(ta, tb)
	if err := d.compare(tb); err != nil {
		return nil, err
	}
	d.rows(ta, tb, 0)
	return d.out, nil
}

// differ is one comparison under way.
type differ struct {
	ctx    context.Context
	viewer Viewer
	out    *Diff
	read   int // pairs
	bytes  int // of bodies
	unread int
}

func (d *differ) note(format string, args ...any) {
	d.out.Notes = append(d.out.Notes, fmt.Sprintf(format, args...))
}

func (d *differ) side(s Side, which string) (*node, error) {
	t, ok := forest(s)
	if !ok {
		return nil, fault.New(fault.NotFound, "the %s trace has no span %s", which, s.Root)
	}
	gone := t.cut(MaxSpans)
	if s.Root == "" {
		gone += max(s.Total-len(s.Spans), 0)
	}
	if gone > 0 {
		d.note("the %s trace has %d spans; %d of them were left out, so compare parts of it by naming a span", which, t.count()-1+gone, gone)
	}
	t.print()
	return t, nil
}

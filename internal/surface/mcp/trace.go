package mcp

import (
	"context"
	"fmt"
	"strings"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/span"
)

type traceIn struct {
	Trace    string   `json:"trace" jsonschema:"trace id, or trace/span for the part below a span"`
	Fields   []string `json:"fields,omitempty" jsonschema:"further columns, e.g. user, ttft, metadata.x, input, error"`
	MaxSpans int      `json:"max_spans,omitempty" jsonschema:"lines, at most 1000; default 100"`
	MaxChars int      `json:"max_chars,omitempty" jsonschema:"size of the answer, at most 50000; default 8000"`
}

// readLimit bounds the spans of a trace that are read for a tree.
const readLimit = 10000

func (c *caller) trace(ctx context.Context, in traceIn) (string, error) {
	if err := checkColumns(in.Fields); err != nil {
		return "", err
	}
	id, below, _ := strings.Cut(in.Trace, "/")
	spans, total, err := c.Query.FirstSpans(ctx, c.project(), id, readLimit)
	if err != nil {
		return "", notFound(err, "trace", "no trace "+clip.To(id, 60)+" in this project")
	}
	p := &printer{
		columns: in.Fields, left: bounded(in.MaxSpans, 100, 1000), table: table{limit: bounded(in.MaxChars, 8000, 50000)},
		children: map[string][]*span.Span{}, at: map[string]*span.Span{},
	}
	for _, s := range spans {
		p.at[s.ID] = s
	}
	root := p.at[below]
	if below != "" && root == nil {
		return "", fault.Bad("trace", "the trace has no span %s", clip.To(below, 60))
	}
	for _, s := range spans {
		parent := s.Parent
		if p.at[parent] == nil || parent == s.ID {
			parent = ""
		}
		p.children[parent] = append(p.children[parent], s)
	}
	head := fmt.Sprintf("trace %s: %d spans, %s\n", id, total, summary(spans))
	if root != nil {
		p.walk(root, 0)
	} else {
		for _, s := range p.children[""] {
			p.walk(s, 0)
		}
	}
	return head + p.b.String() + p.more(id, total), nil
}

func summary(spans []*span.Span) string {
	var cost float64
	var tokens int64
	errors := 0
	for _, s := range spans {
		if !s.Covered {
			cost += s.Cost.Total.USD()
			tokens += s.Usage.Total()
		}
		if s.Status == span.Error || s.Status == span.Interrupted {
			errors++
		}
	}
	return fmt.Sprintf("%d errors, %d tokens, $%s", errors, tokens, usd(cost))
}

// printer writes a tree, a line per span, until its budget is spent.
type printer struct {
	table
	columns  []string
	children map[string][]*span.Span
	at       map[string]*span.Span
	left     int
	shown    int
	cut      *span.Span // the first that was not shown
}

// maxDepth bounds the recursion over a tree that a client made.
const maxDepth = 200

func (p *printer) walk(s *span.Span, depth int) {
	if p.cut != nil {
		return
	}
	if p.left == 0 || depth > maxDepth || p.line(s, depth) {
		p.cut = s
		return
	}
	p.left--
	p.shown++
	for _, c := range p.children[s.ID] {
		p.walk(c, depth+1)
	}
}

// line reports whether there was no room.
func (p *printer) line(s *span.Span, depth int) bool {
	name := s.Name
	if s.Kind == span.Generation && s.Group != "" && s.Group != name {
		name += " (" + s.Group + ")"
	}
	cells := []string{s.ID, string(s.Kind), clip.To(name, 60), string(s.Status), took(s.Duration())}
	if s.Usage.Total() > 0 {
		cells = append(cells, fmt.Sprintf("%d tokens $%s", s.Usage.Total(), usd(s.Cost.Total.USD())))
	}
	for i, v := range values(s, p.columns) {
		cells = append(cells, p.columns[i]+"="+v)
	}
	if text := first(s.ErrorText, s.Output.Preview); text != "" && len(p.columns) == 0 {
		cells = append(cells, clip.To(text, 80))
	}
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	text := strings.Repeat("  ", depth) + "- " + strings.Join(cells, " | ") + "\n"
	if p.b.Len()+len(text) > p.limit {
		return true
	}
	p.b.WriteString(text)
	return false
}

func (p *printer) more(trace string, total int) string {
	if p.cut == nil && p.shown >= len(p.at) {
		if total > len(p.at) {
			return fmt.Sprintf("(only the first %d spans were read; search_traces with trace = %s finds the others)\n", len(p.at), trace)
		}
		return ""
	}
	if p.cut == nil {
		return ""
	}
	return fmt.Sprintf("(%d spans shown; go on with trace %s/%s, raise max_spans or max_chars, or search_traces with filter trace = %s and status = error)\n", p.shown, trace, p.cut.ID, trace)
}

func notFound(err error, field, msg string) error {
	if fault.Is(err, fault.NotFound) {
		return &fault.Error{Kind: fault.NotFound, Field: field, Msg: msg, Err: err}
	}
	return err
}

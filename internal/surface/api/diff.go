package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
	"weir/internal/tracediff"
)

// TraceDiff is two traces, or parts of them, beside each other.
type TraceDiff struct {
	A      DiffSide       `json:"a"`
	B      DiffSide       `json:"b"`
	Delta  DiffDelta      `json:"delta" doc:"second minus first"`
	Counts map[string]int `json:"counts" doc:"rows by op"`
	Rows   []DiffRow      `json:"rows" nullable:"false" doc:"depth first, in the order of the second; what was removed stands where it was"`
	Notes  []string       `json:"notes" nullable:"false" doc:"what was left out, and why"`
}

// DiffSide sums up one of the two.
type DiffSide struct {
	Trace      string   `json:"trace"`
	Span       string   `json:"span" doc:"whose subtree is meant; empty for the whole trace"`
	Root       TraceRow `json:"root"`
	Name       string   `json:"name"`
	Start      string   `json:"start" format:"date-time"`
	End        string   `json:"end" format:"date-time"`
	DurationMS float64  `json:"duration_ms"`
	Spans      int      `json:"spans"`
	Calls      int      `json:"calls"`
	Errors     int      `json:"errors"`
	Tokens     int64    `json:"tokens"`
	CostUSD    float64  `json:"cost_usd"`
	Models     []string `json:"models" nullable:"false"`
	Session    string   `json:"session"`
	User       string   `json:"user"`
	Status     string   `json:"status"`
}

// DiffDelta is second minus first.
type DiffDelta struct {
	DurationMS float64 `json:"duration_ms"`
	CostUSD    float64 `json:"cost_usd"`
	Tokens     int64   `json:"tokens"`
	Spans      int     `json:"spans,omitempty"`
	Calls      int     `json:"calls,omitempty"`
	Errors     int     `json:"errors,omitempty"`
}

// DiffRow is a step of both, or of one.
type DiffRow struct {
	Op      string       `json:"op" enum:"same,changed,added,removed,moved"`
	Depth   int          `json:"depth"`
	A       *TraceRow    `json:"a" doc:"null if it was added"`
	B       *TraceRow    `json:"b" doc:"null if it was removed"`
	Delta   DiffDelta    `json:"delta" doc:"of the step itself"`
	Subtree *DiffDelta   `json:"subtree" doc:"with everything below it; null if there is nothing"`
	Parts   []DiffChange `json:"parts" nullable:"false"`
	Unread  bool         `json:"unread" doc:"bodies differ, and are beyond what one diff compares: compare the two spans"`
}

// DiffChange is one difference within a step.
type DiffChange struct {
	What   string      `json:"what" enum:"message,arguments,result,output,params,model,status,error"`
	Path   string      `json:"path" example:"input.messages[3].tool_call(search).query"`
	Role   string      `json:"role,omitempty"`
	Op     string      `json:"op" enum:"changed,added,removed"`
	Before jsonx.Raw   `json:"before" doc:"null where it was added"`
	After  jsonx.Raw   `json:"after" doc:"null where it was removed"`
	Words  [][2]string `json:"words,omitempty" doc:"of texts: pairs of an operation and a text; = equal, - only before, + only after, … so many equal characters left out"`
}

type diffInput struct {
	A string `query:"a" required:"true" maxLength:"400" doc:"trace, or trace/span for a part of it" example:"0af7651916cd43dd8448eb211c80319c"`
	B string `query:"b" required:"true" maxLength:"400" doc:"trace, or trace/span"`
}

func (s *Surface) diffing() {
	register(s, op{method: http.MethodGet, path: "/diff", id: "diffTraces", doc: "Two traces beside each other, aligned by structure and content"}, s.getDiff)
}

func (s *Surface) getDiff(ctx context.Context, in *diffInput) (*body[TraceDiff], error) {
	out, err := s.diff(ctx, edge.Who(ctx).Project, in.A, in.B)
	if err != nil {
		return nil, err
	}
	return reply(*out)
}

func (s *Surface) diff(ctx context.Context, p tenant.ProjectID, a, b string) (*TraceDiff, error) {
	x, err := s.side(ctx, p, "a", a)
	if err != nil {
		return nil, err
	}
	y, err := s.side(ctx, p, "b", b)
	if err != nil {
		return nil, err
	}
	d, err := tracediff.Compare(ctx, x, y, tracediff.Recorded(s.Bodies))
	if err != nil {
		return nil, err
	}
	return diffOf(d, x, y), nil
}

// side reads what a parameter names.
func (s *Surface) side(ctx context.Context, p tenant.ProjectID, field, at string) (tracediff.Side, error) {
	trace, root, _ := strings.Cut(at, "/")
	var out tracediff.Side
	var err error
	if root == "" {
		out.Spans, out.Total, err = s.Query.FirstSpans(ctx, p, trace, tracediff.MaxSpans)
	} else {
		out.Root = root
		out.Spans, err = s.Query.Trace(ctx, p, trace)
	}
	if fault.Is(err, fault.NotFound) {
		err = &fault.Error{Kind: fault.NotFound, Field: field, Msg: "trace " + clip.To(trace, 60) + " not found", Err: err}
	}
	return out, err
}

func diffOf(d *tracediff.Diff, a, b tracediff.Side) *TraceDiff {
	out := &TraceDiff{
		A: diffSide(a, d.A), B: diffSide(b, d.B), Counts: map[string]int{}, Rows: make([]DiffRow, len(d.Rows)), Notes: list(d.Notes),
		Delta: DiffDelta{
			DurationMS: ms(d.B.DurationNS - d.A.DurationNS), CostUSD: (d.B.Cost - d.A.Cost).USD(), Tokens: d.B.Tokens - d.A.Tokens,
			Spans: d.B.Spans - d.A.Spans, Calls: d.B.Calls - d.A.Calls, Errors: d.B.Errors - d.A.Errors,
		},
	}
	for op, n := range d.Counts {
		out.Counts[string(op)] = n
	}
	for i, r := range d.Rows {
		out.Rows[i] = DiffRow{
			Op: string(r.Op), Depth: r.Depth, A: rowOrNil(r.A), B: rowOrNil(r.B), Delta: delta(r.Delta), Parts: make([]DiffChange, len(r.Parts)), Unread: r.Unread,
		}
		if r.Subtree != nil {
			out.Rows[i].Subtree = new(delta(*r.Subtree))
		}
		for j, c := range r.Parts {
			out.Rows[i].Parts[j] = diffChange(c)
		}
	}
	return out
}

func diffSide(s tracediff.Side, t tracediff.Totals) DiffSide {
	out := DiffSide{Span: s.Root, Spans: t.Spans, Calls: t.Calls, Errors: t.Errors, Tokens: t.Tokens, CostUSD: money.Nano(t.Cost).USD(), DurationMS: ms(t.DurationNS), Models: []string{}}
	var root *span.Span
	for _, sp := range s.Spans {
		if s.Root == "" && sp.Parent == "" && root == nil || sp.ID == s.Root {
			root = sp
		}
		if sp.Group != "" && !slices.Contains(out.Models, sp.Group) && len(out.Models) < 20 {
			out.Models = append(out.Models, sp.Group)
		}
	}
	if root == nil && len(s.Spans) > 0 {
		root = s.Spans[0]
	}
	if root == nil {
		return out
	}
	out.Trace, out.Root, out.Name, out.Session, out.User, out.Status = root.Trace, rowOf(root), root.Name, root.Session, string(root.User), string(root.Status)
	out.Start, out.End = stamp(root.Start), stamp(root.Start.Add(time.Duration(t.DurationNS)))
	return out
}

func diffChange(c tracediff.Change) DiffChange {
	out := DiffChange{What: c.What, Path: c.Path, Role: c.Role, Op: string(c.Op), Before: orNull(c.Before), After: orNull(c.After)}
	for _, w := range c.Words {
		out.Words = append(out.Words, [2]string{string(w.Op), strings.ToValidUTF8(w.Text, "\uFFFD")})
	}
	return out
}

func rowOrNil(s *span.Span) *TraceRow {
	if s == nil {
		return nil
	}
	return new(rowOf(s))
}

func delta(d tracediff.Delta) DiffDelta {
	return DiffDelta{DurationMS: ms(d.DurationNS), CostUSD: d.Cost.USD(), Tokens: d.Tokens}
}

func ms(ns int64) float64 { return millis(time.Duration(ns)) }

func orNull(r jsonx.Raw) jsonx.Raw {
	if len(r) == 0 {
		return jsonx.Raw("null")
	}
	return r
}

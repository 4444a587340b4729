package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

// TraceList is a page of spans.
type TraceList struct {
	Items      []TraceRow `json:"items" nullable:"false"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
	Partial    bool       `json:"partial" doc:"some may be missing: the newest, if the index lags, or the oldest, if looking for a text took too long"`
}

// TracePage is a page of traces.
type TracePage struct {
	Items      []TraceSummary `json:"items" nullable:"false"`
	NextCursor string         `json:"next_cursor" doc:"empty on the last page"`
	Partial    bool           `json:"partial"`
}

// TraceSummary sums up a whole trace. Calls, cost and usage leave out covered spans.
type TraceSummary struct {
	Trace      string   `json:"trace"`
	Root       TraceRow `json:"root" doc:"the span without a parent, or else the earliest"`
	Name       string   `json:"name"`
	Start      string   `json:"start" format:"date-time"`
	End        string   `json:"end" format:"date-time"`
	DurationMS float64  `json:"duration_ms"`
	Spans      int64    `json:"spans"`
	Calls      int64    `json:"calls" doc:"model calls"`
	Errors     int64    `json:"errors"`
	CostUSD    float64  `json:"cost_usd"`
	Usage      Usage    `json:"usage"`
	Models     []string `json:"models" nullable:"false"`
	Services   []string `json:"services" nullable:"false"`
	Session    string   `json:"session"`
	User       string   `json:"user"`
	Tags       []string `json:"tags" nullable:"false"`
	Scores     []Mark   `json:"scores" nullable:"false"`
	Status     string   `json:"status"`
}

// tracePage is either of the two.
type tracePage struct{ page any }

func (p tracePage) MarshalJSON() ([]byte, error) { return jsonx.Marshal(p.page) }

// Schema implements huma.SchemaProvider.
func (tracePage) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[TraceList](), true, ""), r.Schema(reflect.TypeFor[TracePage](), true, ""),
	}}
}

// Trace is all spans of a trace.
type Trace struct {
	Trace        string  `json:"trace"`
	Session      string  `json:"session"`
	Spans        []Span  `json:"spans" nullable:"false" doc:"in order of start"`
	Count        int     `json:"count" doc:"of spans there are"`
	Truncated    bool    `json:"truncated" doc:"there are more spans, see the tree; sums are over those given"`
	TotalCostUSD float64 `json:"total_cost_usd"`
	Usage        Usage   `json:"usage"`
}

// Count is how many spans are selected.
type Count struct {
	Count   int64 `json:"count"`
	Partial bool  `json:"partial"`
}

// TraceInput names a trace.
type TraceInput struct {
	Trace string `path:"trace" maxLength:"200"`
}

// SpanInput names a span.
type SpanInput struct {
	TraceInput
	Span string `path:"span" maxLength:"200"`
}

// bytesOutput is an answer that is not made from a Go type.
type bytesOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Surface) traces() {
	register(s, op{method: http.MethodGet, path: "/traces", id: "listTraces", doc: "Spans or traces, newest first"}, s.listTraces)
	register(s, op{method: http.MethodGet, path: "/traces/count", id: "countTraces", doc: "How many spans are selected"}, s.countTraces)
	register(s, op{method: http.MethodGet, path: "/traces/{trace}", id: "getTrace", doc: "The spans of a trace"}, s.getTrace)
	register(s, op{method: http.MethodGet, path: "/traces/{trace}/tree", id: "getTree", doc: "What a tree shows of all spans of a trace, column by column"}, s.getTree)
	register(s, op{method: http.MethodGet, path: "/traces/{trace}/spans/{span}", id: "getSpan", doc: "One span"}, s.getSpan)
	register(s, op{
		method: http.MethodGet, path: "/traces/{trace}/spans/{span}/input", id: "getInput", doc: "The exact request body", media: "application/json",
	}, s.recorded(func(sp *span.Span) span.Ref { return sp.Input }))
	register(s, op{
		method: http.MethodGet, path: "/traces/{trace}/spans/{span}/output", id: "getOutput", doc: "The exact response body", media: "application/json",
	}, s.recorded(func(sp *span.Span) span.Ref { return sp.Output }))
	register(s, op{
		method: http.MethodGet, path: "/traces/{trace}/spans/{span}/curl", id: "getCurl", doc: "A command that repeats the call", media: "text/plain",
	}, s.getCurl)
	register(s, op{
		method: http.MethodGet, path: "/live", id: "live", media: "text/event-stream",
		doc: "Spans as they are recorded: events named span hold a TraceRow; lagged ends the stream of a reader that fell behind",
	}, s.live)
}

type listTracesInput struct {
	Selection
	Paging
	View string `query:"view" default:"spans" enum:"spans,calls,traces" doc:"spans, only model calls, or one row per trace that has a selected span"`
	Sort string `query:"sort" default:"-start" maxLength:"220" doc:"a field to sort by or score.name, with - in front for descending; traces by start, duration, cost, tokens, score.name"`
}

func (s *Surface) listTraces(ctx context.Context, in *listTracesInput) (*body[tracePage], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	sort, err := query.ParseSort(in.Sort)
	if err != nil {
		return nil, err
	}
	p := query.Page{Sort: sort, Limit: in.Limit, Cursor: in.Cursor}
	switch in.View {
	case "traces":
		return s.listSummaries(ctx, q, p)
	case "calls":
		q.Filter = query.CallsOnly(q.Filter)
	}
	got, err := s.Query.List(ctx, q, p)
	if err != nil {
		return nil, err
	}
	out := TraceList{Items: make([]TraceRow, len(got.Items)), NextCursor: got.Cursor, Partial: got.Partial}
	for i, sp := range got.Items {
		out.Items[i] = rowOf(sp)
	}
	return reply(tracePage{out})
}

func (s *Surface) listSummaries(ctx context.Context, q query.Query, p query.Page) (*body[tracePage], error) {
	got, err := s.Query.Traces(ctx, q, p)
	if err != nil {
		return nil, err
	}
	out := TracePage{Items: make([]TraceSummary, len(got.Traces)), NextCursor: got.Cursor, Partial: got.Partial}
	for i, t := range got.Traces {
		out.Items[i] = summaryOf(t)
	}
	return reply(tracePage{out})
}

func summaryOf(t query.TraceRow) TraceSummary {
	root := t.RootSpan
	if root == nil {
		root = &span.Span{Trace: t.Root.Trace, ID: t.Root.Span, Start: t.Start, End: t.Start}
	}
	return TraceSummary{
		Trace: t.Root.Trace, Root: rowOf(root), Name: cmp.Or(root.TraceName, root.Name), Start: stamp(t.Start), End: stamp(t.End),
		DurationMS: millis(t.End.Sub(t.Start)), Spans: t.Spans, Calls: t.Calls, Errors: t.Errors, CostUSD: t.Cost.USD(), Usage: usageOf(t.Usage),
		Models: list(t.Models), Services: list(t.Services), Session: t.Session, User: string(t.User), Tags: list(root.Tags), Scores: marksOf(root.Scores),
		Status: string(root.Status),
	}
}

type countInput struct{ Selection }

func (s *Surface) countTraces(ctx context.Context, in *countInput) (*body[Count], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	n, partial, err := s.Query.Count(ctx, q)
	if err != nil {
		return nil, err
	}
	return reply(Count{Count: n, Partial: partial})
}

type getTraceInput struct {
	TraceInput
	Limit int `query:"limit" minimum:"1" maximum:"10000" default:"2000" doc:"spans, the earliest"`
}

func (s *Surface) getTrace(ctx context.Context, in *getTraceInput) (*body[Trace], error) {
	spans, count, err := s.Query.FirstSpans(ctx, edge.Who(ctx).Project, in.Trace, in.Limit)
	if err != nil {
		return nil, err
	}
	out := Trace{Trace: in.Trace, Spans: make([]Span, len(spans)), Count: count, Truncated: count > len(spans)}
	var cost money.Nano
	var usage llm.Usage
	for i, sp := range spans {
		out.Spans[i] = spanOf(sp)
		if !sp.Covered {
			cost += sp.Cost.Total
			usage = plus(usage, sp.Usage)
		}
		if out.Session == "" {
			out.Session = sp.Session
		}
	}
	out.TotalCostUSD, out.Usage = cost.USD(), usageOf(usage)
	return reply(out)
}

type getSpanInput struct {
	SpanInput
	Raw bool `query:"raw" doc:"attributes as they arrived: those that became the input or output, of which a marker tells, are put back"`
}

func (s *Surface) getSpan(ctx context.Context, in *getSpanInput) (*body[Span], error) {
	if !in.Raw {
		return s.span(ctx, &in.SpanInput)
	}
	sp, err := s.Query.Span(ctx, edge.Who(ctx).Project, in.Trace, in.Span)
	if err == nil && sp.Source != "" {
		sp, err = s.restored(ctx, sp)
	}
	if err != nil {
		return nil, err
	}
	return reply(spanOf(sp))
}

// span is a span as it is kept, which is all that a share shows.
func (s *Surface) span(ctx context.Context, in *SpanInput) (*body[Span], error) {
	sp, err := s.Query.Span(ctx, edge.Who(ctx).Project, in.Trace, in.Span)
	if err != nil {
		return nil, err
	}
	return reply(spanOf(sp))
}

// restored is a copy of a reported span with its attributes as they arrived. Markers of a body that is not kept stay.
func (s *Surface) restored(ctx context.Context, sp *span.Span) (*span.Span, error) {
	var bodies [2][]byte
	for i, ref := range []span.Ref{sp.Input, sp.Output} {
		b, err := s.bodyOf(ctx, sp, ref)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		bodies[i] = b
	}
	c := *sp
	c.Attributes = mapping.Restore(sp.Attributes, bodies[0], bodies[1])
	c.Events = slices.Clone(sp.Events)
	for i := range c.Events {
		c.Events[i].Attributes = mapping.Restore(c.Events[i].Attributes, bodies[0], bodies[1])
	}
	return &c, nil
}

func plus(a, b llm.Usage) llm.Usage {
	return llm.Usage{
		Input: a.Input + b.Input, CacheRead: a.CacheRead + b.CacheRead, CacheWrite: a.CacheWrite + b.CacheWrite,
		CacheWrite1h: a.CacheWrite1h + b.CacheWrite1h, Output: a.Output + b.Output, Reasoning: a.Reasoning + b.Reasoning,
		Estimated: a.Estimated || b.Estimated,
	}
}

func (s *Surface) recorded(which func(*span.Span) span.Ref) func(context.Context, *SpanInput) (*bytesOutput, error) {
	return func(ctx context.Context, in *SpanInput) (*bytesOutput, error) {
		sp, err := s.Query.Span(ctx, edge.Who(ctx).Project, in.Trace, in.Span)
		if err != nil {
			return nil, err
		}
		b, err := s.bodyOf(ctx, sp, which(sp))
		if err != nil {
			return nil, err
		}
		return &bytesOutput{ContentType: "application/json", Body: b}, nil
	}
}

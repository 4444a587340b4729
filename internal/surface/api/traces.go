package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

// TraceList is a page of spans.
type TraceList struct {
	Items      []TraceRow `json:"items" nullable:"false"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
	Partial    bool       `json:"partial" doc:"the index lags: the newest spans may be missing"`
}

// Trace is all spans of a trace.
type Trace struct {
	Trace        string  `json:"trace"`
	Session      string  `json:"session"`
	Spans        []Span  `json:"spans" nullable:"false" doc:"in order of start"`
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
	register(s, op{method: http.MethodGet, path: "/traces", id: "listTraces", doc: "Spans, newest first"}, s.listTraces)
	register(s, op{method: http.MethodGet, path: "/traces/count", id: "countTraces", doc: "How many spans are selected"}, s.countTraces)
	register(s, op{method: http.MethodGet, path: "/traces/{trace}", id: "getTrace", doc: "All spans of a trace"}, s.getTrace)
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
	Sort string `query:"sort" default:"-start" maxLength:"40" doc:"a field to sort by, with - in front for descending"`
}

func (s *Surface) listTraces(ctx context.Context, in *listTracesInput) (*body[TraceList], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	sort, err := query.ParseSort(in.Sort)
	if err != nil {
		return nil, err
	}
	got, err := s.Query.List(ctx, q, query.Page{Sort: sort, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := TraceList{Items: make([]TraceRow, len(got.Items)), NextCursor: got.Cursor, Partial: got.Partial}
	for i, sp := range got.Items {
		out.Items[i] = rowOf(sp)
	}
	return reply(out)
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

func (s *Surface) getTrace(ctx context.Context, in *TraceInput) (*body[Trace], error) {
	spans, err := s.Query.Trace(ctx, edge.Who(ctx).Project, in.Trace)
	if err != nil {
		return nil, err
	}
	out := Trace{Trace: in.Trace, Spans: make([]Span, len(spans))}
	var cost money.Nano
	var usage llm.Usage
	for i, sp := range spans {
		out.Spans[i] = spanOf(sp)
		cost += sp.Cost.Total
		usage = plus(usage, sp.Usage)
		if out.Session == "" {
			out.Session = sp.Session
		}
	}
	out.TotalCostUSD, out.Usage = cost.USD(), usageOf(usage)
	return reply(out)
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

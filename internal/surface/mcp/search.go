package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

type searchIn struct {
	Filter string   `json:"filter,omitempty" jsonschema:"filter, e.g. status = error and model like \"gpt-%\"; empty selects everything"`
	View   string   `json:"view,omitempty" jsonschema:"calls (default): model calls; spans: any span; traces: whole traces"`
	Fields []string `json:"fields,omitempty" jsonschema:"columns after the id; see list_fields, and input and output for previews"`
	Sort   string   `json:"sort,omitempty" jsonschema:"-start (default), -duration, -cost, -tokens, -score.NAME"`
	From   string   `json:"from,omitempty" jsonschema:"earliest start: a time, or how long ago, e.g. 24h"`
	To     string   `json:"to,omitempty" jsonschema:"start before this time"`
	Limit  int      `json:"limit,omitempty" jsonschema:"rows, at most 50; default 20"`
	Cursor string   `json:"cursor,omitempty" jsonschema:"next_cursor of the answer before"`
}

// Columns shown when none are asked for.
var (
	callColumns = []string{"start", "status", "model", "duration", "tokens", "cost", "output"}
	spanColumns = []string{"start", "status", "kind", "name", "duration", "output"}
)

func (c *caller) search(ctx context.Context, in searchIn) (string, error) {
	q, err := c.selection(in.Filter, in.From, in.To)
	if err != nil {
		return "", err
	}
	sort, err := query.ParseSort(in.Sort)
	if err != nil {
		return "", err
	}
	page := query.Page{Sort: sort, Limit: bounded(in.Limit, 20, 50), Cursor: in.Cursor}
	columns := in.Fields
	switch in.View {
	case "traces":
		return c.searchTraces(ctx, q, page)
	case "spans":
		if len(columns) == 0 {
			columns = spanColumns
		}
	case "", "calls":
		q.Filter = query.CallsOnly(q.Filter)
		if len(columns) == 0 {
			columns = callColumns
		}
	default:
		return "", fault.Bad("view", "view is calls, spans or traces")
	}
	if err := checkColumns(columns); err != nil {
		return "", err
	}
	got, err := c.Query.List(ctx, q, page)
	if err != nil {
		return "", err
	}
	var t table
	t.row(append([]string{"id"}, columns...)...)
	for _, s := range got.Items {
		t.row(append([]string{s.Trace + "/" + s.ID}, values(s, columns)...)...)
	}
	return t.b.String() + ending(len(got.Items), got.Cursor, got.Partial), nil
}

func ending(rows int, cursor string, lags bool) string {
	out := partial(lags)
	switch {
	case rows == 0:
		out += "nothing matches\n"
	case cursor != "":
		out += "next_cursor: " + cursor + "\n"
	}
	return out
}

func (c *caller) searchTraces(ctx context.Context, q query.Query, p query.Page) (string, error) {
	got, err := c.Query.Traces(ctx, q, p)
	if err != nil {
		return "", err
	}
	var t table
	t.row("trace", "start", "name", "spans", "calls", "errors", "duration", "tokens", "cost", "models")
	for _, r := range got.Traces {
		name := ""
		if r.RootSpan != nil {
			name = r.RootSpan.Name
		}
		t.row(r.Root.Trace, stamp(r.Start), clip.To(name, 60), fmt.Sprint(r.Spans), fmt.Sprint(r.Calls), fmt.Sprint(r.Errors), took(r.End.Sub(r.Start)),
			fmt.Sprint(r.Usage.Total()), usd(r.Cost.USD()), clip.To(strings.Join(r.Models, ","), 80))
	}
	return t.b.String() + ending(len(got.Traces), got.Cursor, got.Partial), nil
}

// previews are columns that are no fields: the beginning of what a span says.
var previews = map[string]func(*span.Span) string{
	"input":  func(s *span.Span) string { return clip.To(s.Input.Preview, 120) },
	"output": func(s *span.Span) string { return clip.To(first(s.ErrorText, s.Output.Preview), 120) },
	"error":  func(s *span.Span) string { return clip.To(s.ErrorText, 200) },
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func checkColumns(columns []string) error {
	for _, name := range columns {
		if previews[name] != nil {
			continue
		}
		if f, _ := query.Lookup(name); f == nil || !f.Indexed() {
			return fault.Bad("fields", "there is no field %q; list_fields names them, and input, output and error are previews", clip.To(name, 60))
		}
	}
	return nil
}

func values(s *span.Span, columns []string) []string {
	out := make([]string, len(columns))
	for i, name := range columns {
		out[i] = value(s, name)
	}
	return out
}

// value is a field of a span as filters write it.
func value(s *span.Span, name string) string {
	if p := previews[name]; p != nil {
		return p(s)
	}
	f, path := query.Lookup(name)
	switch f.Type {
	case query.Text, query.Enum:
		return clip.To(f.TextOf(s), 120)
	case query.List:
		return clip.To(strings.Join(query.Tags(s), ","), 120)
	case query.Map:
		for _, p := range f.PairsOf(s) {
			if p.Path == path {
				return clip.To(p.Value, 120)
			}
		}
		return ""
	}
	n := f.NumberOf(s)
	switch f.Type {
	case query.Duration:
		return took(time.Duration(n))
	case query.Money:
		return usd(money.Nano(n).USD())
	case query.Bool:
		return fmt.Sprint(n != 0)
	case query.Time:
		return stamp(time.Unix(0, n))
	}
	return fmt.Sprint(n)
}

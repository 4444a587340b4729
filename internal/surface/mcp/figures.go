package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/query"
)

type aggregateIn struct {
	Filter   string   `json:"filter,omitempty" jsonschema:"filter, e.g. status = error; empty selects everything"`
	From     string   `json:"from,omitempty" jsonschema:"earliest start: a time, or how long ago; default 24h"`
	To       string   `json:"to,omitempty" jsonschema:"start before this time; default now"`
	GroupBy  []string `json:"group_by,omitempty" jsonschema:"up to two fields, e.g. model, status, metadata.team"`
	Measures []string `json:"measures,omitempty" jsonschema:"calls, errors, error_rate, rate, cost, tokens, input_tokens, output_tokens, cache_hit_rate, avg_duration, p50, p75, p90, p95, p99, ttft_p50, ttft_p95, avg:score.NAME; groups are ordered by the first. Default: calls, error_rate, cost, p50, p95"`
	Interval string   `json:"interval,omitempty" jsonschema:"such as 1h: figures per interval as well"`
	Limit    int      `json:"limit,omitempty" jsonschema:"groups, at most 50; default 10"`
}

var usualMeasures = []string{"calls", "error_rate", "cost", "p50", "p95"}

// maxPoints bounds the intervals of an answer.
const maxPoints = 200

func (c *caller) aggregate(ctx context.Context, in aggregateIn) (string, error) {
	if in.From == "" {
		in.From = "24h"
	}
	if len(in.Measures) == 0 {
		in.Measures = usualMeasures
	}
	q, err := c.selection(in.Filter, in.From, in.To)
	if err != nil {
		return "", err
	}
	q.Filter = query.CallsOnly(q.Filter)
	a := query.Aggregate{Query: q, Limit: bounded(in.Limit, 10, 50)}
	until := c.Now()
	if !q.To.IsZero() {
		until = q.To
	}
	period := until.Sub(q.From)
	if a.Interval, err = interval(in.Interval, period); err != nil {
		return "", err
	}
	if err := groups(&a, in.GroupBy); err != nil {
		return "", err
	}
	measures, err := measure(&a, in.Measures)
	if err != nil {
		return "", err
	}
	got, lags, err := c.Query.Aggregate(ctx, a)
	if err != nil {
		return "", err
	}
	return in.table(got, a.Interval, period, measures) + "units: cost in USD, latencies in ms, rate per minute\n" + partial(lags), nil
}

// measure reads measures by their names; groups are ordered by the first.
func measure(a *query.Aggregate, names []string) ([]query.Measure, error) {
	out := make([]query.Measure, len(names))
	for i, n := range names {
		m, score, err := query.ParseMeasure(n)
		if err != nil {
			return nil, fault.Bad("measures", "%s", said(err))
		}
		if score != "" && a.Score != "" && score != a.Score {
			return nil, fault.Bad("measures", "one score at a time")
		}
		out[i], a.Score = m, first(score, a.Score)
	}
	a.Measure = out[0]
	return out, nil
}

// table has a row a group and interval, and a total where there is more than one.
func (in *aggregateIn) table(got query.Aggregation, every, period time.Duration, measures []query.Measure) string {
	var t table
	t.limit = 20000
	head := headings(in.GroupBy, every)
	t.row(append(slices.Clone(head), in.Measures...)...)
	for _, s := range got.Series {
		if every == 0 {
			t.row(append(labels(s, in.GroupBy), figures(s.Totals, measures, period)...)...)
		}
		for _, p := range s.Points {
			t.row(append(append(labels(s, in.GroupBy), stamp(p.Time)), figures(p.Figures, measures, every)...)...)
		}
	}
	if len(head) > 0 {
		total := make([]string, len(head))
		total[0] = "(total)"
		t.row(append(total, figures(got.Totals, measures, period)...)...)
	}
	if t.full {
		t.b.WriteString("(cut: use fewer groups or longer intervals)\n")
	}
	return t.b.String()
}

func interval(s string, period time.Duration) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if s == "1d" {
		s = "24h"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return 0, fault.Bad("interval", "interval must be a duration such as 5m, 1h or 24h")
	}
	if period/d > maxPoints {
		return 0, fault.Bad("interval", "that makes more than %d intervals; use a longer one", maxPoints)
	}
	return d, nil
}

func groups(a *query.Aggregate, by []string) error {
	if len(by) > 2 {
		return fault.Bad("group_by", "at most two fields")
	}
	for i, name := range by {
		f, path := query.Lookup(name)
		if f == nil || !f.Groupable() {
			return fault.Bad("group_by", "there are no groups by %q; list_fields names the fields", clip.To(name, 60))
		}
		if i == 0 {
			a.GroupBy, a.Path = f, path
		} else {
			a.ThenBy, a.ThenPath = f, path
		}
	}
	return nil
}

func headings(by []string, interval time.Duration) []string {
	out := append([]string(nil), by...)
	if interval > 0 {
		out = append(out, "time")
	}
	return out
}

func labels(s query.Series, by []string) []string {
	out := make([]string, len(by))
	for i, v := range []string{s.Group, s.Then}[:len(by)] {
		if out[i] = clip.To(v, 100); v == "" {
			out[i] = "(none)"
		}
	}
	if s.Other && len(out) > 0 {
		out[0] = "(others)"
	}
	return out
}

func figures(f query.Figures, measures []query.Measure, period time.Duration) []string {
	out := make([]string, len(measures))
	for i, m := range measures {
		v, ok := f.Value(m, period)
		switch {
		case !ok:
			out[i] = "-"
		case strings.HasPrefix(string(m), "p") || strings.HasPrefix(string(m), "ttft") || m == query.AvgDuration:
			out[i] = fmt.Sprintf("%.0f", v/1e6)
		case v == float64(int64(v)):
			out[i] = fmt.Sprint(int64(v))
		default:
			out[i] = fmt.Sprintf("%.4g", v)
		}
	}
	return out
}

type fieldsIn struct {
	Field  string `json:"field,omitempty" jsonschema:"list the values of this field; of metadata, attributes, resource and score: the paths"`
	Prefix string `json:"prefix,omitempty" jsonschema:"only names or values that start so"`
	Filter string `json:"filter,omitempty" jsonschema:"only values within this selection"`
	From   string `json:"from,omitempty" jsonschema:"only values since: a time, or how long ago; default 7d"`
}

func (c *caller) fields(ctx context.Context, in fieldsIn) (string, error) {
	var t table
	if in.Field == "" {
		for _, f := range query.Fields {
			if strings.HasPrefix(f.Name, in.Prefix) {
				t.row(f.Name, string(f.Type), first(f.Doc, strings.Join(f.Values, ", ")))
			}
		}
		return t.b.String(), nil
	}
	if in.From == "" {
		in.From = "7d"
	}
	q, err := c.selection(in.Filter, in.From, "")
	if err != nil {
		return "", err
	}
	f, path := query.Lookup(in.Field)
	if f == nil {
		f = query.FieldNamed(in.Field)
	}
	if f == nil || !f.Groupable() {
		return "", fault.Bad("field", "%q has no values to list", clip.To(in.Field, 60))
	}
	fq := query.FacetQuery{Query: q, Field: f, Path: path, Prefix: in.Prefix, Limit: 50}
	list := c.Query.Facets
	if f.Type == query.Map && path == "" {
		list = c.Query.Paths
	}
	got, lags, err := list(ctx, fq)
	if err != nil {
		return "", err
	}
	for _, v := range got {
		t.row(clip.To(v.Value, 120), fmt.Sprint(v.Count))
	}
	if len(got) == 0 {
		t.row("no values")
	}
	return t.b.String() + partial(lags), nil
}

type sqlIn struct {
	Query string `json:"query,omitempty" jsonschema:"one SELECT; empty: describe the tables"`
	Limit int    `json:"limit,omitempty" jsonschema:"rows, at most 200; default 50"`
}

func (c *caller) sql(ctx context.Context, in sqlIn) (string, error) {
	t := table{limit: 20000}
	if strings.TrimSpace(in.Query) == "" {
		tables, err := c.Query.SQLTables(ctx)
		if err != nil {
			return "", err
		}
		for _, tb := range tables {
			t.row("table " + tb.Name + ": " + tb.Doc)
			for _, col := range tb.Columns {
				t.row("  "+col.Name, col.Type, col.Doc)
			}
		}
		return t.b.String(), nil
	}
	got, lags, err := c.Query.SQL(ctx, query.SQLQuery{Project: c.project(), Text: in.Query, Limit: bounded(in.Limit, 50, 200)})
	if err != nil {
		return "", err
	}
	names := make([]string, len(got.Columns))
	for i, col := range got.Columns {
		names[i] = col.Name
	}
	t.row(names...)
	for _, r := range got.Rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = clip.To(shown(v), 300)
		}
		t.row(cells...)
	}
	if got.Truncated || t.full {
		t.b.WriteString("(cut: there are more rows)\n")
	}
	return t.b.String() + partial(lags), nil
}

func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any, map[string]any:
		return string(jsonx.MustMarshal(v))
	}
	return fmt.Sprint(v)
}

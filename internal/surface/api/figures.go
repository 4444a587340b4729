package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
)

// Figures are computed over a set of calls; quantiles are null over none.
type Figures struct {
	Calls      int64    `json:"calls"`
	Errors     int64    `json:"errors"`
	CostUSD    float64  `json:"cost_usd"`
	Input      int64    `json:"input" doc:"input tokens outside caches"`
	CacheRead  int64    `json:"cache_read"`
	CacheWrite int64    `json:"cache_write" doc:"with either lifetime"`
	Output     int64    `json:"output"`
	P50        *float64 `json:"p50_ms" nullable:"true"`
	P95        *float64 `json:"p95_ms" nullable:"true"`
	FirstP50   *float64 `json:"ttft_p50_ms" nullable:"true"`
	FirstP95   *float64 `json:"ttft_p95_ms" nullable:"true"`
}

// Point is one interval, by its start.
type Point struct {
	Time string `json:"t" format:"date-time"`
	Figures
}

// Series is the figures of one group; intervals without calls are there with zeros.
type Series struct {
	Group  string  `json:"group"`
	Other  bool    `json:"other" doc:"everything beyond the limit of groups"`
	Points []Point `json:"points" nullable:"false"`
	Totals Figures `json:"totals"`
}

// Aggregation is figures per group and interval.
type Aggregation struct {
	IntervalMS int64    `json:"interval_ms" doc:"0 = no points"`
	From       string   `json:"from" format:"date-time"`
	To         string   `json:"to" format:"date-time"`
	Series     []Series `json:"series" nullable:"false" doc:"largest first"`
	Totals     Figures  `json:"totals"`
	Previous   Figures  `json:"previous" doc:"totals of the period of the same length before"`
	Partial    bool     `json:"partial"`
}

// Facets are the most frequent values of a field.
type Facets struct {
	Values  []Facet `json:"values" nullable:"false"`
	Partial bool    `json:"partial"`
}

// Facet is a value and how many spans have it.
type Facet struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// FieldList is what filters can be made of.
type FieldList struct {
	Fields []FieldInfo `json:"fields" nullable:"false"`
}

// FieldInfo describes a field of the filter language.
type FieldInfo struct {
	Name      string   `json:"name"`
	Type      string   `json:"type" enum:"text,enum,list,number,duration,money,bool,time,map"`
	Ops       []string `json:"ops" nullable:"false"`
	Values    []string `json:"values,omitempty" nullable:"false"`
	Groupable bool     `json:"groupable" doc:"facets and groups can be asked for"`
	Sortable  bool     `json:"sortable"`
	Doc       string   `json:"doc"`
}

func (s *Surface) figures() {
	register(s, op{method: http.MethodGet, path: "/aggregate", id: "aggregate", doc: "Calls, cost, tokens, errors and latency over time and by group"}, s.aggregate)
	register(s, op{method: http.MethodGet, path: "/facets", id: "facets", doc: "Values of a field"}, s.facets)
	register(s, op{method: http.MethodGet, path: "/fields", id: "fields", doc: "Fields of the filter language"}, s.fields)
}

type aggregateInput struct {
	Selection
	Measure  string `query:"measure" maxLength:"200" doc:"what groups are ordered by; the first of a list counts" example:"cost"`
	GroupBy  string `query:"group_by" maxLength:"220" doc:"a groupable field, or metadata.path; empty = one series"`
	Interval string `query:"interval" default:"auto" enum:"auto,1m,5m,15m,1h,6h,1d,none"`
	Limit    int    `query:"limit" minimum:"1" maximum:"50" default:"8" doc:"groups; the rest is one series marked other"`
}

func (s *Surface) aggregate(ctx context.Context, in *aggregateInput) (*body[Aggregation], error) {
	a, err := in.aggregate(ctx, s.Now().UTC())
	if err != nil {
		return nil, err
	}
	got, partial, err := s.Query.Aggregate(ctx, a)
	if err != nil {
		return nil, err
	}
	before := query.Aggregate{Query: a.Query}
	before.From, before.To = a.From.Add(-a.To.Sub(a.From)), a.From
	prev, _, err := s.Query.Aggregate(ctx, before)
	if err != nil {
		return nil, err
	}
	out := Aggregation{
		IntervalMS: a.Interval.Milliseconds(), From: stamp(a.From), To: stamp(a.To), Series: make([]Series, len(got.Series)),
		Totals: figuresOf(got.Totals), Previous: figuresOf(prev.Totals), Partial: partial,
	}
	for i, x := range got.Series {
		out.Series[i] = Series{Group: x.Group, Other: x.Other, Totals: figuresOf(x.Totals), Points: points(a, x.Points)}
	}
	return reply(out)
}

const maxPoints = 1500 // per series

func (in *aggregateInput) aggregate(ctx context.Context, now time.Time) (a query.Aggregate, err error) {
	if a.Query, err = in.query(ctx); err != nil {
		return a, err
	}
	a.Filter, a.Limit = query.CallsOnly(a.Filter), in.Limit
	if a.To.IsZero() {
		a.To = now
	}
	if a.From.IsZero() {
		a.From = a.To.Add(-24 * time.Hour)
	}
	if !a.From.Before(a.To) {
		return a, fault.Bad("from", "from must be earlier than to, which is now if not given")
	}
	if in.GroupBy != "" {
		if a.GroupBy, a.Path, err = fieldNamed("group_by", in.GroupBy); err != nil {
			return a, err
		}
	}
	first, _, _ := strings.Cut(in.Measure, ",")
	if a.Measure = query.Measure(first); first != "" && !slices.Contains(query.Measures, a.Measure) {
		return a, fault.Bad("measure", "measure is one of %v", query.Measures)
	}
	a.Interval = interval(in.Interval, a.To.Sub(a.From))
	if a.Interval > 0 && a.To.Sub(a.From)/a.Interval > maxPoints {
		return a, fault.Bad("interval", "more than %d intervals; choose a longer interval or a shorter time", maxPoints)
	}
	return a, nil
}

// interval reads an interval; auto aims at 30 to 90 points.
func interval(name string, length time.Duration) time.Duration {
	steps := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}
	switch name {
	case "none":
		return 0
	case "auto":
		for _, d := range steps {
			if length/d <= 96 {
				return d
			}
		}
		return ((length/96)/(24*time.Hour) + 1) * 24 * time.Hour
	case "1d":
		return 24 * time.Hour
	}
	d, _ := time.ParseDuration(name) // the others are valid by the enum
	return d
}

// points fills the intervals without calls, so that charts show them as zero.
func points(a query.Aggregate, have []query.Point) []Point {
	out := []Point{}
	if a.Interval == 0 {
		return out
	}
	for t := query.Bucket(a.From, a.Interval); t.Before(a.To); t = t.Add(a.Interval) {
		p := Point{Time: stamp(t)}
		if len(have) > 0 && !have[0].Time.After(t) {
			p.Figures, have = figuresOf(have[0].Figures), have[1:]
		}
		out = append(out, p)
	}
	return out
}

func figuresOf(f query.Figures) Figures {
	return Figures{
		Calls: f.Calls, Errors: f.Errors, CostUSD: f.Cost.USD(), Input: f.Usage.Input, CacheRead: f.Usage.CacheRead,
		CacheWrite: f.Usage.CacheWrite + f.Usage.CacheWrite1h, Output: f.Usage.Output,
		P50: millisOf(f.P50), P95: millisOf(f.P95), FirstP50: millisOf(f.FirstP50), FirstP95: millisOf(f.FirstP95),
	}
}

type facetsInput struct {
	Selection
	Field  string `query:"field" required:"true" maxLength:"220"`
	Prefix string `query:"prefix" maxLength:"200" doc:"beginning of the value, in any case"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"20"`
}

func (s *Surface) facets(ctx context.Context, in *facetsInput) (*body[Facets], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	f, path, err := fieldNamed("field", in.Field)
	if err != nil {
		return nil, err
	}
	got, partial, err := s.Query.Facets(ctx, query.FacetQuery{Query: q, Field: f, Path: path, Prefix: in.Prefix, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := Facets{Values: make([]Facet, len(got)), Partial: partial}
	for i, v := range got {
		out.Values[i] = Facet{Value: v.Value, Count: v.Count}
	}
	return reply(out)
}

func (s *Surface) fields(context.Context, *none) (*body[FieldList], error) {
	out := FieldList{Fields: make([]FieldInfo, len(query.Fields))}
	for i, f := range query.Fields {
		info := FieldInfo{Name: f.Name, Type: string(f.Type), Values: f.Values, Groupable: f.Groupable(), Sortable: f.Sortable(), Doc: f.Doc}
		for _, o := range f.Operators() {
			info.Ops = append(info.Ops, string(o))
		}
		out.Fields[i] = info
	}
	return reply(out)
}

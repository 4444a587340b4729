package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"weir/internal/clip"
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

	Tokens       int64    `json:"tokens" doc:"all of the four"`
	Rate         float64  `json:"rate" doc:"calls per minute"`
	ErrorRate    *float64 `json:"error_rate" nullable:"true" doc:"errors per call, 0 to 1"`
	CacheHitRate *float64 `json:"cache_hit_rate" nullable:"true" doc:"part of the input tokens read from a cache, 0 to 1"`
	Avg          *float64 `json:"avg_ms" nullable:"true"`
	P75          *float64 `json:"p75_ms" nullable:"true"`
	P90          *float64 `json:"p90_ms" nullable:"true"`
	P99          *float64 `json:"p99_ms" nullable:"true"`
	Score        *float64 `json:"score" nullable:"true" doc:"average of the score named by the measure"`
}

// Point is one interval, by its start.
type Point struct {
	Time string `json:"t" format:"date-time"`
	Figures
}

// Series is the figures of one group; intervals without calls are there with zeros.
type Series struct {
	Group  string   `json:"group" doc:"value of the first field"`
	Groups []string `json:"groups" nullable:"false" doc:"value of each field"`
	Other  bool     `json:"other" doc:"everything beyond the limit of groups"`
	Points []Point  `json:"points" nullable:"false"`
	Totals Figures  `json:"totals"`
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
	Type      string   `json:"type" enum:"text,enum,list,number,duration,money,bool,time,map,fulltext"`
	Ops       []string `json:"ops" nullable:"false"`
	Values    []string `json:"values,omitempty" nullable:"false"`
	Groupable bool     `json:"groupable" doc:"facets and groups can be asked for"`
	Sortable  bool     `json:"sortable"`
	Doc       string   `json:"doc"`
}

func (s *Surface) figures() {
	register(s, op{method: http.MethodGet, path: "/aggregate", id: "aggregate", doc: "Calls, cost, tokens, errors and latency over time and by group"}, s.aggregate)
	register(s, op{method: http.MethodGet, path: "/facets", id: "facets", doc: "Values of a field"}, s.facets)
	register(s, op{method: http.MethodGet, path: "/fields/paths", id: "fieldPaths", doc: "Paths of metadata, attributes, resource or score"}, s.fieldPaths)
	register(s, op{method: http.MethodPost, path: "/filter/check", id: "checkFilter", doc: "Whether a filter can be read"}, s.checkFilter)
	register(s, op{method: http.MethodGet, path: "/histogram", id: "histogram", doc: "How values are spread, on a logarithmic scale"}, s.histogram)
	register(s, op{method: http.MethodGet, path: "/heatmap", id: "heatmap", doc: "How values are spread, over time"}, s.heatmap)
	register(s, op{method: http.MethodGet, path: "/activity", id: "activity", doc: "Calls by day"}, s.activity)
	register(s, op{method: http.MethodGet, path: "/errors", id: "listErrors", doc: "Spans that failed, grouped by what they have in common"}, s.listErrors)
	register(s, op{method: http.MethodGet, path: "/fields", id: "fields", doc: "Fields of the filter language"}, s.fields)
}

type aggregateInput struct {
	Selection
	Measure  string `query:"measure" maxLength:"300" doc:"what groups are ordered by, the first of a list; avg:score.name adds the average of that score" example:"cost"`
	Only     bool   `query:"only" doc:"compute no more than the measures need: the other figures are zero or null, and the answer comes sooner"`
	GroupBy  string `query:"group_by" maxLength:"440" doc:"a groupable field, or metadata.path; or two with a comma between; empty = one series"`
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
	before := query.Aggregate{Query: a.Query, Score: a.Score, Only: a.Only}
	before.From, before.To = a.From.Add(-a.To.Sub(a.From)), a.From
	prev, _, err := s.Query.Aggregate(ctx, before)
	if err != nil {
		return nil, err
	}
	out := Aggregation{
		IntervalMS: a.Interval.Milliseconds(), From: stamp(a.From), To: stamp(a.To), Series: make([]Series, len(got.Series)),
		Totals: figuresOf(got.Totals, a.To.Sub(a.From)), Previous: figuresOf(prev.Totals, a.To.Sub(a.From)), Partial: partial,
	}
	for i, x := range got.Series {
		out.Series[i] = Series{Group: x.Group, Groups: groups(a, x), Other: x.Other, Totals: figuresOf(x.Totals, a.To.Sub(a.From)), Points: points(a, x.Points)}
	}
	return reply(out)
}

func groups(a query.Aggregate, x query.Series) []string {
	switch {
	case a.GroupBy == nil || x.Other:
		return []string{}
	case a.ThenBy == nil:
		return []string{x.Group}
	}
	return []string{x.Group, x.Then}
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
	if err := in.groups(&a); err != nil {
		return a, err
	}
	if err := in.measures(&a); err != nil {
		return a, err
	}
	a.Interval = interval(in.Interval, a.To.Sub(a.From))
	if a.Interval > 0 && a.To.Sub(a.From)/a.Interval > maxPoints {
		return a, fault.Bad("interval", "more than %d intervals; choose a longer interval or a shorter time", maxPoints)
	}
	return a, nil
}

func (in *aggregateInput) groups(a *query.Aggregate) (err error) {
	if in.GroupBy == "" {
		return nil
	}
	first, second, two := strings.Cut(in.GroupBy, ",")
	if a.GroupBy, a.Path, err = fieldNamed("group_by", strings.TrimSpace(first)); err != nil || !two {
		return err
	}
	a.ThenBy, a.ThenPath, err = fieldNamed("group_by", strings.TrimSpace(second))
	switch {
	case err != nil && strings.Contains(second, ","): // a path in backquotes may hold one
		return fault.Bad("group_by", "group_by takes two fields at most")
	case err == nil && a.ThenBy == a.GroupBy && a.ThenPath == a.Path:
		return fault.Bad("group_by", "group_by names %q twice", clip.To(first, 60))
	}
	return err
}

func (in *aggregateInput) measures(a *query.Aggregate) error {
	if in.Measure == "" {
		return nil
	}
	for i, name := range strings.Split(in.Measure, ",") {
		m, score, err := query.ParseMeasure(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		if in.Only {
			a.Only = append(a.Only, m)
		}
		if i == 0 {
			a.Measure = m
		}
		if a.Score == "" {
			a.Score = score
		}
	}
	return nil
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
			p.Figures, have = figuresOf(have[0].Figures, a.Interval), have[1:]
		}
		out = append(out, p)
	}
	return out
}

func figuresOf(f query.Figures, period time.Duration) Figures {
	share := func(m query.Measure) *float64 {
		if v, ok := f.Value(m, period); ok {
			return &v
		}
		return nil
	}
	out := Figures{
		Calls: f.Calls, Errors: f.Errors, CostUSD: f.Cost.USD(), Input: f.Usage.Input, CacheRead: f.Usage.CacheRead,
		CacheWrite: f.Usage.CacheWrite + f.Usage.CacheWrite1h, Output: f.Usage.Output, Tokens: f.Usage.Total(),
		P50: millisOf(f.P50), P95: millisOf(f.P95), FirstP50: millisOf(f.FirstP50), FirstP95: millisOf(f.FirstP95),
		Avg: millisOf(f.Duration), P75: millisOf(f.P75), P90: millisOf(f.P90), P99: millisOf(f.P99), Score: f.Score,
		ErrorRate: share(query.ErrorRate), CacheHitRate: share(query.CacheHitRate),
	}
	out.Rate, _ = f.Value(query.Rate, period)
	return out
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

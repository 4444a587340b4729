package storetest

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"weir/internal/llm"
	"weir/internal/query"
	"weir/internal/span"
)

func contextCanceled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// scoreIn is a span's score as a number.
func scoreIn(s *span.Span, name string) (float64, bool) {
	for _, p := range query.FieldNamed("score").PairsOf(s) {
		if p.Path == name {
			return query.ScoreNumber(p.Value)
		}
	}
	return 0, false
}

// meanOf averages a score over spans.
func meanOf(spans []*span.Span, name string) *float64 {
	sum, n := 0.0, 0
	for _, s := range spans {
		if v, ok := scoreIn(s, name); ok {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return nil
	}
	return new(sum / float64(n))
}

// meansOf are all scores of spans.
func meansOf(spans []*span.Span) (out []query.ScoreMean) {
	counts := map[string]int64{}
	for _, s := range spans {
		for _, p := range query.FieldNamed("score").PairsOf(s) {
			counts[p.Path]++
		}
	}
	for name, n := range counts {
		out = append(out, query.ScoreMean{Name: name, Count: n, Mean: meanOf(spans, name)})
	}
	slices.SortFunc(out, func(a, b query.ScoreMean) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// figuresOf is brute force.
func figuresOf(spans []*span.Span) (f query.Figures) {
	var took, first []time.Duration
	var sum time.Duration
	for _, s := range spans {
		f.Calls++
		if query.Failed(s) {
			f.Errors++
		}
		if !s.Covered {
			f.Cost += s.Cost.Total
			f.Usage = llm.Usage{
				Input: f.Usage.Input + s.Usage.Input, CacheRead: f.Usage.CacheRead + s.Usage.CacheRead, CacheWrite: f.Usage.CacheWrite + s.Usage.CacheWrite,
				CacheWrite1h: f.Usage.CacheWrite1h + s.Usage.CacheWrite1h, Output: f.Usage.Output + s.Usage.Output, Reasoning: f.Usage.Reasoning + s.Usage.Reasoning,
			}
		}
		sum += s.Duration()
		took = append(took, s.Duration())
		if s.FirstToken > 0 {
			first = append(first, s.FirstToken)
		}
	}
	f.P50, f.P75, f.P90, f.P95, f.P99 = quantile(took, 0.5), quantile(took, 0.75), quantile(took, 0.9), quantile(took, 0.95), quantile(took, 0.99)
	f.FirstP50, f.FirstP95 = quantile(first, 0.5), quantile(first, 0.95)
	if f.Calls > 0 {
		f.Duration = new(sum / time.Duration(f.Calls))
	}
	return f
}

func quantile(v []time.Duration, q float64) *time.Duration {
	if len(v) == 0 {
		return nil
	}
	slices.Sort(v)
	at := q * float64(len(v)-1)
	lo, hi := v[int(math.Floor(at))], v[int(math.Ceil(at))]
	d := lo + time.Duration(float64(hi-lo)*(at-math.Floor(at)))
	return &d
}

// nearly forgives a microsecond of rounding in quantiles.
var nearly = gocmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 0), gocmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= time.Microsecond })}

// groupsOf are the values a span is grouped under.
func groupsOf(f *query.Field, path string, s *span.Span) []string {
	switch {
	case f == nil:
		return []string{""}
	case f.Type == query.List:
		if tags := query.Tags(s); len(tags) > 0 {
			return tags
		}
		return []string{""}
	case f.Type == query.Bool:
		return []string{strconv.FormatBool(f.NumberOf(s) != 0)}
	case f.Type == query.Map:
		for _, p := range f.PairsOf(s) {
			if p.Path == path {
				return []string{p.Value}
			}
		}
		return []string{""}
	}
	return []string{f.TextOf(s)}
}

// aggregate is brute force.
func aggregate(a query.Aggregate, spans []*span.Span) (out query.Aggregation) {
	by := map[groupKey][]*span.Span{}
	var all []*span.Span
	for _, s := range spans {
		if s.Project != a.Project || !query.Match(a.Filter, s) || !a.From.IsZero() && s.Start.Before(a.From) || !a.To.IsZero() && !s.Start.Before(a.To) {
			continue
		}
		all = append(all, s)
		for _, g := range groupsOf(a.GroupBy, a.Path, s) {
			for _, h := range groupsOf(a.ThenBy, a.ThenPath, s) {
				by[groupKey{g, h}] = append(by[groupKey{g, h}], s)
			}
		}
	}
	out.Totals = figuresIn(a, all)
	var rest []*span.Span
	for _, g := range ranked(a, by) {
		if len(out.Series) < a.Limit {
			out.Series = append(out.Series, seriesOf(a, g, by[g]))
			continue
		}
		rest = append(rest, by[g]...)
	}
	if len(rest) > 0 {
		other := seriesOf(a, groupKey{}, rest)
		other.Other = true
		out.Series = append(out.Series, other)
	}
	return out
}

type groupKey struct{ g, h string }

func figuresIn(a query.Aggregate, spans []*span.Span) query.Figures {
	f := figuresOf(spans)
	if a.Score != "" {
		f.Score = meanOf(spans, a.Score)
	}
	if a.Lean {
		f.P50, f.P75, f.P90, f.P95, f.P99, f.FirstP50, f.FirstP95 = nil, nil, nil, nil, nil, nil, nil
	}
	return f
}

func ranked(a query.Aggregate, by map[groupKey][]*span.Span) []groupKey {
	value := func(g groupKey) float64 {
		v, ok := figuresIn(a, by[g]).Value(a.Measure, time.Hour)
		if !ok {
			return math.Inf(-1)
		}
		return v
	}
	names := slices.Collect(maps.Keys(by))
	slices.SortFunc(names, func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(value(b), value(a)), cmp.Compare(a.g, b.g), cmp.Compare(a.h, b.h))
	})
	return names
}

func seriesOf(a query.Aggregate, name groupKey, spans []*span.Span) query.Series {
	s := query.Series{Group: name.g, Then: name.h, Totals: figuresIn(a, spans)}
	if a.Interval == 0 {
		return s
	}
	at := map[time.Time][]*span.Span{}
	for _, sp := range spans {
		t := query.Bucket(sp.Start, a.Interval)
		at[t] = append(at[t], sp)
	}
	for t, in := range at {
		s.Points = append(s.Points, query.Point{Time: t, Figures: figuresIn(a, in)})
	}
	slices.SortFunc(s.Points, func(a, b query.Point) int { return a.Time.Compare(b.Time) })
	return s
}

func indexAggregate(t *testing.T, x query.Index) {
	spans := append(RandomSpans(p1, 500, 9), RandomSpans(p2, 50, 9)...)
	apply(t, x, 1, spans...)
	for name, a := range map[string]query.Aggregate{
		"no groups":         {Limit: 8},
		"hours":             {Limit: 8, Interval: time.Hour},
		"days by model":     {GroupBy: query.FieldNamed("model"), Limit: 8, Interval: 24 * time.Hour},
		"other":             {GroupBy: query.FieldNamed("model"), Limit: 2, Interval: 6 * time.Hour, Measure: query.CostUSD},
		"by user, unset":    {GroupBy: query.FieldNamed("user"), Limit: 8, Measure: query.Tokens},
		"by status":         {GroupBy: query.FieldNamed("status"), Limit: 2, Measure: query.Errors},
		"by tag":            {GroupBy: query.FieldNamed("tag"), Limit: 2, Interval: 12 * time.Hour},
		"by metadata":       {GroupBy: query.FieldNamed("metadata"), Path: "run.name", Limit: 8},
		"by session, p95":   {GroupBy: query.FieldNamed("session"), Limit: 3, Measure: query.P95},
		"model and status":  {GroupBy: query.FieldNamed("model"), ThenBy: query.FieldNamed("status"), Limit: 5, Interval: 24 * time.Hour, Measure: query.Errors},
		"tag and attribute": {GroupBy: query.FieldNamed("tag"), ThenBy: query.FieldNamed("attributes"), ThenPath: "retry.count", Limit: 50},
		"by covered, score": {GroupBy: query.FieldNamed("covered"), Limit: 8, Score: "quality", Measure: query.AvgScore, Interval: 24 * time.Hour},
		"by score":          {GroupBy: query.FieldNamed("score"), Path: "tone", Limit: 8, Score: "helpful", Measure: query.ErrorRate},
		"lean, cache hits":  {GroupBy: query.FieldNamed("service"), Limit: 2, Measure: query.CacheHitRate, Lean: true, Interval: 24 * time.Hour},
		"output tokens":     {GroupBy: query.FieldNamed("deployment"), Limit: 1, Measure: query.OutputTokens},
		"average, p99":      {GroupBy: query.FieldNamed("provider"), Limit: 1, Measure: query.AvgDuration},
		"by client, ttft":   {GroupBy: query.FieldNamed("client"), Limit: 3, Measure: query.FirstP50},
		"filtered in range": {Query: query.Query{Filter: mustParse(t, "status = ok"), From: noon.Add(time.Hour), To: noon.Add(30 * time.Hour)}, Limit: 8, Interval: 5 * time.Minute},
	} {
		a.Project = p1
		got, err := x.Aggregate(t.Context(), a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := gocmp.Diff(aggregate(a, spans), got, nearly); diff != "" {
			t.Errorf("%s: brute force (-) and index (+) differ:\n%s", name, diff)
		}
	}
}

func indexAggregateEmpty(t *testing.T, x query.Index) {
	got, err := x.Aggregate(t.Context(), query.Aggregate{Query: query.Query{Project: p1}, GroupBy: query.FieldNamed("model"), Interval: time.Hour})
	if err != nil || len(got.Series) != 0 || got.Totals != (query.Figures{}) {
		t.Errorf("%+v %v", got, err)
	}
}

// indexExtreme: whatever one client claims must not spoil the figures of its project.
func indexExtreme(t *testing.T, x query.Index) {
	wild := newSpan(p1, strings.Repeat("a", 32), strings.Repeat("1", 16), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	wild.End, wild.Cost.Total, wild.Session = time.Time{}, math.MaxInt64, "s"
	wild.Usage = llm.Usage{Input: math.MaxInt64}
	old := newSpan(p1, strings.Repeat("b", 32), strings.Repeat("2", 16), time.Time{})
	old.End, old.Cost.Total, old.Session = wild.Start, math.MaxInt64, "s"
	apply(t, x, 1, wild, old)
	if _, err := x.Aggregate(t.Context(), query.Aggregate{Query: query.Query{Project: p1}, Interval: 24 * time.Hour}); err != nil {
		t.Error(err)
	}
	if rows, _, err := x.Sessions(t.Context(), query.Query{Project: p1}, query.Page{}); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
	if got := search(t, x, query.Query{Project: p1}, query.Page{}); len(got) != 2 || got[0].Trace != wild.Trace {
		t.Errorf("%v", got)
	}
}

func indexFacets(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 300, 12)
	apply(t, x, 1, spans...)
	for _, c := range []struct {
		field, path, prefix, filter string
		limit                       int
	}{
		{field: "model"}, {field: "user"}, {field: "tag"}, {field: "session", limit: 2}, {field: "metadata", path: "run.name"},
		{field: "user", prefix: "u1"}, {field: "model", prefix: "CLAUDE", filter: "status = error"}, {field: "tag", prefix: "%"}, {field: "status"}, {field: "root"}, {field: "source"},
		{field: "attributes", path: "odd key!"}, {field: "score", path: "quality", filter: "score.helpful exists"},
	} {
		f := query.FacetQuery{Query: query.Query{Project: p1, Filter: mustParse(t, c.filter)}, Field: query.FieldNamed(c.field), Path: c.path, Prefix: c.prefix, Limit: c.limit}
		got, err := x.Facets(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(facets(f, spans), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v:\n%s", c, diff)
		}
	}
}

func facets(f query.FacetQuery, spans []*span.Span) (out []query.Facet) {
	n := map[string]int64{}
	for _, s := range spans {
		if !query.Match(f.Filter, s) {
			continue
		}
		for _, v := range groupsOf(f.Field, f.Path, s) {
			if v != "" && strings.HasPrefix(strings.ToLower(v), strings.ToLower(f.Prefix)) {
				n[v]++
			}
		}
	}
	for v, c := range n {
		out = append(out, query.Facet{Value: v, Count: c})
	}
	slices.SortFunc(out, func(a, b query.Facet) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), f.Size())]
}

func indexSessions(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 300, 13)
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 80, 13)...)...)
	for _, filter := range []string{"", "user = u2 cost > 0.09", "model = nothing"} {
		q := query.Query{Project: p1, Filter: mustParse(t, filter)}
		var got []query.SessionRow
		for cursor, more := "", true; more; more = cursor != "" {
			rows, next, err := x.Sessions(t.Context(), q, query.Page{Limit: 3, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			got, cursor = append(got, rows...), next
		}
		if diff := gocmp.Diff(sessions(q, spans), got, nearly); diff != "" {
			t.Errorf("%q: brute force (-) and index (+) differ:\n%s", filter, diff)
		}
	}
}

func sessions(q query.Query, spans []*span.Span) (out []query.SessionRow) {
	by, chosen := map[string][]*span.Span{}, map[string]bool{}
	for _, s := range spans {
		by[s.Session] = append(by[s.Session], s)
		chosen[s.Session] = chosen[s.Session] || query.Match(q.Filter, s)
	}
	delete(by, "")
	for name, in := range by {
		if chosen[name] {
			out = append(out, sessionOf(name, in))
		}
	}
	slices.SortFunc(out, func(a, b query.SessionRow) int {
		return cmp.Or(b.End.Compare(a.End), cmp.Compare(b.Session, a.Session))
	})
	return out
}

func sessionOf(name string, in []*span.Span) query.SessionRow {
	slices.SortFunc(in, func(a, b *span.Span) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Trace, b.Trace), cmp.Compare(a.ID, b.ID))
	})
	f, last := figuresOf(in), in[len(in)-1]
	row := query.SessionRow{
		Session: name, Start: in[0].Start, Errors: f.Errors, Spans: int64(len(in)), Traces: distinct(in, func(s *span.Span) string { return s.Trace }), Scores: meansOf(in), Cost: f.Cost, Usage: f.Usage, Client: last.Client, User: last.User, Email: last.Email, KeyAlias: last.KeyAlias,
	}
	for _, s := range slices.Backward(in) {
		if s.End.After(row.End) {
			row.End = s.End
		}
		if query.IsCall(s) && !s.Covered {
			row.Calls++
			row.First = span.Key{Trace: s.Trace, Span: s.ID, Day: s.Day}
		}
		if s.Group != "" && !slices.Contains(row.Models, s.Group) {
			row.Models = append(row.Models, s.Group)
		}
	}
	slices.Sort(row.Models)
	return row
}

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"weir/internal/llm"
	"weir/internal/query"
)

// Most charts show sums by hour of a field with few values. Then one scan by group and interval tells it all: groups and
// totals are added up here. Quantiles cannot be, and a field with many values would make more rows than there are spans.

// mostCells bounds what one scan may return; beyond it the figures are asked for one by one.
const mostCells = 20_000

// inOneScan reports whether everything asked for can be added up.
func inOneScan(a query.Aggregate) bool {
	d := depthOf(a)
	return a.Interval > 0 && !d.took && !d.first && d.score == "" && !slices.Contains(byQuantile, a.Measure) && a.Measure != query.AvgScore &&
		(a.GroupBy == nil || a.GroupBy.Type != query.List) && (a.ThenBy == nil || a.ThenBy.Type != query.List)
}

// bucketOf is the start of a span's interval. The remainder of a time before 1970 is negative, which costs a second one.
func bucketOf(a query.Aggregate) string {
	if !a.From.IsZero() && a.From.Unix() >= 0 {
		return fmt.Sprintf(`"start" - "start" %% %d`, a.Interval)
	}
	return fmt.Sprintf(`"start" - (("start" %% %[1]d + %[1]d) %% %[1]d)`, a.Interval)
}

// together is not done if there are too many cells.
func (x *Index) together(ctx context.Context, a query.Aggregate, out *query.Aggregation) (done bool, err error) {
	at := map[groupKey]*query.Series{}
	cells := 0
	s := new(statement).add(`SELECT ` + bucketOf(a) + ` AS t, g, h, ` + figures(depthOf(a)) + ` FROM `).grouped(a)
	s.add(fmt.Sprintf(` GROUP BY t, g, h LIMIT %d`, mostCells+1))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		cells++
		return scanCell(r, at)
	})
	if err != nil || cells > mostCells {
		return false, err
	}
	limit := a.Limit
	if limit <= 0 {
		limit = query.DefaultGroups
	}
	out.Series, out.Totals = ranked(a, at, limit)
	return true, nil
}

func scanCell(r *sql.Rows, at map[groupKey]*query.Series) error {
	var t int64
	var key groupKey
	var p query.Point
	n := into{f: &p.Figures}
	err := r.Scan(append([]any{&t, &key.g, &key.h}, n.dest()...)...)
	n.done()
	p.Time = timeOf(t)
	g := at[key]
	if g == nil {
		g = &query.Series{Group: key.g, Then: key.h}
		at[key] = g
	}
	g.Points = append(g.Points, p)
	return err
}

// ranked are the largest groups, the rest as one, and all of them together.
func ranked(a query.Aggregate, at map[groupKey]*query.Series, limit int) (out []query.Series, totals query.Figures) {
	for _, g := range at {
		g.Totals = added(g.Points)
		out = append(out, *g)
	}
	slices.SortFunc(out, func(p, q query.Series) int {
		return cmp.Or(larger(a.Measure, p.Totals, q.Totals), cmp.Compare(p.Group, q.Group), cmp.Compare(p.Then, q.Then))
	})
	var all []query.Point
	for i := range out {
		slices.SortFunc(out[i].Points, func(p, q query.Point) int { return p.Time.Compare(q.Time) })
		all = append(all, query.Point{Figures: out[i].Totals})
	}
	totals = added(all)
	if len(out) > limit {
		out = append(out[:limit:limit], rest(out[limit:]))
	}
	return out, totals
}

// larger orders by a measure, the largest first and what has none last.
func larger(m query.Measure, p, q query.Figures) int {
	v, ok := p.Value(m, time.Minute)
	w, known := q.Value(m, time.Minute)
	switch {
	case ok != known && ok:
		return -1
	case ok != known:
		return 1
	}
	return cmp.Compare(w, v)
}

// rest joins groups into the one for all others.
func rest(groups []query.Series) query.Series {
	byTime := map[time.Time][]query.Point{}
	var all []query.Point
	for _, g := range groups {
		for _, p := range g.Points {
			byTime[p.Time] = append(byTime[p.Time], p)
			all = append(all, p)
		}
	}
	out := query.Series{Other: true, Totals: added(all)}
	for t, points := range byTime {
		out.Points = append(out.Points, query.Point{Time: t, Figures: added(points)})
	}
	slices.SortFunc(out.Points, func(p, q query.Point) int { return p.Time.Compare(q.Time) })
	return out
}

// added sums figures; the mean duration is weighted by spans.
func added(points []query.Point) (f query.Figures) {
	took := 0.0
	for _, p := range points {
		f.Calls, f.Errors, f.Cost = f.Calls+p.Calls, f.Errors+p.Errors, f.Cost+p.Cost
		f.Usage = llm.Usage{
			Input: f.Usage.Input + p.Usage.Input, CacheRead: f.Usage.CacheRead + p.Usage.CacheRead, CacheWrite: f.Usage.CacheWrite + p.Usage.CacheWrite,
			CacheWrite1h: f.Usage.CacheWrite1h + p.Usage.CacheWrite1h, Output: f.Usage.Output + p.Usage.Output, Reasoning: f.Usage.Reasoning + p.Usage.Reasoning,
		}
		if p.Duration != nil {
			took += float64(*p.Duration) * float64(p.Calls)
		}
	}
	if f.Calls > 0 {
		f.Duration = new(time.Duration(took / float64(f.Calls)))
	}
	return f
}

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
)

const (
	callKinds = `('generation', 'embedding')`
	calls     = `count(*) FILTER (WHERE "kind" IN ` + callKinds + ` AND "covered" = 0)`
	broken    = `"status" IN ('error', 'interrupted')`
	failures  = `count(*) FILTER (WHERE ` + broken + `)`
)

// sums and sumsInto belong together. Sums are clamped, since clients may claim any number. What covered spans report is
// zero in the table: leaving them out here would double the time.
var sums = sum("cost") + ", " + sum("u_input") + ", " + sum("cache_read") + ", " + sum("cache_write") + ", " + sum("u_write_1h") + ", " +
	sum("output_tokens") + ", " + sum("u_reasoning")

func sum(c string) string {
	return clamped(`sum("` + c + `")`)
}

func clamped(sum string) string {
	return `greatest(least(coalesce(` + sum + `, 0), 9223372036854775807), -9223372036854775807)::BIGINT`
}

func sumsInto(cost *int64, u *llm.Usage) []any {
	return []any{cost, &u.Input, &u.CacheRead, &short{u: u}, &long{u: u}, &u.Output, &u.Reasoning}
}

// short and long split cache writes by lifetime: the first column is both, the second the long ones.
type (
	short struct{ u *llm.Usage }
	long  struct{ u *llm.Usage }
)

func (s *short) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("duckdb: a sum is a %T", v)
	}
	s.u.CacheWrite = n
	return nil
}

func (l *long) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("duckdb: a sum is a %T", v)
	}
	l.u.CacheWrite1h = n
	l.u.CacheWrite -= n
	return nil
}

// depth is which of the figures a scan computes, and quantiles from one in how many spans.
type depth struct {
	sums, took, first bool
	score             string
	oneIn             int64
}

// depthOf is all that is asked for.
func depthOf(a query.Aggregate) depth {
	return depth{
		sums:  a.Wants(query.CostUSD, query.Tokens, query.InputTokens, query.OutputTokens, query.CacheHitRate),
		took:  !a.Lean && a.Wants(query.AvgDuration, query.P50, query.P75, query.P90, query.P95, query.P99),
		first: !a.Lean && a.Wants(query.FirstP50, query.FirstP95),
		score: a.Score, oneIn: 1,
	}
}

// plain is the depth without quantiles, spread that of nothing else.
func (d depth) plain() depth  { d.took, d.first = false, false; return d }
func (d depth) spread() depth { d.sums, d.score = false, ""; return d }

// sampled takes from n spans enough for a tenth of query.SampleOver.
func (d depth) sampled(n int64) depth {
	d.oneIn = 1
	for _, prime := range []int64{3, 7, 13, 31, 61, 127} { // primes, since starts are often whole milliseconds
		if n > query.SampleOver && n/prime >= query.SampleOver/10 {
			d.oneIn = prime
		}
	}
	return d
}

// figures are what into scans. Quantiles of one column are one aggregate: each collects its input.
func figures(d depth) string {
	summed, took, first, score := none, `NULL`, `NULL`, `NULL::DOUBLE`
	if d.sums {
		summed = sums
	}
	in := ` FILTER (WHERE true`
	if d.oneIn > 1 {
		in = fmt.Sprintf(` FILTER (WHERE "start" %% %d = 0`, d.oneIn)
	}
	if d.took {
		took = `quantile_cont("duration", [0.5, 0.75, 0.9, 0.95, 0.99])` + in + `)`
	}
	if d.first {
		first = `quantile_cont("ttft", [0.5, 0.95])` + in + ` AND "ttft" > 0)`
	}
	if d.score != "" {
		score = `avg(` + scoreOf(d.score) + `)`
	}
	return `count(*) AS calls, ` + failures + ` AS errors, ` + summed + `, avg("duration") AS took, ` + took + ` AS q, ` + first + ` AS fq, ` + score + ` AS score`
}

// none stands for the sums that nobody asked for.
var none = strings.TrimSuffix(strings.Repeat(`0::BIGINT, `, len(sumsInto(new(int64), new(llm.Usage)))), `, `)

// scoreOf is the number a score of a span stands for, as query.ScoreNumber, or NULL.
func scoreOf(name string) string {
	x := `map_extract_value("score", ` + literal(name) + `)`
	n := `CASE ` + x + ` WHEN 'true' THEN 1.0::DOUBLE WHEN 'false' THEN 0.0::DOUBLE ELSE TRY_CAST(` + x + ` AS DOUBLE) END`
	return `(CASE WHEN abs(` + n + `) <= 1e9 THEN ` + n + ` END)`
}

// measured is how groups are ordered.
var measured = map[query.Measure]string{
	"": "calls", query.Calls: "calls", query.Rate: "calls", query.Errors: "errors", query.ErrorRate: "errors / calls",
	query.CostUSD: total("cost"), query.Tokens: total(computed["tokens"]), query.InputTokens: total(computed["input_tokens"]),
	query.OutputTokens: total("output_tokens"), query.CacheHitRate: total("cache_read") + ` / nullif(` + total(computed["input_tokens"]) + `, 0)`,
	query.AvgDuration: "took", query.P50: "q[1]", query.P75: "q[2]", query.P90: "q[3]", query.P95: "q[4]", query.P99: "q[5]",
	query.FirstP50: "fq[1]", query.FirstP95: "fq[2]", query.AvgScore: "score",
}

func total(x string) string { return `sum(` + x + `)` }

// into scans what figures selects.
type into struct {
	f           *query.Figures
	cost        int64
	mean, score sql.NullFloat64
	took, first any
}

func (n *into) dest() []any {
	d := append([]any{&n.f.Calls, &n.f.Errors}, sumsInto(&n.cost, &n.f.Usage)...)
	return append(d, &n.mean, &n.took, &n.first, &n.score)
}

func (n *into) done() {
	n.f.Cost = money.Nano(n.cost)
	if n.mean.Valid {
		n.f.Duration = new(time.Duration(n.mean.Float64))
	}
	if n.score.Valid {
		n.f.Score = &n.score.Float64
	}
	durations(n.took, &n.f.P50, &n.f.P75, &n.f.P90, &n.f.P95, &n.f.P99)
	durations(n.first, &n.f.FirstP50, &n.f.FirstP95)
}

func durations(list any, to ...**time.Duration) {
	vals, ok := list.([]any)
	if !ok || len(vals) != len(to) {
		return
	}
	for i, v := range vals {
		if ns, ok := v.(float64); ok {
			*to[i] = new(time.Duration(ns))
		}
	}
}

// byQuantile are the measures by which groups are ordered only once their quantiles are known.
var byQuantile = []query.Measure{query.P50, query.P75, query.P90, query.P95, query.P99, query.FirstP50, query.FirstP95}

// Aggregate implements query.Index.
func (x *Index) Aggregate(ctx context.Context, a query.Aggregate) (out query.Aggregation, err error) {
	if _, ok := measured[a.Measure]; !ok {
		return out, fmt.Errorf("duckdb: unknown measure %q", a.Measure)
	}
	if done, err := x.fromHours(ctx, a, &out); done || err != nil {
		return out, err
	}
	return x.atOnce(ctx, a)
}

// atOnce asks the engine for all of it.
func (x *Index) atOnce(ctx context.Context, a query.Aggregate) (out query.Aggregation, err error) {
	if a.GroupBy != nil {
		if err := x.groups(ctx, a, &out); err != nil || len(out.Series) == 0 {
			return out, err
		}
	}
	if err := x.totals(ctx, a, &out); err != nil || out.Totals.Calls == 0 {
		return out, err
	}
	if a.GroupBy == nil {
		out.Series = []query.Series{{Totals: out.Totals}}
	}
	if a.Interval > 0 {
		err = x.points(ctx, a, &out)
	}
	return out, err
}

// summed adds up the groups, if they are all there is and each span is in one.
func summed(a query.Aggregate, series []query.Series) (f query.Figures, ok bool) {
	if a.GroupBy == nil || a.Score != "" || a.GroupBy.Type == query.List || a.ThenBy != nil && a.ThenBy.Type == query.List {
		return f, false
	}
	var all []query.Point
	for _, g := range series {
		if g.Other || g.Totals.Duration == nil {
			return f, false
		}
		all = append(all, query.Point{Figures: g.Totals})
	}
	return added(all), true
}

func (x *Index) totals(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	scan := func(d depth, f *query.Figures) error {
		s := new(statement).add(`SELECT ` + figures(d) + ` FROM spans WHERE `).where(a.Query)
		return x.rows(ctx, s, func(r *sql.Rows) error {
			n := into{f: f}
			defer n.done()
			return r.Scan(n.dest()...)
		})
	}
	d := depthOf(a)
	sum, ok := summed(a, out.Series)
	if out.Totals = sum; !ok {
		if err := scan(d.plain(), &out.Totals); err != nil {
			return err
		}
	}
	if !d.took && !d.first || out.Totals.Calls == 0 {
		return nil
	}
	var f query.Figures
	err := scan(d.spread().sampled(out.Totals.Calls), &f)
	withQuantiles(&out.Totals, f)
	return err
}

// withQuantiles takes over what was computed apart.
func withQuantiles(f *query.Figures, from query.Figures) {
	f.P50, f.P75, f.P90, f.P95, f.P99, f.FirstP50, f.FirstP95 = from.P50, from.P75, from.P90, from.P95, from.P99, from.FirstP50, from.FirstP95
}

// grouped writes the selected spans with their group g, and h within it.
func (s *statement) grouped(a query.Aggregate) *statement {
	s.add(`(SELECT *, `).group(a.GroupBy, a.Path).add(` AS g, `).group(a.ThenBy, a.ThenPath)
	return s.add(` AS h FROM spans WHERE `).where(a.Query).add(`)`)
}

func (x *Index) groups(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	limit := a.Limit
	if limit <= 0 {
		limit = query.DefaultGroups
	}
	d := depthOf(a)
	first := d.plain()
	if slices.Contains(byQuantile, a.Measure) {
		first = d
	}
	s := new(statement).add(`SELECT g, h, ` + figures(first) + ` FROM `).grouped(a)
	s.add(fmt.Sprintf(` GROUP BY g, h ORDER BY %s DESC NULLS LAST, g, h LIMIT %d`, measured[a.Measure], limit+1))
	if err := x.series(ctx, s, func(g query.Series) { out.Series = append(out.Series, g) }); err != nil {
		return err
	}
	if len(out.Series) > limit {
		out.Series = append(out.Series[:limit], query.Series{Other: true})
		if err := x.other(ctx, a, d, out.Series); err != nil {
			return err
		}
	}
	if first == d {
		return nil
	}
	return x.groupQuantiles(ctx, a, d, out.Series)
}

// series reads groups.
func (x *Index) series(ctx context.Context, s *statement, take func(query.Series)) error {
	return x.rows(ctx, s, func(r *sql.Rows) error {
		var g query.Series
		n := into{f: &g.Totals}
		err := r.Scan(append([]any{&g.Group, &g.Then}, n.dest()...)...)
		n.done()
		take(g)
		return err
	})
}

// groupQuantiles samples as far as the smallest group allows.
func (x *Index) groupQuantiles(ctx context.Context, a query.Aggregate, d depth, series []query.Series) error {
	at := make(map[groupKey]*query.Series, len(series))
	least := int64(math.MaxInt64)
	for i := range series {
		if g := &series[i]; !g.Other {
			at[groupKey{g.Group, g.Then}] = g
			least = min(least, g.Totals.Calls)
		}
	}
	s := new(statement).add(`SELECT g, h, ` + figures(d.spread().sampled(least)) + ` FROM `).grouped(a).add(` WHERE `).top(series).add(` GROUP BY g, h`)
	return x.series(ctx, s, func(g query.Series) {
		if to := at[groupKey{g.Group, g.Then}]; to != nil {
			withQuantiles(&to.Totals, g.Totals)
		}
	})
}

func (x *Index) other(ctx context.Context, a query.Aggregate, d depth, series []query.Series) error {
	s := new(statement).add(`SELECT ` + figures(d) + ` FROM `).grouped(a).add(` WHERE NOT (`).top(series).add(`)`)
	return x.rows(ctx, s, func(r *sql.Rows) error {
		n := into{f: &series[len(series)-1].Totals}
		defer n.done()
		return r.Scan(n.dest()...)
	})
}

// top writes whether g is one of the named groups.
func (s *statement) top(series []query.Series) *statement {
	s.add("(false")
	for _, g := range series {
		if !g.Other {
			s.add(" OR g = ? AND h = ?", g.Group, g.Then)
		}
	}
	return s.add(")")
}

type groupKey struct{ g, h string }

func (x *Index) points(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	at := make(map[groupKey]*query.Series, len(out.Series))
	var other *query.Series
	for i := range out.Series {
		if g := &out.Series[i]; g.Other {
			other = g
		} else {
			at[groupKey{g.Group, g.Then}] = g
		}
	}
	if other == nil { // every group is one of those named
		s := new(statement).add(`SELECT ` + bucketOf(a) + ` AS t, g, h, ` + figures(depthOf(a)) + ` FROM `).grouped(a).add(` GROUP BY t, g, h ORDER BY t`)
		return x.rows(ctx, s, func(r *sql.Rows) error { return scanPoint(r, at, nil) })
	}
	s := new(statement).add(`SELECT t, CASE WHEN named THEN g END AS sg, CASE WHEN named THEN h END AS sh, ` + figures(depthOf(a)) + ` FROM (SELECT *, `)
	s.add(bucketOf(a) + ` AS t, `).top(out.Series).add(` AS named FROM `).grouped(a).add(`) GROUP BY t, sg, sh ORDER BY t`)
	return x.rows(ctx, s, func(r *sql.Rows) error { return scanPoint(r, at, other) })
}

// scanPoint adds a point to its group; groups that are not named are other, which may be nil.
func scanPoint(r *sql.Rows, at map[groupKey]*query.Series, other *query.Series) error {
	var t int64
	var group, then sql.NullString
	var p query.Point
	n := into{f: &p.Figures}
	err := r.Scan(append([]any{&t, &group, &then}, n.dest()...)...)
	n.done()
	p.Time = timeOf(t)
	to := other
	if group.Valid {
		to = at[groupKey{group.String, then.String}]
	}
	if to != nil { // a group that came up since the groups were read
		to.Points = append(to.Points, p)
	}
	return err
}

// bucketOf is the start of a span's interval. The remainder of a time before 1970 is negative, which costs a second one.
func bucketOf(a query.Aggregate) string {
	if !a.From.IsZero() && a.From.Unix() >= 0 {
		return fmt.Sprintf(`"start" - "start" %% %d`, a.Interval)
	}
	return fmt.Sprintf(`"start" - (("start" %% %[1]d + %[1]d) %% %[1]d)`, a.Interval)
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

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
)

// Histogram implements query.Index.
func (x *Index) Histogram(ctx context.Context, h query.HistogramQuery) (out query.Histogram, err error) {
	if !h.Field.Sortable() || h.Field.Type == query.Time {
		return out, fault.Bad("field", "there is no histogram of %s", h.Field.Name)
	}
	if byHour(query.Aggregate{Query: h.Query, Interval: h.Interval}) {
		if out, err = x.histogram(ctx, h); !errors.Is(err, errManyCells) {
			return out, err
		}
	}
	return x.histogramAtOnce(ctx, h)
}

// histogram is put together from hours.
func (x *Index) histogram(ctx context.Context, h query.HistogramQuery) (out query.Histogram, err error) {
	v, part := col(h.Field), partOf(h.Interval)
	what := quantity{sql: v, and: v + ` > 0`, at: []float64{0.5, 0.9, 0.95, 0.99}}
	some, err := x.cells(ctx, shape{Query: h.Query, and: what.and, part: part, tallies: []tally{{sql: `count(*)`}}})
	if err != nil {
		return out, err
	}
	n := int64(0)
	for _, b := range some.blocks {
		for _, v := range b.vals[0] {
			n += v
		}
	}
	if n == 0 {
		return out, nil
	}
	c, err := x.counts(ctx, h.Query, what, n, part, new(statement).add(`CASE WHEN `+broken+` THEN 'e' ELSE '' END`), new(statement).add(`''`))
	if err != nil {
		return out, err
	}
	t := newTable(2, x.exactly(n)) // sound ones and errors
	place := map[groupKey]int{{}: 0, {g: "e"}: 1}
	t.all(c, place, -1)
	if out.Count = t.sum.n; out.Count == 0 {
		return out, nil
	}
	for i, q := range t.sum.quantiles(what.at) {
		*[]*float64{&out.P50, &out.P90, &out.P95, &out.P99}[i] = q
	}
	scale := scaleOf(t.sum, min(max(h.Buckets, 1), query.MaxBuckets))
	out.Edges = scale.edges
	t.intervals(c, place, part, h.Interval, func(when time.Time) {
		i := query.HistogramInterval{Time: when, Counts: make([]int64, len(scale.edges)-1), Errors: make([]int64, len(scale.edges)-1)}
		for _, b := range t.rows[0].bands() {
			i.Counts[scale.bucket(b)] += b.n
		}
		for _, b := range t.rows[1].bands() {
			i.Counts[scale.bucket(b)] += b.n
			i.Errors[scale.bucket(b)] += b.n
		}
		out.Intervals = append(out.Intervals, i)
	})
	return out, nil
}

// intervals calls f when the rows have what belongs to an interval; without intervals, once with what they have.
func (t *table) intervals(c read, place map[groupKey]int, part int64, interval time.Duration, f func(time.Time)) {
	if interval == 0 {
		f(time.Time{})
		return
	}
	at := t.placesOf(c.names, place, -1)
	reset := func() {
		for i := range t.rows {
			t.rows[i].reset()
		}
	}
	reset()
	inOrder(c.blocks, part, int64(interval), func(b *block, j int) {
		if p := at[b.id[j]]; p >= 0 {
			t.rows[p].add(b.bin[j], b.vals[0][j])
		}
	}, func(i int64) {
		f(timeOf(i * int64(interval)))
		reset()
	})
}

// scale is buckets of equal width on a logarithmic scale.
type scale struct {
	edges    []float64
	lo, step float64
}

// scaleOf fits at most n buckets to what was counted. Where only bands are known, edges are edges of bands, so that
// counts are right.
func scaleOf(s spread, n int) (out scale) {
	bands := s.bands()
	if out.lo = bands[0].from; s.exact {
		out.step = math.Log(max(bands[len(bands)-1].to, out.lo*1.01)/out.lo) / float64(n)
	} else {
		width := max((s.hi+1-s.lo+n-1)/n, 1)
		n = (s.hi + 1 - s.lo + width - 1) / width
		out.step = float64(width) / bandsPer
	}
	for i := range n + 1 {
		out.edges = append(out.edges, out.lo*math.Exp(out.step*float64(i)))
	}
	return out
}

func (s scale) bucket(b band) int {
	middle := (b.from + b.to) / 2
	return min(max(int(math.Floor(math.Log(middle/s.lo)/s.step)), 0), len(s.edges)-2)
}

// histogramAtOnce asks the engine for it.
func (x *Index) histogramAtOnce(ctx context.Context, h query.HistogramQuery) (out query.Histogram, err error) {
	lo, hi, err := x.spread(ctx, h, &out)
	if err != nil || out.Count == 0 {
		return out, err
	}
	n := min(max(h.Buckets, 1), query.MaxBuckets)
	hi = max(hi, lo*1.01)
	step := math.Log(hi/lo) / float64(n)
	for i := range n + 1 {
		out.Edges = append(out.Edges, lo*math.Exp(step*float64(i)))
	}
	t := `0::BIGINT`
	if h.Interval > 0 {
		t = fmt.Sprintf(`"start" - (("start" %% %[1]d + %[1]d) %% %[1]d)`, int64(h.Interval))
	}
	s := new(statement).add(`SELECT `+t+` AS t, least(greatest(floor(ln(`+col(h.Field)+` / ?) / ?), 0), ?)::INTEGER AS b, count(*), `+failures+` FROM spans WHERE `+col(h.Field)+` > 0 AND `, lo, step, n-1)
	s.where(h.Query).add(` GROUP BY t, b ORDER BY t`)
	at := int64(math.MinInt64)
	return out, x.rows(ctx, s, func(r *sql.Rows) error {
		var t, count, errors int64
		var b int
		if err := r.Scan(&t, &b, &count, &errors); err != nil {
			return err
		}
		if t != at {
			at = t
			i := query.HistogramInterval{Counts: make([]int64, n), Errors: make([]int64, n)}
			if h.Interval > 0 {
				i.Time = time.Unix(0, t).UTC()
			}
			out.Intervals = append(out.Intervals, i)
		}
		last := &out.Intervals[len(out.Intervals)-1]
		last.Counts[b], last.Errors[b] = count, errors
		return nil
	})
}

// spread finds the smallest and the largest value, and the quantiles.
func (x *Index) spread(ctx context.Context, h query.HistogramQuery, out *query.Histogram) (lo, hi float64, err error) {
	v := col(h.Field)
	s := new(statement).add(`SELECT count(*), coalesce(min(` + v + `), 0), coalesce(max(` + v + `), 0), quantile_cont(` + v + `, [0.5, 0.9, 0.95, 0.99]) FROM spans WHERE ` + v + ` > 0 AND `).where(h.Query)
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var quantiles any
		if err := r.Scan(&out.Count, &lo, &hi, &quantiles); err != nil {
			return err
		}
		if q, ok := quantiles.([]any); ok && len(q) == 4 {
			for i, to := range []*float64{&out.P50, &out.P90, &out.P95, &out.P99} {
				*to, _ = q[i].(float64)
			}
		}
		return nil
	})
	return lo, hi, err
}

// Paths implements query.Index.
func (x *Index) Paths(ctx context.Context, f query.FacetQuery) ([]query.Facet, error) {
	if f.Field.Type != query.Map {
		return nil, fault.Bad("field", "%s has no paths", f.Field.Name)
	}
	s := new(statement).add(`SELECT k, count(*) AS n FROM (SELECT unnest(map_keys(` + col(f.Field) + `)) AS k FROM spans WHERE cardinality(` + col(f.Field) + `) > 0 AND `).where(f.Query).add(`)`)
	if f.Prefix != "" {
		s.add(` WHERE starts_with(lower(k), lower(?))`, f.Prefix)
	}
	return x.values(ctx, s.add(fmt.Sprintf(` GROUP BY k ORDER BY n DESC, k LIMIT %d`, f.Size())))
}

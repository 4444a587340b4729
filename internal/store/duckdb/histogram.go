package duckdb

import (
	"context"
	"database/sql"
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

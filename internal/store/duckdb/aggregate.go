package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
)

const (
	callKinds = `('generation', 'embedding')`
	failures  = `count(*) FILTER (WHERE "status" IN ('error', 'interrupted'))`
)

// sums and sumsInto belong together. Sums are clamped, since clients may claim any number.
var sums = sum("cost") + ", " + sum("u_input") + ", " + sum("cache_read") + ", " + sum("cache_write") + ", " + sum("u_write_1h") + ", " +
	sum("output_tokens") + ", " + sum("u_reasoning")

func sum(c string) string {
	return `greatest(least(coalesce(sum("` + c + `"), 0), 9223372036854775807), -9223372036854775807)::BIGINT`
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

var figures = `count(*) AS calls, ` + failures + ` AS errors, ` + sums + `, quantile_cont("duration", 0.5) AS p50, quantile_cont("duration", 0.95) AS p95,
	quantile_cont("ttft", 0.5) FILTER (WHERE "ttft" > 0) AS ttft_p50, quantile_cont("ttft", 0.95) FILTER (WHERE "ttft" > 0) AS ttft_p95`

// measured is how groups are ordered.
var measured = map[query.Measure]string{
	"": "count(*)", query.Calls: "count(*)", query.Errors: failures, query.CostUSD: `sum("cost")`, query.Tokens: `sum("tokens")`,
	query.P50: "p50", query.P95: "p95", query.FirstP50: "ttft_p50", query.FirstP95: "ttft_p95",
}

// into scans what figures selects.
type into struct {
	f      *query.Figures
	cost   int64
	quants [4]sql.NullFloat64
}

func (n *into) dest() []any {
	d := append([]any{&n.f.Calls, &n.f.Errors}, sumsInto(&n.cost, &n.f.Usage)...)
	for i := range n.quants {
		d = append(d, &n.quants[i])
	}
	return d
}

func (n *into) done() {
	n.f.Cost = money.Nano(n.cost)
	for i, to := range []**time.Duration{&n.f.P50, &n.f.P95, &n.f.FirstP50, &n.f.FirstP95} {
		if n.quants[i].Valid {
			*to = new(time.Duration(n.quants[i].Float64))
		}
	}
}

// Aggregate implements query.Index.
func (x *Index) Aggregate(ctx context.Context, a query.Aggregate) (out query.Aggregation, err error) {
	if _, ok := measured[a.Measure]; !ok {
		return out, fmt.Errorf("duckdb: unknown measure %q", a.Measure)
	}
	if err := x.totals(ctx, a, &out); err != nil {
		return out, err
	}
	if out.Totals.Calls == 0 {
		return out, nil
	}
	if a.GroupBy == nil {
		out.Series = []query.Series{{Totals: out.Totals}}
	} else if err := x.groups(ctx, a, &out); err != nil {
		return out, err
	}
	if a.Interval > 0 {
		err = x.points(ctx, a, &out)
	}
	return out, err
}

func (x *Index) totals(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	s := new(statement).add(`SELECT ` + figures + ` FROM spans WHERE `).where(a.Query)
	return x.rows(ctx, s, func(r *sql.Rows) error {
		n := into{f: &out.Totals}
		defer n.done()
		return r.Scan(n.dest()...)
	})
}

// grouped writes the selected spans with their group g.
func (s *statement) grouped(a query.Aggregate) *statement {
	return s.add(`(SELECT *, `).group(a.GroupBy, a.Path).add(` AS g FROM spans WHERE `).where(a.Query).add(`)`)
}

func (x *Index) groups(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	limit := a.Limit
	if limit <= 0 {
		limit = query.DefaultGroups
	}
	s := new(statement).add(`SELECT g, ` + figures + ` FROM `).grouped(a)
	s.add(fmt.Sprintf(` GROUP BY g ORDER BY %s DESC NULLS LAST, g LIMIT %d`, measured[a.Measure], limit+1))
	err := x.rows(ctx, s, func(r *sql.Rows) error {
		var g query.Series
		n := into{f: &g.Totals}
		err := r.Scan(append([]any{&g.Group}, n.dest()...)...)
		n.done()
		out.Series = append(out.Series, g)
		return err
	})
	if err != nil || len(out.Series) <= limit {
		return err
	}
	out.Series = append(out.Series[:limit], query.Series{Other: true})
	return x.other(ctx, a, out.Series)
}

func (x *Index) other(ctx context.Context, a query.Aggregate, series []query.Series) error {
	s := new(statement).add(`SELECT ` + figures + ` FROM `).grouped(a).add(` WHERE NOT (`).top(series).add(`)`)
	return x.rows(ctx, s, func(r *sql.Rows) error {
		n := into{f: &series[len(series)-1].Totals}
		defer n.done()
		return r.Scan(n.dest()...)
	})
}

// top writes whether g is one of the named groups.
func (s *statement) top(series []query.Series) *statement {
	s.add("g IN (NULL")
	for _, g := range series {
		if !g.Other {
			s.add(", ?", g.Group)
		}
	}
	return s.add(") IS TRUE")
}

func (x *Index) points(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	at := make(map[string]*query.Series, len(out.Series))
	var other *query.Series
	for i := range out.Series {
		if g := &out.Series[i]; g.Other {
			other = g
		} else {
			at[g.Group] = g
		}
	}
	i := int64(a.Interval)
	s := new(statement).add(`SELECT "start" - (("start" % ? + ?) % ?) AS t, CASE WHEN `, i, i, i).top(out.Series).add(` THEN g END AS s, ` + figures + ` FROM `)
	s.grouped(a).add(` GROUP BY t, s ORDER BY t`)
	return x.rows(ctx, s, func(r *sql.Rows) error {
		var t int64
		var group sql.NullString
		var p query.Point
		n := into{f: &p.Figures}
		err := r.Scan(append([]any{&t, &group}, n.dest()...)...)
		n.done()
		p.Time = timeOf(t)
		to := other
		if group.Valid {
			to = at[group.String]
		}
		if to != nil { // a group that came up since the groups were read
			to.Points = append(to.Points, p)
		}
		return err
	})
}

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
)

// ErrorGroups implements query.Index.
func (x *Index) ErrorGroups(ctx context.Context, q query.ErrorQuery) (out query.ErrorGroups, err error) {
	by, err := errorKeys(q.By)
	if err != nil {
		return out, err
	}
	if err := x.errorTotal(ctx, q, &out); err != nil || out.Total == 0 {
		return out, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = query.DefaultLimit
	}
	one := `coalesce(nullif("user", ''), nullif("end_user", ''))`
	s := new(statement).add(`SELECT ` + by + `, count(*) AS n, count(DISTINCT ` + one + `), count(DISTINCT nullif("session", '')), min("start"), max("start"),
		arg_max({'t': "trace", 'i': "id", 'd': "day"}, "start", 3) FROM spans WHERE ` + broken + ` AND `).where(q.Query)
	s.add(fmt.Sprintf(` GROUP BY 1, 2, 3, 4, 5 ORDER BY n DESC, 1, 2, 3, 4, 5 LIMIT %d`, limit+1))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		g, err := scanError(r)
		out.Groups = append(out.Groups, g)
		return err
	})
	if out.More = len(out.Groups) > limit; out.More {
		out.Groups = out.Groups[:limit]
	}
	if err == nil && q.Spark > 0 {
		err = x.sparks(ctx, q, by, out.Groups)
	}
	return out, err
}

// errorKeys are the five columns, and constants for those that are not asked for.
func errorKeys(by []string) (string, error) {
	out := make([]string, len(query.ErrorKeys))
	for _, k := range by {
		if !slices.Contains(query.ErrorKeys, k) {
			return "", fault.Bad("group", "group is of %s, not %q", strings.Join(query.ErrorKeys, ", "), k)
		}
	}
	for i, k := range query.ErrorKeys {
		switch {
		case len(by) == 0 || slices.Contains(by, k):
			out[i] = `"` + k + `"`
		case k == "http":
			out[i] = `0::BIGINT`
		default:
			out[i] = `''`
		}
	}
	return strings.Join(out, ", "), nil
}

func (x *Index) errorTotal(ctx context.Context, q query.ErrorQuery, out *query.ErrorGroups) error {
	s := new(statement).add(`SELECT count(*) FROM spans WHERE ` + broken + ` AND `).where(q.Query)
	return x.rows(ctx, s, func(r *sql.Rows) error { return r.Scan(&out.Total) })
}

func scanError(r *sql.Rows) (g query.ErrorGroup, err error) {
	var http, first, last int64
	var examples any
	if err := r.Scan(&g.Class, &g.Provider, &g.Model, &http, &g.Shape, &g.Count, &g.Users, &g.Sessions, &first, &last, &examples); err != nil {
		return g, err
	}
	g.HTTP, g.First, g.Last = int(http), timeOf(first), timeOf(last)
	list, _ := examples.([]any)
	for _, e := range list {
		if k, ok := e.(map[string]any); ok {
			trace, _ := k["t"].(string)
			id, _ := k["i"].(string)
			day, _ := k["d"].(uint32)
			g.Examples = append(g.Examples, span.Key{Trace: trace, Span: id, Day: span.Day(day)})
		}
	}
	return g, nil
}

// sparks counts each group over time: over the time asked for, or else that of the groups.
func (x *Index) sparks(ctx context.Context, q query.ErrorQuery, by string, groups []query.ErrorGroup) error {
	at := make(map[query.ErrorKey]*query.ErrorGroup, len(groups))
	from, to := groups[0].First, groups[0].Last
	for i := range groups {
		g := &groups[i]
		g.Spark = make([]int64, q.Spark)
		at[g.ErrorKey] = g
		if g.First.Before(from) {
			from = g.First
		}
		if g.Last.After(to) {
			to = g.Last
		}
	}
	if !q.From.IsZero() {
		from = q.From
	}
	if !q.To.IsZero() {
		to = q.To
	}
	width := max(query.Nanos(to)-query.Nanos(from), int64(q.Spark))/int64(q.Spark) + 1
	s := new(statement).add(`SELECT `+by+`, ("start" - ?) // ? AS b, count(*) FROM spans WHERE `+broken+` AND `, query.Nanos(from), width).where(q.Query).add(` GROUP BY 1, 2, 3, 4, 5, 6`)
	return x.rows(ctx, s, func(r *sql.Rows) error {
		var k query.ErrorKey
		var b, n int64
		err := r.Scan(&k.Class, &k.Provider, &k.Model, &k.HTTP, &k.Shape, &b, &n)
		if g := at[k]; g != nil && b >= 0 && b < int64(q.Spark) {
			g.Spark[b] = n
		}
		return err
	})
}

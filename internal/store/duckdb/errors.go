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
	limit := q.Limit
	if limit <= 0 {
		limit = query.DefaultLimit
	}
	one := `coalesce(nullif("user", ''), nullif("end_user", ''))`
	s := new(statement).add(`SELECT ` + by + `, count(*) AS n, count(DISTINCT ` + one + `), count(DISTINCT nullif("session", '')), min("start"), max("start"),
		max("start", 3), sum(count(*)) OVER ()::BIGINT FROM spans WHERE ` + broken + ` AND `).where(q.Query)
	s.add(fmt.Sprintf(` GROUP BY 1, 2, 3, 4, 5 ORDER BY n DESC, 1, 2, 3, 4, 5 LIMIT %d`, limit+1))
	var latest [][]int64
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		g, starts, err := scanError(r, &out.Total)
		out.Groups, latest = append(out.Groups, g), append(latest, starts)
		return err
	})
	if out.More = len(out.Groups) > limit; out.More {
		out.Groups = out.Groups[:limit]
	}
	if err != nil || out.Total == 0 {
		return out, err
	}
	err = x.examples(ctx, q, by, out.Groups, latest)
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

// examplesShown is how many there are of a group.
const examplesShown = 3

// scanError reads a group, when its latest errors started, and how many errors there are in all.
func scanError(r *sql.Rows, total *int64) (g query.ErrorGroup, latest []int64, err error) {
	var http, first, last int64
	var starts any
	if err := r.Scan(&g.Class, &g.Provider, &g.Model, &http, &g.Shape, &g.Count, &g.Users, &g.Sessions, &first, &last, &starts, total); err != nil {
		return g, nil, err
	}
	g.HTTP, g.First, g.Last = int(http), timeOf(first), timeOf(last)
	list, _ := starts.([]any)
	for _, v := range list {
		if n, ok := v.(int64); ok {
			latest = append(latest, n)
		}
	}
	return g, latest, nil
}

// examples are the latest errors of groups, found by their starts: carrying ids through the groups would mean to read
// those of all errors.
func (x *Index) examples(ctx context.Context, q query.ErrorQuery, by string, groups []query.ErrorGroup, latest [][]int64) error {
	at := make(map[query.ErrorKey]*query.ErrorGroup, len(groups))
	var starts []string
	for i := range groups {
		at[groups[i].ErrorKey] = &groups[i]
		for _, n := range latest[i] {
			starts = append(starts, fmt.Sprint(n))
		}
	}
	s := new(statement).add(`SELECT ` + by + `, "trace", "id", "day" FROM spans WHERE "start" IN (` + strings.Join(starts, ", ") + `) AND ` + broken + ` AND `).where(q.Query)
	return x.rows(ctx, s.add(` ORDER BY "start" DESC, "trace" DESC, "id" DESC`), func(r *sql.Rows) error {
		var k query.ErrorKey
		var e span.Key
		err := r.Scan(&k.Class, &k.Provider, &k.Model, &k.HTTP, &k.Shape, &e.Trace, &e.Span, &e.Day)
		if g := at[k]; g != nil && len(g.Examples) < examplesShown {
			g.Examples = append(g.Examples, e)
		}
		return err
	})
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

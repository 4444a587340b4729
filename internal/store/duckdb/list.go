package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"weir/internal/query"
	"weir/internal/span"
)

// Search implements query.Index. It asks twice: first for the sort value at the end of the page, by which the second
// scan, the one that reads and compares ids, skips almost every block.
func (x *Index) Search(ctx context.Context, q query.Query, p query.Page) ([]span.Key, string, error) {
	l := listing{q: q, by: sortedBy(p.Sort), order: p.Sort.String(), dir: "DESC", cmp: "<", limit: p.Size() + 1}
	if p.Sort.Asc {
		l.dir, l.cmp = "ASC", ">"
	}
	if p.Cursor != "" {
		c, err := query.DecodeCursor(p.Cursor, l.order)
		if err != nil {
			return nil, "", err
		}
		l.after = &c
	}
	bound, some, err := x.bound(ctx, l)
	if err != nil || !some {
		return nil, "", err
	}
	keys, values, err := x.keys(ctx, l, bound)
	if err != nil || len(keys) <= p.Size() {
		return keys, "", err
	}
	n := p.Size()
	last := keys[n-1]
	return keys[:n], query.Cursor{Sort: l.order, Value: values[n-1], Trace: last.Trace, Span: last.Span}.Encode(), nil
}

// sortedBy is a whole number, NULL for spans that are not in the list.
func sortedBy(s query.Sort) string {
	if s.Path == "" {
		return col(s.By())
	}
	return fmt.Sprintf(`round_even(%s * %g, 0)::BIGINT`, scoreOf(s.Path), query.ScoreScale)
}

// newestFirst is the order of the zero query.Sort.
const newestFirst = "-start"

// listing is a page in SQL's words.
type listing struct {
	q        query.Query
	by       string // column
	order    string
	dir, cmp string // DESC and <, or ASC and >
	limit    int
	after    *query.Cursor
}

func (s *statement) listed(l listing) *statement {
	s.where(l.q)
	s.add(` AND ` + l.by + ` IS NOT NULL`)
	if c := l.after; c != nil {
		// The first condition says nothing new, but it lets the scan skip blocks.
		s.add(fmt.Sprintf(` AND %[1]s %[2]s= ? AND (%[1]s %[2]s ? OR "trace" %[2]s ? OR ("trace" = ? AND "id" %[2]s ?))`, l.by, l.cmp),
			c.Value, c.Value, c.Trace, c.Trace, c.Span)
	}
	return s
}

// recent is how far back the newest page is looked for before everything is scanned: rows lie in time order, so a scan
// of all of them meets the newest last, after having sorted in every one before.
var recent = []time.Duration{6 * time.Hour, 4 * 24 * time.Hour}

// bound is the sort value of the last row of a page, one row beyond it included; some is false if there is none.
func (x *Index) bound(ctx context.Context, l listing) (v int64, some bool, err error) {
	if l.order != newestFirst {
		v, rows, err := x.boundFrom(ctx, l, math.MinInt64)
		return v, rows > 0, err
	}
	top := x.newest(l)
	for _, d := range recent {
		if v, rows, err := x.boundFrom(ctx, l, top-int64(d)); err != nil || rows == l.limit {
			return v, true, err
		}
	}
	return math.MinInt64, true, nil // they are so few that another look at all of them would cost more
}

// newest is where a page begins. What claims to start later than now is above it, and no measure of what is recent.
func (x *Index) newest(l listing) int64 {
	switch {
	case l.after != nil:
		return l.after.Value
	case !l.q.To.IsZero():
		return query.Nanos(l.q.To)
	}
	return min(x.top.Load(), query.Nanos(time.Now()))
}

func (x *Index) boundFrom(ctx context.Context, l listing, from int64) (v int64, rows int, err error) {
	s := new(statement).add(`SELECT `+l.by+` FROM spans WHERE "start" >= ? AND `, from).listed(l).add(fmt.Sprintf(` ORDER BY 1 %s LIMIT %d`, l.dir, l.limit))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		rows++
		return r.Scan(&v)
	})
	return v, rows, err
}

func (x *Index) keys(ctx context.Context, l listing, bound int64) (keys []span.Key, values []int64, err error) {
	within := ">="
	if l.cmp == ">" {
		within = "<="
	}
	s := new(statement).add(`SELECT "day", "trace", "id", `+l.by+` FROM spans WHERE `+l.by+within+`? AND `, bound).listed(l)
	s.add(fmt.Sprintf(` ORDER BY %s %[2]s, "trace" %[2]s, "id" %[2]s LIMIT %[3]d`, l.by, l.dir, l.limit))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var k span.Key
		var v int64
		err := r.Scan(&k.Day, &k.Trace, &k.Span, &v)
		keys, values = append(keys, k), append(values, v)
		return err
	})
	return keys, values, err
}

// Count implements query.Index.
func (x *Index) Count(ctx context.Context, q query.Query) (n int64, err error) {
	err = x.rows(ctx, new(statement).add(`SELECT count(*) FROM spans WHERE `).where(q), func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// Facets implements query.Index.
func (x *Index) Facets(ctx context.Context, f query.FacetQuery) ([]query.Facet, error) {
	if f.Prefix == "" && fits(f.Query) {
		if out, err := x.facets(ctx, f); !errors.Is(err, errManyCells) {
			return out, err
		}
	}
	s := new(statement).add(`SELECT v, count(*) AS n FROM (SELECT `).group(f.Field, f.Path).add(` AS v FROM spans WHERE `).where(f.Query).add(`) WHERE v <> ''`)
	if f.Prefix != "" {
		s.add(` AND starts_with(lower(v), lower(?))`, f.Prefix)
	}
	return x.values(ctx, s.add(fmt.Sprintf(` GROUP BY v ORDER BY n DESC, v LIMIT %d`, f.Size())))
}

// facets are put together from hours.
func (x *Index) facets(ctx context.Context, f query.FacetQuery) (out []query.Facet, err error) {
	r, err := x.cells(ctx, shape{Query: f.Query, part: hour, tallies: []tally{{sql: `count(*)`}}, g: new(statement).group(f.Field, f.Path), h: new(statement).add(`''`)})
	if err != nil {
		return nil, err
	}
	counts := make([]int64, len(r.names))
	for _, b := range r.blocks {
		for i, id := range b.id {
			counts[id] += b.vals[0][i]
		}
	}
	for id, n := range counts {
		if n > 0 && r.names[id].g != "" {
			out = append(out, query.Facet{Value: r.names[id].g, Count: n})
		}
	}
	out = largest(out, f.Size(), func(a, b query.Facet) bool { return a.Count > b.Count || a.Count == b.Count && a.Value < b.Value })
	return out[:min(f.Size(), len(out))], nil
}

// values reads values and how many spans have each.
func (x *Index) values(ctx context.Context, s *statement) (out []query.Facet, err error) {
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var v query.Facet
		err := r.Scan(&v.Value, &v.Count)
		out = append(out, v)
		return err
	})
	return out, err
}

// group writes the expression of a field's value, ” where it is unset; a list makes one row per value.
func (s *statement) group(f *query.Field, path string) *statement {
	switch {
	case f == nil:
		return s.add(`''`)
	case f.Type == query.List:
		return s.add(`unnest(CASE WHEN len(` + col(f) + `) = 0 THEN [''] ELSE ` + col(f) + ` END)`)
	case f.Type == query.Map:
		return s.add(`coalesce(`+entryOf(f)+`, '')`, path)
	case f.Type == query.Bool:
		return s.add(`CASE WHEN ` + col(f) + ` <> 0 THEN 'true' ELSE 'false' END`)
	}
	return s.add(col(f))
}

// textsOf reads a list of texts.
func textsOf(v any) (out []string) {
	list, _ := v.([]any)
	for _, m := range list {
		if name, ok := m.(string); ok {
			out = append(out, name)
		}
	}
	return out
}

// names is a sorted list of the first twenty values of a column.
func names(c string) string {
	return `list_sort(list_distinct(list("` + c + `") FILTER (WHERE "` + c + `" <> '')))[:20]`
}

func timeOf(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

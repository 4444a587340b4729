package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"weir/internal/money"
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
	s := new(statement).add(`SELECT v, count(*) AS n FROM (SELECT `).group(f.Field, f.Path).add(` AS v FROM spans WHERE `).where(f.Query).add(`) WHERE v <> ''`)
	if f.Prefix != "" {
		s.add(` AND starts_with(lower(v), lower(?))`, f.Prefix)
	}
	return x.values(ctx, s.add(fmt.Sprintf(` GROUP BY v ORDER BY n DESC, v LIMIT %d`, f.Size())))
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

const sessionOrder = "session"

// Sessions implements query.Index: first which sessions make the page, then their figures.
func (x *Index) Sessions(ctx context.Context, q query.Query, p query.Page) ([]query.SessionRow, string, error) {
	page, cursor, err := x.sessionPage(ctx, q, p)
	if err != nil || len(page) == 0 {
		return nil, "", err
	}
	rows, err := x.sessionRows(ctx, q, page)
	return rows, cursor, err
}

func (x *Index) sessionPage(ctx context.Context, q query.Query, p query.Page) (page []string, cursor string, err error) {
	s := new(statement).add(`SELECT "session", max("start" + "duration") AS last FROM spans WHERE project = ? AND "session" <> ''`, query.Cut(string(q.Project)))
	if q.Filter != nil || !q.From.IsZero() || !q.To.IsZero() {
		s.add(` AND "session" IN (SELECT "session" FROM spans WHERE `).where(q).add(`)`)
	}
	s.add(` GROUP BY "session"`)
	if p.Cursor != "" {
		c, err := query.DecodeCursor(p.Cursor, sessionOrder)
		if err != nil {
			return nil, "", err
		}
		s.add(` HAVING last < ? OR (last = ? AND "session" < ?)`, c.Value, c.Value, c.Trace)
	}
	s.add(fmt.Sprintf(` ORDER BY last DESC, "session" DESC LIMIT %d`, p.Size()+1))
	var last []int64
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var name string
		var end int64
		err := r.Scan(&name, &end)
		page, last = append(page, name), append(last, end)
		return err
	})
	if err != nil || len(page) <= p.Size() {
		return page, "", err
	}
	page = page[:p.Size()]
	return page, query.Cursor{Sort: sessionOrder, Value: last[len(page)-1], Trace: page[len(page)-1]}.Encode(), nil
}

func (x *Index) sessionRows(ctx context.Context, q query.Query, page []string) ([]query.SessionRow, error) {
	latest := func(c string) string { return `arg_max("` + c + `", ("start", "trace", "id"))` }
	first := func(c string) string {
		return `arg_min("` + c + `", ("kind" NOT IN ` + callKinds + ` OR "covered" <> 0, "start", "trace", "id"))`
	}
	s := new(statement).add(`SELECT "session", min("start"), max("start" + "duration") AS last, ` + calls + `, ` + failures + `, count(DISTINCT "trace"), count(*), ` + sums +
		`, ` + names("model") + `, ` +
		latest("client") + `, ` + latest("user") + `, ` + latest("email") + `, ` + latest("key_alias") + `, ` + first("trace") + `, ` + first("id") + `, ` + first("day") +
		` FROM spans WHERE project = ? AND "session" IN (SELECT unnest(string_split(?, chr(31))))`)
	s.args = append(s.args, query.Cut(string(q.Project)), joined(page))
	s.add(` GROUP BY "session" ORDER BY last DESC, "session" DESC`)
	var out []query.SessionRow
	err := x.rows(ctx, s, func(r *sql.Rows) error {
		row, err := scanSession(r)
		out = append(out, row)
		return err
	})
	if err != nil {
		return out, err
	}
	means, err := x.means(ctx, `"session"`, new(statement).add(`project = ? AND "session" IN (SELECT unnest(string_split(?, chr(31))))`, query.Cut(string(q.Project)), joined(page)))
	for i := range out {
		out[i].Scores = means[out[i].Session]
	}
	return out, err
}

func scanSession(r *sql.Rows) (row query.SessionRow, err error) {
	var start, end, cost int64
	var models any
	dest := []any{&row.Session, &start, &end, &row.Calls, &row.Errors, &row.Traces, &row.Spans}
	dest = append(dest, sumsInto(&cost, &row.Usage)...)
	dest = append(dest, &models, &row.Client, &row.User, &row.Email, &row.KeyAlias, &row.First.Trace, &row.First.Span, &row.First.Day)
	if err := r.Scan(dest...); err != nil {
		return row, err
	}
	row.Start, row.End, row.Cost, row.Models = timeOf(start), timeOf(end), money.Nano(cost), textsOf(models)
	return row, nil
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

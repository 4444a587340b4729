package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"weir/internal/money"
	"weir/internal/query"
)

const sessionOrder = "session"

// Sessions implements query.Index: first which sessions make the page, then their figures.
func (x *Index) Sessions(ctx context.Context, q query.Query, p query.Page) ([]query.SessionRow, string, error) {
	places, err := x.sessionPlacesOf(ctx, q, p)
	if err != nil || len(places) == 0 {
		return nil, "", err
	}
	cursor := ""
	if len(places) > p.Size() {
		places = places[:p.Size()]
		last := places[len(places)-1]
		cursor = query.Cursor{Sort: sessionOrder, Value: last.last, Trace: last.session}.Encode()
	}
	rows, err := x.sessionRows(ctx, q, places)
	return rows, cursor, err
}

// sessionPlacesOf are those of a page, and one beyond it.
func (x *Index) sessionPlacesOf(ctx context.Context, q query.Query, p query.Page) ([]sessionPlace, error) {
	if names := sessionsIn(q.Filter); len(names) > 0 && p.Cursor == "" {
		return x.namedSessions(ctx, q, names, p.Size()+1)
	}
	places, err := x.latestSessions(ctx, q, p)
	if err != nil || len(places) > 0 {
		return places, err
	}
	return x.sessionPage(ctx, q, p)
}

// sessionsIn are the sessions that a filter names, if it selects spans of no other.
func sessionsIn(e query.Expr) (names []string) {
	switch e := e.(type) {
	case query.And:
		for _, part := range e {
			if names = sessionsIn(part); len(names) > 0 {
				return names
			}
		}
	case *query.Compare:
		if e.Field.Name == "session" && (e.Op == query.Eq || e.Op == query.In) {
			for _, v := range e.Values {
				names = append(names, v.Text)
			}
		}
	}
	return names
}

// namedSessions looks where these sessions have spans.
func (x *Index) namedSessions(ctx context.Context, q query.Query, names []string, limit int) ([]sessionPlace, error) {
	var hashes []sessionPlace
	err := x.rows(ctx, new(statement).add(`SELECT (hash(s) >> 1)::BIGINT FROM (SELECT unnest(string_split(?, chr(31))) AS s)`, joined(names)), func(r *sql.Rows) error {
		var p sessionPlace
		err := r.Scan(&p.hash)
		hashes = append(hashes, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	when, err := x.sessionHours(ctx, q, hashes)
	if err != nil {
		return nil, err
	}
	s := new(statement).add(atSession+`project = ? AND "session" <> ''`, query.Cut(string(q.Project))).during(when).add(` AND `).oneOf(`"session"`, names)
	s.add(` GROUP BY "session" HAVING bool_or(`).where(q)
	return x.sessionPlaces(ctx, s.add(fmt.Sprintf(`) ORDER BY last DESC, "session" DESC LIMIT %d`, limit)))
}

// sessionPlace is a session in a list.
type sessionPlace struct {
	session string
	last    int64
	hash    int64
}

// sessionHash stands for a session's id where it is enough to know which hours may have its spans.
const sessionHash = `(hash("session") >> 1)::BIGINT`

// atSession begins the statements that read places.
const atSession = `SELECT "session", max("start" + "duration") AS last, ` + sessionHash + ` FROM spans WHERE `

// sessionPlaces reads places.
func (x *Index) sessionPlaces(ctx context.Context, s *statement) (out []sessionPlace, err error) {
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var p sessionPlace
		err := r.Scan(&p.session, &p.last, &p.hash)
		out = append(out, p)
		return err
	})
	return out, err
}

// sessionPage is a page, and one beyond it, from all there is.
func (x *Index) sessionPage(ctx context.Context, q query.Query, p query.Page) ([]sessionPlace, error) {
	s := new(statement).add(atSession+`project = ? AND "session" <> ''`, query.Cut(string(q.Project)))
	if q.Filter != nil || !q.From.IsZero() || !q.To.IsZero() {
		s.add(` AND "session" IN (SELECT "session" FROM spans WHERE `).where(q).add(`)`)
	}
	s.add(` GROUP BY "session"`)
	if p.Cursor != "" {
		c, err := query.DecodeCursor(p.Cursor, sessionOrder)
		if err != nil {
			return nil, err
		}
		s.add(` HAVING last < ? OR (last = ? AND "session" < ?)`, c.Value, c.Value, c.Trace)
	}
	return x.sessionPlaces(ctx, s.add(fmt.Sprintf(` ORDER BY last DESC, "session" DESC LIMIT %d`, p.Size()+1)))
}

// latestSessions is the first page and one beyond it, or nothing: then there are not that many lately. The sessions of
// the last hours tell how late the last of the page is active at least; what ended before that is not looked at.
func (x *Index) latestSessions(ctx context.Context, q query.Query, p query.Page) ([]sessionPlace, error) {
	if p.Cursor != "" || len(q.Found) > 0 {
		return nil, nil
	}
	limit := p.Size() + 1
	for _, back := range lately {
		some, err := x.sessionsSince(ctx, q, (hourOf(min(x.top.Load(), query.Nanos(time.Now())))-back)*hour, 4*limit)
		if err != nil {
			return nil, err
		}
		if len(some) < limit {
			continue
		}
		all, err := x.sessionsActive(ctx, q, some[limit-1].last, mostActive)
		if err != nil || len(all) == mostActive {
			return nil, err
		}
		all, err = x.selectedSessions(ctx, q, all, some)
		return all[:min(limit, len(all))], err
	}
	return nil, nil
}

// mostActive bounds the sessions that a page is chosen from.
const mostActive = 5000

// sessionsSince are sessions with selected spans since a time, by how late they were active at least.
func (x *Index) sessionsSince(ctx context.Context, q query.Query, from int64, limit int) ([]sessionPlace, error) {
	s := new(statement).add(atSession+`"start" >= ? AND "session" <> '' AND `, from).where(q)
	return x.sessionPlaces(ctx, s.add(fmt.Sprintf(` GROUP BY "session" ORDER BY last DESC, "session" DESC LIMIT %d`, limit)))
}

// sessionsActive are all sessions active at a time or later, selected or not.
func (x *Index) sessionsActive(ctx context.Context, q query.Query, since int64, limit int) ([]sessionPlace, error) {
	r, err := x.cells(ctx, shape{Query: query.Query{Project: q.Project}, and: `"session" <> ''`, part: hour, tallies: []tally{{sql: `max("start" + "duration")`, op: most}}})
	if err != nil && !errors.Is(err, errManyCells) {
		return nil, err
	}
	from := int64(math.MinInt64)
	for i, b := range r.blocks { // the first hour with spans that ended late enough
		if from = b.hour * hour; i == len(r.blocks)-1 || len(b.vals[0]) > 0 && slices.Max(b.vals[0]) >= since {
			break
		}
	}
	s := new(statement).add(atSession+`project = ? AND "session" <> '' AND "start" >= ? AND "start" + "duration" >= ?`,
		query.Cut(string(q.Project)), from, since)
	return x.sessionPlaces(ctx, s.add(fmt.Sprintf(` GROUP BY "session" ORDER BY last DESC, "session" DESC LIMIT %d`, limit)))
}

// selectedSessions are those with a selected span; some are known to have one.
func (x *Index) selectedSessions(ctx context.Context, q query.Query, all, known []sessionPlace) ([]sessionPlace, error) {
	if q.Filter == nil && q.From.IsZero() && q.To.IsZero() {
		return all, nil
	}
	selected := make(map[string]bool, len(known))
	for _, p := range known {
		selected[p.session] = true
	}
	var doubtful []string
	for _, p := range all {
		if !selected[p.session] {
			doubtful = append(doubtful, p.session)
		}
	}
	if len(doubtful) > 0 {
		found, err := x.sessionPlaces(ctx, new(statement).add(atSession).where(q).add(` AND `).oneOf(`"session"`, doubtful).add(` GROUP BY "session"`))
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			selected[p.session] = true
		}
	}
	return slices.DeleteFunc(all, func(p sessionPlace) bool { return !selected[p.session] }), nil
}

// sessionHours are when sessions may have spans.
func (x *Index) sessionHours(ctx context.Context, q query.Query, page []sessionPlace) ([]stretch, error) {
	r, err := x.cells(ctx, shape{Query: query.Query{Project: q.Project}, and: `"session" <> ''`, part: hour, bin: sessionHash})
	if errors.Is(err, errManyCells) {
		return nil, nil
	}
	var out joining
	for _, b := range r.blocks {
		if slices.ContainsFunc(page, func(p sessionPlace) bool {
			_, found := slices.BinarySearch(b.bin, p.hash)
			return found
		}) {
			out.add(b.hour*hour, (b.hour+1)*hour)
		}
	}
	return out.worth(len(r.blocks)), err
}

// sessionRows are the figures of a page, in its order.
func (x *Index) sessionRows(ctx context.Context, q query.Query, page []sessionPlace) ([]query.SessionRow, error) {
	when, err := x.sessionHours(ctx, q, page)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page))
	for i, p := range page {
		ids[i] = p.session
	}
	latest := func(c string) string { return `arg_max("` + c + `", ("start", "trace", "id"))` }
	first := func(c string) string {
		return `arg_min("` + c + `", ("kind" NOT IN ` + callKinds + ` OR "covered" <> 0, "start", "trace", "id"))`
	}
	theirs := new(statement).add(`project = ?`, query.Cut(string(q.Project))).during(when).add(` AND `).oneOf(`"session"`, ids)
	s := new(statement).add(`SELECT "session", min("start"), max("start" + "duration") AS last, ` + calls + `, ` + failures + `, count(DISTINCT "trace"), count(*), ` + sums +
		`, ` + names("model") + `, ` +
		latest("client") + `, ` + latest("user") + `, ` + latest("email") + `, ` + latest("key_alias") + `, ` + first("trace") + `, ` + first("id") + `, ` + first("day") + ` FROM spans WHERE `)
	s.add(theirs.String(), theirs.args...)
	s.add(` GROUP BY "session" ORDER BY last DESC, "session" DESC`)
	var out []query.SessionRow
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		row, err := scanSession(r)
		out = append(out, row)
		return err
	})
	if err != nil {
		return out, err
	}
	means, err := x.means(ctx, query.Query{Project: q.Project}, `"session"`, theirs)
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

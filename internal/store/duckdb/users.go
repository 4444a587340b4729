package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/tenant"
)

// who is the one a span is for: u is the user, or else (e) the end user.
const (
	who   = `CASE WHEN "user" <> '' THEN "user" ELSE "end_user" END`
	isEnd = `("user" = '')::VARCHAR`
)

// userValue is what users are sorted by.
var userValue = map[string]tally{
	"": {sql: sum("cost")}, "cost": {sql: sum("cost")}, "calls": {sql: calls}, "errors": {sql: failures}, "tokens": {sql: clamped(total(computed["tokens"]))},
	"last_seen": {sql: `max("start")`, op: most},
}

// userPlace is a user in a list.
type userPlace struct {
	name  string
	end   bool
	value int64
}

func (p userPlace) before(q userPlace) bool {
	switch {
	case p.value != q.value:
		return p.value > q.value
	case p.name != q.name:
		return p.name > q.name
	}
	return p.end && !q.end
}

// Users implements query.Index: first which users make the page, then their figures.
func (x *Index) Users(ctx context.Context, q query.UserQuery) ([]query.UserRow, string, error) {
	by, ok := userValue[q.By]
	if !ok {
		return nil, "", fault.Bad("sort", "users are sorted by %s, not %q", strings.Join(query.UserSorts, ", "), q.By)
	}
	after, err := userCursor(q)
	if err != nil {
		return nil, "", err
	}
	limit := query.Page{Limit: q.Limit}.Size()
	page, err := x.userPage(ctx, q, by, after, limit+1)
	if err != nil || len(page) == 0 {
		return nil, "", err
	}
	cursor := ""
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		c := query.Cursor{Sort: usersBy(q), Value: last.value, Trace: last.name}
		if last.end {
			c.Span = "end"
		}
		cursor = c.Encode()
	}
	rows, err := x.userRows(ctx, q, page)
	if err != nil {
		return nil, "", err
	}
	return rows, cursor, x.userScores(ctx, q.Query, page, rows)
}

func usersBy(q query.UserQuery) string { return "users " + q.By }

func userCursor(q query.UserQuery) (*userPlace, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	c, err := query.DecodeCursor(q.Cursor, usersBy(q))
	return &userPlace{name: c.Trace, end: c.Span == "end", value: c.Value}, err
}

// userPage is the first users after a place.
func (x *Index) userPage(ctx context.Context, q query.UserQuery, by tally, after *userPlace, limit int) ([]userPlace, error) {
	all, err := x.usersFromHours(ctx, q, by)
	if errors.Is(err, errManyCells) {
		all, err = x.usersAtOnce(ctx, q, by, after, limit)
	}
	if after != nil {
		all = slices.DeleteFunc(all, func(p userPlace) bool { return !after.before(p) })
	}
	all = largest(all, limit, userPlace.before)
	return all[:min(limit, len(all))], err
}

func (x *Index) usersFromHours(ctx context.Context, q query.UserQuery, by tally) ([]userPlace, error) {
	if !fits(q.Query) {
		return nil, errManyCells
	}
	r, err := x.cells(ctx, shape{Query: q.Query, and: who + ` <> ''`, part: hour, tallies: []tally{by}, g: new(statement).add(who), h: new(statement).add(isEnd)})
	all := make([]userPlace, len(r.names))
	some := make([]bool, len(r.names))
	for _, b := range r.blocks {
		for i, id := range b.id {
			v := int64(0)
			if b.vals[0] != nil {
				v = b.vals[0][i]
			}
			if some[id] {
				v = by.op.of(all[id].value, v)
			}
			all[id], some[id] = userPlace{name: r.names[id].g, end: r.names[id].h == "true", value: v}, true
		}
	}
	return slices.DeleteFunc(all, func(p userPlace) bool { return p.name == "" }), err
}

func (x *Index) usersAtOnce(ctx context.Context, q query.UserQuery, by tally, after *userPlace, limit int) (all []userPlace, err error) {
	s := new(statement).add(`SELECT ` + who + ` AS u, "user" = '' AS e, ` + by.sql + ` AS v FROM spans WHERE `).where(q.Query).add(` AND u <> '' GROUP BY u, e`)
	if after != nil {
		s.add(` HAVING v < ? OR v = ? AND (u < ? OR u = ? AND e < ?)`, after.value, after.value, after.name, after.name, after.end)
	}
	s.add(fmt.Sprintf(` ORDER BY v DESC, u DESC, e DESC LIMIT %d`, limit))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var p userPlace
		err := r.Scan(&p.name, &p.end, &p.value)
		all = append(all, p)
		return err
	})
	return all, err
}

// amongUsers writes whether a span is for one of some users.
func (s *statement) amongUsers(page []userPlace) *statement {
	var users, ends []string
	for _, p := range page {
		if p.end {
			ends = append(ends, p.name)
		} else {
			users = append(users, p.name)
		}
	}
	switch {
	case len(ends) == 0:
		return s.oneOf(`"user"`, users)
	case len(users) == 0:
		return s.add(`"user" = '' AND `).oneOf(`"end_user"`, ends)
	}
	s.add(`(`).oneOf(`"user"`, users).add(` OR "user" = '' AND `).oneOf(`"end_user"`, ends)
	return s.add(`)`)
}

// oneOf writes whether a text is one of some. They are joined to the table as one parameter: a list of many is compared
// with one after the other.
func (s *statement) oneOf(x string, texts []string) *statement {
	odd := slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return !strings.Contains(t, separator) })
	s.add(`(`+x+` IN (SELECT unnest(string_split(?, chr(31))))`, joined(slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return strings.Contains(t, separator) })))
	for _, t := range odd {
		s.add(` OR `+x+` = ?`, t)
	}
	return s.add(`)`)
}

// userRows are the figures of a page, in its order.
func (x *Index) userRows(ctx context.Context, q query.UserQuery, page []userPlace) ([]query.UserRow, error) {
	s := new(statement).add(`SELECT ` + who + ` AS u, "user" = '' AS e, arg_max("email", "start") FILTER (WHERE "email" <> ''), ` + calls + `, ` + failures + `, count(*), count(DISTINCT nullif("session", '')), count(DISTINCT "trace"), ` +
		sums + `, min("start"), max("start"), ` + names("model") + ` FROM spans WHERE `).where(q.Query).add(` AND `).amongUsers(page).add(` GROUP BY u, e`)
	got := make(map[userPlace]query.UserRow, len(page))
	err := x.rows(ctx, s, func(r *sql.Rows) error {
		row, err := scanUser(r)
		got[userPlace{name: cmp.Or(string(row.User), row.EndUser), end: row.User == ""}] = row
		return err
	})
	var rows []query.UserRow
	for _, p := range page {
		if row, ok := got[userPlace{name: p.name, end: p.end}]; ok { // or it is gone meanwhile
			rows = append(rows, row)
		}
	}
	return rows, err
}

func scanUser(r *sql.Rows) (row query.UserRow, err error) {
	var name string
	var end bool
	var email sql.NullString
	var cost, first, last int64
	var models any
	dest := []any{&name, &end, &email, &row.Calls, &row.Errors, &row.Spans, &row.Sessions, &row.Traces}
	dest = append(dest, sumsInto(&cost, &row.Usage)...)
	if err := r.Scan(append(dest, &first, &last, &models)...); err != nil {
		return row, err
	}
	if end {
		row.EndUser = name
	} else {
		row.User = tenant.UserID(name)
	}
	row.Email, row.Cost, row.First, row.Last, row.Models = email.String, money.Nano(cost), timeOf(first), timeOf(last), textsOf(models)
	return row, nil
}

func (x *Index) userScores(ctx context.Context, q query.Query, page []userPlace, rows []query.UserRow) error {
	means, err := x.means(ctx, q, isEnd+` || ' ' || `+who, new(statement).where(q).add(` AND `).amongUsers(page))
	for i, r := range rows {
		rows[i].Scores = means["false "+string(r.User)]
		if r.User == "" {
			rows[i].Scores = means["true "+r.EndUser]
		}
		rows[i].Scores = slices.Clip(rows[i].Scores)
	}
	return err
}

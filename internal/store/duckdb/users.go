package duckdb

import (
	"context"
	"database/sql"
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
var userValue = map[string]string{
	"": clamped(total(`"cost"`)), "cost": clamped(total(`"cost"`)), "calls": calls, "errors": failures, "tokens": clamped(total(computed["tokens"])),
	"last_seen": `max("start")`,
}

// Users implements query.Index.
func (x *Index) Users(ctx context.Context, q query.UserQuery) ([]query.UserRow, string, error) {
	value, ok := userValue[q.By]
	if !ok {
		return nil, "", fault.Bad("sort", "users are sorted by %s, not %q", strings.Join(query.UserSorts, ", "), q.By)
	}
	order := "users " + q.By
	s := new(statement).add(`SELECT ` + who + ` AS u, "user" = '' AS e, ` + value + ` AS v, arg_max("email", "start") FILTER (WHERE "email" <> ''), ` + calls + `, ` + failures + `, count(*), count(DISTINCT nullif("session", '')), count(DISTINCT "trace"), ` +
		sums + `, min("start"), max("start"), ` + names("model") + ` FROM spans WHERE `).where(q.Query).add(` AND u <> '' GROUP BY u, e`)
	if q.Cursor != "" {
		c, err := query.DecodeCursor(q.Cursor, order)
		if err != nil {
			return nil, "", err
		}
		s.add(` HAVING v < ? OR v = ? AND (u < ? OR u = ? AND e < ?)`, c.Value, c.Value, c.Trace, c.Trace, c.Span == "end")
	}
	limit := query.Page{Limit: q.Limit}.Size()
	s.add(fmt.Sprintf(` ORDER BY v DESC, u DESC, e DESC LIMIT %d`, limit+1))
	var rows []query.UserRow
	var values []int64
	err := x.rows(ctx, s, func(r *sql.Rows) error {
		row, v, err := scanUser(r)
		rows, values = append(rows, row), append(values, v)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, "", err
	}
	cursor := ""
	if len(rows) > limit {
		rows = rows[:limit]
		c := query.Cursor{Sort: order, Value: values[limit-1], Trace: string(rows[limit-1].User)}
		if c.Trace == "" {
			c.Trace, c.Span = rows[limit-1].EndUser, "end"
		}
		cursor = c.Encode()
	}
	return rows, cursor, x.userScores(ctx, q.Query, rows)
}

func scanUser(r *sql.Rows) (row query.UserRow, value int64, err error) {
	var name string
	var end bool
	var email sql.NullString
	var cost, first, last int64
	var models any
	dest := []any{&name, &end, &value, &email, &row.Calls, &row.Errors, &row.Spans, &row.Sessions, &row.Traces}
	dest = append(dest, sumsInto(&cost, &row.Usage)...)
	if err := r.Scan(append(dest, &first, &last, &models)...); err != nil {
		return row, 0, err
	}
	if end {
		row.EndUser = name
	} else {
		row.User = tenant.UserID(name)
	}
	row.Email, row.Cost, row.First, row.Last, row.Models = email.String, money.Nano(cost), timeOf(first), timeOf(last), textsOf(models)
	return row, value, nil
}

func (x *Index) userScores(ctx context.Context, q query.Query, rows []query.UserRow) error {
	means, err := x.means(ctx, isEnd+` || ' ' || `+who, new(statement).where(q))
	for i, r := range rows {
		rows[i].Scores = means["false "+string(r.User)]
		if r.User == "" {
			rows[i].Scores = means["true "+r.EndUser]
		}
		rows[i].Scores = slices.Clip(rows[i].Scores)
	}
	return err
}

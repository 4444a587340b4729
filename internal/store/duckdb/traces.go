package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

// place is a trace in a list.
type place struct {
	trace string
	day   span.Day
	value int64
}

// Traces implements query.Index: first which traces make the page, then their figures. All spans of a trace have its
// home day, by which both scans skip most blocks.
func (x *Index) Traces(ctx context.Context, q query.Query, p query.Page) ([]query.TraceFigures, string, error) {
	after, err := traceCursor(p)
	if err != nil {
		return nil, "", err
	}
	var page []place
	if p.Sort.String() == newestFirst {
		page, err = x.newestTraces(ctx, q, after, p.Size()+1)
	} else {
		page, err = x.sortedTraces(ctx, q, p, after)
	}
	if err != nil || len(page) == 0 {
		return nil, "", err
	}
	cursor := ""
	if len(page) > p.Size() {
		page = page[:p.Size()]
		last := page[len(page)-1]
		cursor = query.Cursor{Sort: tracesBy(p), Value: last.value, Trace: last.trace, Span: strconv.Itoa(int(last.day))}.Encode()
	}
	rows, err := x.traceRows(ctx, q, page, p.Sort.By().Name == "start")
	return rows, cursor, err
}

// tracesBy keeps cursors of traces apart from those of spans.
func tracesBy(p query.Page) string { return "traces " + p.Sort.String() }

func traceCursor(p query.Page) (*place, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	c, err := query.DecodeCursor(p.Cursor, tracesBy(p))
	if err != nil {
		return nil, err
	}
	day, err := strconv.ParseUint(c.Span, 10, 32)
	if err != nil {
		return nil, fault.Bad("cursor", "cursor is malformed; take next_cursor of the page before")
	}
	return &place{trace: c.Trace, day: span.Day(day), value: c.Value}, nil
}

type dayRange struct{ first, last span.Day }

// daysOf bounds the home days of the selected spans; it is empty if there are none.
func (x *Index) daysOf(ctx context.Context, q query.Query) (d dayRange, err error) {
	s := new(statement).add(`SELECT coalesce(min("day"), 1), coalesce(max("day"), 0) FROM spans WHERE `).where(q)
	err = x.rows(ctx, s, func(r *sql.Rows) error { return r.Scan(&d.first, &d.last) })
	return d, err
}

// allDays bounds the home days there are, which the engine knows without looking at a row.
func (x *Index) allDays(ctx context.Context) (d dayRange, err error) {
	s := new(statement).add(`SELECT coalesce(min("day"), 1), coalesce(max("day"), 0) FROM spans`)
	err = x.rows(ctx, s, func(r *sql.Rows) error { return r.Scan(&d.first, &d.last) })
	return d, err
}

// ofTraces writes the condition of the spans of selected traces whose home is within some days.
func (s *statement) ofTraces(q query.Query, d dayRange) *statement {
	s.add(`project = ? AND "day" BETWEEN ? AND ?`, query.Cut(string(q.Project)), uint32(d.first), uint32(d.last))
	if q.Filter != nil || !q.From.IsZero() || !q.To.IsZero() {
		s.add(` AND "trace" IN (SELECT "trace" FROM spans WHERE "day" BETWEEN ? AND ? AND `, uint32(d.first), uint32(d.last)).where(q).add(`)`)
	}
	return s
}

// newestTraces looks at the last hours, and at all of a day where they do not tell.
func (x *Index) newestTraces(ctx context.Context, q query.Query, after *place, limit int) (page []place, err error) {
	days, err := x.allDays(ctx)
	if err != nil {
		return nil, err
	}
	if after != nil {
		days.last = min(days.last, after.day)
	}
	if page, err = x.latestTraces(ctx, q, days.last, after, limit); err != nil || len(page) > 0 {
		return page, err
	}
	return x.tracesByDay(ctx, q, days, after, limit)
}

// tracesByDay goes back day by day, in growing steps, until there are enough.
func (x *Index) tracesByDay(ctx context.Context, q query.Query, days dayRange, after *place, limit int) (page []place, err error) {
	for width := 1; len(page) < limit && days.first <= days.last; width *= 4 {
		w := dayRange{first: span.Day(max(int64(days.first), int64(days.last)-int64(width)+1)), last: days.last}
		s := new(statement).add(`SELECT "trace", "day", min("start") AS v FROM spans WHERE `).ofTraces(q, w).add(` GROUP BY "day", "trace"`)
		if after != nil {
			s.add(` HAVING "day" < ? OR "day" = ? AND (v < ? OR v = ? AND "trace" < ?)`, uint32(after.day), uint32(after.day), after.value, after.value, after.trace)
		}
		s.add(fmt.Sprintf(` ORDER BY "day" DESC, v DESC, "trace" DESC LIMIT %d`, limit-len(page)))
		got, err := x.places(ctx, s)
		if err != nil {
			return nil, err
		}
		page = append(page, got...)
		if w.first == 0 {
			break
		}
		days.last = w.first - 1
	}
	return page, nil
}

func (x *Index) places(ctx context.Context, s *statement) (page []place, err error) {
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var p place
		err := r.Scan(&p.trace, &p.day, &p.value)
		page = append(page, p)
		return err
	})
	return page, err
}

// traceValue is what traces are sorted by.
func traceValue(s query.Sort) (string, error) {
	switch s.By().Name {
	case "start":
		return `min("start")`, nil
	case "duration":
		return `max("start" + "duration") - min("start")`, nil
	case "cost":
		return clamped(total(`"cost"`)), nil
	case "tokens", "input_tokens", "output_tokens", "cache_read", "cache_write":
		return clamped(total(col(s.By()))), nil
	case "score":
		return `max(` + sortedBy(s) + `)`, nil
	}
	return "", fault.Bad("sort", "traces are not sorted by %q", s.By().Name)
}

func (x *Index) sortedTraces(ctx context.Context, q query.Query, p query.Page, after *place) ([]place, error) {
	value, err := traceValue(p.Sort)
	if err != nil {
		return nil, err
	}
	days, err := x.daysOf(ctx, q)
	if err != nil || days.last < days.first {
		return nil, err
	}
	dir, beyond := "DESC", "<"
	if p.Sort.Asc {
		dir, beyond = "ASC", ">"
	}
	s := new(statement).add(`SELECT "trace", min("day"), `+value+` AS v FROM spans WHERE `).ofTraces(q, days).add(` GROUP BY "trace" HAVING v IS NOT NULL`)
	if after != nil {
		s.add(fmt.Sprintf(` AND (v %[1]s ? OR v = ? AND "trace" %[1]s ?)`, beyond), after.value, after.value, after.trace)
	}
	s.add(fmt.Sprintf(` ORDER BY v %[1]s, "trace" %[1]s LIMIT %[2]d`, dir, p.Size()+1))
	return x.places(ctx, s)
}

// traceRows are the figures of a page, in its order. If the traces are known by their starts, no earlier span is looked at.
func (x *Index) traceRows(ctx context.Context, q query.Query, page []place, byStart bool) ([]query.TraceFigures, error) {
	from := int64(math.MinInt64)
	traces, at := make([]string, len(page)), make(map[string]int, len(page))
	days := dayRange{first: page[0].day, last: page[0].day}
	for i, p := range page {
		traces[i], at[p.trace] = p.trace, i
		days.first, days.last = min(days.first, p.day), max(days.last, p.day)
	}
	if byStart {
		from = slices.MinFunc(page, func(a, b place) int { return cmp.Compare(a.value, b.value) }).value
	}
	root := func(c string) string { return `arg_min("` + c + `", ("parent" <> '', "start", "id"))` }
	s := new(statement).add(`SELECT "trace", min("day"), `+root("id")+`, min("start"), max("start" + "duration"), count(*), `+calls+`, `+failures+`, `+sums+`, `+names("model")+`, `+names("service")+
		`, max("session"), max("user") FROM spans WHERE project = ? AND "day" BETWEEN ? AND ? AND "start" >= ? AND "trace" IN (SELECT unnest(string_split(?, chr(31)))) GROUP BY "trace"`,
		query.Cut(string(q.Project)), uint32(days.first), uint32(days.last), from, joined(traces))
	out := make([]query.TraceFigures, len(page))
	err := x.rows(ctx, s, func(r *sql.Rows) error {
		row, err := scanTrace(r)
		if i, ok := at[row.Root.Trace]; ok {
			out[i] = row
		}
		return err
	})
	return slices.DeleteFunc(out, func(t query.TraceFigures) bool { return t.Spans == 0 }), err
}

func scanTrace(r *sql.Rows) (row query.TraceFigures, err error) {
	var start, end, cost int64
	var models, services any
	dest := []any{&row.Root.Trace, &row.Root.Day, &row.Root.Span, &start, &end, &row.Spans, &row.Calls, &row.Errors}
	dest = append(dest, sumsInto(&cost, &row.Usage)...)
	if err := r.Scan(append(dest, &models, &services, &row.Session, &row.User)...); err != nil {
		return row, err
	}
	row.Start, row.End, row.Cost = timeOf(start), timeOf(end), money.Nano(cost)
	row.Models, row.Services = textsOf(models), textsOf(services)
	return row, nil
}

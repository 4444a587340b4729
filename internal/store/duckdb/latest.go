package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/internal/query"
	"weir/internal/span"
)

// A trace is where its earliest span is, wherever its latest are. So to list the newest traces of a day, all of them would
// have to be gone through. But those that have spans in the last hours and none before are newer than all others; which
// traces have spans in an hour that is over is kept.

// lately is how many hours are looked at, in turn.
var lately = []int64{1, 6, 36}

// traceHash stands for a trace's id: that two of one day share one is less likely than a fault of the memory.
const traceHash = `(hash("trace") >> 1)::BIGINT`

// reachOfDay is how many hours around a home day spans usually start in.
const reachOfDay = 10 * 24

// latestTraces are the newest traces of a home day, as many as asked for, or none: then they are not that new.
func (x *Index) latestTraces(ctx context.Context, q query.Query, day span.Day, after *place, limit int) ([]place, error) {
	if len(q.Found) > 0 {
		return nil, nil
	}
	top := min(x.top.Load(), query.Nanos(time.Now()))
	if after != nil && after.day == day {
		top = min(top, after.value)
	}
	for _, back := range lately {
		from := (hourOf(top) - back) * hour
		page, hashes, err := x.tracesSince(ctx, q, day, from, after, 2*limit+50)
		if err != nil {
			return nil, err
		}
		if len(page) < limit {
			continue
		}
		if page, err = x.begunSince(ctx, q, day, from, page, hashes); err != nil || len(page) >= limit {
			return page[:min(limit, len(page))], err
		}
	}
	return nil, nil
}

// tracesSince are the newest traces with selected spans since a time, by their first span since then.
func (x *Index) tracesSince(ctx context.Context, q query.Query, day span.Day, from int64, after *place, limit int) (page []place, hashes []int64, err error) {
	s := new(statement).add(`SELECT "trace", "day", min("start") AS v, `+traceHash+` FROM spans WHERE project = ? AND "day" = ? AND "start" >= ?`, query.Cut(string(q.Project)), uint32(day), from)
	if q.Filter != nil || !q.From.IsZero() || !q.To.IsZero() {
		s.add(` AND "trace" IN (SELECT "trace" FROM spans WHERE "day" = ? AND "start" >= ? AND `, uint32(day), from).where(q).add(`)`)
	}
	s.add(` GROUP BY "trace", "day"`)
	if after != nil && after.day == day {
		s.add(` HAVING v < ? OR v = ? AND "trace" < ?`, after.value, after.value, after.trace)
	}
	s.add(fmt.Sprintf(` ORDER BY v DESC, "trace" DESC LIMIT %d`, limit))
	err = x.rows(ctx, s, func(r *sql.Rows) error {
		var p place
		var h int64
		err := r.Scan(&p.trace, &p.day, &p.value, &h)
		page, hashes = append(page, p), append(hashes, h)
		return err
	})
	return page, hashes, err
}

// begunSince leaves out traces that have spans before a time, which begins an hour.
func (x *Index) begunSince(ctx context.Context, q query.Query, day span.Day, from int64, page []place, hashes []int64) ([]place, error) {
	before := query.Query{Project: q.Project, To: timeOf(from)}
	r, err := x.cells(ctx, shape{Query: before, and: fmt.Sprintf(`"day" = %d`, day), bin: traceHash, part: hour, reach: reachOfDay})
	if errors.Is(err, errManyCells) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []place
	for i, p := range page {
		if !slices.ContainsFunc(r.blocks, func(b *block) bool {
			_, found := slices.BinarySearch(b.bin, hashes[i])
			return found
		}) {
			out = append(out, p)
		}
	}
	return out, nil
}

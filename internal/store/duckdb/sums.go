package duckdb

import (
	"context"
	"errors"
	"math"
	"sort"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
)

// Columns of the cells that figures are made of.
const (
	inCalls = iota
	inErrors
	inCost
	inInput
	inCacheRead
	inCacheWrite
	inWrite1h
	inOutput
	inReasoning
	inDuration
	inScore
	inScored
	inAll
)

// sumColumns are their tallies; those of a score need its name.
var sumColumns = [inAll]tally{
	inCalls: {sql: `count(*)`}, inErrors: {sql: failures}, inCost: {sql: sum("cost")}, inInput: {sql: sum("u_input")}, inCacheRead: {sql: sum("cache_read")},
	inCacheWrite: {sql: sum("cache_write")}, inWrite1h: {sql: sum("u_write_1h")}, inOutput: {sql: sum("output_tokens")}, inReasoning: {sql: sum("u_reasoning")},
	inDuration: {sql: `sum("duration"::DOUBLE)`, op: addFloats}, inScore: {op: addFloats}, inScored: {},
}

// wanted are the columns that an aggregate needs, in order.
func wanted(a query.Aggregate) (out []int) {
	out = append(out, inCalls)
	if a.Wants(query.Errors, query.ErrorRate) {
		out = append(out, inErrors)
	}
	if a.Wants(query.CostUSD) {
		out = append(out, inCost)
	}
	if a.Wants(query.Tokens, query.InputTokens, query.OutputTokens, query.CacheHitRate) {
		out = append(out, inInput, inCacheRead, inCacheWrite, inWrite1h, inOutput, inReasoning)
	}
	if a.Wants(query.AvgDuration) {
		out = append(out, inDuration)
	}
	if a.Score != "" {
		out = append(out, inScore, inScored)
	}
	return out
}

// partOf is the length of cells that intervals are made of.
func partOf(interval time.Duration) int64 {
	if i := int64(interval); i > 0 && i < hour {
		return i
	}
	return hour
}

// byHour reports whether an aggregate can be put together from hours.
func byHour(a query.Aggregate) bool {
	i := int64(a.Interval)
	return fits(a.Query) && (i == 0 || i >= int64(time.Minute) && (hour%i == 0 || i%hour == 0))
}

// grouping is how a shape groups, nil if it does not.
func grouping(a query.Aggregate) (g, h *statement) {
	if a.GroupBy == nil {
		return nil, nil
	}
	return new(statement).group(a.GroupBy, a.Path), new(statement).group(a.ThenBy, a.ThenPath)
}

// hourly are the sums of groups over time, in cells.
type hourly struct {
	read
	part    int64
	columns []int
}

func (x *Index) hourly(ctx context.Context, a query.Aggregate) (hourly, error) {
	out := hourly{part: partOf(a.Interval), columns: wanted(a)}
	s := shape{Query: a.Query, part: out.part}
	s.g, s.h = grouping(a)
	for _, c := range out.columns {
		t := sumColumns[c]
		switch c {
		case inScore:
			t.sql = `coalesce(sum(` + scoreOf(a.Score) + `), 0)`
		case inScored:
			t.sql = `count(` + scoreOf(a.Score) + `)`
		}
		s.tallies = append(s.tallies, t)
	}
	var err error
	out.read, err = x.cells(ctx, s)
	return out, err
}

// totals are sums by column and group.
type totals [inAll][]int64

func (t *totals) add(column, to int, v int64) {
	t[column][to] = sumColumns[column].op.of(t[column][to], v)
}

func (s hourly) sized(n int) (t totals) {
	for _, c := range s.columns {
		t[c] = make([]int64, n)
	}
	return t
}

// perGroup adds up all time.
func (s hourly) perGroup() totals {
	t := s.sized(len(s.names))
	for _, b := range s.blocks {
		for i, c := range s.columns {
			for j, v := range b.vals[i] {
				t.add(c, int(b.id[j]), v)
			}
		}
	}
	return t
}

// figures are those of one place.
func (t *totals) figures(at int) (f query.Figures) {
	of := func(c int) int64 {
		if t[c] == nil {
			return 0
		}
		return t[c][at]
	}
	f.Calls, f.Errors, f.Cost = of(inCalls), of(inErrors), money.Nano(of(inCost))
	f.Usage = llm.Usage{
		Input: of(inInput), CacheRead: of(inCacheRead), CacheWrite: of(inCacheWrite) - of(inWrite1h), CacheWrite1h: of(inWrite1h), Output: of(inOutput), Reasoning: of(inReasoning),
	}
	if t[inDuration] != nil && f.Calls > 0 {
		f.Duration = new(time.Duration(math.Float64frombits(uint64(of(inDuration))) / float64(f.Calls)))
	}
	if n := of(inScored); n > 0 {
		f.Score = new(math.Float64frombits(uint64(of(inScore))) / float64(n))
	}
	return f
}

// sumOf adds some places up.
func (t *totals) sumOf(places []int) query.Figures {
	var all totals
	for c := range t {
		if t[c] == nil {
			continue
		}
		all[c] = make([]int64, 1)
		for _, p := range places {
			all.add(c, 0, t[c][p])
		}
	}
	return all.figures(0)
}

// fromHours answers an aggregate from what hours answer; it is not done if there are too many groups.
func (x *Index) fromHours(ctx context.Context, a query.Aggregate, out *query.Aggregation) (done bool, err error) {
	if !byHour(a) {
		return false, nil
	}
	err = x.putTogether(ctx, a, out)
	if errors.Is(err, errManyCells) {
		*out = query.Aggregation{}
		return false, nil
	}
	return err == nil, err
}

func (x *Index) putTogether(ctx context.Context, a query.Aggregate, out *query.Aggregation) error {
	s, err := x.hourly(ctx, a)
	if err != nil {
		return err
	}
	all := s.perGroup()
	r := ranking{a: a, all: &all, names: s.names}
	for id := range s.names {
		if all[inCalls][id] > 0 {
			r.order = append(r.order, id)
		}
	}
	if len(r.order) == 0 {
		return nil
	}
	if out.Totals = all.sumOf(r.order); manyfold(a) {
		if out.Totals, err = x.once(ctx, a); err != nil {
			return err
		}
	}
	values, err := x.rankValues(ctx, &r, out.Totals.Calls)
	if err != nil {
		return err
	}
	r.sort(values)
	out.Series = r.seriesOf(s)
	return x.addQuantiles(ctx, &r, out)
}

// manyfold reports whether a span may be in several groups.
func manyfold(a query.Aggregate) bool {
	return a.GroupBy != nil && a.GroupBy.Type == query.List || a.ThenBy != nil && a.ThenBy.Type == query.List
}

// once counts each span once.
func (x *Index) once(ctx context.Context, a query.Aggregate) (query.Figures, error) {
	a.GroupBy, a.ThenBy = nil, nil
	s, err := x.hourly(ctx, a)
	if err != nil || len(s.names) == 0 {
		return query.Figures{}, err
	}
	all := s.perGroup()
	return all.figures(0), nil
}

// ranking is the groups there are, the largest first.
type ranking struct {
	a     query.Aggregate
	all   *totals
	names []groupKey
	order []int // ids
}

func (r *ranking) limit() int {
	if r.a.Limit <= 0 {
		return query.DefaultGroups
	}
	return r.a.Limit
}

// sort puts the largest first, as many as are shown; values are those of a quantile, nil if groups are ordered by another
// measure.
func (r *ranking) sort(values map[int]float64) {
	value := func(id int) (float64, bool) {
		if values != nil {
			v, ok := values[id]
			return v, ok
		}
		return r.all.figures(id).Value(r.a.Measure, time.Minute)
	}
	rows := make([]rankedGroup, len(r.order))
	for i, id := range r.order {
		rows[i].at, rows[i].groupKey = id, r.names[id]
		rows[i].v, rows[i].ok = value(id)
	}
	rows = largest(rows, r.limit(), rankedGroup.before)
	for i := range rows {
		r.order[i] = rows[i].at
	}
}

type rankedGroup struct {
	groupKey
	at int
	v  float64
	ok bool
}

func (p rankedGroup) before(q rankedGroup) bool {
	switch {
	case p.ok != q.ok:
		return p.ok
	case p.v != q.v:
		return p.v > q.v
	case p.g != q.g:
		return p.g < q.g
	}
	return p.h < q.h
}

// largest moves the first n of an order to the front, sorted; the others follow as they are.
func largest[T any](rows []T, n int, before func(a, b T) bool) []T {
	n = min(n, len(rows))
	for i := range rows {
		if i >= n && !before(rows[i], rows[n-1]) {
			continue
		}
		v, end := rows[i], i
		if i >= n {
			rows[i], end = rows[n-1], n-1
		}
		at := sort.Search(end, func(j int) bool { return before(v, rows[j]) })
		copy(rows[at+1:end+1], rows[at:end])
		rows[at] = v
	}
	return rows
}

// seriesOf are the figures of the largest groups and of the rest, and their points.
func (r *ranking) seriesOf(s hourly) (out []query.Series) {
	named := r.order[:min(r.limit(), len(r.order))]
	for _, id := range named {
		out = append(out, query.Series{Group: r.names[id].g, Then: r.names[id].h, Totals: r.all.figures(id)})
	}
	if len(named) < len(r.order) {
		out = append(out, query.Series{Other: true, Totals: r.all.sumOf(r.order[len(named):])})
	}
	if r.a.Interval > 0 {
		s.points(int64(r.a.Interval), r.places(), out)
	}
	return out
}

// places are the indexes of the series of each id.
func (r *ranking) places() []int {
	at := make([]int, len(r.names))
	for i := range at {
		at[i] = r.limit()
	}
	for i, id := range r.order[:min(r.limit(), len(r.order))] {
		at[id] = i
	}
	return at
}

// points fills the intervals of series; place is that of each id.
func (s hourly) points(interval int64, place []int, out []query.Series) {
	var t totals
	for _, c := range s.columns {
		t[c] = make([]int64, len(out))
	}
	flush := func(at int64) {
		for i := range out {
			if t[inCalls][i] > 0 {
				out[i].Points = append(out[i].Points, query.Point{Time: timeOf(at * interval), Figures: t.figures(i)})
			}
		}
		for _, c := range s.columns {
			clear(t[c])
		}
	}
	inOrder(s.blocks, s.part, interval, func(b *block, j int) {
		for i, c := range s.columns {
			if b.vals[i] != nil {
				t.add(c, place[b.id[j]], b.vals[i][j])
			}
		}
	}, flush)
}

// inOrder goes through all cells, and calls flush at the end of each interval that has some.
func inOrder(blocks []*block, part, interval int64, take func(b *block, cell int), flush func(interval int64)) {
	now, some := int64(0), false
	for _, b := range blocks {
		for j, p := range b.part {
			at := floorDiv(int64(p)*part, interval)
			if some && at != now {
				flush(now)
			}
			now, some = at, true
			take(b, j)
		}
	}
	if some {
		flush(now)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

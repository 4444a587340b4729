package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/query"
)

// How values are spread is kept as counts: of each value while they are few, and otherwise of bands in which no value is
// further from another than a hundredth. Counts of hours add up, which quantiles do not.

// bandsPer is how many bands there are to a factor of e: the end of one is 0.995 % above its beginning.
const bandsPer = 101

// exactly reports whether so many values are kept as they are.
func (x *Index) exactly(n int64) bool { return n <= cmp.Or(x.kept.few, query.SampleOver) }

// bandOf is the number of a value's band.
func bandOf(v string) string {
	return fmt.Sprintf(`(CASE WHEN %[1]s < 1 THEN -1 ELSE floor(ln(%[1]s) * %[2]d) END)::SMALLINT`, v, bandsPer)
}

// band is values from one up to another.
type band struct {
	from, to float64
	n        int64
}

// spread counts values.
type spread struct {
	exact  bool
	n      int64
	counts []int64 // by band, the first is that below 1
	lo, hi int
	values []band
}

func (s *spread) add(bin, n int64) {
	s.n += n
	if s.exact {
		s.values = append(s.values, band{from: float64(bin), to: float64(bin), n: n})
		return
	}
	i := int(bin) + 1
	if i >= len(s.counts) {
		s.counts = append(s.counts, make([]int64, i+1-len(s.counts)+500)...)
	}
	if s.counts[i] += n; s.n == n {
		s.lo, s.hi = i, i
	}
	s.lo, s.hi = min(s.lo, i), max(s.hi, i)
}

func (s *spread) reset() {
	if s.n > 0 && !s.exact {
		clear(s.counts[s.lo : s.hi+1])
	}
	s.n, s.values = 0, s.values[:0]
}

// bands are what was counted, ascending.
func (s *spread) bands() []band {
	if s.exact {
		slices.SortFunc(s.values, func(a, b band) int { return cmp.Compare(a.from, b.from) })
		return s.values
	}
	s.values = s.values[:0]
	for i := s.lo; i <= s.hi && s.n > 0; i++ {
		switch n := s.counts[i]; {
		case n > 0 && i == 0:
			s.values = append(s.values, band{n: n})
		case n > 0:
			s.values = append(s.values, band{from: edge(i - 1), to: edge(i), n: n})
		}
	}
	return s.values
}

// edge is where a band begins.
func edge(band int) float64 { return math.Exp(float64(band) / bandsPer) }

// quantiles interpolate between values, and within a band as if those in it were spread evenly. There are none of nothing.
func (s *spread) quantiles(at []float64) []float64 {
	if s.n == 0 {
		return nil
	}
	w := walk{bands: s.bands()}
	out := make([]float64, len(at))
	for i, q := range at {
		place := q * float64(s.n-1)
		lo, hi := w.value(int64(math.Floor(place))), w.value(int64(math.Ceil(place)))
		out[i] = lo + (hi-lo)*(place-math.Floor(place))
	}
	return out
}

// walk finds values by their rank.
type walk struct {
	bands []band
	i     int
	below int64
}

func (w *walk) value(rank int64) float64 {
	if rank < w.below {
		w.i, w.below = 0, 0
	}
	for ; rank >= w.below+w.bands[w.i].n; w.i++ {
		w.below += w.bands[w.i].n
	}
	b := w.bands[w.i]
	return b.from + (b.to-b.from)*(float64(rank-w.below)+0.5)/float64(b.n)
}

// quantity is what quantiles are asked of.
type quantity struct {
	sql, and string
	at       []float64
	to       func(*query.Figures) []**time.Duration
}

var (
	took = quantity{sql: `"duration"`, at: []float64{0.5, 0.75, 0.9, 0.95, 0.99}, to: func(f *query.Figures) []**time.Duration {
		return []**time.Duration{&f.P50, &f.P75, &f.P90, &f.P95, &f.P99}
	}}
	firstToken = quantity{sql: `"ttft"`, and: `"ttft" > 0`, at: []float64{0.5, 0.95}, to: func(f *query.Figures) []**time.Duration {
		return []**time.Duration{&f.FirstP50, &f.FirstP95}
	}}
)

func (q quantity) set(f *query.Figures, values []float64) {
	for i, to := range q.to(f) {
		if i < len(values) {
			*to = new(time.Duration(values[i]))
		}
	}
}

// mostGroups is how many groups have counts of their own; of more, those shown have, and the rest together.
const mostGroups = 64

// counts asks for the counts of a quantity's values, of n in all.
func (x *Index) counts(ctx context.Context, q query.Query, what quantity, n, part int64, g, h *statement) (read, error) {
	s := shape{Query: q, and: what.and, bin: what.sql, part: part, g: g, h: h, tallies: []tally{{sql: `count(*)`}}}
	if !x.exactly(n) {
		s.bin = bandOf(what.sql)
	}
	return x.cells(ctx, s)
}

// rankValues are the quantiles by which groups are ordered, nil if they are ordered by another measure.
func (x *Index) rankValues(ctx context.Context, r *ranking, n int64) (map[int]float64, error) {
	at := slices.Index(byQuantile, r.a.Measure)
	if at < 0 {
		return nil, nil
	}
	if r.a.Lean { // then there are none, and names decide
		return map[int]float64{}, nil
	}
	if len(r.order) > mostGroups {
		return nil, errManyCells
	}
	what, i := took, at
	if at >= len(took.at) {
		what, i = firstToken, at-len(took.at)
	}
	place := make(map[groupKey]int, len(r.order))
	for _, id := range r.order {
		place[r.names[id]] = id
	}
	g, h := grouping(r.a)
	c, err := x.counts(ctx, r.a.Query, what, n, partOf(r.a.Interval), g, h)
	if err != nil {
		return nil, err
	}
	t := newTable(len(r.names), x.exactly(n))
	t.all(c, place, -1)
	out := map[int]float64{}
	for id := range t.rows {
		if v := t.rows[id].quantiles(what.at); v != nil {
			out[id] = v[i]
		}
	}
	return out, nil
}

// addQuantiles completes the figures.
func (x *Index) addQuantiles(ctx context.Context, r *ranking, out *query.Aggregation) error {
	d := depthOf(r.a)
	if d.took {
		if err := x.addQuantilesOf(ctx, r, took, out); err != nil {
			return err
		}
	}
	if d.first {
		return x.addQuantilesOf(ctx, r, firstToken, out)
	}
	return nil
}

func (x *Index) addQuantilesOf(ctx context.Context, r *ranking, what quantity, out *query.Aggregation) error {
	g, h, place, err := r.named()
	if err != nil {
		return err
	}
	n, part := out.Totals.Calls, partOf(r.a.Interval)
	c, err := x.counts(ctx, r.a.Query, what, n, part, g, h)
	if err != nil {
		return err
	}
	t := newTable(len(out.Series), x.exactly(n))
	t.all(c, place, r.limit())
	for i := range t.rows {
		what.set(&out.Series[i].Totals, t.rows[i].quantiles(what.at))
	}
	if r.a.Interval > 0 {
		t.points(c, place, r, part, what, out.Series)
	}
	if manyfold(r.a) {
		if c, err = x.counts(ctx, r.a.Query, what, n, part, nil, nil); err != nil {
			return err
		}
		t = newTable(1, x.exactly(n))
		t.all(c, nil, 0)
	}
	what.set(&out.Totals, t.sum.quantiles(what.at))
	return nil
}

// named groups as the ranking does if there are few groups, and else by the place of those shown. place is where each
// group goes; others are beyond the limit.
func (r *ranking) named() (g, h *statement, place map[groupKey]int, err error) {
	shown := r.order[:min(r.limit(), len(r.order))]
	place = make(map[groupKey]int, len(shown))
	g, h = grouping(r.a)
	if len(r.order) <= mostGroups {
		for i, id := range shown {
			place[r.names[id]] = i
		}
		return g, h, place, nil
	}
	if manyfold(r.a) {
		return nil, nil, nil, errManyCells
	}
	ids := slices.Clone(shown) // by name, so that the question is the same whatever their order
	slices.SortFunc(ids, func(a, b int) int {
		return cmp.Or(strings.Compare(r.names[a].g, r.names[b].g), strings.Compare(r.names[a].h, r.names[b].h))
	})
	s := new(statement).add(`CASE`)
	for i, id := range ids {
		s.add(` WHEN `).add(g.String(), g.args...).add(` = ?`, r.names[id].g)
		if r.a.ThenBy != nil {
			s.add(` AND `).add(h.String(), h.args...).add(` = ?`, r.names[id].h)
		}
		s.add(` THEN '` + strconv.Itoa(i) + `'`)
		place[groupKey{g: strconv.Itoa(i)}] = slices.Index(shown, id)
	}
	return s.add(` ELSE '' END`), new(statement).add(`''`), place, nil
}

// table is a spread per place, and that of all of them.
type table struct {
	rows []spread
	sum  spread
}

func newTable(n int, exact bool) table {
	t := table{rows: make([]spread, n), sum: spread{exact: exact}}
	for i := range t.rows {
		t.rows[i].exact = exact
	}
	return t
}

// placesOf are the places of ids; those that have none go to other, or nowhere if there is no such place.
func (t *table) placesOf(names []groupKey, place map[groupKey]int, other int) []int {
	out := make([]int, len(names))
	for i, name := range names {
		p, ok := place[name]
		if !ok {
			p = other
		}
		if p >= len(t.rows) { // a group that came up since the groups were read
			p = -1
		}
		out[i] = p
	}
	return out
}

// all counts all cells.
func (t *table) all(c read, place map[groupKey]int, other int) {
	at := t.placesOf(c.names, place, other)
	for _, b := range c.blocks {
		for j, bin := range b.bin {
			n := b.vals[0][j]
			t.sum.add(bin, n)
			if p := at[b.id[j]]; p >= 0 {
				t.rows[p].add(bin, n)
			}
		}
	}
}

// points sets the quantiles of the points there are.
func (t *table) points(c read, place map[groupKey]int, r *ranking, part int64, what quantity, out []query.Series) {
	at := t.placesOf(c.names, place, r.limit())
	for i := range t.rows {
		t.rows[i].reset()
	}
	next := make([]int, len(out))
	inOrder(c.blocks, part, int64(r.a.Interval), func(b *block, j int) {
		if p := at[b.id[j]]; p >= 0 {
			t.rows[p].add(b.bin[j], b.vals[0][j])
		}
	}, func(interval int64) {
		when := timeOf(interval * int64(r.a.Interval))
		for i := range t.rows {
			points := out[i].Points
			for next[i] < len(points) && points[next[i]].Time.Before(when) {
				next[i]++
			}
			if next[i] < len(points) && points[next[i]].Time.Equal(when) {
				what.set(&points[next[i]].Figures, t.rows[i].quantiles(what.at))
			}
			t.rows[i].reset()
		}
	})
}

package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"weir/internal/query"
)

// Most of what a chart shows is over and does not change. So a question is asked hour by hour, and what the whole hours
// answer is kept: asked again, it reads those in which spans were written since, and the hours that its time cuts.

// shape is such a question: what is computed of which spans, in which groups.
type shape struct {
	query.Query            // From and To are not part of it
	and         string     // a further condition
	g, h        *statement // groups; nil = one
	bin         string     // a whole number by which cells are apart as well; "" = none
	part        int64      // nanoseconds of a cell: an hour, or what divides it
	tallies     []tally
	reach       int64 // how many whole hours are kept; 0 = widest
}

// isSet reports whether only bins are asked for. Blocks have nothing else then, in order.
func (s shape) isSet() bool { return s.g == nil && s.bin != "" && len(s.tallies) == 0 }

// tally is one figure of a cell, and how those of several cells make one.
type tally struct {
	sql string
	op  merge
}

type merge int

const (
	addInts merge = iota // within what 64 bits hold
	addFloats
	most
)

func (m merge) of(a, b int64) int64 {
	switch m {
	case addFloats:
		return int64(math.Float64bits(math.Float64frombits(uint64(a)) + math.Float64frombits(uint64(b))))
	case most:
		return max(a, b)
	}
	return plus(a, b)
}

// plus is a sum, or the nearest there is.
func plus(a, b int64) int64 {
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// fits reports whether a selection can be asked by the hour: texts are looked for anew each time.
func fits(q query.Query) bool {
	return len(q.Found) == 0 && !query.Mentions(q.Filter, query.FieldNamed("start")) && (q.From.IsZero() || q.From.Unix() >= 0)
}

// block is what one hour answers: columns of cells. It does not change.
type block struct {
	hour int64
	at   uint64  // time of changes it was read at
	part []int32 // cells by their time since 1970
	id   []uint32
	bin  []int64
	vals [][]int64 // nil where all are zero
}

func (b *block) size() int64 {
	n := int64(unsafe.Sizeof(*b)) + 4*int64(len(b.part)+len(b.id)) + 8*int64(len(b.bin))
	for _, v := range b.vals {
		n += 24 + 8*int64(len(v))
	}
	return n
}

// pack drops what needs no memory.
func (b *block) pack() {
	b.part, b.id, b.bin = slices.Clip(b.part), slices.Clip(b.id), slices.Clip(b.bin)
	for i, v := range b.vals {
		if b.vals[i] = slices.Clip(v); !slices.ContainsFunc(v, func(n int64) bool { return n != 0 }) {
			b.vals[i] = nil
		}
	}
}

// answers are those of one shape that are kept.
type answers struct {
	turn  chan struct{} // held by the one who reads or adds to what follows
	ids   map[groupKey]uint32
	names []groupKey // by id; only added to
	hours map[int64]*block
	bytes int64

	used  uint64 // the rest belongs to kept
	size  int64
	unfit bool // there are too many groups to keep
}

// Bounds of what is kept, whatever is asked.
const (
	mostKept   = 64 << 20  // bytes in all
	mostShape  = 40 << 20  // bytes of one shape
	mostCells  = 1_500_000 // of one reading
	mostShapes = 300       // however small
)

// errManyCells: the question is better asked as a whole.
var errManyCells = errors.New("duckdb: too many groups to keep")

// kept are the answers of all shapes. The least recently used ones give way.
type kept struct {
	mu    sync.Mutex
	by    map[string]*answers
	clock uint64
	bytes int64

	few, room int64 // for tests: instead of query.SampleOver and mostShape, if they are not 0
}

func (k *kept) of(key string) (a *answers, unfit bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a = k.by[key]; a == nil {
		if k.by == nil {
			k.by = map[string]*answers{}
		}
		a = &answers{turn: make(chan struct{}, 1), ids: map[groupKey]uint32{}, hours: map[int64]*block{}}
		k.by[key] = a
	}
	k.clock++
	a.used = k.clock
	return a, a.unfit
}

// resize notes what answers take now and drops others until all is within bounds.
func (k *kept) resize(key string, a *answers, bytes int64, unfit bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by[key] != a {
		return // they gave way meanwhile
	}
	k.bytes += bytes - a.size
	a.size, a.unfit = bytes, unfit
	for k.bytes > mostKept || len(k.by) > mostShapes {
		oldest := ""
		for name, o := range k.by {
			if o != a && (oldest == "" || o.used < k.by[oldest].used) {
				oldest = name
			}
		}
		if oldest == "" {
			return
		}
		k.bytes -= k.by[oldest].size
		delete(k.by, oldest)
	}
}

// read is what a shape answers over some time: cells of blocks in order of time, whose ids are indexes of names.
type read struct {
	names  []groupKey
	blocks []*block
}

// cells asks a shape over the time of its query.
func (x *Index) cells(ctx context.Context, s shape) (r read, err error) {
	key := s.key()
	a, unfit := x.kept.of(key)
	if unfit {
		return r, errManyCells
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return r, ctx.Err()
	}
	r, unfit, err = x.fillWithin(ctx, s, a)
	x.kept.resize(key, a, a.bytes, unfit)
	return r, err
}

// perShape is how many bytes the answers of one shape may have.
func (k *kept) perShape() int64 { return cmp.Or(k.room, mostShape) }

// fillWithin fills and keeps to the bounds. Groups that are no more take room, so that it is begun anew where there is
// too little; what is too much by itself is unfit.
func (x *Index) fillWithin(ctx context.Context, s shape, a *answers) (r read, unfit bool, err error) {
	w := windowOf(s.Query, cmp.Or(s.reach, widest))
	anew := len(a.hours) == 0
	r, err = x.fill(ctx, s, a, w)
	if errors.Is(err, errManyCells) && !anew {
		anew = true
		a.empty()
		r, err = x.fill(ctx, s, a, w)
	}
	if a.bytes > x.kept.perShape() {
		a.forget(func(b *block) bool { return b.hour < w.first || b.hour >= w.last })
	}
	full := errors.Is(err, errManyCells) || a.bytes > x.kept.perShape()
	if full {
		a.empty()
	}
	return r, full && anew, err
}

func (a *answers) empty() {
	a.ids, a.names, a.bytes = map[groupKey]uint32{}, nil, 0
	clear(a.hours)
}

func (a *answers) forget(which func(*block) bool) {
	for h, b := range a.hours {
		if which(b) {
			a.bytes -= b.size()
			delete(a.hours, h)
		}
	}
}

// fill reads what is not kept, or not as it is now.
func (x *Index) fill(ctx context.Context, s shape, a *answers, w window) (read, error) {
	at := x.changed.time()
	stale := stretches(w, func(see func(h int64)) {
		x.changed.each(query.Cut(string(s.Project)), w.first, w.last, func(h int64, changed uint64) {
			if b := a.hours[h]; b == nil || b.at < changed {
				see(h)
			}
		})
	})
	fresh, err := x.scan(ctx, s, a, stale)
	if err != nil {
		return read{}, err
	}
	out := read{}
	for _, r := range stale {
		for h := max(hourOf(r.from), w.first); h < w.last && h*hour < r.to; h++ {
			b := fresh[h]
			if b == nil {
				b = &block{hour: h}
			}
			b.at = at
			if was := a.hours[h]; was != nil {
				a.bytes -= was.size()
			}
			a.hours[h] = b
			a.bytes += b.size()
			delete(fresh, h)
		}
	}
	for _, b := range fresh { // parts of hours
		out.blocks = append(out.blocks, b)
	}
	for h := w.first; h < w.last; h++ {
		if b := a.hours[h]; len(b.id)+len(b.bin) > 0 {
			out.blocks = append(out.blocks, b)
		}
	}
	slices.SortFunc(out.blocks, func(p, q *block) int { return int(p.hour - q.hour) })
	out.names = a.names[:len(a.names):len(a.names)]
	return out, nil
}

// scan reads cells of some time.
func (x *Index) scan(ctx context.Context, s shape, a *answers, when []stretch) (map[int64]*block, error) {
	out := map[int64]*block{}
	if len(when) == 0 {
		return out, nil
	}
	b := builder{s: s, a: a, out: out, room: x.kept.perShape()}
	if err := x.vectors(ctx, s.statement(when), b.take); err != nil {
		return nil, err
	}
	for _, b := range out {
		if b.pack(); s.isSet() {
			slices.Sort(b.bin)
		}
	}
	return out, nil
}

// key tells shapes apart.
func (s shape) key() string {
	st := s.statement(nil)
	return fmt.Sprintf("%s\x00%q", st.String(), st.args)
}

// statement asks for cells: time, groups, bin, tallies.
func (s shape) statement(when []stretch) *statement {
	t := fmt.Sprintf(`"start" // %d`, s.part)
	if s.From.IsZero() { // the remainder of a time before 1970 is negative
		t = fmt.Sprintf(`("start" - (("start" %% %[1]d + %[1]d) %% %[1]d)) // %[1]d`, s.part)
	}
	keys := []string{"t"}
	st := new(statement).add(`SELECT ` + t + ` AS t`)
	if s.g != nil {
		st.add(`, g, h`)
		keys = append(keys, "g", "h")
	}
	if s.bin != "" {
		st.add(`, (` + s.bin + `)::BIGINT AS bin`)
		keys = append(keys, "bin")
	}
	for _, t := range s.tallies {
		st.add(`, ` + t.sql)
	}
	st.add(` FROM `).selected(s, when)
	st.add(` GROUP BY ` + strings.Join(keys, ", "))
	if s.part < hour {
		st.add(` ORDER BY t`)
	}
	return st.add(fmt.Sprintf(` LIMIT %d`, mostCells+1))
}

// selected writes the spans of a shape with their groups.
func (st *statement) selected(s shape, when []stretch) *statement {
	q := s.Query
	q.From, q.To = time.Time{}, time.Time{}
	if s.g == nil {
		st.add(`spans WHERE `)
	} else {
		st.add(`(SELECT *, `).add(s.g.String(), s.g.args...).add(` AS g, `).add(s.h.String(), s.h.args...).add(` AS h FROM spans WHERE `)
	}
	st.where(q).during(when)
	if s.and != "" {
		st.add(` AND ` + s.and)
	}
	if s.g != nil {
		st.add(`)`)
	}
	return st
}

// builder makes blocks of a result.
type builder struct {
	s     shape
	a     *answers
	out   map[int64]*block
	room  int64
	cells int
	last  *block
}

func (b *builder) take(v vectors) error {
	b.cells += v.rows
	if b.cells > mostCells || b.a.bytes+int64(b.cells*(8+8*len(b.s.tallies))) > b.room {
		return errManyCells
	}
	column := 0
	next := func() []int64 { column++; return v.numbersAt(column - 1) }
	parts := next()
	ids := make([]uint32, v.rows)
	if b.s.g != nil {
		b.a.identify(ids, v.textsAt(1), v.textsAt(2))
		column += 2
	} else if len(b.a.names) == 0 {
		b.a.names = append(b.a.names, groupKey{})
	}
	var bins []int64
	if b.s.bin != "" {
		bins = next()
	}
	vals := make([][]int64, len(b.s.tallies))
	for i := range vals {
		vals[i] = next()
	}
	for i, t := range parts {
		to := b.block(hourOf(t * b.s.part))
		if bins != nil {
			to.bin = append(to.bin, bins[i])
		}
		if b.s.isSet() {
			continue
		}
		to.part, to.id = append(to.part, int32(t)), append(to.id, ids[i])
		for c := range vals {
			to.vals[c] = append(to.vals[c], vals[c][i])
		}
	}
	return nil
}

func (b *builder) block(h int64) *block {
	if b.last == nil || b.last.hour != h {
		if b.last = b.out[h]; b.last == nil {
			b.last = &block{hour: h, vals: make([][]int64, len(b.s.tallies))}
			b.out[h] = b.last
		}
	}
	return b.last
}

// identify gives groups their numbers.
func (a *answers) identify(to []uint32, g, h []text) {
	for i := range to {
		id, ok := a.ids[groupKey{g[i].view(), h[i].view()}]
		if !ok {
			k := groupKey{strings.Clone(g[i].view()), strings.Clone(h[i].view())}
			id = uint32(len(a.names))
			a.ids[k], a.names = id, append(a.names, k)
			a.bytes += int64(len(k.g)+len(k.h)) + 120
		}
		to[i] = id
	}
}

package fulltext

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Search implements query.Texts. The newest day comes first, within a day what was received last. It yields only spans
// that hold all needles now. Where there are several needles, those that come in with different spans are found at the
// latest of them within a session or trace, after what else the day has.
func (s *Service) Search(ctx context.Context, q query.TextQuery, yield func(span.Key) bool) error {
	r := &run{s: s, q: q, yield: yield, workers: workers(), seen: map[name]bool{}}
	for _, n := range q.Needles {
		f := needleOf(n.Text)
		if len(f) == 0 {
			return fault.New(fault.Invalid, "a text to search for is empty")
		}
		r.needles = append(r.needles, needle{n, f, needleRows(f)})
	}
	if len(r.needles) == 0 {
		return fault.New(fault.Invalid, "a text to search for is missing")
	}
	complete := s.wait(ctx, s.store.Committed())
	if err := r.days(ctx); err != nil {
		return err
	}
	if !complete && !r.stopped {
		return ErrPartial
	}
	return nil
}

// needle is what is searched for, folded, and the rows of its n-grams. Without rows every block passes.
type needle struct {
	query.Needle
	text []byte
	rows []uint16
}

// wants reports whether a kind of document belongs to the part that is searched.
func (n *needle) wants(k docKind) bool {
	switch n.Part {
	case query.InputText:
		return k == inputDoc
	case query.OutputText:
		return k == outputDoc
	}
	return true
}

// run is one search.
type run struct {
	s       *Service
	q       query.TextQuery
	needles []needle
	workers int
	yield   func(span.Key) bool
	stopped bool // by the receiver

	at   home
	seen map[name]bool // of the day: yielded, or looked at in vain
}

// days searches memory and store day by day. What is in memory is looked at before the store is, so that nothing slips
// through while it is being written.
func (r *run) days(ctx context.Context) error {
	held := r.s.heldOf(r.q.Project)
	days, err := r.s.store.TextDays(ctx, r.q.Project)
	if err != nil {
		return err
	}
	for day := range held {
		if !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	slices.SortFunc(days, func(a, b span.Day) int { return int(int64(b) - int64(a)) })
	for _, day := range days {
		if !r.covers(day) {
			continue
		}
		r.at = home{r.q.Project, day}
		clear(r.seen)
		if err := r.day(ctx, held[day]); err != nil || r.stopped {
			return err
		}
	}
	return nil
}

func (r *run) covers(d span.Day) bool {
	return (r.q.From.IsZero() || d >= span.DayOf(r.q.From)) && (r.q.To.IsZero() || d.Time().Before(r.q.To))
}

func (s *Service) heldOf(p tenant.ProjectID) map[span.Day]*pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[span.Day]*pending{}
	for at, held := range s.tail.days {
		if at.project == p {
			out[at.day] = held.view()
		}
	}
	return out
}

// day searches by the needle that the fewest blocks pass, and then for the others where that one was found.
func (r *run) day(ctx context.Context, held *pending) error {
	headers, err := headersOf(ctx, r.s.store, r.at)
	if err != nil {
		return err
	}
	slices.Reverse(headers)
	parts := make([][]part, len(r.needles))
	first := 0
	for i := range r.needles {
		if parts[i], err = r.parts(ctx, headers, &r.needles[i]); err != nil {
			return err
		}
		if blocksOf(parts[i]) < blocksOf(parts[first]) {
			first = i
		}
	}
	if len(r.needles) == 1 {
		return r.by(ctx, &r.needles[0], held, parts[0], nil, nil)
	}
	near := &vicinity{sessions: map[uint32]bool{}, traces: map[string]bool{}}
	if err := r.by(ctx, &r.needles[first], held, parts[first], nil, near); err != nil || r.stopped || near.empty() {
		return err
	}
	for i := range r.needles {
		if i == first {
			continue
		}
		if err := r.by(ctx, &r.needles[i], held, parts[i], near, nil); err != nil || r.stopped {
			return err
		}
	}
	return nil
}

// vicinity is where a needle was found.
type vicinity struct {
	sessions map[uint32]bool
	traces   map[string]bool
}

func (v *vicinity) empty() bool { return len(v.sessions) == 0 && len(v.traces) == 0 }

// note takes in a place; near may be nil.
func (v *vicinity) note(d *doc, n name) {
	if v == nil {
		return
	}
	v.traces[n.trace] = true
	if d.kind != recordDoc && d.place.Session != 0 {
		v.sessions[d.place.Session] = true
	}
}

// allows reports whether a document is near: of a session or trace in which the other needle was found. Everything is
// near where there is no other. The session of a record is not known here.
func (v *vicinity) allows(d *doc, names []name) bool {
	if v == nil {
		return true
	}
	if d.kind != recordDoc && d.place.Session != 0 && v.sessions[d.place.Session] {
		return true
	}
	return d.span < len(names) && v.traces[names[d.span].trace]
}

// part is a segment with the blocks that may hold a needle.
type part struct {
	header
	candidates []int
}

func blocksOf(parts []part) (n int) {
	for _, p := range parts {
		n += len(p.candidates)
	}
	return n
}

func (r *run) parts(ctx context.Context, headers []header, n *needle) (out []part, err error) {
	var set columns
	for i, h := range headers {
		if i == 0 || h.set != headers[i-1].set {
			if set, err = passing(ctx, r.s.store, r.at, h, n.rows); err != nil {
				return nil, err
			}
		}
		p := part{header: h}
		for b := range h.blocks {
			if set.has(h.col + b) {
				p.candidates = append(p.candidates, b)
			}
		}
		if len(p.candidates) > 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// by finds spans by one needle. Where within is set, only documents near are read; what is found is noted in near.
func (r *run) by(ctx context.Context, n *needle, held *pending, parts []part, within, near *vicinity) error {
	if held != nil {
		var hits []hit
		for i := range held.docs {
			if d := &held.docs[i]; n.wants(d.kind) && within.allows(d, held.names) && bytes.Contains(d.text, n.text) {
				hits = append(hits, hit{doc: *d, name: held.names[d.span]})
			}
		}
		if err := r.emit(ctx, n, hits, near); err != nil || r.stopped {
			return err
		}
	}
	for window := 32; len(parts) > 0; window = min(2*window, 1024) {
		k, blocks := 0, 0
		for k < len(parts) && (k == 0 || blocks < window) {
			blocks += len(parts[k].candidates)
			k++
		}
		if err := r.window(ctx, n, parts[:k], within, near); err != nil || r.stopped {
			return err
		}
		parts = parts[k:]
	}
	return nil
}

// hit is a document that holds a needle.
type hit struct {
	doc
	name name
}

// window searches a few segments at once and passes on what they have in order.
func (r *run) window(ctx context.Context, n *needle, parts []part, within, near *vicinity) error {
	found := make([][][]doc, len(parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers)
	for i, p := range parts {
		var names []name
		if within != nil {
			var err error
			if names, err = namesIn(ctx, r.s.store, r.at, p.header); err != nil {
				return err
			}
		}
		wanted := func(d doc) bool { return n.wants(d.kind) && within.allows(&d, names) }
		found[i] = make([][]doc, len(p.candidates))
		for j, b := range p.candidates {
			g.Go(func() (err error) {
				found[i][j], err = r.scan(gctx, n, p.header, b, wanted)
				return err
			})
		}
	}
	late := g.Wait()
	if late != nil {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return late
		}
		var cancel context.CancelFunc // what was found before time ran out is passed on
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
	}
	for i, p := range parts {
		hits, err := r.named(ctx, p.header, slices.Concat(found[i]...))
		if err == nil {
			err = r.emit(ctx, n, hits, near)
		}
		if r.stopped {
			return nil
		}
		if err != nil {
			return cmp.Or(late, err)
		}
	}
	return late
}

// grace is how long passing on what was found may take beyond the deadline of a search.
const grace = 200 * time.Millisecond

// scan finds the wanted documents of a block that hold a needle.
func (r *run) scan(ctx context.Context, n *needle, h header, block int, wanted func(doc) bool) (hits []doc, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var bodies []doc
	_, err = r.s.store.Text(ctx, r.at.project, r.at.day, key(kindBlock, h.id, block), func(v []byte) error {
		docs, err := readBlock(v)
		if err != nil || len(docs) == 0 {
			return err
		}
		if docs[0].kind != recordDoc {
			bodies = slices.DeleteFunc(docs, func(d doc) bool { return !wanted(d) })
			return nil
		}
		if n.wants(recordDoc) {
			hits = slices.DeleteFunc(records(docs, n.text), func(d doc) bool { return !wanted(d) })
		}
		return nil
	})
	if err != nil || len(bodies) == 0 {
		return hits, err
	}
	t := texts.Get().(*text)
	defer texts.Put(t)
	err = r.s.store.Contents(ctx, r.at.project, r.at.day, placesOf(bodies), func(i int, b []byte) bool {
		if bytes.Contains(t.of(b, bodies[i].skeleton), n.text) {
			hits = append(hits, bodies[i])
		}
		return true
	})
	return hits, err
}

// records finds a needle in the texts of records, which lie one after the other in memory.
func records(docs []doc, needle []byte) (hits []doc) {
	size := 0
	ends := make([]int, len(docs))
	for i := range docs {
		size += docs[i].length
		ends[i] = size
	}
	all := docs[0].text[:size]
	for from := 0; from < size; {
		at := bytes.Index(all[from:], needle)
		if at < 0 {
			return hits
		}
		i := sort.SearchInts(ends, from+at+1)
		if from+at+len(needle) <= ends[i] {
			d := docs[i]
			d.text = nil
			hits = append(hits, d)
			from = ends[i]
		} else { // across two records
			from += at + 1
		}
	}
	return hits
}

// named resolves the spans of hits in one segment, the newest first.
func (r *run) named(ctx context.Context, h header, docs []doc) (hits []hit, err error) {
	slices.SortStableFunc(docs, func(a, b doc) int { return b.span - a.span })
	chunk, names := -1, []name(nil)
	for _, d := range docs {
		if c := d.span / namesPerChunk; c != chunk {
			chunk, names = c, nil
			_, err := r.s.store.Text(ctx, r.at.project, r.at.day, key(kindSpans, h.id, c), func(v []byte) error {
				names, err = readNames(v)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		if i := d.span % namesPerChunk; i < len(names) && names[i] != (name{}) {
			hits = append(hits, hit{d, names[i]})
		}
	}
	return hits, nil
}

// spansPerRead is how many spans are looked at together before they are passed on.
const spansPerRead = 16

// emit passes on the spans of hits on a needle that hold all needles.
func (r *run) emit(ctx context.Context, by *needle, hits []hit, near *vicinity) error {
	slices.SortStableFunc(hits, func(a, b hit) int { return b.span - a.span })
	var keys []span.Key
	for i := range hits {
		near.note(&hits[i].doc, hits[i].name)
		if n := hits[i].name; !r.seen[n] {
			r.seen[n] = true
			hits[len(keys)] = hits[i]
			keys = append(keys, span.Key{Trace: n.trace, Span: n.span, Day: r.at.day})
		}
	}
	kinds := make(map[name]docKind, len(keys))
	for i := range keys {
		kinds[hits[i].name] = hits[i].kind
	}
	for part := range slices.Chunk(keys, spansPerRead) {
		spans, err := r.s.store.Spans(ctx, r.at.project, part)
		if err != nil {
			return err
		}
		for _, sp := range spans {
			ok, err := r.holdsAll(ctx, sp, by, kinds[name{sp.Trace, sp.ID}])
			if err != nil {
				return err
			}
			if ok && !r.yield(span.Key{Trace: sp.Trace, Span: sp.ID, Day: sp.Day}) {
				r.stopped = true
				return nil
			}
		}
	}
	return nil
}

// holdsAll looks for the needle that was found where it was, since the span may have changed.
func (r *run) holdsAll(ctx context.Context, sp *span.Span, by *needle, kind docKind) (bool, error) {
	for i := range r.needles {
		first := recordDoc
		if n := &r.needles[i]; n == by {
			first = kind
		}
		ok, err := r.s.holds(ctx, sp, &r.needles[i], first)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

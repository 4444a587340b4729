package fulltext

import (
	"context"
	"slices"

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
		made := newNeedle(n)
		if len(made.text) == 0 {
			return fault.New(fault.Invalid, "a text to search for is empty")
		}
		r.needles = append(r.needles, made)
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

func (r *run) day(ctx context.Context, held *pending) error {
	headers, err := headersOf(ctx, r.s.store, r.at)
	if err != nil {
		return err
	}
	slices.Reverse(headers)
	if len(r.needles) == 1 {
		return r.alone(ctx, held, setsOf(headers))
	}
	return r.together(ctx, held, setsOf(headers))
}

// alone finds one needle, in the newest sets first.
func (r *run) alone(ctx context.Context, held *pending, sets [][]header) error {
	n := &r.needles[0]
	if err := r.inMemory(ctx, n, held, nil, nil); err != nil || r.stopped {
		return err
	}
	for some := 1; len(sets) > 0; some *= 2 {
		some = min(some, len(sets))
		parts, err := r.parts(ctx, sets[:some], n)
		if err == nil {
			err = r.stored(ctx, n, parts, nil, nil)
		}
		if err != nil || r.stopped {
			return err
		}
		sets = sets[some:]
	}
	return nil
}

// together searches by the needle that the fewest blocks pass, and then for the others where that one was found.
func (r *run) together(ctx context.Context, held *pending, sets [][]header) (err error) {
	parts := make([][]part, len(r.needles))
	first := 0
	for i := range r.needles {
		if parts[i], err = r.parts(ctx, sets, &r.needles[i]); err != nil {
			return err
		}
		if blocksOf(parts[i]) < blocksOf(parts[first]) {
			first = i
		}
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

// by finds spans by one needle. Where within is set, only documents near are read; what is found is noted in near.
func (r *run) by(ctx context.Context, n *needle, held *pending, parts []part, within, near *vicinity) error {
	if err := r.inMemory(ctx, n, held, within, near); err != nil || r.stopped {
		return err
	}
	return r.stored(ctx, n, parts, within, near)
}

func (r *run) inMemory(ctx context.Context, n *needle, held *pending, within, near *vicinity) error {
	if held == nil {
		return nil
	}
	var hits []hit
	for i := range held.docs {
		if d := &held.docs[i]; n.wants(d.kind) && within.allows(d, held.names) && n.in(d.text) {
			hits = append(hits, hit{doc: *d, name: held.names[d.span]})
		}
	}
	return r.emit(ctx, n, hits, near)
}

// stored searches segments, a few at a time and then more.
func (r *run) stored(ctx context.Context, n *needle, parts []part, within, near *vicinity) error {
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

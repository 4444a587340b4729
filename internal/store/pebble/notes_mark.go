package pebble

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// head says that a trace has notes, and which of its spans shows the scores of the trace: the earliest without a
// parent, else the earliest of all.
type head struct {
	Root  string `json:"r,omitempty"` // "" while no span is known
	Start int64  `json:"s,omitempty"` // unix nanoseconds
	Free  bool   `json:"f,omitempty"` // has no parent
	// Known: spans that were there before the first note have been looked at; later ones are looked at as they come.
	Known bool `json:"k,omitempty"`
}

// take makes sp the root if it is a better one, or is the root already.
func (h *head) take(sp *span.Span) (changed bool) {
	free, start := sp.Parent == "", sp.Start.UnixNano()
	if h.Root != "" && h.Root != sp.ID && !h.loses(free, start, sp.ID) {
		return false
	}
	next := head{Root: sp.ID, Start: start, Free: free, Known: h.Known}
	changed = *h != next
	*h = next
	return changed
}

func (h *head) loses(free bool, start int64, id string) bool {
	if free != h.Free {
		return free
	}
	return cmp.Or(cmp.Compare(start, h.Start), cmp.Compare(id, h.Root)) < 0
}

func readHead(r pebble.Reader, key []byte) (*head, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, broken(err)
	}
	defer func() { _ = closer.Close() }()
	h := new(head)
	return h, readNote(v, h)
}

// writeNote runs fill on a batch that goes in between commits, and has the index see the span that shows the change.
// key is that of the note where it is there already.
func (s *Store) writeNote(ctx context.Context, p tenant.ProjectID, t span.Target, key []byte, fill func(noteSlot, *pebble.Batch) error) error {
	for {
		drops := s.drops.Load()
		slot, err := s.noteSlot(p, t, key)
		if err != nil {
			return err
		}
		done, err := s.tryNote(ctx, drops, slot, t, fill)
		if err != nil {
			return err
		}
		if done {
			return s.findRoot(ctx, slot)
		}
		key = nil // the day was dropped, and the note with it
	}
}

// noteSlot is where a note is, or belongs.
func (s *Store) noteSlot(p tenant.ProjectID, t span.Target, key []byte) (noteSlot, error) {
	today := span.DayOf(s.o.Now())
	switch {
	case t.Trace != "":
		h, err := s.home(p, string(traceKey(p, t.Trace)), today)
		return slotOf(p, h.day, t), err
	case key != nil:
		return slotOf(p, dayOfNote(key, p), t), nil
	}
	return slotOf(p, today, t), nil
}

func (s *Store) tryNote(ctx context.Context, drops uint64, slot noteSlot, t span.Target, fill func(noteSlot, *pebble.Batch) error) (done bool, err error) {
	b := s.db.NewBatch()
	if err := fill(slot, b); err != nil {
		_ = b.Close()
		return false, err
	}
	// The step may outlive an impatient caller, so the batch is closed behind it, or not at all.
	var upto uint64
	err = s.exclusive(ctx, func() error {
		if s.drops.Load() != drops {
			return nil
		}
		done = true
		defer func() { upto = s.seq }()
		if slot.trace == "" {
			return s.applyNote(b, binary.BigEndian.AppendUint32(talkKey(slot.project, t.Session), uint32(slot.day)), nil, nil)
		}
		return s.noteTrace(b, slot)
	})
	if err == nil && done {
		err = s.guard(ctx, func() error { return errors.Join(s.syncWait(b, upto), b.Close()) })
	}
	return done, err
}

// syncWait waits until a batch is on disk, and the queue up to a position with it.
func (s *Store) syncWait(b *pebble.Batch, upto uint64) error {
	if err := b.SyncWait(); err != nil {
		return broken(err)
	}
	raise(&s.committed, upto)
	return nil
}

// noteTrace adds the trace's home and head, and the queue entry of the span that shows the note; the gate is held.
func (s *Store) noteTrace(b *pebble.Batch, slot noteSlot) error {
	at := rootKey(slot.project, slot.day, slot.trace)
	h, err := readHead(s.db, at)
	if err != nil {
		return err
	}
	var value []byte
	if h == nil {
		h = new(head)
		value = jsonx.MustMarshal(h)
	}
	home := traceKey(slot.project, slot.trace)
	if err := b.Set(home, binary.BigEndian.AppendUint32(nil, uint32(slot.day)), nil); err != nil {
		return broken(err)
	}
	shows := cmp.Or(slot.span, h.Root)
	var again []byte
	if shows != "" {
		again = spanKey(slot.project, slot.day, slot.trace, shows)
	}
	if err := s.applyNote(b, at, value, again); err != nil {
		return err
	}
	s.homes.markStored(string(home), slot.day)
	return nil
}

// applyNote sets one more key, unless it is one of a head that stays (value is nil), queues a span if it is stored, and
// applies the batch; the gate is held.
func (s *Store) applyNote(b *pebble.Batch, key, value, again []byte) error {
	if value != nil || key[0] == prefixTalk {
		if err := b.Set(key, value, nil); err != nil {
			return broken(err)
		}
	}
	seq := s.seq
	if again != nil {
		stored, err := s.has(again)
		if err != nil {
			return err
		}
		if stored {
			seq++
			if err := errors.Join(b.Set(seqKey(prefixQueue, seq), again, nil), b.Set(metaSeq, binary.BigEndian.AppendUint64(nil, seq), nil)); err != nil {
				return broken(err)
			}
		}
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return broken(err)
	}
	s.noted.Store(true)
	if seq != s.seq {
		s.recent.add(seq, nil, 0)
		s.seq = seq
	}
	return nil
}

// findRoot looks through the spans that were there before the first note.
func (s *Store) findRoot(ctx context.Context, slot noteSlot) error {
	if slot.trace == "" {
		return nil
	}
	at := rootKey(slot.project, slot.day, slot.trace)
	h, err := readHead(s.db, at)
	if err != nil || h == nil || h.Known {
		return err
	}
	var best head
	var root *span.Span
	lower := spansOf(slot.project, slot.day, slot.trace)
	err = s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
		sp, _, err := decode(k, v)
		if err == nil && best.take(sp) {
			root = sp
		}
		return true, err
	})
	if err != nil {
		return err
	}
	return s.exclusive(ctx, func() error {
		h, err := readHead(s.db, at)
		if err != nil || h == nil {
			return err
		}
		h.Known = true
		var again []byte
		if root != nil && h.take(root) {
			again = spanKey(slot.project, slot.day, slot.trace, root.ID)
		}
		b := s.db.NewBatch()
		defer func() { _ = b.Close() }()
		if err := s.applyNote(b, at, jsonx.MustMarshal(h), again); err != nil {
			return err
		}
		return s.syncWait(b, s.seq)
	})
}

// reroot keeps the heads of traces with notes in step with a write that is about to be numbered; the gate is held. A
// span that no longer shows the scores of its trace is queued again.
func (s *Store) reroot(w *write) error {
	if !s.noted.Load() {
		return nil
	}
	type place struct {
		p     tenant.ProjectID
		trace string
	}
	seen := map[place]*head{}
	old := map[place]string{}
	spans := w.spans
	for _, q := range spans {
		if q.span == nil || q.trace != "" && s.homes.isNew(q.trace) {
			continue
		}
		at := place{q.span.Project, q.span.Trace}
		h, ok := seen[at]
		if !ok {
			var err error
			if h, err = readHead(s.db, rootKey(at.p, q.span.Day, at.trace)); err != nil {
				return err
			}
			seen[at] = h
			if h != nil {
				old[at] = h.Root
			}
		}
		if h == nil || !h.take(q.span) {
			continue
		}
		if err := w.batch.Set(rootKey(at.p, q.span.Day, at.trace), jsonx.MustMarshal(h), nil); err != nil {
			return broken(err)
		}
		if was := old[at]; was != "" && was != h.Root {
			if err := s.requeue(w, spanKey(at.p, q.span.Day, at.trace, was)); err != nil {
				return err
			}
			old[at] = h.Root
		}
	}
	return nil
}

// requeue adds a stored span to the queue, unless the write holds it anyway.
func (s *Store) requeue(w *write, key []byte) error {
	for _, q := range w.spans {
		if string(q.key[1:]) == string(key[1:]) {
			return nil
		}
	}
	sp, err := s.span(key)
	if err == nil && sp != nil {
		w.spans = append(w.spans, queued{key: key, span: sp, size: len(key)})
	}
	return err
}

// marker puts marks on spans that are read. It remembers the trace it saw last, since spans of one come together.
type marker struct {
	s    *Store
	r    pebble.Reader
	last string // key of the head
	head *head
}

func (s *Store) marker(r pebble.Reader) *marker { return &marker{s: s, r: r} }

// mark returns sp with its marks; sp itself is not changed.
func (m *marker) mark(ctx context.Context, sp *span.Span) (*span.Span, error) {
	if !m.s.noted.Load() {
		return sp, nil
	}
	if key := rootKey(sp.Project, sp.Day, sp.Trace); string(key) != m.last {
		h, err := readHead(m.r, key)
		if err != nil {
			return nil, err
		}
		m.last, m.head = string(key), h
	}
	if m.head == nil {
		return sp, nil
	}
	scores, err := m.scores(ctx, noteSlot{sp.Project, sp.Day, sp.Trace, sp.ID}, nil)
	if err == nil && m.head.Root == sp.ID {
		scores, err = m.scores(ctx, noteSlot{sp.Project, sp.Day, sp.Trace, ""}, scores)
	}
	if err != nil || len(scores) == 0 {
		return sp, err
	}
	c := *sp
	c.Scores = span.Marks(scores)
	return &c, nil
}

func (m *marker) scores(ctx context.Context, slot noteSlot, out []*span.Score) ([]*span.Score, error) {
	prefix := slot.prefix(kindScore)
	err := eachOf(ctx, m.r, prefix, after(prefix), func(_, v []byte) (bool, error) {
		c := new(span.Score)
		out = append(out, c)
		return true, readNote(v, c)
	})
	return out, err
}

// markTrace puts marks on all spans of a trace.
func (s *Store) markTrace(ctx context.Context, p tenant.ProjectID, day span.Day, trace string, spans []*span.Span) error {
	if !s.noted.Load() || len(spans) == 0 {
		return nil
	}
	h, err := readHead(s.db, rootKey(p, day, trace))
	if err != nil || h == nil {
		return err
	}
	all, err := rangeNotes[span.Score](ctx, s, notesOf(p, day, trace), kindScore, nil)
	if err != nil {
		return err
	}
	by := map[string][]*span.Score{}
	for _, c := range all {
		at := cmp.Or(c.Target.Span, h.Root)
		by[at] = append(by[at], c)
	}
	for _, sp := range spans {
		sp.Scores = span.Marks(by[sp.ID])
	}
	return nil
}

// loadNoted finds out whether there are notes at all: without any, nothing is looked for.
func (s *Store) loadNoted() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixRoot}, UpperBound: []byte{prefixRoot + 1}})
	if err != nil {
		return broken(err)
	}
	s.noted.Store(it.First())
	if err := it.Close(); err != nil {
		return broken(err)
	}
	return nil
}

// dropNotes deletes what points at the notes of a day from elsewhere; the notes themselves go with the day.
func (s *Store) dropNotes(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	d := deleter{db: s.db}
	prefix := dayKey(prefixNote, p, day, 0)
	err := s.each(ctx, prefix, after(prefix), func(k, v []byte) (bool, error) { return true, d.pointers(p, day, k, v) })
	if err == nil {
		prefix = dayKey(prefixRoot, p, day, 0)
		err = s.each(ctx, prefix, after(prefix), func(k, _ []byte) (bool, error) {
			return true, d.add(traceKey(p, traceOf(k, len(prefix)))) // of traces without spans too
		})
	}
	return d.finish(err)
}

// pointers deletes the entry of a note's id, and that of its session.
func (d *deleter) pointers(p tenant.ProjectID, day span.Day, k, v []byte) error {
	var n struct {
		ID     string      `json:"id"`
		Target span.Target `json:"target"`
	}
	if err := jsonx.Unmarshal(v, &n); err != nil {
		return fault.Wrap(fault.Internal, err, "a note cannot be read")
	}
	if n.Target.Session != "" {
		if err := d.add(binary.BigEndian.AppendUint32(talkKey(p, n.Target.Session), uint32(day))); err != nil {
			return err
		}
	}
	return d.add(noteIDKey(p, k[len(k)-len(span.Hash{})-1], n.ID))
}

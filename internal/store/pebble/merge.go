package pebble

import (
	"hash/maphash"
	"sync/atomic"

	"weir/internal/span"
	"weir/internal/store/pebble/record"
)

// A write that depends on stored spans reads them before it has the gate. Instead of locks there are counters, one for
// many traces, that rise with each such write: a write whose counters have moved since it read is prepared again.
type changes [1 << 12]atomic.Uint64

var seed = maphash.MakeSeed()

func (c *changes) of(trace string) uint16 {
	return uint16(maphash.String(seed, trace) % uint64(len(c)))
}

// edits is what a write has read, and the spans it is about to store. The zero value is that of a write that only adds.
type edits struct {
	seen   map[uint16]uint64
	latest map[string]*span.Span // by key; nil where nothing has to be looked up
	// excerpts are those of spans that were read, by key.
	excerpts map[string]found
}

// foresee notes the state of all traces whose spans are about to be read. It must come before the first read.
func (s *Store) foresee(w *write, batches []*span.Batch) {
	for _, b := range batches {
		if b.Span == nil || b.Merge == nil && !b.Covers && !bears(b.Span) {
			continue
		}
		if w.edits.seen == nil {
			w.edits.seen, w.edits.latest = map[uint16]uint64{}, make(map[string]*span.Span, len(batches))
		}
		slot := s.changes.of(b.Span.Trace)
		if _, ok := w.edits.seen[slot]; !ok {
			w.edits.seen[slot] = s.changes[slot].Load()
		}
	}
}

// unread is true while everything read for a write still holds; the gate is held.
func (s *Store) unread(w *write) bool {
	for slot, v := range w.edits.seen {
		if s.changes[slot].Load() != v {
			return false
		}
	}
	return true
}

// touch makes others that read before a write prepare again. It follows the write, under the gate.
func (s *Store) touch(w *write) {
	for slot := range w.edits.seen {
		s.changes[slot].Add(1)
	}
}

// bears reports whether a span counts in sums.
func bears(sp *span.Span) bool { return !sp.Usage.IsZero() || sp.Cost.Total != 0 }

// stored is a span as it will be when what w holds so far is applied, or nil.
func (s *Store) stored(w *write, sp *span.Span, key []byte) (*span.Span, error) {
	if old := w.edits.latest[string(key)]; old != nil {
		return old, nil
	}
	if s.isFirst(w, sp) {
		return nil, nil
	}
	var old *span.Span
	var ex record.Excerpts
	_, err := s.seek(key, func(v []byte) (err error) {
		old, ex, err = decode(key, v)
		return err
	})
	if err != nil || old == nil {
		return nil, err
	}
	if err = s.complete(old, ex); err == nil && ex != (record.Excerpts{}) {
		if w.edits.excerpts == nil {
			w.edits.excerpts = map[string]found{}
		}
		w.edits.excerpts[string(key)] = found{old.Input, old.Output, ex}
	}
	return old, err
}

// isFirst reports whether nothing of the trace was stored before w.
func (s *Store) isFirst(w *write, sp *span.Span) bool {
	if len(w.homes) == 0 {
		return false
	}
	_, ok := w.homes[string(traceKey(sp.Project, sp.Trace))]
	return ok
}

// resolve is the span to store for a batch whose home is settled, or nil if nothing changes. It is fresh if its id was
// looked for and not found.
func (s *Store) resolve(w *write, b *span.Batch) (_ *span.Span, fresh bool, err error) {
	sp, day := b.Span, b.Span.Day
	if w.edits.latest == nil {
		return sp, false, nil
	}
	key := spanKey(sp.Project, day, sp.Trace, sp.ID)
	if b.Merge != nil {
		old, err := s.stored(w, sp, key)
		if err != nil {
			return nil, false, err
		}
		fresh = old == nil
		if sp = b.Merge(old); sp == nil {
			return nil, false, nil
		}
		if sp.Day != day {
			c := *sp
			c.Day = day
			sp = &c
		}
	}
	if bears(sp) && !sp.Covered {
		covered, err := s.isCovered(w, sp)
		if err != nil {
			return nil, false, err
		}
		if covered {
			c := *sp
			c.Covered = true
			sp = &c
		}
	}
	w.edits.latest[string(key)] = sp
	return sp, fresh, nil
}

func usageKey(sp *span.Span, id string) []byte {
	return appendString(appendString(dayKey(prefixUsage, sp.Project, sp.Day, len(sp.Trace)+24), sp.Trace), id)
}

// isCovered looks for the mark of a child, stored or in w.
func (s *Store) isCovered(w *write, sp *span.Span) (bool, error) {
	key := usageKey(sp, sp.ID)
	if _, ok := w.edits.latest[string(key)]; ok {
		return true, nil
	}
	if s.isFirst(w, sp) {
		return false, nil
	}
	return s.seek(key, nil)
}

// mark stands in edits.latest for a mark that is about to be stored.
var mark = new(span.Span)

// cover marks the parent of sp: for when it comes, and itself if it is there.
func (s *Store) cover(w *write, sp *span.Span) error {
	if sp.Parent == "" || sp.Parent == sp.ID {
		return nil
	}
	key := usageKey(sp, sp.Parent)
	if w.edits.latest[string(key)] == nil {
		w.edits.latest[string(key)] = mark
		if err := s.set(w, key, nil); err != nil {
			return err
		}
	}
	key = spanKey(sp.Project, sp.Day, sp.Trace, sp.Parent)
	parent, err := s.stored(w, sp, key)
	if err != nil || parent == nil || parent.Covered || !bears(parent) {
		return err
	}
	c := *parent
	c.Covered = true
	w.edits.latest[string(key)] = &c
	value, err := s.encode(w, key, &c, nil)
	if err != nil {
		return err
	}
	w.spans = append(w.spans, queued{key: key, span: &c, size: len(value)})
	return s.set(w, key, value)
}

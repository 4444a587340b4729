package pebble

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Committed implements span.Store.
func (s *Store) Committed() uint64 { return s.committed.Load() }

// Ledger implements span.Store. It shows only what is on disk, so that a reader never applies a charge that a power
// cut takes back.
func (s *Store) Ledger(ctx context.Context, after uint64, yield func(span.LedgerEntry) bool) error {
	lower, upper := seqKey(prefixLedger, after+1), seqKey(prefixLedger, s.durable.Load()+1)
	return s.each(ctx, lower, upper, func(_, v []byte) (bool, error) {
		var e span.LedgerEntry
		if err := jsonx.Unmarshal(v, &e); err != nil {
			return false, fault.Wrap(fault.Internal, err, "a ledger entry cannot be read")
		}
		return yield(e), nil
	})
}

// Changes implements span.Store. A span changed twice is seen twice, in its latest state.
func (s *Store) Changes(ctx context.Context, after uint64, yield func(uint64, *span.Span) bool) error {
	committed := s.Committed()
	from, recent := s.recent.tail(after, committed)
	if from == 0 {
		from = committed + 1
	}
	marks := s.marker(s.db)
	more, err := s.queued(ctx, after+1, from, marks, yield)
	for i := 0; i < len(recent) && more && err == nil; i++ {
		if err = ctx.Err(); err != nil {
			break
		}
		var sp *span.Span
		if sp, err = marks.mark(ctx, recent[i]); err == nil {
			more = yield(from+uint64(i), sp)
		}
	}
	return err
}

// queued reads the part of the queue from one position up to another from the store.
func (s *Store) queued(ctx context.Context, from, to uint64, marks *marker, yield func(uint64, *span.Span) bool) (more bool, err error) {
	more = true
	if from >= to {
		return true, nil
	}
	err = s.each(ctx, seqKey(prefixQueue, from), seqKey(prefixQueue, to), func(k, v []byte) (bool, error) {
		first := v[0] == prefixFirst
		if first {
			v = append([]byte{prefixSpan}, v[1:]...)
		}
		sp, err := s.span(v)
		if err != nil || sp == nil { // dropped with its day
			return err == nil, err
		}
		sp.First = first
		if sp, err = marks.mark(ctx, sp); err != nil {
			return false, err
		}
		more = yield(seqOf(k), sp)
		return more, nil
	})
	return more, err
}

// Trim implements span.Store.
func (s *Store) Trim(ctx context.Context, seq uint64) error {
	return s.exclusive(ctx, func() error {
		seq = min(seq, s.seq)
		if seq <= s.trimmed {
			return nil
		}
		// Ranges that touch but do not overlap stay one tombstone each.
		lower, upper := seqKey(prefixQueue, s.trimmed+1), seqKey(prefixQueue, seq+1)
		if err := s.db.DeleteRange(lower, upper, pebble.NoSync); err != nil {
			return broken(err)
		}
		s.trimmed = seq
		s.recent.trim(seq)
		return nil
	})
}

// exclusive runs a short step between commits.
func (s *Store) exclusive(ctx context.Context, step func() error) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.CommitTimeout)
	defer cancel()
	if err := s.enter(ctx); err != nil {
		return err
	}
	return s.guard(ctx, func() error {
		defer s.leave()
		return step()
	})
}

// DropDay implements span.Store. Spans appended to the day while it runs go with it; later ones find another home.
func (s *Store) DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	if err := s.dropHomes(ctx, p, day); err != nil {
		return err
	}
	if err := s.dropNotes(ctx, p, day); err != nil {
		return err
	}
	return s.exclusive(ctx, func() error {
		s.homes.close(p, day)
		s.drops.Add(1)
		b := s.db.NewBatch()
		defer func() { _ = b.Close() }()
		for _, prefix := range []byte{prefixSpan, prefixBlob, prefixData, prefixNode, prefixUsage, prefixText, prefixNote, prefixPast, prefixRoot} {
			if err := b.DeleteRange(dayKey(prefix, p, day, 0), after(dayKey(prefix, p, day, 0)), nil); err != nil {
				return broken(err)
			}
		}
		defer s.recent.forget()
		defer s.written.forget()
		if err := s.db.Apply(b, pebble.Sync); err != nil {
			return broken(err)
		}
		return nil
	})
}

// dropHomes deletes the home days of all traces of the day.
func (s *Store) dropHomes(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	prefix := dayKey(prefixSpan, p, day, 0)
	last, d := "", deleter{db: s.db}
	err := s.each(ctx, prefix, after(prefix), func(k, _ []byte) (bool, error) {
		trace := traceOf(k, len(prefix))
		if trace == last {
			return true, nil
		}
		last = trace
		return true, d.add(traceKey(p, trace))
	})
	return d.finish(err)
}

// deleter removes keys found by a scan in batches of bounded size.
type deleter struct {
	db *pebble.DB
	b  *pebble.Batch
	n  int
}

const deletesPerBatch = 10_000

func (d *deleter) add(key []byte) error {
	if d.b == nil {
		d.b = d.db.NewBatch()
	}
	if err := d.b.Delete(key, nil); err != nil {
		return broken(err)
	}
	d.n++
	if d.b.Count() < deletesPerBatch {
		return nil
	}
	return d.flush()
}

func (d *deleter) flush() error {
	b := d.b
	d.b = nil
	if b == nil {
		return nil
	}
	defer func() { _ = b.Close() }()
	if err := d.db.Apply(b, pebble.NoSync); err != nil {
		return broken(err)
	}
	return nil
}

// finish applies what is left, unless the scan failed with err.
func (d *deleter) finish(err error) error {
	if err == nil {
		return d.flush()
	}
	if d.b != nil {
		_ = d.b.Close()
	}
	return err
}

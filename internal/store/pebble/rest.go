package pebble

import (
	"context"
	"log/slog"
	"time"
)

// Large memory tables make few, large tables on disk, and rare merges of these, which is what a load needs. A store at rest
// is better off without both: what is in memory stands uncompressed in the log, and has to be read again at the next start;
// what is not merged holds much that was deleted since.
const (
	restAfter = 2 * time.Second
	restBytes = 1 << 20 // what is less stays in the log
	// restMerge is the largest store that is merged at rest: seconds of work. In larger ones what is not merged is a small
	// part.
	restMerge = 512 << 20
	// restShare is the part of a store that must be new, or be elsewhere than in the last level, for it to be merged: which
	// bounds how often the rest of it is written.
	restShare = 6
	// logged is about how many bytes of the log become one of a table.
	logged = 4
	// restQueue is how many entries of the queue may be gone and still on disk: half a megabyte.
	restQueue = 1 << 14
	// closeBytes is how much may be merged with what is cleared from the queue at the end, which somebody waits for.
	closeBytes = 8 << 20
	// restWrites is how many commits a merge goes on for as if there were none.
	restWrites = 16
)

// resting is how far the log had come, in bytes ever written, and the queue when what is gone of it was last cleared away.
type resting struct{ before, flushed, merged, cleared uint64 }

// rest puts the store in order whenever commits pause.
func (s *Store) rest(ctx context.Context) {
	t := time.NewTicker(restAfter)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.restOnce(ctx, &s.rested)
		}
	}
}

func (s *Store) restOnce(ctx context.Context, r *resting) {
	now := s.db.Metrics().WAL.BytesIn
	if now != r.before {
		r.before = now
		return
	}
	if now-r.flushed >= restBytes {
		r.flushed = now
		s.settleDown(ctx, r)
	}
	s.clear(ctx, r, s.gone(ctx))
}

// clear takes what was trimmed off the queue from the last level, where it may have got before the index had it.
func (s *Store) clear(ctx context.Context, r *resting, gone uint64) {
	if gone < r.cleared+restQueue {
		return
	}
	r.cleared = gone
	s.compact(ctx, []byte{prefixQueue}, []byte{prefixQueue + 1})
}

// gone is the newest position that was trimmed off the queue.
func (s *Store) gone(ctx context.Context) (seq uint64) {
	_ = s.exclusive(ctx, func() error { seq = s.trimmed; return nil }) // 0 of a store that is stuck
	return seq
}

// settleDown lets go of what was held for readers behind commits, and writes what is in memory to disk.
func (s *Store) settleDown(ctx context.Context, r *resting) {
	s.recent.forget()
	s.written.forget()
	done, err := s.db.AsyncFlush()
	if err != nil {
		s.o.Log.Warn("memory table was not written to disk", slog.Any("error", err))
		return
	}
	select {
	case <-done:
		s.merge(ctx, r)
	case <-ctx.Done():
	}
}

// merge merges the tables of a small store if many are not, or were when there was no time to make them small.
func (s *Store) merge(ctx context.Context, r *resting) {
	loose, all := s.sizes()
	fresh := int64(r.flushed-r.merged) / logged
	if loose < restBytes || max(loose, fresh) < all/restShare || all > restMerge {
		return
	}
	r.merged = r.flushed
	s.compact(ctx, []byte{'a'}, []byte{'z' + 1}) // all keys start with a letter
}

// sizes are those of the tables that are not merged into the last level, and of all.
func (s *Store) sizes() (loose, all int64) {
	levels := s.db.Metrics().Levels
	for _, l := range levels {
		all += l.TablesSize
	}
	return all - levels[len(levels)-1].TablesSize, all
}

func (s *Store) compact(ctx context.Context, lower, upper []byte) {
	s.leisure.Store(s.applied.Load() + restWrites)
	defer s.leisure.Store(0)
	if err := s.db.Compact(ctx, lower, upper, false); err != nil && ctx.Err() == nil {
		s.o.Log.Warn("tables were not merged", slog.Any("error", err))
	}
}

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
	restMerge = 256 << 20
)

// resting is how far the log had come, in bytes ever written.
type resting struct{ before, flushed uint64 }

// rest puts the store in order whenever commits pause.
func (s *Store) rest(ctx context.Context) {
	t := time.NewTicker(restAfter)
	defer t.Stop()
	var r resting
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.restOnce(ctx, &r)
		}
	}
}

func (s *Store) restOnce(ctx context.Context, r *resting) {
	now := s.db.Metrics().WAL.BytesIn
	if now != r.before || now-r.flushed < restBytes {
		r.before = now
		return
	}
	r.flushed = now
	s.recent.forget()
	s.written.forget()
	done, err := s.db.AsyncFlush()
	if err != nil {
		s.o.Log.Warn("memory table was not written to disk", slog.Any("error", err))
		return
	}
	select {
	case <-done:
		s.merge(ctx)
	case <-ctx.Done():
	}
}

// merge merges the tables of a small store if many are not.
func (s *Store) merge(ctx context.Context) {
	loose, all := s.db.Metrics().Levels[0].TablesSize, int64(0)
	for _, l := range s.db.Metrics().Levels {
		all += l.TablesSize
	}
	if loose < restBytes || loose < all/8 || all > restMerge {
		return
	}
	if err := s.db.Compact(ctx, []byte{'a'}, []byte{'z' + 1}, false); err != nil && ctx.Err() == nil { // all keys start with a letter
		s.o.Log.Warn("tables were not merged", slog.Any("error", err))
	}
}

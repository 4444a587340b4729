package pebble

import (
	"context"
	"log/slog"
	"time"
)

// Large memory tables make few, large tables on disk, which is what a load needs; a store at rest is better off without
// them: what they hold stands uncompressed in the log, and has to be read again at the next start.
const (
	restAfter = 2 * time.Second
	restBytes = 1 << 20 // what is less stays in the log
)

// rest writes the memory table to disk whenever commits pause.
func (s *Store) rest(ctx context.Context) {
	t := time.NewTicker(restAfter)
	defer t.Stop()
	var flushed, before uint64 // bytes of the log, ever
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := s.db.Metrics().WAL.BytesIn
		if now == before && now-flushed >= restBytes {
			if _, err := s.db.AsyncFlush(); err != nil {
				s.o.Log.Warn("memory table was not written to disk", slog.Any("error", err))
			}
			flushed = now
			s.recent.forget()
			s.written.forget()
		}
		before = now
	}
}

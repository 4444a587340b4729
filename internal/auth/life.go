package auth

import (
	"context"
	"log/slog"
	"time"

	"weir/internal/job"
	"weir/internal/tenant"
)

// dataVersioned is a store that can tell that another process changed it.
type dataVersioned interface {
	// DataVersion changes whenever another process commits.
	DataVersion(ctx context.Context) (int64, error)
}

const (
	pollEvery  = 2 * time.Second
	flushEvery = 15 // polls
	stepLimit  = 10 * time.Second
)

// Start begins to write uses of keys and sessions to the store, and to notice changes by other processes.
func (s *Service) Start(ctx context.Context) error {
	polls := 0
	s.loop = job.New(pollEvery, func(ctx context.Context) {
		polls++
		if err := s.runOnce(ctx, polls%flushEvery == 0); err != nil && ctx.Err() == nil {
			s.Log.Warn("auth upkeep failed", slog.Any("error", err))
		}
	})
	return s.loop.Start(ctx)
}

// Stop ends that, after a last write.
func (s *Service) Stop() {
	if s.loop == nil {
		return
	}
	s.loop.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		s.Log.Warn("could not store last uses", slog.Any("error", err))
	}
}

func (s *Service) runOnce(ctx context.Context, flush bool) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	if err := s.reloadIfChanged(ctx); err != nil {
		return err
	}
	if !flush {
		return nil
	}
	return s.Flush(ctx)
}

func (s *Service) reloadIfChanged(ctx context.Context) error {
	st, ok := s.Store.(dataVersioned)
	if !ok {
		return nil
	}
	s.change.Lock()
	defer s.change.Unlock()
	v, err := st.DataVersion(ctx)
	if err != nil || v == s.version {
		return err
	}
	if err := s.reload(ctx); err != nil {
		return err
	}
	s.version = v
	return nil
}

// Flush writes when keys and sessions were last used, and forgets sessions that expired.
func (s *Service) Flush(ctx context.Context) error {
	used := map[tenant.KeyID]time.Time{}
	snap := s.snap.Load()
	for id, e := range snap.keys {
		if n := e.used.seen.Load(); n > e.used.written.Load() {
			used[id] = time.Unix(0, n).UTC()
		}
	}
	if len(used) > 0 {
		if err := s.Store.MarkUsed(ctx, used); err != nil {
			return err
		}
		for id, t := range used {
			snap.keys[id].used.written.Store(t.UnixNano())
		}
	}
	return s.flushSessions(ctx)
}

func (s *Service) flushSessions(ctx context.Context) error {
	now := s.Now()
	until := map[string]time.Time{}
	s.sessions.Range(func(hash, v any) bool {
		x := v.(*liveSession)
		switch n := x.expires.Load(); {
		case n <= now.UnixNano():
			s.sessions.Delete(hash)
		case n > x.stored.Load():
			until[x.Hash] = time.Unix(0, n).UTC()
		}
		return true
	})
	if len(until) > 0 {
		if err := s.Store.ExtendSessions(ctx, until); err != nil {
			return err
		}
		for hash, t := range until {
			if v, ok := s.sessions.Load(hash); ok {
				v.(*liveSession).stored.Store(t.UnixNano())
			}
		}
	}
	return s.Store.PurgeExpired(ctx, now)
}

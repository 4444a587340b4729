package pebble

import (
	"context"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const day = 24 * time.Hour

func kvKey(key []byte) []byte { return append([]byte{prefixKV}, key...) }

// Get implements span.KV.
func (s *Store) Get(_ context.Context, key []byte) (value []byte, err error) {
	_, err = s.view(kvKey(key), func(v []byte) error {
		if !s.expired(v) {
			value = append([]byte{}, v[8:]...)
		}
		return nil
	})
	return value, err
}

func (s *Store) expired(v []byte) bool {
	return len(v) < 8 || int64(binary.BigEndian.Uint64(v)) <= s.o.Now().Unix()
}

// Put implements span.KV.
func (s *Store) Put(ctx context.Context, key, value []byte, ttl time.Duration) error {
	days := max(1, (ttl+day-1)/day)
	v := make([]byte, 8, 8+len(value))
	binary.BigEndian.PutUint64(v, uint64(s.o.Now().Add(days*day).Unix()))
	v = append(v, value...)
	if s.health.stalled() {
		// The engine would make the caller wait; a miss later is survivable, a call that hangs is not.
		return stuckPut
	}
	if err := s.db.Set(kvKey(key), v, pebble.NoSync); err != nil {
		return broken(err)
	}
	return ctx.Err()
}

// Sweep removes expired KV entries and returns how many there were.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	d := deleter{db: s.db}
	err := s.each(ctx, []byte{prefixKV}, []byte{prefixKV + 1}, func(k, v []byte) (bool, error) {
		if !s.expired(v) {
			return true, nil
		}
		return true, d.add(k)
	})
	return d.n, d.finish(err)
}

func (s *Store) housekeeping(ctx context.Context) {
	t := time.NewTicker(s.o.SweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.o.Log.Warn("sweep of expired entries failed", slog.Any("error", err))
			}
		}
	}
}

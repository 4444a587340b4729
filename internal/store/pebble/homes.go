package pebble

import (
	"context"
	"encoding/binary"
	"maps"
	"sync"

	"weir/internal/span"
	"weir/internal/tenant"
)

// homes remembers the home days of recent traces. A day handed out for a new trace binds at once and is stored with
// the trace's first span; a trace that never gets one is forgotten with its generation.
type homes struct {
	mu       sync.Mutex
	cur, old map[string]home
}

type home struct {
	day    span.Day
	stored bool
}

// homesPerGeneration bounds memory to about 20 MB at twice as many traces.
const homesPerGeneration = 1 << 16

func (h *homes) look(key string) (home, bool) {
	if v, ok := h.cur[key]; ok {
		return v, true
	}
	v, ok := h.old[key]
	if ok {
		h.put(key, v)
	}
	return v, ok
}

func (h *homes) put(key string, v home) {
	if h.cur == nil || len(h.cur) >= homesPerGeneration {
		h.cur, h.old = make(map[string]home), h.cur
	}
	h.cur[key] = v
}

// forget drops what is known about a day.
func (h *homes) forget(d span.Day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	gone := func(_ string, v home) bool { return v.day == d }
	maps.DeleteFunc(h.cur, gone)
	maps.DeleteFunc(h.old, gone)
}

func (h *homes) markStored(key string, d span.Day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(key, home{d, true})
}

// Home implements span.Store.
func (s *Store) Home(_ context.Context, p tenant.ProjectID, trace string, day span.Day) (span.Day, error) {
	v, err := s.home(string(traceKey(p, trace)), day)
	return v.day, err
}

func (s *Store) home(key string, wish span.Day) (home, error) {
	s.homes.mu.Lock()
	defer s.homes.mu.Unlock()
	if v, ok := s.homes.look(key); ok {
		return v, nil
	}
	d, err := s.storedHome([]byte(key))
	if err != nil {
		return home{}, err
	}
	v := home{day: wish}
	if d != nil {
		v = home{*d, true}
	}
	s.homes.put(key, v)
	return v, nil
}

// storedHome is nil for a trace that is not stored.
func (s *Store) storedHome(key []byte) (*span.Day, error) {
	b, err := s.get(key)
	if err != nil || len(b) != 4 {
		return nil, err
	}
	d := span.Day(binary.BigEndian.Uint32(b))
	return &d, nil
}

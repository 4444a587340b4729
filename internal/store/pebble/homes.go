package pebble

import (
	"context"
	"encoding/binary"
	"maps"
	"strings"
	"sync"

	"weir/internal/span"
	"weir/internal/tenant"
)

// homes remembers the home days of recent traces. A day handed out for a new trace binds at once and is stored with
// the trace's first span; a trace that never gets one is forgotten with its generation.
//
// A day that was dropped takes nothing more while this process lives: what callers remember to be stored there is gone.
type homes struct {
	mu       sync.Mutex
	cur, old map[string]home
	dropped  map[string]bool // day keys
	erased   map[string]bool // day keys of days with erasures
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

// isNew is true for a trace that is known to have nothing stored.
func (h *homes) isNew(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.look(key)
	return ok && !v.stored
}

func (h *homes) put(key string, v home) {
	if h.cur == nil || len(h.cur) >= homesPerGeneration {
		h.cur, h.old = make(map[string]home), h.cur
	}
	h.cur[key] = v
}

// close marks a day as dropped and forgets the traces that lived there.
func (h *homes) close(p tenant.ProjectID, d span.Day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dropped == nil {
		h.dropped = map[string]bool{}
	}
	h.dropped[string(dayKey(prefixSpan, p, d, 0))] = true
	start := string(traceKey(p, ""))
	start = start[:len(start)-1] // without the length of the trace
	gone := func(key string, v home) bool { return v.day == d && strings.HasPrefix(key, start) }
	maps.DeleteFunc(h.cur, gone)
	maps.DeleteFunc(h.old, gone)
}

func (h *homes) isDropped(p tenant.ProjectID, d span.Day) bool {
	return len(h.dropped) > 0 && h.dropped[string(dayKey(prefixSpan, p, d, 0))]
}

// open is d, or the first day from today on that has not been dropped.
func (h *homes) open(p tenant.ProjectID, d, today span.Day) span.Day {
	if h.isDropped(p, d) {
		d = max(d, today)
	}
	for h.isDropped(p, d) {
		d++
	}
	return d
}

func (h *homes) markStored(key string, d span.Day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(key, home{d, true})
}

// Home implements span.Store.
func (s *Store) Home(_ context.Context, p tenant.ProjectID, trace string, day span.Day) (span.Day, error) {
	v, err := s.home(p, string(traceKey(p, trace)), day)
	return v.day, err
}

func (s *Store) home(p tenant.ProjectID, key string, wish span.Day) (home, error) {
	s.homes.mu.Lock()
	defer s.homes.mu.Unlock()
	if v, ok := s.homes.look(key); ok {
		return v, nil
	}
	d, err := s.storedHome([]byte(key))
	if err != nil {
		return home{}, err
	}
	if d == nil {
		return s.firstHome(p, key, wish), nil
	}
	v := home{*d, true}
	s.homes.put(key, v)
	return v, nil
}

// firstHome is the one of a trace that has none; the lock is held.
func (s *Store) firstHome(p tenant.ProjectID, key string, wish span.Day) home {
	v := home{day: s.homes.open(p, wish, span.DayOf(s.o.Now()))}
	s.homes.put(key, v)
	return v
}

// NewHome is Home of a trace that cannot have been stored longer ago than this store remembers, which is some
// 60,000 traces: it spares the search for it.
func (s *Store) NewHome(p tenant.ProjectID, trace string, day span.Day) span.Day {
	key := string(traceKey(p, trace))
	s.homes.mu.Lock()
	defer s.homes.mu.Unlock()
	if v, ok := s.homes.look(key); ok {
		return v.day
	}
	return s.firstHome(p, key, day).day
}

// storedHome is nil for a trace that is not stored.
func (s *Store) storedHome(key []byte) (*span.Day, error) {
	var day *span.Day
	_, err := s.seek(key, func(v []byte) error {
		if len(v) == 4 {
			day = new(span.Day(binary.BigEndian.Uint32(v)))
		}
		return nil
	})
	return day, err
}

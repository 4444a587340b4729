package pebble

import "sync"

// written holds the newest bodies and their places by the keys they are stored under: the search index reads each body
// once, a moment after it was stored, and would otherwise have it fetched and decompressed one by one.
type written struct {
	mu       sync.Mutex
	cur, old map[string][]byte
	bytes    int    // of cur
	epoch    uint64 // counts how often everything was forgotten
}

// writtenBytes bounds what is held. Half of it is let go at once: to keep an order, so that the oldest goes first, cost
// more than the rest.
const writtenBytes = 32 << 20

// pair is a key and a value as stored.
type pair struct {
	key   string
	value []byte
}

// add takes what was just stored.
func (w *written) add(pairs []pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hold(pairs)
}

// now is to be asked before something is read from the store that remember shall take.
func (w *written) now() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.epoch
}

// remember takes what was read, unless something may have gone away since.
func (w *written) remember(since uint64, p pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoch == since {
		w.hold([]pair{p})
	}
}

func (w *written) hold(pairs []pair) {
	for _, p := range pairs {
		size := len(p.key) + len(p.value)
		if size > writtenBytes/2 {
			continue
		}
		if w.cur == nil || w.bytes+size > writtenBytes/2 {
			w.cur, w.old, w.bytes = make(map[string][]byte, len(w.cur)), w.cur, 0
		}
		w.cur[p.key] = p.value
		w.bytes += size
	}
}

// get is what was stored under a key, which nobody may change, or nil.
func (w *written) get(key []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v, ok := w.cur[string(key)]; ok {
		return v
	}
	return w.old[string(key)]
}

// forget is for when stored content has gone away, and for a store at rest.
func (w *written) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cur, w.old, w.bytes = nil, nil, 0
	w.epoch++
}

package pebble

import "sync"

// written holds the newest bodies and their places by the keys they are stored under: the search index reads each body
// once, a moment after it was stored, and would otherwise have it fetched and decompressed one by one.
type written struct {
	mu     sync.Mutex
	values map[string][]byte
	order  []string // oldest first
	bytes  int
	epoch  uint64 // counts how often everything was forgotten
}

// writtenBytes bounds what is held.
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
	if w.values == nil {
		w.values = map[string][]byte{}
	}
	for _, p := range pairs {
		if _, ok := w.values[p.key]; ok {
			continue
		}
		w.values[p.key] = p.value
		w.order = append(w.order, p.key)
		w.bytes += len(p.key) + len(p.value)
	}
	for w.bytes > writtenBytes {
		old := w.order[0]
		w.order = w.order[1:]
		w.bytes -= len(old) + len(w.values[old])
		delete(w.values, old)
	}
}

// get is what was stored under a key, which nobody may change, or nil.
func (w *written) get(key []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.values[string(key)]
}

// forget is for when stored content has gone away, and for a store at rest.
func (w *written) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values, w.order, w.bytes = nil, nil, 0
	w.epoch++
}

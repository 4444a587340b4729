package pebble

import "sync"

// flights are the places of bodies that writes on their way are about to store. Two writes with the same new body give it
// the same place: were there two, only the one that is stored last would be found again, and the other stay for ever.
type flights struct {
	mu sync.Mutex
	to map[string]*flight // by the key of the place
}

type flight struct {
	place  []byte
	writes int
}

// join is the place under a key: that of another write on its way, or else a new one. Each call needs a leave.
func (f *flights) join(key string, newPlace func() []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.to == nil {
		f.to = map[string]*flight{}
	}
	to := f.to[key]
	if to == nil {
		to = &flight{place: newPlace()}
		f.to[key] = to
	}
	to.writes++
	return to.place
}

// leave ends a write's use of places.
func (f *flights) leave(placed map[string]placed) {
	if len(placed) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range placed {
		to := f.to[key]
		if to.writes--; to.writes == 0 {
			delete(f.to, key)
		}
	}
}

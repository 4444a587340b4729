package pebble

import (
	"bytes"
	"sync"

	"weir/internal/fault"
	"weir/internal/span"
)

// watch gathers the spans of a day that are stored while an erasure finds out what is used. It holds them only until the
// eraser takes them, which it does faster than they can be stored.
type watch struct {
	prefix []byte // of the day's spans
	mu     sync.Mutex
	late   []*span.Span
}

// see is called under the gate with what was just stored.
func (w *watch) see(spans []queued) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, q := range spans {
		if q.span != nil && bytes.HasPrefix(q.key[1:], w.prefix[1:]) { // the first byte may be that of a first span
			w.late = append(w.late, q.span)
		}
	}
}

// take returns what has gathered, unless it is no more than few.
func (w *watch) take(few int) []*span.Span {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.late) <= few {
		return nil
	}
	late := w.late
	w.late = nil
	return late
}

// content is what a write brings along to days something was erased from.
type content map[string]bool

// whole refuses a batch that relies on content which is neither stored nor in the write: it was prepared before an
// erasure took that away. Its writer forgets what it remembers, and prepares it again.
func (s *Store) whole(w *write, b *span.Batch) error {
	sp := b.Span
	if !s.homes.isErased(sp.Project, sp.Day) {
		return nil
	}
	if w.brought == nil {
		w.brought = content{}
	}
	for h := range b.Blobs {
		w.brought[string(hashKey(prefixBlob, sp.Project, sp.Day, h))] = true
	}
	for _, n := range b.Nodes {
		if err := s.needs(w, sp, prefixNode, n.Parent); err != nil {
			return err
		}
		if err := s.needs(w, sp, prefixBlob, n.Body); err != nil {
			return err
		}
		w.brought[string(hashKey(prefixNode, sp.Project, sp.Day, n.ID))] = true
	}
	for _, r := range []span.Ref{sp.Input, sp.Output} {
		if err := s.needs(w, sp, prefixBlob, r.Skeleton); err != nil {
			return err
		}
		if err := s.needs(w, sp, prefixNode, r.Node); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) needs(w *write, sp *span.Span, prefix byte, h span.Hash) error {
	if h.IsZero() {
		return nil
	}
	key := hashKey(prefix, sp.Project, sp.Day, h)
	if w.brought[string(key)] {
		return nil
	}
	stored, err := s.has(key)
	if err == nil && !stored {
		err = fault.New(fault.Conflict, "content was erased since the batch was prepared")
	}
	return err
}

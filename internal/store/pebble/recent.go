package pebble

import (
	"sync"
	"unsafe"

	"weir/internal/span"
)

// recent holds the spans at the end of the index queue as they were appended, so that the index, which reads them within
// a second, neither fetches nor decodes them again. They are shared: nobody may change them.
type recent struct {
	mu    sync.Mutex
	spans []*span.Span // of the positions up to last, without gaps
	sizes []int
	bytes int
	last  uint64
}

// Bounds of what is held.
const (
	recentSpans = 20_000
	recentBytes = 32 << 20
)

// inMemory is about what a span with a record of a size takes: its texts are in the record, but for previews.
func inMemory(sp *span.Span, record int) int {
	return int(unsafe.Sizeof(*sp)) + record + len(sp.Input.Preview) + len(sp.Output.Preview)
}

// add takes the span of a position. A position that was passed over, or a nil span, begins anew: what is before is read
// from the store.
func (r *recent) add(seq uint64, sp *span.Span, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq != r.last+1 || sp == nil {
		r.reset()
	}
	r.last = seq
	if sp == nil {
		return
	}
	r.spans, r.sizes = append(r.spans, sp), append(r.sizes, size)
	r.bytes += size
	for len(r.spans) > recentSpans || r.bytes > recentBytes && len(r.spans) > 1 {
		r.drop()
	}
}

func (r *recent) drop() {
	r.bytes -= r.sizes[0]
	r.spans[0] = nil
	r.spans, r.sizes = r.spans[1:], r.sizes[1:]
}

func (r *recent) reset() { r.spans, r.sizes, r.bytes = nil, nil, 0 }

// forget is for when stored spans go away otherwise than by being replaced.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reset()
}

// trim lets go of positions up to upto.
func (r *recent) trim(upto uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.spans) > 0 && r.last-uint64(len(r.spans)) < upto {
		r.drop()
	}
}

// tail returns the spans that are held of the positions behind after and up to upto: those from position from on, which
// is 0 where there are none.
func (r *recent) tail(after, upto uint64) (from uint64, spans []*span.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spans) == 0 || upto > r.last {
		return 0, nil
	}
	first := r.last - uint64(len(r.spans)) + 1
	from = max(first, after+1)
	if from > upto {
		return 0, nil
	}
	return from, append([]*span.Span(nil), r.spans[from-first:upto-first+1]...)
}

package query

import (
	"sync"

	"weir/internal/span"
	"weir/internal/tenant"
)

// feed hands indexed spans to whoever watches.
type feed struct {
	mu    sync.Mutex
	tails map[*Tail]struct{}
}

// Tail is one watcher's queue. It is bounded: when it is full, the watcher is cut off rather than the index held up,
// and Spans is closed.
type Tail struct {
	Spans <-chan *span.Span

	feed    *feed
	project tenant.ProjectID
	filter  Expr
	queue   chan *span.Span
	gone    bool // under feed.mu
	lagged  bool // under feed.mu
}

func (f *feed) subscribe(p tenant.ProjectID, filter Expr, limit int) *Tail {
	q := make(chan *span.Span, limit)
	t := &Tail{Spans: q, queue: q, feed: f, project: p, filter: filter}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tails == nil {
		f.tails = map[*Tail]struct{}{}
	}
	f.tails[t] = struct{}{}
	return t
}

// Close ends the watch. It may be called more than once.
func (t *Tail) Close() {
	t.feed.mu.Lock()
	defer t.feed.mu.Unlock()
	t.end()
}

// Lagged reports whether the watcher was cut off for falling behind.
func (t *Tail) Lagged() bool {
	t.feed.mu.Lock()
	defer t.feed.mu.Unlock()
	return t.lagged
}

func (t *Tail) end() {
	if t.gone {
		return
	}
	t.gone = true
	delete(t.feed.tails, t)
	close(t.queue)
}

func (f *feed) publish(spans []*span.Span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.tails {
		for _, s := range spans {
			if !t.offer(s) {
				break
			}
		}
	}
}

func (t *Tail) offer(s *span.Span) bool {
	if s.Project != t.project || !Match(t.filter, s) {
		return true
	}
	select {
	case t.queue <- s:
		return true
	default:
		t.lagged = true
		t.end()
		return false
	}
}

func (f *feed) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.tails {
		t.end()
	}
}

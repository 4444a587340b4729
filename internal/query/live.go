package query

import (
	"context"
	"sync"
	"time"

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

	ctx     context.Context // ends with the watch
	cancel  context.CancelFunc
	feed    *feed
	project tenant.ProjectID
	filter  Expr
	queue   chan *span.Span
	reads   bool // under feed.mu: what may pass is checked by a reader of its own
	gone    bool // under feed.mu
	lagged  bool // under feed.mu
}

func (f *feed) subscribe(p tenant.ProjectID, filter Expr, limit int) *Tail {
	q := make(chan *span.Span, limit)
	t := &Tail{Spans: q, queue: q, feed: f, project: p, filter: filter}
	t.ctx, t.cancel = context.WithCancel(context.Background())
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
	t.cancel()
	delete(t.feed.tails, t)
	close(t.queue)
}

// checkTime bounds what one span may cost a watch that looks for texts.
const checkTime = time.Second

// check puts between the queue and the receiver what takes too long to be done while the index is written. It ends with
// the watch.
func (t *Tail) check(limit int, holds func(context.Context, *span.Span) bool) {
	out := make(chan *span.Span, limit)
	t.feed.mu.Lock()
	t.Spans, t.reads = out, true
	t.feed.mu.Unlock()
	go func() {
		defer close(out)
		for s := range t.queue {
			ctx, cancel := context.WithTimeout(t.ctx, checkTime)
			ok := holds(ctx, s)
			cancel()
			if !ok {
				continue
			}
			select {
			case out <- s:
			case <-t.ctx.Done():
				return
			}
		}
	}()
}

func (t *Tail) passes(s *span.Span) bool {
	if t.reads {
		return May(t.filter, s)
	}
	return Match(t.filter, s)
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
	if s.Project != t.project || !t.passes(s) {
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

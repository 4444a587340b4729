package ingest

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// takeWriter commits the spans of some traces, one commit at a time, each with everything that came meanwhile.
type takeWriter struct {
	t      *Taker
	bodies *bodies
	recent *recentCalls

	mu     sync.Mutex
	queue  [][]item // parts of requests, bounded by Taker.admit
	closed bool
	wake   chan struct{} // capacity 1
}

// put is false once the writer is closed.
func (w *takeWriter) put(part []item) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.queue = append(w.queue, part)
	w.signal()
	return true
}

func (w *takeWriter) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *takeWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.signal()
}

func (w *takeWriter) run() {
	for {
		parts, closed := w.take()
		switch {
		case len(parts) > 0:
			w.letCatchUp()
			w.runOnce(parts)
		case closed:
			return
		default:
			<-w.wake
		}
	}
}

// Bounds of the wait for those who read what is stored; see TakerOptions.Behind.
const (
	farBehind = 12_000
	paceStep  = 5 * time.Millisecond
	paceMost  = 100 * time.Millisecond
)

func (w *takeWriter) letCatchUp() {
	for waited := time.Duration(0); waited < paceMost && w.t.o.Behind() > farBehind; waited += paceStep {
		w.pause(paceStep)
	}
}

// take is all that waits, up to what one commit should hold.
func (w *takeWriter) take() (parts [][]item, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, k := 0, 0
	for k < len(w.queue) && (k == 0 || n+len(w.queue[k]) <= 2*commitCalls) {
		n += len(w.queue[k])
		k++
	}
	parts = w.queue[:k:k]
	if w.queue = w.queue[k:]; len(w.queue) == 0 {
		w.queue = nil
	}
	return parts, w.closed
}

// runOnce stores parts and tells their requests.
func (w *takeWriter) runOnce(parts [][]item) {
	err := w.storeAll(parts)
	for _, part := range parts {
		part[0].of.finish(err)
	}
}

// storeAll commits in steps that stay well below the store's memory tables.
func (w *takeWriter) storeAll(parts [][]item) error {
	var step []item
	size := 0
	for _, part := range parts {
		for _, it := range part {
			step = append(step, it)
			size += min(len(it.Input)+len(it.Output), commitBytes)/8 + recordOverhead // bodies are mostly known already
			if len(step) >= commitCalls || size >= commitBytes {
				if err := w.persist(step); err != nil {
					return err
				}
				step, size = step[:0], 0
			}
		}
	}
	return w.persist(step)
}

// persist commits spans. What the store calls invalid is found by trying them singly.
func (w *takeWriter) persist(step []item) error {
	if len(step) == 0 {
		return nil
	}
	err := w.commit(step)
	for wait := 5 * time.Millisecond; fault.Is(err, fault.Conflict) && wait < time.Second; wait *= 2 { // a day was dropped meanwhile
		w.t.stats.retries.Add(1)
		w.pause(wait)
		err = w.commit(step)
	}
	switch {
	case err == nil:
		return nil
	case !fault.Is(err, fault.Invalid):
		w.t.o.Log.Error("spans are not stored", slog.Int("spans", len(step)), slog.Any("error", err))
		e := refuse("spans cannot be stored now")
		e.Err = err
		return e
	case len(step) == 1:
		step[0].of.reject(step[0].index, err)
		return nil
	}
	for i := range step {
		if err := w.persist(step[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (w *takeWriter) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.t.ctx.Done():
	}
}

func (w *takeWriter) commit(step []item) error {
	defer clear(w.bodies.lately)
	batches := make([]*span.Batch, 0, len(step))
	for i := range step {
		b, err := w.prepare(w.t.ctx, &step[i])
		if err != nil {
			w.bodies.known.reset()
			return err
		}
		batches = append(batches, b)
	}
	if err := w.t.o.Store.Append(w.t.ctx, true, batches...); err != nil {
		w.bodies.known.reset() // it counts what the failed commit would have stored
		return err
	}
	w.t.stats.commits.Add(1)
	return nil
}

// prepare turns a span into a batch; a panic over a body is that span's failure only.
func (w *takeWriter) prepare(ctx context.Context, it *item) (b *span.Batch, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.t.o.Log.Error("preparing a span panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			b, err = nil, fault.New(fault.Invalid, "a span cannot be prepared for storing")
		}
	}()
	s := it.Span
	if s.Day, err = w.t.o.Store.Home(ctx, s.Project, s.Trace, span.DayOf(w.t.o.Now())); err != nil {
		return nil, err
	}
	b = &span.Batch{Span: s, Covers: covers(s)}
	b.Merge = w.merger(it)
	return b, w.keep(ctx, b, it)
}

// merger is the Merge of a batch.
func (w *takeWriter) merger(it *item) func(*span.Span) *span.Span {
	s, update, counted := it.Span, it.Update, false
	return func(stored *span.Span) *span.Span {
		if stored == nil {
			return first(s, w.t.o.Now())
		}
		if !counted {
			counted = true
			w.t.stats.updated.Add(1)
		}
		m := merge(stored, s, update)
		if c := m.Cost.Source; m.Source != "" && (c == span.CostMeasured || c == span.CostUnpriced) { // usage or model may have come since
			m.Cost = span.Cost{}
			w.t.prices.price(m)
		}
		return m
	}
}

// covers reports whether the usage of a span is all there is to tell about it, so that a parent telling it again
// must not count.
func covers(s *span.Span) bool {
	return s.Parent != "" && (s.Kind == span.Generation || s.Kind == span.Embedding) && (!s.Usage.IsZero() || s.Cost.Total != 0)
}

// keep stores the bodies.
func (w *takeWriter) keep(ctx context.Context, b *span.Batch, it *item) error {
	s := it.Span
	s.Input, s.Output = span.Ref{}, span.Ref{}
	if len(it.Output) > 0 {
		body := w.redact(it.Output)
		s.Output = w.bodies.raw(b, body)
		s.Output.Preview = anyOutputPreview(body)
	}
	if len(it.Input) == 0 {
		return nil
	}
	body := w.redact(it.Input)
	conv, err := w.bodies.request(ctx, b, body)
	if err != nil {
		return err
	}
	if conv == nil {
		s.Input.Preview = anyInputPreview(body)
		return nil
	}
	s.Input.New = w.recent.fresh(s.Project, conv)
	s.Input.Preview = talkPreview(conv, body)
	return nil
}

func (w *takeWriter) redact(body []byte) []byte {
	if w.t.o.Redact == nil {
		return body
	}
	return w.t.o.Redact(body)
}

// recentCalls remembers the last messages of conversations, so that a longer one is known to continue them.
type recentCalls struct {
	mu       sync.Mutex
	seen     lru[recentKey, struct{}]
	projects numbers[tenant.ProjectID]
}

type recentKey struct {
	node    span.Hash
	project uint64 // its number
}

// fresh is how many messages of a conversation are new against the longest earlier call it begins with and that call's
// answer.
func (r *recentCalls) fresh(p tenant.ProjectID, c *conversation) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	project := r.projects.number(p)
	last := len(c.ids) - 1
	n := len(c.ids)
	for i := last - 1; i >= 0; i-- {
		if _, ok := r.seen.get(recentKey{c.ids[i], project}); ok {
			if n = last - i; n > 1 && gjson.GetBytes(c.segments[i+1], "role").Str == "assistant" {
				n--
			}
			break
		}
	}
	r.seen.put(recentKey{c.ids[last], project}, struct{}{})
	return n
}

package ingest

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/catalog"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// TakerOptions tune a Taker. Store is required.
type TakerOptions struct {
	Store span.Store
	Log   *slog.Logger
	Now   func() time.Time
	// Refusing, if set, tells why nothing can be stored now: Recorder.Unfit.
	Refusing func() error
	// Bodies, if set and false, has only metadata kept.
	Bodies func() bool
	// Redact is as in Options.
	Redact func(body []byte) []byte
	// Model is what is known of an upstream's model, for its price; nil asks the catalog. Answers are remembered for a
	// short while.
	Model func(provider, model string) catalog.Model
	// Spans and Bytes bound what is being taken at one time: 100,000 spans, 128 MiB. A request beyond them is refused
	// with fault.RateLimited, unless it is alone.
	Spans, Bytes int
	// Writers share the traces: 2. Each commits on its own, so that one prepares while the other waits for the disk.
	Writers int
	// Behind, if set, is how many spans those who read what is stored still have to read. They read the latest from
	// memory; were they left far behind, they would read from the disk, fall behind further, and slow everything down. So
	// while it is over 12,000 each commit waits, up to a tenth of a second.
	Behind func() uint64
}

func (o *TakerOptions) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refusing == nil {
		o.Refusing = func() error { return nil }
	}
	if o.Bodies == nil {
		o.Bodies = func() bool { return true }
	}
	if o.Behind == nil {
		o.Behind = func() uint64 { return 0 }
	}
	if o.Model == nil {
		o.Model = catalog.Lookup
	}
	o.Spans = cmp.Or(o.Spans, 100_000)
	o.Bytes = cmp.Or(o.Bytes, 128<<20)
	o.Writers = cmp.Or(o.Writers, 2)
}

// Taker implements Intake. Requests that arrive while a commit is under way share the next one; Accept returns when
// its spans are on disk. What is being taken is bounded, and beyond that requests are refused rather than held.
type Taker struct {
	o       TakerOptions
	prices  prices
	writers []*takeWriter
	started atomic.Bool
	spans   atomic.Int64 // in flight
	bytes   atomic.Int64
	stats   takeCounters
	ctx     context.Context // of the writers
	cancel  context.CancelFunc
	loops   sync.WaitGroup
}

var _ Intake = (*Taker)(nil)

type takeCounters struct{ accepted, rejected, refused, updated, commits, retries atomic.Int64 }

// TakerStats are counts since the start, and what is in flight.
type TakerStats struct {
	Spans, Bytes, SpansLimit, BytesLimit int64
	// Accepted and Rejected are spans, Refused are requests. Updated are the accepted ones that added to a stored span.
	Accepted, Rejected, Refused, Updated, Commits, Retries int64
}

// NewTaker returns a Taker that Start makes ready.
func NewTaker(o TakerOptions) *Taker {
	o.defaults()
	t := &Taker{o: o, prices: prices{model: o.Model, now: o.Now}}
	recent := &recentCalls{}
	recent.seen.limit = 1 << 15
	for range o.Writers {
		t.writers = append(t.writers, &takeWriter{t: t, bodies: &bodies{store: o.Store, lately: map[string]*conversation{}}, recent: recent, wake: make(chan struct{}, 1)})
	}
	return t
}

// Start begins to take.
func (t *Taker) Start(ctx context.Context) error {
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, w := range t.writers {
		t.loops.Go(w.run)
	}
	t.started.Store(true)
	return nil
}

// Stop refuses what comes, commits what was let in, and stops.
func (t *Taker) Stop() {
	if !t.started.Swap(false) {
		return
	}
	for _, w := range t.writers {
		w.close()
	}
	t.loops.Wait()
	t.cancel()
}

// Stats reads the counters.
func (t *Taker) Stats() TakerStats {
	c := &t.stats
	return TakerStats{
		Spans: t.spans.Load(), Bytes: t.bytes.Load(), SpansLimit: int64(t.o.Spans), BytesLimit: int64(t.o.Bytes),
		Accepted: c.accepted.Load(), Rejected: c.rejected.Load(), Refused: c.refused.Load(), Updated: c.updated.Load(),
		Commits: c.commits.Load(), Retries: c.retries.Load(),
	}
}

// Accept implements Intake.
func (t *Taker) Accept(ctx context.Context, spans []Incoming) (rejected []Rejected, err error) {
	release, err := t.admit(spans)
	if err != nil {
		t.stats.refused.Add(1)
		return nil, err
	}
	r := &taking{done: make(chan struct{}), release: release}
	parts := t.split(r, spans)
	r.left.Store(int32(len(parts)) + 1)
	for i, items := range parts {
		switch {
		case len(items) == 0:
			r.finish(nil)
		case !t.writers[i].put(items):
			r.finish(refuse("spans are not taken any more"))
		}
	}
	r.finish(nil)
	select {
	case <-r.done:
	case <-ctx.Done(): // the commit goes on
		return nil, ctx.Err()
	}
	if r.err != nil {
		t.stats.refused.Add(1)
		return nil, r.err
	}
	t.stats.rejected.Add(int64(len(r.rejected)))
	t.stats.accepted.Add(int64(len(spans) - len(r.rejected)))
	return r.rejected, nil
}

// admit counts a request in.
func (t *Taker) admit(spans []Incoming) (release func(), err error) {
	if !t.started.Load() {
		return nil, refuse("spans are not taken now")
	}
	if err := t.o.Refusing(); err != nil {
		return nil, err
	}
	n, size := int64(len(spans)), int64(0)
	for i := range spans {
		size += int64(len(spans[i].Input) + len(spans[i].Output) + recordOverhead)
	}
	allN, allSize := t.spans.Add(n), t.bytes.Add(size)
	release = func() { t.spans.Add(-n); t.bytes.Add(-size) }
	if crowded := allN > int64(t.o.Spans) || allSize > int64(t.o.Bytes); crowded && allN > n {
		release()
		return nil, &fault.Error{Kind: fault.RateLimited, Msg: "too many spans are waiting to be stored", RetryAfter: time.Second}
	}
	return release, nil
}

// taking is one request on its way.
type taking struct {
	left     atomic.Int32 // parts not finished
	release  func()
	done     chan struct{}
	mu       sync.Mutex
	rejected []Rejected
	err      error
}

// item is one span of a request.
type item struct {
	*Incoming
	index int
	of    *taking
}

func (r *taking) reject(i int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejected = append(r.rejected, Rejected{Index: i, Err: err})
}

// finish ends one part of the request; an error refuses all of it.
func (r *taking) finish(err error) {
	if err != nil {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
	if r.left.Add(-1) == 0 {
		r.release()
		close(r.done)
	}
}

// split checks and completes spans, and deals them out to the writers by trace.
func (t *Taker) split(r *taking, spans []Incoming) [][]item {
	parts := make([][]item, len(t.writers))
	now, keep := t.o.Now().UTC(), t.o.Bodies()
	for i := range spans {
		in := &spans[i]
		if err := check(in, now); err != nil {
			r.reject(i, err)
			continue
		}
		t.prices.price(in.Span)
		if !keep {
			in.Input, in.Output = nil, nil
		}
		w := shard(in.Span.Project, in.Span.Trace) % uint32(len(parts))
		if parts[w] == nil {
			parts[w] = make([]item, 0, len(spans)-i)
		}
		parts[w] = append(parts[w], item{Incoming: in, index: i, of: r})
	}
	return parts
}

// shard is FNV-1a.
func shard(p tenant.ProjectID, trace string) uint32 {
	h := uint32(2166136261)
	for _, s := range [...]string{string(p), trace} {
		for i := range len(s) {
			h = (h ^ uint32(s[i])) * 16777619
		}
	}
	return h
}

// Unfit is the reason why nothing can be stored now; nil while the disk has room and the store works. Unlike Refusing it
// does not mind how many calls wait.
func (r *Recorder) Unfit() error {
	if !r.started.Load() {
		return refuse("recording is stopped")
	}
	if err := r.refusal.Load(); err != nil {
		return err
	}
	if r.failing.Load() {
		return refuse("nothing can be recorded now")
	}
	return nil
}

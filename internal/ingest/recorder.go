// Package ingest brings what happened into the truth store: it notes calls in flight so that none is lost, cuts
// conversations into shared nodes, finds sessions by content, commits in groups, and feeds the ledger to the rows.
package ingest

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/span"
)

// Options of a Recorder. Store, KV and Dir are required.
type Options struct {
	Store span.Store
	KV    span.KV
	Dir   string // of intents.log
	Log   *slog.Logger
	Now   func() time.Time

	// BodiesOff records metadata only: no bodies, no previews, no threading.
	BodiesOff bool
	// Redact, if set, changes bodies before they are hashed. It may return its argument, and must not write to it.
	Redact func(body []byte) []byte
	// Name, if set, adds to an interrupted call what its note had no room for: the names of key, user and team.
	Name func(*span.Span)
	// OnSpan, if set, sees each span after it is on disk, in order, on the writer's goroutine: it must not block.
	OnSpan func(*span.Span)
	// OnCharge, if set, is told after a commit that the ledger has grown. It must not block.
	OnCharge func()

	// DiskFree and Health, if set, are polled; while less than MinFree (256 MiB) is free or Health fails, new calls
	// are refused.
	DiskFree func() (free uint64, err error)
	Health   func() error
	MinFree  uint64
	Poll     time.Duration // 1 s

	// The queue's bounds: 8192 calls, 64 MiB of bodies. At three quarters new calls wait up to Patience (1 s) and are then
	// refused; when it is full, End blocks.
	QueueCalls, QueueBytes int
	Patience               time.Duration
	Gather                 time.Duration // how long a commit waits for company: 5 ms
	Drain                  time.Duration // how long Stop waits for the store: 10 s
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.MinFree = cmp.Or(o.MinFree, 256<<20)
	o.Poll = cmp.Or(o.Poll, time.Second)
	o.QueueCalls = cmp.Or(o.QueueCalls, 8192)
	o.QueueBytes = cmp.Or(o.QueueBytes, 64<<20)
	o.Patience = cmp.Or(o.Patience, time.Second)
	o.Gather = cmp.Or(o.Gather, 5*time.Millisecond)
	o.Drain = cmp.Or(o.Drain, 10*time.Second)
}

// A commit takes at most this much, so that it stays well below the store's memory tables.
const (
	commitCalls = 1024
	commitBytes = 2 << 20
)

// retryAfter is what refused callers are told to wait.
const retryAfter = 2 * time.Second

// Recorder implements gateway.Recorder.
//
// Ended calls wait in a bounded queue for one writer, which gathers them for a few milliseconds and commits them
// together. While the queue is nearly full, the disk is nearly full, or the store fails, Admit refuses new calls;
// running ones are still recorded, and End blocks rather than drop.
type Recorder struct {
	o       Options
	queue   *queue
	intents *intentLog
	bodies  *bodies
	threads *threads

	landing *landing // of the writer

	started atomic.Bool
	failing atomic.Bool                   // the last commit failed
	forget  atomic.Bool                   // the writer is to forget what it remembers of stored content
	refusal atomic.Pointer[fault.Error]   // by the watcher
	commits atomic.Pointer[chan struct{}] // closed at the next commit

	stats  counters
	ctx    context.Context // of the writer and the watcher; ends when Stop gives up waiting
	cancel context.CancelFunc
	writer sync.WaitGroup
	watch  sync.WaitGroup
	quit   chan struct{}
}

var _ gateway.Recorder = (*Recorder)(nil)

type counters struct{ ended, recorded, interrupted, refused, retries, lost atomic.Int64 }

// Stats are counts since the start, and the queue as it is.
type Stats struct {
	Depth, Capacity, InFlight                      int
	Ended, Recorded, Interrupted, Refused, Retries int64
	// Lost are calls whose end could not be stored before Stop gave up; the next start finds them as interrupted.
	Lost int64
}

// New returns a Recorder that Start makes ready.
func New(o Options) *Recorder {
	o.defaults()
	r := &Recorder{
		o: o, queue: newQueue(o.QueueCalls, o.QueueBytes), intents: newIntentLog(o.Dir),
		bodies: &bodies{store: o.Store}, threads: newThreads(o.KV), quit: make(chan struct{}),
	}
	ch := make(chan struct{})
	r.commits.Store(&ch)
	return r
}

// Start turns the calls a killed process left behind into interrupted spans, and begins to record.
func (r *Recorder) Start(ctx context.Context) error {
	if err := r.recover(ctx); err != nil {
		return err
	}
	if err := r.intents.open(); err != nil {
		return err
	}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.check()
	r.started.Store(true)
	r.writer.Go(r.write)
	r.watch.Go(r.watchLoop)
	return nil
}

// Stop records what has ended and stops. Calls that end later are found as interrupted by the next start.
func (r *Recorder) Stop() {
	if !r.started.Swap(false) {
		return
	}
	close(r.quit)
	r.watch.Wait()
	r.queue.close()
	giveUp := time.AfterFunc(r.o.Drain, r.cancel)
	r.writer.Wait()
	giveUp.Stop()
	r.cancel()
	if err := r.intents.close(); err != nil {
		r.o.Log.Warn("intents were not tidied", slog.Any("error", err))
	}
}

// Admit implements gateway.Recorder.
func (r *Recorder) Admit() error {
	err := r.refuses()
	if err == errCrowded && r.room() {
		err = r.refuses()
	}
	if err == nil {
		return nil
	}
	r.stats.refused.Add(1)
	return err
}

// Refusing is the reason why new calls are refused now; nil while they are admitted.
func (r *Recorder) Refusing() error { return r.refuses() }

func (r *Recorder) refuses() error {
	if !r.started.Load() {
		return refuse("recording is stopped")
	}
	if err := r.refusal.Load(); err != nil {
		return err
	}
	if r.failing.Load() {
		return refuse("calls cannot be recorded now")
	}
	if _, high := r.queue.depth(); high {
		return errCrowded
	}
	return nil
}

// errCrowded passes by itself as a rule.
var errCrowded = refuse("too many calls are waiting to be recorded")

// room waits for the queue to become shorter: a call that starts a little later is better than one refused.
func (r *Recorder) room() bool {
	t := time.NewTimer(r.o.Patience)
	defer t.Stop()
	for {
		next := *r.commits.Load()
		if _, high := r.queue.depth(); !high {
			return true
		}
		select {
		case <-next:
		case <-t.C:
			return false
		case <-r.quit:
			return false
		}
	}
}

func refuse(msg string) *fault.Error {
	return &fault.Error{Kind: fault.Unavailable, Msg: msg, RetryAfter: retryAfter}
}

// Begin implements gateway.Recorder.
func (r *Recorder) Begin(i gateway.Intent) error { return r.intents.begin(&i) }

// End implements gateway.Recorder.
func (r *Recorder) End(rec *gateway.Record) {
	r.stats.ended.Add(1)
	if r.o.BodiesOff {
		rec.Request, rec.Response = nil, nil
	}
	if !r.queue.put(rec) {
		r.lose(1)
	}
}

func (r *Recorder) lose(n int) {
	r.stats.lost.Add(int64(n))
	r.o.Log.Error("calls ended without a record; the next start finds them as interrupted", slog.Int("calls", n))
}

// Flush waits until every call that ended before it is committed, so that a reader sees it.
func (r *Recorder) Flush(ctx context.Context) error {
	goal := r.stats.ended.Load()
	for {
		next := *r.commits.Load()
		if r.stats.recorded.Load()+r.stats.lost.Load() >= goal {
			return nil
		}
		r.queue.flush()
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stats reads the counters.
func (r *Recorder) Stats() Stats {
	n, _ := r.queue.depth()
	c := &r.stats
	return Stats{
		Depth: n, Capacity: r.o.QueueCalls, InFlight: r.intents.inFlight(), Ended: c.ended.Load(),
		Recorded: c.recorded.Load(), Interrupted: c.interrupted.Load(), Refused: c.refused.Load(),
		Retries: c.retries.Load(), Lost: c.lost.Load(),
	}
}

func (r *Recorder) watchLoop() {
	t := time.NewTicker(r.o.Poll)
	defer t.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-t.C:
			r.check()
		}
	}
}

// check decides whether disk and store let new calls in.
func (r *Recorder) check() {
	err := r.trouble()
	if old := r.refusal.Swap(err); (old == nil) != (err == nil) {
		if err != nil {
			r.o.Log.Error("new calls are refused", slog.String("reason", err.Msg), slog.Any("error", err.Err))
		} else {
			r.o.Log.Info("new calls are admitted again")
		}
	}
}

func (r *Recorder) trouble() *fault.Error {
	if r.o.DiskFree != nil {
		free, err := r.o.DiskFree()
		if err == nil && free < r.o.MinFree {
			return refuse("disk low")
		}
	}
	if r.o.Health != nil {
		if err := r.o.Health(); err != nil {
			e := refuse("calls cannot be recorded now")
			e.Err = err
			return e
		}
	}
	return nil
}

package fulltext

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// ErrPartial is returned by Search after it has yielded what it found, when the newest texts could not be looked at in
// time. Where the context ends first its error is returned instead; both mean that more may be found.
var ErrPartial = query.ErrPartial

// Options tune a Service; the zero value is the default.
type Options struct {
	Every      time.Duration // between looks at the queue; 200 ms
	SegmentLen int           // bytes of text kept in memory before they are written as a segment; 8 MiB
	Log        *slog.Logger
	Now        func() time.Time
}

func (o *Options) defaults() {
	o.Every, o.SegmentLen = cmp.Or(o.Every, 200*time.Millisecond), cmp.Or(o.SegmentLen, 8<<20)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Service follows the store's queue, keeps the text index in step with it, and answers searches. What has not been
// written to the index yet is held in memory and searched there, at most about Options.SegmentLen bytes.
type Service struct {
	store Store
	o     Options
	ask   chan struct{} // a search waits for the queue to be read

	writing sync.Mutex // held from reading changes to having taken them, and while anything is forgotten
	made    text
	seen    *seen
	walked  walked
	segment uint64                   // newest number given
	gone    map[home]map[string]bool // while rebuilding: traces forgotten since it began; nil for the whole day
	late    latecomers
	ahead   ahead
	idleAt  uint64 // position of the store when it was last looked whether spans come in

	mu    sync.Mutex
	tail  *tail         // changed under both locks
	moved chan struct{} // closed and replaced whenever what follows changes
	pos   uint64        // of the queue: texts up to here are found
	ready bool          // the stored index is complete up to pos
	err   string        // the latest trouble

	held atomic.Uint64 // position that survives a crash: the queue must be kept from there on

	stop context.CancelFunc
	done chan struct{}
}

var _ query.Texts = (*Service)(nil)

// New returns a Service that Start sets to work.
func New(store Store, o Options) *Service {
	o.defaults()
	s := &Service{store: store, o: o, ask: make(chan struct{}, 1), tail: newTail(), moved: make(chan struct{})}
	s.forgetCaches()
	return s
}

// Start returns at once; the index is opened, and built if need be, in the background.
func (s *Service) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	go s.loop(ctx)
	return nil
}

// Stop ends the work. What is in memory is not written: the queue still has it.
func (s *Service) Stop() {
	s.stop()
	<-s.done
}

func (s *Service) loop(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		ask := s.ask
		err := s.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Error("text index is behind; it is tried again", "error", err)
			ask = nil // searches in a hurry must not turn a failure into a hot loop
		}
		s.trouble(err)
		tick.Reset(s.o.Every)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-ask:
		}
	}
}

// runOnce brings the index up to date.
func (s *Service) runOnce(ctx context.Context) error {
	if !s.isReady() {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	for {
		more, err := s.step(ctx)
		if err != nil {
			return err
		}
		if !more {
			return s.forgetLate(ctx)
		}
	}
}

// Status is how the index stands.
type Status struct {
	Ready     bool   // false while the index is being built
	Position  uint64 // of the queue: what came later is not found yet
	Committed uint64 // newest position of the store
	Held      int    // bytes of text in memory
	Err       string // the latest trouble, "" once over
}

// Lag is how many changes are not found yet.
func (s Status) Lag() uint64 { return s.Committed - min(s.Position, s.Committed) }

// Status is a snapshot.
func (s *Service) Status() Status {
	committed := s.store.Committed()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Ready: s.ready, Position: s.pos, Committed: committed, Held: s.tail.size, Err: s.err}
}

// Position is how much of the store's queue can be searched; it is not ready while everything stored is read anew.
func (s *Service) Position() (pos uint64, ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pos, s.ready
}

func (s *Service) position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pos
}

func (s *Service) isReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

func (s *Service) moveTo(pos uint64) { s.change(func() { s.pos = pos }) }
func (s *Service) setReady()         { s.change(func() { s.ready = true }) }

func (s *Service) trouble(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = ""; err != nil {
		s.err = err.Error()
	}
}

func (s *Service) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.moved)
	s.moved = make(chan struct{})
}

// wait returns once texts up to a position are found; false if that takes too long.
func (s *Service) wait(ctx context.Context, pos uint64) bool {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		s.mu.Lock()
		ok, moved := s.ready && s.pos >= pos, s.moved
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case s.ask <- struct{}{}:
		default:
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// settleTime is how long a search waits for the newest texts.
const settleTime = 500 * time.Millisecond

// Forget removes the texts of traces from the index and from memory: the blocks that hold any of them are written anew
// from what remains, so that neither text nor filter bits of them survive. Call it before their spans and blobs are deleted
// (a crash in between is then made good by repeating both), and delete them soon: a span that is written until then is
// indexed, and forgotten again once it has been deleted. It returns once the rewritten index is stored; the bytes of the old
// blocks leave the disk when the day's keys are compacted. Texts that the traces were the first to use, and that other spans
// still use, are no longer found until these spans are handed to Learn. It is harmless to repeat.
func (s *Service) Forget(ctx context.Context, p tenant.ProjectID, day span.Day, traces []string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	return s.forget(ctx, home{p, day}, traces)
}

// Learn indexes texts of stored spans that are not indexed, under the first of the spans that uses them. After an erasure
// it is given the spans that share content with what was erased; giving it more is harmless but for the time it takes.
// It returns once the index is stored.
func (s *Service) Learn(ctx context.Context, spans []*span.Span) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.learn(ctx, spans)
}

// DropDay runs drop, which removes a project's day and its text index from the store, and forgets what is in memory of it.
// Nothing of the day is indexed meanwhile.
func (s *Service) DropDay(ctx context.Context, p tenant.ProjectID, day span.Day, drop func() error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.dropDay(ctx, home{p, day}, drop)
}

// Floor is the position the queue must not be trimmed beyond.
func (s *Service) Floor() uint64 { return s.held.Load() }

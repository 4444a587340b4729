package query

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Backend opens the index. Open returns ErrCorrupt for one that must be removed; Remove deletes all its files.
type Backend struct {
	Open   func(ctx context.Context) (Index, error)
	Remove func() error
}

// IndexerOptions tune an Indexer; the zero value is the default.
type IndexerOptions struct {
	Every           time.Duration // between drains of the queue; 250 ms
	CheckpointEvery time.Duration // after which the queue is trimmed; 1 min
	// Floor is the position up to which another reader of the queue needs it no more; nil if there is none.
	Floor func() uint64
	Log   *slog.Logger
}

// Indexer keeps an index in step with the store. It opens the index in the background, so that a start does not wait
// for it, drains the store's queue into it, rebuilds it from the store when it is missing or damaged, and opens it
// again when its engine has given up. None of its troubles reach a caller other than as a State.
type Indexer struct {
	store   span.Store
	backend Backend
	o       IndexerOptions
	feed    feed
	ask     chan struct{} // a read waits for the queue to be drained

	using sync.RWMutex // held for reading while the index is used, for writing while it is swapped
	idx   Index        // nil while there is none

	lost    atomic.Bool // the index in use must be opened again
	renewal atomic.Pointer[renewal]
	writing sync.Mutex // held from reading changes to having applied them

	mu      sync.Mutex
	state   State
	moved   chan struct{} // closed and replaced whenever state changes
	stop    context.CancelFunc
	done    chan struct{}
	losses  int       // of the index in a row; only the loop uses it
	checked time.Time // last checkpoint; only the loop uses it
	held    uint64    // position of the last checkpoint; only the loop uses it
}

// State is how an index stands.
type State struct {
	Open       bool   // reads are answered
	Rebuilding bool   // rows are being loaded; reads see a part
	Position   uint64 // of the queue covered
	Committed  uint64 // newest position of the store
	Err        string // the latest trouble, "" once over
}

// Lag is how many changes the index is behind.
func (s State) Lag() uint64 {
	if s.Committed < s.Position {
		return 0
	}
	return s.Committed - s.Position
}

// NewIndexer returns an Indexer that Start sets to work.
func NewIndexer(store span.Store, b Backend, o IndexerOptions) *Indexer {
	if o.Every == 0 {
		o.Every = 250 * time.Millisecond
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Indexer{store: store, backend: b, o: o, ask: make(chan struct{}, 1), moved: make(chan struct{})}
}

// Start returns at once; the index is opened in the background.
func (x *Indexer) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	x.stop, x.done = cancel, make(chan struct{})
	go x.loop(ctx)
	return nil
}

// Stop ends the loop, checkpoints and closes the index.
func (x *Indexer) Stop() {
	x.stop()
	<-x.done
	x.feed.closeAll()
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if err := x.checkpoint(ctx); err != nil {
		x.o.Log.Warn("index checkpoint at stop failed; the queue is kept", "error", err)
	}
	if err := x.swap(nil); err != nil {
		x.o.Log.Warn("index did not close cleanly", "error", err)
	}
}

func (x *Indexer) loop(ctx context.Context) {
	defer close(x.done)
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		ask, began, from := x.ask, time.Now(), x.State().Position
		if err := x.runOnce(ctx); err != nil && ctx.Err() == nil {
			x.trouble(err)
			ask = nil // readers in a hurry must not turn a failure into a hot loop
		}
		tick.Reset(x.pause(time.Since(began), x.State().Position-from))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-ask:
		}
	}
}

// slowest is the longest pause between drains: what is recorded is in the index within about a second.
const slowest = time.Second

// plenty is what makes a drain worth its cost.
const plenty = 4_000

// pause is the time to the next drain. A drain costs much whatever its size, so under load there are fewer, larger ones:
// small ones take about a tenth of one core.
func (x *Indexer) pause(took time.Duration, rows uint64) time.Duration {
	if rows >= plenty {
		return x.o.Every
	}
	return max(x.o.Every, min(9*took, slowest))
}

// maxLosses is how often in a row an index may be lost before it is rebuilt: its file is the cause then.
const maxLosses = 3

// runOnce brings the index up to date, opening and rebuilding it first if needed. An error leaves it so that the next
// run can go on.
func (x *Indexer) runOnce(ctx context.Context) error {
	x.renew()
	if x.lost.Swap(false) { // a read saw it
		if err := x.swap(nil); err != nil {
			x.o.Log.Warn("index did not close cleanly", "error", err)
		}
	}
	if x.current() == nil {
		if err := x.open(ctx); err != nil {
			return err
		}
	}
	err := x.work(ctx)
	if err == nil {
		x.losses = 0
	}
	switch {
	case errors.Is(err, ErrLost):
		if x.losses++; x.losses >= maxLosses {
			x.losses = 0
			return errors.Join(err, x.discard())
		}
		return errors.Join(err, x.swap(nil))
	case errors.Is(err, ErrCorrupt):
		return errors.Join(err, x.discard())
	}
	return err
}

func (x *Indexer) work(ctx context.Context) error {
	if x.State().Rebuilding {
		if err := x.rebuild(ctx); err != nil {
			return err
		}
	}
	if err := x.drain(ctx); err != nil {
		return err
	}
	if time.Since(x.checked) < x.o.CheckpointEvery {
		return nil
	}
	return x.checkpoint(ctx)
}

func (x *Indexer) open(ctx context.Context) error {
	idx, err := x.backend.Open(ctx)
	if errors.Is(err, ErrCorrupt) {
		x.o.Log.Warn("index is removed and will be rebuilt", "reason", err)
		if err := x.backend.Remove(); err != nil {
			return fmt.Errorf("query: remove the damaged index: %w", err)
		}
		idx, err = x.backend.Open(ctx)
	}
	if err != nil {
		return fmt.Errorf("query: open the index: %w", err)
	}
	pos, ok, err := idx.Position(ctx)
	if err != nil {
		return errors.Join(err, idx.Close())
	}
	ahead := pos > x.store.Committed() // of another store, or one restored from a backup
	if err := x.swap(idx); err != nil {
		return err
	}
	x.set(func(s *State) { s.Position, s.Rebuilding = pos, !ok || ahead })
	if ok && ahead {
		x.o.Log.Warn("index is ahead of the store and will be rebuilt", "position", pos, "committed", x.store.Committed())
	}
	x.checked = time.Now()
	return nil
}

// discard closes and removes an index that turned out to be damaged.
func (x *Indexer) discard() error {
	return errors.Join(x.swap(nil), x.backend.Remove())
}

const loadRows = 20_000 // spans per transaction of a rebuild

func (x *Indexer) rebuild(ctx context.Context) error {
	start, total := time.Now(), 0
	idx := x.current()
	if err := idx.Reset(ctx); err != nil {
		return err
	}
	x.set(func(s *State) { s.Position = 0 })
	var rows []*span.Span
	flush := func() error {
		total += len(rows)
		err := idx.Load(ctx, rows)
		rows = rows[:0]
		return err
	}
	var loadErr error
	upto, err := x.store.Scan(ctx, func(s *span.Span) bool {
		if rows = append(rows, s); len(rows) >= loadRows {
			loadErr = flush()
		}
		return loadErr == nil
	})
	if err := errors.Join(err, loadErr); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	if err := idx.Apply(ctx, nil, upto); err != nil {
		return err
	}
	x.set(func(s *State) { s.Position, s.Rebuilding = upto, false })
	x.o.Log.Info("index built", "spans", total, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

const applyRows = 20_000 // changes per transaction

// drain applies the queue until nothing is left.
func (x *Indexer) drain(ctx context.Context) error {
	for {
		target := x.store.Committed()
		from := x.State().Position
		if from >= target {
			x.set(func(s *State) { s.Err = "" })
			return nil
		}
		if err := x.step(ctx, from, target); err != nil {
			return err
		}
	}
}

func (x *Indexer) step(ctx context.Context, from, target uint64) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	rows, upto, err := x.batch(ctx, from, target)
	if err != nil {
		return err
	}
	if err := x.current().Apply(ctx, rows, upto); err != nil {
		return err
	}
	x.set(func(s *State) { s.Position, s.Err = upto, "" })
	x.feed.publish(rows)
	return nil
}

// batch reads the next changes, each span once, in its latest state.
func (x *Indexer) batch(ctx context.Context, from, target uint64) (rows []*span.Span, upto uint64, err error) {
	type key struct {
		p           tenant.ProjectID
		trace, span string
	}
	at := map[key]int{}
	full := false
	upto = from
	err = x.store.Changes(ctx, from, func(seq uint64, s *span.Span) bool {
		k := key{s.Project, s.Trace, s.ID}
		if i, ok := at[k]; ok {
			latest := *s // the store's own must not be changed
			latest.First = rows[i].First
			rows[i] = &latest
		} else {
			at[k] = len(rows)
			rows = append(rows, s)
		}
		upto = seq
		full = len(rows) >= applyRows
		return !full
	})
	if !full { // what was dropped meanwhile has no row
		upto = max(upto, target)
	}
	return rows, upto, err
}

// checkpoint makes the index hold its position by itself and lets the store forget the queue up to there.
func (x *Indexer) checkpoint(ctx context.Context) error {
	idx := x.current()
	if s := x.State(); idx == nil || s.Rebuilding || s.Position == x.held {
		return nil
	}
	x.checked = time.Now()
	upto, err := idx.Checkpoint(ctx)
	if err != nil {
		return err
	}
	trim := upto
	if x.o.Floor != nil {
		trim = min(trim, x.o.Floor())
	}
	if err := x.store.Trim(ctx, trim); err != nil {
		return err
	}
	x.held = upto
	return nil
}

// use runs f on the index, or reports that there is none.
func (x *Indexer) use(ctx context.Context, f func(context.Context, Index) error) (found bool, err error) {
	x.using.RLock()
	defer x.using.RUnlock()
	if x.idx == nil {
		return false, nil
	}
	err = f(ctx, x.idx)
	if errors.Is(err, ErrLost) || errors.Is(err, ErrCorrupt) {
		x.lost.Store(true)
		x.nudge()
		return false, &fault.Error{Kind: fault.Unavailable, Msg: "the index is being opened again", RetryAfter: time.Second, Err: err}
	}
	return true, err
}

// exclusive runs f while nothing read from the store is on its way into the index.
func (x *Indexer) exclusive(f func() error) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if s := x.State(); !s.Open || s.Rebuilding {
		return &fault.Error{Kind: fault.Unavailable, Msg: "the index is being built", RetryAfter: 5 * time.Second}
	}
	return f()
}

func (x *Indexer) current() Index {
	x.using.RLock()
	defer x.using.RUnlock()
	return x.idx
}

// swap puts another index in force, once no read uses the old one, and closes the old one.
func (x *Indexer) swap(idx Index) error {
	x.using.Lock()
	defer x.using.Unlock()
	old := x.idx
	x.idx = idx
	x.set(func(s *State) { s.Open = idx != nil })
	if old == nil {
		return nil
	}
	return old.Close()
}

func (x *Indexer) trouble(err error) {
	x.o.Log.Error("indexing failed; it is tried again", "error", err)
	x.set(func(s *State) { s.Err = err.Error() })
}

// State is a snapshot.
func (x *Indexer) State() State {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.state
	s.Committed = x.store.Committed()
	return s
}

func (x *Indexer) set(change func(*State)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.state
	if change(&x.state); x.state != was {
		close(x.moved)
		x.moved = make(chan struct{})
	}
}

// covers reports whether reads see everything up to a position.
func (x *Indexer) covers(pos uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state.covers(pos)
}

func (s State) covers(pos uint64) bool { return s.Open && !s.Rebuilding && s.Position >= pos }

func (x *Indexer) nudge() {
	select {
	case x.ask <- struct{}{}:
	default:
	}
}

// Wait asks for the queue to be drained now and returns once reads see everything up to a position.
func (x *Indexer) Wait(ctx context.Context, pos uint64) error {
	for {
		x.mu.Lock()
		ok, moved := x.state.covers(pos), x.moved
		x.mu.Unlock()
		if ok {
			return nil
		}
		x.nudge()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

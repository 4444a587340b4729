package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// truth is a span.Store in memory, as far as an engine uses it.
type truth struct {
	span.Store
	mu      sync.Mutex
	queue   []*span.Span // position i+1
	trimmed uint64
}

func (s *truth) put(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.queue = append(s.queue, &span.Span{Project: "p", Trace: "t", ID: id, Group: "m", Start: time.Unix(int64(len(s.queue)), 0)})
	}
}

func (s *truth) Committed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.queue))
}

func (s *truth) Changes(_ context.Context, after uint64, yield func(uint64, *span.Span) bool) error {
	s.mu.Lock()
	queue := slices.Clone(s.queue)
	s.mu.Unlock()
	for i := max(after, s.trimmed); i < uint64(len(queue)); i++ {
		if !yield(i+1, queue[i]) {
			return nil
		}
	}
	return nil
}

func (s *truth) Scan(_ context.Context, yield func(*span.Span) bool) (uint64, error) {
	n := s.Committed()
	for _, sp := range s.queue[:n] {
		if !yield(sp) {
			break
		}
	}
	return n, nil
}

func (s *truth) Trim(_ context.Context, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trimmed = seq
	return nil
}

func (s *truth) kept() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trimmed
}

func (s *truth) Spans(_ context.Context, _ tenant.ProjectID, keys []span.Key) ([]*span.Span, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*span.Span
	for _, k := range keys {
		if i := slices.IndexFunc(s.queue, func(sp *span.Span) bool { return sp.ID == k.Span }); i >= 0 {
			out = append(out, s.queue[i])
		}
	}
	return out, nil
}

func (s *truth) DropDay(context.Context, tenant.ProjectID, span.Day) error { return nil }

// shelf keeps a memory index over closing, like a file.
type shelf struct {
	mu       sync.Mutex
	rows     map[string]*span.Span
	position uint64
	complete bool
	corrupt  bool
	lost     bool          // until opened again
	hold     chan struct{} // while not nil, applying waits for it to be closed
	opened   int
	removed  int
	resets   int
	dropped  int
}

func (s *shelf) open(context.Context) (Index, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.corrupt {
		return nil, fmt.Errorf("%w: test", ErrCorrupt)
	}
	s.opened++
	s.lost = false
	if s.rows == nil {
		s.rows = map[string]*span.Span{}
	}
	return &memIndex{s: s}, nil
}

func (s *shelf) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed++
	s.rows, s.position, s.complete, s.corrupt = nil, 0, false, false
	return nil
}

func (s *shelf) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
}

type memIndex struct {
	Index
	s *shelf
}

func (x *memIndex) do(f func()) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.lost {
		return fmt.Errorf("%w: test", ErrLost)
	}
	f()
	return nil
}

func (x *memIndex) Apply(ctx context.Context, rows []*span.Span, upto uint64) error {
	x.s.mu.Lock()
	hold := x.s.hold
	x.s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return x.do(func() {
		for _, r := range rows {
			x.s.rows[r.ID] = r
		}
		x.s.position, x.s.complete = upto, true
	})
}

func (x *memIndex) Load(_ context.Context, rows []*span.Span) error {
	return x.do(func() {
		for _, r := range rows {
			x.s.rows[r.ID] = r
		}
	})
}

func (x *memIndex) Position(context.Context) (p uint64, ok bool, err error) {
	err = x.do(func() { p, ok = x.s.position, x.s.complete })
	return p, ok, err
}

func (x *memIndex) Checkpoint(context.Context) (p uint64, err error) {
	err = x.do(func() { p = x.s.position })
	return p, err
}

func (x *memIndex) Reset(context.Context) error {
	return x.do(func() {
		x.s.rows, x.s.position, x.s.complete, x.s.resets = map[string]*span.Span{}, 0, false, x.s.resets+1
	})
}

func (x *memIndex) Count(context.Context, Query) (n int64, err error) {
	err = x.do(func() { n = int64(len(x.s.rows)) })
	return n, err
}

func (x *memIndex) Search(context.Context, Query, Page) (keys []span.Key, cursor string, err error) {
	err = x.do(func() {
		for _, r := range x.s.rows {
			keys = append(keys, span.Key{Trace: r.Trace, Span: r.ID})
		}
	})
	return keys, "", err
}

func (x *memIndex) DropDay(context.Context, tenant.ProjectID, span.Day) error {
	return x.do(func() { x.s.dropped++ })
}

func (x *memIndex) Close() error { return nil }

// rig starts an engine over memory; it must run in a synctest bubble.
func rig(t *testing.T, st *truth, sh *shelf) *Engine {
	t.Helper()
	x := NewIndexer(st, Backend{Open: sh.open, Remove: sh.remove}, IndexerOptions{})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Stop)
	return NewEngine(st, x, nil)
}

func count(t *testing.T, e *Engine) (n int64, partial bool) {
	t.Helper()
	n, partial, err := e.Count(t.Context(), Query{Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	return n, partial
}

func TestReadsSeeWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		st.put("a", "b")
		e := rig(t, st, sh)
		if n, partial := count(t, e); n != 2 || partial {
			t.Errorf("%d %v after the start", n, partial)
		}
		start := time.Now()
		st.put("c", "a")
		if n, partial := count(t, e); n != 3 || partial {
			t.Errorf("%d %v after a write", n, partial)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("a read waited %v for the tick", took)
		}
	})
}

func TestSlowIndexMakesAnswersPartial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		st.put("a")
		e := rig(t, st, sh)
		count(t, e)
		hold := make(chan struct{})
		sh.mu.Lock()
		sh.hold = hold
		sh.mu.Unlock()
		st.put("b")
		start := time.Now()
		if n, partial := count(t, e); n != 1 || !partial || time.Since(start) != settleTime {
			t.Errorf("%d %v after %v", n, partial, time.Since(start))
		}
		if s := e.State(); s.Lag() != 1 {
			t.Errorf("lag %d", s.Lag())
		}
		close(hold)
		if n, partial := count(t, e); n != 2 || partial {
			t.Errorf("%d %v once it goes on", n, partial)
		}
	})
}

func TestQueueIsKeptForOtherReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		var floor atomic.Uint64
		x := NewIndexer(st, Backend{Open: sh.open, Remove: sh.remove}, IndexerOptions{Floor: floor.Load})
		st.put("a", "b")
		if err := x.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if st.kept() != 0 {
			t.Errorf("trimmed up to %d", st.kept())
		}
		floor.Store(1)
		st.put("c")
		time.Sleep(2 * time.Minute)
		x.Stop()
		if st.kept() != 1 {
			t.Errorf("trimmed up to %d, not to the floor", st.kept())
		}
	})
}

func TestQueueIsTrimmedAfterACheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		e := rig(t, st, sh)
		st.put("a", "b")
		count(t, e)
		if n := st.kept(); n != 0 {
			t.Errorf("trimmed to %d before a checkpoint", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := st.kept(); n != 2 {
			t.Errorf("trimmed to %d", n)
		}
	})
}

func TestDamagedIndexIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{corrupt: true}
		st.put("a", "b", "c")
		e := rig(t, st, sh)
		if n, partial := count(t, e); n != 3 || partial || sh.removed != 1 {
			t.Errorf("%d %v, removed %d times", n, partial, sh.removed)
		}
	})
}

func TestIndexAheadOfTheStoreIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{position: 99, complete: true, rows: map[string]*span.Span{"ghost": {ID: "ghost"}}}
		st.put("a")
		e := rig(t, st, sh)
		if n, _ := count(t, e); n != 1 || sh.resets != 1 {
			t.Errorf("%d rows, %d resets", n, sh.resets)
		}
	})
}

func TestIndexGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{position: 1, complete: true, rows: map[string]*span.Span{"a": {ID: "a"}}}
		st.put("a", "b")
		e := rig(t, st, sh)
		if n, _ := count(t, e); n != 2 || sh.resets != 0 {
			t.Errorf("%d rows, %d resets", n, sh.resets)
		}
	})
}

func TestLostIndexIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		e := rig(t, st, sh)
		st.put("a")
		count(t, e)
		sh.lose()
		if _, _, err := e.Count(t.Context(), Query{Project: "p"}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a read of a lost index: %v", err)
		}
		time.Sleep(time.Second)
		if n, partial := count(t, e); n != 1 || partial || sh.opened != 2 || sh.resets != 1 {
			t.Errorf("%d %v, opened %d times, %d resets", n, partial, sh.opened, sh.resets)
		}
		sh.lose()
		st.put("b") // now the writer sees it first
		time.Sleep(time.Second)
		if n, _ := count(t, e); n != 2 || sh.opened != 3 {
			t.Errorf("%d, opened %d times", n, sh.opened)
		}
	})
}

func TestIndexThatIsLostAgainAndAgainIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		st.put("a")
		broken := true
		open := func(ctx context.Context) (Index, error) {
			x, err := sh.open(ctx)
			if broken && err == nil {
				return &brittle{Index: x}, nil
			}
			return x, err
		}
		remove := func() error {
			broken = false
			return sh.remove()
		}
		x := NewIndexer(st, Backend{Open: open, Remove: remove}, IndexerOptions{})
		if err := x.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer x.Stop()
		time.Sleep(5 * time.Second)
		if n, partial := count(t, NewEngine(st, x, nil)); n != 1 || partial || sh.removed != 1 {
			t.Errorf("%d %v, removed %d times", n, partial, sh.removed)
		}
	})
}

// brittle is an index whose every change fails.
type brittle struct{ Index }

func (b *brittle) Reset(context.Context) error { return fmt.Errorf("%w: test", ErrLost) }

func TestNoIndexMakesAnswersPartial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &truth{}
		st.put("a")
		x := NewIndexer(st, Backend{Open: func(context.Context) (Index, error) { return nil, errors.New("no room") }}, IndexerOptions{})
		if err := x.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer x.Stop()
		e := NewEngine(st, x, nil)
		l, err := e.List(t.Context(), Query{Project: "p"}, Page{})
		if err != nil || !l.Partial || len(l.Items) != 0 {
			t.Errorf("%+v %v", l, err)
		}
		if s := e.State(); s.Open || s.Err == "" {
			t.Errorf("%+v", s)
		}
		if err := e.DropDay(t.Context(), "p", 1); !fault.Is(err, fault.Unavailable) {
			t.Errorf("drop: %v", err)
		}
	})
}

func TestLiveTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		e := rig(t, st, sh)
		count(t, e)
		filter, err := Parse("id != b")
		if err != nil {
			t.Fatal(err)
		}
		tail, other := e.Live("p", filter, 2), e.Live("q", nil, 2)
		defer tail.Close()
		defer other.Close()
		st.put("a", "b", "c")
		count(t, e)
		if x, y := <-tail.Spans, <-tail.Spans; x.ID != "a" || y.ID != "c" {
			t.Errorf("saw %s, %s", x.ID, y.ID)
		}
		st.put("d", "e", "f") // one more than fits
		count(t, e)
		var rest []string
		for s := range tail.Spans {
			rest = append(rest, s.ID)
		}
		if len(rest) != 2 || !tail.Lagged() || len(other.Spans) != 0 || other.Lagged() {
			t.Errorf("%v, lagged %v, other project %d", rest, tail.Lagged(), len(other.Spans))
		}
	})
}

func TestDropDayReachesTheIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, sh := &truth{}, &shelf{}
		e := rig(t, st, sh)
		count(t, e)
		if err := e.DropDay(t.Context(), "p", 3); err != nil || sh.dropped != 1 {
			t.Errorf("%v, dropped %d times", err, sh.dropped)
		}
	})
}

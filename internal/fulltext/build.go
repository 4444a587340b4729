package fulltext

import (
	"context"
	"time"

	"weir/internal/span"
	"weir/internal/tenant"
)

// changesPerStep and scannedPerStep bound how long a step keeps others from forgetting. The more spans are scanned at once,
// the more of what is looked up lies together.
const (
	changesPerStep = 500
	scannedPerStep = 4096
)

// step takes the next changes into memory, and writes a segment when there is enough. It reports whether there was
// anything to do.
func (s *Service) step(ctx context.Context) (more bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.advance(ctx)
}

// catchUp takes all changes there are now. While the index is being built it does nothing: what is forgotten is noted.
func (s *Service) catchUp(ctx context.Context) error {
	for s.isReady() {
		if more, err := s.advance(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

func (s *Service) advance(ctx context.Context) (more bool, err error) {
	target, from := s.store.Committed(), s.position()
	if from >= target {
		return false, nil
	}
	spans, upto, err := s.changes(ctx, from, target)
	if err == nil {
		err = s.take(ctx, spans)
	}
	if err != nil {
		s.rewind()
		return false, err
	}
	s.moveTo(upto)
	return true, nil
}

// changes are the next spans, each once, in its latest state.
func (s *Service) changes(ctx context.Context, from, target uint64) (spans []*span.Span, upto uint64, err error) {
	type id struct {
		p           tenant.ProjectID
		trace, span string
	}
	at, full := map[id]int{}, false
	upto = from
	err = s.store.Changes(ctx, from, func(seq uint64, sp *span.Span) bool {
		k := id{sp.Project, sp.Trace, sp.ID}
		if i, ok := at[k]; ok {
			spans[i] = sp
		} else {
			at[k] = len(spans)
			spans = append(spans, sp)
		}
		upto, full = seq, len(spans) >= changesPerStep
		return !full
	})
	if !full { // what was dropped meanwhile yields nothing
		upto = max(upto, target)
	}
	return spans, upto, err
}

func (s *Service) flushIfFull(ctx context.Context) error {
	if s.tail.size < s.o.SegmentLen {
		return nil
	}
	return s.flush(ctx)
}

// flush writes what is in memory as segments, one for each day.
func (s *Service) flush(ctx context.Context) error {
	var values []Value
	st := State{Version: version, Upto: s.position(), Segment: s.segment}
	for at, p := range s.tail.days {
		st.Segment++
		values = append(values, p.segment(at, st.Segment, s.hands())...)
	}
	values = append(values, s.seen.values()...)
	to := &st
	if !s.isReady() { // a rebuild that is cut short starts again
		to = nil
	}
	if err := s.store.WriteTexts(ctx, values, to); err != nil {
		return err // all stays in memory, and is tried again
	}
	s.segment = st.Segment
	days := s.tail.days
	s.mu.Lock()
	s.tail = newTail() // only now: a search looks in memory first
	s.mu.Unlock()
	s.seen.written()
	if to != nil {
		s.held.Store(st.Upto)
	}
	for at := range days {
		if err := s.join(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// rewind forgets what is in memory, after a failure that may have left it incomplete.
func (s *Service) rewind() {
	s.mu.Lock()
	s.tail = newTail()
	s.mu.Unlock()
	s.forgetCaches()
	s.moveTo(s.held.Load())
}

func (s *Service) forgetCaches() {
	s.seen = &seen{store: s.store, chunks: map[chunkKey]*chunk{}}
	s.walked = walked{}
}

// open finds where the stored index stands, and builds it if it does not continue.
func (s *Service) open(ctx context.Context) error {
	st, ok, err := s.store.TextState(ctx)
	if err != nil {
		return err
	}
	s.forgetCaches()
	if !ok || st.Version != version {
		return s.rebuild(ctx)
	}
	s.segment = st.Segment
	s.held.Store(st.Upto)
	s.moveTo(st.Upto)
	s.setReady()
	return nil
}

// rebuild indexes all spans there are. Order within the rebuilt part is that of the store.
func (s *Service) rebuild(ctx context.Context) error {
	start, total := s.o.Now(), 0
	if err := s.begin(ctx); err != nil {
		return err
	}
	var spans []*span.Span
	var takeErr error
	upto, err := s.store.Scan(ctx, func(sp *span.Span) bool {
		if spans = append(spans, sp); len(spans) >= scannedPerStep {
			total += len(spans)
			takeErr = s.takeScanned(ctx, spans)
			spans = nil
		}
		return takeErr == nil
	})
	if takeErr != nil {
		return takeErr
	}
	if err == nil {
		err = s.takeScanned(ctx, spans)
	}
	if err != nil {
		return err
	}
	return s.finish(ctx, upto, total+len(spans), start)
}

func (s *Service) begin(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	s.tail = newTail()
	s.mu.Unlock()
	s.gone = map[home]map[string]bool{}
	s.segment = 0
	return s.store.ResetTexts(ctx)
}

func (s *Service) finish(ctx context.Context, upto uint64, total int, start time.Time) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.gone = nil
	s.moveTo(upto)
	s.setReady()
	if err := s.flush(ctx); err != nil {
		return err
	}
	if total > 0 {
		s.o.Log.Info("text index built", "spans", total, "took", s.o.Now().Sub(start).Round(time.Millisecond))
	}
	return nil
}

// takeScanned indexes spans of a snapshot, less those that were forgotten since.
func (s *Service) takeScanned(ctx context.Context, spans []*span.Span) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var left []*span.Span
	for _, sp := range spans {
		if traces, ok := s.gone[home{sp.Project, sp.Day}]; !ok || traces != nil && !traces[sp.Trace] {
			left = append(left, sp)
		}
	}
	hands := s.hands()
	var err error
	if s.ahead, err = s.lookAhead(ctx, left, hands); err != nil {
		return err
	}
	defer func() { s.ahead = nil }()
	return s.take(ctx, left)
}

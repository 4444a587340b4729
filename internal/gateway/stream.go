package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"weir/internal/fault"
	"weir/internal/llm"
)

// Stream is a streamed answer on its way to the client. It watches what passes, so that at the end (or wherever it
// breaks) the call is recorded and paid. Not safe for concurrent use.
type Stream struct {
	x      *exchange
	src    FrameReader
	native bool
	header http.Header
	cancel func()

	fold   llm.Fold
	first  time.Duration
	held   []Frame     // read before the status was committed
	late   chan peeked // the hold ran out: its reader's result comes here
	err    error       // sticky
	closed bool
}

type peeked struct {
	frames []Frame
	err    error
}

// hold reads until the first content or the natural end, or until d has passed. An error before that means nothing was
// promised yet: the caller may try elsewhere.
func (s *Stream) hold(ctx context.Context, d time.Duration) error {
	if s.src.Buffered() { // the common fast upstream: no goroutine needed
		p := s.peek()
		return s.took(p)
	}
	done := make(chan peeked, 1)
	go func() { done <- s.guardedPeek() }() // ends with src: every source ends on ctx or Close
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case p := <-done:
		return s.took(p)
	case <-t.C:
		s.late = done
		return nil
	case <-ctx.Done():
		_ = s.src.Close()
		<-done
		return ctx.Err()
	}
}

func (s *Stream) took(p peeked) error {
	s.held = p.frames
	if p.err == nil {
		return nil
	}
	if p.err == io.EOF {
		if s.fold.Content || s.fold.Finished {
			s.err = io.EOF
			return nil
		}
		return &llm.Error{Provider: s.x.deploy.Target.Provider, Type: llm.TypeEmpty, Message: "the upstream answered without any output"}
	}
	return p.err
}

// guardedPeek is peek on a goroutine of its own, where a panic over a hostile stream would end the process.
func (s *Stream) guardedPeek() (p peeked) {
	defer func() {
		if r := recover(); r != nil {
			s.x.g.deps.Log.Error("reading a stream panicked", "panic", r, "stack", string(debug.Stack()))
			p = peeked{err: fault.New(fault.Internal, "internal error")}
		}
	}()
	return s.peek()
}

// peek reads frames up to and including the first with content. Frames are copied: they outlive the next read.
func (s *Stream) peek() peeked {
	var p peeked
	for {
		f, err := s.src.Next()
		if err != nil {
			p.err = err
			return p
		}
		s.watch(f)
		if s.native {
			f.Data = append([]byte(nil), f.Data...)
		}
		f.Chunks = append([]llm.Chunk(nil), f.Chunks...)
		p.frames = append(p.frames, f)
		if s.fold.Content || s.fold.Finished {
			return p
		}
	}
}

func (s *Stream) watch(f Frame) {
	for _, c := range f.Chunks {
		if s.first == 0 && c.IsContent() {
			s.first = max(s.x.g.deps.Now().Sub(s.x.start), 1)
		}
		s.fold.Add(c)
	}
}

// Next returns the next frame. After io.EOF the call is recorded; after any other error too, and the error is what the
// client must be told in-band.
func (s *Stream) Next() (Frame, error) {
	if s.late != nil {
		p := <-s.late
		s.late = nil
		if err := s.took(p); err != nil {
			s.err = err
		}
	}
	if len(s.held) > 0 {
		f := s.held[0]
		s.held = s.held[1:]
		return f, nil
	}
	if s.err != nil {
		s.end(s.err)
		return Frame{}, s.err
	}
	f, err := s.src.Next()
	if err != nil {
		s.err = err
		s.end(err)
		return Frame{}, s.err
	}
	s.watch(f)
	return f, nil
}

// Buffered reports whether Next will not wait.
func (s *Stream) Buffered() bool {
	return s.late == nil && (len(s.held) > 0 || s.err != nil || s.src.Buffered())
}

// Pending reports that the status was committed before any content arrived.
func (s *Stream) Pending() bool { return s.late != nil }

// Close ends the stream. Before its end that means the client went away: the upstream is cancelled and what was seen
// is recorded and paid.
func (s *Stream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.cancel != nil {
		s.cancel()
	}
	err := s.src.Close()
	if s.late != nil {
		<-s.late
		s.late = nil
	}
	s.end(fault.New(fault.Canceled, "client closed the connection"))
	return err
}

// end records the call. For anything but io.EOF the tokens seen are estimated where the upstream had no chance to tell.
func (s *Stream) end(err error) {
	x := s.x
	x.finishing.Do(func() {
		r := s.fold.Response()
		x.span.FirstToken = s.first
		x.span.Upstream = requestID(s.header)
		h, now := x.g.healthOf(x.deploy), x.g.deps.Now()
		switch {
		case err == io.EOF:
			err = nil
			h.ok(now)
			x.remember(&r)
		default:
			err = asFault(err)
			var up *llm.Error
			if errors.As(err, &up) && up.Retryable() {
				h.failed(now, x.table.Policy, 0, up.Message)
			}
			if s.fold.Content && r.Usage.Output < r.EstimateOutput()/2 {
				r.Usage.Output, r.Usage.Estimated = r.EstimateOutput(), true
				if r.Usage.Prompt() == 0 {
					r.Usage.Input = x.estimateInput()
				}
			}
			if r.Usage.IsZero() && fault.Is(err, fault.Canceled) {
				r.Usage = llm.Usage{Input: x.estimateInput(), Estimated: true}
			}
		}
		var body []byte
		if len(r.Parts) > 0 || err == nil {
			body, _ = x.call.Encode(&r, x.call.Model)
		}
		x.close(&r, body, err)
		x.g.inflight.Add(-1)
	})
}

package anthropic

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
	"weir/internal/wire/sse"
)

const (
	maxEvent = 32 << 20
	// lingerFor is how long the end of the body is waited for after the last event, so that the connection can be used
	// again.
	lingerFor = 50 * time.Millisecond
)

// living tells of every sign of life.
type living struct {
	io.ReadCloser
	alive func()
}

// Read implements io.Reader.
func (l *living) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if n > 0 {
		l.alive()
	}
	return n, err
}

// stream is a streamed answer. Not safe for concurrent use, but for Close.
type stream struct {
	ctx    context.Context
	cancel context.CancelFunc
	body   io.Closer
	events *sse.Reader
	decode *wire.StreamDecoder
	as     string
	native bool
	err    error // sticky
}

var _ gateway.FrameReader = (*stream)(nil)

func (u *Upstream) stream(
	ctx context.Context, cancel context.CancelFunc, res *http.Response, a *gateway.Attempt, undo wire.Undo,
) (*gateway.Result, error) {
	if t, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); t != "text/event-stream" {
		defer cancel()
		body, err := u.read(ctx, res)
		if err != nil {
			return nil, err
		}
		return nil, &llm.Error{
			Provider: provider, Type: llm.TypeMalformed, Message: "the upstream did not answer with an event stream",
			Body: body[:min(len(body), maxErrorBody)],
		}
	}
	return &gateway.Result{Status: res.StatusCode, Header: res.Header, Stream: &stream{
		ctx: ctx, cancel: cancel, body: res.Body, events: sse.NewReader(res.Body, maxEvent),
		decode: wire.NewStreamDecoder(provider, undo), as: a.As, native: a.Native != nil,
	}}, nil
}

// Next returns the next event that means something to the client: all of them where it shares the dialect, else those
// that yield chunks.
func (s *stream) Next() (gateway.Frame, error) {
	for s.err == nil {
		if s.decode.Done() {
			s.linger()
			s.err = io.EOF
			break
		}
		ev, err := s.events.Next()
		if err != nil {
			s.err = s.broken(err)
			break
		}
		chunks, err := s.decode.Decode(ev.Data)
		if err != nil {
			s.err = err
			break
		}
		if f, ok := s.frame(ev, chunks); ok {
			return f, nil
		}
	}
	return gateway.Frame{}, s.err
}

func (s *stream) frame(ev sse.Event, chunks []llm.Chunk) (gateway.Frame, bool) {
	if !s.native {
		return gateway.Frame{Chunks: chunks}, len(chunks) > 0
	}
	f := gateway.Frame{Event: ev.Name, Data: ev.Data, Chunks: chunks}
	if f.Event == "" {
		f.Event = gjson.GetBytes(ev.Data, "type").String()
	}
	if f.Event == "message_start" {
		f.Data = wire.RestampStart(ev.Data, s.as)
	}
	return f, true
}

// broken is the error of a stream that ended before its last event.
func (s *stream) broken(err error) error {
	switch {
	case err == io.EOF:
		return &llm.Error{Provider: provider, Type: llm.TypeCut, Message: "the upstream's stream ended without message_stop"}
	case errors.Is(err, sse.ErrTooLarge):
		return &llm.Error{Provider: provider, Type: llm.TypeMalformed, Message: "the upstream sent a stream event that is too large"}
	}
	return transportError(s.ctx, err, llm.TypeCut, "the upstream's stream broke off")
}

func (s *stream) linger() {
	t := time.AfterFunc(lingerFor, s.cancel)
	defer t.Stop()
	_, _ = s.events.Next() // EOF as a rule; whatever else comes after the end does not matter
}

// Buffered reports whether Next will return without waiting for the network.
func (s *stream) Buffered() bool { return s.err != nil || s.decode.Done() || s.events.Buffered() }

// Close releases the connection, and cancels the request if it is still running.
func (s *stream) Close() error {
	s.cancel()
	return s.body.Close()
}

// Package providertest is the suite that every provider passes: whole and streamed answers, tools, usage, each kind of
// failure before and within an answer, and cancellation. A provider's test gives it the bytes its upstream sends; the
// suite serves them, well and badly.
package providertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// Wire is one answer in the upstream's dialect. It should hold text and a tool call, and what else the dialect has.
type Wire struct {
	Answer     []byte   // whole
	Events     [][]byte // streamed: each event as it stands on the wire
	StreamType string   // content type of the stream
	// Tail is how many of the last Events say nothing about whether the answer is complete (usage, end marks): a stream
	// cut within them may end well.
	Tail int
	// Want is what both forms decode to. ID and Model are not compared.
	Want llm.Response
	// Exception is an event that tells of a failure within the stream, and its status; nil if the dialect has none.
	Exception       []byte
	ExceptionStatus int
}

// Options describe the provider under test.
type Options struct {
	// New builds the upstream with exactly this address and client.
	New func(t *testing.T, baseURL string, c *http.Client) gateway.Upstream
	// Hub is what the upstream answers to requests translated from the hub.
	Hub Wire
	// Native is what it answers to bodies of NativeDialect, where the provider speaks one.
	Native        *Wire
	NativeDialect llm.Dialect
	NativeBody    []byte
	// Failure writes an error of the upstream with a status, whose message must hold FailureText.
	Failure func(w http.ResponseWriter, status int)
}

// FailureText must be part of the message of every failure.
const FailureText = "the upstream refuses"

// patience bounds every wait of the suite; only a failing test waits that long.
const patience = 20 * time.Second

// Exercise runs the suite.
func Exercise(t *testing.T, o Options) {
	t.Run("hub", func(t *testing.T) { o.exercise(t, o.Hub, hubAttempt) })
	if o.Native != nil {
		t.Run("native", func(t *testing.T) { o.exercise(t, *o.Native, o.nativeAttempt) })
	}
}

func (o Options) exercise(t *testing.T, w Wire, attempt func(stream bool) *gateway.Attempt) {
	s := &suite{Options: o, wire: w, attempt: attempt}
	t.Run("speaks", s.speaks)
	t.Run("whole", s.whole)
	t.Run("stream", s.stream)
	t.Run("split at every byte", s.split)
	t.Run("cut at every event", s.cut)
	t.Run("cut within every event", s.torn)
	t.Run("exception in the stream", s.exception)
	t.Run("status codes", s.statuses)
	t.Run("retry after", s.retryAfter)
	t.Run("garbage", s.garbage)
	t.Run("empty", s.empty)
	t.Run("unreachable", s.unreachable)
	t.Run("cancel before the answer", s.cancelEarly)
	t.Run("cancel in the stream", s.cancelLate)
	t.Run("close cancels", s.closeCancels)
	t.Run("deadline", s.deadline)
	t.Run("parallel", s.parallel)
}

// suite is one way through a provider.
type suite struct {
	Options
	wire    Wire
	attempt func(stream bool) *gateway.Attempt
}

// hubAttempt uses what every chat model takes.
func hubAttempt(stream bool) *gateway.Attempt {
	temperature := 0.5
	return &gateway.Attempt{Stream: stream, As: "group", Header: http.Header{}, Hub: &llm.Request{
		Model: "group", Stream: stream, MaxTokens: 256, Temperature: &temperature,
		System:   []llm.Part{{Kind: llm.Text, Text: "Be brief."}},
		Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Kind: llm.Text, Text: "How is the weather in Oslo?"}}}},
		Tools: []llm.Tool{{
			Name: "get_weather", Description: "Weather of a city",
			Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
		}},
	}}
}

func (o Options) nativeAttempt(stream bool) *gateway.Attempt {
	return &gateway.Attempt{Stream: stream, As: "group", Header: http.Header{}, Native: o.NativeBody, Dialect: o.NativeDialect}
}

// serve starts an upstream and a client of its own, so that no connection outlives the test.
func (s *suite) serve(t *testing.T, h http.HandlerFunc) gateway.Upstream {
	t.Helper()
	srv := httptest.NewServer(h)
	tr := &http.Transport{}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		srv.CloseClientConnections()
		srv.Close()
	})
	return s.New(t, srv.URL, &http.Client{Transport: tr})
}

// body serves fixed bytes of the answer's content type.
func (s *suite) body(stream bool, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", s.contentType(stream))
		_, _ = w.Write(b)
	}
}

func (s *suite) contentType(stream bool) string {
	if stream {
		return s.wire.StreamType
	}
	return "application/json"
}

func (s *suite) events(n int) []byte {
	var b []byte
	for _, e := range s.wire.Events[:n] {
		b = append(b, e...)
	}
	return b
}

// read folds a stream. buffered tells whether a further frame was ever known to be there.
func read(r gateway.FrameReader) (resp llm.Response, buffered bool, err error) {
	var fold llm.Fold
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fold.Response(), buffered, nil
		}
		if err != nil {
			return fold.Response(), buffered, err
		}
		for _, c := range f.Chunks {
			fold.Add(c)
		}
		buffered = buffered || r.Buffered()
	}
}

// run makes one attempt and reads its answer.
func (s *suite) run(ctx context.Context, u gateway.Upstream, stream bool) (*llm.Response, error) {
	res, err := u.Chat(ctx, s.attempt(stream))
	if err != nil {
		return nil, err
	}
	if res.Stream == nil {
		return res.Response, nil
	}
	defer res.Stream.Close()
	r, _, err := read(res.Stream)
	return &r, err
}

func compare(t *testing.T, got *llm.Response, want llm.Response) {
	t.Helper()
	if d := cmp.Diff(want, *got, cmpopts.IgnoreFields(llm.Response{}, "ID", "Model", "Extra"), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("answer differs (-want +got):\n%s", d)
	}
}

// failure asserts that err is the upstream's failure.
func failure(t *testing.T, err error) *llm.Error {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), not *llm.Error", err, err)
	}
	if e.Provider == "" || e.Message == "" {
		t.Errorf("provider or message is missing: %+v", e)
	}
	return e
}

func oneByte(r io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{iotest.OneByteReader(r), r}
}

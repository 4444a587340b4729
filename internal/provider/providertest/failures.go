package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// cut ends the stream cleanly after each event: up to the tail that must be an error, never a shorter answer.
func (s *suite) cut(t *testing.T) {
	for n := range s.wire.Events {
		u := s.serve(t, s.body(true, s.events(n)))
		_, err := s.run(t.Context(), u, true)
		if n >= len(s.wire.Events)-s.wire.Tail {
			if err != nil {
				t.Errorf("complete after event %d, but: %v", n, err)
			}
			continue
		}
		s.broken(t, fmt.Sprintf("after event %d", n), err)
	}
}

// torn breaks the connection in the middle of each event.
func (s *suite) torn(t *testing.T) {
	for n, e := range s.wire.Events[:len(s.wire.Events)-s.wire.Tail] {
		sent := append(s.events(n), e[:len(e)/2]...)
		u := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", s.wire.StreamType)
			_, _ = w.Write(sent)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		_, err := s.run(t.Context(), u, true)
		s.broken(t, fmt.Sprintf("within event %d", n), err)
	}
}

// broken asserts one of the errors that stand for the lack of a proper answer, which may be tried again.
func (s *suite) broken(t *testing.T, where string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: taken for a whole answer", where)
		return
	}
	e := failure(t, err)
	if !slices.Contains([]string{llm.TypeCut, llm.TypeMalformed, llm.TypeEmpty}, e.Type) || e.Status != 0 || !e.Retryable() {
		t.Errorf("%s: %d %s %s", where, e.Status, e.Type, e.Message)
	}
}

func (s *suite) exception(t *testing.T) {
	if s.wire.Exception == nil {
		t.Skip("the dialect has none")
	}
	for _, n := range []int{0, 1, len(s.wire.Events) / 2} {
		u := s.serve(t, s.body(true, append(s.events(n), s.wire.Exception...)))
		_, err := s.run(t.Context(), u, true)
		if err == nil {
			t.Fatalf("after %d events: not noticed", n)
		}
		if e := failure(t, err); e.Status != s.wire.ExceptionStatus || !strings.Contains(e.Message, FailureText) {
			t.Errorf("after %d events: %d %q", n, e.Status, e.Message)
		}
	}
}

func (s *suite) statuses(t *testing.T) {
	for status, retry := range map[int]bool{400: false, 401: false, 403: false, 404: false, 408: true, 429: true, 500: true, 503: true} {
		for _, stream := range []bool{false, true} {
			u := s.serve(t, func(w http.ResponseWriter, _ *http.Request) { s.Failure(w, status) })
			_, err := s.run(t.Context(), u, stream)
			e := failure(t, err)
			if e.Status != status || e.HTTPStatus() != status || e.Retryable() != retry {
				t.Errorf("%d: became %d, retryable %v", status, e.Status, e.Retryable())
			}
			if !strings.Contains(e.Message, FailureText) || len(e.Body) == 0 {
				t.Errorf("%d: the upstream's words are lost: %q, body %q", status, e.Message, e.Body)
			}
		}
	}
}

func (s *suite) retryAfter(t *testing.T) {
	u := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		s.Failure(w, http.StatusTooManyRequests)
	})
	_, err := s.run(t.Context(), u, true)
	if e := failure(t, err); e.RetryAfter != 7*time.Second {
		t.Errorf("retry after %v", e.RetryAfter)
	}
}

func (s *suite) garbage(t *testing.T) {
	for _, junk := range []string{"<html><body>It works!</body></html>\n", "\x00\x01\x02\xff\xfe", "{", `{"half":`} {
		for _, stream := range []bool{false, true} {
			u := s.serve(t, s.body(stream, []byte(junk)))
			_, err := s.run(t.Context(), u, stream)
			s.broken(t, fmt.Sprintf("%q, stream %v", junk, stream), err)
		}
	}
}

func (s *suite) empty(t *testing.T) {
	for _, nothing := range []string{"", "{}"} {
		u := s.serve(t, s.body(false, []byte(nothing)))
		_, err := s.run(t.Context(), u, false)
		s.broken(t, fmt.Sprintf("%q", nothing), err)
	}
	u := s.serve(t, s.body(true, nil))
	_, err := s.run(t.Context(), u, true)
	s.broken(t, "stream", err)
}

func (s *suite) unreachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	u := s.New(t, srv.URL, &http.Client{Transport: &http.Transport{}})
	_, err := s.run(t.Context(), u, false)
	if e := failure(t, err); e.Type != llm.TypeUnreachable || e.HTTPStatus() != http.StatusBadGateway || !e.Retryable() {
		t.Errorf("%d %s", e.HTTPStatus(), e.Type)
	}
}

// silent is an upstream that sends some of a stream and then nothing until its caller is gone, which gone tells.
func (s *suite) silent(t *testing.T, events int) (u gateway.Upstream, called, gone chan struct{}) {
	called, gone = make(chan struct{}), make(chan struct{})
	u = s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server watches for hang-ups only once the body is read
		if events > 0 {
			w.Header().Set("Content-Type", s.wire.StreamType)
			_, _ = w.Write(s.events(events))
			w.(http.Flusher).Flush()
		}
		close(called)
		<-r.Context().Done()
		close(gone)
	})
	return u, called, gone
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
	}
}

func (s *suite) cancelEarly(t *testing.T) {
	for _, stream := range []bool{false, true} {
		u, called, gone := s.silent(t, 0)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := s.run(ctx, u, stream)
			failed <- err
		}()
		wait(t, "the call", called)
		cancel()
		canceled(t, <-failed)
		wait(t, "the upstream's cancellation", gone)
	}
}

// canceled asserts the context's own error: a client that went away is no failure of the upstream's.
func canceled(t *testing.T, err error) {
	t.Helper()
	var e *llm.Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &e) {
		t.Errorf("%T %v, want the context's own error", err, err)
	}
}

func (s *suite) cancelLate(t *testing.T) {
	u, called, gone := s.silent(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := u.Chat(ctx, s.attempt(true))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	if _, err := res.Stream.Next(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the call", called)
	cancel()
	_, _, err = read(res.Stream)
	canceled(t, err)
	wait(t, "the upstream's cancellation", gone)
}

func (s *suite) closeCancels(t *testing.T) {
	u, called, gone := s.silent(t, 2)
	res, err := u.Chat(t.Context(), s.attempt(true))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the call", called)
	if err := res.Stream.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wait(t, "the upstream's cancellation", gone)
	_ = res.Stream.Close() // a second one does no harm
}

func (s *suite) deadline(t *testing.T) {
	u, called, gone := s.silent(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.run(ctx, u, false)
	var e *llm.Error
	if !errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &e) && e.Type == llm.TypeTimeout) {
		t.Errorf("%v", err)
	}
	select {
	case <-called:
		wait(t, "the upstream's cancellation", gone)
	default: // on a busy machine the deadline may pass before the call arrives
	}
}

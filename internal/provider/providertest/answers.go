package providertest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"weir/internal/llm"
)

func (s *suite) speaks(t *testing.T) {
	u := s.serve(t, s.body(false, s.wire.Answer))
	if s.Native != nil && !u.Speaks(s.NativeDialect) {
		t.Errorf("does not speak %s", s.NativeDialect)
	}
	if u.Speaks(llm.Dialect("esperanto")) {
		t.Error("speaks a dialect that does not exist")
	}
}

func (s *suite) whole(t *testing.T) {
	u := s.serve(t, s.body(false, s.wire.Answer))
	a := s.attempt(false)
	var sent []byte
	a.Sent = func(b []byte) { sent = b }
	res, err := u.Chat(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != http.StatusOK || res.Stream != nil || res.Response == nil {
		t.Fatalf("result: status %d, stream %v, response %v", res.Status, res.Stream, res.Response)
	}
	compare(t, res.Response, s.wire.Want)
	if native := a.Native != nil; native != (res.Body != nil) {
		t.Errorf("native %v, but body is %q", native, res.Body)
	}
	if len(sent) == 0 {
		t.Error("Sent was not called")
	}
}

func (s *suite) stream(t *testing.T) {
	u := s.serve(t, s.body(true, s.events(len(s.wire.Events))))
	res, err := u.Chat(t.Context(), s.attempt(true))
	if err != nil {
		t.Fatal(err)
	}
	if res.Stream == nil {
		t.Fatal("no stream")
	}
	defer res.Stream.Close()
	got, buffered, err := read(res.Stream)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, &got, s.wire.Want)
	if !buffered {
		t.Error("Buffered never told of a frame that was there")
	}
}

// split reads the answer one byte at a time, so that every place is once the end of what is there.
func (s *suite) split(t *testing.T) {
	srv := httptest.NewServer(s.body(true, s.events(len(s.wire.Events))))
	tr := &http.Transport{}
	t.Cleanup(func() { tr.CloseIdleConnections(); srv.Close() })
	u := s.New(t, srv.URL, &http.Client{Transport: slowly{tr}})
	got, err := s.run(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, s.wire.Want)
}

// slowly hands out answers one byte at a time.
type slowly struct{ http.RoundTripper }

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = oneByte(res.Body)
	}
	return res, err
}

func (s *suite) parallel(t *testing.T) {
	u := s.serve(t, func(w http.ResponseWriter, r *http.Request) { s.body(true, s.events(len(s.wire.Events)))(w, r) })
	type answer struct {
		r   *llm.Response
		err error
	}
	const n = 8
	done := make(chan answer, n)
	for range n {
		go func() {
			r, err := s.run(t.Context(), u, true)
			done <- answer{r, err}
		}()
	}
	for range n {
		a := <-done
		if a.err != nil {
			t.Error(a.err)
			continue
		}
		compare(t, a.r, s.wire.Want)
	}
}

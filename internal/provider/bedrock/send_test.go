package bedrock

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// patient is an upstream that is given up after a silence.
func patient(t *testing.T, silence time.Duration, h http.HandlerFunc) *Upstream {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return newUpstream(t, gateway.Target{
		Model: "amazon.nova-pro-v1:0", BaseURL: srv.URL, Timeout: silence, AWS: gateway.AWS{Region: "us-east-1", BearerToken: "secret-token"},
	})
}

var hi = llm.Request{Messages: []llm.Message{user(text("hi"))}}

func wantTimeout(t *testing.T, err error) {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) || e.Type != llm.TypeTimeout || e.HTTPStatus() != http.StatusGatewayTimeout {
		t.Errorf("%T %v, want a timeout", err, err)
	}
}

func TestSilenceIsATimeout(t *testing.T) {
	frames := converseWire().Events
	for name, sent := range map[string]int{"before the answer": 0, "within the stream": 3} {
		t.Run(name, func(t *testing.T) {
			u := patient(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				for _, f := range frames[:sent] {
					_, _ = w.Write(f)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})
			_, err := ask(t.Context(), u, novaPro, hi, true)
			wantTimeout(t, err)
		})
	}
}

// TestSlowReaderIsNoSilence checks that the upstream's clock stands while the client takes its time.
func TestSlowReaderIsNoSilence(t *testing.T) {
	u := patient(t, time.Minute, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = rw.Write(converseWire().Events[0])
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	res, err := u.Chat(t.Context(), &gateway.Attempt{Hub: &hi, Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	if _, err := res.Stream.Next(); err != nil {
		t.Fatal(err)
	}
	if res.Stream.(*stream).x.timer.Stop() {
		t.Error("the clock runs between two reads")
	}
}

func TestRedirectsAreRefused(t *testing.T) {
	u := patient(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := ask(t.Context(), u, novaPro, hi, false)
	var e *llm.Error
	if !errors.As(err, &e) || e.HTTPStatus() != http.StatusBadGateway {
		t.Errorf("%v", err)
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	u := newUpstream(t, gateway.Target{Model: "m", BaseURL: "http://127.0.0.1:1", AWS: gateway.AWS{Region: "us-east-1", BearerToken: "secret-token"}})
	if _, err := ask(t.Context(), u, novaPro, hi, false); err == nil || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("%v", err)
	}
}

// TestBasePath keeps a path that the base URL has, as behind a private endpoint's proxy, and configured headers.
func TestBasePath(t *testing.T) {
	var path, header string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, header = r.URL.EscapedPath(), r.Header.Get("X-Team")
		_, _ = w.Write(converseWire().Answer)
	}))
	defer srv.Close()
	u := newUpstream(t, gateway.Target{
		Model: "us.amazon.nova-pro-v1:0", BaseURL: srv.URL + "/bedrock/", Headers: map[string]string{"X-Team": "a"},
		AWS: gateway.AWS{Region: "us-east-1", AccessKeyID: "A", SecretAccessKey: "B"},
	})
	if _, err := ask(t.Context(), u, novaPro, hi, false); err != nil {
		t.Fatal(err)
	}
	if path != "/bedrock/model/us.amazon.nova-pro-v1%3A0/converse" || header != "a" {
		t.Errorf("%s, header %q", path, header)
	}
}

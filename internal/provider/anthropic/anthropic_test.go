package anthropic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"weir/internal/gateway"
	"weir/internal/llm"
	"weir/internal/provider/providertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const answer = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-up","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"Let me look."},{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Oslo"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":100,"cache_creation_input_tokens":30,"output_tokens":25},"new":{"a":1}}`

var eventData = []string{
	`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-up","content":[],"stop_reason":null,"usage":{"input_tokens":12,"cache_read_input_tokens":100,"cache_creation_input_tokens":30,"output_tokens":1}}}`,
	`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}`,
	`{"type":"content_block_stop","index":0}`,
	`{"type":"ping"}`,
	`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`,
	`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Let me look."}}`,
	`{"type":"content_block_stop","index":1}`,
	`{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}`,
	`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}`,
	`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Oslo\"}"}}`,
	`{"type":"content_block_stop","index":2}`,
	`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"cache_read_input_tokens":100,"cache_creation_input_tokens":30,"output_tokens":25}}`,
	`{"type":"message_stop"}`,
}

func framed(data []string) (out [][]byte) {
	for _, d := range data {
		out = append(out, fmt.Appendf(nil, "event: %s\ndata: %s\n\n", gjson.Get(d, "type").Str, d))
	}
	return out
}

func upstream(t *testing.T, target gateway.Target, c *http.Client) gateway.Upstream {
	t.Helper()
	target.Model = "claude-up"
	u, err := New(target, gateway.Env{HTTP: c})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const native = `{"model":"group","max_tokens":9,"context_management":{"edits":[]},"drop_params":true,"messages":[{"role":"user","content":"hi"}],"stream":true}`

func TestProvider(t *testing.T) {
	w := providertest.Wire{
		Answer: []byte(answer), Events: framed(eventData), StreamType: "text/event-stream; charset=utf-8",
		Want: llm.Response{
			Finish: llm.FinishToolCalls, RawFinish: "tool_use", Usage: llm.Usage{Input: 12, CacheRead: 100, CacheWrite: 30, Output: 25},
			Parts: []llm.Part{
				{Kind: llm.Reasoning, Text: "Hm.", Signature: "c2ln"}, {Kind: llm.Text, Text: "Let me look."},
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "toolu_1", Name: "get_weather", Args: `{"city":"Oslo"}`}},
			},
		},
		Exception:       []byte("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"" + providertest.FailureText + "\"}}\n\n"),
		ExceptionStatus: 529,
	}
	providertest.Exercise(t, providertest.Options{
		New: func(t *testing.T, base string, c *http.Client) gateway.Upstream {
			return upstream(t, gateway.Target{BaseURL: base, APIKey: "k"}, c)
		},
		Hub: w, Native: &w, NativeDialect: llm.AnthropicMessages, NativeBody: []byte(native),
		Failure: func(w http.ResponseWriter, status int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"type":"error","error":{"type":"api_error","message":%q}}`, providertest.FailureText)
		},
	})
}

// seen is what the upstream got.
type seen struct {
	path   string
	header http.Header
	body   []byte
}

func record(t *testing.T, reply string) (*httptest.Server, *seen) {
	t.Helper()
	got := &seen{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*got = seen{r.URL.Path, r.Header, b}
		if gjson.GetBytes(b, "stream").Bool() {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(srv.Close)
	return srv, got
}

func TestNativeBytesSurvive(t *testing.T) {
	srv, got := record(t, answer)
	u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, srv.Client())
	body := []byte(` {"model" : "group","max_tokens":9, "unknown":{"z":1.50,"a":"\u00e9"},"messages":[{"role":"user","content":"hi"}]}`)
	res, err := u.Chat(t.Context(), &gateway.Attempt{Native: bytes.Clone(body), Dialect: llm.AnthropicMessages, As: "group", Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(body), `"group"`, `"claude-up"`, 1); string(got.body) != want || got.path != "/v1/messages" {
		t.Errorf("%s got %s\nwant %s", got.path, got.body, want)
	}
	if want := strings.Replace(answer, `"claude-up"`, `"group"`, 1); string(res.Body) != want {
		t.Errorf("answer %s", res.Body)
	}
}

func TestNativeStreamBytesSurvive(t *testing.T) {
	srv, got := record(t, string(bytes.Join(framed(eventData), nil)))
	u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, srv.Client())
	res, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages, As: "group", Stream: true, Header: http.Header{}, CachePoints: true})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	for i, data := range eventData {
		f, err := res.Stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(data, "claude-up", "group", 1)
		if string(f.Data) != want || f.Event != gjson.Get(data, "type").Str {
			t.Errorf("event %d: %s %s", i, f.Event, f.Data)
		}
	}
	if _, err := res.Stream.Next(); err != io.EOF {
		t.Error(err)
	}
	want := `{"model":"claude-up","max_tokens":9,"context_management":{"edits":[]},"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}],"stream":true}`
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
}

func TestHeaders(t *testing.T) {
	hub := &llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Kind: llm.Text, Text: "x"}}}}, Betas: []string{"b2", "b1"}}
	for _, c := range []struct {
		name   string
		target gateway.Target
		client http.Header
		want   map[string]string
	}{
		{"key", gateway.Target{APIKey: "k"}, http.Header{"Authorization": {"Bearer client"}, "Cookie": {"c"}}, map[string]string{"X-Api-Key": "k", "Authorization": "", "Cookie": "", "Anthropic-Version": "2023-06-01", "Anthropic-Beta": "b1,b2"}},
		{"login token", gateway.Target{APIKey: "sk-ant-oat01-x"}, nil, map[string]string{"Authorization": "Bearer sk-ant-oat01-x", "X-Api-Key": "", "Anthropic-Beta": "b1,b2,oauth-2025-04-20"}},
		{"configured", gateway.Target{APIKey: "k", Headers: map[string]string{"authorization": "Bearer y", "anthropic-beta": "b3"}}, nil, map[string]string{"Authorization": "Bearer y", "X-Api-Key": "", "Anthropic-Beta": "b1,b2,b3"}},
		{"client's", gateway.Target{APIKey: "k"}, http.Header{"Anthropic-Version": {"2024-01-01"}, "Anthropic-Beta": {"b9, b1", "b8"}}, map[string]string{"Anthropic-Version": "2024-01-01", "Anthropic-Beta": "b1,b2,b8,b9"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, got := record(t, answer)
			c.target.BaseURL = srv.URL + "/v1/messages"
			u := upstream(t, c.target, srv.Client())
			if _, err := u.Chat(t.Context(), &gateway.Attempt{Hub: hub, Header: c.client}); err != nil {
				t.Fatal(err)
			}
			for k, v := range c.want {
				if got.header.Get(k) != v {
					t.Errorf("%s = %q, want %q", k, got.header.Get(k), v)
				}
			}
			if got.path != "/v1/messages" {
				t.Error(got.path)
			}
		})
	}
}

func TestNoKeyIsSaidBeforeDialling(t *testing.T) {
	u := upstream(t, gateway.Target{}, nil) // a dial would panic
	_, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages})
	var e *llm.Error
	if !errors.As(err, &e) || e.Type != llm.TypeCredentials || !e.Misconfigured() {
		t.Error(err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		status        int
		header        map[string]string
		body          string
		kind, message string
		after         time.Duration
		retryable     bool
	}{
		{529, nil, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, "overloaded_error", "Overloaded", 0, true},
		{429, map[string]string{"Retry-After": "7"}, `{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`, "rate_limit_error", "slow", 7 * time.Second, true},
		{429, map[string]string{"Retry-After": "7", "Retry-After-Ms": "1500"}, ``, "rate_limit_error", "Too Many Requests", 1500 * time.Millisecond, true},
		{500, map[string]string{"X-Should-Retry": "false"}, `{}`, "api_error", "Internal Server Error", 0, false},
		{400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}`, "invalid_request_error", "prompt is too long: 9 > 8", 0, false},
		{302, map[string]string{"Location": "http://example.com"}, ``, "invalid_request_error", "Found", 0, false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		client := srv.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, client)
		_, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages, Stream: true})
		var e *llm.Error
		if !errors.As(err, &e) || e.Status != c.status || e.Type != c.kind || e.Message != c.message || e.RetryAfter != c.after || e.Retryable() != c.retryable {
			t.Errorf("%d: %+v", c.status, e)
		}
		srv.Close()
	}
}

func TestOwnTimeoutIsToldFromTheCallers(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(release)
	u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "secret-key", Timeout: 20 * time.Millisecond}, srv.Client())
	_, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages})
	var e *llm.Error
	if !errors.As(err, &e) || e.Type != llm.TypeTimeout || e.HTTPStatus() != http.StatusGatewayTimeout {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	u = upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "secret-key"}, srv.Client())
	if _, err = u.Chat(ctx, &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// paced is an upstream that sends one event per step.
type paced struct{ step time.Duration }

func (p paced) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	go func() {
		for _, e := range framed(eventData) {
			select {
			case <-time.After(p.step):
			case <-r.Context().Done():
				_ = pw.CloseWithError(r.Context().Err())
				return
			}
			if _, err := pw.Write(e); err != nil {
				return
			}
		}
		_ = pw.Close()
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: pr, Request: r}, nil
}

// The timeout is for silence: a stream that flows may take longer, one that stands still may not.
func TestTimeoutOfAStreamIsForSilence(t *testing.T) {
	for _, c := range []struct {
		step time.Duration
		end  error
	}{{50 * time.Second, io.EOF}, {2 * time.Minute, errTimeout}} {
		synctest.Test(t, func(t *testing.T) {
			u := upstream(t, gateway.Target{APIKey: "k", Timeout: time.Minute}, &http.Client{Transport: paced{c.step}})
			res, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages, Stream: true})
			if err != nil {
				t.Fatal(err)
			}
			defer res.Stream.Close()
			for err == nil {
				_, err = res.Stream.Next()
			}
			var e *llm.Error
			if c.end == io.EOF && err != io.EOF || c.end != io.EOF && (!errors.As(err, &e) || e.Type != llm.TypeTimeout) {
				t.Errorf("an event every %v: %v", c.step, err)
			}
		})
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	u := upstream(t, gateway.Target{BaseURL: "http://user:hunter2@127.0.0.1:1", APIKey: "secret-key"}, &http.Client{})
	_, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages})
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret-key") {
		t.Error(err)
	}
}

func TestCountTokens(t *testing.T) {
	srv, got := record(t, `{"input_tokens":42}`)
	u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, srv.Client()).(gateway.TokenCounter)
	hub := &llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Kind: llm.Text, Text: "x"}}}}, MaxTokens: 3, Stop: []string{"x"}}
	for name, a := range map[string]*gateway.Attempt{
		"native": {Native: []byte(native), Dialect: llm.AnthropicMessages}, "hub": {Hub: hub},
	} {
		n, err := u.CountTokens(t.Context(), a)
		if err != nil || n != 42 || got.path != "/v1/messages/count_tokens" {
			t.Errorf("%s: %d %v %s", name, n, err, got.path)
		}
		for _, f := range []string{"max_tokens", "stream", "stop_sequences", "drop_params"} {
			if gjson.GetBytes(got.body, f).Exists() {
				t.Errorf("%s: %s was sent", name, f)
			}
		}
		if !json.Valid(got.body) || gjson.GetBytes(got.body, "model").Str != "claude-up" {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	srv, _ = record(t, `{}`)
	u = upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, srv.Client()).(gateway.TokenCounter)
	if _, err := u.CountTokens(t.Context(), &gateway.Attempt{Hub: hub}); err == nil {
		t.Error("an answer without a count was taken")
	}
}

func TestConnectionIsReusedAfterStream(t *testing.T) {
	conns := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conns[r.RemoteAddr] = true
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(bytes.Join(framed(eventData), nil))
	}))
	defer srv.Close()
	u := upstream(t, gateway.Target{BaseURL: srv.URL, APIKey: "k"}, srv.Client())
	for range 3 {
		res, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages, Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = res.Stream.Next()
		}
		_ = res.Stream.Close()
	}
	if len(conns) != 1 {
		t.Errorf("%d connections for three calls in a row", len(conns))
	}
}

package openaicompat

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/catalog"
	"weir/internal/gateway"
	"weir/internal/llm"
)

// server answers every call with one handler.
func server(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func reach(t *testing.T, target gateway.Target) *Upstream {
	t.Helper()
	if target.Provider == "" {
		target.Provider = Generic
	}
	if target.Model == "" {
		target.Model = "real"
	}
	u, err := New(target, gateway.Env{HTTP: &http.Client{Transport: &http.Transport{DisableCompression: true}}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.(*Upstream).http.CloseIdleConnections)
	return u.(*Upstream)
}

const (
	ask    = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	answer = `{"id":"c1","object":"chat.completion","created":1,"model":"real-2","choices":[{"index":0,"message":{"role":"assistant","content":"hello","future":1},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4}},"x_new":{"a":1}}`
)

func native(body string, stream bool) *gateway.Attempt {
	return &gateway.Attempt{Native: []byte(body), Dialect: llm.OpenAIChat, As: "m", Stream: stream}
}

func wantError(t *testing.T, err error) *llm.Error {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *llm.Error", err)
	}
	return e
}

func TestChatNative(t *testing.T) {
	var got, sent string
	base := server(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer sk-x" || r.Header.Get("X-Team") != "a" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", r.URL.Path, r.Header)
		}
		w.Header().Set("X-Request-Id", "req_1")
		io.WriteString(w, answer)
	})
	u := reach(t, gateway.Target{BaseURL: base + "/", APIKey: "sk-x", Headers: map[string]string{"X-Team": "a"}})
	a := native(ask, false)
	a.Sent = func(b []byte) { sent = string(b) }
	res, err := u.Chat(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(ask, `"m"`, `"real"`, 1); got != want || sent != want {
		t.Errorf("upstream got %s, Sent got %s", got, sent)
	}
	if want := strings.Replace(answer, "real-2", "m", 1); string(res.Body) != want {
		t.Errorf("body %s", res.Body)
	}
	r := res.Response
	if r.Usage != (llm.Usage{Input: 6, CacheRead: 4, Output: 2}) || r.Parts[0].Text != "hello" || r.Finish != llm.FinishStop || r.Model != "real-2" || res.Header.Get("X-Request-Id") != "req_1" {
		t.Errorf("response %+v", r)
	}
}

func TestChatHub(t *testing.T) {
	base := server(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answer) })
	res, err := reach(t, gateway.Target{BaseURL: base}).Chat(t.Context(), &gateway.Attempt{Hub: &llm.Request{}, As: "m"})
	if err != nil || res.Body != nil || res.Response.Parts[0].Text != "hello" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestStatuses(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   llm.Error
		retry  bool
	}{
		"openai": {400, nil, `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
			llm.Error{Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages", Message: "too long"}, false},
		"nulls":           {404, nil, `{"error":{"message":"no","type":null,"param":null,"code":null}}`, llm.Error{Status: 404, Message: "no"}, false},
		"number code":     {401, nil, `{"error":{"message":"no key","type":"auth_error","code":401}}`, llm.Error{Status: 401, Type: "auth_error", Code: "401", Message: "no key"}, false},
		"text":            {500, nil, `{"error":"model crashed"}`, llm.Error{Status: 500, Message: "model crashed"}, true},
		"flat":            {400, nil, `{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}`, llm.Error{Status: 400, Type: "BadRequestError", Code: "400", Message: "bad"}, false},
		"detail":          {422, nil, `{"detail":[{"loc":["body","messages"],"msg":"field required"}]}`, llm.Error{Status: 422, Message: "body.messages: field required"}, false},
		"detail text":     {403, nil, `{"detail":"forbidden"}`, llm.Error{Status: 403, Message: "forbidden"}, false},
		"google":          {429, nil, `[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]`, llm.Error{Status: 429, Type: "RESOURCE_EXHAUSTED", Code: "429", Message: "quota"}, true},
		"html":            {502, nil, `<html>Bad gateway</html>`, llm.Error{Status: 502, Message: "openai_compatible answered with status 502 Bad Gateway"}, true},
		"empty":           {503, nil, ``, llm.Error{Status: 503, Message: "openai_compatible answered with status 503 Service Unavailable"}, true},
		"retry after":     {429, http.Header{"Retry-After": {"3"}}, `{"error":{"message":"slow"}}`, llm.Error{Status: 429, Message: "slow", RetryAfter: 3 * time.Second}, true},
		"retry after ms":  {429, http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"250.5"}}, `{"error":{"message":"slow"}}`, llm.Error{Status: 429, Message: "slow", RetryAfter: 250500 * time.Microsecond}, true},
		"retry after odd": {429, http.Header{"Retry-After": {"soon"}}, `{"error":{"message":"slow"}}`, llm.Error{Status: 429, Message: "slow"}, true},
		"quota": {429, nil, `{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}`,
			llm.Error{Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", Message: "pay", Final: true}, false},
		"told not to": {500, http.Header{"X-Should-Retry": {"false"}}, `{"error":{"message":"x"}}`, llm.Error{Status: 500, Message: "x", Final: true}, false},
		"conflict":    {409, nil, `{"error":{"message":"x"}}`, llm.Error{Status: 409, Message: "x"}, true},
		"redirect":    {307, http.Header{"Location": {"/elsewhere"}}, ``, llm.Error{Type: llm.TypeMalformed, Message: "openai_compatible answered with status 307 Temporary Redirect"}, true},
	} {
		calls := 0
		base := server(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			for k, v := range c.header {
				w.Header()[k] = v
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		u := reach(t, gateway.Target{BaseURL: base, APIKey: "sk-x"})
		for _, stream := range []bool{false, true} {
			_, err := u.Chat(t.Context(), native(ask, stream))
			e := wantError(t, err)
			got := *e
			got.Provider, got.Body = "", nil
			if got.Error() != c.want.Error() || got.Type != c.want.Type || got.Code != c.want.Code || got.Param != c.want.Param ||
				got.RetryAfter != c.want.RetryAfter || got.Final != c.want.Final || e.Retryable() != c.retry || string(e.Body) != c.body {
				t.Errorf("%s: got %+v (retry %v), want %+v", name, got, e.Retryable(), c.want)
			}
		}
		if calls != 2 {
			t.Errorf("%s: %d requests for 2 attempts", name, calls)
		}
	}
}

func TestBadAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"empty":        {"", llm.TypeEmpty, 0},
		"html":         {"<html>", llm.TypeMalformed, 0},
		"half":         {answer[:50], llm.TypeMalformed, 0},
		"array":        {"[]", llm.TypeMalformed, 0},
		"wrong types":  {`{"choices":5}`, llm.TypeMalformed, 0},
		"UTF-8":        {"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}", llm.TypeMalformed, 0},
		"no choices":   {`{"id":"x","choices":[]}`, llm.TypeEmpty, 0},
		"no message":   {`{"id":"x","choices":[{"index":0}]}`, llm.TypeEmpty, 0},
		"error in 200": {`{"error":{"message":"busy","type":"x","code":429}}`, "x", 429},
		"text error":   {`{"error":"busy"}`, "", 0},
	} {
		base := server(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, c.body)
		})
		for _, stream := range []bool{false, true} { // a stream asked for and answered by JSON is read as JSON
			_, err := reach(t, gateway.Target{BaseURL: base}).Chat(t.Context(), native(ask, stream))
			if e := wantError(t, err); e.Type != c.kind || e.Status != c.status || e.Message == "" {
				t.Errorf("%s: got %+v", name, e)
			}
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := reach(t, gateway.Target{BaseURL: s.URL + "?key=secret"}).Chat(t.Context(), native(ask, false))
	if e := wantError(t, err); e.Type != llm.TypeUnreachable || strings.Contains(e.Error(), "secret") {
		t.Errorf("got %v", e)
	}
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	_, err = reach(t, gateway.Target{BaseURL: tls.URL}).Chat(t.Context(), native(ask, false))
	if e := wantError(t, err); e.Type != llm.TypeUnreachable {
		t.Errorf("unknown authority: %v", e)
	}
	base := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, answer[:20])
	})
	_, err = reach(t, gateway.Target{BaseURL: base}).Chat(t.Context(), native(ask, false))
	if e := wantError(t, err); e.Type != llm.TypeCut {
		t.Errorf("cut answer: %v", e)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	base := server(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	defer close(release)
	u := reach(t, gateway.Target{BaseURL: base, Timeout: 20 * time.Millisecond})
	for _, stream := range []bool{false, true} {
		_, err := u.Chat(t.Context(), native(ask, stream))
		if e := wantError(t, err); e.Type != llm.TypeTimeout || e.HTTPStatus() != http.StatusGatewayTimeout {
			t.Errorf("got %v", e)
		}
	}
}

func TestStreamFallsSilent(t *testing.T) {
	release := make(chan struct{})
	base := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"choices":[{"delta":{"content":"a"}}]}`+"\n\n")
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	res, err := reach(t, gateway.Target{BaseURL: base, Timeout: time.Second}).Chat(t.Context(), native(ask, true)) // long enough for a busy machine to begin the answer
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	if f, err := res.Stream.Next(); err != nil || len(f.Chunks) != 2 {
		t.Fatalf("%+v %v", f, err)
	}
	_, err = res.Stream.Next()
	if e := wantError(t, err); e.Type != llm.TypeTimeout {
		t.Errorf("got %v", e)
	}
}

func TestCancel(t *testing.T) {
	gone := make(chan struct{}, 2)
	base := server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Header.Get("Accept") == "text/event-stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, `data: {"choices":[{"delta":{"content":"a"}}]}`+"\n\n")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	u := reach(t, gateway.Target{BaseURL: base})

	ctx, cancel := context.WithCancel(t.Context())
	res, err := u.Chat(ctx, native(ask, true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := res.Stream.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := res.Stream.Next(); err != context.Canceled {
		t.Errorf("after cancel: %v", err)
	}
	<-gone
	res.Stream.Close()

	res, err = u.Chat(t.Context(), native(ask, true))
	if err != nil {
		t.Fatal(err)
	}
	res.Stream.Close() // before the end: the upstream must notice
	<-gone

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := u.Chat(ctx, native(ask, false)); err != context.Canceled {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestNew(t *testing.T) {
	env := gateway.Env{HTTP: http.DefaultClient}
	for _, bad := range []gateway.Target{{Provider: Generic}, {Provider: "hosted_vllm"}, {Provider: "x", BaseURL: "not a url"}, {Provider: "x", BaseURL: "ftp://example.com"}} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	u, err := New(gateway.Target{Provider: "openai"}, env)
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Chat(t.Context(), native(ask, false))
	if e := wantError(t, err); e.Type != llm.TypeCredentials || e.Retryable() {
		t.Errorf("without a key: %v", e)
	}
	if !u.Speaks(llm.OpenAIChat) || u.Speaks(llm.AnthropicMessages) {
		t.Error("speaks the wrong dialects")
	}
	if http.DefaultClient.CheckRedirect != nil {
		t.Error("the shared client was changed")
	}
}

func TestRows(t *testing.T) {
	var names []string
	for _, r := range Rows() {
		if slices.Contains(names, r.Name) {
			t.Errorf("%s stands twice", r.Name)
		}
		names = append(names, r.Name)
		if strings.HasSuffix(r.BaseURL, "/") || r.KeyNeeded && r.KeyEnv == "" {
			t.Errorf("row %+v", r)
		}
	}
	for _, want := range []string{"openai", "openrouter", "groq", "together", "deepseek", "mistral", "xai", "fireworks", "perplexity", "ollama", "vllm", "lmstudio", Generic} {
		if !slices.Contains(names, want) {
			t.Errorf("no row %s", want)
		}
	}
}

// patched sends body natively through a row and returns what the upstream would get.
func patched(t *testing.T, provider string, a *gateway.Attempt) (string, plan, error) {
	t.Helper()
	u := reach(t, gateway.Target{Provider: provider, BaseURL: map[string]string{Generic: "http://example.com", "litellm_proxy": "http://example.com"}[provider]})
	b, p, err := u.patch(a)
	if err == nil && !gjson.ValidBytes(b) {
		t.Fatalf("not JSON: %s", b)
	}
	return string(b), p, err
}

func TestPatch(t *testing.T) {
	const user = `"messages":[{"role":"user","content":"hi"}]`
	reasons := catalog.Quirks{NoSampling: true, CompletionLimit: true}
	for _, c := range []struct {
		name, row, in, want string
		a                   gateway.Attempt
		param               string // refused
	}{
		{name: "unknown fields survive", row: Generic, in: `{"model":"m",` + user + `,"new":{"a":[1]},"tags":["x"],"metadata":{}}`, want: `{"model":"real",` + user + `,"new":{"a":[1]},"tags":["x"],"metadata":{}}`},
		{name: "said to this gateway", row: Generic, in: `{"model":"m",` + user + `,"drop_params":true,"litellm_session_id":"s"}`, want: `{"model":"real",` + user + `}`},
		{name: "said to the next gateway", row: "litellm_proxy", in: `{"model":"m",` + user + `,"drop_params":true,"litellm_session_id":"s"}`, want: `{"model":"real",` + user + `,"drop_params":true,"litellm_session_id":"s"}`},
		{name: "stop dropped", row: "openai", in: `{"model":"m","stop":["a"],` + user + `}`, a: gateway.Attempt{Drop: true, Model: catalog.Model{Quirks: reasons}}, want: `{"model":"real",` + user + `}`},
		{name: "penalties dropped", row: "openai", in: `{"model":"m","presence_penalty":0.5,"frequency_penalty":0.5,"logit_bias":{},` + user + `}`, a: gateway.Attempt{Drop: true, Model: catalog.Model{Quirks: reasons}}, want: `{"model":"real",` + user + `}`},
		{name: "penalties of others kept", row: "openai", in: `{"model":"m","presence_penalty":0.5,` + user + `}`, a: gateway.Attempt{Drop: true}, want: `{"model":"real","presence_penalty":0.5,` + user + `}`},
		{name: "stop left to the upstream", row: "openai", in: `{"model":"m","stop":["a"],` + user + `}`, a: gateway.Attempt{Model: catalog.Model{Quirks: reasons}}, want: `{"model":"real","stop":["a"],` + user + `}`},
		{name: "escaped model", row: Generic, in: `{"mod\u0065l":"m",` + user + `}`, want: `{"model":"real",` + user + `}`},
		{name: "stream options added", row: "openai", in: `{"model":"m","stream":true,` + user + `}`, a: gateway.Attempt{Stream: true},
			want: `{"model":"real","stream":true,` + user + `,"stream_options":{"include_usage":true}}`},
		{name: "stream options kept", row: "openai", in: `{"model":"m","stream_options":{"include_usage":false,"x":[1]},"stream":true,` + user + `}`, a: gateway.Attempt{Stream: true},
			want: `{"model":"real","stream":true,` + user + `,"stream_options":{"include_usage":true,"x":[1]}}`},
		{name: "stream options null", row: "openai", in: `{"model":"m","stream_options":null,` + user + `}`, a: gateway.Attempt{Stream: true},
			want: `{"model":"real",` + user + `,"stream_options":{"include_usage":true}}`},
		{name: "stream options refused", row: "mistral", in: `{"model":"m","stream_options":{"include_usage":true},` + user + `}`, a: gateway.Attempt{Stream: true}, want: `{"model":"real",` + user + `}`},
		{name: "stream options without stream", row: "openai", in: `{"model":"m","stream_options":{"include_usage":true},` + user + `}`, want: `{"model":"real",` + user + `}`},
		{name: "litellm's fields", row: "openai", in: `{"model":"m","drop_params":true,"litellm_session_id":"s","metadata":{"a":"b"},"tags":[],` + user + `}`, want: `{"model":"real",` + user + `}`},
		{name: "stored metadata", row: "openai", in: `{"model":"m","store":true,"metadata":{"a":"b"},` + user + `}`, want: `{"model":"real","store":true,"metadata":{"a":"b"},` + user + `}`},
		{name: "nested metadata", row: "openai", in: `{"model":"m","store":true,"metadata":{"a":{}},` + user + `}`, want: `{"model":"real","store":true,` + user + `}`},
		{name: "marks taken out", row: "openai",
			in:   `{"model":"m","messages":[{"role":"system","cache_control":{"type":"ephemeral"},"content":[{"type":"text","text":"say \"cache_control\"","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":"x","reasoning_content":"r","thinking_blocks":[]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"cache_control":{}}},"cache_control":{}},"cache_control":{}}]}`,
			want: `{"model":"real","messages":[{"role":"system","content":[{"type":"text","text":"say \"cache_control\""}]},{"role":"assistant","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"cache_control":{}}}}}]}`},
		{name: "marks kept", row: "openrouter", in: `{"model":"m","messages":[{"role":"user","content":"x","cache_control":{}}]}`, a: gateway.Attempt{CachePoints: true}, want: `{"model":"real","messages":[{"role":"user","content":"x","cache_control":{}}]}`},
		{name: "marks put in", row: "openrouter", a: gateway.Attempt{CachePoints: true},
			in:   `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"1"},{"role":"user","content":"2"},{"role":"assistant","content":"a"},{"role":"tool","tool_call_id":"c","content":"t"},{"role":"user","content":[{"type":"text","text":"3"},{"type":"text","text":"4"}]}],"tools":[{"type":"function"},{"type":"function"}]}`,
			want: `{"model":"real","messages":[{"role":"system","content":[{"type":"text","text":"s",` + mark + `}]},{"role":"user","content":"1"},{"role":"user","content":[{"type":"text","text":"2",` + mark + `}]},{"role":"assistant","content":"a"},{"role":"tool","tool_call_id":"c","content":"t"},{"role":"user","content":[{"type":"text","text":"3"},{"type":"text","text":"4",` + mark + `}]}],"tools":[{"type":"function"},{"type":"function",` + mark + `}]}`},
		{name: "limit renamed", row: "openai", in: `{"model":"m","max_tokens":5,` + user + `}`, want: `{"model":"real","max_completion_tokens":5,` + user + `}`},
		{name: "limit given twice", row: "openai", in: `{"model":"m","max_tokens":5,"max_completion_tokens":6,` + user + `}`, want: `{"model":"real","max_completion_tokens":6,` + user + `}`},
		{name: "limit as it is", row: "groq", in: `{"model":"m","max_tokens":5,` + user + `}`, want: `{"model":"real","max_tokens":5,` + user + `}`},
		{name: "default temperature", row: "openai", in: `{"model":"m","temperature":1,"top_p":1.0,` + user + `}`, a: gateway.Attempt{Model: catalog.Model{Quirks: reasons}}, want: `{"model":"real",` + user + `}`},
		{name: "temperature refused", row: "openai", in: `{"model":"m","temperature":0,` + user + `}`, a: gateway.Attempt{Model: catalog.Model{Quirks: reasons}}, param: "temperature"},
		{name: "temperature dropped", row: "openai", in: `{"model":"m","temperature":0,"top_p":0.5,` + user + `}`, a: gateway.Attempt{Drop: true, Model: catalog.Model{Quirks: reasons}}, want: `{"model":"real",` + user + `}`},
		{name: "thinking refused", row: "openai", in: `{"model":"m","thinking":{"type":"enabled"},` + user + `}`, param: "thinking"},
		{name: "thinking dropped", row: "openai", in: `{"model":"m","thinking":{"type":"enabled"},` + user + `}`, a: gateway.Attempt{Drop: true}, want: `{"model":"real",` + user + `}`},
		{name: "thinking off anyway", row: "openai", in: `{"model":"m","thinking":{"type":"disabled"},"top_k":null,` + user + `}`, want: `{"model":"real",` + user + `}`},
		{name: "one of two", row: "openrouter", in: `{"model":"m","top_p":0.5,"temperature":0,` + user + `}`, a: gateway.Attempt{Model: catalog.Model{Quirks: catalog.Quirks{OneOfTempTopP: true}}}, want: `{"model":"real","temperature":0,` + user + `}`},
		{name: "spaces", row: Generic, in: " { \"model\" : \"m\" ,\n " + user + " } ", want: `{"model":"real",` + user + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.a.Native = []byte(c.in)
			got, p, err := patched(t, c.row, &c.a)
			if c.param != "" {
				if e := wantError(t, err); e.Param != c.param || e.Status != 400 {
					t.Errorf("got %v", e)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, c.want)
			}
			if string(c.a.Native) != c.in {
				t.Error("the client's body was changed")
			}
			if p.hideUsage == gjson.Get(c.in, "stream_options.include_usage").Bool() {
				t.Errorf("hideUsage is %v", p.hideUsage)
			}
		})
	}
}

func TestOpenAIElsewhere(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8000/v1": `{"model":"real","max_tokens":5,"top_k":1}`, "https://eu.api.openai.com/v1": `{"model":"real","max_completion_tokens":5}`,
	} {
		u := reach(t, gateway.Target{Provider: "openai", BaseURL: base})
		got, _, err := u.patch(&gateway.Attempt{Native: []byte(`{"model":"m","max_tokens":5,"top_k":1,"drop_params":true}`), Drop: true})
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", base, got, err)
		}
	}
}

package openai

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/gateway/gatewaytest"
	"weir/internal/llm"
	"weir/internal/tenant"
	wire "weir/internal/wire/openai"
	"weir/internal/wire/sse"
)

func noon() time.Time { return time.Unix(1_750_000_000, 0) }

// upstream answers with what a test gives it.
type upstream struct {
	speaks llm.Dialect
	frames []gateway.Frame
	answer *llm.Response
	body   string
	err    error // at once, or after the frames
	seen   *gateway.Attempt
}

func (u *upstream) Speaks(d llm.Dialect) bool { return d == u.speaks }

func (u *upstream) Chat(_ context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	u.seen = a
	if u.err != nil && u.frames == nil {
		return nil, u.err
	}
	if a.Stream {
		return &gateway.Result{Status: 200, Stream: &gatewaytest.Frames{Left: u.frames, End: u.err}}, nil
	}
	r := &gateway.Result{Status: 200, Response: u.answer}
	if a.Native != nil {
		r.Body = []byte(u.body)
	}
	return r, nil
}

type anyone struct{ who *tenant.Identity }

func (a anyone) Authenticate(*http.Request) (*tenant.Identity, error) { return a.who, nil }

// serve sends one request through the routes and a real gateway.
func serve(t *testing.T, u *upstream, who *tenant.Identity, r *http.Request) (*httptest.ResponseRecorder, *gatewaytest.Recorder) {
	t.Helper()
	rec := &gatewaytest.Recorder{}
	log := slog.New(slog.DiscardHandler)
	g := gateway.New(gateway.Deps{Recorder: rec, Log: log, Now: noon})
	target := gateway.Target{Provider: "openai", Model: "real"}
	policy := gateway.DefaultPolicy()
	policy.Retries = 0
	g.Swap(gateway.NewTable([]*gateway.Deployment{
		{ID: "d1", Group: "m", Target: target, Upstream: u}, {ID: "d2", Group: "team/other", Target: target, Upstream: u},
		{ID: "d3", Group: "openai/*", Target: target, Upstream: u},
	}, policy))
	s := New(Deps{Gateway: g, MaxBody: 1 << 16, Now: noon})
	if who == nil {
		who = &tenant.Identity{Project: "default", Role: tenant.RoleMember}
	}
	w := httptest.NewRecorder()
	edge.NewMux(edge.Deps{Auth: anyone{who}, Log: log}, s).ServeHTTP(w, r)
	return w, rec
}

func post(body string) *http.Request {
	return httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body))
}

const (
	plain     = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	streaming = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`
	counted   = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`
)

// chunks of an answer with everything in it.
var everything = []llm.Chunk{
	{Kind: llm.ChunkStart, ID: "msg_1", Model: "real", Usage: llm.Usage{Input: 5, CacheRead: 100, CacheWrite: 20}},
	{Kind: llm.ChunkReasoning, Text: "let me "}, {Kind: llm.ChunkReasoning, Text: "think"}, {Kind: llm.ChunkSignature, Text: "c2ln"}, {Kind: llm.ChunkBlockEnd},
	{Kind: llm.ChunkRedacted, Text: "cmVk"}, {Kind: llm.ChunkBlockEnd},
	{Kind: llm.ChunkText, Text: "Grüß \"Gott\"\n"}, {Kind: llm.ChunkText, Text: "<&> 🦊"}, {Kind: llm.ChunkBlockEnd},
	{Kind: llm.ChunkToolStart, Index: 0, ToolID: "t1", ToolName: "none"}, {Kind: llm.ChunkBlockEnd},
	{Kind: llm.ChunkToolStart, Index: 1, ToolID: "t2", ToolName: "f"}, {Kind: llm.ChunkToolArgs, Index: 1, Text: `{"a":`},
	{Kind: llm.ChunkToolArgs, Index: 1, Text: `"b"}`}, {Kind: llm.ChunkBlockEnd},
	{Kind: llm.ChunkToolStart, Index: 2, ToolID: "t3", ToolName: "last"},
	{Kind: llm.ChunkFinish, Finish: llm.FinishToolCalls, RawFinish: "tool_use"},
	{Kind: llm.ChunkUsage, Usage: llm.Usage{Output: 30, Reasoning: 10}},
}

func each1(cs []llm.Chunk) []gateway.Frame {
	var out []gateway.Frame
	for _, c := range cs {
		out = append(out, gateway.Frame{Chunks: []llm.Chunk{c}})
	}
	return out
}

func TestStreamTranslated(t *testing.T) {
	w, rec := serve(t, &upstream{frames: each1(everything)}, nil, post(counted))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	golden(t, filepath.Join("testdata", "stream", "everything.sse"), w.Body.Bytes())
	got, usage := reassemble(t, w.Body.String())
	want := `{"content":"Grüß \"Gott\"\n<&> 🦊","reasoning":"let me think","signature":"c2ln","redacted":"cmVk","finish":"tool_calls",` +
		`"calls":[{"id":"t1","name":"none","args":"{}"},{"id":"t2","name":"f","args":"{\"a\":\"b\"}"},{"id":"t3","name":"last","args":"{}"}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if u := usage.LLM(); u != (llm.Usage{Input: 5, CacheRead: 100, CacheWrite: 20, Output: 30, Reasoning: 10}) {
		t.Errorf("usage %+v", u)
	}
	if usage.PromptTokens != 125 || usage.TotalTokens != 155 || usage.CacheReadInputTokens != 100 {
		t.Errorf("usage on the wire %+v", usage)
	}
	golden(t, filepath.Join("testdata", "stream", "everything.record.json"), append(rec.Records[0].Response, '\n'))
}

func TestStreamUsageOnlyWhenAsked(t *testing.T) {
	w, _ := serve(t, &upstream{frames: each1(everything)}, nil, post(streaming))
	if strings.Contains(w.Body.String(), "usage") {
		t.Errorf("usage in %s", w.Body)
	}
	if !strings.HasSuffix(w.Body.String(), "data: [DONE]\n\n") {
		t.Errorf("no end in %s", w.Body)
	}
}

// reassemble puts a stream together as clients do, and checks the rules of the wire on the way.
func reassemble(t *testing.T, body string) (string, wire.Usage) {
	t.Helper()
	type call struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Args string `json:"args"`
	}
	var out struct {
		Content   string  `json:"content"`
		Reasoning string  `json:"reasoning"`
		Signature string  `json:"signature"`
		Redacted  string  `json:"redacted"`
		Finish    string  `json:"finish"`
		Calls     []*call `json:"calls"`
	}
	var usage wire.Usage
	r := sse.NewReader(strings.NewReader(body), 1<<20)
	for n := 0; ; n++ {
		e, err := r.Next()
		if err != nil {
			t.Fatalf("stream ended with %v before [DONE]", err)
		}
		if string(e.Data) == wire.Done {
			break
		}
		var c wire.Chunk
		if err := json.Unmarshal(e.Data, &c); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		if c.ID != "chatcmpl-msg_1" || c.Object != wire.ObjectChunk || c.Model != "m" || c.Created != noon().Unix() {
			t.Fatalf("head of %s", e.Data)
		}
		if len(c.Choices) == 0 {
			usage = *c.Usage
			continue
		}
		if v := gjson.GetBytes(e.Data, "usage"); v.Type != gjson.Null || !v.Exists() {
			t.Fatalf("usage is not null in %s", e.Data)
		}
		d := c.Choices[0].Delta
		if (n == 0) != (d.Role == "assistant") {
			t.Fatalf("role in event %d: %s", n, e.Data)
		}
		if d.Content != nil {
			out.Content += *d.Content
		}
		out.Reasoning += d.ReasoningContent
		for _, b := range d.ThinkingBlocks {
			out.Signature += b.Signature
			out.Redacted += b.Data
		}
		for _, tc := range d.ToolCalls {
			if *tc.Index == len(out.Calls) {
				if tc.Function.Arguments != "" || tc.Type != "function" {
					t.Fatalf("first delta of a call: %s", e.Data)
				}
				out.Calls = append(out.Calls, &call{ID: tc.ID, Name: tc.Function.Name})
			}
			out.Calls[*tc.Index].Args += string(tc.Function.Arguments)
		}
		if f := c.Choices[0].FinishReason; f != nil {
			out.Finish = *f
		}
	}
	b := &strings.Builder{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String()), usage
}

func TestStreamNativePassesBytes(t *testing.T) {
	native := []gateway.Frame{
		{Data: []byte(`{"choices":[{"delta":{"x":1}}]}`), Chunks: []llm.Chunk{{Kind: llm.ChunkStart, ID: "a"}, {Kind: llm.ChunkText, Text: "a"}}},
		{Data: []byte(`{"choices":[{"finish_reason":"stop"}]}`), Chunks: []llm.Chunk{{Kind: llm.ChunkFinish, Finish: llm.FinishStop}}},
		{Chunks: []llm.Chunk{{Kind: llm.ChunkUsage, Usage: llm.Usage{Input: 1, Output: 1}}}}, // hidden from the client
	}
	w, rec := serve(t, &upstream{speaks: llm.OpenAIChat, frames: native}, nil, post(streaming))
	want := "data: {\"choices\":[{\"delta\":{\"x\":1}}]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	if w.Body.String() != want {
		t.Errorf("got %s", w.Body)
	}
	if u := rec.Records[0].Span.Usage; u.Output != 1 {
		t.Errorf("recorded usage %+v", u)
	}
}

func TestStreamError(t *testing.T) {
	broken := &llm.Error{Provider: "openai", Type: llm.TypeCut, Message: "gone"}
	w, _ := serve(t, &upstream{frames: each1(everything[:9]), err: broken}, nil, post(streaming))
	last := w.Body.String()[strings.LastIndex(strings.TrimSpace(w.Body.String()), "data: "):]
	if w.Code != 200 || last != `data: {"error":{"message":"gone","type":"upstream_cut","param":null,"code":null}}`+"\n\n" {
		t.Errorf("%d, last event %q", w.Code, last)
	}
}

func TestAnswer(t *testing.T) {
	f := llm.Fold{}
	for _, c := range everything {
		f.Add(c)
	}
	answer := f.Response()
	w, _ := serve(t, &upstream{answer: &answer}, nil, post(plain))
	golden(t, filepath.Join("testdata", "stream", "everything.record.json"), append(w.Body.Bytes(), '\n'))
	if h := w.Header(); h.Get("Content-Type") != "application/json" || h.Get("X-Weir-Trace-Id") == "" {
		t.Errorf("headers %v", h)
	}
	w, _ = serve(t, &upstream{speaks: llm.OpenAIChat, body: `{"exact": true}`, answer: &answer}, nil, post(plain))
	if w.Body.String() != `{"exact": true}` {
		t.Errorf("native body %s", w.Body)
	}
}

func TestEncodeShapes(t *testing.T) {
	for name, c := range map[string]struct {
		parts []llm.Part
		want  string
	}{
		"empty":     {nil, `{"role":"assistant","content":""}`},
		"call only": {[]llm.Part{{Kind: llm.ToolCall, Call: &llm.Call{ID: "1", Name: "f"}}}, `{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}`},
		"unsigned":  {[]llm.Part{{Kind: llm.Reasoning, Text: "r"}, {Kind: llm.Text, Text: "t"}}, `{"role":"assistant","content":"t","reasoning_content":"r"}`},
		"signature": {[]llm.Part{{Kind: llm.Reasoning, Signature: "s"}}, `{"role":"assistant","content":"","thinking_blocks":[{"type":"thinking","signature":"s"}]}`},
	} {
		body, err := Encode(&llm.Response{Parts: c.parts}, "m", noon())
		if err != nil {
			t.Fatal(err)
		}
		if got := gjson.GetBytes(body, "choices.0.message").Raw; got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
		if got := gjson.GetBytes(body, "choices.0.finish_reason").Str; got != "stop" {
			t.Errorf("%s: finish %q", name, got)
		}
	}
}

func TestErrors(t *testing.T) {
	field := func(f string) *fault.Error { return fault.Bad(f, "bad %s", f) }
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
		header map[string]string
	}{
		"invalid":      {field("messages[0]"), 400, `{"message":"bad messages[0]","type":"invalid_request_error","param":"messages[0]","code":"invalid_request"}`, nil},
		"no key":       {fault.New(fault.Unauthenticated, "no"), 401, `{"message":"no","type":"auth_error","param":null,"code":"401"}`, nil},
		"unknown key":  {&fault.Error{Kind: fault.Unauthenticated, Msg: "no", Field: "key"}, 401, `{"message":"no","type":"token_not_found_in_db","param":"key","code":"401"}`, nil},
		"expired":      {fault.New(fault.Expired, "old"), 401, `{"message":"old","type":"expired_key","param":null,"code":"401"}`, nil},
		"model":        {fault.New(fault.ModelDenied, "key not"), 403, `{"message":"key not","type":"key_model_access_denied","param":"model","code":"403"}`, nil},
		"team model":   {fault.New(fault.ModelDenied, "team not"), 403, `{"message":"team not","type":"team_model_access_denied","param":"model","code":"403"}`, nil},
		"no model":     {fault.New(fault.ModelNotFound, "none"), 404, `{"message":"none","type":"invalid_request_error","param":"model","code":"model_not_found"}`, nil},
		"budget":       {fault.New(fault.BudgetExceeded, "spent"), 429, `{"message":"spent","type":"budget_exceeded","param":null,"code":"429"}`, map[string]string{"X-Should-Retry": "false"}},
		"rate":         {&fault.Error{Kind: fault.RateLimited, Msg: "slow", RetryAfter: 1500 * time.Millisecond}, 429, `{"message":"slow","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}`, map[string]string{"Retry-After": "2"}},
		"unavailable":  {fault.New(fault.Unavailable, "full"), 503, `{"message":"full","type":"service_unavailable_error","param":null,"code":"503"}`, map[string]string{"Retry-After": "1"}},
		"bug":          {io.ErrClosedPipe, 500, `{"message":"internal error","type":"internal_server_error","param":null,"code":"500"}`, nil},
		"upstream":     {&llm.Error{Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded", Param: "messages", Message: "too long"}, 400, `{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}`, nil},
		"overflow":     {&llm.Error{Status: 400, Type: "ValidationException", Message: "prompt is too long"}, 400, `{"message":"prompt is too long","type":"ValidationException","param":null,"code":"context_length_exceeded"}`, nil},
		"upstream 429": {&llm.Error{Status: 429, Message: "wait", RetryAfter: 7 * time.Second}, 429, `{"message":"wait","type":"rate_limit_error","param":null,"code":null}`, map[string]string{"Retry-After": "7"}},
		"upstream 503": {&llm.Error{Status: 503, Message: "later"}, 503, `{"message":"later","type":"server_error","param":null,"code":null}`, map[string]string{"Retry-After": "1"}},
		"timeout":      {&llm.Error{Type: llm.TypeTimeout, Message: "slow"}, 504, `{"message":"slow","type":"upstream_timeout","param":null,"code":null}`, nil},
		"unreachable":  {&llm.Error{Type: llm.TypeUnreachable, Message: "away"}, 502, `{"message":"away","type":"upstream_unreachable","param":null,"code":null}`, nil},
	} {
		w, _ := serve(t, &upstream{err: c.err}, nil, post(plain))
		if got := gjson.Get(w.Body.String(), "error").Raw; w.Code != c.status || got != c.body {
			t.Errorf("%s: %d %s\nwant %d %s", name, w.Code, got, c.status, c.body)
		}
		for k, v := range c.header {
			if got := w.Header().Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", name, k, got, v)
			}
		}
	}
}

func TestRefusedBeforeTheGateway(t *testing.T) {
	u := &upstream{}
	for _, c := range []struct {
		body   string
		status int
		param  string
	}{
		{`{"model":"m","messages":[]}`, 400, "messages"},
		{`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<16) + `"}]}`, 413, ""},
	} {
		w, _ := serve(t, u, nil, post(c.body))
		if got := gjson.Get(w.Body.String(), "error.param").String(); w.Code != c.status || got != c.param || u.seen != nil {
			t.Errorf("%d %s, asked upstream: %v", w.Code, w.Body, u.seen != nil)
		}
	}
	w, _ := serve(t, u, nil, post(strings.Replace(plain, `"user"`, `"robot"`, 1)))
	if w.Code != 400 || gjson.Get(w.Body.String(), "error.param").String() != "messages[0].role" || u.seen != nil {
		t.Errorf("found in translation: %d %s", w.Code, w.Body)
	}
}

func TestModels(t *testing.T) {
	get := func(path string, who *tenant.Identity) *httptest.ResponseRecorder {
		w, _ := serve(t, &upstream{}, who, httptest.NewRequest("GET", path, nil))
		return w
	}
	if w := get("/v1/models", nil); gjson.Get(w.Body.String(), "data.#.id").Raw != `["m","team/other","openai/*"]` || gjson.Get(w.Body.String(), "object").Str != "list" {
		t.Errorf("got %s", w.Body)
	}
	limited := &tenant.Identity{Project: "default", Models: []string{"team/*"}}
	if w := get("/models", limited); gjson.Get(w.Body.String(), "data.#.id").Raw != `["team/other"]` {
		t.Errorf("got %s", w.Body)
	}
	for path, want := range map[string]int{"/v1/models/m": 200, "/models/m": 200, "/v1/models/team/other": 200, "/v1/models/team%2Fother": 200, "/v1/models/none": 404} {
		if w := get(path, nil); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := get("/v1/models/m", limited); w.Code != 404 {
		t.Errorf("a model of others: %d", w.Code)
	}
}

func TestCallReachesUpstream(t *testing.T) {
	u := &upstream{answer: &llm.Response{Parts: []llm.Part{{Kind: llm.Text, Text: "x"}}}}
	r := post(plain)
	r.Header.Set("Anthropic-Beta", "a, b")
	serve(t, u, nil, r)
	if h := u.seen.Hub; h == nil || len(h.Betas) != 2 || h.Betas[1] != "b" || h.Model != "m" {
		t.Errorf("hub %+v", h)
	}
	u.speaks, u.body = llm.OpenAIChat, "{}"
	serve(t, u, nil, post(plain))
	if string(u.seen.Native) != plain || u.seen.As != "m" {
		t.Errorf("native %s as %s", u.seen.Native, u.seen.As)
	}
}

func BenchmarkCodec(b *testing.B) {
	c := newCodec("m", true, 1)
	buf, _ := c.Append(nil, gateway.Frame{Chunks: everything[:1]})
	f := gateway.Frame{Chunks: []llm.Chunk{{Kind: llm.ChunkText, Text: "some words"}}}
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.Append(buf[:0], f)
	}
}

func BenchmarkCheck60KB(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"model":"m","messages":[{"role":"user","content":"hi"}`)
	for range 60 {
		body.WriteString(`,{"role":"assistant","content":"` + strings.Repeat("word \\n", 140) + `"}`)
	}
	body.WriteString(`]}`)
	raw := []byte(body.String())
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := check(raw); err != nil {
			b.Fatal(err)
		}
	}
}

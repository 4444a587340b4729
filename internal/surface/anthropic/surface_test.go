package anthropic

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/gateway/gatewaytest"
	"weir/internal/llm"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type authenticator struct{}

func (authenticator) Authenticate(r *http.Request) (*tenant.Identity, error) {
	switch r.Header.Get("X-Api-Key") {
	case "good":
		return &tenant.Identity{Means: tenant.ByKey, Role: tenant.RoleMember, Project: "p", Key: "k", Models: []string{"claude-*", "claude", "other"}}, nil
	case "old":
		return nil, fault.New(fault.Expired, "Authentication Error, the key has expired")
	}
	return nil, fault.New(fault.Unauthenticated, "Authentication Error, invalid key")
}

// server runs the surface on a real gateway with one upstream.
func server(t *testing.T, u *gatewaytest.Upstream) (http.Handler, *gatewaytest.Recorder) {
	t.Helper()
	rec := &gatewaytest.Recorder{}
	log := slog.New(slog.DiscardHandler)
	g := gateway.New(gateway.Deps{Recorder: rec, Log: log})
	p := gateway.DefaultPolicy()
	p.Retries = 0
	var ds []*gateway.Deployment
	for _, group := range []string{"claude", "claude-b", "secret", "claude-*"} {
		ds = append(ds, &gateway.Deployment{ID: group, Group: group, Upstream: u, Target: gateway.Target{Provider: "fake", Model: "m"}})
	}
	g.Swap(gateway.NewTable(ds, p))
	return edge.NewMux(edge.Deps{Auth: authenticator{}, Log: log}, New(Deps{Gateway: g, MaxBody: 10_000})), rec
}

func call(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Api-Key", "good")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const request = `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`

func chunks(cs ...llm.Chunk) []gateway.Frame { return []gateway.Frame{{Chunks: cs}} }

func TestWholeAnswers(t *testing.T) {
	res := &llm.Response{
		ID: "chatcmpl-1", Parts: []llm.Part{{Kind: llm.Text, Text: "yes"}, {Kind: llm.ToolCall, Call: &llm.Call{ID: "call_1", Name: "t", Args: ""}}},
		Finish: llm.FinishToolCalls, RawFinish: "tool_calls", Usage: llm.Usage{Input: 3, CacheRead: 4, Output: 5},
	}
	h, _ := server(t, &gatewaytest.Upstream{Whole: &gateway.Result{Status: 200, Response: res}})
	for _, path := range []string{"/v1/messages", "/v1/messages?beta=true", "/anthropic/v1/messages"} {
		w := call(h, "POST", path, request)
		want := `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"yes"},{"type":"tool_use","id":"call_1","name":"t","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}}`
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if id := w.Header().Get("Request-Id"); id != "req_"+w.Header().Get("X-Weir-Trace-Id") || len(id) != 36 {
			t.Errorf("request id %q", id)
		}
	}
	native := `{"id":"msg_x", "unknown":1}`
	h, rec := server(t, &gatewaytest.Upstream{Native: true, Whole: &gateway.Result{Status: 200, Response: res, Body: []byte(native)}})
	if w := call(h, "POST", "/v1/messages", request); w.Body.String() != native {
		t.Errorf("native answer: %s", w.Body)
	}
	if len(rec.Records) != 1 || string(rec.Records[0].Request) != request || string(rec.Records[0].Response) != native {
		t.Errorf("recorded %+v", rec.Records)
	}
}

func TestHubRequest(t *testing.T) {
	u := &gatewaytest.Upstream{Whole: &gateway.Result{Response: &llm.Response{}}}
	h, _ := server(t, u)
	call(h, "POST", "/v1/messages", request, "Anthropic-Beta", "a,b")
	if u.Last == nil || u.Last.Hub == nil {
		t.Fatal("no hub request arrived")
	}
	if d := cmp.Diff([]string{"a", "b"}, u.Last.Hub.Betas); d != "" || u.Last.Hub.MaxTokens != 9 {
		t.Error(d, u.Last.Hub.MaxTokens)
	}
}

func TestStream(t *testing.T) {
	stream := strings.Replace(request, "{", `{"stream":true,`, 1)
	h, _ := server(t, &gatewaytest.Upstream{End: io.EOF, Frames: chunks(
		llm.Chunk{Kind: llm.ChunkStart, ID: "msg_1", Usage: llm.Usage{Input: 3}}, llm.Chunk{Kind: llm.ChunkReasoning, Text: "a"},
		llm.Chunk{Kind: llm.ChunkText, Text: "b"}, llm.Chunk{Kind: llm.ChunkFinish, Finish: llm.FinishStop}, llm.Chunk{Kind: llm.ChunkUsage, Usage: llm.Usage{Output: 4}},
	)})
	w := call(h, "POST", "/v1/messages", stream)
	want := `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4}}

event: message_stop
data: {"type":"message_stop"}

`
	if d := cmp.Diff(want, w.Body.String()); d != "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		t.Errorf("%s %s", w.Header(), d)
	}
}

func TestNativeStream(t *testing.T) {
	stream := strings.Replace(request, "{", `{"stream":true,`, 1)
	h, _ := server(t, &gatewaytest.Upstream{Native: true, End: io.EOF, Frames: []gateway.Frame{
		{Event: "content_block_delta", Data: []byte(`{"x": 1}`), Chunks: []llm.Chunk{{Kind: llm.ChunkText, Text: "b"}}},
		{Event: "message_stop", Data: []byte(`{"type":"message_stop"}`)},
	}})
	want := "event: content_block_delta\ndata: {\"x\": 1}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	if got := call(h, "POST", "/v1/messages", stream).Body.String(); got != want {
		t.Errorf("%q", got)
	}
}

func TestStreamThatBreaks(t *testing.T) {
	stream := strings.Replace(request, "{", `{"stream":true,`, 1)
	h, rec := server(t, &gatewaytest.Upstream{End: &llm.Error{Provider: "fake", Type: llm.TypeCut, Message: "it broke"}, Frames: chunks(llm.Chunk{Kind: llm.ChunkText, Text: "b"})})
	w := call(h, "POST", "/v1/messages", stream)
	_, last, _ := strings.Cut(w.Body.String(), "event: error\ndata: ")
	if v := gjson.Parse(last); v.Get("error.type").Str != "api_error" || v.Get("error.message").Str != "it broke" || v.Get("request_id").Str == "" {
		t.Errorf("%s", w.Body)
	}
	if strings.Contains(w.Body.String(), "message_stop") {
		t.Error("a broken stream has a normal end")
	}
	if len(rec.Records) != 1 || rec.Records[0].Span.ErrorType != llm.TypeCut {
		t.Error("not recorded as cut")
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, path, body, key string
		err                   error
		status                int
		kind, says            string
	}{
		{"bad JSON", "/v1/messages", `{`, "good", nil, 400, "invalid_request_error", "not valid JSON"},
		{"missing field", "/v1/messages", `{"model":"claude","messages":[{"role":"user","content":"x"}]}`, "good", nil, 400, "invalid_request_error", "max_tokens: Field required"},
		{"bad field", "/v1/messages", strings.Replace(request, `"hi"`, "1", 1), "good", nil, 400, "invalid_request_error", "messages.0.content: "},
		{"too large", "/v1/messages", strings.Replace(request, "hi", strings.Repeat("x", 10_000), 1), "good", nil, 413, "request_too_large", "limit of 10000"},
		{"no key", "/v1/messages", request, "", nil, 401, "authentication_error", "invalid key"},
		{"expired key", "/v1/messages", request, "old", nil, 401, "authentication_error", "expired"},
		{"model not allowed", "/v1/messages", strings.Replace(request, "claude", "secret", 1), "good", nil, 403, "permission_error", "not allowed"},
		{"model unknown", "/v1/messages", strings.Replace(request, "claude", "other", 1), "good", nil, 404, "not_found_error", "other"},
		{"count: model missing", "/v1/messages/count_tokens", `{"messages":[{"role":"user","content":"x"}]}`, "good", nil, 400, "invalid_request_error", "model: Field required"},
		{"upstream's words", "/v1/messages", request, "good", &llm.Error{Provider: "f", Status: 400, Type: "ValidationException", Message: "Input is too long"}, 400, "invalid_request_error", "Input is too long"},
		{"overloaded", "/v1/messages", request, "good", &llm.Error{Provider: "f", Status: 529, Type: "overloaded_error", Message: "Overloaded"}, 529, "overloaded_error", "Overloaded"},
		{"unreachable", "/v1/messages", request, "good", &llm.Error{Provider: "f", Type: llm.TypeUnreachable, Message: "refused"}, 502, "api_error", "refused"},
		{"throttled", "/v1/messages", request, "good", &llm.Error{Provider: "f", Status: 429, Type: "ThrottlingException", Message: "slow"}, 429, "rate_limit_error", "slow"},
		{"budget", "/v1/messages", request, "good", fault.New(fault.BudgetExceeded, "ExceededBudget"), 429, "rate_limit_error", "ExceededBudget"},
		{"disk low", "/v1/messages", request, "good", fault.New(fault.Unavailable, "later"), 503, "overloaded_error", "later"},
		{"bug", "/v1/messages", request, "good", errors.New("sql: secret"), 500, "api_error", "nternal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, _ := server(t, &gatewaytest.Upstream{Err: c.err})
			w := call(h, "POST", c.path, c.body, "X-Api-Key", c.key)
			v := gjson.ParseBytes(w.Body.Bytes())
			if w.Code != c.status || v.Get("type").Str != "error" || v.Get("error.type").Str != c.kind || !strings.Contains(v.Get("error.message").Str, c.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if waits := w.Header().Get("X-Should-Retry") != "false"; waits == (c.name == "budget") {
				t.Errorf("X-Should-Retry: %q", w.Header().Get("X-Should-Retry"))
			}
			if strings.Contains(w.Body.String(), "secret:") || v.Get("request_id").Str == "" || w.Header().Get("Request-Id") != v.Get("request_id").Str {
				t.Errorf("%s %s", w.Header(), w.Body)
			}
		})
	}
}

func TestCountTokensEstimates(t *testing.T) {
	h, rec := server(t, &gatewaytest.Upstream{})
	body := `{"model":"claude","messages":[{"role":"user","content":"hi"}]}`
	w := call(h, "POST", "/v1/messages/count_tokens", body)
	if want := int64(len(body)*2+6) / 7; w.Code != 200 || gjson.Get(w.Body.String(), "input_tokens").Int() != want {
		t.Errorf("%d %s, want %d", w.Code, w.Body, want)
	}
	if len(rec.Records) != 0 {
		t.Error("counting was recorded as a call")
	}
}

func TestModels(t *testing.T) {
	h, _ := server(t, &gatewaytest.Upstream{})
	v := "2023-06-01"
	w := call(h, "GET", "/v1/models", "", "Anthropic-Version", v)
	want := `{"data":[{"type":"model","id":"claude","display_name":"claude","created_at":"1970-01-01T00:00:00Z"},{"type":"model","id":"claude-b","display_name":"claude-b","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"claude","last_id":"claude-b"}`
	if w.Body.String() != want {
		t.Errorf("got  %s\nwant %s", w.Body, want)
	}
	for path, ids := range map[string]string{
		"/v1/models?limit=1": `["claude"]true`, "/v1/models?after_id=claude": `["claude-b"]false`, "/v1/models?before_id=claude-b&limit=1000": `["claude"]false`,
		"/anthropic/v1/models?limit=1000": `["claude","claude-b"]false`,
	} {
		r := gjson.ParseBytes(call(h, "GET", path, "", "Anthropic-Version", v).Body.Bytes())
		if got := r.Get("data.#.id").Raw + r.Get("has_more").Raw; got != ids {
			t.Errorf("%s: %s", path, got)
		}
	}
	for path, status := range map[string]int{"/v1/models/claude": 200, "/v1/models/secret": 404, "/v1/models/x/y": 404, "/v1/models?limit=0": 400, "/v1/models?limit=x": 400} {
		if w := call(h, "GET", path, "", "Anthropic-Version", v); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := call(h, "GET", "/v1/models", ""); w.Code != 404 {
		t.Errorf("without the version header the list is not ours: %d", w.Code)
	}
	if w := call(h, "HEAD", "/", "", "X-Api-Key", ""); w.Code != 200 {
		t.Errorf("HEAD /: %d", w.Code)
	}
}

package bedrock

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
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
	switch r.Header.Get("Authorization") {
	case "Bearer good":
		return &tenant.Identity{Role: tenant.RoleMember, Project: "p", Key: "k"}, nil
	case "Bearer old":
		return nil, fault.New(fault.Expired, "the key has expired")
	}
	return nil, fault.New(fault.Unauthenticated, "invalid key")
}

const modelID = "arn:aws:bedrock:us-east-1:1:application-inference-profile/us.claude-v1:0"

func server(t *testing.T, u *gatewaytest.Upstream) http.Handler {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	g := gateway.New(gateway.Deps{Recorder: &gatewaytest.Recorder{}, Log: log})
	p := gateway.DefaultPolicy()
	p.Retries = 0
	g.Swap(gateway.NewTable([]*gateway.Deployment{{ID: "d", Group: modelID, Upstream: u, Target: gateway.Target{Provider: "fake", Model: "m"}}}, p))
	return edge.Normalize("", edge.NewMux(edge.Deps{Auth: authenticator{}, Log: log}, New(Deps{Gateway: g})))
}

const (
	escaped = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fus.claude-v1%3A0/"
	request = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"x":{"y":1.0},"messages":[{"role":"user","content":"hi"}],"anthropic_beta":["b2"]}`
)

func call(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestInvokeBecomesMessages(t *testing.T) {
	u := &gatewaytest.Upstream{Native: true, Whole: &gateway.Result{Body: []byte(`{"id":"msg","usage":{"input_tokens":3,"output_tokens":4}}`), Response: &llm.Response{}}}
	h := server(t, u)
	for _, path := range []string{escaped + "invoke", "/bedrock" + escaped + "invoke", "/bedrock/" + escaped + "invoke"} {
		u.Last = nil
		w := call(h, "POST", path, request, "Anthropic-Beta", "b1")
		if w.Code != 200 || w.Header().Get("X-Amzn-Bedrock-Output-Token-Count") != "4" || w.Header().Get("X-Amzn-Requestid") == "" {
			t.Fatalf("%s: %d %s %s", path, w.Code, w.Header(), w.Body)
		}
		want := `{"max_tokens":9,"x":{"y":1.0},"messages":[{"role":"user","content":"hi"}],"model":"` + modelID + `","stream":false}`
		if got := string(u.Last.Native); got != want || u.Last.Dialect != llm.AnthropicMessages {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := u.Last.Header.Get("Anthropic-Beta"); got != "b1,b2" {
			t.Errorf("betas %q", got)
		}
	}
}

func TestHubRequestKnowsTheBetas(t *testing.T) {
	u := &gatewaytest.Upstream{Whole: &gateway.Result{Response: &llm.Response{Parts: []llm.Part{{Kind: llm.Text, Text: "yes"}}}}}
	w := call(server(t, u), "POST", escaped+"invoke", request)
	if d := cmp.Diff([]string{"b2"}, u.Last.Hub.Betas); d != "" || gjson.Get(w.Body.String(), "content.0.text").Str != "yes" {
		t.Error(d, w.Body)
	}
}

// message is a decoded frame: its kind, its type, and the event or payload.
type message struct{ kind, name, data string }

func decode(t *testing.T, b []byte) (out []message) {
	t.Helper()
	d, r := eventstream.NewDecoder(), bytes.NewReader(b)
	for {
		m, err := d.Decode(r, nil)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		x := message{kind: m.Headers.Get(":message-type").String(), data: string(m.Payload)}
		if x.kind == "event" {
			x.name = m.Headers.Get(":event-type").String()
			b, err := base64.StdEncoding.DecodeString(gjson.Get(x.data, "bytes").Str)
			if err != nil {
				t.Fatal(err)
			}
			x.data = string(b)
		} else {
			x.name = m.Headers.Get(":exception-type").String()
		}
		out = append(out, x)
	}
}

func TestStreams(t *testing.T) {
	usage := llm.Usage{Input: 3, CacheRead: 5, CacheWrite: 6, CacheWrite1h: 1, Output: 4}
	hub := []gateway.Frame{{Chunks: []llm.Chunk{
		{Kind: llm.ChunkStart, ID: "msg_1"}, {Kind: llm.ChunkText, Text: "b"}, {Kind: llm.ChunkFinish, Finish: llm.FinishStop}, {Kind: llm.ChunkUsage, Usage: usage},
	}}}
	native := []gateway.Frame{
		{Event: "message_start", Data: []byte(`{"type":"message_start"}`)}, {Event: "ping", Data: []byte(`{"type":"ping"}`)},
		{Event: "content_block_start", Data: []byte(`{"type":"content_block_start"}`)},
		{Event: "content_block_delta", Data: []byte(`{"type":"content_block_delta"}`), Chunks: []llm.Chunk{{Kind: llm.ChunkText, Text: "b"}}},
		{Event: "content_block_stop", Data: []byte(`{"type":"content_block_stop"}`)},
		{Event: "message_delta", Data: []byte(`{"type":"message_delta"}`), Chunks: []llm.Chunk{{Kind: llm.ChunkFinish}, {Kind: llm.ChunkUsage, Usage: usage}}},
		{Event: "message_stop", Data: []byte(`{"type":"message_stop"}`)},
	}
	for name, u := range map[string]*gatewaytest.Upstream{"hub": {Frames: hub, End: io.EOF}, "native": {Native: true, Frames: native, End: io.EOF}} {
		t.Run(name, func(t *testing.T) {
			w := call(server(t, u), "POST", "/bedrock"+escaped+"invoke-with-response-stream", request)
			if ct := w.Header().Get("Content-Type"); w.Code != 200 || ct != "application/vnd.amazon.eventstream" {
				t.Fatal(w.Code, ct, w.Body)
			}
			got := decode(t, w.Body.Bytes())
			var types []string
			for _, m := range got {
				if m.kind != "event" || m.name != "chunk" {
					t.Errorf("%+v", m)
				}
				types = append(types, gjson.Get(m.data, "type").Str)
			}
			want := "message_start content_block_start content_block_delta content_block_stop message_delta message_stop"
			if strings.Join(types, " ") != want {
				t.Errorf("events: %v", types)
			}
			m := gjson.Get(got[len(got)-1].data, "amazon-bedrock-invocationMetrics")
			if m.Get("inputTokenCount").Int() != 3 || m.Get("outputTokenCount").Int() != 4 || m.Get("cacheReadInputTokenCount").Int() != 5 || m.Get("cacheWriteInputTokenCount").Int() != 7 {
				t.Errorf("metrics: %s", m.Raw)
			}
		})
	}
}

func TestStreamThatBreaks(t *testing.T) {
	for _, c := range []struct {
		err  error
		name string
	}{
		{&llm.Error{Provider: "f", Type: llm.TypeCut, Message: "it broke"}, "modelStreamErrorException"},
		{&llm.Error{Provider: "f", Status: 429, Message: "it broke"}, "throttlingException"},
		{&llm.Error{Provider: "f", Status: 529, Message: "it broke"}, "serviceUnavailableException"},
		{&llm.Error{Provider: "f", Type: llm.TypeTimeout, Message: "it broke"}, "modelTimeoutException"},
	} {
		u := &gatewaytest.Upstream{Frames: []gateway.Frame{{Chunks: []llm.Chunk{{Kind: llm.ChunkText, Text: "b"}}}}, End: c.err}
		got := decode(t, call(server(t, u), "POST", escaped+"invoke-with-response-stream", request).Body.Bytes())
		last := got[len(got)-1]
		if last.kind != "exception" || last.name != c.name || last.data != `{"message":"it broke"}` {
			t.Errorf("%+v", last)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, path, body, auth string
		err                    error
		status                 int
		kind, says             string
	}{
		{"no key", escaped + "invoke", request, "", nil, 403, "UnrecognizedClientException", "invalid key"},
		{"old key", escaped + "invoke", request, "Bearer old", nil, 403, "ExpiredTokenException", "expired"},
		{"bad JSON", escaped + "invoke", `{`, "Bearer good", nil, 400, "ValidationException", "not valid JSON"},
		{"array", escaped + "invoke", `[]`, "Bearer good", nil, 400, "ValidationException", ""},
		{"another vendor's body", escaped + "invoke", `{"inputText":"x"}`, "Bearer good", nil, 400, "ValidationException", "anthropic_version"},
		{"missing field", escaped + "invoke", strings.Replace(request, `"max_tokens":9,`, "", 1), "Bearer good", nil, 400, "ValidationException", "max_tokens: Field required"},
		{"unknown model", "/model/nope/invoke", request, "Bearer good", nil, 404, "ResourceNotFoundException", "nope"},
		{"throttled", escaped + "invoke", request, "Bearer good", &llm.Error{Status: 429, Message: "slow"}, 429, "ThrottlingException", "slow"},
		{"overloaded", escaped + "invoke-with-response-stream", request, "Bearer good", &llm.Error{Status: 529, Message: "slow"}, 503, "ServiceUnavailableException", "slow"},
		{"model error", escaped + "invoke", request, "Bearer good", &llm.Error{Status: 424, Message: "m"}, 424, "ModelErrorException", "m"},
		{"upstream's words", escaped + "invoke", request, "Bearer good", &llm.Error{Status: 400, Message: "Input is too long"}, 400, "ValidationException", "Input is too long"},
		{"unreachable", escaped + "invoke", request, "Bearer good", &llm.Error{Type: llm.TypeUnreachable, Message: "refused"}, 503, "ServiceUnavailableException", "refused"},
		{"bug", escaped + "invoke", request, "Bearer good", errors.New("secret"), 500, "InternalServerException", "nternal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := call(server(t, &gatewaytest.Upstream{Err: c.err}), "POST", c.path, c.body, "Authorization", c.auth)
			if w.Code != c.status || w.Header().Get("X-Amzn-Errortype") != c.kind || !strings.Contains(gjson.Get(w.Body.String(), "message").Str, c.says) {
				t.Errorf("%d %s %s", w.Code, w.Header().Get("X-Amzn-Errortype"), w.Body)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Error("a private cause was shown")
			}
		})
	}
}

func TestProfiles(t *testing.T) {
	h := server(t, &gatewaytest.Upstream{})
	for _, path := range []string{"/inference-profiles", "/bedrock/inference-profiles?type=SYSTEM_DEFINED"} {
		if w := call(h, "GET", path, ""); w.Code != 200 || w.Body.String() != `{"inferenceProfileSummaries":[]}` {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

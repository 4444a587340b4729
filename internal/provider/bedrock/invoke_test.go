package bedrock

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tidwall/gjson"

	"weir/internal/catalog"
	"weir/internal/gateway"
	"weir/internal/llm"
)

func TestInvokeBody(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		betas  []string
		model  catalog.Model
		points bool
		want   string
	}{
		"fields keep their bytes": {
			in:   `{"model":"m", "max_tokens": 5,"stream":true,"messages":[{"role":"user","content":"hi"}],"unknown":{"a" : 1.0}}`,
			want: `{"max_tokens": 5,"messages":[{"role":"user","content":"hi"}],"unknown":{"a" : 1.0},"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"betas of headers and body": {
			in:    `{"anthropic_beta":["context-1m-2025-08-07","claude-code-20250219"],"max_tokens":5}`,
			betas: []string{"interleaved-thinking-2025-05-14,claude-code-20250219", "context-1m-2025-08-07"},
			want:  `{"anthropic_beta":["interleaved-thinking-2025-05-14","context-1m-2025-08-07"],"max_tokens":5,"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"refused betas": {
			in: `{"anthropic_beta":["oauth-2025-04-20"],"max_tokens":5}`, betas: []string{"claude-code-20250219"},
			want: `{"max_tokens":5,"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"new models take few betas": {
			in: `{"max_tokens":5}`, betas: []string{"effort-2025-11-24,interleaved-thinking-2025-05-14"}, model: newer,
			want: `{"max_tokens":5,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14"]}`,
		},
		"context management without its flag": {
			in: `{"max_tokens":5,"context_management":{"edits":[]}}`, want: `{"max_tokens":5,"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"context management with its flag": {
			in: `{"max_tokens":5,"context_management":{"edits":[]}}`, betas: []string{"context-management-2025-06-27"},
			want: `{"max_tokens":5,"context_management":{"edits":[]},"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-management-2025-06-27"]}`,
		},
		"scopes of cache marks": {
			in:   `{"max_tokens":5,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","scope":"global"}}],"messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{"scope":"x"},"cache_control":{"scope":"global","type":"ephemeral"}}]}]}`,
			want: `{"max_tokens":5,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{"scope":"x"},"cache_control":{"type":"ephemeral"}}]}],"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"cache points": {
			in: `{"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`, points: true,
			want: `{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}],"anthropic_version":"bedrock-2023-05-31"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &gateway.Attempt{Native: []byte(c.in), Header: http.Header{"Anthropic-Beta": c.betas}, Model: c.model}
			if got := string(invokeBody(a, c.points)); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if string(a.Native) != c.in {
				t.Error("the client's body was changed")
			}
		})
	}
}

func claudeAt(t *testing.T, h http.HandlerFunc) *Upstream {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newUpstream(t, gateway.Target{
		Model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", BaseURL: srv.URL, AWS: gateway.AWS{Region: "us-east-1", BearerToken: "key"},
	})
}

// TestInvokeStreamForClient checks what the client of a same-dialect stream is given.
func TestInvokeStreamForClient(t *testing.T) {
	w := invokeWire()
	u := claudeAt(t, func(rw http.ResponseWriter, _ *http.Request) {
		for _, e := range w.Events {
			_, _ = rw.Write(e)
		}
	})
	res, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(`{"max_tokens":1}`), Dialect: llm.AnthropicMessages, Stream: true, As: "group"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	for i := range w.Events {
		f, err := res.Stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Event != gjson.GetBytes(f.Data, "type").String() || f.Event == "" {
			t.Errorf("event %d is named %q: %s", i, f.Event, f.Data)
		}
		switch f.Event {
		case "message_start":
			if m := gjson.GetBytes(f.Data, "message.model").String(); m != "group" {
				t.Errorf("model %q", m)
			}
		case "message_stop":
			if string(f.Data) != `{"type":"message_stop"}` {
				t.Errorf("message_stop is %s", f.Data)
			}
		}
	}
	if _, err := res.Stream.Next(); err != io.EOF {
		t.Errorf("end is %v", err)
	}
}

// TestInvokeMetricsFillUsage has a stream whose own events tell nothing.
func TestInvokeMetricsFillUsage(t *testing.T) {
	u := claudeAt(t, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(chunk(`{"type":"message_start","message":{"id":"m","model":"c"}}`))
		_, _ = rw.Write(chunk(`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`))
		_, _ = rw.Write(chunk(`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":4,"cacheReadInputTokenCount":5,"cacheWriteInputTokenCount":6}}`))
	})
	res, err := u.Chat(t.Context(), &gateway.Attempt{Native: []byte(`{"max_tokens":1}`), Dialect: llm.AnthropicMessages, Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Stream.Close()
	var f llm.Fold
	for {
		fr, err := res.Stream.Next()
		if err != nil {
			break
		}
		for _, c := range fr.Chunks {
			f.Add(c)
		}
	}
	if got, want := f.Response().Usage, (llm.Usage{Input: 3, Output: 4, CacheRead: 5, CacheWrite: 6}); got != want {
		t.Errorf("usage %+v, want %+v", got, want)
	}
}

func TestSpeaksForClaudeOnly(t *testing.T) {
	const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"
	for _, c := range []struct {
		model, base string
		want        bool
	}{
		{"anthropic.claude-sonnet-4-5-20250929-v1:0", "", true},
		{"converse/us.anthropic.claude-opus-4-7", "", true},
		{"amazon.nova-pro-v1:0", "", false},
		{profile, "", false},
		{profile, "anthropic.claude-opus-4-6-v1", true},
	} {
		u := newUpstream(t, gateway.Target{Model: c.model, BaseModel: c.base, AWS: gateway.AWS{Region: "us-east-1"}})
		if got := u.Speaks(llm.AnthropicMessages); got != c.want || u.Speaks(llm.OpenAIChat) {
			t.Errorf("%s (%s): %v", c.model, c.base, got)
		}
	}
}

func TestCountTokens(t *testing.T) {
	var path, body string
	u := claudeAt(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body = r.URL.EscapedPath(), string(b)
		fmt.Fprint(w, `{"inputTokens":42}`)
	})
	n, err := u.CountTokens(t.Context(), &gateway.Attempt{Hub: &llm.Request{Messages: []llm.Message{user(text("hi"))}, MaxTokens: 5}})
	if err != nil || n != 42 {
		t.Fatalf("%d %v", n, err)
	}
	if want := `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}`; body != want {
		t.Errorf("body %s", body)
	}
	if path != "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens" {
		t.Errorf("path %s", path)
	}
	native := `{"model":"m","messages":[],"thinking":{"type":"enabled","budget_tokens":2000}}`
	if _, err := u.CountTokens(t.Context(), &gateway.Attempt{Native: []byte(native), Dialect: llm.AnthropicMessages}); err != nil {
		t.Fatal(err)
	}
	inner, err := base64.StdEncoding.DecodeString(gjson.Get(body, "input.invokeModel.body").String())
	if err != nil {
		t.Fatal(err)
	}
	if got := gjson.GetBytes(inner, "max_tokens").Int(); got != 2001 || gjson.GetBytes(inner, "model").Exists() {
		t.Errorf("body %s", inner)
	}
}

func TestCountTokensByProfile(t *testing.T) {
	var paths []string
	u := claudeAt(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		if len(paths) == 1 {
			fail(w, http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"inputTokens":42}`)
	})
	n, err := u.CountTokens(t.Context(), &gateway.Attempt{Hub: &hi})
	if err != nil || n != 42 || len(paths) != 2 || paths[1] != "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/count-tokens" {
		t.Errorf("%d %v %v", n, err, paths)
	}
}

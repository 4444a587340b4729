package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"weir/internal/llm"
)

func TestFacts(t *testing.T) {
	type want struct{ session, user, client, trace string }
	for name, tc := range map[string]struct {
		header  map[string]string
		body    string
		dialect llm.Dialect
		want    want
	}{
		"nothing":            {nil, `{}`, llm.OpenAIChat, want{}},
		"old cline":          {map[string]string{"User-Agent": "Cline/3.82.0"}, `{"litellm_session_id":"cline-1"}`, llm.OpenAIChat, want{session: "cline-1", client: "Cline"}},
		"new cline":          {map[string]string{"User-Agent": "ai-sdk/openai-compatible/3.0.37 runtime/bun"}, `{"messages":[{"role":"system","content":"You are Cline, a"}]}`, llm.OpenAIChat, want{client: "Cline"}},
		"session header":     {map[string]string{"x-session-id": "s1"}, `{"user":"bob"}`, llm.OpenAIChat, want{session: "s1", user: "bob"}},
		"codex":              {map[string]string{"session-id": "s2", "User-Agent": "codex_exec/0.169.0 (Debian)"}, `{}`, llm.OpenAIChat, want{session: "s2", client: "Codex"}},
		"body before header": {map[string]string{"x-session-id": "s1"}, `{"litellm_session_id":"s3"}`, llm.OpenAIChat, want{session: "s3"}},
		"metadata":           {nil, `{"metadata":{"session_id":"s4","trace_user_id":"eve","trace_id":"0123456789ABCDEF0123456789abcdef"}}`, llm.OpenAIChat, want{session: "s4", user: "eve", trace: "0123456789abcdef0123456789abcdef"}},
		"claude code": {map[string]string{"User-Agent": "claude-cli/2.1.197 (external, cli)"},
			`{"metadata":{"user_id":"user_abc_account_1_session_9f"}}`, llm.AnthropicMessages, want{session: "9f", user: "user_abc_account_1", client: "Claude Code"}},
		"claude code json": {nil, `{"metadata":{"user_id":"{\"device_id\":\"d\",\"account_uuid\":\"\",\"session_id\":\"9e\"}"}}`, llm.AnthropicMessages, want{session: "9e", user: "d"}},
		"anthropic user":   {nil, `{"metadata":{"user_id":"u7"},"litellm_metadata":{"session_id":"s8"}}`, llm.AnthropicMessages, want{session: "s8", user: "u7"}},
		"traceparent":      {map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, `{}`, llm.OpenAIChat, want{trace: "0af7651916cd43dd8448eb211c80319c"}},
		"bad traceparent":  {map[string]string{"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"}, `{}`, llm.OpenAIChat, want{}},
		"wrong types":      {nil, `{"litellm_session_id":7,"metadata":[1],"user":{},"tags":"x"}`, llm.OpenAIChat, want{}},
		"long session":     {map[string]string{"x-session-id": strings.Repeat("a", 300)}, `{}`, llm.OpenAIChat, want{session: strings.Repeat("a", 256) + "…"}},
	} {
		h := http.Header{}
		for k, v := range tc.header {
			h.Set(k, v)
		}
		f := FactsFrom(h, "127.0.0.1", []byte(tc.body), tc.dialect)
		if got := (want{f.Session, f.EndUser, f.Client, f.Trace}); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestFactsOfParamsTagsMetadata(t *testing.T) {
	h := http.Header{"X-Litellm-Tags": {"a, b"}}
	f := FactsFrom(h, "", []byte(`{"temperature":0.5,"max_tokens":77,"messages":[{"temperature":1}],"stop":["x"],"drop_params":true,"metadata":{"tags":["c"],"team":{"name":"x"}},"fallbacks":["m2"]}`), llm.OpenAIChat)
	if string(f.Params) != `{"temperature":0.5,"max_tokens":77,"stop":["x"]}` || f.MaxTokens != 77 || !f.Drop || len(f.Fallbacks) != 1 {
		t.Errorf("params %s, facts %+v", f.Params, f)
	}
	if strings.Join(f.Tags, "") != "cab" || string(f.Metadata) != `{"tags":["c"],"team":{"name":"x"}}` {
		t.Errorf("tags %v, metadata %s", f.Tags, f.Metadata)
	}
}

func FuzzFacts(f *testing.F) {
	f.Add(`{"metadata":{"user_id":"a_session_b"}}`, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, body, tp string) {
		FactsFrom(http.Header{"Traceparent": {tp}}, "", []byte(body), llm.AnthropicMessages)
	})
}

func TestClientVersions(t *testing.T) {
	for ua, want := range map[string][2]string{
		"OpenAI/Python 1.99.0":               {"OpenAI Python", "1.99.0"},
		"AsyncAnthropic/Python 0.84.0":       {"Anthropic Python", "0.84.0"},
		"OpenAI/JS 6.49.0":                   {"OpenAI JS", "6.49.0"},
		"Cline/3.82.0":                       {"Cline", "3.82.0"},
		"claude-cli/2.1.197 (external, cli)": {"Claude Code", "2.1.197"},
		"something else":                     {"", ""},
	} {
		if name, version := fromUserAgent(ua); name != want[0] || version != want[1] {
			t.Errorf("%s: %q %q", ua, name, version)
		}
	}
}

func TestFallbacksOfARequest(t *testing.T) {
	f := FactsFrom(http.Header{}, "", []byte(`{"fallbacks":["a",{"model":"b"},{"c":["d"]},5,null]}`), llm.OpenAIChat)
	if want := []string{"a", "b"}; !slices.Equal(f.Fallbacks, want) {
		t.Errorf("%q, want %q", f.Fallbacks, want)
	}
}

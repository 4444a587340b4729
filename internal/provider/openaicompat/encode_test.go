package openaicompat

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"weir/internal/catalog"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

func textPart(s string) llm.Part { return llm.Part{Kind: llm.Text, Text: s} }

func says(r llm.Role, parts ...llm.Part) llm.Message { return llm.Message{Role: r, Parts: parts} }

// encoded is the body a row's server would get.
func encoded(t *testing.T, row string, a *gateway.Attempt) (string, error) {
	t.Helper()
	base := ""
	if r, _ := RowOf(row); r.BaseURL == "" {
		base = "http://example.com"
	}
	b, _, err := reach(t, gateway.Target{Provider: row, BaseURL: base}).body(a)
	if err == nil && !gjson.ValidBytes(b) {
		t.Fatalf("not JSON: %s", b)
	}
	return string(b), err
}

var agentTurns = []llm.Message{
	says(llm.User, textPart("look"), llm.Part{Kind: llm.Image, Media: &llm.Media{MIME: "image/png", Data: []byte("png")}}, llm.Part{Kind: llm.Image, Media: &llm.Media{URL: "https://example.com/a"}}),
	says(llm.Assistant, llm.Part{Kind: llm.Reasoning, Text: "hm", Signature: "sig"}, llm.Part{Kind: llm.Reasoning, Redacted: "red"}, textPart("I "), textPart("call"),
		llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: "t1", Name: "f", Args: `{"a":1}`}}, llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: "t2", Name: "g"}}),
	says(llm.User, textPart("and?"),
		llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: "t1", Parts: []llm.Part{textPart("one"), textPart("two")}}},
		llm.Part{Kind: llm.ToolResult, Cache: &llm.CacheMark{}, Result: &llm.Result{ID: "t2", Parts: []llm.Part{{Kind: llm.Image, Media: &llm.Media{MIME: "image/png", Data: []byte("x")}}}}}),
	says(llm.System, textPart("be careful")),
	says(llm.Assistant),
}

func TestEncodeMessages(t *testing.T) {
	hub := &llm.Request{System: []llm.Part{textPart("a"), {Kind: llm.Text, Text: "b", Cache: &llm.CacheMark{TTL: "1h"}}}, Messages: agentTurns}
	const user = `{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,cG5n"}},{"type":"image_url","image_url":{"url":"https://example.com/a"}}]}`
	const calls = `"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"t2","type":"function","function":{"name":"g","arguments":"{}"}}]`
	const result = `{"role":"tool","content":"one\ntwo","tool_call_id":"t1"}`
	const rest = `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,eA=="}},{"type":"text","text":"and?"}]},{"role":"system","content":"be careful"},{"role":"assistant","content":""}`
	for row, want := range map[string]string{
		"openai": `{"role":"system","content":"a\n\nb"},` + user + `,{"role":"assistant","content":"I call",` + calls + `},` + result +
			`,{"role":"tool","content":"(the result follows)","tool_call_id":"t2"},` + rest,
		"deepseek": `{"role":"system","content":"a\n\nb"},` + user + `,{"role":"assistant","content":"I call",` + calls + `,"reasoning_content":"hm"},` + result +
			`,{"role":"tool","content":"(the result follows)","tool_call_id":"t2"},` + rest,
		"litellm_proxy": `{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]},` + user +
			`,{"role":"assistant","content":"I call",` + calls + `,"reasoning_content":"hm","thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"red"}]},` + result +
			`,{"role":"tool","content":[{"type":"text","text":"(the result follows)","cache_control":{"type":"ephemeral"}}],"tool_call_id":"t2"},` + rest,
	} {
		got, err := encoded(t, row, &gateway.Attempt{Hub: hub})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("["+want+"]", gjson.Get(got, "messages").Raw); diff != "" {
			t.Errorf("%s: %s", row, diff)
		}
	}
}

func TestEncodeParameters(t *testing.T) {
	half, one, k, yes := 0.5, 1.0, 40, true
	thinks := catalog.Model{Known: true, Abilities: catalog.Abilities{Reasoning: true}, Quirks: catalog.Quirks{NoSampling: true}}
	tool := llm.Tool{Name: "f", Description: "d", Schema: jsonx.Raw(`{"type":"object"}`), Strict: &yes, Cache: &llm.CacheMark{}}
	const function = `{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}`
	for _, c := range []struct {
		name, row string
		hub       llm.Request
		a         gateway.Attempt
		want      string // members after model and messages
		param     string // refused
	}{
		{name: "sampling", row: "groq", hub: llm.Request{MaxTokens: 9, Temperature: &half, TopP: &one, Stop: []string{"a"}, User: "u"}, want: `"max_tokens":9,"temperature":0.5,"top_p":1,"stop":["a"],"user":"u"`},
		{name: "limits", row: "openai", hub: llm.Request{MaxTokens: 64000}, a: gateway.Attempt{Model: catalog.Model{MaxOutput: 16384}}, want: `"max_completion_tokens":16384`},
		{name: "long user", row: "openai", hub: llm.Request{User: strings.Repeat("u", 65)}, want: `"user":"f20e249d15fa4b9f44ba21d154f62e1efa76ddfdce5d25139a33a4787cee5a8b"`},
		{name: "user refused", row: "mistral", hub: llm.Request{User: "u"}, want: ``},
		{name: "stream", row: "openai", a: gateway.Attempt{Stream: true}, want: `"stream":true,"stream_options":{"include_usage":true}`},
		{name: "stream without options", row: "perplexity", a: gateway.Attempt{Stream: true}, want: `"stream":true`},
		{name: "top_k", row: "vllm", hub: llm.Request{TopK: &k}, want: `"top_k":40`},
		{name: "top_k refused", row: "openai", hub: llm.Request{TopK: &k}, param: "top_k"},
		{name: "top_k dropped", row: "openai", hub: llm.Request{TopK: &k}, a: gateway.Attempt{Drop: true}, want: ``},
		{name: "temperature of a reasoning model", row: "openai", hub: llm.Request{Temperature: &one}, a: gateway.Attempt{Model: thinks}, want: ``},
		{name: "temperature refused", row: "openai", hub: llm.Request{Temperature: &half}, a: gateway.Attempt{Model: thinks}, param: "temperature"},
		{name: "effort", row: "openai", hub: llm.Request{Thinking: &llm.Thinking{Mode: "adaptive", Effort: "max"}}, a: gateway.Attempt{Model: thinks}, want: `"reasoning_effort":"high"`},
		{name: "budget", row: "openai", hub: llm.Request{Thinking: &llm.Thinking{Mode: "enabled", Budget: 8000}}, a: gateway.Attempt{Model: thinks}, want: `"reasoning_effort":"medium"`},
		{name: "thinking of a plain model", row: "openai", hub: llm.Request{Thinking: &llm.Thinking{Mode: "enabled", Budget: 8000}}, want: ``},
		{name: "thinking as it is", row: "litellm_proxy", hub: llm.Request{Thinking: &llm.Thinking{Mode: "adaptive", Effort: "low"}}, want: `"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`},
		{name: "tools", row: "openai", hub: llm.Request{Tools: []llm.Tool{tool}, Choice: llm.ToolChoice{Mode: llm.ChoiceAny}, Parallel: &yes}, want: `"tools":[` + function + `],"tool_choice":"required","parallel_tool_calls":true`},
		{name: "named tool, marked", row: "openrouter", hub: llm.Request{Tools: []llm.Tool{tool}, Choice: llm.ToolChoice{Mode: llm.ChoiceTool, Name: "f"}},
			want: `"tools":[` + strings.TrimSuffix(function, "}") + `,"cache_control":{"type":"ephemeral"}}],"tool_choice":{"function":{"name":"f"},"type":"function"}`},
		{name: "choice without tools", row: "openai", hub: llm.Request{Choice: llm.ToolChoice{Mode: llm.ChoiceAuto}}, want: ``},
		{name: "own native tool", row: "openai", hub: llm.Request{Tools: []llm.Tool{{Native: jsonx.Raw(`{"type":"x"}`), NativeDialect: llm.OpenAIChat}}}, want: `"tools":[{"type":"x"}]`},
		{name: "foreign tool", row: "openai", hub: llm.Request{Tools: []llm.Tool{{Native: jsonx.Raw(`{}`), NativeDialect: llm.AnthropicMessages}}}, param: "tools"},
		{name: "schema", row: "openai", hub: llm.Request{Format: &llm.Format{Type: "json_schema", Schema: jsonx.Raw(`{"type":"object"}`), Strict: &yes}},
			want: `"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}`},
		{name: "extras", row: "openai", hub: llm.Request{Extra: map[string]jsonx.Raw{"presence_penalty": jsonx.Raw("1"), "n": jsonx.Raw("2"), "context_management": jsonx.Raw("{}")}}, want: `"n":2,"presence_penalty":1`},
		{name: "unknown extra", row: "openai", hub: llm.Request{Extra: map[string]jsonx.Raw{"mystery": jsonx.Raw("1")}}, param: "mystery"},
		{name: "unknown extra dropped", row: "openai", hub: llm.Request{Extra: map[string]jsonx.Raw{"mystery": jsonx.Raw("1")}}, a: gateway.Attempt{Drop: true}, want: ``},
		{name: "unknown extra, unknown server", row: Generic, hub: llm.Request{Extra: map[string]jsonx.Raw{"mystery": jsonx.Raw("1")}}, want: `"mystery":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.a.Hub = &c.hub
			got, err := encoded(t, c.row, &c.a)
			if c.param != "" {
				if e := wantError(t, err); e.Param != c.param || e.Status != 400 || e.Retryable() {
					t.Errorf("got %v", e)
				}
				return
			}
			want := `{"model":"real","messages":[]`
			if c.want != "" {
				want += "," + c.want
			}
			if err != nil || got != want+"}" {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, want+"}")
			}
		})
	}
}

func TestEncodeMedia(t *testing.T) {
	for name, c := range map[string]struct {
		part  llm.Part
		want  string
		param string
	}{
		"pdf":          {llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "application/pdf", Data: []byte("%PDF"), Name: "a.pdf"}}, `{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERg==","filename":"a.pdf"}}`, ""},
		"text":         {llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "text/plain", Data: []byte("hi\xff")}}, "{\"type\":\"text\",\"text\":\"hi\uFFFD\"}", ""},
		"sound":        {llm.Part{Kind: llm.Audio, Media: &llm.Media{MIME: "audio/mpeg", Data: []byte("x")}}, `{"type":"input_audio","input_audio":{"data":"eA==","format":"mp3"}}`, ""},
		"document url": {llm.Part{Kind: llm.Document, Media: &llm.Media{URL: "https://example.com/a.pdf"}}, "", "messages"},
	} {
		got, err := encoded(t, "openai", &gateway.Attempt{Hub: &llm.Request{Messages: []llm.Message{says(llm.User, c.part)}}})
		if c.param != "" {
			if e := wantError(t, err); e.Param != c.param {
				t.Errorf("%s: %v", name, e)
			}
			continue
		}
		if raw := gjson.Get(got, "messages.0.content.0").Raw; err != nil || raw != c.want {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
	}
}

package fakeupstream

import (
	"encoding/json"
	"strings"
	"testing"
)

const wishText = "Create hello.txt containing hello world."

// TestFileTools offers each agent's tool by its real property names and expects a call that does the job.
func TestFileTools(t *testing.T) {
	c := start(t, Options{})
	for _, tc := range []struct{ name, schema, want string }{
		{"editor", `{"type":"object","properties":{"path":{"type":"string"},"new_text":{"type":"string"},"old_text":{"type":"string"}},"required":["path","new_text"]}`,
			`{"new_text":"hello world","path":"hello.txt"}`},
		{"Write", `{"type":"object","properties":{"file_path":{"type":"string"},"content":{"type":"string"}},"required":["file_path","content"]}`,
			`{"content":"hello world","file_path":"hello.txt"}`},
		{"write", `{"type":"object","properties":{"filePath":{"type":"string"},"content":{"type":"string"}}}`, `{"content":"hello world","filePath":"hello.txt"}`},
		{"Write", `{"type":"object","properties":{"filepath":{"type":"string"},"content":{"type":"string"}}}`, `{"content":"hello world","filepath":"hello.txt"}`},
		{"write_file", `{"type":"object","properties":{"file_path":{"type":"string","description":"The absolute path"},"content":{"type":"string"}}}`,
			`{"content":"hello world","file_path":"/srv/project/hello.txt"}`},
		{"write_to_file", `{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"},"task_progress":{"type":"string"}},"required":["path","content"]}`,
			`{"content":"hello world","path":"hello.txt"}`},
		{"exec_command", `{"type":"object","properties":{"cmd":{"type":"string"},"timeout":{"type":"number"}},"required":["cmd"]}`, `{"cmd":"printf '%s' 'hello world' > 'hello.txt'"}`},
		{"bash", `{"type":"object","properties":{"command":{"type":"string"},"description":{"type":"string"}},"required":["command","description"]}`,
			`{"command":"printf '%s' 'hello world' > 'hello.txt'","description":"Create hello.txt"}`},
		{"execute_command", `{"type":"object","properties":{"command":{"type":"string"},"requires_approval":{"type":"boolean"}},"required":["command","requires_approval"]}`,
			`{"command":"printf '%s' 'hello world' > 'hello.txt'","requires_approval":false}`},
		{"run_commands", `{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}}},"required":["commands"]}`,
			`{"commands":["printf '%s' 'hello world' > 'hello.txt'"]}`},
		{"str_replace_based_edit_tool", `{"type":"object","properties":{"command":{"type":"string","enum":["view","create"]},"path":{"type":"string"},"file_text":{"type":"string"}},"required":["command","path"]}`,
			`{"command":"create","file_text":"hello world","path":"hello.txt"}`},
	} {
		body := `{"model":"gpt-4o","messages":[{"role":"system","content":"Current working directory: /srv/project"},{"role":"user","content":"` + wishText + `"}],
			"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object"}}},{"type":"function","function":{"name":"` + tc.name + `","parameters":` + tc.schema + `}}]}`
		got := c.do("/v1/chat/completions", body).json(t)
		call := at(got, "choices", 0, "message", "tool_calls", 0, "function")
		if at(call, "name") != tc.name || at(call, "arguments") != tc.want || at(got, "choices", 0, "finish_reason") != "tool_calls" {
			t.Errorf("%s: %v, want %s", tc.name, got, tc.want)
		}
	}
}

// TestThinkingLoop replays an agent's two turns on both wires: the thinking block must come back unchanged.
func TestThinkingLoop(t *testing.T) {
	c := start(t, Options{})
	const tools = `"toolConfig":{"tools":[{"toolSpec":{"name":"Write","inputSchema":{"json":{"type":"object","properties":{"file_path":{"type":"string"},"content":{"type":"string"}}}}}}]}`
	for model, think := range map[string]string{
		sonnet45: `{"type":"enabled","budget_tokens":2000}`, opus47: `{"type":"adaptive"}`,
	} {
		user := `{"role":"user","content":[{"text":"` + wishText + `"}]}`
		rest := tools + `,"additionalModelRequestFields":{"thinking":` + think + `}}`
		first := c.do(converseAt(model), `{"messages":[`+user+`],`+rest).json(t)
		blocks, _ := at(first, "output", "message", "content").([]any)
		if len(blocks) != 3 || at(first, "stopReason") != "tool_use" {
			t.Fatalf("%s: %v", model, first)
		}
		text, _ := at(blocks[0], "reasoningContent", "reasoningText", "text").(string)
		if (text == "") != (model == opus47) {
			t.Errorf("%s: thinking text %q", model, text)
		}
		second := func(content any, model string) reply {
			b, _ := json.Marshal(content)
			id, _ := at(blocks[2], "toolUse", "toolUseId").(string)
			return c.do(converseAt(model), `{"messages":[`+user+`,{"role":"assistant","content":`+string(b)+`},{"role":"user","content":[{"toolResult":{"toolUseId":"`+id+`","content":[{"text":"written"}]}}]}],`+rest)
		}
		if got := second(blocks, model); got.status != 200 || at(got.json(t), "stopReason") != "end_turn" || !strings.Contains(string(got.body), "Done: hello.txt") {
			t.Errorf("%s: second turn %d %s", model, got.status, got.body)
		}
		same := strings.Replace(model, "us.", "eu.", 1)
		if got := second(blocks, same); got.status != 200 {
			t.Errorf("%s: the same model elsewhere: %s", model, got.body)
		}
		changed := []any{obj{"reasoningContent": obj{"reasoningText": obj{"text": "changed", "signature": at(blocks[0], "reasoningContent", "reasoningText", "signature")}}}, blocks[2]}
		if got := second(changed, model); got.status != 400 || !strings.Contains(string(got.body), "messages.1.content.0: Invalid `signature` in `thinking` block") {
			t.Errorf("%s: changed text: %d %s", model, got.status, got.body)
		}
		if got := second(blocks[1:], model); (got.status == 400) != (model == sonnet45) {
			t.Errorf("%s: without thinking: %d %s", model, got.status, got.body)
		}
	}
}

func TestXMLAgent(t *testing.T) {
	c := start(t, Options{})
	const system = `{"role":"system","content":"Use <write_to_file> and <attempt_completion>. Current Working Directory: /x"},`
	user := `{"role":"user","content":[{"type":"text","text":"<task>\n` + wishText + `\n</task>"}]}`
	say := func(messages string) string {
		got := c.do("/chat/completions", `{"model":"gpt-4o","messages":[`+system+messages+`]}`)
		s, _ := at(got.json(t), "choices", 0, "message", "content").(string)
		return s
	}
	first := say(user)
	if first != "<write_to_file>\n<path>hello.txt</path>\n<content>\nhello world\n</content>\n</write_to_file>" {
		t.Errorf("first %q", first)
	}
	said, _ := json.Marshal(first)
	if got := say(user + `,{"role":"assistant","content":` + string(said) + `},{"role":"user","content":"[write_to_file for 'hello.txt'] Result: ok"}`); !strings.HasPrefix(got, "<attempt_completion>") {
		t.Errorf("second %q", got)
	}
}

func TestCompletionTool(t *testing.T) {
	c := start(t, Options{})
	tools := `"tools":[{"type":"function","function":{"name":"write_to_file","parameters":{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}}}}},
		{"type":"function","function":{"name":"attempt_completion","parameters":{"type":"object","properties":{"result":{"type":"string"}},"required":["result"]}}}]`
	turns := `{"role":"system","content":"End with attempt_completion."},{"role":"user","content":"` + wishText + `"}`
	first := c.do("/v1/chat/completions", `{"model":"gpt-4o","messages":[`+turns+`],`+tools+`}`).json(t)
	if at(first, "choices", 0, "message", "tool_calls", 0, "function", "name") != "write_to_file" {
		t.Fatalf("first %v", first)
	}
	call, _ := json.Marshal(at(first, "choices", 0, "message", "tool_calls"))
	id := at(first, "choices", 0, "message", "tool_calls", 0, "id").(string)
	second := c.do("/v1/chat/completions", `{"model":"gpt-4o","messages":[`+turns+`,{"role":"assistant","tool_calls":`+string(call)+`},{"role":"tool","tool_call_id":"`+id+`","content":"ok"}],`+tools+`}`).json(t)
	if at(second, "choices", 0, "message", "tool_calls", 0, "function", "name") != "attempt_completion" {
		t.Errorf("second %v", second)
	}
}

func TestShortAndStructured(t *testing.T) {
	c := start(t, Options{})
	title := c.do("/v1/chat/completions", `{"model":"gpt-4o","max_tokens":20,"messages":[{"role":"user","content":"`+wishText+`"}]}`).json(t)
	if s, _ := at(title, "choices", 0, "message", "content").(string); len(s) > 60 || !strings.HasPrefix(s, "About") {
		t.Errorf("title %q", s)
	}
	schema := `{"type":"object","properties":{"title":{"type":"string","maxLength":5},"n":{"type":"integer","minimum":3},"kind":{"enum":["a","b"]},"tags":{"type":"array","items":{"type":"string"},"minItems":2},"in":{"$ref":"#/$defs/In"},"maybe":{"anyOf":[{"type":"null"},{"type":"boolean"}]},"opt":{"type":"string"}},
		"required":["title","n","kind","tags","in","maybe"],"additionalProperties":false,"$defs":{"In":{"type":"object","properties":{"x":{"const":7}},"required":["x"]}}}`
	want := `{"in":{"x":7},"kind":"a","maybe":false,"n":3,"tags":["go","go"],"title":"go"}`
	quoted, _ := json.Marshal(schema)
	for _, tc := range []struct {
		path, body string
		at         []any
	}{
		{"/v1/chat/completions", `{"model":"gpt-4o","messages":[{"role":"user","content":"go"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":` + schema + `}}}`, []any{"choices", 0, "message", "content"}},
		{"/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":99,"messages":[{"role":"user","content":"go"}],"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}}`, []any{"content", 0, "text"}},
		{modelPath + "converse", `{"messages":[{"role":"user","content":[{"text":"go"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"s","schema":` + string(quoted) + `}}}}}`, []any{"output", "message", "content", 0, "text"}},
	} {
		if got := at(c.do(tc.path, tc.body).json(t), tc.at...); got != want {
			t.Errorf("%s: %v", tc.path, got)
		}
	}
}

func TestLimits(t *testing.T) {
	c := start(t, Options{})
	got := c.do("/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,"messages":[{"role":"user","content":"[[fake: tokens=50]]"}]}`).json(t)
	if text, _ := at(got, "content", 0, "text").(string); len(text) != 20 || at(got, "stop_reason") != "max_tokens" {
		t.Errorf("%v", got)
	}
	got = c.do("/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":50,"stop_sequences":["END"],"messages":[{"role":"user","content":"[[fake: text=\"one END two\"]]"}]}`).json(t)
	if at(got, "content", 0, "text") != "one " || at(got, "stop_reason") != "stop_sequence" || at(got, "stop_sequence") != "END" {
		t.Errorf("%v", got)
	}
}

// TestToolWish asks for a tool by its short name, and for the answer to be repeated.
func TestToolWish(t *testing.T) {
	c := start(t, Options{})
	const wish = `{"role":"user","content":"Please call the tool find_it with {\"limit\":1} now."}`
	const tools = `"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object"}}},{"type":"function","function":{"name":"mcp__srv__find_it","parameters":{"type":"object"}}}]`
	first := c.do("/v1/chat/completions", `{"model":"gpt-4o","messages":[`+wish+`],`+tools+`}`).json(t)
	call := at(first, "choices", 0, "message", "tool_calls", 0, "function")
	if at(call, "name") != "mcp__srv__find_it" || at(call, "arguments") != `{"limit":1}` {
		t.Fatalf("%v", first)
	}
	message, _ := json.Marshal(at(first, "choices", 0, "message"))
	id, _ := at(first, "choices", 0, "message", "tool_calls", 0, "id").(string)
	second := c.do("/v1/chat/completions", `{"model":"gpt-4o","messages":[`+wish+`,`+string(message)+`,{"role":"tool","tool_call_id":"`+id+`","content":"forty-two"}],`+tools+`}`).json(t)
	if at(second, "choices", 0, "message", "content") != "The tool answered: forty-two" {
		t.Errorf("%v", second)
	}
	without := c.do("/v1/chat/completions", `{"model":"gpt-4o","messages":[`+wish+`]}`).json(t)
	if at(without, "choices", 0, "finish_reason") != "stop" {
		t.Errorf("a tool that is not offered is called: %v", without)
	}
}

// TestToolWishAsXML plays an agent that offers the tools of its servers in the system prompt.
func TestToolWishAsXML(t *testing.T) {
	c := start(t, Options{})
	const system = "Write files with <write_to_file>.\\n# Connected MCP Servers\\n\\n## weir (`http`)\\n\\n### Available Tools\\n- find_it: finds"
	const wish = `{"role":"user","content":"Please call the tool find_it with {\"limit\":1} now."}`
	ask := func(system string, more string) string {
		body := `{"model":"gpt-4o","messages":[{"role":"system","content":"` + system + `"},` + wish + more + `]}`
		text, _ := at(c.do("/v1/chat/completions", body).json(t), "choices", 0, "message", "content").(string)
		return text
	}
	call := ask(system, "")
	if want := "<use_mcp_tool>\n<server_name>weir</server_name>\n<tool_name>find_it</tool_name>\n<arguments>\n{\"limit\":1}\n</arguments>\n</use_mcp_tool>"; call != want {
		t.Fatalf("%q", call)
	}
	said, _ := json.Marshal(call)
	end := ask(system, `,{"role":"assistant","content":`+string(said)+`},{"role":"user","content":"[use_mcp_tool for 'weir'] Result:\nforty-two"}`)
	if !strings.HasPrefix(end, "<attempt_completion>") || !strings.Contains(end, "forty-two") {
		t.Errorf("%q", end)
	}
	if none := ask("Write files with <write_to_file>.", ""); strings.Contains(none, "use_mcp_tool>") {
		t.Errorf("a tool of no server is called: %q", none)
	}
}

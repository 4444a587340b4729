package anthropic

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"weir/internal/catalog"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// TestRoundTrip sends fixtures through the hub: what the hub can say must come out as it went in.
func TestRoundTrip(t *testing.T) {
	for name, body := range fixtures(t, "requests") {
		t.Run(name, func(t *testing.T) {
			r, err := DecodeRequest(body, nil)
			if err != nil {
				t.Fatal(err)
			}
			w, _, err := EncodeRequest(r, Options{Provider: "p", Model: "claude-x"})
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(decode(t, body), decode(t, out)); d != "" {
				t.Errorf("-in +out:\n%s", d)
			}
		})
	}
}

func decode(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return v
}

var (
	manual   = catalog.Model{Known: true, MaxOutput: 64000, Abilities: catalog.Abilities{Reasoning: true}}
	adaptive = catalog.Model{Known: true, MaxOutput: 64000, Abilities: catalog.Abilities{Reasoning: true}, Quirks: catalog.Quirks{Adaptive: true, NoSampling: true, NativeSchema: true}}
	picky    = catalog.Model{Known: true, MaxOutput: 64000, Quirks: catalog.Quirks{OneOfTempTopP: true}}
)

func user(text string) llm.Message {
	return llm.Message{Role: llm.User, Parts: []llm.Part{{Kind: llm.Text, Text: text}}}
}

func callPart(id, name, args string) llm.Part {
	return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: name, Args: args}}
}

func resultPart(id, text string) llm.Part {
	return llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: []llm.Part{{Kind: llm.Text, Text: text}}}}
}

// TestEncode looks at single fields: want maps gjson paths to raw JSON, "" meaning absent.
func TestEncode(t *testing.T) {
	hi := []llm.Message{user("hi")}
	tool := llm.Tool{Name: "a", Schema: jsonx.Raw(`{"type":"object"}`)}
	for _, c := range []struct {
		name  string
		req   llm.Request
		model catalog.Model
		drop  bool
		want  map[string]string
	}{
		{"limit from the catalog", llm.Request{Messages: hi}, catalog.Model{MaxOutput: 8192}, false, map[string]string{"max_tokens": "8192"}},
		{"limit is sensible", llm.Request{Messages: hi}, catalog.Model{MaxOutput: 128000}, false, map[string]string{"max_tokens": "32000"}},
		{"limit of an unknown model", llm.Request{Messages: hi}, catalog.Model{}, false, map[string]string{"max_tokens": "4096"}},
		{"temperature wins over top_p", llm.Request{Messages: hi, Temperature: new(0.0), TopP: new(0.95)}, picky, false, map[string]string{"temperature": "0", "top_p": ""}},
		{"top_p alone stays", llm.Request{Messages: hi, TopP: new(0.95)}, picky, false, map[string]string{"top_p": "0.95"}},
		{"no sampling", llm.Request{Messages: hi, Temperature: new(0.0), TopP: new(0.95), TopK: new(3)}, adaptive, false, map[string]string{"temperature": "", "top_p": "", "top_k": ""}},
		{"temperature is cut with drop", llm.Request{Messages: hi, Temperature: new(1.7)}, manual, true, map[string]string{"temperature": "1"}},
		{"effort", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "medium"}, Temperature: new(0.2), TopK: new(1)}, manual, false,
			map[string]string{"thinking": `{"type":"enabled","budget_tokens":2048}`, "temperature": "", "top_k": "", "max_tokens": "32000"}},
		{"effort raises a default limit", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "high"}}, catalog.Model{}, false, map[string]string{"thinking.budget_tokens": "4096", "max_tokens": "8192"}},
		{"effort fits a given limit", llm.Request{Messages: hi, MaxTokens: 1500, Thinking: &llm.Thinking{Effort: "high"}}, manual, false, map[string]string{"thinking.budget_tokens": "1499", "max_tokens": "1500"}},
		{"no room for thinking", llm.Request{Messages: hi, MaxTokens: 100, Thinking: &llm.Thinking{Effort: "high"}}, manual, false, map[string]string{"thinking": ""}},
		{"small budget is raised", llm.Request{Messages: hi, Thinking: &llm.Thinking{Mode: "enabled", Budget: 1}}, manual, false, map[string]string{"thinking.budget_tokens": "1024"}},
		{"adaptive by effort", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "xhigh"}}, adaptive, false, map[string]string{"thinking": `{"type":"adaptive"}`, "output_config": `{"effort":"max"}`}},
		{"adaptive by budget", llm.Request{Messages: hi, Thinking: &llm.Thinking{Mode: "enabled", Budget: 5000}}, adaptive, false, map[string]string{"thinking": `{"type":"adaptive"}`, "output_config.effort": `"medium"`}},
		{"thinking off", llm.Request{Messages: hi, Thinking: &llm.Thinking{Mode: "disabled"}}, manual, false, map[string]string{"thinking": ""}},
		{"effort none", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "none"}}, adaptive, false, map[string]string{"thinking": "", "output_config": ""}},
		{"model does not reason, drop", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "low"}}, picky, true, map[string]string{"thinking": ""}},
		{"choice", llm.Request{Messages: hi, Tools: []llm.Tool{tool}, Choice: llm.ToolChoice{Mode: llm.ChoiceTool, Name: "a"}}, manual, false, map[string]string{"tool_choice": `{"type":"tool","name":"a"}`}},
		{"choice with thinking", llm.Request{Messages: hi, Tools: []llm.Tool{tool}, Choice: llm.ToolChoice{Mode: llm.ChoiceAny}, Thinking: &llm.Thinking{Effort: "low"}}, manual, false, map[string]string{"tool_choice": `{"type":"auto"}`}},
		{"choice without tools", llm.Request{Messages: hi, Choice: llm.ToolChoice{Mode: llm.ChoiceAuto}}, manual, false, map[string]string{"tool_choice": "", "tools": ""}},
		{"no parallel calls", llm.Request{Messages: hi, Tools: []llm.Tool{tool}, Parallel: new(false)}, manual, false, map[string]string{"tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`}},
		{"schema of no type", llm.Request{Messages: hi, Tools: []llm.Tool{{Name: "a"}}}, manual, false, map[string]string{"tools.0.input_schema": `{"type":"object","properties":{}}`}},
		{"stops", llm.Request{Messages: hi, Stop: []string{"", "x"}}, manual, false, map[string]string{"stop_sequences": `["x"]`}},
		{"end user", llm.Request{Messages: hi, User: "u"}, manual, false, map[string]string{"metadata": `{"user_id":"u"}`}},
		{"harmless extras", llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"n": jsonx.Raw("1"), "logprobs": jsonx.Raw("false"), "presence_penalty": jsonx.Raw("0"), "logit_bias": jsonx.Raw("{}"), "store": jsonx.Raw("true"), "modalities": jsonx.Raw(`["text"]`)}}, manual, false, map[string]string{"n": "", "logprobs": ""}},
		{"extras with drop", llm.Request{Messages: hi, Seed: new(int64(3)), Extra: map[string]jsonx.Raw{"n": jsonx.Raw("2")}}, manual, true, map[string]string{"n": "", "seed": ""}},
		{"turns are merged, results first, blank text gone", llm.Request{Messages: []llm.Message{
			user("a"), user(" "), user("b"), {Role: llm.Assistant, Parts: []llm.Part{callPart("1", "t", ""), callPart("2", "t", "[1]")}},
			user("c"), {Role: llm.User, Parts: []llm.Part{resultPart("1", "")}}, {Role: llm.User, Parts: []llm.Part{resultPart("2", "r")}},
		}, Tools: []llm.Tool{{Name: "t"}}}, manual, false, map[string]string{
			"messages": `[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},` +
				`{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"t","input":{}},{"type":"tool_use","id":"2","name":"t","input":{"input":[1]}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"},{"type":"tool_result","tool_use_id":"2","content":[{"type":"text","text":"r"}]},{"type":"text","text":"c"}]}]`}},
		{"history without tools", llm.Request{Messages: []llm.Message{user("a"), {Role: llm.Assistant, Parts: []llm.Part{callPart("1", "t", "{}")}}, {Role: llm.User, Parts: []llm.Part{resultPart("1", "r")}}}}, manual, false,
			map[string]string{"tools.0.name": `"t"`, "tool_choice.type": `"none"`}},
		{"assistant first", llm.Request{Messages: []llm.Message{{Role: llm.Assistant, Parts: []llm.Part{{Kind: llm.Text, Text: "x \n"}}}}}, manual, false,
			map[string]string{"messages.0.role": `"user"`, "messages.1.content.0.text": `"x"`}},
		{"system within", llm.Request{Messages: []llm.Message{user("a"), {Role: llm.System, Parts: []llm.Part{{Kind: llm.Text, Text: "s"}}}}}, manual, false,
			map[string]string{"messages.0.content.1.text": `"<system>\ns\n</system>"`, "system": ""}},
		{"unsigned thinking is dropped", llm.Request{Thinking: &llm.Thinking{Effort: "low"}, Messages: []llm.Message{user("a"), {Role: llm.Assistant, Parts: []llm.Part{{Kind: llm.Reasoning, Text: "x"}, {Kind: llm.Text, Text: "y"}}}, user("b")}}, manual, false,
			map[string]string{"messages.1.content": `[{"type":"text","text":"y"}]`, "thinking.type": `"enabled"`}},
		{"lost thinking in a tool loop", llm.Request{Thinking: &llm.Thinking{Effort: "low"}, Tools: []llm.Tool{{Name: "t"}}, Messages: []llm.Message{user("a"), {Role: llm.Assistant, Parts: []llm.Part{callPart("1", "t", "")}}, {Role: llm.User, Parts: []llm.Part{resultPart("1", "r")}}, user("more")}}, manual, false,
			map[string]string{"thinking": ""}},
		{"signature without text", llm.Request{Thinking: &llm.Thinking{Effort: "low"}, Messages: []llm.Message{user("a"), {Role: llm.Assistant, Parts: []llm.Part{{Kind: llm.Reasoning, Signature: "s"}, {Kind: llm.Text, Text: "y"}}}, user("b")}}, manual, false,
			map[string]string{"messages.1.content.0": `{"type":"thinking","thinking":"","signature":"s"}`}},
		{"mark of blank text moves back", llm.Request{System: []llm.Part{{Kind: llm.Text, Text: "s"}, {Kind: llm.Text, Cache: &llm.CacheMark{TTL: "1h"}}}, Messages: hi}, manual, false,
			map[string]string{"system": `[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]`}},
		{"text document", llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Kind: llm.Document, Media: &llm.Media{MIME: "text/markdown", Data: []byte("x"), Name: "n"}}}}}}, manual, false,
			map[string]string{"messages.0.content.0": `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"title":"n"}`}},
		{"native schema", llm.Request{Messages: hi, Format: &llm.Format{Type: "json_schema", Schema: jsonx.Raw(`{"properties":{"b":{"type":"object"},"a":{"type":"array","items":{"type":"object","properties":{}}}},"type":"object"}`)}}, adaptive, false,
			map[string]string{"output_config.format.schema": `{"properties":{"b":{"type":"object","additionalProperties":false},"a":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false}}},"type":"object","additionalProperties":false}`, "tools": ""}},
		{"schema by tool", llm.Request{Messages: hi, Format: &llm.Format{Type: "json_schema", Schema: jsonx.Raw(`{"type":"object"}`)}}, manual, false,
			map[string]string{"tools.0.name": `"json_tool_call"`, "tool_choice": `{"type":"tool","name":"json_tool_call"}`}},
		{"schema by tool beside tools", llm.Request{Messages: hi, Tools: []llm.Tool{tool}, Format: &llm.Format{Type: "json_object"}}, manual, false,
			map[string]string{"tools.1.name": `"json_tool_call"`, "tool_choice": `{"type":"any"}`}},
		{"schema by tool with thinking", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "low"}, Format: &llm.Format{Type: "json_object"}}, manual, false,
			map[string]string{"tool_choice": `{"type":"auto"}`, "system.0.text": `"Give your final answer only by calling the tool json_tool_call."`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.req.Drop = c.drop
			w, _, err := EncodeRequest(&c.req, Options{Provider: "p", Model: "m", Known: c.model, Drop: c.drop})
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range c.want {
				if got := gjson.GetBytes(out, path).Raw; got != want {
					t.Errorf("%s = %s, want %s", path, got, want)
				}
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	hi := []llm.Message{user("hi")}
	one := func(p llm.Part) []llm.Message { return []llm.Message{{Role: llm.User, Parts: []llm.Part{p}}} }
	for _, c := range []struct {
		name, param string
		req         llm.Request
	}{
		{"seed", "seed", llm.Request{Messages: hi, Seed: new(int64(1))}},
		{"several choices", "n", llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"n": jsonx.Raw("2")}}},
		{"penalty", "presence_penalty", llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"presence_penalty": jsonx.Raw("0.5")}}},
		{"logprobs", "logprobs", llm.Request{Messages: hi, Extra: map[string]jsonx.Raw{"logprobs": jsonx.Raw("true")}}},
		{"thinking", "thinking", llm.Request{Messages: hi, Thinking: &llm.Thinking{Effort: "low"}}},
		{"foreign tool", "tools", llm.Request{Messages: hi, Tools: []llm.Tool{{Native: jsonx.Raw(`{"type":"x"}`), NativeDialect: llm.OpenAIChat}}}},
		{"audio", "messages.0.content.0", llm.Request{Messages: one(llm.Part{Kind: llm.Audio, Media: &llm.Media{}})}},
		{"image type", "messages.0.content.0", llm.Request{Messages: one(llm.Part{Kind: llm.Image, Media: &llm.Media{MIME: "image/tiff"}})}},
		{"document type", "messages.0.content.0", llm.Request{Messages: one(llm.Part{Kind: llm.Document, Media: &llm.Media{MIME: "application/zip"}})}},
	} {
		_, _, err := EncodeRequest(&c.req, Options{Provider: "p", Model: "m", Known: picky})
		var e *llm.Error
		if !errors.As(err, &e) || e.Param != c.param || e.Status != 400 {
			t.Errorf("%s: %v, want a refusal of %s", c.name, err, c.param)
		}
	}
	if _, _, err := EncodeRequest(&llm.Request{Messages: []llm.Message{user(" ")}}, Options{}); err == nil {
		t.Error("a request without content was encoded")
	}
}

func TestNamesAreLegalAndComeBack(t *testing.T) {
	long := strings.Repeat("x", 70)
	names := []string{"fs.read", "fs_read", "fs/read", "日本", long + "1", long + "2"}
	r := &llm.Request{Messages: []llm.Message{user("a"), {Role: llm.Assistant, Parts: []llm.Part{callPart("call:1", "fs.read", "")}}, {Role: llm.User, Parts: []llm.Part{resultPart("call:1", "x")}}}}
	for _, n := range names {
		r.Tools = append(r.Tools, llm.Tool{Name: n})
	}
	r.Choice = llm.ToolChoice{Mode: llm.ChoiceTool, Name: "日本"}
	w, undo, err := EncodeRequest(r, Options{Provider: "p"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, tool := range w.Tools {
		if !isLegal(tool.Name, 64) || seen[tool.Name] {
			t.Errorf("%q became %q", names[i], tool.Name)
		}
		seen[tool.Name] = true
		if back := undo.name(tool.Name); back != names[i] {
			t.Errorf("%q comes back as %q", names[i], back)
		}
	}
	if w.Tools[1].Name != "fs_read" {
		t.Errorf("a legal name became %q", w.Tools[1].Name)
	}
	call, result := w.Messages[1].Content[0], w.Messages[2].Content[0]
	if call.Name != w.Tools[0].Name || call.ID != result.ToolUseID || !isLegal(call.ID, 64) || w.ToolChoice.Name != w.Tools[3].Name {
		t.Errorf("history does not match: %+v %+v %+v", call, result, w.ToolChoice)
	}
}

func TestEncodeLeavesTheRequestAlone(t *testing.T) {
	r, err := DecodeRequest(fixtures(t, "requests")["agent.json"], nil)
	if err != nil {
		t.Fatal(err)
	}
	before := string(jsonx.MustMarshal(r))
	for range 2 {
		if _, _, err := EncodeRequest(r, Options{Provider: "p", Known: adaptive}); err != nil {
			t.Fatal(err)
		}
	}
	if after := string(jsonx.MustMarshal(r)); after != before {
		t.Error("the request was modified, although attempts share it")
	}
}

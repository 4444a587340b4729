package mapping

import (
	"fmt"
	"strings"
	"testing"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// brief writes messages on one line each: role, then parts.
func brief(list []Message) string {
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%s:", m.Role)
		for _, p := range m.Parts {
			switch p.Type {
			case "text":
				fmt.Fprintf(&b, " %s", p.Text)
			case "thinking":
				fmt.Fprintf(&b, " (%s|%s)", p.Text, p.Signature)
			case "tool_call":
				fmt.Fprintf(&b, " %s#%s%s", p.Name, p.ID, p.Arguments)
			case "tool_result":
				fmt.Fprintf(&b, " =%s#%s%s", p.Name, p.ID, p.Result)
				if p.Error {
					b.WriteString("!")
				}
			case "other":
				fmt.Fprintf(&b, " ?%s", p.Value)
			default:
				fmt.Fprintf(&b, " <%s %s %s%s>", p.Type, p.MIME, p.URL, p.Data)
			}
		}
		if m.Finish != "" {
			fmt.Fprintf(&b, " [%s]", m.Finish)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Each row is a request and its answer in one wire's form, and what is to be read from them.
func TestView(t *testing.T) {
	for name, c := range map[string]struct{ input, output, in, out string }{
		"openai chat": {
			`{"messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
			{"type":"input_audio","input_audio":{"data":"BB==","format":"wav"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,CC=="}}]},
			{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":"[1,2]"}]}`,
			`{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"ok","refusal":null}}]}`,
			"system: s\nuser: what? <image image/png AA==> <audio audio/wav BB==> <file application/pdf CC==>\nassistant: (hm|) f#c1{\"x\":1}\ntool: =#c1[1,2]",
			"assistant: ok [stop]",
		},
		"anthropic": {
			`{"system":[{"type":"text","text":"s","cache_control":{}}],"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},{"type":"tool_use","id":"t","name":"f","input":{"x":1}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"out"}],"is_error":true},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}`,
			`{"role":"assistant","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn"}`,
			"system: s\nuser: hi\nassistant: (hm|S) f#t{\"x\":1}\nuser: =#t\"out\"! <image image/png AA==>", "assistant: ok [end_turn]",
		},
		"bedrock converse": {
			`{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"hi"},{"image":{"format":"png","source":{"bytes":"AA=="}}}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"S"}}},{"toolUse":{"toolUseId":"t","name":"f","input":{"x":1}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{"y":2}}]}}]}]}`,
			`{"output":{"message":{"role":"assistant","content":[{"text":"ok"}]}},"stopReason":"end_turn"}`,
			"system: s\nuser: hi <image image/png AA==>\nassistant: (hm|S) f#t{\"x\":1}\ntool: =#t{\"y\":2}", "assistant: ok [end_turn]",
		},
		"gemini": {
			`{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"y":2}}}]}]}`,
			`{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"ok"}]},"finishReason":"STOP"}]}`,
			"system: s\nuser: hi <image image/png AA==>\nassistant: f#{\"x\":1}\ntool: =f#{\"y\":2}", "assistant: (hm|) ok [STOP]",
		},
		"openai responses": {
			`{"instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"out"}]}`,
			`{"status":"completed","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok"}]}]}`,
			"system: s\nuser: hi\nassistant: f#c{}\ntool: =#c\"out\"", "assistant: (hm|) ok [completed]",
		},
		"otel parts": {
			`{"messages":[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"uri","modality":"image","uri":"https://example.com/a.png"},{"type":"blob","modality":"image","mime_type":"image/png","content":"AA=="},{"type":"file","modality":"audio","file_id":"f1"}]},
			{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"tool_call","id":"c","name":"f","arguments":{"x":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"out"}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"d","result":{"y":2}}]}],"system_instructions":[{"type":"text","content":"s"}]}`,
			`{"messages":[{"role":"assistant","parts":[{"type":"text","content":"ok"}],"finish_reason":"stop"}]}`,
			"system: s\nuser: hi <image  https://example.com/a.png> <image image/png AA==> <audio  f1>\nassistant: (hm|) f#c{\"x\":1}\ntool: =#c\"out\"\ntool: =#d{\"y\":2}", "assistant: ok [stop]",
		},
		"vercel": {
			`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"file","mediaType":"image/png","data":"AA=="}]},{"role":"assistant","content":[{"type":"reasoning","text":"hm"},{"type":"tool-call","toolCallId":"c","toolName":"f","input":{"x":1}}]},
			{"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","output":{"type":"json","value":{"y":2}}}]}]}`,
			`{"text":"ok","tool_calls":[{"toolCallId":"d","toolName":"f","args":"{}"}]}`,
			"user: hi <image image/png AA==>\nassistant: (hm|) f#c{\"x\":1}\ntool: =f#c{\"y\":2}", "assistant: ok f#d{}",
		},
		"openinference": {
			`{"messages":[{"role":"user","contents":[{"message_content":{"type":"text","text":"hi"}},{"message_content":{"type":"image","image":{"image":{"url":"https://example.com/a.png"}}}}]},{"role":"assistant","tool_calls":[{"tool_call":{"id":"c","function":{"name":"f","arguments":"{}"}}}]}]}`,
			`{"messages":[{"role":"assistant","content":"ok"}]}`,
			"user: hi <image  https://example.com/a.png>\nassistant: f#c{}", "assistant: ok",
		},
		"openllmetry before parts": {
			`{"messages":[{"role":"user","content":"[{\"type\":\"text\",\"text\":\"hi\"}]"},{"role":"assistant","tool_calls":[{"id":"c","name":"f","arguments":"{\"x\":1}"}]}]}`, `{"messages":[{"role":"assistant","content":"ok","finish_reason":"stop"}]}`,
			"user: hi\nassistant: f#c{\"x\":1}", "assistant: ok [stop]",
		},
		"pydantic's first format": {
			`{"messages":[{"event.name":"gen_ai.system.message","role":"system","content":"s"},{"event.name":"gen_ai.user.message","role":"user","content":"hi"},{"event.name":"gen_ai.choice","index":0,"message":{"role":"assistant","content":"ok"}}]}`, "",
			"system: s\nuser: hi", "assistant: ok",
		},
		"langchain": {
			`{"messages":[[{"lc":1,"type":"constructor","id":["langchain","schema","messages","SystemMessage"],"kwargs":{"content":"s","type":"system"}},{"lc":1,"id":["langchain","schema","messages","AIMessage"],"kwargs":{"content":"","tool_calls":[{"name":"f","args":{"x":1},"id":"c","type":"tool_call"}],"type":"ai"}},
			{"lc":1,"id":["langchain","schema","messages","ToolMessage"],"kwargs":{"content":"out","tool_call_id":"c","type":"tool"}}]]}`,
			`{"generations":[[{"text":"ok","generation_info":{"finish_reason":"stop"},"message":{"lc":1,"id":["langchain","schema","messages","AIMessage"],"kwargs":{"content":"ok","type":"ai"}}}]]}`,
			"system: s\nassistant: f#c{\"x\":1}\ntool: =#c\"out\"", "assistant: ok [stop]",
		},
		"llamaindex": {
			`{"messages":[{"role":"user","blocks":[{"block_type":"text","text":"hi"},{"block_type":"image","url":"https://example.com/a.png"}],"additional_kwargs":{}}]}`, `{"role":"assistant","blocks":[{"block_type":"text","text":"ok"}]}`,
			"user: hi <image  https://example.com/a.png>", "assistant: ok",
		},
		"completion": {`{"prompt":"hi"}`, `{"choices":[{"text":"ok","finish_reason":"length"}]}`, "user: hi", "assistant: ok [length]"},
		"text":       {`"hi"`, `"ok"`, "user: hi", "assistant: ok"},
		"a tool that gives an image": {
			`{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}]}`, "",
			`tool: =#t[{"type":"text","text":"see"},{"type":"image","mime":"image/png","data":"AA=="}]`, "",
		},
		"unknown": {`{"messages":[{"role":"user","content":[{"type":"hologram","x":1},{"text":"hi"}]}]}`, "", `user: ?{"type":"hologram","x":1} hi`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := View(&span.Span{Kind: span.Generation}, []byte(c.input), []byte(c.output))
			if v.Form != "messages" {
				t.Fatalf("form is %s", v.Form)
			}
			if got := brief(v.Input.Messages); got != c.in {
				t.Errorf("input\n%s\nwant\n%s", got, c.in)
			}
			if got := brief(v.Output.Messages); got != c.out {
				t.Errorf("output\n%s\nwant\n%s", got, c.out)
			}
		})
	}
}

func TestViewValues(t *testing.T) {
	for name, c := range map[string]struct {
		kind          span.Kind
		input, output string
		form          string
	}{
		"a tool's":         {span.Tool, `{"input":"x","prompt":"y"}`, `"out"`, "value"},
		"a number":         {span.Chain, `3`, ``, "value"},
		"a list of values": {span.Chain, `[1,2]`, `[{"a":1}]`, "value"},
		"nothing":          {span.Chain, ``, ``, "none"},
		"no JSON":          {span.Generation, `{"messages":`, `nonsense`, "none"},
		"an error":         {span.Generation, `{"model":"m"}`, `{"error":{"message":"x"}}`, "value"},
	} {
		v := View(&span.Span{Kind: c.kind}, []byte(c.input), []byte(c.output))
		if v.Form != c.form || len(v.Input.Messages)+len(v.Output.Messages) > 0 {
			t.Errorf("%s: %+v", name, v)
		}
		if c.form == "value" && string(v.Input.Value) != c.input {
			t.Errorf("%s: %s", name, v.Input.Value)
		}
	}
}

func TestViewTools(t *testing.T) {
	want := `[{"name":"f","description":"d","schema":{"type":"object"}}]`
	for name, input := range map[string]string{
		"openai":        `{"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]}`,
		"anthropic":     `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}]}`,
		"bedrock":       `{"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]}}`,
		"gemini":        `{"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"object"}}]}]}`,
		"otel":          `{"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}]}`,
		"vercel":        `{"tools":["{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\"}}"]}`,
		"openinference": `{"tools":[{"tool":{"json_schema":"{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}"}}]}`,
		"beside":        `{"n":1,"$more":{"tools":[{"name":"f","description":"d","parameters":"{\"type\":\"object\"}"}]}}`,
		"pydantic":      `{"model_request_parameters":{"function_tools":[{"name":"f","description":"d","parameters_json_schema":{"type":"object"}}]}}`,
	} {
		if got := string(jsonx.MustMarshal(View(&span.Span{Kind: span.Generation}, []byte(input), nil).Input.Tools)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestViewDocuments(t *testing.T) {
	for name, output := range map[string]string{
		"openinference": `{"documents":[{"document":{"id":"d1","content":"text","score":0.5,"metadata":"{\"p\":1}"}}]}`,
		"langchain":     `{"documents":[{"id":"d1","page_content":"text","metadata":{"p":1},"score":0.5}]}`,
		"mlflow":        `[{"page_content":"text","metadata":{"p":1},"id":"d1","score":0.5}]`,
		"llamaindex":    `{"nodes":[{"node":{"id_":"d1","text":"text","metadata":{"p":1}},"score":0.5}]}`,
		"otel":          `{"documents":[{"id":"d1","score":0.5,"content":"text","metadata":{"p":1}}]}`,
	} {
		v := View(&span.Span{Kind: span.Retriever}, []byte(`"q"`), []byte(output))
		if got := string(jsonx.MustMarshal(v.Documents)); got != `[{"id":"d1","text":"text","score":0.5,"metadata":{"p":1}}]` {
			t.Errorf("%s: %s", name, got)
		}
		if v.Form != "value" {
			t.Errorf("%s: %s", name, v.Form)
		}
	}
}

func TestViewNewFrom(t *testing.T) {
	input := []byte(`{"system":"s","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`)
	for _, c := range []struct{ messages, fresh, want int }{{3, 1, 3}, {3, 3, 0}, {3, 2, 2}, {0, 0, 0}, {9, 1, 4}} {
		s := &span.Span{Kind: span.Generation, Input: span.Ref{Form: span.FormConversation, Messages: c.messages, New: c.fresh}}
		if got := View(s, input, nil).NewFrom; got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

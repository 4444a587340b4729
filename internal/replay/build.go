package replay

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/span"
)

type object = map[string]any

// build makes a chat request out of what an application's span tells.
func build(s *span.Span, c mapping.Conversation, model string) ([]byte, error) {
	in := c.Input.Messages
	if len(in) == 0 {
		if v := gjson.ParseBytes(c.Input.Value); v.Type == gjson.String && v.Str != "" {
			in = []mapping.Message{{Role: "user", Parts: []mapping.Part{{Type: "text", Text: v.Str}}}}
		}
	}
	if len(in) == 0 {
		return nil, fault.Bad("span", "no messages were found in what this span recorded, so there is nothing to send")
	}
	messages, err := openai(in)
	if err != nil {
		return nil, err
	}
	body := object{"model": model, "messages": messages}
	var tools []object
	for _, t := range c.Input.Tools {
		f := object{"name": t.Name}
		if t.Description != "" {
			f["description"] = t.Description
		}
		if gjson.ParseBytes(t.Schema).IsObject() {
			f["parameters"] = t.Schema
		}
		tools = append(tools, object{"type": "function", "function": f})
	}
	if len(tools) > 0 {
		body["tools"] = tools
	}
	gjson.ParseBytes(s.Params).ForEach(func(k, v gjson.Result) bool {
		if portable[k.Str] && v.Type != gjson.Null {
			body[k.Str] = jsonx.Raw(v.Raw)
		}
		return true
	})
	return jsonx.MustMarshal(body), nil
}

// portable are parameters that mean the same wherever the application's call went.
var portable = map[string]bool{
	"temperature": true, "top_p": true, "max_tokens": true, "max_completion_tokens": true, "stop": true, "seed": true, "n": true,
	"frequency_penalty": true, "presence_penalty": true, "reasoning_effort": true, "parallel_tool_calls": true, "response_format": true,
}

func refuse(i int, p mapping.Part) error {
	return fault.Bad(fmt.Sprintf("messages[%d]", i), "a part of type %q cannot be sent in this dialect", p.Type)
}

// openai writes canonical messages in OpenAI's dialect. Thinking is left out: the dialect has no place for it.
func openai(in []mapping.Message) (out []object, err error) {
	for i, m := range in {
		var content []object
		var calls []object
		for _, p := range m.Parts {
			switch p.Type {
			case "text":
				content = append(content, object{"type": "text", "text": p.Text})
			case "thinking":
			case "tool_call":
				calls = append(calls, object{"id": p.ID, "type": "function", "function": object{"name": p.Name, "arguments": argumentText(p.Arguments)}})
			case "tool_result":
				out = append(out, object{"role": "tool", "tool_call_id": p.ID, "content": plain(p.Result)})
			case "image":
				content = append(content, object{"type": "image_url", "image_url": object{"url": dataURL(p)}})
			case "audio":
				content = append(content, object{"type": "input_audio", "input_audio": object{"data": p.Data, "format": strings.TrimPrefix(p.MIME, "audio/")}})
			case "file":
				content = append(content, object{"type": "file", "file": object{"filename": p.Name, "file_data": dataURL(p)}})
			default:
				return nil, refuse(i, p)
			}
		}
		if len(content) == 0 && calls == nil {
			continue
		}
		msg := object{"role": m.Role, "content": textOrParts(content)}
		if calls != nil {
			msg["tool_calls"] = calls
		}
		if m.Name != "" {
			msg["name"] = m.Name
		}
		out = append(out, msg)
	}
	return out, nil
}

// anthropic writes canonical messages in Anthropic's dialect, the system prompt apart.
func anthropic(in []mapping.Message) (system string, out []object, err error) {
	var sys []string
	for i, m := range in {
		var content []object
		for _, p := range m.Parts {
			if m.Role == "system" {
				sys = append(sys, p.Text)
				continue
			}
			block, err := block(i, p)
			if err != nil {
				return "", nil, err
			}
			if block != nil {
				content = append(content, block)
			}
		}
		role := m.Role
		if role == "tool" {
			role = "user"
		}
		if len(content) > 0 {
			out = append(out, object{"role": role, "content": content})
		}
	}
	return strings.Join(sys, "\n"), out, nil
}

func block(i int, p mapping.Part) (object, error) {
	switch p.Type {
	case "text":
		return object{"type": "text", "text": p.Text}, nil
	case "thinking":
		if p.Signature == "" {
			return nil, nil // the API refuses thinking it cannot verify
		}
		return object{"type": "thinking", "thinking": p.Text, "signature": p.Signature}, nil
	case "tool_call":
		return object{"type": "tool_use", "id": p.ID, "name": p.Name, "input": argumentObject(p.Arguments)}, nil
	case "tool_result":
		r := object{"type": "tool_result", "tool_use_id": p.ID, "content": plain(p.Result)}
		if p.Error {
			r["is_error"] = true
		}
		return r, nil
	case "image", "file":
		kind := map[string]string{"image": "image", "file": "document"}[p.Type]
		if p.URL != "" && !strings.HasPrefix(p.URL, "data:") {
			return object{"type": kind, "source": object{"type": "url", "url": p.URL}}, nil
		}
		return object{"type": kind, "source": object{"type": "base64", "media_type": p.MIME, "data": p.Data}}, nil
	}
	return nil, refuse(i, p)
}

// textOrParts keeps the common case short: most servers that speak OpenAI's dialect want a string where there is only
// text.
func textOrParts(content []object) any {
	switch {
	case len(content) == 0:
		return nil
	case len(content) == 1 && content[0]["type"] == "text":
		return content[0]["text"]
	}
	return content
}

// argumentText is arguments as OpenAI wants them: JSON in a string.
func argumentText(raw jsonx.Raw) string {
	v := gjson.ParseBytes(raw)
	switch {
	case v.Type == gjson.String:
		return v.Str
	case len(raw) == 0:
		return "{}"
	}
	return string(raw)
}

// argumentObject is arguments as Anthropic wants them: an object.
func argumentObject(raw jsonx.Raw) any {
	text := argumentText(raw)
	if v := gjson.Parse(text); jsonx.Valid([]byte(text)) && v.IsObject() {
		return jsonx.Raw(text)
	}
	return object{"input": text}
}

// plain is a result as text.
func plain(raw jsonx.Raw) string {
	if v := gjson.ParseBytes(raw); v.Type == gjson.String {
		return v.Str
	}
	return string(raw)
}

func dataURL(p mapping.Part) string {
	if p.URL != "" {
		return p.URL
	}
	return "data:" + p.MIME + ";base64," + p.Data
}

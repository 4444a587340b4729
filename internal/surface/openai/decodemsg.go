package openai

import (
	"fmt"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
)

func (d *decoder) messages() error {
	leading := true
	for i := range d.w.Messages {
		m := &d.w.Messages[i]
		path := fmt.Sprintf("messages[%d]", i)
		system := m.Role == wire.RoleSystem || m.Role == wire.RoleDeveloper
		leading = leading && system
		msg, err := d.message(path, m)
		if err != nil {
			return err
		}
		markEnd(msg.Parts, m.CacheControl)
		switch {
		case len(msg.Parts) == 0: // agents replay empty turns, which other dialects refuse
		case leading:
			d.r.System = append(d.r.System, msg.Parts...)
		default:
			d.r.Messages = append(d.r.Messages, msg)
		}
	}
	if len(d.r.Messages) == 0 && len(d.r.System) == 0 {
		return fault.Bad("messages", "'messages' must hold a message with content")
	}
	return nil
}

// markEnd puts a message's own cache mark after its last part.
func markEnd(parts []llm.Part, c *wire.CacheControl) {
	if n := len(parts); n > 0 && c != nil && parts[n-1].Cache == nil {
		parts[n-1].Cache = mark(c)
	}
}

func (d *decoder) message(path string, m *wire.Message) (llm.Message, error) {
	out := llm.Message{Role: llm.User, Name: m.Name}
	var err error
	switch m.Role {
	case wire.RoleSystem, wire.RoleDeveloper:
		out.Role = llm.System
		out.Parts, err = textParts(path+".content", m.Content)
	case wire.RoleUser:
		out.Parts, err = contentParts(path+".content", m.Content)
	case wire.RoleAssistant:
		out.Role = llm.Assistant
		out.Parts, err = d.assistant(path, m)
	case wire.RoleTool:
		out.Parts, err = result(path, m, m.ToolCallID)
	case wire.RoleFunction:
		if d.lastFunction == "" {
			return out, fault.Bad(path+".role", "a message of role 'function' must follow an assistant message with 'function_call'")
		}
		out.Parts, err = result(path, m, d.lastFunction)
	default:
		return out, fault.Bad(path+".role", "invalid value for '%s.role': %q is none of 'system', 'developer', 'user', 'assistant', 'tool' and 'function'", path, clip.To(m.Role, 60))
	}
	return out, err
}

func result(path string, m *wire.Message, id string) ([]llm.Part, error) {
	if id == "" {
		return nil, fault.Bad(path+".tool_call_id", "missing required parameter: '%s.tool_call_id'", path)
	}
	parts, err := contentParts(path+".content", m.Content)
	if err != nil {
		return nil, err
	}
	p := llm.Part{Kind: llm.ToolResult, Result: &llm.Result{ID: id, Parts: parts}}
	for i := range parts { // a mark inside stands for one after the result: providers take no marks within
		if parts[i].Cache != nil {
			p.Cache, parts[i].Cache = parts[i].Cache, nil
		}
	}
	return []llm.Part{p}, nil
}

// assistant puts reasoning first, then text, then calls: the order in which models produce them.
func (d *decoder) assistant(path string, m *wire.Message) ([]llm.Part, error) {
	parts := reasoning(m)
	content, err := contentParts(path+".content", m.Content)
	if err != nil {
		return nil, err
	}
	parts = append(parts, content...)
	if m.Refusal != "" {
		parts = append(parts, llm.Part{Kind: llm.Text, Text: m.Refusal})
	}
	for i, c := range m.ToolCalls {
		if c.ID == "" {
			return nil, fault.Bad(fmt.Sprintf("%s.tool_calls[%d].id", path, i), "missing required parameter: '%s.tool_calls[%d].id'", path, i)
		}
		call := &llm.Call{ID: c.ID}
		if c.Function != nil {
			call.Name, call.Args = c.Function.Name, string(c.Function.Arguments)
		} else if c.Custom != nil {
			call.Name, call.Args = c.Custom.Name, c.Custom.Input
		}
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: call})
	}
	if f := m.FunctionCall; f != nil {
		d.functions++
		d.lastFunction = fmt.Sprintf("call_function_%d", d.functions)
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: d.lastFunction, Name: f.Name, Args: string(f.Arguments)}})
	}
	return parts, nil
}

// reasoning prefers blocks, which carry signatures, to the plain text beside them.
func reasoning(m *wire.Message) []llm.Part {
	var parts []llm.Part
	for _, b := range m.ThinkingBlocks {
		if b.Thinking != "" || b.Signature != "" || b.Data != "" {
			parts = append(parts, llm.Part{Kind: llm.Reasoning, Text: b.Thinking, Signature: b.Signature, Redacted: b.Data})
		}
	}
	text := m.ReasoningContent
	if text == "" {
		text = m.Reasoning
	}
	if len(parts) == 0 && text != "" {
		parts = append(parts, llm.Part{Kind: llm.Reasoning, Text: text})
	}
	return parts
}

func textParts(path string, c *wire.Content) ([]llm.Part, error) {
	parts, err := contentParts(path, c)
	for i, p := range parts {
		if p.Kind != llm.Text {
			return nil, fault.Bad(fmt.Sprintf("%s[%d].type", path, i), "a system message may hold text only")
		}
	}
	return parts, err
}

func contentParts(path string, c *wire.Content) ([]llm.Part, error) {
	if c == nil {
		return nil, nil
	}
	if c.Parts == nil {
		if c.Text == "" {
			return nil, nil
		}
		return []llm.Part{{Kind: llm.Text, Text: c.Text}}, nil
	}
	var parts []llm.Part
	for i := range c.Parts {
		w := &c.Parts[i]
		p, err := part(fmt.Sprintf("%s[%d]", path, i), w)
		if err != nil {
			return nil, err
		}
		if p.Kind == llm.Text && p.Text == "" {
			markEnd(parts, w.CacheControl)
			continue
		}
		p.Cache = mark(w.CacheControl)
		parts = append(parts, p)
	}
	return parts, nil
}

func part(path string, w *wire.Part) (llm.Part, error) {
	// check has looked at these, but where keys repeat it may have looked at another.
	if w.Type == wire.PartImage && w.ImageURL == nil || w.Type == wire.PartAudio && w.InputAudio == nil || w.Type == wire.PartFile && w.File == nil {
		return llm.Part{}, fault.Bad(path+"."+w.Type, "missing required parameter: '%s.%s'", path, w.Type)
	}
	switch w.Type {
	case wire.PartText:
		return llm.Part{Kind: llm.Text, Text: w.Text}, nil
	case wire.PartRefusal:
		return llm.Part{Kind: llm.Text, Text: w.Refusal}, nil
	case wire.PartImage:
		return imagePart(path+".image_url.url", w.ImageURL)
	case wire.PartAudio:
		return audioPart(path+".input_audio", w.InputAudio)
	case wire.PartFile:
		return filePart(path+".file", w.File)
	case wire.PartThinking:
		return llm.Part{Kind: llm.Reasoning, Text: w.Thinking, Signature: w.Signature}, nil
	case wire.PartRedacted:
		return llm.Part{Kind: llm.Reasoning, Redacted: w.Data}, nil
	}
	return llm.Part{}, fault.Bad(path+".type", "invalid value for '%s.type': %q is none of 'text', 'image_url', 'input_audio' and 'file'", path, clip.To(w.Type, 60))
}

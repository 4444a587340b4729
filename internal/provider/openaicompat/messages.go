package openaicompat

import (
	"strings"

	"weir/internal/llm"
	"weir/internal/wire/openai"
)

// messages writes system text and turns.
func (e *encoder) messages() {
	e.w.Messages = []openai.Message{}
	if len(e.hub.System) > 0 {
		e.say(openai.Message{Role: e.u.row.systemRole(), Content: e.content(e.hub.System, "\n\n")})
	}
	for _, m := range e.hub.Messages {
		switch m.Role {
		case llm.System:
			e.say(openai.Message{Role: e.u.row.systemRole(), Content: e.content(m.Parts, "\n\n")})
		case llm.Assistant:
			e.assistant(m)
		default:
			e.user(m)
		}
	}
}

func (e *encoder) say(m openai.Message) { e.w.Messages = append(e.w.Messages, m) }

// user writes a user turn: tool results first, each a message of its own, since they must follow the calls directly.
func (e *encoder) user(m llm.Message) {
	var rest []llm.Part
	for _, p := range m.Parts {
		if p.Kind != llm.ToolResult {
			continue
		}
		text, other := splitText(p.Result.Parts)
		if len(text) == 0 {
			text = []llm.Part{{Kind: llm.Text, Text: placeholder(other)}}
		}
		text[len(text)-1].Cache = p.Cache
		e.say(openai.Message{Role: openai.RoleTool, ToolCallID: p.Result.ID, Content: e.content(text, "\n")})
		rest = append(rest, other...)
	}
	for _, p := range m.Parts {
		if p.Kind != llm.ToolResult {
			rest = append(rest, p)
		}
	}
	if len(rest) > 0 {
		e.say(openai.Message{Role: openai.RoleUser, Name: m.Name, Content: e.content(rest, "\n")})
	}
}

// placeholder is the text of a tool result that has none: tool messages carry text only, media follow as the user's.
func placeholder(other []llm.Part) string {
	if len(other) > 0 {
		return "(the result follows)"
	}
	return "(no output)"
}

func splitText(parts []llm.Part) (text, other []llm.Part) {
	for _, p := range parts {
		if p.Kind == llm.Text {
			if p.Text != "" {
				text = append(text, p)
			}
			continue
		}
		other = append(other, p)
	}
	return text, other
}

func (e *encoder) assistant(m llm.Message) {
	out := openai.Message{Role: openai.RoleAssistant, Name: m.Name}
	var text []llm.Part
	for _, p := range m.Parts {
		switch p.Kind {
		case llm.Text:
			text = append(text, p)
		case llm.ToolCall:
			out.ToolCalls = append(out.ToolCalls, openai.ToolCall{
				ID: p.Call.ID, Type: openai.TypeFunction,
				Function: &openai.FunctionCall{Name: p.Call.Name, Arguments: openai.Arguments(p.Call.ArgsObject())},
			})
		case llm.Reasoning:
			e.addReasoning(&out, p)
		}
	}
	if len(text) > 0 {
		out.Content = e.content(text, "")
	}
	if out.Content == nil && out.ToolCalls == nil {
		out.Content = openai.Text("") // null is refused without calls
	}
	e.say(out)
}

func (e *encoder) addReasoning(out *openai.Message, p llm.Part) {
	if e.u.row.LiteLLM && (p.Signature != "" || p.Redacted != "") {
		b := openai.ThinkingBlock{Type: openai.PartThinking, Thinking: p.Text, Signature: p.Signature}
		if p.Redacted != "" {
			b = openai.ThinkingBlock{Type: openai.PartRedacted, Data: p.Redacted}
		}
		out.ThinkingBlocks = append(out.ThinkingBlocks, b)
	}
	switch e.u.row.ReasoningField {
	case "reasoning_content":
		out.ReasoningContent += p.Text
	case "reasoning":
		out.Reasoning += p.Text
	}
}

// content is a string where it can be, since not every server takes parts: text alone, without marks, joined by sep.
func (e *encoder) content(parts []llm.Part, sep string) *openai.Content {
	var texts []string
	for _, p := range parts {
		if p.Kind != llm.Text || e.mark(p.Cache) != nil {
			return e.partList(parts)
		}
		texts = append(texts, p.Text)
	}
	return openai.Text(strings.Join(texts, sep))
}

func (e *encoder) partList(parts []llm.Part) *openai.Content {
	c := &openai.Content{Parts: []openai.Part{}}
	for _, p := range parts {
		switch {
		case p.Kind == llm.Text && p.Text != "":
			c.Parts = append(c.Parts, openai.Part{Type: openai.PartText, Text: p.Text, CacheControl: e.mark(p.Cache)})
		case p.Media != nil:
			if part, ok := e.media(p); ok {
				c.Parts = append(c.Parts, part)
			}
		}
	}
	if len(c.Parts) == 0 {
		return openai.Text("")
	}
	return c
}

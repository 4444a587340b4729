package anthropic

import (
	"encoding/base64"
	"fmt"
	"strings"

	"weir/internal/fault"
	"weir/internal/llm"
)

// messages writes the turns: alternating, results first in the user's, nothing blank.
func (e *encoder) messages() error {
	for i, m := range e.req.Messages {
		c, err := e.content(m, i)
		if err != nil {
			return err
		}
		if len(c) == 0 {
			continue
		}
		role := "user"
		if m.Role == llm.Assistant {
			role = "assistant"
		}
		e.append(role, c)
	}
	if len(e.out.Messages) == 0 {
		return fault.Bad("messages", "at least one message with content is required")
	}
	e.trimPrefill()
	return nil
}

func (e *encoder) append(role string, c Content) {
	n := len(e.out.Messages)
	if n == 0 && role == "assistant" {
		e.out.Messages = append(e.out.Messages, Message{Role: "user", Content: Content{TextBlock("(The conversation goes on.)")}})
		n++
	}
	if n > 0 && e.out.Messages[n-1].Role == role {
		last := &e.out.Messages[n-1]
		last.Content = append(last.Content, c...)
	} else {
		e.out.Messages = append(e.out.Messages, Message{Role: role, Content: c})
	}
	if role == "user" {
		last := &e.out.Messages[len(e.out.Messages)-1]
		last.Content = resultsFirst(last.Content)
	}
}

// resultsFirst moves tool results to the front, where the API wants them, and keeps the order otherwise. A cache mark
// that ends the turn stays at its end.
func resultsFirst(c Content) Content {
	out := make(Content, 0, len(c))
	var rest Content
	for _, b := range c {
		if b.Type == "tool_result" {
			out = append(out, b)
		} else {
			rest = append(rest, b)
		}
	}
	return append(out, rest...)
}

// trimPrefill cuts white space at the end of an assistant message that the model is to continue; the API refuses it.
func (e *encoder) trimPrefill() {
	last := e.out.Messages[len(e.out.Messages)-1]
	b := &last.Content[len(last.Content)-1]
	if last.Role == "assistant" && b.Type == "text" {
		s := strings.TrimRight(*b.Text, " \t\r\n")
		b.Text = &s
	}
}

func (e *encoder) content(m llm.Message, i int) (Content, error) {
	if m.Role == llm.System {
		return e.midSystem(m), nil
	}
	var c Content
	for j, p := range m.Parts {
		b, ok, err := e.part(p, fmt.Sprintf("messages.%d.content.%d", i, j))
		if err != nil {
			return nil, err
		}
		switch {
		case ok:
			c = e.add(c, b, p.Cache)
		case p.Cache != nil && len(c) > 0 && canCache(c[len(c)-1].Type):
			c[len(c)-1].CacheControl = e.cache(p.Cache)
		}
	}
	return c, nil
}

// midSystem puts a system message in mid-conversation where it stands: hoisting it would change the prefix that is
// cached.
func (e *encoder) midSystem(m llm.Message) Content {
	c := e.texts(m.Parts)
	for i := range c {
		s := "<system>\n" + *c[i].Text + "\n</system>"
		c[i].Text = &s
	}
	return c
}

func (e *encoder) part(p llm.Part, path string) (b Block, ok bool, err error) {
	switch p.Kind {
	case llm.Text:
		return TextBlock(p.Text), true, nil
	case llm.Image, llm.Document:
		b, err = e.media(p, path)
		return b, err == nil, err
	case llm.ToolCall:
		return Block{Type: "tool_use", ID: e.ids.of(p.Call.ID), Name: e.names.of(p.Call.Name), Input: p.Call.ArgsObject()}, true, nil
	case llm.ToolResult:
		b, err = e.result(p.Result, path)
		return b, err == nil, err
	case llm.Reasoning:
		b, ok = e.reasoning(p)
		return b, ok, nil
	}
	return Block{}, false, e.refuse(path, fmt.Sprintf(": it takes no %s", p.Kind))
}

// reasoning is replayed only where it is signed and thinking goes on.
func (e *encoder) reasoning(p llm.Part) (Block, bool) {
	switch {
	case !e.thinks() || !signed(p):
		return Block{}, false
	case p.Redacted != "":
		return Block{Type: "redacted_thinking", Data: p.Redacted}, true
	}
	return Block{Type: "thinking", Thinking: &p.Text, Signature: &p.Signature}, true
}

func (e *encoder) result(r *llm.Result, path string) (Block, error) {
	b := Block{Type: "tool_result", ToolUseID: e.ids.of(r.ID), IsError: r.Error}
	for j, p := range r.Parts {
		inner, ok, err := e.part(p, fmt.Sprintf("%s.content.%d", path, j))
		if err != nil {
			return Block{}, err
		}
		if ok {
			b.Content = e.add(b.Content, inner, p.Cache)
		}
	}
	return b, nil
}

func (e *encoder) media(p llm.Part, path string) (Block, error) {
	m := p.Media
	b := Block{Type: string(p.Kind), Source: &Source{Type: "base64", MediaType: m.MIME}}
	if p.Kind == llm.Document {
		b.Title = m.Name
	}
	switch {
	case m.URL != "":
		b.Source = &Source{Type: "url", URL: m.URL}
	case p.Kind == llm.Image && !imageTypes[m.MIME]:
		return Block{}, e.refuse(path, ": images must be JPEG, PNG, GIF or WebP")
	case p.Kind == llm.Document && strings.HasPrefix(m.MIME, "text/"):
		b.Source = &Source{Type: "text", MediaType: "text/plain", Data: string(m.Data)}
	case p.Kind == llm.Document && m.MIME != "application/pdf":
		return Block{}, e.refuse(path, ": documents must be PDF or text")
	default:
		b.Source.Data = base64.StdEncoding.EncodeToString(m.Data)
	}
	return b, nil
}

var imageTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true}

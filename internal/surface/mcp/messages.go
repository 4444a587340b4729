package mcp

import (
	"context"
	"fmt"
	"strings"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/span"
	"weir/internal/tracediff"
)

type messagesIn struct {
	ID       string `json:"id" jsonschema:"trace/span"`
	Part     string `json:"part,omitempty" jsonschema:"input, output, or both (default)"`
	All      bool   `json:"all,omitempty" jsonschema:"also the input messages that the call before this one had already; default: only new ones"`
	Message  *int   `json:"message,omitempty" jsonschema:"only this input message, by its number"`
	Offset   int    `json:"offset,omitempty" jsonschema:"of the message, or of the output: skip so many characters"`
	MaxChars int    `json:"max_chars,omitempty" jsonschema:"size of the answer, at most 50000; default 8000"`
}

func (c *caller) messages(ctx context.Context, in messagesIn) (string, error) {
	s, err := c.span(ctx, in.ID)
	if err != nil {
		return "", err
	}
	v, err := tracediff.View(ctx, c.Bodies, s)
	if err != nil {
		return "", err
	}
	w := &excerpt{left: bounded(in.MaxChars, 8000, 50000)}
	switch {
	case in.Message != nil:
		if *in.Message < 0 || *in.Message >= len(v.Input.Messages) {
			return "", fault.Bad("message", "the input has messages 0 to %d", len(v.Input.Messages)-1)
		}
		w.text(fmt.Sprintf("input[%d] ", *in.Message), render(&v.Input.Messages[*in.Message]), in.Offset, w.left)
		return w.b.String(), nil
	case in.Part != "" && in.Part != "both" && in.Part != "input" && in.Part != "output":
		return "", fault.Bad("part", "part is input, output or both")
	}
	if in.Part == "output" {
		w.output(&v, in.Offset, w.left)
		return w.done(s), nil
	}
	room := w.left
	if in.Part != "input" {
		room = w.left * 2 / 3 // the answer is always worth its share
	}
	w.input(&v, in.All, room)
	if in.Part != "input" {
		w.output(&v, in.Offset, w.left)
	}
	return w.done(s), nil
}

func (c *caller) span(ctx context.Context, id string) (*span.Span, error) {
	trace, sp, ok := strings.Cut(id, "/")
	if !ok {
		return nil, fault.Bad("id", "id must be trace/span, as search_traces shows it")
	}
	s, err := c.Query.Span(ctx, c.project(), trace, sp)
	return s, notFound(err, "id", "no span "+clip.To(id, 100)+" in this project")
}

// excerpt collects texts until its budget is spent.
type excerpt struct {
	b    strings.Builder
	left int
}

// text adds a text of at most room bytes from an offset on, and says what was left out.
func (e *excerpt) text(label, text string, offset, room int) {
	whole := len(text)
	if offset = min(max(offset, 0), whole); offset > 0 {
		text = strings.ToValidUTF8(text[offset:], "")
	}
	room = max(min(room, e.left), 0)
	shown := clip.To(text, room)
	e.b.WriteString(label + shown)
	if len(text) > room {
		fmt.Fprintf(&e.b, " (%d of %d bytes; read on with offset %d)", len(shown), whole, offset+len(shown)-len("…"))
	}
	e.b.WriteByte('\n')
	e.left -= min(len(text), room)
}

func (e *excerpt) input(v *mapping.Conversation, all bool, room int) {
	ms := v.Input.Messages
	if len(ms) == 0 {
		e.value("input: ", v.Input.Value, room)
		return
	}
	from := min(max(v.NewFrom, 0), len(ms)-1)
	if all {
		from = 0
	}
	if from > 0 {
		fmt.Fprintf(&e.b, "(input[0] to input[%d] were part of the call before; all: true or message: N shows them)\n", from-1)
	}
	end := e.left - room
	for i := from; i < len(ms); i++ {
		share := max((e.left-end)/(len(ms)-i), 200)
		if e.left-end < 100 {
			fmt.Fprintf(&e.b, "(input[%d] to input[%d] left out; read one with message: N, or raise max_chars)\n", i, len(ms)-1)
			return
		}
		e.text(fmt.Sprintf("input[%d] ", i), render(&ms[i]), 0, share)
	}
}

func (e *excerpt) output(v *mapping.Conversation, offset, room int) {
	if len(v.Output.Messages) == 0 {
		e.value("output: ", v.Output.Value, room)
		return
	}
	for i := range v.Output.Messages {
		e.text("output ", render(&v.Output.Messages[i]), offset, room)
	}
}

func (e *excerpt) value(label string, raw []byte, room int) {
	if len(raw) == 0 || string(raw) == "null" {
		e.b.WriteString(label + "nothing was recorded\n")
		return
	}
	e.text(label, string(raw), 0, room)
}

func (e *excerpt) done(s *span.Span) string {
	if s.ErrorText != "" {
		return "error: " + s.ErrorType + " " + clip.To(s.ErrorText, 500) + "\n" + e.b.String()
	}
	return e.b.String()
}

// render is a message as text. What an agent cannot read, such as images, is named.
func render(m *mapping.Message) string {
	out := []string{m.Role + ":"}
	for _, p := range m.Parts {
		switch p.Type {
		case "text":
			out = append(out, p.Text)
		case "thinking":
			out = append(out, "<thinking>"+p.Text+"</thinking>")
		case "tool_call":
			out = append(out, fmt.Sprintf("<call %s %s>%s</call>", p.Name, p.ID, p.Arguments))
		case "tool_result":
			out = append(out, fmt.Sprintf("<result %s>%s</result>", p.ID, p.Result))
		case "image", "audio", "file":
			out = append(out, strings.TrimSpace(fmt.Sprintf("<%s %s %s %s", p.Type, p.MIME, p.Name, clip.To(p.URL, 200)))+">")
		default:
			out = append(out, clip.To(string(p.Value), 2000))
		}
	}
	return strings.Join(out, " ")
}

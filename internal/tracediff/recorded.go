package tracediff

import (
	"context"

	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/span"
)

// Bodies returns the exact bytes that a reference of a span stands for.
type Bodies interface {
	Body(ctx context.Context, s *span.Span, r span.Ref) ([]byte, error)
}

// Recorded views spans by their recorded bodies.
func Recorded(b Bodies) Viewer { return recorded{b} }

type recorded struct{ bodies Bodies }

func (r recorded) View(ctx context.Context, s *span.Span) (*Conversation, error) {
	c, err := View(ctx, r.bodies, s)
	if err != nil {
		return nil, err
	}
	return &Conversation{
		Input: messagesOf(c.Input.Messages), Output: messagesOf(c.Output.Messages),
		InputValue: valueOf(c.Input), OutputValue: valueOf(c.Output),
	}, nil
}

// View reads the bodies of a span as one conversation. A body that is gone meanwhile is as if it was never recorded.
func View(ctx context.Context, b Bodies, s *span.Span) (mapping.Conversation, error) {
	read := func(r span.Ref) ([]byte, error) {
		if r.Form == span.FormNone {
			return nil, nil
		}
		body, err := b.Body(ctx, s, r)
		if fault.Is(err, fault.NotFound) {
			return nil, nil
		}
		return body, err
	}
	in, err := read(s.Input)
	if err != nil {
		return mapping.Conversation{}, err
	}
	out, err := read(s.Output)
	if err != nil {
		return mapping.Conversation{}, err
	}
	return mapping.View(s, in, out), nil
}

func valueOf(s mapping.Side) jsonx.Raw {
	if len(s.Messages) > 0 || string(s.Value) == "null" {
		return nil
	}
	return s.Value
}

func messagesOf(in []mapping.Message) []Message {
	out := make([]Message, len(in))
	for i, m := range in {
		out[i].Role = m.Role
		for _, p := range m.Parts {
			out[i].Parts = append(out[i].Parts, partOf(p))
		}
	}
	return out
}

func partOf(p mapping.Part) Part {
	out := Part{Type: p.Type, Text: p.Text, ID: p.ID, Name: p.Name}
	switch p.Type {
	case "tool_call":
		out.Value = p.Arguments
	case "tool_result":
		out.Value = p.Result
	case "text", "thinking":
	default:
		out.Text = ""
		out.Value = p.Value
		if len(p.Value) == 0 { // media: told apart by what they hold
			out.Value = jsonx.MustMarshal(map[string]string{"mime": p.MIME, "url": p.URL, "data": digest(p.Data), "name": p.Name})
		}
	}
	return out
}

// digest stands for data that nobody reads.
func digest(data string) string {
	if data == "" {
		return ""
	}
	h := span.HashOf([]byte(data))
	return h.String() + " (" + itoa(len(data)) + " characters)"
}

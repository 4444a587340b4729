package openaicompat

import (
	"github.com/tidwall/gjson"

	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/openai"
)

// decode reads a whole answer. Errors are *llm.Error.
func (u *Upstream) decode(body []byte) (*llm.Response, error) {
	if !jsonx.Valid(body) {
		if len(body) == 0 {
			return nil, u.empty(body)
		}
		return nil, u.malformed("something that is not JSON", body)
	}
	if e := gjson.GetBytes(body, "error"); e.IsObject() || e.Type == gjson.String {
		return nil, u.inBand(body)
	}
	var w openai.Response
	if err := jsonx.Unmarshal(body, &w); err != nil {
		return nil, u.malformed("a body that is not a chat completion", body)
	}
	if len(w.Choices) == 0 || w.Choices[0].Message == nil {
		return nil, u.empty(body)
	}
	return response(&w), nil
}

func response(w *openai.Response) *llm.Response {
	r := &llm.Response{ID: w.ID, Model: w.Model, Usage: w.Usage.LLM(), Extra: w.Extra}
	c := w.Choices[0]
	r.Parts = answerParts(c.Message)
	calls := false
	for _, p := range r.Parts {
		calls = calls || p.Call != nil
	}
	if c.FinishReason != nil {
		r.RawFinish = *c.FinishReason
	}
	r.Finish = openai.FinishOf(r.RawFinish, calls)
	return r
}

func answerParts(m *openai.Message) []llm.Part {
	parts := reasoningParts(m)
	if m.Content != nil {
		parts = append(parts, contentParts(m.Content)...)
	}
	if m.Refusal != "" {
		parts = append(parts, llm.Part{Kind: llm.Text, Text: m.Refusal})
	}
	for _, t := range m.ToolCalls {
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: callOf(t)})
	}
	if f := m.FunctionCall; f != nil {
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: "call_" + id.Span(), Name: f.Name, Args: string(f.Arguments)}})
	}
	return parts
}

func reasoningParts(m *openai.Message) []llm.Part {
	var parts []llm.Part
	for _, b := range m.ThinkingBlocks {
		parts = append(parts, llm.Part{Kind: llm.Reasoning, Text: b.Thinking, Signature: b.Signature, Redacted: b.Data})
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

func contentParts(c *openai.Content) []llm.Part {
	if c.Parts == nil {
		if c.Text == "" {
			return nil
		}
		return []llm.Part{{Kind: llm.Text, Text: c.Text}}
	}
	var parts []llm.Part
	for _, p := range c.Parts {
		if p.Text != "" {
			parts = append(parts, llm.Part{Kind: llm.Text, Text: p.Text})
		}
	}
	return parts
}

func callOf(t openai.ToolCall) *llm.Call {
	c := &llm.Call{ID: t.ID}
	if c.ID == "" {
		c.ID = "call_" + id.Span()
	}
	switch {
	case t.Function != nil:
		c.Name, c.Args = t.Function.Name, string(t.Function.Arguments)
	case t.Custom != nil:
		c.Name, c.Args = t.Custom.Name, t.Custom.Input
	}
	return c
}

// modelOf is where a whole answer names its model.
func modelOf(body []byte) place {
	v := gjson.GetBytes(body, "model")
	return place{v.Index, v.Index + len(v.Raw)}
}

// restamp puts the client's model name into a whole answer.
func restamp(body []byte, model place, as string) []byte {
	if model.from == 0 {
		return body
	}
	out := make([]byte, 0, len(body)+len(as)+2)
	out = jsonx.AppendString(append(out, body[:model.from]...), as)
	return append(out, body[model.to:]...)
}

package anthropic

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// DecodeResponse reads a whole answer. undo restores what EncodeRequest had to change; the zero Undo changes nothing.
func DecodeResponse(provider string, body []byte, undo Undo) (*llm.Response, error) {
	v := gjson.ParseBytes(body)
	if !jsonx.Valid(body) || !v.Get("content").IsArray() {
		return nil, malformed(provider, "the upstream's answer is not an Anthropic message", body)
	}
	r := &llm.Response{ID: v.Get("id").String(), Model: v.Get("model").String(), Usage: usageOf(v.Get("usage"), llm.Usage{})}
	v.Get("content").ForEach(func(_, b gjson.Result) bool {
		if p, ok := decodePart(b, undo); ok {
			r.Parts = append(r.Parts, p)
		}
		return true
	})
	r.RawFinish, r.StopText = v.Get("stop_reason").String(), v.Get("stop_sequence").String()
	r.Finish = undo.finish(finishOf(r.RawFinish), hasCall(r.Parts))
	return r, nil
}

// decodePart leaves out blocks of tools that the API runs itself: the hub has no word for them.
func decodePart(b gjson.Result, undo Undo) (llm.Part, bool) {
	switch b.Get("type").Str {
	case "text":
		return llm.Part{Kind: llm.Text, Text: b.Get("text").String()}, true
	case "thinking":
		return llm.Part{Kind: llm.Reasoning, Text: b.Get("thinking").String(), Signature: b.Get("signature").String()}, true
	case "redacted_thinking":
		return llm.Part{Kind: llm.Reasoning, Redacted: b.Get("data").String()}, true
	case "tool_use":
		args := b.Get("input").Raw
		if args == "" {
			args = "{}"
		}
		name := b.Get("name").String()
		if undo.isSchema(name) {
			return llm.Part{Kind: llm.Text, Text: args}, true
		}
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: b.Get("id").String(), Name: undo.name(name), Args: args}}, true
	}
	return llm.Part{}, false
}

func hasCall(parts []llm.Part) bool {
	for _, p := range parts {
		if p.Call != nil {
			return true
		}
	}
	return false
}

func malformed(provider, msg string, body []byte) *llm.Error {
	return &llm.Error{Provider: provider, Type: llm.TypeMalformed, Message: msg, Body: bytes.Clone(body[:min(len(body), 64<<10)])}
}

// EncodeResponse writes a whole answer for a client of this dialect.
func EncodeResponse(r *llm.Response, model string) ([]byte, error) {
	reason := stopReason(r.Finish, r.RawFinish, r.StopText)
	out := MessagesResponse{
		ID: messageID(r.ID), Type: "message", Role: "assistant", Model: model, Content: []Block{},
		StopReason: &reason, Usage: encodeUsage(r.Usage),
	}
	if r.StopText != "" {
		out.StopSequence = &r.StopText
	}
	for _, p := range r.Parts {
		if b, ok := encodeAnswerPart(p); ok {
			out.Content = append(out.Content, b)
		}
	}
	return jsonx.Marshal(out)
}

func encodeAnswerPart(p llm.Part) (Block, bool) {
	switch {
	case p.Kind == llm.Text && p.Text != "":
		return TextBlock(p.Text), true
	case p.Kind == llm.Reasoning && p.Redacted != "":
		return Block{Type: "redacted_thinking", Data: p.Redacted}, true
	case p.Kind == llm.Reasoning:
		return Block{Type: "thinking", Thinking: &p.Text, Signature: &p.Signature}, true
	case p.Kind == llm.ToolCall:
		return Block{Type: "tool_use", ID: p.Call.ID, Name: p.Call.Name, Input: p.Call.ArgsObject()}, true
	}
	return Block{}, false
}

// messageID gives ids of other dialects the prefix that clients of this one expect.
func messageID(id string) string {
	if strings.HasPrefix(id, "msg_") {
		return id
	}
	return "msg_" + strings.TrimPrefix(id, "chatcmpl-")
}

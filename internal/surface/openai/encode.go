package openai

import (
	"strings"
	"time"

	"weir/internal/id"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
)

// Encode makes a chat.completion.
func Encode(r *llm.Response, model string, now time.Time) ([]byte, error) {
	finish := string(r.Finish)
	if finish == "" {
		finish = string(llm.FinishStop)
	}
	return wire.Response{ // by its own method: through the encoder it would be compacted once more
		ID: completionID(r.ID), Object: wire.ObjectResponse, Created: now.Unix(), Model: model,
		Choices: []wire.Choice{{Message: answer(r.Parts), FinishReason: &finish}},
		Usage:   wire.UsageOf(r.Usage),
	}.MarshalJSON()
}

// completionID gives foreign ids OpenAI's prefix, which some clients look for.
func completionID(upstream string) string {
	switch {
	case upstream == "":
		return "chatcmpl-" + id.New()
	case strings.HasPrefix(upstream, "chatcmpl-"):
		return upstream
	}
	return "chatcmpl-" + upstream
}

func answer(parts []llm.Part) *wire.Message {
	m := &wire.Message{Role: wire.RoleAssistant}
	var text strings.Builder
	signed := false
	for _, p := range parts {
		switch p.Kind {
		case llm.Text:
			text.WriteString(p.Text)
		case llm.Reasoning:
			m.ReasoningContent += p.Text
			m.ThinkingBlocks = append(m.ThinkingBlocks, thinkingBlock(p))
			signed = signed || p.Signature != "" || p.Redacted != ""
		case llm.ToolCall:
			m.ToolCalls = append(m.ToolCalls, toolCall(p.Call))
		}
	}
	if !signed {
		m.ThinkingBlocks = nil // nothing that reasoning_content does not say
	}
	if text.Len() > 0 || m.ToolCalls == nil {
		m.Content = wire.Text(text.String())
	}
	return m
}

func thinkingBlock(p llm.Part) wire.ThinkingBlock {
	if p.Redacted != "" {
		return wire.ThinkingBlock{Type: wire.PartRedacted, Data: p.Redacted}
	}
	return wire.ThinkingBlock{Type: wire.PartThinking, Thinking: p.Text, Signature: p.Signature}
}

func toolCall(c *llm.Call) wire.ToolCall {
	args := c.Args
	if args == "" {
		args = "{}"
	}
	return wire.ToolCall{ID: c.ID, Type: wire.TypeFunction, Function: &wire.FunctionCall{Name: c.Name, Arguments: wire.Arguments(args)}}
}

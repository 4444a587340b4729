package bedrock

import (
	"encoding/base64"
	"strings"

	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

const (
	roleUser      = "user"
	roleAssistant = "assistant"
)

// messages translates the conversation into strictly alternating turns. Turns without content are left out, and
// neighbours of one role become one: above all, the results of parallel calls share a user message.
func (e *encoder) messages() error {
	for _, m := range e.in.Messages {
		blocks, err := e.blocks(m)
		if err != nil {
			return err
		}
		role := roleUser // also for a system message in mid-conversation, which Converse does not have
		if m.Role == llm.Assistant {
			role, blocks = roleAssistant, thinkingFirst(blocks)
		}
		if !hasContent(blocks) {
			continue
		}
		if n := len(e.out.Messages); n > 0 && e.out.Messages[n-1].Role == role {
			last := &e.out.Messages[n-1]
			last.Content = append(last.Content, blocks...)
			continue
		}
		e.out.Messages = append(e.out.Messages, wire.Message{Role: role, Content: blocks})
	}
	e.finishTurns()
	return nil
}

// hasContent reports that a turn says anything beyond thinking, which alone the service refuses.
func hasContent(blocks []wire.ContentBlock) bool {
	for _, b := range blocks {
		if b.ReasoningContent == nil && b.CachePoint == nil {
			return true
		}
	}
	return false
}

func (e *encoder) finishTurns() {
	for i := range e.out.Messages {
		m := &e.out.Messages[i]
		if m.Role == roleUser {
			m.Content = withDocumentText(resultsFirst(m.Content))
		}
	}
	if n := len(e.out.Messages); n > 0 && e.out.Messages[n-1].Role == roleAssistant {
		trimLast(e.out.Messages[n-1].Content)
	}
}

// trimLast takes space off the end of a prefilled answer, which Claude refuses.
func trimLast(blocks []wire.ContentBlock) {
	if b := &blocks[len(blocks)-1]; b.Text != nil {
		s := strings.TrimRight(*b.Text, " \t\r\n")
		b.Text = &s
	}
}

// resultsFirst moves tool results, each with the cache point that follows it, before what else the user says: they
// must directly answer the calls.
func resultsFirst(in []wire.ContentBlock) []wire.ContentBlock {
	var results, rest []wire.ContentBlock
	into := &rest
	for _, b := range in {
		switch {
		case b.ToolResult != nil:
			into = &results
		case b.CachePoint == nil:
			into = &rest
		}
		*into = append(*into, b)
	}
	return append(results, rest...)
}

// thinkingFirst mends a turn that starts with something else than its thinking. Thinking between other blocks of a turn
// that starts with thinking is where the model put it, and stays.
func thinkingFirst(in []wire.ContentBlock) []wire.ContentBlock {
	if len(in) == 0 || in[0].ReasoningContent != nil {
		return in
	}
	var thinking, rest []wire.ContentBlock
	for _, b := range in {
		if b.ReasoningContent != nil {
			thinking = append(thinking, b)
		} else {
			rest = append(rest, b)
		}
	}
	return append(thinking, rest...)
}

// withDocumentText gives a message with documents the text block it must have.
func withDocumentText(in []wire.ContentBlock) []wire.ContentBlock {
	document := false
	for _, b := range in {
		if b.Text != nil {
			return in
		}
		document = document || b.Document != nil
	}
	if !document {
		return in
	}
	text := "See the attached document."
	return append(in, wire.ContentBlock{Text: &text})
}

func (e *encoder) blocks(m llm.Message) ([]wire.ContentBlock, error) {
	var out []wire.ContentBlock
	for _, p := range m.Parts {
		b, ok, err := e.block(p)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, b)
		}
		// A cache point needs a block before it, and cannot follow thinking.
		if c := e.cachePoint(p.Cache); c != nil && len(out) > 0 && out[len(out)-1].ReasoningContent == nil && out[len(out)-1].CachePoint == nil {
			out = append(out, wire.ContentBlock{CachePoint: c})
		}
	}
	return out, nil
}

// block translates one part; ok is false for a part that has nothing to say.
func (e *encoder) block(p llm.Part) (b wire.ContentBlock, ok bool, err error) {
	switch p.Kind {
	case llm.Text:
		return wire.ContentBlock{Text: &p.Text}, strings.TrimSpace(p.Text) != "", nil
	case llm.Reasoning:
		b.ReasoningContent = e.reasoning(p)
		return b, b.ReasoningContent != nil, nil
	case llm.ToolCall:
		b.ToolUse = &wire.ToolUse{ToolUseID: e.ids.to(p.Call.ID), Name: e.names.to(p.Call.Name), Input: p.Call.ArgsObject()}
		return b, true, nil
	case llm.ToolResult:
		b.ToolResult, err = e.result(p.Result)
		return b, true, err
	case llm.Image:
		b.Image, err = image(p.Media)
		return b, true, err
	case llm.Document:
		b.Document, err = e.document(p.Media)
		return b, true, err
	}
	return b, false, invalid(string(p.Kind), "bedrock does not take "+string(p.Kind)+" content")
}

// reasoning is a thinking block to be given back, or nil for one without proof that it is the model's own.
func (e *encoder) reasoning(p llm.Part) *wire.ReasoningContent {
	switch {
	case e.family != claude:
		return nil
	case p.Redacted != "":
		b, err := base64.StdEncoding.DecodeString(p.Redacted)
		if err != nil {
			return nil
		}
		return &wire.ReasoningContent{RedactedContent: b}
	case p.Signature == "":
		return nil
	}
	return &wire.ReasoningContent{ReasoningText: &wire.ReasoningText{Text: p.Text, Signature: p.Signature}}
}

func (e *encoder) result(r *llm.Result) (*wire.ToolResult, error) {
	out := &wire.ToolResult{ToolUseID: e.ids.to(r.ID)}
	if r.Error {
		out.Status = "error"
	}
	for _, p := range r.Parts {
		c, ok, err := e.resultContent(p)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Content = append(out.Content, c)
		}
	}
	if len(out.Content) == 0 { // neither an absent nor a blank content is taken
		text := "(no output)"
		out.Content = []wire.ToolResultContent{{Text: &text}}
	}
	return out, nil
}

func (e *encoder) resultContent(p llm.Part) (c wire.ToolResultContent, ok bool, err error) {
	switch p.Kind {
	case llm.Text:
		return wire.ToolResultContent{Text: &p.Text}, strings.TrimSpace(p.Text) != "", nil
	case llm.Image:
		c.Image, err = image(p.Media)
		return c, true, err
	case llm.Document:
		c.Document, err = e.document(p.Media)
		return c, true, err
	}
	return c, false, invalid(string(p.Kind), "bedrock does not take "+string(p.Kind)+" content in tool results")
}

package bedrock

import (
	"context"
	"encoding/base64"
	"net/http"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

const requestIDHeader = "X-Amzn-Requestid"

func (u *Upstream) converse(ctx context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	e, err := u.encode(a)
	if err != nil {
		return nil, err
	}
	body, err := jsonx.Marshal(&e.out)
	if err != nil {
		return nil, invalid("", "the request could not be written as JSON")
	}
	if a.Sent != nil {
		a.Sent(body)
	}
	if a.Stream {
		return u.converseStream(ctx, e, body)
	}
	x, err := u.send(ctx, "converse", acceptJSON, body)
	if err != nil {
		return nil, err
	}
	defer x.close()
	answer, err := x.all()
	if err != nil {
		return nil, err
	}
	r, err := e.decode(answer)
	if err != nil {
		return nil, err
	}
	r.ID, r.Model = x.res.Header.Get(requestIDHeader), u.model
	return &gateway.Result{Status: http.StatusOK, Header: x.res.Header, Response: r}, nil
}

func (u *Upstream) converseStream(ctx context.Context, e *encoder, body []byte) (*gateway.Result, error) {
	x, err := u.send(ctx, "converse-stream", acceptStream, body)
	if err != nil {
		return nil, err
	}
	start := llm.Chunk{Kind: llm.ChunkStart, ID: x.res.Header.Get(requestIDHeader), Model: u.model}
	s := &stream{frames: newFrames(x), dec: &eventDecoder{undo: e.undo(), start: start}}
	return &gateway.Result{Status: http.StatusOK, Header: x.res.Header, Stream: s}, nil
}

// undo is what reading an answer needs to know of how its request was changed.
type undo struct {
	names  *nameMap
	answer string // tool whose input is the text of the answer
}

func (e *encoder) undo() undo { return undo{e.names, e.answer} }

// stands reports that a tool stands in for text.
func (u undo) stands(tool string) bool { return u.answer != "" && tool == u.answer }

// finish translates a stop reason. calls says whether tools of the client were called: a stand-in for structured output
// stops with "tool_use", too, and is then the plain end.
func (u undo) finish(reason string, calls bool) llm.Finish {
	f := finishes[reason]
	if f == "" || f == llm.FinishToolCalls && u.answer != "" && !calls {
		return llm.FinishStop
	}
	return f
}

// finishes maps stop reasons; unknown and odd ones (malformed_model_output …) count as a plain stop, with their own
// word kept beside.
var finishes = map[string]llm.Finish{
	"end_turn":                      llm.FinishStop,
	"stop_sequence":                 llm.FinishStop,
	"max_tokens":                    llm.FinishLength,
	"model_context_window_exceeded": llm.FinishLength,
	"tool_use":                      llm.FinishToolCalls,
	"guardrail_intervened":          llm.FinishFilter,
	"content_filtered":              llm.FinishFilter,
	"refusal":                       llm.FinishFilter,
}

// decode reads a whole answer.
func (e *encoder) decode(body []byte) (*llm.Response, error) {
	var w wire.ConverseResponse
	if err := jsonx.Unmarshal(body, &w); err != nil {
		return nil, &llm.Error{
			Provider: provider, Type: llm.TypeMalformed, Message: "the answer is not the JSON of a Converse call",
			Body: body[:min(len(body), maxError)], Err: err,
		}
	}
	if w.Output == nil || w.Output.Message == nil {
		return nil, &llm.Error{
			Provider: provider, Type: llm.TypeEmpty, Message: "the upstream answered 200 without an output",
			Body: body[:min(len(body), maxError)],
		}
	}
	u := e.undo()
	r := &llm.Response{RawFinish: w.StopReason, Usage: usageOf(&w.Usage)}
	calls := false
	for _, b := range w.Output.Message.Content {
		if p, ok := u.part(b); ok {
			r.Parts = append(r.Parts, p)
			calls = calls || p.Call != nil
		}
	}
	r.Finish = u.finish(w.StopReason, calls)
	return r, nil
}

// part translates one block of an answer; blocks without a hub meaning are left out.
func (u undo) part(b wire.ContentBlock) (p llm.Part, ok bool) {
	switch {
	case b.Text != nil:
		return llm.Part{Kind: llm.Text, Text: *b.Text}, true
	case b.ReasoningContent != nil:
		return reasoningPart(b.ReasoningContent)
	case b.ToolUse != nil:
		args := string(b.ToolUse.Input)
		if args == "" || args == "null" {
			args = "{}"
		}
		if u.stands(b.ToolUse.Name) {
			return llm.Part{Kind: llm.Text, Text: args}, true
		}
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: b.ToolUse.ToolUseID, Name: u.names.from(b.ToolUse.Name), Args: args}}, true
	case b.CitationsContent != nil:
		p.Kind = llm.Text
		for _, c := range b.CitationsContent.Content {
			p.Text += c.Text
		}
		return p, true
	}
	return p, false
}

func reasoningPart(r *wire.ReasoningContent) (llm.Part, bool) {
	switch {
	case r.ReasoningText != nil:
		return llm.Part{Kind: llm.Reasoning, Text: r.ReasoningText.Text, Signature: r.ReasoningText.Signature}, true
	case len(r.RedactedContent) > 0:
		return llm.Part{Kind: llm.Reasoning, Redacted: base64.StdEncoding.EncodeToString(r.RedactedContent)}, true
	}
	return llm.Part{}, false
}

// usageOf keeps the buckets apart as Converse has them, and splits writes by lifetime.
func usageOf(w *wire.Usage) llm.Usage {
	u := llm.Usage{
		Input: count(w.InputTokens), Output: count(w.OutputTokens),
		CacheRead: count(w.CacheReadInputTokens), CacheWrite: count(w.CacheWriteInputTokens),
	}
	var short, long int64
	for _, d := range w.CacheDetails {
		if d.TTL == "1h" {
			long += count(d.InputTokens)
		} else {
			short += count(d.InputTokens)
		}
	}
	u.CacheWrite1h = long
	u.CacheWrite = max(u.CacheWrite-long, short)
	return u
}

// count cuts negative and absurd counts, since they come from outside and are paid for.
func count(n int64) int64 { return min(max(n, 0), 1<<40) }

package anthropic

import (
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// StreamEncoder turns chunks into stream events: one message_start, blocks one after the other, and at the end one
// message_delta with the whole usage. Tool calls that an upstream streams side by side are put in a row, since blocks
// must not interleave. One encoder serves one stream.
type StreamEncoder struct {
	emit    func(event string, data []byte)
	model   string
	started bool
	index   int    // of the open block, or the next one
	open    string // type of the open block; "" if none
	signed  bool   // the open thinking block has its signature
	tool    int    // dense index of the open tool_use
	args    []byte // its arguments so far
	queue   []*queuedTool
	usage   llm.Usage
	finish  llm.Chunk
}

// queuedTool is a call that began while another was still being streamed.
type queuedTool struct {
	start llm.Chunk
	args  []byte
}

// NewStreamEncoder returns an encoder that hands each event to emit, which must not keep data. model is the name told
// to the client.
func NewStreamEncoder(model string, emit func(event string, data []byte)) *StreamEncoder {
	return &StreamEncoder{emit: emit, model: model}
}

// Add takes the next chunk.
func (e *StreamEncoder) Add(c llm.Chunk) {
	e.usage = e.usage.Merge(c.Usage)
	switch c.Kind {
	case llm.ChunkStart:
		e.start(c.ID)
	case llm.ChunkText:
		e.text(c.Text)
	case llm.ChunkReasoning:
		e.reasoning(c.Text)
	case llm.ChunkSignature:
		e.signature(c.Text)
	case llm.ChunkRedacted:
		e.flush()
		e.begin(Block{Type: "redacted_thinking", Data: c.Text})
		e.closeBlock()
	case llm.ChunkToolStart:
		e.toolStart(c)
	case llm.ChunkToolArgs:
		e.toolArgs(c)
	case llm.ChunkBlockEnd:
		e.closeBlock()
		e.next()
	case llm.ChunkFinish:
		e.finish = c
	}
}

// End closes what is open and ends the message.
func (e *StreamEncoder) End() {
	e.start("")
	e.flush()
	reason := stopReason(e.finish.Finish, e.finish.RawFinish, e.finish.StopText)
	delta := messageDelta{Type: "message_delta", Usage: encodeUsage(e.usage)}
	delta.Delta.StopReason = reason
	if e.finish.StopText != "" {
		delta.Delta.StopSequence = &e.finish.StopText
	}
	e.send("message_delta", delta)
	e.emit("message_stop", []byte(`{"type":"message_stop"}`))
}

type messageDelta struct {
	Type  string `json:"type"`
	Delta struct {
		StopReason   string  `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"`
	} `json:"delta"`
	Usage Usage `json:"usage"`
}

type messageStart struct {
	Type    string           `json:"type"`
	Message MessagesResponse `json:"message"`
}

type blockStart struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
	Block Block  `json:"content_block"`
}

type blockDelta struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
	Delta delta  `json:"delta"`
}

type delta struct {
	Type      string  `json:"type"`
	Text      *string `json:"text,omitempty"`
	Thinking  *string `json:"thinking,omitempty"`
	Signature *string `json:"signature,omitempty"`
	JSON      *string `json:"partial_json,omitempty"`
}

type blockStop struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
}

func (e *StreamEncoder) send(event string, v any) { e.emit(event, jsonx.MustMarshal(v)) }

func (e *StreamEncoder) start(id string) {
	if e.started {
		return
	}
	e.started = true
	e.send("message_start", messageStart{"message_start", MessagesResponse{
		ID: messageID(id), Type: "message", Role: "assistant", Model: e.model, Content: []Block{}, Usage: encodeUsage(e.usage),
	}})
}

func (e *StreamEncoder) begin(b Block) {
	e.start("")
	e.closeBlock()
	e.open = b.Type
	e.send("content_block_start", blockStart{"content_block_start", e.index, b})
}

func (e *StreamEncoder) delta(d delta) {
	e.send("content_block_delta", blockDelta{"content_block_delta", e.index, d})
}

func (e *StreamEncoder) closeBlock() {
	if e.open == "" {
		return
	}
	e.send("content_block_stop", blockStop{"content_block_stop", e.index})
	e.index++
	e.open, e.signed, e.args = "", false, e.args[:0]
}

func (e *StreamEncoder) text(s string) {
	if s == "" {
		return
	}
	if e.open != "text" {
		e.flush()
		e.begin(TextBlock(""))
	}
	e.delta(delta{Type: "text_delta", Text: &s})
}

func (e *StreamEncoder) reasoning(s string) {
	if s == "" {
		return
	}
	if e.open != "thinking" || e.signed {
		e.beginThinking()
	}
	e.delta(delta{Type: "thinking_delta", Thinking: &s})
}

func (e *StreamEncoder) signature(s string) {
	if s == "" {
		return
	}
	if e.open != "thinking" {
		e.beginThinking()
	}
	e.signed = true
	e.delta(delta{Type: "signature_delta", Signature: &s})
}

func (e *StreamEncoder) beginThinking() {
	e.flush()
	e.begin(Block{Type: "thinking", Thinking: new(""), Signature: new("")})
}

// toolStart opens the call's block, or queues it while another call's arguments are incomplete.
func (e *StreamEncoder) toolStart(c llm.Chunk) {
	if e.open == "tool_use" && !jsonx.Valid(e.args) {
		e.queue = append(e.queue, &queuedTool{start: c})
		return
	}
	e.beginTool(c)
}

func (e *StreamEncoder) beginTool(c llm.Chunk) {
	e.begin(Block{Type: "tool_use", ID: c.ToolID, Name: c.ToolName, Input: jsonx.Raw("{}")})
	e.tool = c.Index
}

func (e *StreamEncoder) toolArgs(c llm.Chunk) {
	if c.Text == "" {
		return
	}
	if e.open == "tool_use" && e.tool == c.Index {
		e.args = append(e.args, c.Text...)
		e.delta(delta{Type: "input_json_delta", JSON: &c.Text})
		if len(e.queue) > 0 && jsonx.Valid(e.args) {
			e.closeBlock()
			e.next()
		}
		return
	}
	for _, q := range e.queue {
		if q.start.Index == c.Index {
			q.args = append(q.args, c.Text...)
		}
	}
}

// next opens the calls that were waiting: all that are complete, and one that is not.
func (e *StreamEncoder) next() {
	for len(e.queue) > 0 && e.open == "" {
		q := e.queue[0]
		e.queue = e.queue[1:]
		e.beginTool(q.start)
		if len(q.args) > 0 {
			e.args = append(e.args, q.args...)
			e.delta(delta{Type: "input_json_delta", JSON: new(string(q.args))})
		}
		if len(e.queue) > 0 && jsonx.Valid(e.args) {
			e.closeBlock()
		}
	}
}

// flush ends the open block and all calls that wait, complete or not: something else follows.
func (e *StreamEncoder) flush() {
	e.closeBlock()
	for len(e.queue) > 0 {
		e.next()
		e.closeBlock()
	}
}

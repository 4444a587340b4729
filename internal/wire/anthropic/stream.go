package anthropic

import (
	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// StreamDecoder turns stream events into chunks. One decoder serves one stream; create it with NewStreamDecoder.
type StreamDecoder struct {
	provider string
	undo     Undo
	usage    llm.Usage
	tools    int
	called   bool // a tool of the client was called
	open     openBlock
	done     bool
	out      []llm.Chunk
}

// openBlock is the content block being streamed; blocks never interleave.
type openBlock struct {
	kind  string
	tool  int    // dense index of a tool_use
	args  bool   // a fragment of the arguments was seen
	input string // arguments that came with the start of the block
}

// NewStreamDecoder returns a decoder. provider is named in errors; undo is what EncodeRequest returned.
func NewStreamDecoder(provider string, undo Undo) *StreamDecoder {
	return &StreamDecoder{provider: provider, undo: undo}
}

// Done reports that the stream has come to its natural end.
func (d *StreamDecoder) Done() bool { return d.done }

// Decode takes the JSON of the next event. The chunks are valid until the next call. An "error" event and garbage are
// an *llm.Error. Unknown events are ignored, as the API's versioning policy asks.
func (d *StreamDecoder) Decode(event []byte) ([]llm.Chunk, error) {
	if !jsonx.Valid(event) {
		return nil, malformed(d.provider, "the upstream sent a stream event that is not JSON", event)
	}
	v := gjson.ParseBytes(event)
	d.out = d.out[:0]
	switch v.Get("type").Str {
	case "message_start":
		d.start(v.Get("message"))
	case "content_block_start":
		d.openBlock(v.Get("content_block"))
	case "content_block_delta":
		d.delta(v.Get("delta"))
	case "content_block_stop":
		d.closeBlock()
	case "message_delta":
		d.finish(v)
	case "message_stop":
		d.stop(v.Get("amazon-bedrock-invocationMetrics"))
	case "error":
		return nil, failureEvent(d.provider, v)
	}
	return d.out, nil
}

func (d *StreamDecoder) emit(c llm.Chunk) { d.out = append(d.out, c) }

func (d *StreamDecoder) start(m gjson.Result) {
	u := usageOf(m.Get("usage"), d.usage)
	d.usage = d.usage.Merge(u)
	d.emit(llm.Chunk{Kind: llm.ChunkStart, ID: m.Get("id").String(), Model: m.Get("model").String(), Usage: u})
}

func (d *StreamDecoder) openBlock(b gjson.Result) {
	d.open = openBlock{kind: b.Get("type").Str}
	switch d.open.kind {
	case "text":
		d.text(llm.ChunkText, b.Get("text"))
	case "thinking":
		d.text(llm.ChunkReasoning, b.Get("thinking"))
		d.text(llm.ChunkSignature, b.Get("signature"))
	case "redacted_thinking":
		d.text(llm.ChunkRedacted, b.Get("data"))
	case "tool_use":
		d.openTool(b)
	}
}

func (d *StreamDecoder) openTool(b gjson.Result) {
	if in := b.Get("input"); in.IsObject() && len(in.Map()) > 0 {
		d.open.input = in.Raw
	}
	name := b.Get("name").String()
	if d.undo.isSchema(name) {
		d.open.kind = "schema"
		return
	}
	d.open.tool = d.tools
	d.tools++
	d.called = true
	d.emit(llm.Chunk{Kind: llm.ChunkToolStart, Index: d.open.tool, ToolID: b.Get("id").String(), ToolName: d.undo.name(name)})
}

func (d *StreamDecoder) delta(v gjson.Result) {
	switch v.Get("type").Str {
	case "text_delta":
		d.text(llm.ChunkText, v.Get("text"))
	case "thinking_delta":
		d.text(llm.ChunkReasoning, v.Get("thinking"))
	case "signature_delta":
		d.text(llm.ChunkSignature, v.Get("signature"))
	case "input_json_delta":
		d.args(v.Get("partial_json").String())
	}
}

func (d *StreamDecoder) text(k llm.ChunkKind, v gjson.Result) {
	if s := v.String(); s != "" {
		d.emit(llm.Chunk{Kind: k, Text: s})
	}
}

func (d *StreamDecoder) args(s string) {
	if s == "" {
		return
	}
	switch d.open.kind {
	case "tool_use":
		d.emit(llm.Chunk{Kind: llm.ChunkToolArgs, Index: d.open.tool, Text: s})
	case "schema":
		d.emit(llm.Chunk{Kind: llm.ChunkText, Text: s})
	}
	d.open.args = true
}

// closeBlock ends the block. A tool without input streams no fragment at all; its arguments are then {}, or whatever
// the start of the block brought.
func (d *StreamDecoder) closeBlock() {
	if (d.open.kind == "tool_use" || d.open.kind == "schema") && !d.open.args {
		if d.open.input == "" {
			d.open.input = "{}"
		}
		d.args(d.open.input)
	}
	d.open = openBlock{}
	d.emit(llm.Chunk{Kind: llm.ChunkBlockEnd})
}

func (d *StreamDecoder) finish(v gjson.Result) {
	if reason := v.Get("delta.stop_reason").String(); reason != "" {
		d.emit(llm.Chunk{
			Kind: llm.ChunkFinish, Finish: d.undo.finish(finishOf(reason), d.called), RawFinish: reason,
			StopText: v.Get("delta.stop_sequence").String(),
		})
	}
	if u := v.Get("usage"); u.IsObject() {
		d.count(usageOf(u, d.usage))
	}
}

func (d *StreamDecoder) stop(metrics gjson.Result) {
	d.done = true
	if metrics.IsObject() {
		d.count(metricsOf(metrics, d.usage))
	}
}

// count tells all that is known so far, which Merge makes harmless to repeat.
func (d *StreamDecoder) count(u llm.Usage) {
	d.usage = d.usage.Merge(u)
	d.emit(llm.Chunk{Kind: llm.ChunkUsage, Usage: d.usage})
}

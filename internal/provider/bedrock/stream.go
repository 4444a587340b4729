package bedrock

import (
	"encoding/base64"
	"errors"
	"io"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// frames reads the event stream of one exchange and turns its failures into errors of ours.
type frames struct {
	x   *exchange
	r   *wire.FrameReader
	any bool // a frame was seen
}

func newFrames(x *exchange) *frames { return &frames{x: x, r: wire.NewFrameReader(x, 0)} }

// next returns the next event frame. ended says whether the stream may end here; if not, the end is an error.
func (f *frames) next(ended bool) (wire.Frame, error) {
	fr, err := f.r.Next()
	switch {
	case err == nil:
		f.any = true
		if fr.Exception != "" {
			return fr, exception(fr.Exception, fr.Message, fr.Payload, 0)
		}
		return fr, nil
	case errors.Is(err, io.EOF) && ended:
		return fr, io.EOF
	case errors.Is(err, io.EOF) && !f.any:
		return fr, broken(llm.TypeEmpty, "the upstream answered 200 with an empty stream", nil)
	case errors.Is(err, io.EOF):
		return fr, broken(llm.TypeCut, "the stream ended before the answer did", io.ErrUnexpectedEOF)
	case errors.Is(err, wire.ErrFrame), errors.Is(err, wire.ErrTooLong):
		return fr, broken(llm.TypeMalformed, "the stream is not a valid event stream", err)
	}
	return fr, f.x.failed(err, llm.TypeCut, "the stream was cut off")
}

// stream is a ConverseStream as frames of chunks.
type stream struct {
	*frames
	dec *eventDecoder
}

var _ gateway.FrameReader = (*stream)(nil)

// Next reads on until an event says something.
func (s *stream) Next() (gateway.Frame, error) {
	for {
		f, err := s.next(s.dec.stopped)
		if err != nil {
			return gateway.Frame{}, err
		}
		chunks, err := s.dec.decode(f.Event, f.Payload)
		if err != nil {
			return gateway.Frame{}, err
		}
		if len(chunks) > 0 {
			return gateway.Frame{Event: f.Event, Chunks: chunks}, nil
		}
	}
}

// Buffered reports whether another frame waits in memory.
func (f *frames) Buffered() bool { return f.r.Buffered() }

// Close releases the connection, which before the end of the stream cancels the call.
func (f *frames) Close() error {
	f.x.close()
	return nil
}

// eventDecoder turns ConverseStream events into chunks.
type eventDecoder struct {
	undo    undo
	start   llm.Chunk
	stopped bool // messageStop was seen; only metadata follows it
	started bool
	calls   int // tool calls so far: the next one's dense index
	open    openBlock
	out     []llm.Chunk
}

// openBlock is the content block being streamed; blocks do not interleave.
type openBlock struct {
	tool   bool
	answer bool // a tool block that stands in for text
	args   bool // a fragment of the input was seen
}

// decode translates one event; its result is valid until the next call. Unknown events yield nothing.
func (d *eventDecoder) decode(event string, payload []byte) ([]llm.Chunk, error) {
	var w wire.StreamEvent
	if err := jsonx.Unmarshal(payload, &w); err != nil {
		return nil, &llm.Error{
			Provider: provider, Type: llm.TypeMalformed, Message: "the stream holds an event that is not JSON",
			Body: payload[:min(len(payload), maxError)], Err: err,
		}
	}
	d.out = d.out[:0]
	switch event {
	case wire.EventMessageStart:
		d.begin()
	case wire.EventContentBlockStart:
		d.begin()
		d.openBlock(w.Start)
	case wire.EventContentBlockDelta:
		d.begin()
		d.delta(w.Delta)
	case wire.EventContentBlockStop:
		d.closeBlock()
	case wire.EventMessageStop:
		d.begin()
		d.stopped = true
		d.emit(llm.Chunk{Kind: llm.ChunkFinish, Finish: d.undo.finish(w.StopReason, d.calls > 0), RawFinish: w.StopReason})
	case wire.EventMetadata:
		if w.Usage != nil {
			d.emit(llm.Chunk{Kind: llm.ChunkUsage, Usage: usageOf(w.Usage)})
		}
	}
	return d.out, nil
}

func (d *eventDecoder) emit(c llm.Chunk) { d.out = append(d.out, c) }

// begin starts the answer once, also where messageStart is missing.
func (d *eventDecoder) begin() {
	if !d.started {
		d.started = true
		d.emit(d.start)
	}
}

func (d *eventDecoder) openBlock(s *wire.BlockStart) {
	d.open = openBlock{}
	if s == nil || s.ToolUse == nil {
		return
	}
	d.open.tool = true
	if d.open.answer = d.undo.stands(s.ToolUse.Name); d.open.answer {
		return
	}
	d.emit(llm.Chunk{
		Kind: llm.ChunkToolStart, Index: d.calls, ToolID: s.ToolUse.ToolUseID, ToolName: d.undo.names.from(s.ToolUse.Name),
	})
	d.calls++
}

func (d *eventDecoder) delta(b *wire.BlockDelta) {
	switch {
	case b == nil:
	case b.Text != nil:
		d.text(llm.ChunkText, *b.Text)
	case b.ToolUse != nil:
		d.args(b.ToolUse.Input)
	case b.ReasoningContent != nil:
		d.reasoning(b.ReasoningContent)
	}
}

func (d *eventDecoder) reasoning(r *wire.ReasoningDelta) {
	if r.Text != nil {
		d.text(llm.ChunkReasoning, *r.Text)
	}
	if r.Signature != nil {
		d.text(llm.ChunkSignature, *r.Signature)
	}
	if len(r.RedactedContent) > 0 {
		d.text(llm.ChunkRedacted, base64.StdEncoding.EncodeToString(r.RedactedContent))
	}
}

func (d *eventDecoder) text(k llm.ChunkKind, s string) {
	if s != "" {
		d.emit(llm.Chunk{Kind: k, Text: s})
	}
}

func (d *eventDecoder) args(s string) {
	if s == "" || !d.open.tool {
		return
	}
	d.open.args = true
	if d.open.answer {
		d.emit(llm.Chunk{Kind: llm.ChunkText, Text: s})
		return
	}
	d.emit(llm.Chunk{Kind: llm.ChunkToolArgs, Index: d.calls - 1, Text: s})
}

// closeBlock ends the block. A tool called without input streams no fragment at all; its arguments are then {}.
func (d *eventDecoder) closeBlock() {
	if d.open.tool && !d.open.args {
		d.args("{}")
	}
	d.open = openBlock{}
	d.emit(llm.Chunk{Kind: llm.ChunkBlockEnd})
}

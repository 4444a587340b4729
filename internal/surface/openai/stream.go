package openai

import (
	"strconv"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
	"weir/internal/wire/sse"
)

// codec writes one stream of chat.completion.chunk events. Chunks are put together as text: a stream has thousands,
// and they differ in their delta only.
type codec struct {
	model        string
	includeUsage bool
	created      int64

	head       []byte // `data: {"id":…,"model":…,"choices":`
	tail       []byte // after the choices, to the end of the event
	translated bool   // chunks of this stream are made here, so its end is too
	usage      llm.Usage
	openTool   int  // the call that is being written; -1 = none
	toolArgs   bool // it has had arguments
}

var _ gateway.StreamCodec = (*codec)(nil)

func newCodec(model string, includeUsage bool, created int64) *codec {
	return &codec{model: model, includeUsage: includeUsage, created: created, openTool: -1}
}

// ContentType implements gateway.StreamCodec.
func (c *codec) ContentType() string { return "text/event-stream; charset=utf-8" }

// KeepAlive implements gateway.StreamCodec: a comment.
func (c *codec) KeepAlive() []byte { return []byte(": keep-alive\n\n") }

// Append implements gateway.StreamCodec.
func (c *codec) Append(dst []byte, f gateway.Frame) ([]byte, error) {
	if f.Data != nil {
		return sse.AppendEvent(dst, "", f.Data), nil
	}
	for _, ch := range f.Chunks {
		dst = c.chunk(dst, ch)
	}
	return dst, nil
}

func (c *codec) chunk(dst []byte, ch llm.Chunk) []byte {
	switch ch.Kind {
	case llm.ChunkStart:
		c.usage = c.usage.Merge(ch.Usage)
		return c.begin(dst, ch.ID)
	case llm.ChunkUsage:
		c.usage = c.usage.Merge(ch.Usage)
		return dst
	}
	dst = c.begin(dst, "")
	switch ch.Kind {
	case llm.ChunkText:
		if ch.Text != "" {
			dst = c.delta(c.fillArgs(dst), `"content":`, ch.Text, ``)
		}
	case llm.ChunkReasoning:
		if ch.Text != "" {
			dst = append(c.open(c.fillArgs(dst)), `"reasoning_content":`...)
			dst = gjson.AppendJSONString(dst, ch.Text)
			dst = append(dst, `,"thinking_blocks":[{"type":"thinking","thinking":`...)
			dst = gjson.AppendJSONString(dst, ch.Text)
			dst = c.close(append(dst, `}]`...), "")
		}
	case llm.ChunkSignature:
		dst = c.delta(dst, `"thinking_blocks":[{"type":"thinking","thinking":"","signature":`, ch.Text, `}]`)
	case llm.ChunkRedacted:
		dst = c.delta(dst, `"thinking_blocks":[{"type":"redacted_thinking","data":`, ch.Text, `}]`)
	case llm.ChunkToolStart:
		dst = c.toolStart(c.fillArgs(dst), ch)
	case llm.ChunkToolArgs:
		if ch.Text != "" {
			c.toolArgs = c.toolArgs || ch.Index == c.openTool
			dst = c.args(dst, ch.Index, ch.Text)
		}
	case llm.ChunkBlockEnd:
		dst = c.fillArgs(dst)
	case llm.ChunkFinish:
		dst = c.finish(c.fillArgs(dst), ch)
	}
	return dst
}

// begin writes the first event, with the role, once.
func (c *codec) begin(dst []byte, id string) []byte {
	if c.translated {
		return dst
	}
	c.translated = true
	c.head = append(c.head, `data: {"id":`...)
	c.head = gjson.AppendJSONString(c.head, completionID(id))
	c.head = append(c.head, `,"object":"chat.completion.chunk","created":`...)
	c.head = strconv.AppendInt(c.head, c.created, 10)
	c.head = append(c.head, `,"model":`...)
	c.head = append(gjson.AppendJSONString(c.head, c.model), `,"choices":`...)
	c.tail = []byte("}\n\n")
	if c.includeUsage {
		c.tail = []byte(`,"usage":null` + "}\n\n")
	}
	return c.delta(dst, `"role":"assistant","content":`, "", "")
}

func (c *codec) open(dst []byte) []byte {
	return append(append(dst, c.head...), `[{"index":0,"delta":{`...)
}

// close ends the delta; finish is the reason as JSON, "" for null.
func (c *codec) close(dst []byte, finish string) []byte {
	if finish == "" {
		finish = "null"
	}
	dst = append(dst, `},"finish_reason":`...)
	dst = append(append(dst, finish...), `}]`...)
	return append(dst, c.tail...)
}

// delta writes one event whose delta is a text between two pieces of JSON.
func (c *codec) delta(dst []byte, before, text, after string) []byte {
	dst = append(c.open(dst), before...)
	dst = gjson.AppendJSONString(dst, text)
	return c.close(append(dst, after...), "")
}

func (c *codec) toolStart(dst []byte, ch llm.Chunk) []byte {
	c.openTool, c.toolArgs = ch.Index, false
	dst = append(c.open(dst), `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(ch.Index), 10)
	dst = append(dst, `,"id":`...)
	dst = gjson.AppendJSONString(dst, ch.ToolID)
	dst = append(dst, `,"type":"function","function":{"name":`...)
	dst = gjson.AppendJSONString(dst, ch.ToolName)
	return c.close(append(dst, `,"arguments":""}}]`...), "")
}

func (c *codec) args(dst []byte, index int, text string) []byte {
	dst = append(c.open(dst), `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	dst = append(dst, `,"function":{"arguments":`...)
	dst = gjson.AppendJSONString(dst, text)
	return c.close(append(dst, `}}]`...), "")
}

// fillArgs gives a call that had no arguments an empty object: clients parse what they have put together.
func (c *codec) fillArgs(dst []byte) []byte {
	if c.openTool >= 0 && !c.toolArgs {
		dst = c.args(dst, c.openTool, "{}")
	}
	c.openTool = -1
	return dst
}

func (c *codec) finish(dst []byte, ch llm.Chunk) []byte {
	reason := ch.Finish
	if reason == "" {
		reason = llm.FinishStop
	}
	return c.close(c.open(dst), `"`+string(reason)+`"`)
}

// AppendError implements gateway.StreamCodec: official clients raise on any event with an error member. There is no
// [DONE] after it.
func (c *codec) AppendError(dst []byte, err error) []byte {
	return sse.AppendEvent(dst, "", jsonx.MustMarshal(wire.ErrorEnvelope{Error: errorBody(err)}))
}

// AppendEnd implements gateway.StreamCodec.
func (c *codec) AppendEnd(dst []byte) []byte {
	if c.translated && c.includeUsage {
		dst = append(append(dst, c.head...), `[],"usage":`...)
		dst = append(append(dst, jsonx.MustMarshal(wire.UsageOf(c.usage))...), "}\n\n"...)
	}
	return sse.AppendEvent(dst, "", []byte(wire.Done))
}

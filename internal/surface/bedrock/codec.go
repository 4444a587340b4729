package bedrock

import (
	"bytes"
	"encoding/base64"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"
	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// codec frames Messages events as AWS event stream chunks. The last one carries the invocation metrics.
type codec struct {
	enc     *wire.StreamEncoder
	frames  *eventstream.Encoder
	out     bytes.Buffer
	native  bool
	start   time.Time
	first   time.Duration
	usage   llm.Usage
	failure error
}

var _ gateway.StreamCodec = (*codec)(nil)

func newCodec(model string, start time.Time) *codec {
	c := &codec{frames: eventstream.NewEncoder(), start: start}
	c.enc = wire.NewStreamEncoder(model, c.event)
	return c
}

func (c *codec) ContentType() string { return "application/vnd.amazon.eventstream" }

func (c *codec) Append(dst []byte, f gateway.Frame) ([]byte, error) {
	c.watch(f.Chunks)
	if f.Data != nil {
		c.native = true
		c.event(f.Event, f.Data)
		return c.take(dst)
	}
	for _, chunk := range f.Chunks {
		c.enc.Add(chunk)
	}
	return c.take(dst)
}

func (c *codec) watch(chunks []llm.Chunk) {
	for _, chunk := range chunks {
		c.usage = c.usage.Merge(chunk.Usage)
		if c.first == 0 && chunk.IsContent() {
			c.first = time.Since(c.start)
		}
	}
}

// AppendError sends an exception, after which clients read no further.
func (c *codec) AppendError(dst []byte, err error) []byte {
	w := describe(err)
	c.write([][2]string{
		{eventstreamapi.MessageTypeHeader, eventstreamapi.ExceptionMessageType},
		{eventstreamapi.ExceptionTypeHeader, w.inStream}, {eventstreamapi.ContentTypeHeader, "application/json"},
	}, jsonx.MustMarshal(body{w.message}))
	dst, _ = c.take(dst) // a frame that cannot be written leaves only the cut
	return dst
}

// AppendEnd ends a stream made of chunks; an upstream's own has brought its end.
func (c *codec) AppendEnd(dst []byte) []byte {
	if !c.native {
		c.enc.End()
	}
	dst, _ = c.take(dst)
	return dst
}

// KeepAlive is nil: clients take every frame for an event.
func (c *codec) KeepAlive() []byte { return nil }

type payload struct {
	Bytes string `json:"bytes"`
}

// event frames one Messages event. Bedrock sends no pings.
func (c *codec) event(name string, data []byte) {
	switch name {
	case "ping":
		return
	case "message_stop":
		data = c.withMetrics(data)
	}
	c.write([][2]string{
		{eventstreamapi.EventTypeHeader, "chunk"}, {eventstreamapi.ContentTypeHeader, "application/json"},
		{eventstreamapi.MessageTypeHeader, eventstreamapi.EventMessageType},
	}, jsonx.MustMarshal(payload{base64.StdEncoding.EncodeToString(data)}))
}

const metricsField = "amazon-bedrock-invocationMetrics"

type metrics struct {
	Input      int64 `json:"inputTokenCount"`
	Output     int64 `json:"outputTokenCount"`
	Latency    int64 `json:"invocationLatency"`
	FirstByte  int64 `json:"firstByteLatency"`
	CacheRead  int64 `json:"cacheReadInputTokenCount"`
	CacheWrite int64 `json:"cacheWriteInputTokenCount"`
}

func (c *codec) withMetrics(data []byte) []byte {
	if gjson.GetBytes(data, metricsField).Exists() {
		return data
	}
	m := metrics{
		Input: c.usage.Input, Output: c.usage.Output, CacheRead: c.usage.CacheRead, CacheWrite: c.usage.CacheWrite + c.usage.CacheWrite1h,
		Latency: time.Since(c.start).Milliseconds(), FirstByte: c.first.Milliseconds(),
	}
	return wire.PatchNative(data, wire.Patch{Set: []wire.Field{{Name: metricsField, Raw: jsonx.MustMarshal(m)}}})
}

func (c *codec) write(headers [][2]string, payload []byte) {
	m := eventstream.Message{Payload: payload}
	for _, h := range headers {
		m.Headers.Set(h[0], eventstream.StringValue(h[1]))
	}
	if err := c.frames.Encode(&c.out, m); err != nil && c.failure == nil {
		c.failure = err
	}
}

func (c *codec) take(dst []byte) ([]byte, error) {
	dst = append(dst, c.out.Bytes()...)
	c.out.Reset()
	return dst, c.failure
}

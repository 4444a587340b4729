package anthropic

import (
	"weir/internal/gateway"
	"weir/internal/jsonx"
	wire "weir/internal/wire/anthropic"
	"weir/internal/wire/sse"
)

// codec writes a stream as server-sent events: an upstream's own, or made of chunks.
type codec struct {
	enc    *wire.StreamEncoder
	dst    []byte
	native bool
	id     string
}

var _ gateway.StreamCodec = (*codec)(nil)

func newCodec(a *gateway.Answer) *codec {
	c := &codec{id: requestID(a.Trace)}
	c.enc = wire.NewStreamEncoder(a.Model, func(event string, data []byte) { c.dst = sse.AppendEvent(c.dst, event, data) })
	return c
}

func (c *codec) ContentType() string { return "text/event-stream; charset=utf-8" }

func (c *codec) Append(dst []byte, f gateway.Frame) ([]byte, error) {
	if f.Data != nil {
		c.native = true
		return sse.AppendEvent(dst, f.Event, f.Data), nil
	}
	c.dst = dst
	for _, chunk := range f.Chunks {
		c.enc.Add(chunk)
	}
	return c.take(), nil
}

func (c *codec) AppendError(dst []byte, err error) []byte {
	_, detail := describe(err)
	return sse.AppendEvent(dst, "error", jsonx.MustMarshal(wire.Failure{Type: "error", Error: detail, RequestID: c.id}))
}

// AppendEnd ends a stream made of chunks; an upstream's own has brought its end.
func (c *codec) AppendEnd(dst []byte) []byte {
	if c.native {
		return dst
	}
	c.dst = dst
	c.enc.End()
	return c.take()
}

func (c *codec) KeepAlive() []byte { return []byte("event: ping\ndata: {\"type\": \"ping\"}\n\n") }

func (c *codec) take() []byte {
	dst := c.dst
	c.dst = nil
	return dst
}

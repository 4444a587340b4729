package otlp

import (
	"strconv"

	"github.com/VictoriaMetrics/easyproto"

	"weir/internal/jsonx"
)

// Partial is what an answer says about the part of a request that was refused. The zero value is full success.
type Partial struct {
	Rejected int64
	Message  string
}

// counted names the number in JSON.
var counted = map[Signal]string{Traces: "rejectedSpans", LogRecords: "rejectedLogRecords", Metrics: "rejectedDataPoints"}

var marshalers easyproto.MarshalerPool

// Proto is an Export…ServiceResponse, the same for all signals.
func (p Partial) Proto() []byte {
	if p == (Partial{}) {
		return nil
	}
	m := marshalers.Get()
	defer marshalers.Put(m)
	part := m.MessageMarshaler().AppendMessage(1)
	if p.Rejected != 0 {
		part.AppendInt64(1, p.Rejected)
	}
	part.AppendString(2, p.Message)
	return m.Marshal(nil)
}

// JSON is the same in JSON; 64-bit numbers are text there.
func (p Partial) JSON(s Signal) []byte {
	if p == (Partial{}) {
		return []byte("{}")
	}
	inner := map[string]any{"errorMessage": p.Message}
	if p.Rejected != 0 {
		inner[counted[s]] = strconv.FormatInt(p.Rejected, 10)
	}
	return jsonx.MustMarshal(map[string]any{"partialSuccess": inner})
}

// StatusProto is a google.rpc.Status.
func StatusProto(code int32, message string) []byte {
	m := marshalers.Get()
	defer marshalers.Put(m)
	mm := m.MessageMarshaler()
	mm.AppendInt32(1, code)
	mm.AppendString(2, message)
	return m.Marshal(nil)
}

// StatusJSON is the same in JSON.
func StatusJSON(code int32, message string) []byte {
	return jsonx.MustMarshal(struct {
		Code    int32  `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

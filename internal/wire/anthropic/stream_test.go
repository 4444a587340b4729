package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/sse"
)

// events are the data of a fixture's events.
func events(t testing.TB, file string) (out [][]byte) {
	t.Helper()
	r := sse.NewReader(strings.NewReader(string(fixtures(t, "streams")[file])), 1<<20)
	for {
		e, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, append([]byte(nil), e.Data...))
	}
}

func fold(t *testing.T, events [][]byte, undo Undo) llm.Response {
	t.Helper()
	d, f := NewStreamDecoder("p", undo), llm.Fold{}
	for _, e := range events {
		chunks, err := d.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			f.Add(c)
		}
	}
	if !d.Done() {
		t.Error("the stream has not ended")
	}
	return f.Response()
}

func want() llm.Response {
	return llm.Response{
		ID: "msg_1", Model: "claude-x", Finish: llm.FinishToolCalls, RawFinish: "tool_use",
		Usage: llm.Usage{Input: 10, CacheRead: 2000, CacheWrite: 100, CacheWrite1h: 200, Output: 77},
		Parts: []llm.Part{
			{Kind: llm.Reasoning, Text: "Let me see.", Signature: "c2ln"}, {Kind: llm.Reasoning, Redacted: "b3BhcXVl"},
			{Kind: llm.Text, Text: "Hello 日本"}, callPart("toolu_1", "Write", `{"path": "a\nb"}`), callPart("toolu_2", "Now", "{}"),
		},
	}
}

func TestStreamDecoder(t *testing.T) {
	if d := cmp.Diff(want(), fold(t, events(t, "agent.sse"), Undo{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestToolIndexesAreDense(t *testing.T) {
	d := NewStreamDecoder("p", Undo{})
	var got []int
	for _, e := range events(t, "agent.sse") {
		chunks, _ := d.Decode(e)
		for _, c := range chunks {
			if c.Kind == llm.ChunkToolStart {
				got = append(got, c.Index)
			}
		}
	}
	if d := cmp.Diff([]int{0, 1}, got); d != "" {
		t.Error(d)
	}
}

// TestStreamRoundTrip encodes what was decoded and decodes it again.
func TestStreamRoundTrip(t *testing.T) {
	d := NewStreamDecoder("p", Undo{})
	var chunks []llm.Chunk
	for _, e := range events(t, "agent.sse") {
		cs, err := d.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, cs...)
	}
	out := encodeChunks(t, "as", chunks)
	w := want()
	w.Model = "as"
	if d := cmp.Diff(w, fold(t, out, Undo{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := gjson.GetBytes(out[0], "message.usage").Raw; got != `{"input_tokens":10,"cache_creation_input_tokens":300,"cache_read_input_tokens":2000,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens":1}` {
		t.Errorf("usage of message_start: %s", got)
	}
}

// encodeChunks checks the order of events on the way.
func encodeChunks(t testing.TB, model string, chunks []llm.Chunk) (out [][]byte) {
	t.Helper()
	var names []string
	e := NewStreamEncoder(model, func(event string, data []byte) {
		if !json.Valid(data) || gjson.GetBytes(data, "type").Str != event {
			t.Errorf("event %s: %s", event, data)
		}
		names = append(names, event)
		out = append(out, append([]byte(nil), data...))
	})
	for _, c := range chunks {
		e.Add(c)
	}
	e.End()
	checkOrder(t, out)
	return out
}

// checkOrder is the grammar: start, (block start, deltas of its kind, block stop)*, delta, stop.
func checkOrder(t testing.TB, events [][]byte) {
	t.Helper()
	deltas := map[string]string{"text": "text_delta", "thinking": "thinking_delta signature_delta", "tool_use": "input_json_delta"}
	open, index := "", int64(0)
	for i, e := range events {
		v := gjson.ParseBytes(e)
		kind := v.Get("type").Str
		bad := false
		switch kind {
		case "message_start":
			bad = i != 0
		case "content_block_start":
			bad = open != "" || v.Get("index").Int() != index
			open = v.Get("content_block.type").Str
		case "content_block_delta":
			bad = open == "" || !strings.Contains(deltas[open], v.Get("delta.type").Str) || v.Get("index").Int() != index
		case "content_block_stop":
			bad = open == "" || v.Get("index").Int() != index
			open = ""
			index++
		case "message_delta":
			bad = open != "" || i != len(events)-2
		case "message_stop":
			bad = i != len(events)-1
		}
		if bad {
			t.Errorf("event %d out of order: %s", i, e)
		}
	}
}

func TestStreamEncoderSortsParallelTools(t *testing.T) {
	start := func(i int) llm.Chunk {
		return llm.Chunk{Kind: llm.ChunkToolStart, Index: i, ToolID: fmt.Sprint("id", i), ToolName: fmt.Sprint("t", i)}
	}
	args := func(i int, s string) llm.Chunk { return llm.Chunk{Kind: llm.ChunkToolArgs, Index: i, Text: s} }
	end := []llm.Chunk{{Kind: llm.ChunkFinish, Finish: llm.FinishToolCalls}, {Kind: llm.ChunkUsage, Usage: llm.Usage{Input: 1, Output: 2}}}
	wantParts := []llm.Part{callPart("id0", "t0", `{"a":1}`), callPart("id1", "t1", `{"b":2}`), callPart("id2", "t2", "{}")}
	for name, chunks := range map[string][]llm.Chunk{
		"in a row":     {start(0), args(0, `{"a"`), args(0, `:1}`), start(1), args(1, `{"b":2}`), start(2)},
		"side by side": {start(0), start(1), args(0, `{"a"`), args(1, `{"b"`), start(2), args(1, `:2}`), args(0, `:1}`)},
		"last first":   {start(0), start(1), start(2), args(1, `{"b":2}`), args(0, `{"a":1}`)},
	} {
		t.Run(name, func(t *testing.T) {
			r := fold(t, encodeChunks(t, "m", append(chunks, end...)), Undo{})
			if d := cmp.Diff(wantParts, r.Parts); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if r.RawFinish != "tool_use" || r.Usage != (llm.Usage{Input: 1, Output: 2}) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestStreamEncoderWithoutContent(t *testing.T) {
	out := encodeChunks(t, "m", nil)
	if len(out) != 3 || gjson.GetBytes(out[1], "delta.stop_reason").Str != "end_turn" {
		t.Errorf("%s", out)
	}
}

func TestStreamErrors(t *testing.T) {
	d := NewStreamDecoder("p", Undo{})
	_, err := d.Decode([]byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`))
	var e *llm.Error
	if !errors.As(err, &e) || e.Status != 529 || e.Type != "overloaded_error" || e.Message != "Overloaded" || !e.Retryable() {
		t.Errorf("%+v", e)
	}
	for _, garbage := range []string{"", "{", `{"type":`, "x"} {
		if _, err := d.Decode([]byte(garbage)); !errors.As(err, &e) || e.Type != llm.TypeMalformed {
			t.Errorf("%q: %v", garbage, err)
		}
	}
	for _, odd := range []string{"null", "[]", `{"type":"new_event"}`, `{"type":7}`, `{"type":"content_block_stop"}`, `{"type":"content_block_delta"}`} {
		if _, err := d.Decode([]byte(odd)); err != nil {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

func TestInvocationMetricsNeverCountTwice(t *testing.T) {
	metrics := `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":77,"cacheReadInputTokenCount":2000,"cacheWriteInputTokenCount":300}}`
	es := events(t, "agent.sse")
	es[len(es)-1] = []byte(metrics)
	if got := fold(t, es, Undo{}).Usage; got != want().Usage {
		t.Errorf("beside the stream's own usage: %+v", got)
	}
	if got, w := fold(t, [][]byte{[]byte(metrics)}, Undo{}).Usage, (llm.Usage{Input: 10, Output: 77, CacheRead: 2000, CacheWrite: 300}); got != w {
		t.Errorf("alone: %+v", got)
	}
}

func TestSchemaToolIsUnwrapped(t *testing.T) {
	undo := Undo{schema: "json_tool_call", names: map[string]string{}}
	body := `{"id":"msg_1","content":[{"type":"tool_use","id":"t","name":"json_tool_call","input":{"b":1,"a":2}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}`
	r, err := DecodeResponse("p", []byte(body), undo)
	if err != nil {
		t.Fatal(err)
	}
	w := []llm.Part{{Kind: llm.Text, Text: `{"b":1,"a":2}`}}
	if d := cmp.Diff(w, r.Parts); d != "" || r.Finish != llm.FinishStop {
		t.Error(d, r.Finish)
	}
	s := fold(t, [][]byte{
		[]byte(`{"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"json_tool_call","input":{}}}`),
		[]byte(`{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"b\":1,"}}`),
		[]byte(`{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"\"a\":2}"}}`),
		[]byte(`{"type":"content_block_stop"}`), []byte(`{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`), []byte(`{"type":"message_stop"}`),
	}, undo)
	if d := cmp.Diff(w, s.Parts); d != "" || s.Finish != llm.FinishStop {
		t.Error(d, s.Finish)
	}
}

func TestResponseRoundTrip(t *testing.T) {
	w := want()
	body, err := EncodeResponse(&w, "claude-x")
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeResponse("p", body, Undo{})
	if err != nil {
		t.Fatal(err)
	}
	w.Parts[3].Call.Args = string(jsonx.Compact([]byte(w.Parts[3].Call.Args)))
	if d := cmp.Diff(&w, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, bad := range []string{"", "{}", "<html>", `{"content":"x"}`, `{"content":[]`} {
		var e *llm.Error
		if _, err := DecodeResponse("p", []byte(bad), Undo{}); !errors.As(err, &e) || e.Type != llm.TypeMalformed {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestStopReasons(t *testing.T) {
	for _, c := range []struct {
		f                 llm.Finish
		raw, stop, reason string
	}{
		{llm.FinishStop, "end_turn", "", "end_turn"}, {llm.FinishStop, "stop", "", "end_turn"}, {llm.FinishStop, "stop", "END", "stop_sequence"},
		{llm.FinishStop, "pause_turn", "", "pause_turn"}, {llm.FinishLength, "length", "", "max_tokens"}, {llm.FinishToolCalls, "tool_calls", "", "tool_use"},
		{llm.FinishLength, "model_context_window_exceeded", "", "model_context_window_exceeded"}, {llm.FinishFilter, "guardrail_intervened", "", "refusal"},
		{llm.FinishStop, "tool_use", "", "end_turn"}, {"", "", "", "end_turn"},
	} {
		if got := stopReason(c.f, c.raw, c.stop); got != c.reason {
			t.Errorf("%s/%s/%s: %s, want %s", c.f, c.raw, c.stop, got, c.reason)
		}
	}
}

func TestDecodeFailure(t *testing.T) {
	for body, w := range map[string][2]string{
		`{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}`: {"invalid_request_error", "prompt is too long"},
		`{"message":"Input is too long"}`: {"invalid_request_error", "Input is too long"},
		`{"error":"plain"}`:               {"invalid_request_error", "plain"},
		`<html>`:                          {"invalid_request_error", "Bad Request"},
		``:                                {"invalid_request_error", "Bad Request"},
	} {
		if e := DecodeFailure("p", 400, []byte(body)); e.Type != w[0] || e.Message != w[1] {
			t.Errorf("%s: %s %s", body, e.Type, e.Message)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add(fixtures(f, "streams")["agent.sse"])
	f.Fuzz(func(t *testing.T, data []byte) {
		r := sse.NewReader(strings.NewReader(string(data)), 1<<16)
		d := NewStreamDecoder("p", Undo{})
		var chunks []llm.Chunk
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			cs, err := d.Decode(e.Data)
			if err != nil {
				break
			}
			chunks = append(chunks, cs...)
		}
		encodeChunks(t, "m", chunks)
	})
}

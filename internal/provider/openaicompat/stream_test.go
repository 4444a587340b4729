package openaicompat

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/gateway"
	"weir/internal/llm"
	"weir/internal/wire/sse"
)

func ev(payloads ...string) string {
	var b []byte
	for _, p := range payloads {
		b = sse.AppendEvent(b, "", []byte(p))
	}
	return string(b)
}

func step(d string) string {
	return `{"id":"c1","object":"chat.completion.chunk","model":"real-2","choices":[{"index":0,"delta":` + d + `,"finish_reason":null}]}`
}

func finish(reason string) string {
	return `{"id":"c1","model":"real-2","choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

const usageChunk = `{"id":"c1","model":"real-2","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4}}}`

// transport answers with a body, without a network.
type transport struct {
	body io.ReadCloser
	kind string
}

func (tr transport) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {tr.kind}}, Body: tr.body}, nil
}

func open(t testing.TB, body io.Reader, a *gateway.Attempt) gateway.FrameReader {
	t.Helper()
	u, err := New(gateway.Target{Provider: Generic, Model: "real", BaseURL: "http://example.com"},
		gateway.Env{HTTP: &http.Client{Transport: transport{io.NopCloser(body), "text/event-stream"}}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := u.Chat(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return res.Stream
}

type read struct {
	data   []string
	chunks []llm.Chunk
	err    error
}

func drain(s gateway.FrameReader) (out read) {
	defer s.Close()
	for {
		f, err := s.Next()
		if err != nil {
			out.err = err
			return out
		}
		if f.Data != nil {
			out.data = append(out.data, string(f.Data))
		}
		out.chunks = append(out.chunks, f.Chunks...)
	}
}

var start = llm.Chunk{Kind: llm.ChunkStart, ID: "c1", Model: "real-2"}

func text(s string) llm.Chunk { return llm.Chunk{Kind: llm.ChunkText, Text: s} }

func TestStreamChunks(t *testing.T) {
	done := llm.Chunk{Kind: llm.ChunkFinish, Finish: llm.FinishStop, RawFinish: "stop"}
	called := llm.Chunk{Kind: llm.ChunkFinish, Finish: llm.FinishToolCalls, RawFinish: "tool_calls"}
	tool := func(i int, id, name string) llm.Chunk {
		return llm.Chunk{Kind: llm.ChunkToolStart, Index: i, ToolID: id, ToolName: name}
	}
	args := func(i int, s string) llm.Chunk { return llm.Chunk{Kind: llm.ChunkToolArgs, Index: i, Text: s} }
	reason := func(s string) llm.Chunk { return llm.Chunk{Kind: llm.ChunkReasoning, Text: s} }
	for _, c := range []struct {
		name string
		in   string
		want []llm.Chunk
		kind string // of the error that ends it; "" = EOF
	}{
		{name: "text", in: ev(step(`{"role":"assistant","content":""}`), step(`{"content":"h\u00e9"}`), step(`{"content":"y","refusal":null}`), finish("stop"), usageChunk, "[DONE]"),
			want: []llm.Chunk{start, text("hé"), text("y"), done, {Kind: llm.ChunkUsage, Usage: llm.Usage{Input: 6, CacheRead: 4, Output: 2}}}},
		{name: "spaces", in: "data:   " + step(`{"content":"x"}`) + " \n\ndata:  " + finish("stop") + "\n\ndata:  [DONE] \n\n", want: []llm.Chunk{start, text("x"), done}},
		{name: "no [DONE]", in: ev(step(`{"content":"x"}`), finish("stop")), want: []llm.Chunk{start, text("x"), done}},
		{name: "no finish but [DONE]", in: ev(step(`{"content":"x"}`), "[DONE]"), want: []llm.Chunk{start, text("x")}},
		{name: "nothing after [DONE]", in: ev(finish("stop"), "[DONE]", "garbage"), want: []llm.Chunk{start, done}},
		{name: "cut", in: ev(step(`{"content":"x"}`)), want: []llm.Chunk{start, text("x")}, kind: llm.TypeCut},
		{name: "nothing", in: "", kind: llm.TypeCut},
		{name: "comments", in: ": ping\n\n" + ev(step(`{"content":"x"}`)) + ": ping\n\n" + ev(finish("length")),
			want: []llm.Chunk{start, text("x"), {Kind: llm.ChunkFinish, Finish: llm.FinishLength, RawFinish: "length"}}},
		{name: "garbage", in: ev(step(`{"content":"x"}`), "garbage"), want: []llm.Chunk{start, text("x")}, kind: llm.TypeMalformed},
		{name: "half an event", in: ev(step(`{"content":"x"}`)) + `data: {"choices":[{"del`, want: []llm.Chunk{start, text("x")}, kind: llm.TypeMalformed},
		{name: "no object", in: ev(`"text"`), kind: llm.TypeMalformed},
		{name: "invalid UTF-8", in: ev(step("{\"content\":\"\xff\"}")), kind: llm.TypeMalformed},
		{name: "html", in: "<html>\n\n", kind: llm.TypeCut},
		{name: "error", in: ev(step(`{"content":"x"}`), `{"error":{"message":"m","type":"server_error"}}`), want: []llm.Chunk{start, text("x")}, kind: "server_error"},
		{name: "named error", in: "event: error\ndata: {\"message\":\"m\",\"type\":\"overloaded_error\"}\n\n", kind: "overloaded_error"},
		{name: "reasoning", in: ev(step(`{"reasoning_content":"a","reasoning":"a","content":""}`), step(`{"reasoning":"b"}`), step(`{"content":"x"}`), finish("stop")),
			want: []llm.Chunk{start, reason("a"), reason("b"), text("x"), done}},
		{name: "thinking blocks", in: ev(step(`{"reasoning_content":"a","thinking_blocks":[{"type":"thinking","thinking":"a","signature":null}]}`),
			step(`{"reasoning_content":"","thinking_blocks":[{"type":"thinking","thinking":"","signature":"s"}]}`), step(`{"thinking_blocks":[{"type":"redacted_thinking","data":"r"}]}`), finish("stop")),
			want: []llm.Chunk{start, reason("a"), {Kind: llm.ChunkSignature, Text: "s"}, {Kind: llm.ChunkRedacted, Text: "r"}, done}},
		{name: "parts", in: ev(step(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},{"type":"text","text":"x"}]}`), finish("stop")),
			want: []llm.Chunk{start, reason("a"), text("x"), done}},
		{name: "tools", in: ev(step(`{"tool_calls":[{"index":3,"id":"t1","type":"function","function":{"name":"f","arguments":""}}]}`), step(`{"tool_calls":[{"index":3,"function":{"arguments":"{\"a\""}}]}`),
			step(`{"tool_calls":[{"index":3,"function":{"arguments":":1}"}},{"index":7,"id":"t2","function":{"name":"g","arguments":"{}"}}]}`), finish("tool_calls")),
			want: []llm.Chunk{start, tool(0, "t1", "f"), args(0, `{"a"`), args(0, `:1}`), tool(1, "t2", "g"), args(1, "{}"), called}},
		{name: "every call has index 0", in: ev(step(`{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{}"}}]}`), step(`{"tool_calls":[{"index":0,"id":"t2","function":{"name":"f","arguments":"{}"}}]}`), finish("stop")),
			want: []llm.Chunk{start, tool(0, "t1", "f"), args(0, "{}"), tool(1, "t2", "f"), args(1, "{}"), {Kind: llm.ChunkFinish, Finish: llm.FinishToolCalls, RawFinish: "stop"}}},
		{name: "id repeated", in: ev(step(`{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{"}}]}`), step(`{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"}"}}]}`), finish("tool_calls")),
			want: []llm.Chunk{start, tool(0, "t1", "f"), args(0, "{"), args(0, "}"), called}},
		{name: "no index", in: ev(step(`{"tool_calls":[{"id":"t1","function":{"name":"f","arguments":"{"}}]}`), step(`{"tool_calls":[{"function":{"arguments":"}"}}]}`), finish("tool_calls")),
			want: []llm.Chunk{start, tool(0, "t1", "f"), args(0, "{"), args(0, "}"), called}},
		{name: "object arguments", in: ev(step(`{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":{"a":1}}}]}`), finish("tool_calls")),
			want: []llm.Chunk{start, tool(0, "t1", "f"), args(0, `{"a":1}`), called}},
		{name: "other choices", in: ev(`{"id":"c1","model":"real-2","choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"x"}}]}`, finish("stop")), want: []llm.Chunk{start, text("x"), done}},
		{name: "azure", in: ev(`{"id":"c1","model":"real-2","choices":[],"prompt_filter_results":[]}`, `{"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{}}]}`, step(`{"content":"x"}`), finish("stop")),
			want: []llm.Chunk{start, text("x"), done}},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := drain(open(t, strings.NewReader(c.in), native(ask, true)))
			for name, r := range map[string]read{"whole": whole, "bytewise": drain(open(t, iotest.OneByteReader(strings.NewReader(c.in)), native(ask, true)))} {
				if diff := cmp.Diff(c.want, r.chunks); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				if c.kind == "" && r.err != io.EOF {
					t.Errorf("%s: ended by %v", name, r.err)
				}
				if c.kind != "" && wantError(t, r.err).Type != c.kind {
					t.Errorf("%s: ended by %#v", name, r.err)
				}
			}
		})
	}
}

func TestStreamNativeData(t *testing.T) {
	in := ev(step(`{"content":"x"}`), `{"model" : "m","future":{"model":"real-2"},"choices":[{"index":0,"delta":{"content":"y"},"finish_reason":"stop"}],"usage":null}`, usageChunk, "[DONE]")
	want := []string{strings.Replace(step(`{"content":"x"}`), "real-2", "m", 1), `{"model" : "m","future":{"model":"real-2"},"choices":[{"index":0,"delta":{"content":"y"},"finish_reason":"stop"}],"usage":null}`}
	if got := drain(open(t, strings.NewReader(in), native(ask, true))); !cmp.Equal(got.data, want) {
		t.Errorf("usage not asked for: %s", cmp.Diff(want, got.data))
	}
	asked := native(`{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}`, true)
	want = append(want, strings.Replace(usageChunk, "real-2", "m", 1))
	if got := drain(open(t, strings.NewReader(in), asked)); !cmp.Equal(got.data, want) {
		t.Errorf("usage asked for: %s", cmp.Diff(want, got.data))
	}
	if got := drain(open(t, strings.NewReader(in), &gateway.Attempt{Hub: &llm.Request{}, Stream: true})); got.data != nil || len(got.chunks) != 5 {
		t.Errorf("translated: %+v", got)
	}
}

// TestStreamCutEverywhere cuts a stream at every byte, cleanly and brutally: before the finish reason that is an error,
// never a short answer that looks whole.
func TestStreamCutEverywhere(t *testing.T) {
	in := ev(step(`{"content":"one"}`), step(`{"content":"two"}`), finish("stop"), usageChunk, "[DONE]")
	whole := strings.Index(in, `"stop"}]}`) + len(`"stop"}]}`)
	for n := range len(in) {
		for _, brutal := range []bool{false, true} {
			var r io.Reader = strings.NewReader(in[:n])
			enough := whole
			if brutal {
				r = io.MultiReader(r, iotest.ErrReader(io.ErrUnexpectedEOF))
				enough += len("\n\n") // an unfinished event is not trusted
			}
			got := drain(open(t, r, native(ask, true)))
			if n >= enough {
				if got.err != io.EOF {
					t.Fatalf("cut at %d after the end (brutal: %v): %v", n, brutal, got.err)
				}
				continue
			}
			if e := wantError(t, got.err); e.Type != llm.TypeCut && e.Type != llm.TypeMalformed {
				t.Fatalf("cut at %d (brutal: %v): %v", n, brutal, e)
			}
			if again := wantError(t, got.err); !again.Retryable() {
				t.Fatalf("cut at %d cannot be retried", n)
			}
		}
	}
}

func TestStreamEventTooLarge(t *testing.T) {
	got := drain(open(t, strings.NewReader("data: "+strings.Repeat("x", maxEvent+10)), native(ask, true)))
	if e := wantError(t, got.err); e.Type != llm.TypeMalformed {
		t.Errorf("got %v", e)
	}
}

func TestStreamStatusOfErrors(t *testing.T) {
	for in, want := range map[string]int{
		`{"error":{"message":"m","code":"context_length_exceeded"}}`: 400, `{"error":{"message":"m","code":503}}`: 503, `{"error":{"message":"m","type":"rate_limit_error"}}`: 429,
		`{"error":"m"}`: 0, `{"error":{"type":"server_error"}}`: 500, `{"error":{"code":"invalid_api_key"}}`: 401,
	} {
		e := wantError(t, drain(open(t, strings.NewReader(ev(in)), native(ask, true))).err)
		if e.Status != want || e.Message == "" || string(e.Body) != in {
			t.Errorf("%s: %+v", in, e)
		}
	}
}

func TestStreamBuffered(t *testing.T) {
	pr, pw := io.Pipe()
	s := open(t, pr, native(ask, true))
	defer s.Close()
	go pw.Write([]byte(ev(step(`{"content":"a"}`), step(`{"content":"b"}`))))
	if _, err := s.Next(); err != nil || !s.Buffered() {
		t.Fatalf("after the first of two: %v, buffered %v", err, s.Buffered())
	}
	if _, err := s.Next(); err != nil || s.Buffered() {
		t.Fatalf("after the second of two: %v, buffered %v", err, s.Buffered())
	}
	pw.CloseWithError(errors.New("broken"))
	if _, err := s.Next(); wantError(t, err).Type != llm.TypeUnreachable || !s.Buffered() {
		t.Fatalf("after the end: %v", err)
	}
}

func TestStreamAnsweredWhole(t *testing.T) {
	u := reach(t, gateway.Target{BaseURL: "http://example.com"})
	body := `{"id":"c1","model":"real-2","choices":[{"message":{"content":"hi","reasoning_content":"r","tool_calls":[{"id":"t","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`
	u.http = &http.Client{Transport: transport{io.NopCloser(strings.NewReader(body)), "application/json; charset=utf-8"}}
	res, err := u.Chat(t.Context(), native(ask, true))
	if err != nil {
		t.Fatal(err)
	}
	var f llm.Fold
	got := drain(res.Stream)
	for _, c := range got.chunks {
		f.Add(c)
	}
	r := f.Response()
	if got.err != io.EOF || len(r.Parts) != 3 || r.Parts[1].Text != "hi" || r.Parts[2].Call.Args != "{}" || r.Finish != llm.FinishToolCalls || r.Usage.Output != 1 {
		t.Errorf("%v %+v", got.err, r)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(ev(step(`{"content":"x"}`), finish("stop"), usageChunk, "[DONE]")))
	f.Add([]byte(ev(step(`{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}`), `{"error":"x"}`)))
	f.Add([]byte("event: error\ndata: {}\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a := drain(open(t, bytes.NewReader(in), native(ask, true)))
		b := drain(open(t, iotest.HalfReader(bytes.NewReader(in)), native(ask, true)))
		if !cmp.Equal(a.data, b.data) || len(a.chunks) != len(b.chunks) {
			t.Fatal("the split matters")
		}
		if a.err != io.EOF {
			wantError(t, a.err)
		}
		open := map[int]bool{}
		for _, c := range a.chunks {
			switch c.Kind {
			case llm.ChunkToolStart:
				if c.Index != len(open) || c.ToolID == "" {
					t.Fatalf("tool %d of %d", c.Index, len(open))
				}
				open[c.Index] = true
			case llm.ChunkToolArgs:
				if !open[c.Index] {
					t.Fatalf("arguments of a call that was not begun: %+v", c)
				}
			}
		}
	})
}

// BenchmarkDelta is the way of one text delta through the native path: framing, check, decoding, restamping.
func BenchmarkDelta(b *testing.B) {
	one := ev(`{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-2024-11-20","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}`)
	s := open(b, &endless{data: []byte(strings.Repeat(one, 100))}, native(ask, true))
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

type endless struct {
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.data[e.at:])
	e.at = (e.at + n) % len(e.data)
	return n, nil
}

func TestWatchStops(t *testing.T) {
	w := newWatch(t.Context(), time.Hour)
	w.stop()
	if w.ctx.Err() == nil || w.timedOut() {
		t.Error("a stopped watch is cancelled, and not for silence")
	}
}

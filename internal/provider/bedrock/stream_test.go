package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// fold decodes events as a stream would.
func fold(t *testing.T, d *eventDecoder, events ...[2]string) llm.Response {
	t.Helper()
	var f llm.Fold
	for _, e := range events {
		chunks, err := d.decode(e[0], []byte(e[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			f.Add(c)
		}
	}
	return f.Response()
}

// TestNamesComeBack takes the legal names that a request sent from an answer, whole and streamed.
func TestNamesComeBack(t *testing.T) {
	const ours = "mcp.files/read file"
	e, err := encodeFor(t, sonnet, false, llm.Request{Tools: []llm.Tool{{Name: ours}}, Messages: []llm.Message{user(text("hi"))}})
	if err != nil {
		t.Fatal(err)
	}
	sent := e.out.ToolConfig.Tools[0].ToolSpec.Name
	if sent == ours || !legalName.MatchString(sent) {
		t.Fatalf("sent as %q", sent)
	}
	r := fold(t, &eventDecoder{undo: e.undo()},
		[2]string{"contentBlockStart", `{"contentBlockIndex":7,"start":{"toolUse":{"toolUseId":"t1","name":"` + sent + `"}}}`},
		[2]string{"contentBlockStop", `{"contentBlockIndex":7}`}, [2]string{"messageStop", `{"stopReason":"tool_use"}`})
	if c := r.Parts[0].Call; c.Name != ours || c.Args != "{}" || r.Finish != llm.FinishToolCalls {
		t.Errorf("streamed: %+v %s", c, r.Finish)
	}
	whole, err := e.decode([]byte(`{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"` + sent + `","input":{}}}]}},"stopReason":"tool_use"}`))
	if err != nil {
		t.Fatal(err)
	}
	if whole.Parts[0].Call.Name != ours {
		t.Errorf("whole: %+v", whole.Parts[0].Call)
	}
}

// TestToolIndexesAreDense opens tool blocks between others: clients count calls, not blocks.
func TestToolIndexesAreDense(t *testing.T) {
	d := &eventDecoder{undo: undo{names: newNameMap(nil)}}
	var indexes []int
	for _, e := range [][2]string{
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`}, {"contentBlockStop", `{"contentBlockIndex":0}`},
		{"contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"a","name":"x"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{}"}}}`}, {"contentBlockStop", `{"contentBlockIndex":1}`},
		{"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"b"}}`}, {"contentBlockStop", `{"contentBlockIndex":2}`},
		{"contentBlockStart", `{"contentBlockIndex":5,"start":{"toolUse":{"toolUseId":"b","name":"y"}}}`}, {"contentBlockStop", `{"contentBlockIndex":5}`},
	} {
		chunks, err := d.decode(e[0], []byte(e[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			if c.Kind == llm.ChunkToolStart || c.Kind == llm.ChunkToolArgs {
				indexes = append(indexes, c.Index)
			}
		}
	}
	if got := string(mustJSON(indexes)); got != "[0,0,1,1]" {
		t.Errorf("indexes %s", got)
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// TestForcedAnswerIsText hides the tool that stands in for structured output.
func TestForcedAnswerIsText(t *testing.T) {
	e, err := encodeFor(t, older, false, llm.Request{Messages: []llm.Message{user(text("hi"))}, Format: &llm.Format{Type: "json_object"}})
	if err != nil {
		t.Fatal(err)
	}
	r := fold(t, &eventDecoder{undo: e.undo()},
		[2]string{"contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"` + e.answer + `"}}}`},
		[2]string{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":"}}}`},
		[2]string{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"1}"}}}`},
		[2]string{"contentBlockStop", `{"contentBlockIndex":0}`}, [2]string{"messageStop", `{"stopReason":"tool_use"}`})
	whole, err := e.decode([]byte(`{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"` + e.answer + `","input":{"a":1}}}]}},"stopReason":"tool_use"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []llm.Response{r, *whole} {
		if len(got.Parts) != 1 || got.Parts[0].Text != `{"a":1}` || got.Finish != llm.FinishStop || got.RawFinish != "tool_use" {
			t.Errorf("%+v", got)
		}
	}
}

func TestUsageSplit(t *testing.T) {
	for name, c := range map[string]struct {
		in   wire.Usage
		want llm.Usage
	}{
		"no details":    {wire.Usage{InputTokens: 1, CacheWriteInputTokens: 9}, llm.Usage{Input: 1, CacheWrite: 9}},
		"split":         {wire.Usage{CacheWriteInputTokens: 9, CacheDetails: []wire.CacheDetail{{TTL: "1h", InputTokens: 4}, {TTL: "5m", InputTokens: 5}}}, llm.Usage{CacheWrite: 5, CacheWrite1h: 4}},
		"details alone": {wire.Usage{CacheDetails: []wire.CacheDetail{{TTL: "1h", InputTokens: 4}, {TTL: "5m", InputTokens: 5}}}, llm.Usage{CacheWrite: 5, CacheWrite1h: 4}},
		"one hour only": {wire.Usage{CacheWriteInputTokens: 9, CacheDetails: []wire.CacheDetail{{TTL: "1h", InputTokens: 9}}}, llm.Usage{CacheWrite1h: 9}},
		"negative":      {wire.Usage{InputTokens: -5, OutputTokens: 3}, llm.Usage{Output: 3}},
	} {
		if got := usageOf(&c.in); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestExceptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		want   int
		retry  bool
		body   string
	}{
		{"ThrottlingException:http://internal.amazon.com/", 400, 429, true, `{"message":"slow"}`},
		{"throttlingException", 0, 429, true, `{"message":"slow"}`},
		{"com.amazon.coral.service#AccessDeniedException", 400, 403, false, `{"Message":"no"}`},
		{"ModelNotReadyException", 429, 429, true, `{"message":"wait"}`},
		{"ServiceQuotaExceededException", 429, 429, false, `{"message":"quota"}`},
		{"ServiceQuotaExceededException", 400, 400, false, `{"message":"quota"}`},
		{"ModelErrorException", 424, 424, true, `{"message":"x","originalStatusCode":500}`},
		{"ModelTimeoutException", 408, 408, true, `{"message":"x"}`},
		{"internalServerException", 0, 500, true, `{"message":"x"}`},
		{"somethingNewException", 0, 500, true, `{"message":"x"}`},
		{"", 503, 503, true, `<html>overloaded</html>`},
		{"", 400, 429, true, `{"__type":"com.amazon#ThrottlingException","message":"x"}`},
		{"", 302, 502, true, ``},
		{"ValidationException", 400, 400, false, ``},
	} {
		e := exception(c.name, "", []byte(c.body), c.status)
		if e.Status != c.want || e.Retryable() != c.retry || e.Message == "" {
			t.Errorf("%s %d: became %d %q, retryable %v", c.name, c.status, e.Status, e.Message, e.Retryable())
		}
	}
}

// FuzzStream feeds arbitrary payloads to the event decoder, in frames that are sound: no panic, errors of ours only,
// and a fold that can always be read.
func FuzzStream(f *testing.F) {
	for _, e := range converseWire().Events {
		fr, err := wire.NewFrameReader(bytes.NewReader(e), 0).Next()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(fr.Event, fr.Payload)
	}
	f.Fuzz(func(t *testing.T, event string, payload []byte) {
		d := &eventDecoder{undo: undo{names: newNameMap(nil), answer: "answer_in_json"}}
		var fold llm.Fold
		for range 3 { // state carries over
			chunks, err := d.decode(event, payload)
			var e *llm.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			for _, c := range chunks {
				fold.Add(c)
			}
		}
		fold.Response()
	})
}

func FuzzNames(f *testing.F) {
	f.Add("get weather", "get_weather", "読む")
	f.Add("", "a", "a b")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		m := newNameMap([]string{a, b, c, shorten(a, 0), shorten(b, 0)}) // the likeliest collisions
		seen := map[string]string{}
		for _, n := range []string{a, b, c, shorten(a, 0)} {
			w := m.to(n)
			if !legalName.MatchString(w) {
				t.Fatalf("%q became %q", n, w)
			}
			if m.from(w) != n {
				t.Fatalf("%q became %q, which is %q again", n, w, m.from(w))
			}
			if o, ok := seen[w]; ok && o != n {
				t.Fatalf("%q and %q are both %q", o, n, w)
			}
			if legalName.MatchString(n) && w != n {
				t.Fatalf("legal %q was changed", n)
			}
			seen[w] = n
		}
	})
}

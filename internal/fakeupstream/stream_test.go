package fakeupstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// frames decodes an event stream with the AWS decoder.
func frames(t *testing.T, body []byte) []eventstream.Message {
	t.Helper()
	var out []eventstream.Message
	for r := bytes.NewReader(body); ; {
		m, err := eventstream.NewDecoder().Decode(r, nil)
		if errors.Is(err, io.EOF) && r.Len() == 0 {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
}

func head(m eventstream.Message, name string) string {
	if v := m.Headers.Get(name); v != nil {
		return v.String()
	}
	return ""
}

const fakeTools = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}}}}]}`

func cUser(text, rest string) string {
	return `{"messages":[{"role":"user","content":[{"text":"` + text + `"}]}]` + rest + `}`
}

func TestConverseStream(t *testing.T) {
	c := start(t, Options{})
	body := cUser("[[fake: parallel=2]]", `,`+fakeTools+`,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`)
	got := c.do(modelPath+"converse-stream", body)
	var kinds []string
	args := map[float64]string{}
	var signature string
	for _, m := range frames(t, got.body) {
		kind := head(m, ":event-type")
		if head(m, ":message-type") != "event" {
			t.Fatalf("message type %q", head(m, ":message-type"))
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		o := object(string(m.Payload))
		i, _ := o["contentBlockIndex"].(float64)
		if s, ok := at(o, "delta", "toolUse", "input").(string); ok {
			args[i] += s
		}
		if s, ok := at(o, "delta", "reasoningContent", "signature").(string); ok {
			signature = s
		}
		if kind == "contentBlockStart" && at(o, "start", "toolUse", "name") != "f" {
			t.Errorf("a start that is no tool: %s", m.Payload)
		}
	}
	want := []string{"messageStart", "contentBlockDelta", "contentBlockStop", "contentBlockStart", "messageStop", "metadata"}
	if !slices.Equal(kinds, want) || signature == "" {
		t.Errorf("events %v, signature %q", kinds, signature)
	}
	if len(args) != 2 || !json.Valid([]byte(args[2])) || !json.Valid([]byte(args[3])) {
		t.Errorf("arguments %v", args)
	}
}

func TestToolWithoutInput(t *testing.T) {
	c := start(t, Options{})
	got := c.do(modelPath+"converse-stream", cUser("[[fake: tool=f no_input]]", `,`+fakeTools))
	for _, m := range frames(t, got.body) {
		if bytes.Contains(m.Payload, []byte(`"toolUse":{"input"`)) {
			t.Errorf("delta %s", m.Payload)
		}
	}
}

func TestInvokeStream(t *testing.T) {
	c := start(t, Options{})
	got := c.do(modelPath+"invoke-with-response-stream", `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`)
	var types []string
	var last obj
	for _, m := range frames(t, got.body) {
		var chunk struct{ Bytes []byte }
		if err := json.Unmarshal(m.Payload, &chunk); err != nil || head(m, ":event-type") != "chunk" {
			t.Fatalf("%s: %v", m.Payload, err)
		}
		last = object(string(chunk.Bytes))
		types = append(types, str(last, "type"))
	}
	if types[0] != "message_start" || str(last, "type") != "message_stop" || at(last, "amazon-bedrock-invocationMetrics", "outputTokenCount") == nil {
		t.Errorf("%v, last %v", types, last)
	}
}

func TestSSE(t *testing.T) {
	c := start(t, Options{})
	got := c.do("/v1/messages", `{"model":"claude-sonnet-4-5","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`)
	for _, want := range []string{"event: message_start\ndata: {", "event: ping\n", "event: content_block_delta\n", "event: message_delta\n", "event: message_stop\n"} {
		if !bytes.Contains(got.body, []byte(want)) {
			t.Errorf("no %q in %s", want, got.body)
		}
	}
	const chat = `{"model":"gpt-4o","stream":true%s,"messages":[{"role":"user","content":"hi"}]}`
	plain := c.do("/v1/chat/completions", with(chat, ""))
	told := c.do("/v1/chat/completions", with(chat, `,"stream_options":{"include_usage":true}`))
	if !bytes.HasSuffix(plain.body, []byte("data: [DONE]\n\n")) || bytes.Contains(plain.body, []byte("prompt_tokens")) {
		t.Errorf("%s", plain.body)
	}
	if !bytes.Contains(told.body, []byte(`"choices":[]`)) || !bytes.Contains(told.body, []byte(`"prompt_tokens":`)) {
		t.Errorf("%s", told.body)
	}
}

func TestFaults(t *testing.T) {
	c := start(t, Options{})
	full := len(frames(t, c.do(modelPath+"converse-stream", cUser("x", "")).body))
	for _, tc := range []struct {
		name, fault string
		stream      bool
		check       func(t *testing.T, got reply)
	}{
		{"429", "status=429 retry_after=7", false, func(t *testing.T, got reply) {
			if got.status != 429 || got.header.Get("Retry-After") != "7" || !strings.HasPrefix(got.header.Get("X-Amzn-Errortype"), "ThrottlingException") {
				t.Errorf("%+v", got)
			}
		}},
		{"kind", `status=400 kind=ThrottlingException message="slow down"`, true, func(t *testing.T, got reply) {
			if got.status != 400 || at(got.json(t), "message") != "slow down" || got.header.Get("Retry-After") != "" {
				t.Errorf("%+v", got)
			}
		}},
		{"empty", "empty", false, func(t *testing.T, got reply) {
			if got.status != 200 || string(got.body) != "{}" {
				t.Errorf("%+v", got)
			}
		}},
		{"empty stream", "empty", true, func(t *testing.T, got reply) {
			if got.status != 200 || len(got.body) != 0 {
				t.Errorf("%+v", got)
			}
		}},
		{"garbage", "garbage", true, func(t *testing.T, got reply) {
			if got.status != 200 || json.Valid(got.body) {
				t.Errorf("%+v", got)
			}
		}},
		{"drop", "drop", false, func(t *testing.T, got reply) {
			if got.err == nil {
				t.Errorf("%+v", got)
			}
		}},
		{"cut", "cut=2", true, func(t *testing.T, got reply) {
			if got.err == nil || len(frames(t, got.body)) != 2 {
				t.Errorf("%v %s", got.err, got.body)
			}
		}},
		{"eof", "eof=3", true, func(t *testing.T, got reply) {
			if got.err != nil || len(frames(t, got.body)) != 3 {
				t.Errorf("%v %s", got.err, got.body)
			}
		}},
		{"half", "half=0", true, func(t *testing.T, got reply) {
			if _, err := eventstream.NewDecoder().Decode(bytes.NewReader(got.body), nil); got.err != nil || err == nil {
				t.Errorf("%v %s", got.err, got.body)
			}
		}},
		{"exception", "error_after=2 kind=ThrottlingException", true, func(t *testing.T, got reply) {
			m := frames(t, got.body)
			if len(m) != 3 || head(m[2], ":message-type") != "exception" || head(m[2], ":exception-type") != "throttlingException" {
				t.Errorf("%v", m)
			}
		}},
		{"first exception", "error_after=0", true, func(t *testing.T, got reply) {
			if m := frames(t, got.body); len(m) != 1 || head(m[0], ":exception-type") != "modelStreamErrorException" {
				t.Errorf("%v", m)
			}
		}},
		{"split", "split", true, func(t *testing.T, got reply) {
			if m := frames(t, got.body); len(m) < full {
				t.Errorf("%d frames", len(m))
			}
		}},
		{"no usage", "no_usage", true, func(t *testing.T, got reply) {
			if m := frames(t, got.body); head(m[len(m)-1], ":event-type") != "messageStop" {
				t.Errorf("%v", m)
			}
		}},
		{"chunks", "chunks=200", true, func(t *testing.T, got reply) {
			if m := frames(t, got.body); len(m) != 204 {
				t.Errorf("%d frames", len(m))
			}
		}},
		{"oversize", "oversize=1000000", true, func(t *testing.T, got reply) {
			if m := frames(t, got.body); len(m) != 5 || len(m[1].Payload) < 1000000 {
				t.Errorf("%d frames", len(m))
			}
		}},
		{"guardrail", "finish=guardrail", false, func(t *testing.T, got reply) {
			if at(got.json(t), "stopReason") != "guardrail_intervened" {
				t.Errorf("%s", got.body)
			}
		}},
		{"text", `text="so be it"`, false, func(t *testing.T, got reply) {
			if at(got.json(t), "output", "message", "content", 0, "text") != "so be it" {
				t.Errorf("%s", got.body)
			}
		}},
		{"other model", "status=500 model=nova", false, func(t *testing.T, got reply) {
			if got.status != 200 {
				t.Errorf("%+v", got)
			}
		}},
		{"other dialect", "status=500 dialect=openai", false, func(t *testing.T, got reply) {
			if got.status != 200 {
				t.Errorf("%+v", got)
			}
		}},
		{"unknown key", "statsu=500", false, func(t *testing.T, got reply) {
			if got.status != 400 || !strings.Contains(string(got.body), "unknown key") {
				t.Errorf("%+v", got)
			}
		}},
	} {
		path := modelPath + "converse"
		if tc.stream {
			path += "-stream"
		}
		quoted := strings.ReplaceAll(tc.fault, `"`, `\"`)
		t.Run(tc.name, func(t *testing.T) { tc.check(t, c.do(path, cUser("say [[fake: "+quoted+"]]", ""))) })
		t.Run(tc.name+" by header", func(t *testing.T) { tc.check(t, c.do(path, cUser("say", ""), "x-fake", tc.fault)) })
	}
}

func TestFaultCounts(t *testing.T) {
	c := start(t, Options{})
	call := func(text string) int { return c.do(modelPath+"converse", cUser(text, "")).status }
	var got []int
	for range 4 {
		got = append(got, call("a [[fake: status=500 after=1 times=2]]"))
	}
	got = append(got, call("b [[fake: status=500 after=1 times=2]]"), call("b [[fake: status=500 after=1 times=2]]"))
	if want := []int{200, 500, 500, 200, 200, 500}; !slices.Equal(got, want) {
		t.Errorf("marker: %v, want %v", got, want)
	}
	post := c.do("/_fake/faults", `[{"status":503,"times":1},{"status":429,"times":1,"model":"sonnet"}]`)
	got = []int{post.status, call("c"), call("c"), call("c"), c.do("/_fake/faults", `{"nonsense":1}`).status}
	if want := []int{200, 503, 429, 200, 400}; !slices.Equal(got, want) {
		t.Errorf("posted: %v, want %v", got, want)
	}
	c.AddFault(Fault{Status: 502})
	c.do("/_fake/reset", "")
	if s := call("d"); s != 200 || len(c.Journal()) != 1 || c.Stats()[sonnet45].Calls != 1 {
		t.Errorf("after reset: %d, journal %d, %+v", s, len(c.Journal()), c.Stats())
	}
}

// TestDisconnect leaves while the fake hangs, before and in a stream, and finds that in the journal.
func TestDisconnect(t *testing.T) {
	for _, fault := range []string{"hang", "hang_after=1"} {
		c := start(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.url+modelPath+"converse-stream", strings.NewReader(hello))
		r.Header.Set("Authorization", "Bearer k")
		r.Header.Set("x-fake", fault)
		done := make(chan error, 1)
		go func() {
			resp, err := c.http.Do(r)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			done <- err
		}()
		await(t, func() bool { j := c.Journal(); return len(j) == 1 && j[0].Fault == fault })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", fault, err)
		}
		await(t, func() bool { e := c.Journal()[0]; return e.Done && e.Disconnected })
	}
}

// await polls until a condition holds; the conditions are other goroutines' progress, which has no signal to wait for.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatal("the condition never held")
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

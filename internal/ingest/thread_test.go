package ingest

import (
	"fmt"
	"strings"
	"testing"

	"weir/internal/gateway"
	"weir/internal/span"
)

// turn is one call of a scripted client.
type turn struct {
	messages []string // as sent
	answer   string   // the whole response
	session  string   // as given by the client
	change   func(*gateway.Record)
}

func request(extra string, messages []string) string {
	return `{"model":"m",` + extra + `"messages":[` + strings.Join(messages, ",") + `]}`
}

func play(t *testing.T, r *Recorder, turns []turn) []*span.Span {
	t.Helper()
	out := make([]*span.Span, len(turns))
	for i, c := range turns {
		body := request("", c.messages)
		rec := aRecord(body, c.answer)
		rec.Span.Session = c.session
		if c.change != nil {
			c.change(rec)
		}
		out[i] = record(t, r, rec)
		wantBody(t, r.o.Store, out[i], out[i].Input, body)
	}
	return out
}

func oneSession(t *testing.T, spans []*span.Span, news ...int) {
	t.Helper()
	for i, s := range spans {
		if s.Session != spans[0].Session || s.Session == "" {
			t.Errorf("call %d is in session %q, the first in %q", i, s.Session, spans[0].Session)
		}
		if s.Input.New != news[i] {
			t.Errorf("call %d has %d new messages, want %d", i, s.Input.New, news[i])
		}
	}
}

const system = `{"role":"system","content":"You are an agent. Time: %d"}`

func user(text string) string { return fmt.Sprintf(`{"role":"user","content":%q}`, text) }

func openAI(message string) string {
	return `{"id":"x","choices":[{"index":0,"message":` + message + `}]}`
}

// Old Cline: tool calls as XML in the text, which it sends back as it came; the system prompt changes with the time.
func TestThreadTextAgent(t *testing.T) {
	r, _ := startRecorder(t, nil)
	a1, a2 := `{"role":"assistant","content":"<read_file>\n<path>a</path>\n</read_file>"}`, `{"role":"assistant","content":"done"}`
	sys := func(n int) string { return fmt.Sprintf(system, n) }
	oneSession(t, play(t, r, []turn{
		{messages: []string{sys(1), user("task")}, answer: openAI(a1)},
		{messages: []string{sys(2), user("task"), a1, user("[read_file] Result")}, answer: openAI(a2)},
		{messages: []string{sys(3), user("task"), a1, user("[read_file] Result"), a2, user("thanks")}, answer: openAI(a1)},
	}), 2, 1, 1)
}

// New Cline on the AI SDK: text parts become strings, reasoning is dropped, arguments are written anew.
func TestThreadToolAgent(t *testing.T) {
	r, s := startRecorder(t, nil)
	given := `{"role":"assistant","content":"I read.","reasoning_content":"hm","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"read","arguments":"{\"path\": \"a\", \"n\": 1}"}}]}`
	replay := `{"role":"assistant","content":[{"type":"text","text":"I read."}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"read","arguments":"{\"n\":1,\"path\":\"a\"}"}}]}`
	result := `{"role":"tool","tool_call_id":"c1","content":"text"}`
	spans := play(t, r, []turn{
		{messages: []string{user("task")}, answer: openAI(given)},
		{messages: []string{user("task"), replay, result}, answer: openAI(`{"role":"assistant","content":"done"}`)},
	})
	oneSession(t, spans, 1, 1)
	news, err := NewMessages(t.Context(), s, spans[1])
	if err != nil || len(news) != 1 || string(news[0]) != result {
		t.Fatalf("new messages: %s, %v", news, err)
	}
	if b, err := Skeleton(t.Context(), s, spans[1]); err != nil || string(b) != `{"model":"m","messages":[]}` {
		t.Fatalf("skeleton: %s, %v", b, err)
	}
}

// Claude Code: cache marks move along with the last messages, thinking is replayed.
func TestThreadAnthropic(t *testing.T) {
	r, _ := startRecorder(t, nil)
	marked := `{"role":"user","content":[{"type":"text","text":"task","cache_control":{"type":"ephemeral"}}]}`
	plain := `{"role":"user","content":"task"}`
	content := `[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"ok"},{"type":"tool_use","id":"t1","name":"Write","input":{"b":1,"a":2}}]`
	answer := `{"id":"msg","type":"message","role":"assistant","model":"m","content":` + content + `,"stop_reason":"tool_use"}`
	result := `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok","cache_control":{"type":"ephemeral"}}]}`
	oneSession(t, play(t, r, []turn{
		{messages: []string{marked}, answer: answer},
		{messages: []string{plain, `{"role":"assistant","content":` + content + `}`, result}, answer: `{"role":"assistant","content":[{"type":"text","text":"done"}]}`},
	}), 1, 1)
}

func TestThreadSurvivesRestart(t *testing.T) {
	s := openStore(t, t.TempDir())
	answer := `{"role":"assistant","content":"a"}`
	turns := []turn{{messages: []string{user("q")}, answer: openAI(answer)}, {messages: []string{user("q"), answer, user("r")}}}
	var spans []*span.Span
	for _, c := range turns {
		r := New(Options{Store: s, KV: s, Dir: t.TempDir()})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		spans = append(spans, play(t, r, []turn{c})...)
		r.Stop()
	}
	oneSession(t, spans, 1, 1)
}

func TestThreadBoundaries(t *testing.T) {
	answer := `{"role":"assistant","content":"a"}`
	first := turn{messages: []string{user("q")}, answer: openAI(answer)}
	next := turn{messages: []string{user("q"), answer, user("r")}}
	for name, change := range map[string]func(*gateway.Record){
		"another key":       func(r *gateway.Record) { r.Span.Key = "other" },
		"another end user":  func(r *gateway.Record) { r.Span.EndUser = "somebody else" },
		"history rewritten": func(r *gateway.Record) { r.Request = []byte(request("", []string{user("summary"), answer, user("r")})) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := startRecorder(t, nil)
			a := play(t, r, []turn{first})[0]
			rec := aRecord(request("", next.messages), "")
			change(rec)
			b := record(t, r, rec)
			if a.Session == b.Session || b.Session == "" || b.Input.New != b.Input.Messages {
				t.Fatalf("sessions %q and %q, new %d", a.Session, b.Session, b.Input.New)
			}
		})
	}
}

func TestThreadWithClientSession(t *testing.T) {
	r, _ := startRecorder(t, nil)
	answer := `{"role":"assistant","content":"a"}`
	spans := play(t, r, []turn{
		{messages: []string{user("q")}, answer: openAI(answer), session: "mine"},
		{messages: []string{user("q"), answer, user("r")}, answer: openAI(answer), session: "mine"},
		{messages: []string{user("compacted")}, session: "mine"},
	})
	oneSession(t, spans, 1, 1, 1)
	if spans[0].Session != "mine" || spans[0].SessionSource != "client" {
		t.Fatalf("session %q by %q", spans[0].Session, spans[0].SessionSource)
	}
}

// A call that failed leaves no answer; its repetition continues what both continue.
func TestThreadAfterFailure(t *testing.T) {
	r, _ := startRecorder(t, nil)
	answer := `{"role":"assistant","content":"a"}`
	more := []string{user("q"), answer, user("r")}
	oneSession(t, play(t, r, []turn{
		{messages: []string{user("q")}, answer: openAI(answer)},
		{messages: more, answer: `{"error":{"message":"overloaded"}}`},
		{messages: more, answer: openAI(answer)},
	}), 1, 1, 1)
}

func TestCountTokensIsNoTurn(t *testing.T) {
	r, _ := startRecorder(t, nil)
	sp := play(t, r, []turn{{messages: []string{user("q")}, change: func(rec *gateway.Record) { rec.Span.Operation = "count_tokens" }}})[0]
	if sp.Session != "" {
		t.Fatalf("a count got session %q", sp.Session)
	}
}

// Two runs with the same beginning, one after the other, are two sessions; the later call belongs to the later run.
func TestThreadRepeatedRun(t *testing.T) {
	r, _ := startRecorder(t, nil)
	answer := `{"role":"assistant","content":"a"}`
	first := turn{messages: []string{user("q")}, answer: openAI(answer)}
	spans := play(t, r, []turn{first, first, {messages: []string{user("q"), answer, user("r")}}})
	if spans[0].Session == spans[1].Session || spans[2].Session != spans[1].Session {
		t.Fatalf("sessions: %q %q %q", spans[0].Session, spans[1].Session, spans[2].Session)
	}
}

func TestThreadAfterMemoryIsGone(t *testing.T) {
	r, _ := startRecorder(t, nil)
	r.threads.links.limit, r.threads.ends.limit = 1, 1
	answer := `{"role":"assistant","content":"a"}`
	var turns []turn
	history := []string{}
	for i := range 5 {
		history = append(history, user(fmt.Sprint(i)))
		turns = append(turns, turn{messages: append([]string{}, history...), answer: openAI(answer)})
		history = append(history, answer)
	}
	oneSession(t, play(t, r, turns), 1, 1, 1, 1, 1)
}

package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// OTLP requests are encoded by hand: the generator shares the machine with the server it measures, and must cost little.

// Field numbers of ExportTraceServiceRequest and what it holds.
const (
	fieldResourceSpans = 1
	fieldResource      = 1
	fieldScopeSpans    = 2
	fieldScope         = 1
	fieldSpans         = 2
	fieldAttributes    = 1
	spanTrace          = 1
	spanID             = 2
	spanParent         = 4
	spanName           = 5
	spanKind           = 6
	spanStart          = 7
	spanEnd            = 8
	spanAttributes     = 9
	spanStatus         = 15
)

func appendTag(b []byte, field, wire int) []byte {
	return binary.AppendUvarint(b, uint64(field<<3|wire))
}

func appendBytes[T ~string | ~[]byte](b []byte, field int, v T) []byte {
	b = binary.AppendUvarint(appendTag(b, field, 2), uint64(len(v)))
	return append(b, v...)
}

func appendFixed(b []byte, field int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(b, field, 1), v)
}

// attribute is a KeyValue in field of its parent; values are strings, ints or bools.
func attribute(b []byte, field int, key string, value any) []byte {
	var v []byte
	switch x := value.(type) {
	case string:
		v = appendBytes(v, 1, x)
	case bool:
		v = append(appendTag(v, 2, 0), 0)
		if x {
			v[len(v)-1] = 1
		}
	case int:
		v = binary.AppendUvarint(appendTag(v, 3, 0), uint64(x))
	case float64:
		panic("not needed")
	}
	kv := appendBytes(appendBytes(nil, 1, key), 2, v)
	return appendBytes(b, field, kv)
}

type attr struct {
	key   string
	value any
}

// spanSpec is a span to be encoded.
type spanSpec struct {
	trace      [16]byte
	id, parent [8]byte
	name       string
	start      time.Time
	took       time.Duration
	failed     bool
	attrs      []attr
}

func (s *spanSpec) encode() []byte {
	b := make([]byte, 0, 2048)
	b = appendBytes(b, spanTrace, s.trace[:])
	b = appendBytes(b, spanID, s.id[:])
	if s.parent != [8]byte{} {
		b = appendBytes(b, spanParent, s.parent[:])
	}
	b = appendBytes(b, spanName, s.name)
	b = append(appendTag(b, spanKind, 0), 1)
	b = appendFixed(b, spanStart, uint64(s.start.UnixNano()))
	b = appendFixed(b, spanEnd, uint64(s.start.Add(s.took).UnixNano()))
	for _, a := range s.attrs {
		b = attribute(b, spanAttributes, a.key, a.value)
	}
	if s.failed {
		b = appendBytes(b, spanStatus, append(appendTag(appendBytes(nil, 2, "upstream said 529: overloaded"), 3, 0), 2))
	}
	return b
}

// export is a request with spans of one program.
func export(spans [][]byte) []byte {
	var res []byte
	for _, a := range []attr{{"service.name", "bench-agent"}, {"telemetry.sdk.language", "go"}, {"deployment.environment.name", "bench"}} {
		res = attribute(res, fieldAttributes, a.key, a.value)
	}
	scope := appendBytes(nil, fieldScope, appendBytes(nil, 1, "bench.generator"))
	for _, s := range spans {
		scope = appendBytes(scope, fieldSpans, s)
	}
	body := appendBytes(appendBytes(nil, fieldResource, res), fieldScopeSpans, scope)
	return appendBytes(nil, fieldResourceSpans, body)
}

// river is a long text that pieces are cut from, so that a generator makes prose at the speed of copying.
type river struct {
	r    *rand.Rand
	text string
}

var bed = newProse(77).text(32 << 20)

func newRiver(seed uint64) *river {
	return &river{r: rand.New(rand.NewPCG(seed, 9)), text: strings.NewReplacer("\n", " ", `"`, " ").Replace(bed)}
}

func (r *river) cut(n int) string {
	at := r.r.IntN(len(r.text) - n)
	return r.text[at : at+n]
}

func (r *river) bytes(b []byte) {
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.r.Uint64())
	}
}

// orderOf is a text that one span has, and no other.
func orderOf(id [8]byte) string { return fmt.Sprintf("ORD-%x", id) }

const batchSpans = 100

// traceSpans is the length of one small trace: an agent, and four rounds of a model call, a tool and a retrieval.
const traceSpans = 13

var models = []string{"gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "claude-haiku-4", "gemini-2.5-pro"}

// small makes traces of spans of about 1.5 KB that begin within a minute of a time.
func (r *river) small(n int, about time.Time) (spans [][]byte, last [16]byte) {
	for len(spans) < n {
		var trace [16]byte
		r.bytes(trace[:])
		start := about.Add(time.Duration(r.r.Int64N(int64(time.Minute))))
		user, session := fmt.Sprintf("user-%d", r.r.IntN(2000)), fmt.Sprintf("session-%d", r.r.IntN(100_000))
		var root [8]byte
		r.bytes(root[:])
		for i := range traceSpans {
			s := spanSpec{trace: trace, parent: root, start: start.Add(time.Duration(i) * 700 * time.Millisecond), took: time.Duration(100+r.r.IntN(900)) * time.Millisecond, failed: r.r.IntN(60) == 0}
			r.bytes(s.id[:])
			switch {
			case i == 0:
				s.id, s.parent, s.name, s.took = root, [8]byte{}, "invoke_agent planner", traceSpans*700*time.Millisecond
				s.attrs = []attr{{"gen_ai.operation.name", "invoke_agent"}, {"gen_ai.agent.name", "planner"}, {"input.value", r.cut(600)}, {"output.value", r.cut(500)}}
			case i%3 == 1:
				m := models[r.r.IntN(len(models))]
				s.name = "chat " + m
				s.attrs = []attr{
					{"gen_ai.operation.name", "chat"}, {"gen_ai.provider.name", "openai"}, {"gen_ai.request.model", m}, {"gen_ai.response.model", m},
					{"gen_ai.request.max_tokens", 1024}, {"gen_ai.usage.input_tokens", 200 + r.r.IntN(4000)}, {"gen_ai.usage.output_tokens", 20 + r.r.IntN(700)},
					{"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"` + r.cut(450) + `"}]}]`},
					{"gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"` + r.cut(350) + `"}],"finish_reason":"stop"}]`},
				}
			case i%3 == 2:
				s.name = "execute_tool search"
				s.attrs = []attr{{"gen_ai.operation.name", "execute_tool"}, {"gen_ai.tool.name", "search"}, {"gen_ai.tool.call.arguments", fmt.Sprintf(`{"query":"%s","order":"%s"}`, r.cut(120), orderOf(s.id))}, {"gen_ai.tool.call.result", `{"text":"` + r.cut(700) + `"}`}}
			default:
				s.name = "retrieve documents"
				s.attrs = []attr{{"openinference.span.kind", "RETRIEVER"}, {"input.value", r.cut(120)}, {"output.value", r.cut(800)}}
			}
			s.attrs = append(s.attrs, attr{"user.id", user}, attr{"session.id", session}, attr{"app.tenant", fmt.Sprintf("tenant-%d", r.r.IntN(50))}, attr{"app.region", "eu-central"}, attr{"app.shard", r.r.IntN(16)})
			spans, last = append(spans, s.encode()), trace
		}
	}
	return spans, last
}

// course is how the context of an agent run grows.
type course struct {
	turns               int
	system, first, step int // bytes of text
}

var (
	// longCourse grows from 5 to 55 KB, so that a span has 30 KB on average.
	longCourse = course{turns: 40, system: 4 << 10, first: 1 << 10, step: 950}
	// peerCourse has spans of 11 KB in traces of 13.
	peerCourse = course{turns: traceSpans, system: 3 << 10, first: 1 << 10, step: 640}
)

// agent is a run whose calls repeat the conversation so far.
type agent struct {
	course
	trace    [16]byte
	root     [8]byte
	start    time.Time
	messages strings.Builder
	turn     int
}

// next is the span of the run's next call.
func (r *river) next(a *agent) []byte {
	if a.turn == 0 || a.turn == a.turns {
		*a = agent{course: a.course, start: time.Now().Add(-time.Minute)}
		r.bytes(a.trace[:])
		r.bytes(a.root[:])
		a.messages.Grow(60 << 10)
		a.messages.WriteString(`[{"role":"system","parts":[{"type":"text","content":"` + r.cut(a.system) + `"}]},{"role":"user","parts":[{"type":"text","content":"` + r.cut(a.first) + `"}]}`)
	}
	a.turn++
	answer := fmt.Sprintf(`{"role":"assistant","parts":[{"type":"tool_call","id":"call_%d","name":"read_file","arguments":{"path":"%s"}}]}`, a.turn, r.cut(180))
	s := spanSpec{trace: a.trace, parent: a.root, name: "chat claude-sonnet-4", start: a.start.Add(time.Duration(a.turn) * time.Second), took: 900 * time.Millisecond}
	r.bytes(s.id[:])
	if a.turn == 1 {
		s.id, s.parent = a.root, [8]byte{}
	}
	s.attrs = []attr{
		{"gen_ai.operation.name", "chat"}, {"gen_ai.provider.name", "anthropic"}, {"gen_ai.request.model", "claude-sonnet-4"}, {"gen_ai.response.model", "claude-sonnet-4"},
		{"gen_ai.usage.input_tokens", 1200 * a.turn}, {"gen_ai.usage.output_tokens", 60}, {"gen_ai.conversation.id", fmt.Sprintf("run-%x", a.root)},
		{"app.tenant", fmt.Sprintf("tenant-%02d", a.root[0]%50)},
		{"gen_ai.input.messages", a.messages.String() + "]"}, {"gen_ai.output.messages", "[" + answer + "]"},
	}
	a.messages.WriteString("," + answer + fmt.Sprintf(`,{"role":"tool","parts":[{"type":"tool_call_response","id":"call_%d","response":"%s"}]}`, a.turn, r.cut(a.step)))
	return s.encode()
}

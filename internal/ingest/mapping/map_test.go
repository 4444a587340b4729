package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

var start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// raw is a span of one second with attributes given as names and values.
func raw(pairs ...any) *Raw {
	r := &Raw{Trace: strings.Repeat("a", 32), ID: strings.Repeat("b", 16), Parent: strings.Repeat("c", 16), Name: "work", Start: start, End: start.Add(time.Second)}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Attributes = append(r.Attributes, Attribute{pairs[i].(string), pairs[i+1]})
	}
	return r
}

func TestMapPlain(t *testing.T) {
	r := raw("http.response.status_code", int64(404), "big", int64(1)<<60, "f", 2.0, "b", []byte{1}, "list", []any{"x", int64(1)}, "nested", map[string]any{"k": true})
	r.Resource = []Attribute{{"service.name", "shop"}, {"service.version", "1.4"}, {"deployment.environment.name", "prod"}}
	m := Map(r)
	if s := m.Span; s.Dialect != "otel" || s.Kind != span.Other || s.Service != "shop" || s.Release != "1.4" || s.Environment != "prod" || s.HTTP != 404 || s.Mapping != Version {
		t.Fatalf("%+v", s)
	}
	want := `{"http.response.status_code":404,"big":1152921504606846976,"f":2.0,"b":{"$bytes":"AQ=="},"list":["x",1],"nested":{"k":true}}`
	if string(m.Span.Attributes) != want {
		t.Fatalf("%s", m.Span.Attributes)
	}
	if m.Input != nil || m.Output != nil {
		t.Fatal("a plain span has no bodies")
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		want    span.Kind
		dialect string
		pairs   []any
	}{
		{span.Generation, "otel-genai", []any{"gen_ai.operation.name", "chat"}},
		{span.Embedding, "otel-genai", []any{"gen_ai.operation.name", "embeddings"}},
		{span.Agent, "otel-genai", []any{"gen_ai.operation.name", "invoke_agent"}},
		{span.Tool, "otel-genai", []any{"gen_ai.operation.name", "execute_tool"}},
		{span.Retriever, "otel-genai", []any{"gen_ai.operation.name", "retrieval"}},
		{span.Tool, "otel-genai", []any{"gen_ai.tool.name", "f"}},
		{span.Generation, "otel-genai", []any{"gen_ai.request.model", "m"}},
		{span.Other, "otel-genai", []any{"gen_ai.operation.name", "search_memory"}},
		{span.Reranker, "openinference", []any{"openinference.span.kind", "RERANKER"}},
		{span.Guardrail, "openinference", []any{"openinference.span.kind", "GUARDRAIL", "gen_ai.operation.name", "chat"}},
		{span.Chain, "openllmetry", []any{"traceloop.span.kind", "workflow"}},
		{span.Generation, "openllmetry", []any{"llm.request.type", "chat", "gen_ai.system", "openai"}},
		{span.Chain, "vercel", []any{"ai.operationId", "ai.streamText"}},
		{span.Generation, "vercel", []any{"ai.operationId", "ai.streamText.doStream"}},
		{span.Tool, "vercel", []any{"ai.operationId", "ai.toolCall"}},
		{span.Evaluator, "langfuse", []any{"langfuse.observation.type", "evaluator"}},
		{span.Generation, "langfuse", []any{"langfuse.observation.type", "span", "langfuse.observation.model.name", "m"}},
		{span.Other, "langfuse", []any{"langfuse.observation.type", "span"}},
		{span.Event, "langfuse", []any{"langfuse.observation.type", "event"}},
		{span.Generation, "mlflow", []any{"mlflow.spanType", "CHAT_MODEL"}},
		{span.Agent, "mlflow", []any{"mlflow.spanType", `"AGENT"`}},
		{span.Agent, "pydantic", []any{"logfire.msg", "run", "gen_ai.operation.name", "invoke_agent"}},
	} {
		if s := Map(raw(c.pairs...)).Span; s.Kind != c.want || s.Dialect != c.dialect {
			t.Errorf("%v: %s %s, want %s %s", c.pairs, s.Kind, s.Dialect, c.want, c.dialect)
		}
	}
}

// A span that carries two conventions follows that of its own instrumentation.
func TestNativeDialectWins(t *testing.T) {
	both := []any{
		"gen_ai.operation.name", "chat", "gen_ai.usage.input_tokens", int64(1), "gen_ai.request.model", "converted",
		"openinference.span.kind", "LLM", "llm.token_count.prompt", int64(2), "llm.model_name", "native",
	}
	if s := Map(raw(both...)).Span; s.Dialect != "openinference" || s.Usage.Input != 2 || s.Model != "native" {
		t.Errorf("%s %d %s", s.Dialect, s.Usage.Input, s.Model)
	}
	foreign := raw("langfuse.user.id", "u", "langfuse.trace.tags", "a, b", "openinference.span.kind", "LLM", "llm.token_count.prompt", int64(2))
	foreign.Scope = "openinference.instrumentation.openai"
	if s := Map(foreign).Span; s.Dialect != "openinference" || s.EndUser != "u" || s.User != "u" || len(s.Tags) != 2 {
		t.Errorf("%+v", s)
	}
}

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		pairs []any
		want  llm.Usage
	}{
		"cached tokens are part of the input": {
			[]any{"gen_ai.usage.input_tokens", int64(100), "gen_ai.usage.output_tokens", int64(9), "gen_ai.usage.cache_read.input_tokens", int64(70), "gen_ai.usage.cache_creation.input_tokens", int64(20), "gen_ai.usage.reasoning.output_tokens", int64(4)},
			llm.Usage{Input: 10, CacheRead: 70, CacheWrite: 20, Output: 9, Reasoning: 4},
		},
		"an input smaller than its cached part leaves it out": {
			[]any{"gen_ai.usage.input_tokens", int64(5), "gen_ai.usage.cache_read.input_tokens", int64(70)}, llm.Usage{Input: 5, CacheRead: 70},
		},
		"old names": {
			[]any{"gen_ai.usage.prompt_tokens", int64(5), "gen_ai.usage.completion_tokens", int64(6)}, llm.Usage{Input: 5, Output: 6},
		},
		"text and floats": {
			[]any{"gen_ai.usage.input_tokens", "5", "gen_ai.usage.output_tokens", 6.0}, llm.Usage{Input: 5, Output: 6},
		},
		"only a total": {
			[]any{"llm.usage.total_tokens", int64(11), "gen_ai.usage.completion_tokens", int64(6)}, llm.Usage{Input: 5, Output: 6},
		},
		"negative and absurd": {
			[]any{"gen_ai.usage.input_tokens", int64(-5), "gen_ai.usage.output_tokens", 1e300}, llm.Usage{},
		},
		"openinference": {
			[]any{"openinference.span.kind", "LLM", "llm.token_count.prompt", int64(10), "llm.token_count.prompt_details.cache_read", int64(4), "llm.token_count.completion", int64(3), "llm.token_count.completion_details.audio", int64(1)},
			llm.Usage{Input: 6, CacheRead: 4, Output: 3, AudioOutput: 1},
		},
		"vercel tells the uncached part": {
			[]any{"ai.operationId", "ai.generateText.doGenerate", "ai.usage.inputTokens", int64(10), "ai.usage.inputTokenDetails.noCacheTokens", int64(3), "ai.usage.cachedInputTokens", int64(7)},
			llm.Usage{Input: 3, CacheRead: 7},
		},
		"vercel before v6 gave Anthropic's own figures": {
			[]any{"ai.operationId", "ai.generateText.doGenerate", "ai.model.provider", "anthropic.messages", "ai.usage.inputTokens", int64(10), "ai.usage.cachedInputTokens", int64(7)},
			llm.Usage{Input: 10, CacheRead: 7},
		},
		"langfuse buckets do not overlap": {
			[]any{"langfuse.observation.usage_details", `{"input":10,"input_cached_tokens":7,"input_cache_creation_1h":2,"output":5,"output_reasoning_tokens":3,"total":27}`},
			llm.Usage{Input: 10, CacheRead: 7, CacheWrite1h: 2, Output: 8, Reasoning: 3},
		},
		"langfuse with OpenAI's usage": {
			[]any{"langfuse.observation.usage_details", `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":2}}`},
			llm.Usage{Input: 6, CacheRead: 4, Output: 5, Reasoning: 2, AudioInput: 1},
		},
		"mlflow in text": {
			[]any{"mlflow.spanType", `"LLM"`, "mlflow.chat.tokenUsage", `{"input_tokens":10,"output_tokens":5,"total_tokens":15,"cache_read_input_tokens":4}`},
			llm.Usage{Input: 6, CacheRead: 4, Output: 5},
		},
		"mlflow as a map, cached apart": {
			[]any{"mlflow.spanType", "LLM", "mlflow.chat.tokenUsage", map[string]any{"input_tokens": int64(10), "output_tokens": int64(5), "total_tokens": int64(19), "cache_read_input_tokens": int64(4)}},
			llm.Usage{Input: 10, CacheRead: 4, Output: 5},
		},
	} {
		if got := Map(raw(c.pairs...)).Span.Usage; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestCost(t *testing.T) {
	want := money.FromUSD(0.25)
	for _, pairs := range [][]any{
		{"gen_ai.usage.cost", 0.25}, {"gen_ai.usage.cost", "0.25"}, {"llm.cost.prompt", 0.2, "llm.cost.completion", "0.05"},
		{"langfuse.observation.cost_details", `{"input":0.2,"output":0.05}`}, {"langfuse.observation.cost_details", `{"total":0.25}`},
		{"mlflow.llm.cost", map[string]any{"input_cost": 0.2, "output_cost": 0.05, "total_cost": 0.25}},
	} {
		if c := Map(raw(pairs...)).Span.Cost; c.Total != want || c.Source != span.CostClient {
			t.Errorf("%v: %+v", pairs, c)
		}
	}
	if c := Map(raw("gen_ai.usage.cost", int64(2))).Span.Cost; c.Total != 2*money.Dollar {
		t.Errorf("%+v", c)
	}
	for _, v := range []any{"free", -1.0, []any{}} {
		if c := Map(raw("gen_ai.usage.cost", v)).Span.Cost; c.Source != "" || c.Total != 0 {
			t.Errorf("%v: %+v", v, c)
		}
	}
}

func TestCovered(t *testing.T) {
	for name, c := range map[string]struct {
		pairs []any
		want  bool
	}{
		"vercel's outer span":    {[]any{"ai.operationId", "ai.generateText", "ai.usage.inputTokens", int64(5)}, true},
		"vercel's call":          {[]any{"ai.operationId", "ai.generateText.doGenerate", "ai.usage.inputTokens", int64(5)}, false},
		"pydantic's totals":      {[]any{"logfire.msg", "x", "gen_ai.operation.name", "invoke_agent", "gen_ai.aggregated_usage.input_tokens", int64(5)}, true},
		"an agent's totals":      {[]any{"gen_ai.operation.name", "invoke_agent", "gen_ai.usage.input_tokens", int64(5)}, true},
		"a call":                 {[]any{"gen_ai.operation.name", "chat", "gen_ai.usage.input_tokens", int64(5)}, false},
		"an agent without usage": {[]any{"gen_ai.operation.name", "invoke_agent"}, false},
	} {
		if got := Map(raw(c.pairs...)).Span.Covered; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	remote := raw("gen_ai.operation.name", "invoke_agent", "gen_ai.usage.input_tokens", int64(5))
	remote.Kind = "client"
	if Map(remote).Span.Covered {
		t.Error("a remote agent's usage is nowhere else")
	}
}

func TestFirstToken(t *testing.T) {
	for _, pairs := range [][]any{
		{"gen_ai.response.time_to_first_chunk", 0.25}, {"ai.response.msToFirstChunk", 250.0}, {"llm.chat_completions.streaming_time_to_first_token", "0.25"},
		{"langfuse.observation.completion_start_time", "2026-03-02T12:00:00.25Z"}, {"langfuse.observation.completion_start_time", `"2026-03-02T12:00:00.250000Z"`},
	} {
		if s := Map(raw(pairs...)).Span; s.FirstToken != 250*time.Millisecond || !s.Stream {
			t.Errorf("%v: %v %v", pairs, s.FirstToken, s.Stream)
		}
	}
	r := raw("mlflow.spanType", "LLM")
	r.Events = []Event{{Name: "mlflow.chunk.item.0", Time: start.Add(250 * time.Millisecond)}}
	if s := Map(r).Span; s.FirstToken != 250*time.Millisecond {
		t.Errorf("%v", s.FirstToken)
	}
	if s := Map(raw("langfuse.observation.completion_start_time", "2020-01-01T00:00:00Z")).Span; s.FirstToken != 0 {
		t.Errorf("before the start: %v", s.FirstToken)
	}
}

func TestErrors(t *testing.T) {
	r := raw("error.type", "timeout")
	r.Failed, r.StatusText = true, "status text"
	r.Events = []Event{{Name: "exception", Time: start, Attributes: []Attribute{{"exception.type", "ValueError"}, {"exception.message", "bad"}}}}
	if s := Map(r).Span; s.Status != span.Error || s.ErrorType != "timeout" || s.ErrorText != "bad" {
		t.Errorf("%+v", s)
	}
	r.Attributes = nil
	if s := Map(r).Span; s.ErrorType != "ValueError" {
		t.Errorf("%+v", s)
	}
	if s := Map(raw("langfuse.observation.level", "ERROR", "langfuse.observation.status_message", "no")).Span; s.Status != span.Error || s.ErrorText != "no" {
		t.Errorf("%+v", s)
	}
	if s := Map(raw("langfuse.observation.level", "WARNING", "langfuse.observation.status_message", "hm")).Span; s.Status != span.OK || s.ErrorText != "" {
		t.Errorf("%+v", s)
	}
}

// Logfire announces a span by a child of it.
func TestPending(t *testing.T) {
	s := Map(raw("logfire.span_type", "pending_span", "logfire.pending_parent_id", "0000000000000000")).Span
	if s.ID != strings.Repeat("c", 16) || s.Parent != "" || s.Status != span.Running {
		t.Errorf("%+v", s)
	}
	s = Map(raw("logfire.span_type", "pending_span", "logfire.pending_parent_id", "dddddddddddddddd")).Span
	if s.Parent != strings.Repeat("d", 16) {
		t.Errorf("%+v", s)
	}
	if s := Map(raw("logfire.span_type", "span")).Span; s.Status != span.OK || s.ID != strings.Repeat("b", 16) {
		t.Errorf("%+v", s)
	}
	r := raw()
	r.End = time.Time{}
	if s := Map(r).Span; s.Status != span.Running {
		t.Errorf("a span without an end is %s", s.Status)
	}
}

func TestContext(t *testing.T) {
	s := Map(raw(
		"langfuse.observation.type", "generation", "langfuse.user.id", "u", "langfuse.session.id", "s", "langfuse.trace.tags", `["a","b"]`, "langfuse.trace.name", "t",
		"langfuse.environment", "e", "langfuse.release", "r", "langfuse.observation.prompt.name", "p", "langfuse.observation.prompt.version", int64(3),
		"langfuse.observation.metadata", `{"deep":{"x":1}}`, "langfuse.observation.metadata.plan", `"pro"`, "langfuse.trace.metadata.n", int64(4),
		"langfuse.observation.model.parameters", `{"temperature":0.5}`, "gen_ai.request.top_p", 0.9,
	)).Span
	if s.User != "u" || s.EndUser != "u" || s.Session != "s" || strings.Join(s.Tags, " ") != "a b" || s.TraceName != "t" || s.Environment != "e" || s.Release != "r" ||
		s.Prompt != (span.Prompt{Name: "p", Version: "3"}) {
		t.Errorf("%+v", s)
	}
	if got := string(s.Metadata); got != `{"deep":{"x":1},"plan":"pro","n":4}` {
		t.Errorf("%s", got)
	}
	if got := string(s.Params); got != `{"temperature":0.5,"top_p":0.9}` {
		t.Errorf("%s", got)
	}
	if p := Map(raw("mlflow.linkedPrompts", `[{"name":"p","version":"2"}]`)).Span.Prompt; p != (span.Prompt{Name: "p", Version: "2"}) {
		t.Errorf("%+v", p)
	}
	if p := Map(raw("ai.operationId", "ai.embed", "ai.telemetry.metadata.langfusePrompt", `{"name":"p","version":2}`)).Span.Prompt; p != (span.Prompt{Name: "p", Version: "2"}) {
		t.Errorf("%+v", p)
	}
}

// Each row is what a span carries and the bodies it must get; restored must give back every attribute.
func TestBodies(t *testing.T) {
	structured := []any{map[string]any{"role": "user", "parts": []any{map[string]any{"type": "text", "content": "hi"}}}}
	for name, c := range map[string]struct {
		pairs         []any
		input, output string
	}{
		"messages in text keep their bytes": {
			[]any{"gen_ai.input.messages", `[{"role": "user",  "parts":[]}]`, "gen_ai.system_instructions", `[{"type":"text","content":"s"}]`, "gen_ai.output.messages", `[{"role":"assistant"}]`},
			`{"messages":[{"role": "user",  "parts":[]}],"system_instructions":[{"type":"text","content":"s"}]}`, `{"messages":[{"role":"assistant"}]}`,
		},
		"structured messages": {
			[]any{"gen_ai.input.messages", structured}, `{"messages":[{"parts":[{"content":"hi","type":"text"}],"role":"user"}]}`, "",
		},
		"numbered attributes": {
			[]any{"gen_ai.prompt.1.role", "user", "gen_ai.prompt.1.content", "hi", "gen_ai.prompt.0.role", "system", "gen_ai.completion.0.tool_calls.0.name", "f", "gen_ai.completion.0.finish_reason", "stop"},
			`{"messages":[{"role":"system"},{"role":"user","content":"hi"}]}`, `{"messages":[{"tool_calls":[{"name":"f"}],"finish_reason":"stop"}]}`,
		},
		"numbers with gaps, names with values and names below": {
			[]any{"gen_ai.prompt.2.a", int64(1), "gen_ai.prompt.2.a.b", 1.5, "gen_ai.prompt.0.list", []any{"x"}, "gen_ai.prompt.0.01", true},
			`{"messages":[{"list":{"$value":["x"]},"01":true},null,{"a":{"":1,"b":1.5}}]}`, "",
		},
		"text, and text that looks like JSON": {
			[]any{"traceloop.entity.input", "hello", "traceloop.entity.output", "{not json"}, `"hello"`, `"{not json"`,
		},
		"a value that is none of text": {
			[]any{"mlflow.spanInputs", map[string]any{"n": int64(1)}, "mlflow.spanOutputs", 2.5}, `{"n":1}`, `2.5`,
		},
		"a list of messages becomes a conversation": {
			[]any{"langfuse.observation.input", `[{"role":"user","content":"hi"}]`}, `{"messages":[{"role":"user","content":"hi"}]}`, "",
		},
		"openinference repeats the request": {
			[]any{
				"openinference.span.kind", "LLM", "input.value", `{"messages":[{"role":"user","content":"hi"}],"n":1}`, "llm.input_messages.0.message.role", "user",
				"llm.input_messages.0.message.content", "hi",
			},
			`{"messages":[{"role":"user","content":"hi"}],"n":1}`, "",
		},
		"openinference tells more than the request": {
			[]any{
				"openinference.span.kind", "LLM", "input.value", `{"messages":[{"role":"user","content":"hi"}]}`, "llm.input_messages.0.message.role", "user",
				"llm.input_messages.0.message.content", "another", "llm.tools.0.tool.json_schema", `{"a":1}`,
			},
			`{"messages":[{"role":"user","content":"another","$raw":{"role":"user","content":"hi"}}],"tools":[{"tool":{"json_schema":"{\"a\":1}"}}],"value":{"messages":[]}}`, "",
		},
		"messages in two forms": {
			[]any{
				"openinference.span.kind", "LLM", "input.value", `{"messages": [[{"lc": 1}, {"lc": 2}]], "x": 1}`, "llm.input_messages.1.message.role", "assistant",
				"llm.input_messages.0.message.role", "user",
			},
			`{"messages":[{"role":"user","$raw":{"lc": 1}},{"role":"assistant","$raw":{"lc": 2}}],"value":{"messages": [[]], "x": 1}}`, "",
		},
		"messages in two forms that are not as many": {
			[]any{"openinference.span.kind", "LLM", "input.value", `{"messages":[[{"lc":1},{"lc":2}]]}`, "llm.input_messages.0.message.role", "user"},
			`{"messages":[{"role":"user"}],"value":{"messages":[[{"lc":1},{"lc":2}]]}}`, "",
		},
		"entries beside a whole body": {
			[]any{"openinference.span.kind", "LLM", "input.value", `{"n": 1}`, "llm.tools.0.tool.json_schema", "{}"},
			`{"n": 1,"$more":{"tools":[{"tool":{"json_schema":"{}"}}]}}`, "",
		},
		"documents": {
			[]any{"openinference.span.kind", "RETRIEVER", "input.value", "q", "retrieval.documents.0.document.content", "c", "retrieval.documents.0.document.score", 0.5},
			`"q"`, `{"documents":[{"document":{"content":"c","score":0.5}}]}`,
		},
		"vercel's answer": {
			[]any{"ai.operationId", "ai.generateText.doGenerate", "ai.response.text", `{"looks":"like json"}`, "ai.response.toolCalls", `[{"toolName":"f"}]`},
			"", `{"text":"{\"looks\":\"like json\"}","tool_calls":[{"toolName":"f"}]}`,
		},
		"the same text twice is kept twice": {
			[]any{"langfuse.observation.input", "x", "langfuse.trace.input", "x"}, `"x"`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := raw(c.pairs...)
			m := Map(r)
			if string(m.Input) != c.input || string(m.Output) != c.output {
				t.Errorf("input  %s\noutput %s", m.Input, m.Output)
			}
			checkRestored(t, r, m)
		})
	}
}

func TestEventsBecomeMessages(t *testing.T) {
	r := raw("gen_ai.operation.name", "chat")
	r.Events = []Event{
		{Name: "gen_ai.user.message", Time: start, Attributes: []Attribute{{"content", "hi"}}},
		{Name: "gen_ai.choice", Time: start, Attributes: []Attribute{{"index", int64(0)}, {"finish_reason", "stop"}, {"message", `{"content":"yo"}`}}},
		{Name: "other", Time: start, Attributes: []Attribute{{"k", "v"}}},
	}
	m := Map(r)
	if string(m.Input) != `{"messages":[{"event.name":"gen_ai.user.message","content":"hi"}]}` {
		t.Errorf("%s", m.Input)
	}
	if string(m.Output) != `{"messages":[{"event.name":"gen_ai.choice","index":0,"finish_reason":"stop","message":{"content":"yo"}}]}` {
		t.Errorf("%s", m.Output)
	}
	if got := string(m.Span.Events[2].Attributes); got != `{"k":"v"}` {
		t.Errorf("%s", got)
	}
	c := View(m.Span, m.Input, m.Output)
	if c.Input.Messages[0].Parts[0].Text != "hi" || c.Output.Messages[0].Parts[0].Text != "yo" || c.Output.Messages[0].Finish != "stop" {
		t.Errorf("%+v", c)
	}
}

// The newer conventions put into one event, or log record, what the span's attributes would say.
func TestDetailsEvent(t *testing.T) {
	r := &Raw{Trace: strings.Repeat("a", 32), ID: strings.Repeat("b", 16), Start: start, End: start, Events: []Event{{
		Name: "gen_ai.client.inference.operation.details", Time: start,
		Attributes: []Attribute{{"gen_ai.operation.name", "chat"}, {"gen_ai.request.model", "m"}, {"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"hi"}]}]`}},
		Body:       map[string]any{"gen_ai.output.messages": []any{map[string]any{"role": "assistant", "parts": []any{map[string]any{"type": "text", "content": "yo"}}}}},
	}}}
	m := Map(r)
	if m.Span.Kind != span.Generation || m.Span.Model != "m" || m.Span.Attributes != nil {
		t.Errorf("%+v", m.Span)
	}
	c := View(m.Span, m.Input, m.Output)
	if c.Form != "messages" || c.Input.Messages[0].Parts[0].Text != "hi" || c.Output.Messages[0].Parts[0].Text != "yo" {
		t.Errorf("%+v", c)
	}
	at := gjson.ParseBytes(m.Span.Events[0].Attributes)
	if at.Get(`gen_ai\.request\.model`).Str != "m" || at.Get(`gen_ai\.input\.messages.$body`).Str != "input" || at.Get(`body.gen_ai\.output\.messages.$body`).Str != "output" {
		t.Errorf("%s", m.Span.Events[0].Attributes)
	}
}

func TestDeepValuesAreCut(t *testing.T) {
	var v any = "x"
	for range 1000 {
		v = []any{v}
	}
	m := Map(raw("deep", v, "gen_ai.input.messages", strings.Repeat("[", 5000)+strings.Repeat("]", 5000), "gen_ai.prompt."+strings.Repeat("0.", 3000)+"x", "y"))
	if !jsonx.Valid(m.Span.Attributes) || !jsonx.Valid(m.Input) {
		t.Error("not JSON")
	}
	View(m.Span, m.Input, m.Output)
}

func BenchmarkMap(b *testing.B) {
	text := strings.Repeat("All work and no play. ", 45)
	r := raw(
		"gen_ai.operation.name", "chat", "gen_ai.provider.name", "openai", "gen_ai.request.model", "gpt-4o", "gen_ai.request.max_tokens", int64(200), "gen_ai.request.temperature", 0.5,
		"gen_ai.response.model", "gpt-4o-2024", "gen_ai.response.id", "chatcmpl-1", "gen_ai.response.finish_reasons", []any{"stop"}, "gen_ai.usage.input_tokens", int64(100),
		"gen_ai.usage.output_tokens", int64(10), "gen_ai.usage.cache_read.input_tokens", int64(60), "gen_ai.conversation.id", "c1", "user.id", "u1", "server.address", "api.example.com",
		"server.port", int64(443), "thread.id", int64(1), "thread.name", "main", "gen_ai.agent.name", "helper",
		"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"`+text+`"}]}]`, "gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"ok"}],"finish_reason":"stop"}]`,
	)
	r.Resource = []Attribute{{"service.name", "shop"}, {"service.version", "1"}, {"telemetry.sdk.name", "opentelemetry"}}
	b.ReportAllocs()
	for b.Loop() {
		if Map(r).Input == nil {
			b.Fatal("no input")
		}
	}
}

func BenchmarkMapFlat(b *testing.B) {
	r := raw("openinference.span.kind", "LLM", "llm.model_name", "m", "llm.token_count.prompt", int64(5))
	for i := range 40 {
		r.Attributes = append(r.Attributes, Attribute{"llm.input_messages." + itoa(i) + ".message.role", "user"}, Attribute{"llm.input_messages." + itoa(i) + ".message.content", strings.Repeat("x", 200)})
	}
	b.ReportAllocs()
	for b.Loop() {
		Map(r)
	}
}

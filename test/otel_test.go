package test

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// otelSpan is a span of an application as Weir tells of it.
type otelSpan struct {
	harness.Span
	Name        string          `json:"name"`
	Kind        string          `json:"kind"`
	Parent      string          `json:"parent"`
	Source      string          `json:"source"`
	Service     string          `json:"service"`
	Environment string          `json:"environment"`
	Release     string          `json:"release"`
	TraceName   string          `json:"trace_name"`
	Covered     bool            `json:"covered"`
	Finish      string          `json:"finish"`
	Attributes  json.RawMessage `json:"attributes"`
}

// conversation is the answer of …/messages.
type conversation struct {
	Form   string `json:"form"`
	New    int    `json:"new_from"`
	Input  side   `json:"input"`
	Output side   `json:"output"`
	Docs   []struct {
		Text string `json:"text"`
	} `json:"documents"`
}

type side struct {
	Messages []struct {
		Role  string `json:"role"`
		Parts []struct {
			Type, Text, Name, Mime string
			Arguments, Result      json.RawMessage
		} `json:"parts"`
	} `json:"messages"`
	Tools []struct {
		Name string `json:"name"`
	} `json:"tools"`
}

// app is a program of test/otel, or test/node, and what Weir must have made of its spans.
type app struct {
	program []string
	cases   []string
	env     []string
	grpc    bool
	spans   int // in all
	check   func(t *testing.T, w *watched)
}

// watched is what Weir holds of one program.
type watched struct {
	*harness.Stack
	spans []otelSpan
}

// watch runs the program against the fake upstream, exporting to Weir, and reads everything back.
func (a app) watch(t *testing.T) *watched {
	t.Helper()
	port := freePort(t)
	s := harness.Up(t, harness.Options{Config: fmt.Sprintf("server: {otlp_grpc: %q}\n", port)})
	key := s.NewKey(t, "app", nil)
	env := append(harness.Offline(os.Environ()), "OPENAI_BASE_URL="+s.Fake+"/v1", "OPENAI_API_KEY="+key, "OTEL_EXPORTER_OTLP_ENDPOINT="+s.URL,
		"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20"+key, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "LANGFUSE_BASE_URL="+s.URL,
		"LANGFUSE_PUBLIC_KEY=pk", "LANGFUSE_SECRET_KEY="+key, "MLFLOW_TRACKING_URI="+s.URL, "MLFLOW_DISABLE_TELEMETRY=true", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING=false",
		"HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	if a.grpc {
		env = append(env, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+port)
	}
	for _, e := range a.env {
		env = append(env, strings.ReplaceAll(e, "$WEIR", s.URL))
	}
	proc := harness.Start(t, harness.Command{Name: a.program[1], Args: append(a.program, a.cases...), Dir: harness.Root(t), Env: env})
	if err := proc.Wait(2 * time.Minute); err != nil {
		t.Fatalf("%v\n%s", err, proc.Out.Tail(4000))
	}
	results := resultsOf(proc.Out.String())
	for _, name := range a.cases {
		if r, ok := results[name]; !ok || !r.OK {
			t.Errorf("%s: %s\n%s", name, r.Error, proc.Out.Tail(2000))
		}
	}
	w := &watched{Stack: s}
	harness.Poll(t, 20*time.Second, fmt.Sprintf("%d spans", a.spans), func() error {
		if w.spans = w.read(t); len(w.spans) != a.spans {
			var names []string
			for _, sp := range w.spans {
				names = append(names, sp.Name)
			}
			return fmt.Errorf("there are %d: %s\n%s", len(w.spans), strings.Join(names, ", "), proc.Out.Tail(1500))
		}
		return nil
	})
	if strings.Contains(s.Log(), key) || strings.Contains(s.Log(), "Kyoto") {
		t.Error("Weir's log holds a key or a prompt")
	}
	return w
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *watched) read(t *testing.T) (all []otelSpan) {
	var list struct {
		Items []struct {
			Trace string `json:"trace"`
		} `json:"items"`
	}
	w.Get(t, "/api/v1/traces?sort=start&limit=200", &list)
	seen := map[string]bool{}
	for _, i := range list.Items {
		if !seen[i.Trace] {
			seen[i.Trace] = true
			all = append(all, w.trace(t, i.Trace).Spans...)
		}
	}
	return all
}

type wholeTrace struct {
	Spans        []otelSpan `json:"spans"`
	TotalCostUSD float64    `json:"total_cost_usd"`
}

func (w *watched) trace(t *testing.T, id string) (out wholeTrace) {
	w.Get(t, "/api/v1/traces/"+id, &out)
	return out
}

// of are the spans of a kind with a status.
func (w *watched) of(kind, status string) (out []otelSpan) {
	for _, sp := range w.spans {
		if sp.Kind == kind && sp.Status == status {
			out = append(out, sp)
		}
	}
	return out
}

func (w *watched) named(t *testing.T, name string) otelSpan {
	t.Helper()
	for _, sp := range w.spans {
		if sp.Name == name {
			return sp
		}
	}
	t.Fatalf("there is no span %q", name)
	return otelSpan{}
}

func (w *watched) messages(t *testing.T, sp otelSpan) (c conversation) {
	w.Get(t, "/api/v1/traces/"+sp.Trace+"/spans/"+sp.ID+"/messages", &c)
	return c
}

// calls checks the model calls: how many there are, their model, tokens, cost by the configured prices, and messages.
func (w *watched) calls(t *testing.T, n int, dialect string) []otelSpan {
	t.Helper()
	calls := w.of("generation", "ok")
	if len(calls) != n {
		t.Errorf("%d calls, expected %d", len(calls), n)
	}
	price := harness.PriceOf[harness.GPT]
	for _, sp := range calls {
		if sp.Model != "gpt-4o" || sp.Dialect != dialect || sp.Source != "otlp" || sp.Usage.Input == 0 || sp.Usage.Output == 0 {
			t.Errorf("%s: model %q, dialect %q, source %q, %+v", sp.Name, sp.Model, sp.Dialect, sp.Source, sp.Usage)
		}
		want := (float64(sp.Usage.Input)*price.Input + float64(sp.Usage.CacheRead)*price.CacheRead + float64(sp.Usage.Output)*price.Output) / 1e6
		if sp.CostSource != "client" && math.Abs(sp.CostUSD-want) > 1e-9 || sp.CostUSD == 0 {
			t.Errorf("%s: $%g by %s, expected $%g", sp.Name, sp.CostUSD, sp.CostSource, want)
		}
		c := w.messages(t, sp)
		if c.Form != "messages" || len(c.Input.Messages) == 0 || len(c.Output.Messages) == 0 {
			t.Errorf("%s: %+v", sp.Name, c)
		}
	}
	return calls
}

// toolRound checks the two calls around a tool: the model asks for it with arguments, and is told its result.
func (w *watched) toolRound(t *testing.T) {
	t.Helper()
	asked, told, grown := false, false, false
	for _, sp := range w.of("generation", "ok") {
		c := w.messages(t, sp)
		grown = grown || c.New > 0 && c.New < len(c.Input.Messages)
		for _, m := range c.Output.Messages {
			for _, p := range m.Parts {
				asked = asked || p.Type == "tool_call" && p.Name == "weather" && strings.Contains(string(p.Arguments), `"city"`)
			}
		}
		for _, m := range c.Input.Messages {
			for _, p := range m.Parts {
				told = told || p.Type == "tool_result" && strings.Contains(string(p.Result), `"clear"`)
			}
		}
	}
	if !asked || !told || !grown {
		t.Errorf("seen are the call of a tool: %v, its result: %v, what is new in the second call: %v", asked, told, grown)
	}
}

func (w *watched) greeted(t *testing.T, sp otelSpan) {
	t.Helper()
	c := w.messages(t, sp)
	n := len(c.Input.Messages)
	if n < 2 || c.Input.Messages[0].Role != "system" || c.Input.Messages[0].Parts[0].Text != "You are brief." || c.Input.Messages[n-1].Parts[0].Text != "Say hello to 日本" ||
		!strings.Contains(c.Output.Messages[0].Parts[0].Text, "日本") {
		t.Errorf("%+v", c)
	}
}

// refused checks the one call that the model refused.
func (w *watched) refused(t *testing.T, kind string) {
	t.Helper()
	failed := w.of(kind, "error")
	if len(failed) != 1 || !strings.Contains(failed[0].ErrorText, "that was refused") || failed[0].ErrorType == "" || failed[0].CostUSD != 0 {
		t.Errorf("%+v", failed)
	}
}

// deployed checks what the program's resource tells.
func (w *watched) deployed(t *testing.T) {
	t.Helper()
	for _, sp := range w.spans {
		if sp.Source == "otlp" && (sp.Service != "shop" || sp.Environment != "staging" || sp.Release != "1.4.2") {
			t.Errorf("%s: service %q, environment %q, release %q", sp.Name, sp.Service, sp.Environment, sp.Release)
		}
	}
}

// known checks who worked in which session.
func known(t *testing.T, sp otelSpan) {
	t.Helper()
	if sp.User != "u-17" || sp.EndUser != "u-17" || sp.Session != "s-17" {
		t.Errorf("%s: user %q, end user %q, session %q", sp.Name, sp.User, sp.EndUser, sp.Session)
	}
}

// once checks that sums of a trace leave out what spans only repeat.
func (w *watched) once(t *testing.T, trace string) {
	t.Helper()
	got, want, covered := w.trace(t, trace), 0.0, 0
	for _, sp := range got.Spans {
		if sp.Covered {
			covered++
		} else {
			want += sp.CostUSD
		}
	}
	if covered == 0 || math.Abs(got.TotalCostUSD-want) > 1e-9 || want == 0 {
		t.Errorf("%d spans are covered; the total is $%g, and without them $%g", covered, got.TotalCostUSD, want)
	}
}

func otelPython(t *testing.T, script string) []string {
	return []string{harness.Work(t, "venv-otel", "bin", "python"), filepath.Join("otel", script)}
}

func TestSpansOfApplications(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) app{
		"opentelemetry": openTelemetry, "openinference": openInference, "openllmetry": openLLMetry, "langchain": langChain,
		"pydantic-ai": pydanticAI, "langfuse": langfuse, "mlflow": mlflow, "vercel": vercel, "joined": joined,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := make(t)
			a.check(t, a.watch(t))
		})
	}
}

func openTelemetry(t *testing.T) app {
	return app{program: otelPython(t, "genai.py"), cases: []string{"simple", "streaming", "tools", "error"}, spans: 8, check: func(t *testing.T, w *watched) {
		w.calls(t, 4, "otel-genai")
		w.toolRound(t)
		w.refused(t, "generation")
		w.deployed(t)
		known(t, w.named(t, "GET /hello"))
		if a := w.named(t, "invoke_agent helper"); a.Kind != "agent" || a.Session != "conv-1" {
			t.Errorf("%+v", a)
		}
		if tool := w.named(t, "execute_tool weather"); tool.Kind != "tool" {
			t.Errorf("%+v", tool)
		}
	}}
}

func openInference(t *testing.T) app {
	return app{program: otelPython(t, "openinference_app.py"), cases: []string{"simple", "streaming", "tools", "image", "error", "retrieval"}, spans: 8, grpc: true, check: func(t *testing.T, w *watched) {
		calls := w.calls(t, 5, "openinference")
		w.toolRound(t)
		w.refused(t, "generation")
		w.deployed(t)
		i := slices.IndexFunc(calls, func(sp otelSpan) bool { return sp.Session == "s-17" })
		if i < 0 {
			t.Fatal("no call has the session")
		}
		known(t, calls[i])
		w.greeted(t, calls[i])
		if got := string(calls[i].Metadata); !strings.Contains(got, `"items":3`) && !strings.Contains(got, `"items": 3`) || strings.Join(calls[i].Tags, " ") != "shop eu" {
			t.Errorf("metadata %s, tags %v", got, calls[i].Tags)
		}
		if !slices.ContainsFunc(calls, func(sp otelSpan) bool { return sp.Stream && sp.FirstTokenMS != nil }) {
			t.Error("no call has a time to its first token")
		}
		images := 0
		for _, sp := range calls {
			for _, m := range w.messages(t, sp).Input.Messages {
				for _, p := range m.Parts {
					if p.Type == "image" && p.Mime == "image/png" {
						images++
					}
				}
			}
		}
		if images != 1 {
			t.Errorf("%d images", images)
		}
		if r := w.named(t, "search"); r.Kind != "retriever" || len(w.messages(t, r).Docs) != 2 {
			t.Errorf("%+v", r)
		}
	}}
}

func openLLMetry(t *testing.T) app {
	return app{program: otelPython(t, "openllmetry.py"), cases: []string{"simple", "streaming", "tools", "error"}, spans: 8, check: func(t *testing.T, w *watched) {
		w.calls(t, 4, "openllmetry")
		w.toolRound(t)
		w.refused(t, "generation")
		w.deployed(t)
		flow := w.named(t, "greeting.workflow")
		known(t, flow)
		if flow.Kind != "chain" || flow.TraceName != "greeting" || w.named(t, "helper.agent").Kind != "agent" || w.named(t, "weather.tool").Kind != "tool" {
			t.Errorf("%+v", flow)
		}
	}}
}

func langChain(t *testing.T) app {
	return app{program: otelPython(t, "langchain_app.py"), cases: []string{"simple", "streaming", "tools", "retrieval", "error"}, spans: 10, check: func(t *testing.T, w *watched) {
		w.calls(t, 4, "openinference")
		w.toolRound(t)
		w.refused(t, "generation")
		w.deployed(t)
		if r := w.named(t, "Shelf"); r.Kind != "retriever" || len(w.messages(t, r).Docs) != 2 {
			t.Errorf("%+v", r)
		}
		if chain := w.named(t, "RunnableSequence"); chain.Session != "s-17" || chain.Kind != "chain" {
			t.Errorf("%+v", chain)
		}
	}}
}

func pydanticAI(t *testing.T) app {
	return app{program: otelPython(t, "pydantic_agent.py"), cases: []string{"simple", "tools", "error"}, spans: 8, check: func(t *testing.T, w *watched) {
		calls := w.calls(t, 3, "pydantic")
		w.toolRound(t)
		w.deployed(t)
		w.refused(t, "generation")
		w.greeted(t, calls[0])
		agents := w.of("agent", "ok")
		if len(agents) != 2 {
			t.Fatalf("%d agents", len(agents))
		}
		for _, a := range agents {
			if !a.Covered || a.Usage.Input == 0 {
				t.Errorf("%+v", a)
			}
			w.once(t, a.Trace)
		}
	}}
}

func langfuse(t *testing.T) app {
	return app{program: otelPython(t, "langfuse_app.py"), cases: []string{"simple", "wrapper", "kinds", "error"}, spans: 13, check: func(t *testing.T, w *watched) {
		answer := w.calls(t, 3, "langfuse")[0]
		known(t, answer)
		if math.Abs(answer.CostUSD-0.003) > 1e-9 || answer.CostSource != "client" || answer.Usage.CacheRead != 7 || answer.Environment != "staging" || answer.Release != "1.4.2" ||
			answer.TraceName != "greeting" || strings.Join(answer.Tags, " ") != "shop eu" {
			t.Errorf("%+v", answer)
		}
		w.refused(t, "generation")
		for _, kind := range []string{"agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail"} {
			if sp := w.named(t, kind+" step"); sp.Kind != kind {
				t.Errorf("%s became %s", sp.Name, sp.Kind)
			}
		}
		if e := w.named(t, "clicked"); e.Kind != "event" {
			t.Errorf("%+v", e)
		}
	}}
}

func mlflow(t *testing.T) app {
	return app{program: otelPython(t, "mlflow_app.py"), cases: []string{"simple", "retrieval", "error"}, spans: 5, check: func(t *testing.T, w *watched) {
		answer := w.calls(t, 1, "mlflow")[0]
		w.greetedBy(t, answer, "Hello!")
		if math.Abs(answer.CostUSD-0.003) > 1e-9 || answer.Usage.Input != 12 || answer.Usage.CacheRead != 8 || answer.Provider != "openai" {
			t.Errorf("%+v", answer)
		}
		w.refused(t, "tool")
		if r := w.named(t, "search"); r.Kind != "retriever" || len(w.messages(t, r).Docs) != 2 {
			t.Errorf("%+v", r)
		}
		if w.named(t, "helper").Kind != "agent" || w.named(t, "weather").Kind != "tool" {
			t.Error("wrong kinds")
		}
	}}
}

func (w *watched) greetedBy(t *testing.T, sp otelSpan, text string) {
	t.Helper()
	if c := w.messages(t, sp); len(c.Output.Messages) != 1 || c.Output.Messages[0].Parts[0].Text != text {
		t.Errorf("%+v", c)
	}
}

func vercel(t *testing.T) app {
	program := []string{"node", filepath.Join("node", "vercel.mjs")}
	return app{program: program, cases: []string{"simple", "streaming", "tools", "error"}, spans: 10, check: func(t *testing.T, w *watched) {
		calls := w.calls(t, 4, "vercel")
		w.toolRound(t)
		w.refused(t, "generation")
		w.deployed(t)
		for _, sp := range calls {
			known(t, sp)
		}
		w.greeted(t, calls[0])
		w.once(t, calls[0].Trace)
		if !slices.ContainsFunc(calls, func(sp otelSpan) bool { return sp.Stream && sp.FirstTokenMS != nil }) {
			t.Error("no call has a time to its first token")
		}
	}}
}

// The application's call and the gateway's are one trace, whose cost counts once.
func joined(t *testing.T) app {
	env := []string{"OPENAI_BASE_URL=$WEIR/v1"}
	return app{program: otelPython(t, "join.py"), cases: []string{"joined"}, env: env, spans: 3, check: func(t *testing.T, w *watched) {
		i := slices.IndexFunc(w.spans, func(sp otelSpan) bool { return sp.Source == "" })
		if i < 0 {
			t.Fatal("the gateway recorded no call")
		}
		gateway, app, root := w.spans[i], w.named(t, "ChatCompletion"), w.named(t, "GET /hello")
		if gateway.Trace != app.Trace || gateway.Parent != app.ID || app.Parent != root.ID {
			t.Errorf("gateway %s below %s, application %s below %s, root %s", gateway.ID, gateway.Parent, app.ID, app.Parent, root.ID)
		}
		if !app.Covered || gateway.Covered || app.Usage.Output != gateway.Usage.Output {
			t.Errorf("application covered %v, %+v; gateway %v, %+v", app.Covered, app.Usage, gateway.Covered, gateway.Usage)
		}
		harness.Poll(t, 10*time.Second, "the cost to count once", func() error {
			if got := w.trace(t, gateway.Trace).TotalCostUSD; math.Abs(got-gateway.CostUSD) > 1e-9 || got == 0 {
				return fmt.Errorf("$%g of a call that cost $%g", got, gateway.CostUSD)
			}
			return nil
		})
		var sum struct {
			Totals struct {
				CostUSD float64 `json:"cost_usd"`
			} `json:"totals"`
		}
		w.Get(t, "/api/v1/aggregate", &sum)
		if math.Abs(sum.Totals.CostUSD-gateway.CostUSD) > 1e-9 {
			t.Errorf("all calls cost $%g, the one call $%g", sum.Totals.CostUSD, gateway.CostUSD)
		}
	}}
}

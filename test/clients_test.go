package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// scenario is one thing a client program does with a key of its own, and what Weir must have recorded of it.
type scenario struct {
	name  string
	calls int // recorded with status ok
	check func(t *testing.T, s *harness.Stack, spans []harness.Span)
}

// program is a file of scenarios and what runs it.
type program struct {
	name string
	args []string
}

// exercise runs a client program and judges each of its scenarios.
func exercise(t *testing.T, p program, list []scenario) {
	s := harness.Up(t, harness.Options{})
	keys, names := map[string]string{}, []string{}
	for _, sc := range list {
		keys[sc.name] = s.NewKey(t, sc.name, nil)
		names = append(names, sc.name)
	}
	packed, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	secure, ca := s.TLS(t)
	env := append(harness.Offline(os.Environ()), "WEIR_URL="+s.URL, "WEIR_TLS_URL="+secure, "AWS_CA_BUNDLE="+ca, "FAKE_URL="+s.Fake, "WEIR_KEYS="+string(packed), "HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	proc := harness.Start(t, harness.Command{Name: p.name, Args: append(p.args, names...), Dir: harness.Root(t), Env: env})
	if err := proc.Wait(3 * time.Minute); err != nil {
		t.Errorf("%v\n%s", err, proc.Out.Tail(4000))
	}
	results := resultsOf(proc.Out.String())
	for _, key := range keys {
		if strings.Contains(s.Log(), key) {
			t.Error("Weir's log holds a key")
		}
	}
	for _, sc := range list {
		t.Run(sc.name, func(t *testing.T) {
			r, ok := results[sc.name]
			if !ok {
				t.Fatalf("the scenario did not run:\n%s", proc.Out.Tail(4000))
			}
			if !r.OK {
				t.Fatal(r.Error)
			}
			sc.judge(t, s)
		})
	}
}

type result struct {
	Name, Error string
	OK          bool
}

func resultsOf(out string) map[string]result {
	all := map[string]result{}
	for line := range strings.Lines(out) {
		var r result
		if json.Unmarshal([]byte(line), &r) == nil && r.Name != "" {
			all[r.Name] = r
		}
	}
	return all
}

func (sc scenario) judge(t *testing.T, s *harness.Stack) {
	var spans []harness.Span
	harness.Poll(t, 15*time.Second, "the recorded calls of "+sc.name, func() error {
		spans = s.AllCalls(t, sc.name)
		return sc.enough(spans)
	})
	s.CheckBooks(t, spans)
	if sc.check != nil {
		sc.check(t, s, spans)
	}
}

// threaded reports a failure unless the last n calls are one session that Weir put together by content.
func threaded(n int) func(*testing.T, *harness.Stack, []harness.Span) {
	return func(t *testing.T, _ *harness.Stack, spans []harness.Span) {
		for i := 0; i+1 < n; i += 2 {
			if a, b := spans[i], spans[i+1]; a.Session == "" || a.Session != b.Session || b.Usage.CacheRead == 0 {
				t.Errorf("calls %d and %d: sessions %q and %q, cache read %d", i, i+1, a.Session, b.Session, b.Usage.CacheRead)
			}
		}
	}
}

// streamed reports calls without a time to the first token.
func streamed(t *testing.T, _ *harness.Stack, spans []harness.Span) {
	for _, sp := range spans {
		if sp.Status == "ok" && (!sp.Stream || sp.FirstTokenMS == nil || *sp.FirstTokenMS > sp.DurationMS) {
			t.Errorf("call %s: stream %v, first token %v of %g ms", sp.Trace, sp.Stream, sp.FirstTokenMS, sp.DurationMS)
		}
	}
}

func canceled(t *testing.T, s *harness.Stack, spans []harness.Span) {
	for _, sp := range spans {
		if sp.Status != "canceled" || sp.CostUSD <= 0 || sp.Usage.Output == 0 {
			t.Errorf("call %s: %s, $%g, %+v; a cancelled call is recorded and paid", sp.Trace, sp.Status, sp.CostUSD, sp.Usage)
		}
	}
	if len(spans) != 1 {
		t.Errorf("%d calls recorded, expected 1", len(spans))
	}
}

// python is a virtual environment that setup.sh made.
func python(t *testing.T, venv, script string) program {
	return program{name: script + " " + venv, args: []string{harness.Work(t, venv, "bin", "python"), filepath.Join("python", script)}}
}

// venvs are the newest packages and an older generation of them.
var venvs = []string{"venv-new", "venv-old"}

func TestPythonOpenAI(t *testing.T) {
	for _, venv := range venvs {
		t.Run(venv, func(t *testing.T) {
			t.Parallel()
			exercise(t, python(t, venv, "openai_client.py"), []scenario{
				{name: "chat", calls: 4},
				{name: "stream", calls: 3, check: streamed},
				{name: "stream_without_usage", calls: 2, check: streamed},
				{name: "tool_loop", calls: 2, check: threaded(2)},
				{name: "tool_loop_streamed", calls: 4, check: threaded(4)},
				{name: "image", calls: 3},
				{name: "json_schema", calls: 3},
				{name: "facts", calls: 1, check: factsRecorded},
				{name: "errors", check: upstreamErrors},
				{name: "retried", calls: 1, check: retriedOnce},
				{name: "error_in_stream", check: brokenStream},
				{name: "cancel", check: canceled},
				{name: "catalogue"},
			})
		})
	}
}

func TestPythonAnthropic(t *testing.T) {
	for _, venv := range venvs {
		t.Run(venv, func(t *testing.T) {
			t.Parallel()
			exercise(t, python(t, venv, "anthropic_client.py"), []scenario{
				{name: "messages", calls: 3},
				{name: "bearer", calls: 1},
				{name: "stream", calls: 3, check: streamed},
				{name: "thinking_round_trip", calls: 4, check: threaded(4)},
				{name: "count_tokens"},
				{name: "image", calls: 3},
				{name: "errors", check: upstreamErrors},
				{name: "cancel", check: canceled},
				{name: "catalogue"},
			})
		})
	}
}

func TestPythonBoto3(t *testing.T) {
	for _, venv := range venvs {
		t.Run(venv, func(t *testing.T) {
			t.Parallel()
			exercise(t, python(t, venv, "boto3_client.py"), []scenario{
				{name: "invoke", calls: 6},
				{name: "invoke_stream", calls: 3, check: streamed},
				{name: "thinking_round_trip", calls: 2, check: threaded(2)},
				{name: "errors", check: upstreamErrors},
			})
		})
	}
}

// node is a script that runs the packages of node/package.json.
func node(t *testing.T, script string) program {
	return program{name: script, args: []string{"node", filepath.Join(harness.Root(t), "node", script)}}
}

func TestNode(t *testing.T) {
	t.Run("openai", func(t *testing.T) {
		t.Parallel()
		exercise(t, node(t, "openai.mjs"), []scenario{
			{name: "chat", calls: 3},
			{name: "stream", calls: 3, check: streamed},
			{name: "tool_loop", calls: 2, check: threaded(2)},
			{name: "errors", check: upstreamErrors},
			{name: "cancel", check: canceled},
		})
	})
	t.Run("anthropic", func(t *testing.T) {
		t.Parallel()
		exercise(t, node(t, "anthropic.mjs"), []scenario{
			{name: "messages", calls: 3},
			{name: "stream", calls: 3, check: streamed},
			{name: "thinking_round_trip", calls: 4, check: threaded(4)},
			{name: "count_tokens"},
			{name: "errors", check: upstreamErrors},
		})
	})
	t.Run("bedrock", func(t *testing.T) {
		t.Parallel()
		exercise(t, node(t, "bedrock.mjs"), []scenario{
			{name: "invoke", calls: 3},
			{name: "invoke_stream", calls: 3, check: streamed},
			{name: "thinking_round_trip", calls: 2, check: threaded(2)},
			{name: "errors", check: upstreamErrors},
		})
	})
}

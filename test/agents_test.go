package test

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// agentLimit is how long a coding agent may take for its task.
const agentLimit = 120 * time.Second

const wish = "Create hello.txt containing hello"

// agent is a real coding agent and how it is pointed at Weir.
type agent struct {
	name   string
	client string // as Weir calls it
	model  string
	tools  bool // calls tools natively, so that its second step must carry the signed thinking of its first
	args   []string
	env    []string
	files  map[string]string // below HOME
}

func agents(t *testing.T, base, key string) []agent {
	modules := filepath.Join(harness.Root(t), "agents", "node_modules")
	return []agent{
		cline2(modules, base, key),
		cline3(t, "cline-3", modules, base, key, harness.Sonnet),
		cline3(t, "cline-3-adaptive", modules, base, key, harness.Opus),
		claudeCode(t, "claude-code", modules, harness.Sonnet, "ANTHROPIC_BASE_URL="+base, "ANTHROPIC_AUTH_TOKEN="+key),
		claudeCode(t, "claude-code-adaptive", modules, harness.Opus, "ANTHROPIC_BASE_URL="+base, "ANTHROPIC_AUTH_TOKEN="+key),
		claudeCode(t, "claude-code-direct", modules, harness.Direct, "ANTHROPIC_BASE_URL="+base, "ANTHROPIC_API_KEY="+key),
		claudeCode(t, "claude-code-bedrock", modules, harness.SonnetID, "CLAUDE_CODE_USE_BEDROCK=1", "ANTHROPIC_BEDROCK_BASE_URL="+base+"/bedrock",
			"CLAUDE_CODE_SKIP_BEDROCK_AUTH=1", "AWS_REGION=us-east-1", "ANTHROPIC_AUTH_TOKEN="+key),
	}
}

// cline2 is Cline's own handler for LiteLLM: tools as XML in text, cache_control and thinking in the body.
func cline2(modules, base, key string) agent {
	state := fmt.Sprintf(`{"actModeApiProvider":"litellm","planModeApiProvider":"litellm","actModeLiteLlmModelId":%[1]q,"planModeLiteLlmModelId":%[1]q,`+
		`"liteLlmBaseUrl":%[2]q,"welcomeViewCompleted":true,"telemetrySetting":"disabled","actModeThinkingBudgetTokens":2048}`, harness.Sonnet, base)
	return agent{
		name: "cline-2", client: "Cline", model: harness.Sonnet,
		args:  []string{"node", filepath.Join(modules, "cline", "dist", "cli.mjs"), "task", "-y", "--json", "-t", "90", wish},
		files: map[string]string{".cline/data/globalState.json": state, ".cline/data/secrets.json": fmt.Sprintf(`{"liteLlmApiKey":%q}`, key)},
	}
}

// cline3 is the generation on the AI SDK: native tools, reasoning_effort, no cache_control, no signatures sent back.
func cline3(t *testing.T, name, modules, base, key, model string) agent {
	providers := fmt.Sprintf(`{"version":1,"lastUsedProvider":"litellm","modes":{},"providers":{"litellm":{"settings":{"provider":"litellm",`+
		`"apiKey":%q,"model":%q,"baseUrl":%q},"updatedAt":"2026-11-20T00:00:00Z","tokenSource":"manual"}}}`, key, model, base+"/v1")
	return agent{
		name: name, client: "Cline", model: model, tools: true,
		args: []string{
			native(t, modules, "@cline/cli-linux-*", "bin", "cline"), "-P", "litellm", "-k", key, "-m", model, "--thinking", "high", "--json", "-t", "90", wish,
		},
		files: map[string]string{".cline/data/settings/providers.json": providers},
	}
}

func claudeCode(t *testing.T, name, modules, model string, env ...string) agent {
	return agent{
		name: name, client: "Claude Code", model: model, tools: true,
		args: []string{native(t, modules, "@anthropic-ai/claude-code-linux-*", "claude"), "-p", wish, "--output-format", "json", "--dangerously-skip-permissions"},
		env:  append(env, "ANTHROPIC_MODEL="+model, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "IS_SANDBOX=1"),
	}
}

// native finds an agent's program, which comes in a package per platform.
func native(t *testing.T, modules, pattern string, rest ...string) string {
	found, err := filepath.Glob(filepath.Join(append([]string{modules, pattern}, rest...)...))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is not installed (%v); run test/setup.sh; there is one for linux/amd64", pattern, err)
	}
	return found[0]
}

// TestAgents lets each agent write a file through Weir and a Claude on the fake Bedrock, and looks at what was recorded.
func TestAgents(t *testing.T) {
	for i, name := range []string{"cline-2", "cline-3", "cline-3-adaptive", "claude-code", "claude-code-adaptive", "claude-code-direct", "claude-code-bedrock"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Up(t, harness.Options{})
			key := s.NewKey(t, name, map[string]any{"user_id": "dana", "user_email": "dana@example.com"})
			a := agents(t, s.URL, key)[i]
			if a.name != name {
				t.Fatalf("agent %d is %s", i, a.name)
			}
			a.run(t)
			a.check(t, s)
		})
	}
}

// run gives the agent a HOME and a working directory of its own.
func (a agent) run(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "project")
	write(t, home, a.files)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	env := append(harness.Offline(os.Environ()), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "NO_COLOR=1", "CI=1", "DO_NOT_TRACK=1")
	t.Cleanup(func() { harness.Reap(home) })
	p := harness.Start(t, harness.Command{Name: a.name, Args: a.args, Dir: dir, Env: append(env, a.env...)})
	if err := p.Wait(agentLimit); err != nil {
		t.Fatalf("%v\n%s", err, p.Out.Tail(4000))
	}
	got, err := os.ReadFile(filepath.Join(dir, "hello.txt"))
	if err != nil || strings.TrimSpace(string(got)) != "hello" {
		t.Fatalf("hello.txt holds %q (%v); the agent said:\n%s", got, err, p.Out.Tail(4000))
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// check compares the record with the fake's own count, and reads the run as one session.
func (a agent) check(t *testing.T, s *harness.Stack) {
	var steps []harness.Span
	for _, sp := range s.AllCalls(t, a.name) {
		if sp.Model == a.model && sp.Stream {
			steps = append(steps, sp)
		}
	}
	if len(steps) != 2 {
		t.Fatalf("%d streamed calls of %s, expected the tool call and the closing word: %+v", len(steps), a.model, steps)
	}
	for i, sp := range steps {
		if sp.Status != "ok" || sp.Client != a.client || sp.Email != "dana@example.com" || sp.FirstTokenMS == nil {
			t.Errorf("step %d: status %q, client %q, email %q, first token %v (%s)", i, sp.Status, sp.Client, sp.Email, sp.FirstTokenMS, sp.ErrorText)
		}
	}
	if steps[1].Usage.CacheRead == 0 || !steps[1].CacheHit {
		t.Errorf("the second step read nothing from the prompt cache: %+v", steps[1].Usage)
	}
	if steps[0].Session == "" || steps[0].Session != steps[1].Session {
		t.Errorf("two sessions: %q and %q", steps[0].Session, steps[1].Session)
	}
	for _, e := range s.Journal(t) {
		if a.tools && e.RequestID == steps[1].UpstreamID && !strings.Contains(string(e.Body), `"signature":`) {
			t.Errorf("the second step reached the upstream without the thinking of the first: %.3000s", e.Body)
		}
	}
	s.CheckBooks(t, steps)
	a.session(t, s, steps)
}

// session is the run as the UI shows it: each call adds only what is new.
func (a agent) session(t *testing.T, s *harness.Stack, steps []harness.Span) {
	var got struct {
		Calls   int64         `json:"calls"`
		CostUSD float64       `json:"cost_usd"`
		Usage   harness.Usage `json:"usage"`
		Steps   []struct {
			Trace          string  `json:"trace"`
			RunningCostUSD float64 `json:"running_cost_usd"`
			NewMessages    []any   `json:"new_messages"`
			Answer         any     `json:"answer"`
		} `json:"steps"`
	}
	s.Get(t, "/api/v1/sessions/"+url.PathEscape(steps[0].Session), &got)
	if len(got.Steps) != len(steps) || got.Calls != int64(len(steps)) {
		t.Fatalf("the session has %d steps and %d calls, expected %d", len(got.Steps), got.Calls, len(steps))
	}
	cost, usage := 0.0, harness.Usage{}
	for i, st := range got.Steps {
		cost, usage = cost+steps[i].CostUSD, usage.Plus(steps[i].Usage)
		if st.Trace != steps[i].Trace || st.Answer == nil || len(st.NewMessages) == 0 {
			t.Errorf("step %d: trace %s, %d new messages, answer %v", i, st.Trace, len(st.NewMessages), st.Answer)
		}
		if math.Abs(st.RunningCostUSD-cost) > 1e-8 {
			t.Errorf("step %d: running cost $%g, expected $%g", i, st.RunningCostUSD, cost)
		}
	}
	if n := len(got.Steps[1].NewMessages); n > 3 {
		t.Errorf("the second step adds %d messages; what the first sent is not new", n)
	}
	if got.Usage != usage || math.Abs(got.CostUSD-cost) > 1e-8 {
		t.Errorf("the session sums up to %+v, $%g; its steps to %+v, $%g", got.Usage, got.CostUSD, usage, cost)
	}
}

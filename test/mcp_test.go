package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/test/harness"
)

// mcpWish makes the stand-in model call a tool of Weir's own server, by the name the agent gives it.
const mcpWish = `call the tool search_traces with {"filter":"key_alias = \"seed\"","fields":["status","model","input"],"limit":5}`

// TestMCP lets a coding agent look at traces through its own MCP client: the agent calls the model through Weir, the
// model wants a tool, the agent asks Weir's server, and what it says goes back to the model.
func TestMCP(t *testing.T) {
	for _, name := range []string{"claude-code", "cline-2", "cline-3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Up(t, harness.Options{})
			seed(t, s)
			key := s.NewKey(t, "agent", map[string]any{"user_id": "dana", "user_email": "dana@example.com"})
			a := mcpAgent(t, name, s.URL, key)
			a.start(t)
			checkMCP(t, s, a)
		})
	}
}

// seed records a call to be found.
func seed(t *testing.T, s *harness.Stack) {
	t.Helper()
	r := s.Call(t, harness.Request{
		Method: http.MethodPost, Path: "/v1/chat/completions", Key: s.NewKey(t, "seed", nil),
		Body: map[string]any{"model": harness.GPT, "messages": []map[string]any{{"role": "user", "content": "A needle in the haystack"}}},
	})
	if r.Status != http.StatusOK {
		t.Fatalf("seed: %d %s", r.Status, r.Body)
	}
	s.Calls(t, "seed", 1)
}

func mcpAgent(t *testing.T, name, base, key string) agent {
	modules := filepath.Join(harness.Root(t), "agents", "node_modules")
	headers := map[string]string{"Authorization": "Bearer " + key}
	if name == "claude-code" {
		a := claudeCode(t, name, modules, harness.Sonnet, "ANTHROPIC_BASE_URL="+base, "ANTHROPIC_AUTH_TOKEN="+key)
		servers := text(t, map[string]any{"mcpServers": map[string]any{"weir": map[string]any{"type": "http", "url": base + "/mcp", "headers": headers}}})
		a.args[2] = mcpWish
		a.args = append(a.args, "--mcp-config", servers, "--strict-mcp-config")
		return a
	}
	if name == "cline-2" {
		a := cline2(modules, base, key)
		a.args[len(a.args)-1] = mcpWish
		a.files[".cline/data/settings/cline_mcp_settings.json"] = text(t, map[string]any{"mcpServers": map[string]any{"weir": map[string]any{
			"type": "streamableHttp", "url": base + "/mcp", "headers": headers, "disabled": false, "autoApprove": []string{"search_traces"},
		}}})
		return a
	}
	a := cline3(t, name, modules, base, key, harness.Sonnet)
	a.args[len(a.args)-1] = mcpWish
	a.files[".cline/data/settings/cline_mcp_settings.json"] = text(t, map[string]any{"mcpServers": map[string]any{"weir": map[string]any{
		"type": "streamableHttp", "url": base + "/mcp", "headers": headers, "disabled": false, "autoApprove": []string{"search_traces"},
		"transport": map[string]any{"type": "streamableHttp", "url": base + "/mcp", "headers": headers},
	}}})
	return a
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// start runs the agent without looking at files.
func (a agent) start(t *testing.T) {
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
	if out := p.Out.String(); !strings.Contains(out, "A needle in the haystack") {
		t.Errorf("the agent does not tell what the tool found:\n%s", p.Out.Tail(4000))
	}
}

// checkMCP finds the tool's answer in what the agent sent to the model: the table, with the seeded call in it.
func checkMCP(t *testing.T, s *harness.Stack, a agent) {
	t.Helper()
	seeded := s.AllCalls(t, "seed")[0]
	row := seeded.Trace + "/" + seeded.ID
	calls := 0
	for _, sp := range s.AllCalls(t, "agent") {
		body := s.Call(t, harness.Request{Method: http.MethodGet, Path: fmt.Sprintf("/api/v1/traces/%s/spans/%s/input", sp.Trace, sp.ID)})
		if strings.Contains(string(body.Body), row) && strings.Contains(string(body.Body), `"messages"`) {
			calls++
		}
	}
	if calls == 0 {
		t.Errorf("%s sent no call with the row %s of the tool's answer", a.name, row)
	}
}

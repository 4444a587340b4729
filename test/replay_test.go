package test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// TestReplayAndTail sends a recorded call again with the command, and sees both pass in a tail.
func TestReplayAndTail(t *testing.T) {
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "replayer", nil)
	env := append(harness.Plain(os.Environ()), "WEIR_URL="+s.URL, "WEIR_KEY="+key)
	tail := harness.Start(t, harness.Command{Name: "weir tail", Args: []string{harness.Bin(t, "weir"), "tail", `key_alias = replayer`}, Env: env})
	harness.Poll(t, 10*time.Second, "the tail shows a call", func() error { // it may not be connected at the first
		r := s.Call(t, harness.Request{
			Method: http.MethodPost, Path: "/v1/chat/completions", Key: key,
			Body: `{ "model":"gpt-4o", "temperature": 1,  "top_p":1.0 , "messages":[{"role":"user","content":"Say it again, 日本"}]}`,
		})
		if r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		if !strings.Contains(tail.Out.String(), "gpt-4o") {
			return errNotYet
		}
		return nil
	})
	first := s.AllCalls(t, "replayer")[0]
	run := func(args ...string) string {
		t.Helper()
		p := harness.Start(t, harness.Command{Name: "weir replay", Args: append([]string{harness.Bin(t, "weir"), "replay", first.Trace}, args...), Env: env})
		if err := p.Wait(30 * time.Second); err != nil {
			t.Fatalf("%v\n%s", err, p.Out.Tail(4000))
		}
		return p.Out.String()
	}
	if out := run(); !strings.Contains(out, "  ok") || !strings.Contains(out, "nothing else differs") {
		t.Errorf("unchanged:\n%s", out)
	}
	if out := run("--model", harness.Sonnet, "--set", "temperature=0"); !strings.Contains(out, "gpt-4o → "+harness.Sonnet) || !strings.Contains(out, "1 → 0") {
		t.Errorf("changed:\n%s", out)
	}
	var bodies []string
	for _, sp := range s.AllCalls(t, "replayer") {
		if sp.Trace == first.Trace || strings.Contains(strings.Join(sp.Tags, ","), "replay") {
			bodies = append(bodies, string(s.Call(t, harness.Request{Method: http.MethodGet, Path: "/api/v1/traces/" + sp.Trace + "/spans/" + sp.ID + "/input"}).Body))
		}
	}
	if len(bodies) != 3 || bodies[0] != bodies[1] || bodies[2] == bodies[0] {
		t.Errorf("the unchanged replay is not the same to the byte: %q", bodies)
	}
}

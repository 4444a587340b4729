package test

import (
	"os"
	"testing"

	"weir/test/harness"
)

func TestMain(m *testing.M) {
	if code, done := harness.Isolate(); done {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestSmoke(t *testing.T) {
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "smoke", nil)
	for _, m := range []string{harness.Sonnet, harness.Opus, harness.Direct, harness.GPT} {
		r := s.Call(t, harness.Request{Method: "POST", Path: "/v1/chat/completions", Key: key, Body: map[string]any{"model": m, "messages": []map[string]any{{"role": "user", "content": "Say hello"}}}})
		t.Logf("%d %s", r.Status, r.Body)
	}
	spans := s.Calls(t, "smoke", 4)
	s.CheckBooks(t, spans)
	for _, sp := range spans {
		t.Logf("%+v", sp)
	}
}

package test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// TestUpstreamFaults breaks answers in every way the fake knows: the client gets an error in its dialect, in the stream
// where one had begun, and the call is recorded as failed.
func TestUpstreamFaults(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{Config: "routing: {retries: 0}\n"})
	whole := []string{"garbage", "drop", "empty", "status=500", "status=529"}
	cut := []string{"cut=4", "eof=4", "half=4", "error_after=4", "garbage", "drop", "empty"}
	for _, model := range []string{harness.Sonnet, harness.Direct, harness.GPT} {
		for _, fault := range whole {
			t.Run("whole/"+model+"/"+fault, func(t *testing.T) { broken(t, s, model, fault, false) })
		}
		for _, fault := range cut {
			t.Run("stream/"+model+"/"+fault, func(t *testing.T) { broken(t, s, model, fault, true) })
		}
	}
}

func broken(t *testing.T, s *harness.Stack, model, fault string, stream bool) {
	for _, path := range []string{chatPath, messagePath} {
		alias := t.Name() + path
		body := chatBody(model, "Break [[fake: chunks=10 "+fault+"]]")
		body["stream"] = stream
		r := s.Call(t, harness.Request{Method: http.MethodPost, Path: path, Key: s.NewKey(t, alias, nil), Body: body})
		text := string(r.Body)
		switch {
		case !strings.Contains(text, `"error"`):
			t.Errorf("%s: %d without an error: %s", path, r.Status, text)
		case r.Status == http.StatusOK && (!stream || strings.Contains(text, "[DONE]") || strings.Contains(text, `"message_stop"`)):
			t.Errorf("%s: a broken answer ends as if it were whole: %s", path, text)
		case r.Status != http.StatusOK && r.Status < 500:
			t.Errorf("%s: %d %s", path, r.Status, text)
		}
		if sp := s.Calls(t, alias, 1)[0]; sp.Status != "error" || sp.ErrorType == "" || sp.ErrorText == "" {
			t.Errorf("%s: recorded as %s, type %q, text %q", path, sp.Status, sp.ErrorType, sp.ErrorText)
		}
	}
}

// TestUnreachable has upstreams where nobody listens, and where the certificate is not to be trusted.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	_ = l.Close()
	foreign := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(foreign.Close)
	s := harness.Up(t, harness.Options{Config: `
- {name: nobody, provider: openai, model: gpt-4o, base_url: "` + nobody + `", api_key: sk-x}
- {name: foreign, provider: openai, model: gpt-4o, base_url: "` + foreign.URL + `", api_key: sk-x}
routing: {retries: 0}
`})
	for _, model := range []string{"nobody", "foreign"} {
		r := s.Call(t, harness.Request{Method: http.MethodPost, Path: chatPath, Key: s.NewKey(t, model, nil), Body: chatBody(model, "x")})
		var e refusal
		r.JSON(t, &e)
		if r.Status < 500 || e.Error.Message == "" {
			t.Errorf("%s: %d %s", model, r.Status, r.Body)
		}
		if strings.Contains(string(r.Body), "sk-x") {
			t.Errorf("the provider's key is shown: %s", r.Body)
		}
		if sp := s.Calls(t, model, 1)[0]; sp.Status != "error" || sp.CostUSD != 0 {
			t.Errorf("%s: recorded as %s, $%g", model, sp.Status, sp.CostUSD)
		}
	}
}

// TestFallback has a model that fails and another that stands in: the client sees one good answer.
func TestFallback(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{Config: "routing: {retries: 0, fallbacks: {" + harness.Sonnet + ": [" + harness.GPT + "]}}\n"})
	s.Fault(t, map[string]any{"status": 500, "dialect": "converse"})
	for _, stream := range []bool{false, true} {
		body := chatBody(harness.Sonnet, "Fall back")
		body["stream"] = stream
		alias := map[bool]string{false: "whole", true: "streamed"}[stream]
		r := s.Call(t, harness.Request{Method: http.MethodPost, Path: chatPath, Key: s.NewKey(t, alias, nil), Body: body})
		if r.Status != http.StatusOK || r.Header.Get("x-litellm-attempted-fallbacks") != "1" {
			t.Errorf("%d %v %s", r.Status, r.Header, r.Body)
		}
		if sp := s.Calls(t, alias, 1)[0]; sp.Status != "ok" || sp.Provider != "openai" || len(sp.Tries) != 2 {
			t.Errorf("recorded: %s by %s in %d tries", sp.Status, sp.Provider, len(sp.Tries))
		}
	}
}

// TestDrain stops Weir in the middle of a stream: the stream ends whole before the program does.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := harness.Up(t, harness.Options{})
	key := s.NewKey(t, "drain", nil)
	body := chatBody(harness.Sonnet, "Stay [[fake: chunks=60 chunk_delay=20ms]]")
	body["stream"], body["max_tokens"] = true, 4000
	got := make(chan harness.Reply, 1)
	go func() {
		got <- s.Call(t, harness.Request{Method: http.MethodPost, Path: chatPath, Key: key, Body: body})
	}()
	harness.Poll(t, 10*time.Second, "the stream begins", func() error {
		if len(s.Journal(t)) == 0 {
			return errNotYet
		}
		return nil
	})
	if err := s.Weir().Stop(30 * time.Second); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	if r := <-got; r.Status != http.StatusOK || !strings.Contains(string(r.Body), "[DONE]") {
		t.Errorf("the stream was cut: %d …%s", r.Status, r.Body[max(0, len(r.Body)-300):])
	}
}

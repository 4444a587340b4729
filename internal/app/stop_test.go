package app

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"
)

// open begins a request and returns its answer while that is still being written.
func (r *rig) open(t *testing.T, method, path, body string) *bufio.Reader {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+masterKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return bufio.NewReader(resp.Body)
}

func TestStopDoesNotWaitForLiveTails(t *testing.T) {
	r := start(t, t.TempDir(), oneModel("m", fake(t)))
	tail := r.open(t, http.MethodGet, "/api/v1/live", "")
	if line, err := tail.ReadString('\n'); err != nil || !strings.HasPrefix(line, ":") {
		t.Fatalf("%q, %v", line, err)
	}
	began := time.Now()
	r.Stop()
	if took := time.Since(began); took > 10*time.Second || strings.Contains(r.log.String(), "streams were cut") {
		t.Errorf("stopping took %v\n%s", took, r.log.String())
	}
}

func TestCutStreamIsRecorded(t *testing.T) {
	dir, models := t.TempDir(), oneModel("m", fake(t))
	r := start(t, dir, "server: {drain: 50ms}\n"+models)
	stream := r.open(t, http.MethodPost, "/v1/chat/completions",
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"hello [[fake: chunk_delay=100ms chunks=300]]"}]}`)
	if _, err := stream.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	if r.log.String() == "" || !strings.Contains(r.log.String(), "streams were cut") || strings.Contains(r.log.String(), "without a record") {
		t.Errorf("log:\n%s", r.log.String())
	}
	again := start(t, dir, models)
	if status, _, list := again.do(t, http.MethodGet, "/api/v1/traces?filter=status%20%3D%20canceled", ""); status != http.StatusOK || !strings.Contains(list, `"canceled"`) {
		t.Errorf("the cut stream is not there as canceled: %d %s\n%s", status, list, again.log.String())
	}
}

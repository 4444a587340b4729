package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/fakeupstream"
)

// lines is a log that tests can wait on.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{}, 1)} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait returns once the log holds the text.
func (l *lines) wait(t *testing.T, text string) {
	t.Helper()
	l.waitCount(t, text, 1)
}

// waitCount returns once the log holds the text n times.
func (l *lines) waitCount(t *testing.T, text string, n int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for strings.Count(l.String(), text) < n {
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("the log never said %q:\n%s", text, l.String())
		}
	}
}

type rig struct {
	*App
	log  *lines
	file string
	url  string
	dir  string
}

const masterKey = "sk-test-master"

// start brings up an App with a configuration over the fake upstream.
func start(t *testing.T, dir, configYAML string) *rig {
	t.Helper()
	file := filepath.Join(dir, "weir.yaml")
	if err := os.WriteFile(file, []byte(configYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	log := newLines()
	env := map[string]string{"WEIR_MASTER_KEY": masterKey}
	a, err := Start(t.Context(), Options{
		ConfigFile: file, Data: filepath.Join(dir, "data"), Listen: []string{"127.0.0.1:0"}, Out: io.Discard, Err: log,
		Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	stopped := false
	r := &rig{App: a, log: log, file: file, url: a.server.url(), dir: dir}
	t.Cleanup(func() {
		if !stopped {
			a.Stop()
		}
	})
	return r
}

func fake(t *testing.T) string {
	t.Helper()
	s := fakeupstream.New(fakeupstream.Options{})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return url
}

func oneModel(name, url string) string {
	return fmt.Sprintf("models:\n  - {name: %s, provider: openai, model: gpt-4o, base_url: '%s/v1', api_key: sk-up}\n", name, url)
}

// chat makes a call and returns status and body.
func (r *rig) chat(t *testing.T, model string) (int, http.Header, string) {
	t.Helper()
	return r.do(t, http.MethodPost, "/v1/chat/completions", `{"model":"`+model+`","messages":[{"role":"user","content":"hello"}]}`)
}

func (r *rig) do(t *testing.T, method, path, body string) (int, http.Header, string) {
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
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestCallIsRecordedAndReadable(t *testing.T) {
	r := start(t, t.TempDir(), oneModel("m", fake(t)))
	status, header, body := r.chat(t, "m")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	trace := header.Get("X-Weir-Trace-Id")
	status, _, list := r.do(t, http.MethodGet, "/api/v1/traces?filter="+"model%20%3D%20m", "")
	if status != http.StatusOK || !strings.Contains(list, trace) {
		t.Errorf("list %d %s", status, list)
	}
	_, _, one := r.do(t, http.MethodGet, "/api/v1/traces/"+trace, "")
	var got struct {
		Spans []struct {
			ID      string
			CostUSD float64 `json:"cost_usd"`
		}
	}
	if json.Unmarshal([]byte(one), &got) != nil || len(got.Spans) != 1 || got.Spans[0].CostUSD <= 0 {
		t.Fatalf("trace %s", one)
	}
	_, _, output := r.do(t, http.MethodGet, "/api/v1/traces/"+trace+"/spans/"+got.Spans[0].ID+"/output", "")
	if output != body {
		t.Errorf("recorded answer %s\nsent answer %s", output, body)
	}
}

func TestReload(t *testing.T) {
	url := fake(t)
	r := start(t, t.TempDir(), oneModel("old", url))
	replace := func(text string) {
		next := r.file + ".next"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, r.file); err != nil { // as editors and Kubernetes do
			t.Fatal(err)
		}
	}
	replace("models: [{nmae: broken}]\n")
	r.log.wait(t, "new configuration refused")
	if status, _, body := r.chat(t, "old"); status != http.StatusOK {
		t.Errorf("after a bad file: %d %s", status, body)
	}
	replace(oneModel("new", url))
	r.log.wait(t, "configuration reloaded")
	if status, _, _ := r.chat(t, "new"); status != http.StatusOK {
		t.Errorf("new model: %d", status)
	}
	if status, _, body := r.chat(t, "old"); status != http.StatusNotFound {
		t.Errorf("old model: %d %s", status, body)
	}
	for _, on := range []bool{false, true} {
		replace(fmt.Sprintf("recording: {bodies: %v}\n", on) + oneModel(fmt.Sprint("bodies ", on), url))
		r.log.waitCount(t, "configuration reloaded", map[bool]int{false: 2, true: 3}[on])
		_, header, body := r.chat(t, fmt.Sprint("bodies ", on))
		_, _, trace := r.do(t, http.MethodGet, "/api/v1/traces/"+header.Get("X-Weir-Trace-Id"), "")
		var got struct{ Spans []struct{ ID string } }
		if json.Unmarshal([]byte(trace), &got) != nil || len(got.Spans) != 1 {
			t.Fatalf("trace %s", trace)
		}
		status, _, output := r.do(t, http.MethodGet, "/api/v1/traces/"+header.Get("X-Weir-Trace-Id")+"/spans/"+got.Spans[0].ID+"/output", "")
		if (status == http.StatusOK && output == body) != on {
			t.Errorf("bodies %v: %d %s", on, status, output)
		}
	}
}

func TestRestartKeepsWhatWasAcknowledged(t *testing.T) {
	dir, url := t.TempDir(), fake(t)
	r := start(t, dir, oneModel("m", url))
	status, _, key := r.do(t, http.MethodPost, "/key/generate", `{"key_alias":"ci","max_budget":5}`)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, key)
	}
	_, header, _ := r.chat(t, "m")
	r.Stop()
	r = start(t, dir, oneModel("m", url))
	if status, _, list := r.do(t, http.MethodGet, "/key/list?return_full_object=true", ""); status != http.StatusOK || !strings.Contains(list, `"ci"`) {
		t.Errorf("keys %d %s", status, list)
	}
	if status, _, body := r.do(t, http.MethodGet, "/api/v1/traces/"+header.Get("X-Weir-Trace-Id"), ""); status != http.StatusOK {
		t.Errorf("trace %d %s", status, body)
	}
}

func TestIndexIsRebuiltWhenLost(t *testing.T) {
	dir, url := t.TempDir(), fake(t)
	r := start(t, dir, oneModel("m", url))
	_, header, _ := r.chat(t, "m")
	r.Stop()
	if err := os.RemoveAll(filepath.Join(dir, "data", indexDir)); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, oneModel("m", url))
	r.log.wait(t, "index built")
	if _, _, list := r.do(t, http.MethodGet, "/api/v1/traces", ""); !strings.Contains(list, header.Get("X-Weir-Trace-Id")) {
		t.Errorf("list %s", list)
	}
}

func TestTakenPortIsAnError(t *testing.T) {
	r := start(t, t.TempDir(), oneModel("m", fake(t)))
	_, err := Start(t.Context(), Options{
		Data: t.TempDir(), Listen: []string{strings.TrimPrefix(r.url, "http://")}, Out: io.Discard, Err: io.Discard,
		Env: func(string) (string, bool) { return "", false },
	})
	if err == nil || !strings.Contains(err.Error(), "cannot listen on") {
		t.Errorf("error %v", err)
	}
}

func TestSecondProcessOnTheSameDataIsAnError(t *testing.T) {
	r := start(t, t.TempDir(), oneModel("m", fake(t)))
	_, err := Start(t.Context(), Options{
		Data: filepath.Join(r.dir, "data"), Listen: []string{"127.0.0.1:0"}, Out: io.Discard, Err: io.Discard,
		Env: func(string) (string, bool) { return "", false },
	})
	if err == nil || !strings.Contains(err.Error(), "another weir") {
		t.Errorf("error %v", err)
	}
	if status, _, body := r.chat(t, "m"); status != http.StatusOK {
		t.Errorf("the first one: %d %s", status, body)
	}
}

func TestStopDrainsStreams(t *testing.T) {
	r := start(t, t.TempDir(), oneModel("m", fake(t)))
	stream := r.open(t, http.MethodPost, "/v1/chat/completions",
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"hello [[fake: chunk_delay=30ms chunks=20]]"}]}`)
	stopped := make(chan struct{})
	go func() { r.Stop(); close(stopped) }()
	body, err := io.ReadAll(stream)
	if err != nil || !strings.HasSuffix(string(body), "data: [DONE]\n\n") {
		t.Errorf("the stream was cut: %v …%s", err, body[max(0, len(body)-200):])
	}
	<-stopped
}

func TestBasePathAndReadiness(t *testing.T) {
	r := start(t, t.TempDir(), "server: {base_path: /weir}\n"+oneModel("m", fake(t)))
	for _, path := range []string{"/health/readiness", "/weir/health/readiness", "//weir//health/readiness", "/weir/v1/models", "/v1/models"} {
		if status, _, body := r.do(t, http.MethodGet, path, ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, header, _ := r.do(t, http.MethodGet, "/no/such/path", "")
	if status != http.StatusNotFound || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
		t.Errorf("unknown path: %d %s", status, header.Get("Content-Type"))
	}
	if r.log.String() != "" && strings.Contains(r.log.String(), masterKey) {
		t.Error("the log shows the master key")
	}
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "weir.yaml")
	text := oneModel("good", fake(t)) + "  - {name: bad, provider: openai, model: x, base_url: 'http://127.0.0.1:1'}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := Doctor(context.Background(), Options{
		ConfigFile: file, Data: filepath.Join(dir, "data"), Listen: []string{"127.0.0.1:0"}, Out: &out, Env: func(string) (string, bool) { return "", false },
	})
	if err == nil {
		t.Error("an unreachable provider must fail the check")
	}
	for _, want := range []string{"ok      config", "ok      stores", "ok      port", "ok      model      good", "failed  model      bad", "→"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Reply is an answer, read to its end.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body into v.
func (r Reply) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		t.Fatalf("not the JSON that was expected: %v\n%d %s", err, r.Status, r.Body)
	}
}

// Request is a call of Weir's. Body is sent as it is if it is text or bytes, else as JSON.
type Request struct {
	Method, Path string
	Key          string // Bearer; "" = the master key, "-" = none
	Header       map[string]string
	Body         any
}

var client = &http.Client{Timeout: 60 * time.Second}

// Call makes a request.
func (s *Stack) Call(t testing.TB, q Request) Reply {
	t.Helper()
	r, err := http.NewRequest(q.Method, s.URL+q.Path, bodyOf(t, q.Body))
	if err != nil {
		t.Fatal(err)
	}
	if q.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch q.Key {
	case "":
		r.Header.Set("Authorization", "Bearer "+MasterKey)
	case "-":
	default:
		r.Header.Set("Authorization", "Bearer "+q.Key)
	}
	for k, v := range q.Header {
		r.Header.Set(k, v)
	}
	return send(t, r)
}

func bodyOf(t testing.TB, v any) io.Reader {
	switch b := v.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(b)
	case []byte:
		return bytes.NewReader(b)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

func send(t testing.TB, r *http.Request) Reply {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: b}
}

// Get reads a native or management route with the master key; anything but 200 fails the test.
func (s *Stack) Get(t testing.TB, path string, out any) {
	t.Helper()
	r := s.Call(t, Request{Method: http.MethodGet, Path: path})
	if r.Status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, r.Status, r.Body)
	}
	r.JSON(t, out)
}

// NewKey makes a virtual key. extra are further fields of /key/generate.
func (s *Stack) NewKey(t testing.TB, alias string, extra map[string]any) string {
	t.Helper()
	body := map[string]any{"key_alias": alias}
	for k, v := range extra {
		body[k] = v
	}
	r := s.Call(t, Request{Method: http.MethodPost, Path: "/key/generate", Body: body})
	var out struct {
		Key string `json:"key"`
	}
	if r.Status == http.StatusOK {
		r.JSON(t, &out)
	}
	if !strings.HasPrefix(out.Key, "sk-") {
		t.Fatalf("/key/generate: %d %s", r.Status, r.Body)
	}
	return out.Key
}

// Usage is tokens in disjoint buckets, as Weir and the fake both count them.
type Usage struct {
	Input        int64 `json:"input"`
	CacheRead    int64 `json:"cache_read"`
	CacheWrite   int64 `json:"cache_write"`
	CacheWrite1h int64 `json:"cache_write_1h"`
	Output       int64 `json:"output"`
	Reasoning    int64 `json:"reasoning"`
}

// Plus adds usages.
func (u Usage) Plus(v Usage) Usage {
	return Usage{u.Input + v.Input, u.CacheRead + v.CacheRead, u.CacheWrite + v.CacheWrite, u.CacheWrite1h + v.CacheWrite1h, u.Output + v.Output, u.Reasoning + v.Reasoning}
}

// billed is what both sides must agree on. Not every dialect reports reasoning, which is part of output.
func (u Usage) billed() Usage {
	u.Reasoning = 0
	return u
}

// Span is a recorded call, as far as tests look.
type Span struct {
	Trace         string          `json:"trace"`
	ID            string          `json:"id"`
	Status        string          `json:"status"`
	HTTP          int             `json:"http"`
	ErrorType     string          `json:"error_type"`
	ErrorText     string          `json:"error_text"`
	Operation     string          `json:"operation"`
	Model         string          `json:"model"`
	UpstreamModel string          `json:"upstream_model"`
	Provider      string          `json:"provider"`
	Usage         Usage           `json:"usage"`
	CostUSD       float64         `json:"cost_usd"`
	CostSource    string          `json:"cost_source"`
	User          string          `json:"user"`
	Email         string          `json:"email"`
	KeyAlias      string          `json:"key_alias"`
	EndUser       string          `json:"end_user"`
	Session       string          `json:"session"`
	SessionSource string          `json:"session_source"`
	Tags          []string        `json:"tags"`
	Client        string          `json:"client"`
	Stream        bool            `json:"stream"`
	CacheHit      bool            `json:"cache_hit"`
	UpstreamID    string          `json:"upstream_id"`
	Dialect       string          `json:"dialect"`
	FirstTokenMS  *float64        `json:"first_token_ms"`
	DurationMS    float64         `json:"duration_ms"`
	Metadata      json.RawMessage `json:"metadata"`
	Tries         []struct {
		HTTP int `json:"http"`
	} `json:"tries"`
}

// Calls waits until a key has made n calls that have ended, and returns them in full, the oldest first.
func (s *Stack) Calls(t testing.TB, alias string, n int) []Span {
	t.Helper()
	var spans []Span
	Poll(t, 15*time.Second, fmt.Sprintf("%d recorded calls of %s", n, alias), func() error {
		if spans = s.AllCalls(t, alias); len(spans) < n {
			return fmt.Errorf("there are %d", len(spans))
		}
		return nil
	})
	if len(spans) > n {
		t.Fatalf("key %s made %d calls, expected %d", alias, len(spans), n)
	}
	return spans
}

// AllCalls are the recorded calls of a key, in full, the oldest first.
func (s *Stack) AllCalls(t testing.TB, alias string) []Span {
	t.Helper()
	var list struct {
		Items []struct {
			Trace string `json:"trace"`
		} `json:"items"`
	}
	s.Get(t, "/api/v1/traces?sort=start&limit=200&filter="+url.QueryEscape(fmt.Sprintf("key_alias = %q", alias)), &list)
	var spans []Span
	seen := map[string]bool{}
	for _, i := range list.Items {
		if !seen[i.Trace] {
			seen[i.Trace] = true
			spans = append(spans, s.Trace(t, i.Trace)...)
		}
	}
	return spans
}

// Trace reads a trace by its id, which sees every write at once.
func (s *Stack) Trace(t testing.TB, id string) []Span {
	t.Helper()
	var out struct {
		Spans []Span `json:"spans"`
	}
	Poll(t, 10*time.Second, "trace "+id, func() error {
		r := s.Call(t, Request{Method: http.MethodGet, Path: "/api/v1/traces/" + id})
		if r.Status != http.StatusOK {
			return fmt.Errorf("%d %s", r.Status, r.Body)
		}
		out.Spans = nil
		r.JSON(t, &out)
		return nil
	})
	return out.Spans
}

// Entry is a call that the fake upstream saw.
type Entry struct {
	RequestID    string            `json:"request_id"`
	Path         string            `json:"path"`
	Dialect      string            `json:"dialect"`
	Model        string            `json:"model"`
	Stream       bool              `json:"stream"`
	Header       map[string]string `json:"header"`
	Body         json.RawMessage   `json:"body"`
	Status       int               `json:"status"`
	Error        string            `json:"error"`
	Usage        Usage             `json:"usage"`
	Disconnected bool              `json:"disconnected"`
	Done         bool              `json:"done"`
}

// Journal is everything the fake upstream saw since it was reset.
func (s *Stack) Journal(t testing.TB) []Entry {
	t.Helper()
	var out []Entry
	s.fake(t, http.MethodGet, "/_fake/journal", nil, &out)
	return out
}

// ResetFake makes the fake forget calls, cached prefixes, counts and faults.
func (s *Stack) ResetFake(t testing.TB) {
	t.Helper()
	s.fake(t, http.MethodPost, "/_fake/reset", nil, nil)
}

// Fault makes the fake misbehave, as in {"status": 500, "times": 1}.
func (s *Stack) Fault(t testing.TB, f map[string]any) {
	t.Helper()
	s.fake(t, http.MethodPost, "/_fake/faults", f, nil)
}

func (s *Stack) fake(t testing.TB, method, path string, body, out any) {
	t.Helper()
	q, err := http.NewRequest(method, s.Fake+path, bodyOf(t, body))
	if err != nil {
		t.Fatal(err)
	}
	r := send(t, q)
	if r.Status != http.StatusOK {
		t.Fatalf("fake upstream %s: %d %s", path, r.Status, r.Body)
	}
	if out != nil {
		r.JSON(t, out)
	}
}

// CheckBooks compares calls with what the fake counted for them: every answered call is in its journal, has its tokens,
// and costs what the prices say.
func (s *Stack) CheckBooks(t testing.TB, spans []Span) {
	t.Helper()
	journal := map[string]Entry{}
	for _, e := range s.Journal(t) {
		journal[e.RequestID] = e
	}
	for _, sp := range spans {
		if sp.Status != "ok" || sp.Operation == "count_tokens" {
			continue
		}
		e, ok := journal[sp.UpstreamID]
		if !ok {
			t.Errorf("call %s (%s): its upstream id %q is not in the fake's journal", sp.Trace, sp.Model, sp.UpstreamID)
			continue
		}
		if got, want := sp.Usage.billed(), e.Usage.billed(); got != want {
			t.Errorf("call %s (%s): recorded tokens %+v, the fake counted %+v", sp.Trace, sp.Model, got, want)
		}
		checkCost(t, sp)
	}
}

func checkCost(t testing.TB, sp Span) {
	t.Helper()
	p, ok := PriceOf[sp.Model]
	if !ok {
		t.Errorf("call %s: no price for model %q in the tests", sp.Trace, sp.Model)
		return
	}
	u := sp.Usage
	want := (float64(u.Input)*p.Input + float64(u.CacheRead)*p.CacheRead + float64(u.CacheWrite)*p.CacheWrite + float64(u.CacheWrite1h)*p.CacheWrite1h + float64(u.Output)*p.Output) / 1e6
	if want <= 0 || math.Abs(sp.CostUSD-want) > 1e-8 {
		t.Errorf("call %s (%s): cost $%.9f, by the prices $%.9f, for %+v", sp.Trace, sp.Model, sp.CostUSD, want, u)
	}
}

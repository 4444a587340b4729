package mcp

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"weir/internal/edge"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/surface/surfacetest"
	"weir/internal/tenant"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var callers = surfacetest.Callers{
	"sk-member": {Means: tenant.ByKey, Role: tenant.RoleMember, Project: "one", Email: "u1@example.com"},
	"sk-viewer": {Means: tenant.ByKey, Role: tenant.RoleViewer, Project: "one"},
	"sk-other":  {Means: tenant.ByKey, Role: tenant.RoleMember, Project: "two"},
}

type rig struct {
	*surfacetest.Stores
	t   *testing.T
	url string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	stores := surfacetest.Open(t)
	s := New(Deps{Query: query.NewEngine(stores.Truth, stores.Index, nil), Bodies: stores, Scores: stores.Truth, Version: "1", Now: func() time.Time { return now }})
	srv := httptest.NewServer(edge.NewMux(edge.Deps{Auth: callers, Log: slog.New(slog.DiscardHandler)}, s))
	t.Cleanup(srv.Close)
	return &rig{Stores: stores, t: t, url: srv.URL + "/mcp"}
}

func trace(n int) string { return strings.Repeat(fmt.Sprint(n), 32) }
func id(n int) string    { return fmt.Sprintf("%016d", n) }

func call(trace string, n int) *span.Span {
	start := now.Add(-time.Hour + time.Duration(n)*time.Minute)
	return &span.Span{
		Project: "one", Trace: trace, ID: id(n), Kind: span.Generation, Name: "claude", Group: "claude", Start: start, End: start.Add(time.Duration(n) * 100 * time.Millisecond),
		Status: span.OK, HTTP: 200, Dialect: string(llm.OpenAIChat), Usage: llm.Usage{Input: 10, Output: 5}, Cost: span.Cost{Total: money.FromUSD(0.25)}, Email: "u1@example.com",
	}
}

// bearer sends a key with every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func (r *rig) connect(key string) (*sdk.ClientSession, error) {
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	return c.Connect(r.t.Context(), &sdk.StreamableClientTransport{Endpoint: r.url, HTTPClient: &http.Client{Transport: bearer(key)}, MaxRetries: -1}, nil)
}

func (r *rig) session(key string) *sdk.ClientSession {
	r.t.Helper()
	s, err := r.connect(key)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return s
}

func ask(t *testing.T, s *sdk.ClientSession, tool string, args map[string]any) (text string, failed bool) {
	t.Helper()
	got, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	for _, c := range got.Content {
		text += c.(*sdk.TextContent).Text
	}
	return text, got.IsError
}

const (
	request = `{"model":"claude","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Which towns of 日本 are large?"}]}`
	reply   = `{"id":"1","model":"claude","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Tokyo, Yokohama, Osaka."}}]}`
)

func filled(t *testing.T) *rig {
	r := newRig(t)
	r.Record(call(trace(1), 1), request, reply)
	b := call(trace(2), 2)
	b.Status, b.ErrorType, b.ErrorText, b.HTTP = span.Error, "rate_limit", "slow down\nplease", 429
	r.Record(b, strings.Replace(request, "towns", "cities", 1), "")
	other := call(trace(3), 3)
	other.Project = "two"
	r.Record(other, request, reply)
	return r
}

func TestTools(t *testing.T) {
	r := filled(t)
	s := r.session("sk-member")
	tools, err := s.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 8 {
		t.Fatalf("%d tools, %v", len(tools.Tools), err)
	}
	one, two := trace(1)+"/"+id(1), trace(2)+"/"+id(2)
	for _, c := range []struct {
		tool        string
		args        map[string]any
		want, avoid string // parts, with | between them
	}{
		{"search_traces", nil, one + "|" + two + "|slow down please", trace(3)},
		{"search_traces", map[string]any{"filter": "status = error", "fields": []string{"http", "email", "error"}}, "id\thttp\temail\terror\n" + two + "\t429\tu1@example.com\tslow down please", one},
		{"search_traces", map[string]any{"limit": 1}, two + "|next_cursor: ", one},
		{"search_traces", map[string]any{"view": "traces", "sort": "-cost"}, trace(1) + "|" + trace(2) + "|errors", trace(3)},
		{"search_traces", map[string]any{"from": "5m"}, "nothing matches", one},
		{"get_trace", map[string]any{"trace": trace(1)}, "1 spans|" + id(1) + " | generation | claude | ok | 100ms | 15 tokens $0.25", ""},
		{"get_trace", map[string]any{"trace": trace(1), "fields": []string{"email"}}, "email=u1@example.com", "Tokyo"},
		{"get_span_messages", map[string]any{"id": one}, "input[1] user: Which towns of 日本 are large?|output assistant: Tokyo, Yokohama, Osaka.", ""},
		{"get_span_messages", map[string]any{"id": one, "message": 0}, "input[0] system: Be kind.", "towns"},
		{"get_span_messages", map[string]any{"id": one, "part": "output"}, "Osaka", "towns"},
		{"get_span_messages", map[string]any{"id": two}, "error: rate_limit slow down|cities", ""},
		{"aggregate", map[string]any{"group_by": []string{"status"}, "measures": []string{"calls", "cost", "p50"}}, "status\tcalls\tcost\tp50|ok\t1\t0.25\t100|error\t1\t0.25\t200|(total)\t2\t0.5", ""},
		{"aggregate", map[string]any{"interval": "1h", "from": "2h"}, "time\tcalls|2026-03-02T11:00:00Z\t2", ""},
		{"compare_traces", map[string]any{"a": trace(1), "b": trace(2)}, "1 changed|[-towns-]{+cities+}|added \"rate_limit\"|~ generation", ""},
		{"list_fields", nil, "status\tenum|metadata\tmap", ""},
		{"list_fields", map[string]any{"field": "model"}, "claude\t2", ""},
		{"run_sql", nil, "table spans", ""},
		{"run_sql", map[string]any{"query": "select count(*) as n from spans"}, "n\n2\n", ""},
	} {
		text, failed := ask(t, s, c.tool, c.args)
		if failed {
			t.Errorf("%s %v: %s", c.tool, c.args, text)
			continue
		}
		for want := range strings.SplitSeq(c.want, "|") {
			if !strings.Contains(text, strings.TrimSpace(want)) && !strings.Contains(strings.ReplaceAll(text, " | ", "|"), want) {
				t.Errorf("%s %v: %q is missing in\n%s", c.tool, c.args, want, text)
			}
		}
		if c.avoid != "" && strings.Contains(text, c.avoid) {
			t.Errorf("%s %v: %q is there in\n%s", c.tool, c.args, c.avoid, text)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	r := filled(t)
	s := r.session("sk-member")
	for _, c := range []struct {
		tool string
		args map[string]any
		want string
	}{
		{"search_traces", map[string]any{"filter": "status = error and nofield_x > 3"}, "at byte 19"},
		{"search_traces", map[string]any{"fields": []string{"nothing"}}, `no field "nothing"`},
		{"search_traces", map[string]any{"view": "all"}, "calls, spans or traces"},
		{"search_traces", map[string]any{"sort": "-name"}, "cannot sort"},
		{"search_traces", map[string]any{"from": "yesterday"}, "how long ago"},
		{"search_traces", map[string]any{"cursor": "x"}, "cursor"},
		{"get_trace", map[string]any{"trace": trace(3)}, "no trace"},
		{"get_trace", map[string]any{"trace": trace(1) + "/zz"}, "no span"},
		{"get_span_messages", map[string]any{"id": trace(3) + "/" + id(3)}, "no span"},
		{"get_span_messages", map[string]any{"id": "x"}, "trace/span"},
		{"get_span_messages", map[string]any{"id": trace(1) + "/" + id(1), "message": 7}, "messages 0 to 1"},
		{"aggregate", map[string]any{"measures": []string{"wishes"}}, "measures"},
		{"aggregate", map[string]any{"group_by": []string{"cost"}}, "no groups"},
		{"aggregate", map[string]any{"interval": "1s", "from": "7d"}, "intervals"},
		{"compare_traces", map[string]any{"a": trace(1), "b": trace(3)}, "no trace"},
		{"list_fields", map[string]any{"field": "cost"}, "no values"},
		{"run_sql", map[string]any{"query": "delete from spans"}, "error"},
		{"add_score", map[string]any{"id": trace(3), "name": "x", "value": 1}, "no trace"},
		{"add_score", map[string]any{"id": trace(1), "name": "x", "value": []int{1}}, "value must be"},
		{"add_score", map[string]any{"id": trace(1), "name": "", "value": 1}, "name"},
	} {
		text, failed := ask(t, s, c.tool, c.args)
		if !failed || !strings.Contains(text, c.want) {
			t.Errorf("%s %v: failed %v: %s", c.tool, c.args, failed, text)
		}
	}
}

func TestScoring(t *testing.T) {
	r := filled(t)
	args := map[string]any{"id": trace(1) + "/" + id(1), "name": "correct", "value": true, "comment": "checked", "judge": true}
	if text, failed := ask(t, r.session("sk-viewer"), "add_score", args); !failed || !strings.Contains(text, "read only") {
		t.Errorf("a viewer scores: %s", text)
	}
	if text, failed := ask(t, r.session("sk-member"), "add_score", args); failed {
		t.Fatal(text)
	}
	got, err := r.Truth.Scores(t.Context(), "one", span.Target{Trace: trace(1)})
	if err != nil || len(got) != 1 || got[0].Value != 1 || got[0].Type != span.Boolean || got[0].Source != span.ByJudge || got[0].Author != "u1@example.com" || got[0].Target.Span != id(1) {
		t.Errorf("%v %+v", err, got)
	}
}

// A long body and a big trace stay within the budget, and say how to get the rest.
func TestAnswersAreBounded(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("日本語の長い文章。", 3000)
	r.Record(call(trace(1), 1), strings.Replace(request, "Which towns of 日本 are large?", long, 1), strings.Replace(reply, "Tokyo", long, 1))
	for n := 2; n <= 150; n++ {
		s := call(trace(1), n)
		s.Parent = id(n - 1)
		if n%10 != 0 {
			s.Parent = id(1)
		}
		r.Record(s, "", "")
	}
	s := r.session("sk-member")
	text, _ := ask(t, s, "get_span_messages", map[string]any{"id": trace(1) + "/" + id(1), "max_chars": 3000})
	if len(text) > 3600 || strings.Count(text, "read on with offset") != 2 || !strings.Contains(text, "output assistant:") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	text, _ = ask(t, s, "get_span_messages", map[string]any{"id": trace(1) + "/" + id(1), "message": 1, "offset": 80000, "max_chars": 3000})
	if !strings.Contains(text, "文章。") || len(text) > 3200 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	text, _ = ask(t, s, "get_trace", map[string]any{"trace": trace(1)})
	if n := strings.Count(text, "\n- ") + strings.Count(text, "  - "); n != 100 || !strings.Contains(text, "150 spans") || !strings.Contains(text, "(100 spans shown; go on with") {
		t.Errorf("%d spans: %s", n, text[len(text)-300:])
	}
	text, _ = ask(t, s, "get_trace", map[string]any{"trace": trace(1), "max_spans": 1000, "max_chars": 2000})
	if len(text) > 2400 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestTransport(t *testing.T) {
	r := newRig(t)
	if _, err := r.connect("sk-wrong"); err == nil {
		t.Error("connected with an unknown key")
	}
	for _, c := range []struct {
		method, key, body string
		want              int
	}{
		{http.MethodGet, "sk-member", "", http.StatusMethodNotAllowed},
		{http.MethodDelete, "sk-member", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "sk-none", "{}", http.StatusUnauthorized},
		{http.MethodPost, "sk-member", "not json", http.StatusBadRequest},
		{http.MethodPost, "sk-member", `{"jsonrpc":"2.0","id":1,"method":"tools/list","pad":"` + strings.Repeat("x", maxBody) + `"}`, http.StatusRequestEntityTooLarge},
		{http.MethodPost, "sk-member", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, http.StatusOK},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, r.url, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		res, err := bearer(c.key).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s with %s: %d %.200s", c.method, c.key, res.StatusCode, b)
		}
		if c.want == http.StatusUnauthorized && (res.Header.Get("WWW-Authenticate") == "" || !strings.Contains(string(b), "unknown")) {
			t.Errorf("401: %v %s", res.Header, b)
		}
	}
}

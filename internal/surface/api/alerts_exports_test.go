package api

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"weir/internal/alert"
	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/file"
	"weir/internal/store/sqlite"
	"weir/internal/tenant"
	"weir/internal/view"
)

// watchServer is the rig with saved views, alerts and exports over real rows. Neither watches by itself.
type watchServer struct {
	*server
	told    []alert.Channel
	folder  string
	exports *export.Runner
}

func (s *watchServer) Send(_ context.Context, c alert.Channel, _ alert.Message) error {
	s.told = append(s.told, c)
	return nil
}

func newWatchServer(t *testing.T) *watchServer {
	t.Helper()
	s := &watchServer{server: newServer(t), folder: t.TempDir()}
	rows, err := sqlite.Open(filepath.Join(t.TempDir(), "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rows.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
	}
	must(rows.CreateOrg(t.Context(), tenant.Org{ID: "o", Created: now}))
	must(rows.CreateProject(t.Context(), tenant.Project{ID: "one", Org: "o", Created: now}))
	must(rows.CreateProject(t.Context(), tenant.Project{ID: "two", Org: "o", Created: now}))
	sealer, err := auth.NewSealer("a secret of a test, not short")
	must(err)
	clock := func() time.Time { return now }
	d := s.surface.Deps
	s.exports = export.New(export.Options{
		Store: rows, Source: d.Query, Bodies: d.Bodies, Sealer: sealer, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: clock,
		Open: func(_ context.Context, x export.Target) (export.Sink, error) {
			return file.Open([]string{s.folder}, x.Path)
		},
	})
	d.Views, d.Exports = view.Book{Store: rows, Now: clock}, s.exports
	d.Alerts = alert.New(alert.Options{Store: rows, Figures: d.Query, Sender: s, Sealer: sealer, Base: "https://weir.example.com", Log: slog.New(slog.DiscardHandler), Now: clock})
	s.surface = New(d)
	s.mux = edge.NewMux(edge.Deps{Auth: callers, Log: slog.New(slog.DiscardHandler)}, s.surface)
	return s
}

// try makes a request and returns the status and the text.
func (s *watchServer) try(token, method, path, body string) (int, string) {
	s.t.Helper()
	var text string
	res := s.send(token, method, path, body, &text)
	return res.StatusCode, text
}

func (s *watchServer) make(token, path, body string) string {
	s.t.Helper()
	var out struct{ ID string }
	if res := s.send(token, http.MethodPost, path, body, &out); res.StatusCode != http.StatusCreated || out.ID == "" {
		_, text := s.try(token, http.MethodPost, path, body)
		s.t.Fatalf("%s %s: %d %s", path, body, res.StatusCode, text)
	}
	return out.ID
}

const (
	someView   = `{"name":"slow","page":"traces","search":{"q":"duration > 2s"},"shared":false}`
	someAlert  = `{"name":"errors","measure":"error_rate","op":">","threshold":0.5,"window":"1h","channels":[{"kind":"webhook","url":"https://hooks.example.com/token","secret":"shh"}]}`
	someExport = `{"name":"nightly","target":{"kind":"disk","path":"FOLDER"}}`
)

// Who may do what with things of another project, of another owner, and with which role.
func TestWatchAccess(t *testing.T) {
	s := newWatchServer(t)
	exportBody := strings.ReplaceAll(someExport, "FOLDER", s.folder)
	v, a, x := s.make("sk-member", "/views", someView), s.make("sk-member", "/alerts", someAlert), s.make("sk-admin", "/exports", exportBody)
	shared := s.make("sk-member", "/views", strings.Replace(someView, "false", "true", 1))
	for _, c := range []struct {
		token, method, path, body string
		status                    int
	}{
		{"sk-viewer", "POST", "/views", someView, 403},
		{"sk-viewer", "GET", "/views", "", 200},
		{"sk-viewer", "GET", "/views/" + v, "", 404},
		{"sk-viewer", "GET", "/views/" + shared, "", 200},
		{"sk-viewer", "PATCH", "/views/" + shared, `{"name":"x"}`, 403},
		{"sk-viewer", "DELETE", "/views/" + shared, "", 403},
		{"sk-other", "GET", "/views/" + shared, "", 404},
		{"sk-other", "PATCH", "/views/" + v, `{"name":"x"}`, 404},
		{"sk-other", "DELETE", "/views/" + v, "", 404},
		{"sk-admin", "PATCH", "/views/" + v, `{"name":"x"}`, 200},
		{"sk-viewer", "POST", "/alerts", someAlert, 403},
		{"sk-viewer", "GET", "/alerts/" + a, "", 200},
		{"sk-viewer", "PATCH", "/alerts/" + a, `{"enabled":false}`, 403},
		{"sk-viewer", "DELETE", "/alerts/" + a, "", 403},
		{"sk-viewer", "POST", "/alerts/" + a + "/test", "", 403},
		{"sk-viewer", "POST", "/alerts/" + a + "/snooze", `{"until":"1h"}`, 403},
		{"sk-other", "GET", "/alerts/" + a, "", 404},
		{"sk-other", "PATCH", "/alerts/" + a, `{"enabled":false}`, 404},
		{"sk-other", "DELETE", "/alerts/" + a, "", 404},
		{"sk-other", "POST", "/alerts/" + a + "/test", "", 404},
		{"sk-other", "GET", "/alerts/" + a + "/history", "", 404},
		{"sk-member", "POST", "/exports", exportBody, 403},
		{"sk-member", "GET", "/exports/" + x, "", 200},
		{"sk-member", "PATCH", "/exports/" + x, `{"enabled":false}`, 403},
		{"sk-member", "POST", "/exports/" + x + "/run", "", 403},
		{"sk-other", "GET", "/exports/" + x, "", 404},
		{"sk-viewer", "POST", "/sql", `{"query":"select 1"}`, 200},
		{"sk-viewer", "GET", "/export", "", 200},
	} {
		if got, text := s.try(c.token, c.method, c.path, c.body); got != c.status {
			t.Errorf("%s %s as %s: %d %s, want %d", c.method, c.path, c.token, got, text, c.status)
		}
	}
	for _, path := range []string{"/views", "/alerts", "/exports"} {
		if _, text := s.try("sk-other", "GET", path, ""); !strings.Contains(text, `"items":[]`) {
			t.Errorf("%s of another project: %s", path, text)
		}
	}
}

func TestWatchBadInput(t *testing.T) {
	s := newWatchServer(t)
	for _, c := range []struct{ method, path, body, field string }{
		{"POST", "/views", `{"name":"","page":"traces"}`, "name"},
		{"POST", "/views", `{"name":"x","page":"nowhere"}`, "page"},
		{"POST", "/views", `{"name":"x","page":"traces","search":[1]}`, "search"},
		{"POST", "/alerts", `{"name":"x","window":"soon"}`, "window"},
		{"POST", "/alerts", `{"name":"x","every":"1s"}`, "every"},
		{"POST", "/alerts", `{"name":"x","filter":"status ="}`, "filter"},
		{"POST", "/alerts", `{"name":"x","measure":"speed"}`, "measure"},
		{"POST", "/alerts", `{"name":"x","op":"="}`, "op"},
		{"POST", "/alerts", `{"name":"x","channels":[{"kind":"webhook","url":"nope"}]}`, "channels[0].url"},
		{"POST", "/alerts", `{"name":"x","nope":1}`, "nope"},
		{"POST", "/alerts/preview", `{"measure":"avg:score."}`, "measure"},
		{"POST", "/exports", `{"name":"x","target":{"kind":"disk","path":"/etc"}}`, "target.path"},
		{"POST", "/exports", `{"name":"x","every":"yearly"}`, "every"},
		{"POST", "/sql", `{"query":"select * from nowhere"}`, "query"},
		{"POST", "/sql", `{"query":"select 1","limit":10001}`, "limit"},
		{"GET", "/sql?q=" + url.QueryEscape("drop table spans"), "", "query"},
		{"GET", "/sql", "", "q"},
		{"GET", "/export?format=xml", "", "format"},
		{"GET", "/export?filter=(", "", "filter"},
		{"GET", "/export?format=csv&bodies=true", "", "bodies"},
		{"GET", "/export?view=traces&bodies=true", "", "bodies"},
	} {
		var e ErrorBody
		if res := s.send("sk-admin", c.method, c.path, c.body, &e); res.StatusCode != 400 || e.Error.Field != c.field || e.Error.Message == "" {
			t.Errorf("%s %s %s: %d %+v, want field %s", c.method, c.path, c.body, res.StatusCode, e.Error, c.field)
		}
	}
	var e ErrorBody
	s.send("sk-admin", "POST", "/sql", `{"query":"select model\nfrom spans\nwhere nope = 1"}`, &e)
	if e.Error.Position == nil || *e.Error.Position != 30 || !strings.Contains(e.Error.Message, "nope") {
		t.Errorf("%+v", e.Error)
	}
}

func TestSavedViews(t *testing.T) {
	s := newWatchServer(t)
	id := s.make("sk-member", "/views", someView)
	var v View
	if res := s.send("sk-member", "PATCH", "/views/"+id, `{"shared":true,"search":{"q":"x","sort":"-cost"}}`, &v); res.StatusCode != 200 || !v.Shared || v.Name != "slow" || string(v.Search) != `{"q":"x","sort":"-cost"}` || !v.Mine {
		t.Errorf("%d %+v", res.StatusCode, v)
	}
	var l ViewList
	s.send("sk-viewer", "GET", "/views?page=traces", "", &l)
	if len(l.Items) != 1 || l.Items[0].Mine {
		t.Errorf("%+v", l)
	}
	if s.send("sk-viewer", "GET", "/views?page=errors", "", &l); len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
	if code, text := s.try("sk-member", "DELETE", "/views/"+id, ""); code != 204 {
		t.Errorf("%d %s", code, text)
	}
}

func TestAlertsNeverShowSecrets(t *testing.T) {
	s := newWatchServer(t)
	s.record(call(1, "one"), "", "")
	id := s.make("sk-member", "/alerts", someAlert)
	var a Alert
	s.get("/alerts/"+id, &a)
	if len(a.Channels) != 1 || a.Every != "1m" || a.Cooldown != "1h" || !a.Enabled || a.State != "ok" {
		t.Fatalf("%+v", a)
	}
	body, _ := json.Marshal(map[string]any{"channels": a.Channels, "threshold": 0.25})
	if code, text := s.try("sk-member", "PATCH", "/alerts/"+id, string(body)); code != 200 {
		t.Fatalf("what was read cannot be sent back: %d %s", code, text)
	}
	if code, text := s.try("sk-member", "POST", "/alerts/"+id+"/test", ""); code != 200 || !strings.Contains(text, `"ok":true`) {
		t.Errorf("%d %s", code, text)
	}
	if len(s.told) != 1 || s.told[0].URL != "https://hooks.example.com/token" || s.told[0].Secret != "shh" {
		t.Errorf("%+v", s.told)
	}
	for _, path := range []string{"/alerts", "/alerts/" + id, "/alerts/" + id + "/history"} {
		if _, text := s.try("sk-admin", "GET", path, ""); strings.Contains(text, "token") || strings.Contains(text, "shh") || strings.Contains(text, "v1:") {
			t.Errorf("%s shows a secret: %s", path, text)
		}
	}
	if s.send("sk-member", "POST", "/alerts/"+id+"/snooze", `{"until":"2h"}`, &a); a.SnoozedUntil != stamp(now.Add(2*time.Hour)) {
		t.Errorf("%+v", a)
	}
	if s.send("sk-member", "POST", "/alerts/"+id+"/snooze", `{"until":""}`, &a); a.SnoozedUntil != "" {
		t.Errorf("%+v", a)
	}
}

func TestAlertPreview(t *testing.T) {
	s := newWatchServer(t)
	for n := range 4 {
		sp := call(58+n%2, "one")
		sp.Trace, sp.ID = fmt.Sprintf("%032x", n), fmt.Sprintf("%016x", n)
		if n == 3 {
			sp.Status = "error"
		}
		s.record(sp, "", "")
	}
	var p AlertPreview
	if res := s.send("sk-member", "POST", "/alerts/preview", `{"measure":"error_rate","threshold":0.2,"window":"15m"}`, &p); res.StatusCode != 200 || p.Value == nil || *p.Value != 0.25 || !p.WouldFire || len(p.Points) == 0 {
		t.Errorf("%d %+v", res.StatusCode, p)
	}
	if s.send("sk-other", "POST", "/alerts/preview", `{"measure":"error_rate","threshold":0.2,"window":"15m"}`, &p); p.WouldFire || p.Value != nil {
		t.Errorf("sees another project: %+v", p)
	}
}

func TestSQLOverHTTP(t *testing.T) {
	s := newWatchServer(t)
	s.record(call(1, "one"), "", "")
	s.record(call(2, "two"), "", "")
	var a SQLAnswer
	if res := s.send("sk-viewer", "POST", "/sql", `{"query":"select trace_id, start_time, cost_usd from spans"}`, &a); res.StatusCode != 200 || len(a.Rows) != 1 || a.Rows[0][0] != strings.Repeat("b", 32) || a.Rows[0][2] != 0.25 {
		t.Errorf("%d %+v", res.StatusCode, a)
	}
	if s.get("/sql?q="+url.QueryEscape("select 1 from spans, range(10)")+"&limit=3", &a); len(a.Rows) != 3 || !a.Truncated {
		t.Errorf("%+v", a)
	}
	var schema SQLSchema
	if s.get("/sql/schema", &schema); len(schema.Tables) < 2 || schema.Tables[0].Name != "spans" || len(schema.Tables[0].Columns) < 20 {
		t.Errorf("%+v", schema)
	}
	var e ErrorBody
	if res := s.send("sk-viewer", "POST", "/sql", `{"query":"with recursive t(n) as (select 1 union all select n+1 from t) select max(n) from t","timeout_ms":100}`, &e); res.StatusCode != 504 || e.Error.Code != "timeout" {
		t.Errorf("%d %+v", res.StatusCode, e)
	}
}

func TestDownloads(t *testing.T) {
	s := newWatchServer(t)
	for n := range 5 {
		s.record(call(n, "one"), `{"messages":[`+fmt.Sprint(n)+`],
 "model":"x"}`, `{"n":1}`)
	}
	s.record(call(9, "two"), "", "")
	var text string
	s.get("/export?bodies=true", &text)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		var x ExportedSpan
		if err := json.Unmarshal([]byte(l), &x); err != nil || x.Trace != call(i, "one").Trace || string(x.InputBody) != fmt.Sprintf(`{"messages":[%d],"model":"x"}`, i) || x.CostUSD != 0.25 {
			t.Errorf("%s: %v", l, err)
		}
		var rest, got map[string]any // a line is what the interface shows of a span
		s.get("/traces/"+x.Trace, &rest)
		if err := json.Unmarshal([]byte(l), &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "input_body")
		delete(got, "output_body")
		if one := rest["spans"].([]any)[0]; fmt.Sprint(one) != fmt.Sprint(got) {
			t.Errorf("the line differs from the span:\n%v\n%v", got, one)
		}
	}
	s.get("/export?format=csv&filter="+url.QueryEscape("duration > 250ms"), &text)
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != 3 {
		t.Errorf("%d rows of csv (%v)", len(rows), err)
	}
	for _, c := range []struct {
		query, sql, want string
	}{
		{"format=parquet&bodies=true", `count(*) || ' ' || count(input) || ' ' || sum(cost_usd)`, "5 5 1.25"},
		{"format=parquet&from=" + url.QueryEscape(stamp(call(3, "one").Start)), `count(*)`, "2"},
		{"format=parquet&view=traces", `count(*) || ' ' || sum(spans) || ' ' || sum(cost_usd)`, "5 5 1.25"},
	} {
		s.get("/export?"+c.query, &text)
		if got := askParquet(t, text, c.sql); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
	s.get("/export?view=traces", &text)
	var first TraceSummary
	if err := json.Unmarshal([]byte(strings.Split(text, "\n")[0]), &first); err != nil || first.Spans != 1 {
		t.Errorf("%s %v", text, err)
	}
	s.get("/export?view=traces&format=csv", &text)
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != 6 {
		t.Errorf("%d rows of csv (%v)", len(rows), err)
	}
}

func askParquet(t *testing.T, content, expr string) (out string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRow(`SELECT (`+expr+`)::VARCHAR FROM read_parquet(?)`, path).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A file that cannot be finished is broken off, so that nobody takes it for whole.
func TestDownloadThatFailsIsBrokenOff(t *testing.T) {
	s := newWatchServer(t)
	for n := range 3 {
		s.record(call(n, "one"), `{}`, "")
	}
	d := s.surface.Deps
	d.Bodies = brokenBodies{d.Bodies}
	srv := httptest.NewServer(edge.NewMux(edge.Deps{Auth: callers, Log: slog.New(slog.DiscardHandler)}, New(d)))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/api/v1/export?bodies=true", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-admin")
	res, err := srv.Client().Do(r)
	if err == nil {
		_, err = io.Copy(&bytes.Buffer{}, res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("the download ended as if it were whole")
	}
	srv.Client().CloseIdleConnections()
}

type brokenBodies struct{ Bodies }

func TestSchedules(t *testing.T) {
	s := newWatchServer(t)
	s.record(call(1, "one"), "", "")
	id := s.make("sk-admin", "/exports", strings.ReplaceAll(someExport, "FOLDER", s.folder+"/below"))
	var x ExportSchedule
	if s.get("/exports/"+id, &x); x.LastRun != nil || x.Every != "daily" || !x.Enabled || x.Format != "parquet" {
		t.Errorf("%+v", x)
	}
	if code, text := s.try("sk-admin", "POST", "/exports/"+id+"/run", ""); code != 202 {
		t.Fatalf("%d %s", code, text)
	}
	if err := s.exports.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.exports.Stop()
	for x.LastRun == nil {
		if t.Context().Err() != nil {
			t.Fatal("no run")
		}
		s.get("/exports/"+id, &x)
	}
	if !x.LastRun.OK || x.LastRun.Rows != 1 || x.LastRun.Files != 1 {
		t.Errorf("%+v", x.LastRun)
	}
	found, err := filepath.Glob(filepath.Join(s.folder, "below", "project=one", "date=*", "part-*.parquet"))
	if err != nil || len(found) != 1 {
		t.Errorf("%v %v", found, err)
	}
	if code, text := s.try("sk-admin", "PATCH", "/exports/"+id, `{"enabled":false,"name":"off"}`); code != 200 || !strings.Contains(text, `"name":"off"`) {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := s.try("sk-admin", "DELETE", "/exports/"+id, ""); code != 204 {
		t.Errorf("%d", code)
	}
}

func (brokenBodies) Body(context.Context, *span.Span, span.Ref) ([]byte, error) {
	return nil, fault.New(fault.Internal, "broken disk")
}

package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"weir/internal/edge"
	"weir/internal/jsonx"
	"weir/internal/span"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// Every route is described, every description has a route, and each says who may call.
func TestEveryRouteIsDescribed(t *testing.T) {
	s := New(Deps{Version: "1"})
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string         `json:"operationId"`
			Summary     string         `json:"summary"`
			Responses   map[string]any `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(s.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, ops := range doc.Paths {
		described += len(ops)
	}
	routes, seen := 0, map[string]bool{}
	for _, r := range s.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if path == "/api/v1/openapi.json" { // the description itself
			continue
		}
		routes++
		o, ok := doc.Paths[path][strings.ToLower(method)]
		if !ok || o.Summary == "" || o.OperationID == "" || seen[o.OperationID] || o.Responses["default"] == nil || len(o.Responses) < 2 {
			t.Errorf("%s is not described: %+v", r.Pattern, o)
		}
		seen[o.OperationID] = true
	}
	if routes != described {
		t.Errorf("%d routes, %d described", routes, described)
	}
}

// paths fills the placeholders of a pattern.
var paths = strings.NewReplacer("{trace}", "none", "{span}", "none", "{session}", "none", "{id}", "none")

func TestCredentialsAndRoles(t *testing.T) {
	s := newServer(t)
	for _, r := range s.surface.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		path = strings.TrimPrefix(paths.Replace(path), "/api/v1")
		if r.Access == edge.Public {
			continue
		}
		for token, want := range map[string]int{"": 401, "sk-expired": 401, "sk-unknown": 401} {
			var e ErrorBody
			if res := s.send(token, method, path, "", &e); res.StatusCode != want || e.Error.Code == "" || e.Error.Message == "" {
				t.Errorf("%s with %q: %d %+v", r.Pattern, token, res.StatusCode, e)
			}
		}
		for _, token := range []string{"sk-member", "sk-viewer"} {
			if r.Access == edge.Admin {
				if res := s.send(token, method, path, "", nil); res.StatusCode != http.StatusForbidden {
					t.Errorf("%s as %s: %d", r.Pattern, token, res.StatusCode)
				}
			}
		}
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"GET", "/traces?limit=0", "", 400, "limit"},
		{"GET", "/traces?limit=many", "", 400, "limit"},
		{"GET", "/traces?from=yesterday", "", 400, "from"},
		{"GET", "/traces?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "", 400, "to"},
		{"GET", "/traces?sort=model", "", 400, "sort"},
		{"GET", "/traces?cursor=xx", "", 400, "cursor"},
		{"GET", "/traces?filter=" + url.QueryEscape("status = "), "", 400, "filter"},
		{"GET", "/traces/count?filter=nope%3D1", "", 400, "filter"},
		{"GET", "/sessions?filter=(", "", 400, "filter"},
		{"GET", "/sessions?cursor=xx", "", 400, "cursor"},
		{"GET", "/live?filter=(", "", 400, "filter"},
		{"GET", "/aggregate?interval=2m", "", 400, "interval"},
		{"GET", "/aggregate?interval=1m&from=2020-01-01T00:00:00Z", "", 400, "interval"},
		{"GET", "/aggregate?group_by=cost", "", 400, "group_by"},
		{"GET", "/aggregate?group_by=model,status,provider", "", 400, "group_by"},
		{"GET", "/traces?filter=name%20%3D%20a%00b", "", 400, "filter"},
		{"GET", "/aggregate?measure=speed", "", 400, "measure"},
		{"GET", "/aggregate?from=2036-01-01T00:00:00Z", "", 400, "from"},
		{"GET", "/facets", "", 400, "field"},
		{"GET", "/facets?field=duration", "", 400, "field"},
		{"GET", "/keys?cursor=-1", "", 400, "cursor"},
		{"POST", "/keys", `{"rpm":-1}`, 400, "rpm"},
		{"POST", "/keys", `{"models":"gpt"}`, 400, "models"},
		{"POST", "/keys", `{"nope":1}`, 400, "nope"},
		{"POST", "/keys", `{"expires":"soon"}`, 400, "expires"},
		{"POST", "/keys", `{"expires":"2020-01-01T00:00:00Z"}`, 400, "expires"},
		{"POST", "/keys", `{"max_budget_usd":-1}`, 400, "max_budget_usd"},
		{"POST", "/keys", `{"max_budget_usd":"much"}`, 400, "max_budget_usd"},
		{"POST", "/keys", `{`, 400, ""},
		{"POST", "/keys", "", 400, ""},
		{"POST", "/teams", `{}`, 400, "alias"},
		{"POST", "/users", `{"role":"king"}`, 400, "role"},
		{"POST", "/auth/login", `{"email":"x"}`, 400, "password"},
		{"POST", "/auth/exchange", `{"token":""}`, 400, "token"},
		{"PATCH", "/system/log-levels", `{"nope":"info"}`, 400, "log_levels"},
		{"GET", "/traces/none", "", 404, ""},
		{"GET", "/traces/none/spans/none/input", "", 404, ""},
		{"GET", "/sessions/none", "", 404, ""},
		{"GET", "/keys/none", "", 404, ""},
	} {
		var e ErrorBody
		res := s.send("sk-admin", c.method, c.path, c.body, &e)
		if res.StatusCode != c.status || e.Error.Field != c.field || e.Error.Message == "" {
			t.Errorf("%s %s %s: %d %+v, want %d at %q", c.method, c.path, c.body, res.StatusCode, e.Error, c.status, c.field)
		}
		if c.field == "filter" && e.Error.Position == nil {
			t.Errorf("%s does not tell the position", c.path)
		}
	}
}

func TestTraces(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.record(call(i, "one"), `{"model":"claude","messages":[{"role":"user","content":"it's"}]}`, `{"content":[]}`)
	}
	s.record(call(7, "two"), "", "")
	var page TraceList
	s.get("/traces?limit=2&filter="+url.QueryEscape("model = claude"), &page)
	if len(page.Items) != 2 || page.Items[0].Trace != call(4, "").Trace || page.NextCursor == "" || page.Partial {
		t.Fatalf("%+v", page)
	}
	if r := page.Items[0]; r.Start != "2026-03-02T11:04:00.000Z" || r.DurationMS != 400 || r.CostUSD != 0.25 || r.Usage.CacheRead != 30 || r.FirstTokenMS != nil || r.Tags == nil {
		t.Errorf("%+v", r)
	}
	seen := 2
	for page.NextCursor != "" {
		cursor := page.NextCursor
		page = TraceList{}
		s.get("/traces?limit=2&filter="+url.QueryEscape("model = claude")+"&cursor="+cursor, &page)
		seen += len(page.Items)
	}
	var n Count
	s.get("/traces/count", &n)
	if seen != 5 || n.Count != 5 {
		t.Errorf("saw %d, counted %d", seen, n.Count)
	}
	one := call(1, "one")
	var tr Trace
	s.get("/traces/"+one.Trace, &tr)
	if len(tr.Spans) != 1 || tr.TotalCostUSD != 0.25 || tr.Spans[0].Dialect != one.Dialect || string(tr.Spans[0].Params) != "{}" || tr.Spans[0].Tries == nil {
		t.Errorf("%+v", tr)
	}
	var in, cmd string
	s.get("/traces/"+one.Trace+"/spans/"+one.ID+"/input", &in)
	if in != `{"model":"claude","messages":[{"role":"user","content":"it's"}]}` {
		t.Errorf("input %s", in)
	}
	s.get("/traces/"+one.Trace+"/spans/"+one.ID+"/curl", &cmd)
	if !strings.Contains(cmd, "/v1/messages'") || !strings.Contains(cmd, in) || !strings.Contains(cmd, "$WEIR_KEY") {
		t.Errorf("curl %s", cmd)
	}
}

func TestRawSpan(t *testing.T) {
	s := newServer(t)
	sp := call(1, "one")
	sp.Source, sp.Attributes = "otlp", jsonx.Raw(`{"a":1,"in":{"$body":"input","as":"json"},"out":{"$body":"output","at":"x"}}`)
	sp.Events = []span.Moment{{Name: "e", Time: sp.Start, Attributes: jsonx.Raw(`{"content":{"$body":"input","at":"q"}}`)}}
	s.record(sp, `{"q":"why"}`, "")
	path := "/traces/" + sp.Trace + "/spans/" + sp.ID
	for query, want := range map[string][2]string{
		"":          {string(sp.Attributes), string(sp.Events[0].Attributes)},
		"?raw=true": {`{"a":1,"in":"{\"q\":\"why\"}","out":{"$body":"output","at":"x"}}`, `{"content":"why"}`}, // there is no output
	} {
		var got Span
		s.get(path+query, &got)
		if string(got.Attributes) != want[0] || string(got.Events[0].Attributes) != want[1] {
			t.Errorf("%q: %s, event %s", query, got.Attributes, got.Events[0].Attributes)
		}
	}
}

// What programs report is in their dialect's words, and was sent elsewhere.
func TestNoCommandForReportedCalls(t *testing.T) {
	s := newServer(t)
	sp := call(1, "one")
	sp.Source = "otlp"
	s.record(sp, `{"messages":[]}`, `{}`)
	if res := s.send("sk-member", http.MethodGet, "/traces/"+sp.Trace+"/spans/"+sp.ID+"/curl", "", nil); res.StatusCode != http.StatusNotFound {
		t.Error(res.Status)
	}
}

// A caller of another project finds nothing, whatever it asks.
func TestProjectsAreApart(t *testing.T) {
	s := newServer(t)
	sp := call(1, "one")
	sp.Session = "s"
	s.record(sp, `{"messages":[]}`, `{}`)
	at := "/traces/" + sp.Trace
	for _, path := range []string{at, at + "/spans/" + sp.ID + "/input", at + "/spans/" + sp.ID + "/output", at + "/spans/" + sp.ID + "/curl", "/sessions/s"} {
		if res := s.send("sk-other", "GET", path, "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		if res := s.send("sk-viewer", "GET", path, "", nil); res.StatusCode != http.StatusOK {
			t.Errorf("%s as a viewer of the project: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/traces", "/traces/count", "/sessions", "/facets?field=model", "/aggregate"} {
		var text string
		s.send("sk-other", "GET", path, "", &text)
		if strings.Contains(text, sp.Trace) || strings.Contains(text, "claude") || strings.Contains(text, `"count":1`) || strings.Contains(text, `"calls":1`) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestSessionAddsWhatIsNew(t *testing.T) {
	s := newServer(t)
	msgs := []string{`{"role":"user","content":"build it"}`}
	for i := range 3 {
		sp := call(i, "one")
		sp.Session, sp.Client, sp.Input.New, sp.Input.Preview = "run", "Cline", 1, "build it"
		sp.Input.Messages = len(msgs)
		system := "be brief"
		if i == 2 {
			system = "be long"
		}
		s.record(sp, fmt.Sprintf(`{"system":%q,"tools":[{},{}],"messages":[%s]}`, system, strings.Join(msgs, ",")), fmt.Sprintf(`{"content":"step %d"}`, i))
		msgs = append(msgs, fmt.Sprintf(`{"role":"user","content":"result %d"}`, i))
	}
	lost := call(5, "one") // recorded without bodies
	lost.Session, lost.Status, lost.ErrorText = "run", span.Error, "overloaded"
	s.record(lost, "", "")
	var list SessionList
	s.get("/sessions", &list)
	if len(list.Items) != 1 || list.Items[0].Calls != 4 || list.Items[0].Errors != 1 || list.Items[0].Name != "build it" || list.Items[0].CacheReadShare != 0.75 || list.Items[0].CostUSD != 1 {
		t.Fatalf("%+v", list)
	}
	var x Session
	s.get("/sessions/run", &x)
	if len(x.Calls) != 4 {
		t.Fatalf("%d steps", len(x.Calls))
	}
	for i, want := range []struct{ system, fresh, answer string }{
		{`"be brief"`, `{"role":"user","content":"build it"}`, `{"content":"step 0"}`},
		{``, `{"role":"user","content":"result 0"}`, `{"content":"step 1"}`},
		{`"be long"`, `{"role":"user","content":"result 1"}`, `{"content":"step 2"}`},
	} {
		c := x.Calls[i]
		if string(c.System) != want.system || len(c.NewMessages) != 1 || string(c.NewMessages[0]) != want.fresh || string(c.Answer) != want.answer ||
			c.ToolsCount != 2 || c.RunningCostUSD != 0.25*float64(i+1) {
			t.Errorf("step %d: %+v", i, c)
		}
	}
	if c := x.Calls[3]; !c.BodiesMissing || string(c.Answer) != "null" || c.ErrorText != "overloaded" {
		t.Errorf("%+v", c)
	}
}

func TestFigures(t *testing.T) {
	s := newServer(t)
	for i := range 6 {
		sp := call(i, "one")
		if i%2 == 1 {
			sp.Group, sp.Status = "gpt", span.Error
		}
		s.record(sp, "", "")
	}
	tool := call(8, "one")
	tool.Kind = span.Tool
	s.record(tool, "", "")
	var a Aggregation
	s.get("/aggregate?group_by=model&interval=15m&from=2026-03-02T11:00:00Z&to=2026-03-02T12:00:00Z&measure=errors", &a)
	if len(a.Series) != 2 || a.Series[0].Group != "gpt" || a.Series[0].Totals.Errors != 3 || a.Totals.Calls != 6 || a.IntervalMS != 900_000 {
		t.Fatalf("%+v", a)
	}
	p := a.Series[0].Points
	if len(p) != 4 || p[0].Calls != 3 || p[1].Calls != 0 || p[1].P50 != nil || p[0].Time != "2026-03-02T11:00:00.000Z" || *p[0].P50 != 300 {
		t.Errorf("%+v", p)
	}
	s.get("/aggregate?interval=none&from=2026-03-02T12:00:00Z&to=2026-03-02T13:00:00Z", &a)
	if a.Previous.Calls != 6 || a.Totals.Calls != 0 || a.Previous.CacheRead != 180 {
		t.Errorf("%+v", a)
	}
	s.get("/aggregate?interval=none&from=2026-03-02T11:00:00Z&to=2026-03-02T12:00:00Z&filter="+url.QueryEscape("kind = tool"), &a)
	if a.Totals.Calls != 1 {
		t.Errorf("a filter that names kinds sees %d", a.Totals.Calls)
	}
	var f Facets
	s.get("/facets?field=model&prefix=GP", &f)
	if len(f.Values) != 1 || f.Values[0] != (Facet{"gpt", 3}) {
		t.Errorf("%+v", f)
	}
	var fields FieldList
	s.get("/fields", &fields)
	if len(fields.Fields) < 30 || fields.Fields[0].Name != "status" || len(fields.Fields[0].Ops) == 0 {
		t.Errorf("%+v", fields)
	}
}

func TestLive(t *testing.T) {
	s := newServer(t)
	srv := httptest.NewServer(s.mux)
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/api/v1/live?filter="+url.QueryEscape("status = error"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-member")
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	in := bufio.NewScanner(res.Body)
	if !in.Scan() || in.Text() != ": live" || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%q %v", in.Text(), res.Header)
	}
	s.record(call(1, "one"), "", "") // passes no filter
	bad := call(2, "one")
	bad.Status = span.Error
	s.record(bad, "", "")
	other := call(3, "two")
	other.Status = span.Error
	s.record(other, "", "")
	in.Scan() // the empty line
	for _, want := range []string{"event: span", `"trace":"` + bad.Trace + `"`} {
		if !in.Scan() || !strings.Contains(in.Text(), want) {
			t.Errorf("got %q, want %s", in.Text(), want)
		}
	}
}

func TestKeys(t *testing.T) {
	s := newServer(t)
	var made NewKey
	res := s.send("sk-admin", "POST", "/keys", `{"alias":"ci","user_id":"u1","models":["claude"],"expires":"30d","max_budget_usd":5,"budget_period":"30d","rpm":10,"metadata":{"a":1}}`, &made)
	if res.StatusCode != http.StatusCreated || made.Secret != "sk-new" || made.Alias != "ci" || *made.MaxBudgetUSD != 5 || made.Expires != "2026-04-01T12:00:00.000Z" {
		t.Fatalf("%d %+v", res.StatusCode, made)
	}
	var k KeyInfo
	s.send("sk-admin", "PATCH", "/keys/"+made.ID, `{"max_budget_usd":null,"expires":"","alias":"cd"}`, &k)
	if k.MaxBudgetUSD != nil || k.Expires != "" || k.Alias != "cd" || k.RPM != 10 || string(k.Metadata) != `{"a":1}` {
		t.Errorf("%+v", k)
	}
	s.send("sk-admin", "POST", "/keys/"+made.ID+"/block", "", &k)
	var list KeyList
	s.send("sk-member", "GET", "/keys", "", &list)
	if !k.Blocked || len(list.Items) != 1 || list.Total != 1 || strings.Contains(fmt.Sprint(list), "sk-new") {
		t.Errorf("%+v %+v", k, list)
	}
	if res := s.send("sk-viewer", "GET", "/keys/"+made.ID, "", nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("someone else's key: %d", res.StatusCode)
	}
	if res := s.send("sk-other", "GET", "/keys/"+made.ID, "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("another project's key: %d", res.StatusCode)
	}
	var text string
	if res := s.send("sk-admin", "DELETE", "/keys/"+made.ID, "", &text); res.StatusCode != http.StatusNoContent || text != "" {
		t.Errorf("delete: %d %q", res.StatusCode, text)
	}
}

func TestAccess(t *testing.T) {
	s := newServer(t)
	var me Me
	res := s.send("", "POST", "/auth/login", `{"email":"a@example.com","password":"right"}`, &me)
	cookie := res.Header.Get("Set-Cookie")
	if res.StatusCode != 200 || me.CSRF != "csrf of cookie" || me.Role != "admin" || !strings.HasPrefix(cookie, "weir_session=cookie") || !strings.Contains(cookie, "HttpOnly") {
		t.Fatalf("%d %+v %s", res.StatusCode, me, cookie)
	}
	if res := s.send("", "POST", "/auth/login", `{"email":"a@example.com","password":"wrong"}`, nil); res.StatusCode != 401 || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("wrong password: %d", res.StatusCode)
	}
	if res := s.send("", "POST", "/auth/exchange", `{"token":"once"}`, &me); res.StatusCode != 200 {
		t.Errorf("exchange: %d", res.StatusCode)
	}
	if res := s.send("", "POST", "/auth/exchange", `{"token":"twice"}`, nil); res.StatusCode != 401 {
		t.Errorf("used link: %d", res.StatusCode)
	}
	s.send("sk-member", "GET", "/me", "", &me)
	if me.User.Name != "Name of u1" || me.Project.Name != "Project one" || len(me.Projects) != 1 || me.Local {
		t.Errorf("%+v", me)
	}
	if res := s.send("sk-member", "POST", "/auth/logout", "", nil); res.StatusCode != 204 || !s.accounts.out || !strings.Contains(res.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %v", res.StatusCode, res.Header)
	}
}

func TestModelsAndSystem(t *testing.T) {
	s := newServer(t)
	sp := call(30, "one")
	sp.Trace, sp.ID = strings.Repeat("1", 32), strings.Repeat("1", 16)
	s.record(sp, "", "")
	var m ModelList
	s.get("/models", &m)
	if len(m.Items) != 2 || len(m.Items[0].Deployments) != 2 || m.Items[0].Deployments[0].Calls1h != 1 || m.Items[0].Prices.Input != 3 || m.Items[1].Prices != nil || !m.Items[1].Pattern {
		t.Fatalf("%+v", m)
	}
	var seen ModelList
	s.send("sk-member", "GET", "/models", "", &seen)
	if m.Items[0].Deployments[0].BaseURL == "" || seen.Items[0].Deployments[0].BaseURL != "" {
		t.Error("base URLs are for administrators")
	}
	var sys SystemState
	s.get("/system", &sys)
	if !sys.Ready.Ready || !sys.Index.Open || sys.Index.Lag != 0 || sys.Version != "1" {
		t.Errorf("%+v", sys)
	}
	var levels map[string]string
	s.send("sk-admin", "PATCH", "/system/log-levels", `{"gateway":"debug"}`, &levels)
	if levels["gateway"] != "debug" {
		t.Errorf("%v", levels)
	}
	var c Connection
	s.get("/connect", &c)
	if c.OpenAIURL != "http://example.com/v1" || c.ExampleModel != "claude" {
		t.Errorf("%+v", c)
	}
	var teams TeamList
	s.send("sk-admin", "POST", "/teams", `{"alias":"core","max_budget_usd":9}`, nil)
	s.get("/teams", &teams)
	if len(teams.Items) != 1 || *teams.Items[0].MaxBudgetUSD != 9 {
		t.Errorf("%+v", teams)
	}
	var users UserList
	s.send("sk-admin", "POST", "/users", `{"email":"n@example.com"}`, nil)
	s.get("/users", &users)
	if len(users.Items) != 1 || users.Items[0].Role != "member" {
		t.Errorf("%+v", users)
	}
}

package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/money"
	"weir/internal/span"
)

// agentTrace records a trace of an application: an agent whose totals cover its calls, a chain, two calls, one failed.
func (s *server) agentTrace(n int) string {
	s.t.Helper()
	trace := fmt.Sprintf("%032x", n+1)
	start := now.Add(time.Duration(n-50) * time.Minute)
	add := func(i int, parent string, kind span.Kind, edit func(*span.Span)) {
		sp := call(0, "one")
		sp.Trace, sp.ID, sp.Parent, sp.Kind, sp.Source, sp.Service = trace, fmt.Sprintf("%08x%08x", n, i), parent, kind, "otlp", "shop"
		sp.Start = start.Add(time.Duration(i) * time.Second)
		sp.End, sp.Name, sp.Session, sp.Environment = sp.Start.Add(time.Second), string(kind), fmt.Sprint("chat-", n/2), "staging"
		sp.Metadata = []byte(fmt.Sprintf(`{"tenant":{"id":%d}}`, n))
		edit(sp)
		s.record(sp, "", "")
	}
	root := fmt.Sprintf("%08x%08x", n, 0)
	add(0, "", span.Agent, func(sp *span.Span) {
		sp.Covered, sp.End, sp.TraceName, sp.Tags, sp.Group = true, start.Add(5*time.Second), "answer", []string{"beta"}, ""
		sp.Attributes, sp.Resource = []byte(`{"graph.node":"root"}`), []byte(`{"host.name":"h1"}`)
		sp.Prompt, sp.Events = span.Prompt{Name: "greeting", Version: "3"}, []span.Moment{{Name: "started", Time: start}}
		sp.Links = []span.Link{{Trace: "t", Span: "s"}}
	})
	add(1, root, span.Chain, func(sp *span.Span) { sp.Usage.Input, sp.Cost.Total, sp.Group = 0, 0, "" })
	add(2, root, span.Generation, func(sp *span.Span) { sp.FirstToken = 100 * time.Millisecond })
	add(3, root, span.Generation, func(sp *span.Span) {
		sp.Status, sp.ErrorType, sp.HTTP, sp.ErrorText = span.Error, "rate_limit_error", 429, fmt.Sprintf("limit of %d requests reached by \"org-%d\"", n, n)
		sp.Cost.Total, sp.Usage.Input, sp.Usage.CacheRead, sp.Usage.Output = money.FromUSD(0.5), 0, 0, 0
	})
	s.score(&span.Score{Target: span.Target{Trace: trace, Span: root}, Name: "quality", Type: span.Numeric, Value: float64(n)})
	s.score(&span.Score{Target: span.Target{Trace: trace, Span: root}, Name: "tone", Type: span.Categorical, Text: "warm"})
	return trace
}

func (s *server) score(sc *span.Score) {
	s.t.Helper()
	sc.Project, sc.ID, sc.Source, sc.Created, sc.Updated = "one", sc.Target.Span+sc.Name, span.ByAPI, now, now
	if err := s.stores.Truth.PutScore(s.t.Context(), sc); err != nil {
		s.t.Fatal(err)
	}
	s.stores.Wait()
}

func TestTraceView(t *testing.T) {
	s := newServer(t)
	var traces []string
	for n := range 4 {
		traces = append(traces, s.agentTrace(n))
	}
	s.record(call(1, "two"), "", "")
	var page TracePage
	s.get("/traces?view=traces&limit=3", &page)
	if len(page.Items) != 3 || page.NextCursor == "" || page.Items[0].Trace != traces[3] {
		t.Fatalf("%+v", page)
	}
	got := page.Items[0]
	if got.Spans != 4 || got.Calls != 2 || got.Errors != 1 || got.CostUSD != 0.75 || got.DurationMS != 5000 || got.Name != "answer" || got.Root.ID != "0000000300000000" ||
		!slices.Equal(got.Tags, []string{"beta"}) || len(got.Scores) != 2 || !slices.Equal(got.Models, []string{"claude"}) || !slices.Equal(got.Services, []string{"shop"}) || got.Session != "chat-1" {
		t.Errorf("%+v", got)
	}
	cursor := page.NextCursor
	page = TracePage{}
	s.get("/traces?view=traces&limit=3&cursor="+cursor, &page)
	if len(page.Items) != 1 || page.NextCursor != "" || page.Items[0].Trace != traces[0] {
		t.Errorf("%+v", page)
	}
	for sort, want := range map[string]string{"-score.quality": traces[3], "score.quality": traces[0], "start": traces[0], "-start": traces[3]} {
		s.get("/traces?view=traces&sort="+sort, &page)
		if len(page.Items) != 4 || page.Items[0].Trace != want {
			t.Errorf("by %s: %+v", sort, page.Items)
		}
	}
	s.get("/traces?view=traces&filter="+url.QueryEscape("metadata.tenant.id = 2 kind = chain"), &page)
	if len(page.Items) != 1 || page.Items[0].Trace != traces[2] || page.Items[0].Spans != 4 {
		t.Errorf("%+v", page)
	}
	var calls TraceList
	s.get("/traces?view=calls", &calls)
	if len(calls.Items) != 8 {
		t.Errorf("%d calls", len(calls.Items))
	}
	var sorted TraceList
	s.get("/traces?sort=-score.quality", &sorted)
	if len(sorted.Items) != 4 || sorted.Items[0].Trace != traces[3] || sorted.Items[0].Prompt == nil || sorted.Items[0].Source != "otlp" || !sorted.Items[0].Covered {
		t.Errorf("%+v", sorted.Items)
	}
}

func TestTreeAndSpan(t *testing.T) {
	s := newServer(t)
	trace := s.agentTrace(1)
	var tree Tree
	s.get("/traces/"+trace+"/tree", &tree)
	c := tree.Items
	if tree.Total != 4 || tree.NextCursor != "" || !slices.Equal(c.Kinds, []string{"agent", "chain", "generation", "generation"}) || c.Parents[3] != c.IDs[0] || c.StartsMS[3] != 3000 ||
		c.DurationsMS[0] != 5000 || !c.Covered[0] || c.Covered[1] || c.Errors[3] != "rate_limit_error" || c.Costs[3] != 0.5 || c.Tokens[2] != 45 || c.Models[2] != "claude" {
		t.Fatalf("%+v", tree)
	}
	var half Tree
	s.get("/traces/"+trace+"/tree?limit=3", &half)
	if len(half.Items.IDs) != 3 || half.NextCursor != "3" || half.Total != 4 {
		t.Errorf("%+v", half)
	}
	s.get("/traces/"+trace+"/tree?limit=3&cursor="+half.NextCursor, &half)
	if len(half.Items.IDs) != 1 || half.Items.IDs[0] != c.IDs[3] {
		t.Errorf("%+v", half)
	}
	var tr Trace
	s.get("/traces/"+trace+"?limit=2", &tr)
	if len(tr.Spans) != 2 || !tr.Truncated || tr.Count != 4 || tr.Spans[0].Kind != "agent" {
		t.Errorf("%+v", tr)
	}
	tr = Trace{}
	s.get("/traces/"+trace, &tr)
	if len(tr.Spans) != 4 || tr.Truncated || tr.TotalCostUSD != 0.75 {
		t.Errorf("%d spans cost %v", len(tr.Spans), tr.TotalCostUSD)
	}
	var sp Span
	s.get("/traces/"+trace+"/spans/"+c.IDs[0], &sp)
	if sp.ID != c.IDs[0] || len(sp.Events) != 1 || len(sp.Links) != 1 || string(sp.Resource) != `{"host.name":"h1"}` || sp.Scores[1].Text != "warm" || sp.Prompt.Version != "3" {
		t.Errorf("%+v", sp)
	}
}

func TestFilterHelp(t *testing.T) {
	s := newServer(t)
	for n := range 3 {
		s.agentTrace(n)
	}
	var c FilterCheck
	s.send("sk-viewer", "POST", "/filter/check", `{"filter":"start > -1h key_alias ~ \"x\""}`, &c)
	if !c.OK || c.Normal != `(start > now-1h and key_alias rlike "x")` || c.Error != nil {
		t.Errorf("%+v", c)
	}
	s.send("sk-viewer", "POST", "/filter/check", `{"filter":"kind = tool modle = x"}`, &c)
	if c.OK || c.Error == nil || c.Error.Position != 12 || !strings.Contains(c.Error.Message, "did you mean model?") {
		t.Errorf("%+v", c)
	}
	var paths PathList
	s.get("/fields/paths?field=metadata", &paths)
	if len(paths.Paths) != 1 || paths.Paths[0] != (PathCount{"tenant.id", 12}) {
		t.Errorf("%+v", paths)
	}
	s.get("/fields/paths?field=attributes&prefix=GRAPH", &paths)
	if len(paths.Paths) != 1 || paths.Paths[0] != (PathCount{"graph.node", 3}) {
		t.Errorf("%+v", paths)
	}
	var f Facets
	s.get("/facets?field=score.tone", &f)
	if len(f.Values) != 1 || f.Values[0] != (Facet{"warm", 3}) {
		t.Errorf("%+v", f)
	}
	for filter, want := range map[string]int64{
		"root = true": 3, "attributes.graph.node = root": 3, "resource.host.name ~ ^h": 3, "score.quality >= 1": 2, "source = otlp": 12, "error_type contains LIMIT": 3, "prompt = greeting": 3, "start > -1h": 0,
	} {
		var n Count
		s.get("/traces/count?filter="+url.QueryEscape(filter), &n)
		if n.Count != want {
			t.Errorf("%s: %d, want %d", filter, n.Count, want)
		}
	}
}

func TestSpreads(t *testing.T) {
	s := newServer(t)
	for i := 1; i < 9; i++ {
		s.record(call(i, "one"), "", "")
	}
	s.record(call(9, "two"), "", "")
	var h Histogram
	s.get("/histogram?field=duration&buckets=4", &h)
	sum := int64(0)
	for _, b := range h.Buckets {
		sum += b.Count
	}
	if h.Unit != "ms" || h.Count != 8 || sum != 8 || len(h.Buckets) != 4 || h.Buckets[0].From != 100 || h.P50 == nil || *h.P50 != 450 {
		t.Errorf("%+v", h)
	}
	s.get("/histogram?field=ttft", &h)
	if len(h.Buckets) != 0 || h.Count != 0 {
		t.Errorf("%+v", h)
	}
	var m Heatmap
	s.get("/heatmap?field=cost&interval=5m&from=2026-03-02T11:00:00Z&to=2026-03-02T11:15:00Z", &m)
	if m.Unit != "usd" || len(m.Intervals) != 3 || len(m.Counts) != 3 || len(m.Edges) != len(m.Counts[0])+1 || m.Counts[0][0] != 4 || m.Counts[1][0] != 4 {
		t.Errorf("%+v", m)
	}
}

func TestErrorGroups(t *testing.T) {
	s := newServer(t)
	for n := range 3 {
		s.agentTrace(n)
	}
	lost := call(1, "one")
	lost.Status, lost.ErrorText, lost.HTTP = span.Interrupted, "Weir was restarted", 0
	s.record(lost, "", "")
	var l ErrorList
	s.get("/errors?from=2026-03-02T11:00:00Z&to=2026-03-02T12:00:00Z", &l)
	if l.Total != 4 || len(l.Items) != 2 || l.More {
		t.Fatalf("%+v", l)
	}
	g := l.Items[0]
	if g.Class != "rate_limit_error" || g.HTTP != 429 || g.Shape != "limit of <n> requests reached by <text>" || g.Count != 3 || g.Share != 0.75 || g.Users != 1 || g.Sessions != 2 ||
		len(g.Examples) != 3 || len(g.Spark) != 24 || g.ID == l.Items[1].ID || g.Examples[0].Trace != fmt.Sprintf("%032x", 3) {
		t.Errorf("%+v", g)
	}
	for _, g := range l.Items {
		var n Count
		s.get("/traces/count?filter="+url.QueryEscape(g.Filter), &n)
		if n.Count != g.Count {
			t.Errorf("%s selects %d of %d", g.Filter, n.Count, g.Count)
		}
	}
	s.get("/errors?group=provider", &l)
	if len(l.Items) != 1 || l.Items[0].Count != 4 || l.Items[0].Class != "" || l.Items[0].Shape != "" {
		t.Errorf("%+v", l)
	}
	s.send("sk-other", "GET", "/errors", "", &l)
	if l.Total != 0 || len(l.Items) != 0 {
		t.Errorf("another project sees %+v", l)
	}
}

func TestUsersAndActivity(t *testing.T) {
	s := newServer(t)
	for n := range 2 {
		s.agentTrace(n)
	}
	end := call(5, "one")
	end.User, end.EndUser, end.Start = "", "visitor", now.Add(-30*time.Hour)
	s.record(end, "", "")
	var l UserUsageList
	s.get("/usage/users?limit=1", &l)
	if len(l.Items) != 1 || l.NextCursor == "" {
		t.Fatalf("%+v", l)
	}
	u := l.Items[0]
	if u.User != "u1" || u.Calls != 4 || u.Spans != 8 || u.Errors != 2 || u.Traces != 2 || u.Sessions != 1 || u.CostUSD != 1.5 || len(u.Scores) != 2 || *u.Scores[0].Avg != 0.5 || u.Scores[1].Avg != nil {
		t.Errorf("%+v", u)
	}
	cursor := l.NextCursor
	l = UserUsageList{}
	s.get("/usage/users?limit=1&cursor="+cursor, &l)
	if len(l.Items) != 1 || l.Items[0].EndUser != "visitor" || l.Items[0].User != "" || l.NextCursor != "" {
		t.Errorf("%+v", l)
	}
	var a Activity
	s.get("/activity", &a)
	if len(a.Days) != 2 || a.Days[0].Day != "2026-03-01" || a.Days[0].Calls != 1 || a.Days[1].Calls != 4 || a.Days[1].CostUSD != 1.5 || a.Days[1].Errors != 2 {
		t.Errorf("%+v", a)
	}
	s.get("/users-activity?user=visitor", &a)
	if len(a.Days) != 1 || a.Days[0].Calls != 1 {
		t.Errorf("%+v", a)
	}
	var sessions SessionList
	s.get("/sessions", &sessions)
	if len(sessions.Items) != 1 {
		t.Fatalf("%+v", sessions)
	}
	if x := sessions.Items[0]; x.Traces != 2 || x.Spans != 8 || x.Calls != 4 || x.CostUSD != 1.5 || len(x.Scores) != 2 || x.FirstSeen != x.Start {
		t.Errorf("%+v", x)
	}
}

func TestMoreFigures(t *testing.T) {
	s := newServer(t)
	for n := range 3 {
		s.agentTrace(n)
	}
	day := "from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z"
	var a Aggregation
	s.get("/aggregate?group_by=model,status&interval=1d&measure=errors,avg:score.quality&"+day+"&filter="+url.QueryEscape("kind exists"), &a)
	if len(a.Series) != 3 || !slices.Equal(a.Series[0].Groups, []string{"claude", "error"}) || a.Series[0].Group != "claude" || a.Series[0].Totals.Errors != 3 || len(a.Series[0].Points) != 1 {
		t.Fatalf("%+v", a)
	}
	if tot := a.Totals; tot.Calls != 12 || tot.Score == nil || *tot.Score != 1 || *tot.ErrorRate != 0.25 || tot.P99 == nil || tot.Avg == nil || tot.Tokens != 3*(45+35) || tot.Rate != 12.0/1440 {
		t.Errorf("%+v", tot)
	}
	s.get("/aggregate?interval=none&"+day, &a)
	if a.Totals.Calls != 6 || a.Totals.CostUSD != 2.25 || a.Totals.CacheHitRate == nil || *a.Totals.CacheHitRate != 0.75 {
		t.Errorf("model calls: %+v", a.Totals)
	}
	s.get("/aggregate?interval=none&measure=cost&only=true&"+day, &a)
	if a.Totals.CostUSD != 2.25 || a.Totals.P50 != nil {
		t.Errorf("cost only: %+v", a.Totals)
	}
	s.get("/aggregate?interval=none&measure=p95&only=true&"+day, &a)
	if a.Totals.CostUSD != 0 || a.Totals.P95 == nil || a.Totals.FirstP95 != nil {
		t.Errorf("p95 only: %+v", a.Totals)
	}
}

func TestBadQueriesNameTheField(t *testing.T) {
	s := newServer(t)
	trace := s.agentTrace(1)
	for path, field := range map[string]string{
		"/traces?view=all": "view", "/traces?view=traces&sort=model": "sort", "/traces?view=traces&sort=-http": "sort", "/traces?sort=score": "sort", "/traces?view=traces&cursor=xx": "cursor",
		"/traces?filter=" + url.QueryEscape(`input contains "x"`): "filter", "/traces?view=traces&filter=" + url.QueryEscape(`model ~ "("`): "filter",
		"/traces/" + trace + "?limit=0": "limit", "/traces/" + trace + "/tree?limit=100001": "limit", "/traces/" + trace + "/tree?cursor=x": "cursor", "/traces/" + trace + "/tree?cursor=-1": "cursor",
		"/fields/paths": "field", "/fields/paths?field=model": "field", "/fields/paths?field=score&filter=(": "filter", "/facets?field=metadata": "field", "/facets?field=input": "field",
		"/histogram?field=model": "field", "/histogram?field=start": "field", "/histogram?buckets=0": "buckets", "/heatmap?interval=2m": "interval", "/heatmap?from=2036-01-01T00:00:00Z": "from",
		"/heatmap?interval=1m&from=2020-01-01T00:00:00Z": "interval", "/errors?group=colour": "group", "/errors?filter=nope%3D1": "filter", "/usage/users?sort=-height": "sort",
		"/usage/users?cursor=xx": "cursor", "/users-activity": "user", "/activity?from=x": "from", "/aggregate?group_by=model,model": "group_by", "/aggregate?group_by=model,cost": "group_by",
		"/aggregate?measure=avg:score.": "measure", "/aggregate?measure=calls,speed": "measure",
	} {
		var e ErrorBody
		res := s.send("sk-admin", "GET", path, "", &e)
		if res.StatusCode != http.StatusBadRequest || e.Error.Field != field || e.Error.Message == "" {
			t.Errorf("%s: %d %+v, want %q", path, res.StatusCode, e.Error, field)
		}
	}
	for _, path := range []string{"/traces/none/tree", "/traces/" + trace + "/spans/none", "/traces/none/spans/none"} {
		if res := s.send("sk-admin", "GET", path, "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/traces/" + trace + "/tree", "/traces/" + trace + "/spans/0000000100000000"} {
		if res := s.send("sk-other", "GET", path, "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of another project: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/traces?view=traces", "/fields/paths?field=metadata", "/usage/users", "/activity", "/histogram", "/facets?field=service"} {
		var text string
		s.send("sk-other", "GET", path, "", &text)
		if strings.Contains(text, trace) || strings.Contains(text, "tenant.id") || strings.Contains(text, "u1") || strings.Contains(text, "shop") || strings.Contains(text, `"calls":2`) {
			t.Errorf("%s tells another project %s", path, text)
		}
	}
}

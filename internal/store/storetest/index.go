package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// OpenIndex opens the index kept in dir; the suite closes it, and may then open the same directory again.
type OpenIndex func(t *testing.T, dir string) query.Index

// Index is what every query.Index must do. Answers are compared with brute force over the same spans.
func Index(t *testing.T, open OpenIndex) {
	cases := map[string]func(*testing.T, query.Index){
		"filters":              indexFilters,
		"hostile text":         indexHostile,
		"time range":           indexRange,
		"pages under inserts":  indexPages,
		"pages of every order": indexSorts,
		"cursors are checked":  indexCursors,
		"aggregate":            indexAggregate,
		"aggregate of nothing": indexAggregateEmpty,
		"extreme values":       indexExtreme,
		"facets":               indexFacets,
		"sessions":             indexSessions,
		"traces":               indexTraces,
		"paths":                indexPaths,
		"histogram":            indexHistogram,
		"error groups":         indexErrors,
		"users":                indexUsers,
		"texts found":          indexFound,
		"replace":              indexReplace,
		"drop day":             indexDropDay,
		"projects are apart":   indexProjects,
		"reset":                indexReset,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			x := open(t, t.TempDir())
			defer closeIndex(t, x)
			run(t, x)
		})
	}
	t.Run("reopen", func(t *testing.T) { indexReopen(t, open) })
	t.Run("failed apply changes nothing", func(t *testing.T) { indexAtomic(t, open) })
}

func closeIndex(t *testing.T, x query.Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// RandomSpans are n spans of a project over three days from noon, with every field set now and then, ties in time and
// values that are hard to quote.
func RandomSpans(p tenant.ProjectID, n int, seed uint64) []*span.Span {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(v ...string) string { return v[r.IntN(len(v))] }
	out := make([]*span.Span, n)
	for i := range out {
		start := noon.Add(time.Duration(r.IntN(3*24*60)) * time.Minute)
		s := &span.Span{
			Project: p, Trace: fmt.Sprintf("%032x", r.Uint64N(uint64(n))), ID: fmt.Sprintf("%016x", i+1), Day: span.DayOf(start),
			Name: pick("chat", "Plan ünd Do", "it's", ""), Kind: span.Kind(pick("generation", "generation", "tool", "embedding", "agent", "guardrail")), Start: start,
			End: start.Add(time.Duration(r.IntN(5000)) * time.Millisecond), Status: span.Status(pick("ok", "ok", "ok", "error", "canceled", "interrupted", "running")),
			Group: pick("gpt-5", "claude-sonnet-4", "claude-haiku-4", `we"ird%_`), Model: pick("m1", "m2"), Provider: pick("openai", "bedrock"),
			Deployment: pick("d1", "d2", "d3"), User: tenant.UserID(pick("", "u1", "u2", "U1")), Email: pick("", "a@example.com", "B@example.com"),
			Key: tenant.KeyID(pick("k1", "k2")), KeyAlias: pick("", "team key"), Team: tenant.TeamID(pick("", "t1")), Session: pick("", "s1", "s2", "s3", "s4"),
			Client: pick("", "Cline", "Claude Code"), EndUser: pick("", "eu"), HTTP: []int{0, 200, 429, 500}[r.IntN(4)], Stream: r.IntN(2) == 0,
			CacheHit: r.IntN(5) == 0, FirstToken: time.Duration(r.IntN(3)) * 150 * time.Millisecond, ErrorType: pick("", "", "overloaded_error"),
			Usage: llm.Usage{
				Input: r.Int64N(9000), CacheRead: r.Int64N(3) * 1000, CacheWrite: r.Int64N(500), CacheWrite1h: r.Int64N(2) * 70, Output: r.Int64N(400), Reasoning: r.Int64N(9),
			},
			Cost: span.Cost{Total: money.Nano(r.Int64N(100_000_000))}, Tries: make([]span.Try, r.IntN(3)), Experiment: pick("0", "7"),
		}
		for _, tag := range []string{"prod", "Test'ing", "a b"} {
			if r.IntN(3) == 0 {
				s.Tags = append(s.Tags, tag)
			}
		}
		if r.IntN(3) > 0 {
			s.Metadata = fmt.Appendf(nil, `{"run":{"id":%d,"name":"%s"},"list":["x",{"y":true}],"nil":null}`, r.IntN(5), pick("alpha", "Beta", ""))
		}
		if r.IntN(2) == 0 {
			outside(s, r, pick)
		}
		out[i] = s
	}
	return out
}

// outside makes a span one of an application.
func outside(s *span.Span, r *rand.Rand, pick func(...string) string) {
	s.Source, s.Service, s.Scope, s.Environment, s.Release = "otlp", pick("shop", "Back Office", ""), pick("", "openinference"), pick("", "prod", "staging"), pick("", "v1.2")
	s.Parent, s.Covered, s.TraceName, s.Replays = pick("", "0000000000000001"), r.IntN(4) == 0, pick("", "checkout flow"), pick("", "", "t/s")
	s.Prompt = span.Prompt{Name: pick("", "greeting"), Version: pick("", "3")}
	if s.ErrorType != "" {
		s.ErrorText = fmt.Sprintf("overloaded after %d ms (request %x)", r.IntN(99), r.Uint64())
	}
	s.Attributes = fmt.Appendf(nil, `{"http.route":"/items/{id}","retry.count":%d,"deep":{"er":["a",%d]},"odd key!":"%s"}`, r.IntN(4), r.IntN(3), pick("x", "Y'y", ""))
	s.Resource = fmt.Appendf(nil, `{"service.name":"shop","host":{"name":"%s"}}`, pick("h1", "h2"))
	for _, m := range []span.Mark{{Name: "quality", Value: 0.5, Text: "0.5"}, {Name: "helpful", Value: 1, Text: "true"}, {Name: "tone", Text: "warm"}, {Name: "quality", Value: 3, Text: "3"}} {
		if r.IntN(3) == 0 {
			s.Scores = append(s.Scores, m)
		}
	}
}

func apply(t *testing.T, x query.Index, upto uint64, rows ...*span.Span) {
	t.Helper()
	if err := x.Apply(t.Context(), rows, upto); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func mustParse(t *testing.T, filter string) query.Expr {
	t.Helper()
	e, err := query.Parse(filter)
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	return e
}

// filters are all operators on fields of every type.
func filters() []string {
	values := map[query.Type][]string{
		query.Text: {`u1`, `claude-sonnet-4`, `"it's"`, `""`}, query.Enum: {"error", "generation"}, query.List: {"prod", `"Test'ing"`},
		query.Map: {"alpha", "3", "true"}, query.Number: {"0", "200", "1k"}, query.Duration: {"150ms", "2.5s", "0"},
		query.Money: {"0.05", "0"}, query.Bool: {"true", "false"}, query.Time: {"2026-03-02", "2026-03-01T13:00:00.123456789Z"},
	}
	var out []string
	for _, f := range query.Fields {
		name, vals := f.Name, values[f.Type]
		if f.Type == query.Map {
			name += ".run.name"
		}
		if f.Type == query.Enum {
			vals = f.Values[:2]
		}
		if !f.Indexed() {
			continue
		}
		for _, op := range f.Operators() {
			switch op {
			case query.Exists:
				out = append(out, name+" exists", "not "+name+" exists")
			case query.In, query.NotIn:
				out = append(out, fmt.Sprintf("%s %s (%s)", name, op, strings.Join(vals, ", ")))
			case query.RLike, query.NotRLike:
				out = append(out, name+" "+string(op)+` "^[a-e].*\\d$"`, name+" "+string(op)+` "(?i)ET|1"`, name+" "+string(op)+` "."`)
			case query.Contains, query.NotHolds:
				out = append(out, name+" "+string(op)+" A", name+" "+string(op)+` "'"`)
			case query.Like, query.NotLike, query.ILike, query.NotILike:
				out = append(out, name+" "+string(op)+` "%a%"`, name+" "+string(op)+` "_1"`, name+" "+string(op)+` "TEST%"`)
			default:
				for _, v := range vals {
					if f.Type == query.Map && (op == query.Lt || op == query.Le || op == query.Gt || op == query.Ge) {
						v = "2"
					}
					out = append(out, name+" "+string(op)+" "+v)
				}
			}
		}
	}
	return append(out,
		"metadata.run.id >= 2", "metadata.run.id = 2", "metadata.list.1.y = true", "metadata.nil exists", "metadata.run exists",
		"attributes.http.route = \"/items/{id}\"", "attributes.retry.count > 1", "attributes.deep.er.0 = a", "attributes.`odd key!` contains y", "`attributes.odd key!` ~ \"'\"",
		"resource.host.name in (h1, h3)", "resource.service.name exists", "score.quality > 0.7", "score.quality = 0.50", "score.quality in (3.0, 9)", "score.quality != 3",
		"score.helpful = true", "score.tone = warm", "score.tone > 1", "score.none exists", "user not exists", "score.tone not exists", "kind = guardrail", "status = running",
		"source = gateway", "source != gateway", "root = true", "root = false", "covered = true", "start exists", "start > 2026-03-02 start < now", "experiment = 7", "release contains V1",
		`trace_name ~ "^check"`, `service !~ "(?i)office"`, "prompt = greeting prompt_version = 3", "replays exists", "shape exists",
		"claude", `"team KEY"`, "PROD", "%", "_", "0000000000000001",
		"status = error and (model like claude% or not user exists)", "not (status = ok or cost > 0.02) tag = prod", "duration > 1s cost < 0.05 tokens > 2k",
	)
}

func indexFilters(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 400, 7)
	apply(t, x, 1, spans...)
	matched := 0
	for _, f := range filters() {
		e := mustParse(t, f)
		var want []string
		for _, s := range spans {
			if query.Match(e, s) {
				want = append(want, s.ID)
			}
		}
		if len(want) > 0 && len(want) < len(spans) {
			matched++
		}
		got := ids(search(t, x, query.Query{Project: p1, Filter: e}, query.Page{Limit: query.MaxLimit}))
		slices.Sort(got)
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: brute force (-) and index (+) differ:\n%s", f, diff)
		}
		n, err := x.Count(t.Context(), query.Query{Project: p1, Filter: e})
		if err != nil || n != int64(len(want)) {
			t.Errorf("%s: count %d, want %d (%v)", f, n, len(want), err)
		}
	}
	if matched < 100 {
		t.Errorf("only %d filters tell spans apart; the suite has lost its teeth", matched)
	}
}

func indexHostile(t *testing.T, x query.Index) {
	nasty := []string{`'; DROP TABLE spans; --`, `"`, "\\", "a\nb", "日本語 ✓", strings.Repeat("é", 300), "nul\x00byte", "\xff\xfe"}
	var spans []*span.Span
	for i, s := range nasty {
		sp := newSpan(p1, fmt.Sprintf("%032x", i), fmt.Sprintf("%016x", i), noon)
		sp.User, sp.Tags, sp.Name, sp.Metadata = tenant.UserID(s), []string{s}, s, nil
		spans = append(spans, sp)
	}
	apply(t, x, 1, spans...)
	for i, s := range nasty[:5] {
		for _, e := range []query.Expr{
			query.Is(query.FieldNamed("user"), s), query.Is(query.FieldNamed("tag"), s), query.Word(s),
			&query.Compare{Field: query.FieldNamed("tag"), Op: query.Like, Values: []query.Value{{Text: s}}},
		} {
			got := ids(search(t, x, query.Query{Project: p1, Filter: e}, query.Page{}))
			if !slices.Contains(got, spans[i].ID) {
				t.Errorf("%s does not find %q", e, s)
			}
		}
	}
	if n, err := x.Count(t.Context(), query.Query{Project: p1}); err != nil || n != int64(len(nasty)) {
		t.Errorf("%d spans (%v)", n, err)
	}
}

func search(t *testing.T, x query.Index, q query.Query, p query.Page) []span.Key {
	t.Helper()
	keys, _, err := x.Search(t.Context(), q, p)
	if err != nil {
		t.Fatalf("search %v: %v", q.Filter, err)
	}
	return keys
}

func ids(keys []span.Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.Span
	}
	return out
}

func indexRange(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 200, 3)
	apply(t, x, 1, spans...)
	from, to := spans[0].Start, spans[0].Start.Add(12*time.Hour)
	want := 0
	for _, s := range spans {
		if !s.Start.Before(from) && s.Start.Before(to) {
			want++
		}
	}
	got := search(t, x, query.Query{Project: p1, From: from, To: to}, query.Page{Limit: 500})
	if len(got) != want || want == 0 {
		t.Errorf("%d spans in range, want %d", len(got), want)
	}
	for _, k := range got {
		if i := slices.IndexFunc(spans, func(s *span.Span) bool { return s.ID == k.Span }); spans[i].Day != k.Day || spans[i].Trace != k.Trace {
			t.Errorf("key %+v of %+v", k, spans[i])
		}
	}
}

// indexPages reads page by page while newer and older spans arrive: nothing that was there is missed or repeated.
func indexPages(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 120, 5)
	for i, s := range spans {
		s.Start = noon.Add(time.Duration(i/10) * time.Second) // ties
	}
	apply(t, x, 1, spans...)
	var got []string
	cursor := ""
	for page := 0; ; page++ {
		keys, next, err := x.Search(t.Context(), query.Query{Project: p1}, query.Page{Limit: 7, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(keys)...)
		late := newSpan(p1, fmt.Sprintf("%032x", 1<<40+page), fmt.Sprintf("f%015x", page), noon.Add(time.Hour))
		apply(t, x, uint64(page+2), late)
		if cursor = next; cursor == "" {
			break
		}
	}
	if diff := gocmp.Diff(ids(sorted(spans, query.Sort{})), got); diff != "" {
		t.Error(diff)
	}
}

func sorted(spans []*span.Span, by query.Sort) []span.Key {
	s := slices.Clone(spans)
	slices.SortFunc(s, func(a, b *span.Span) int {
		c := cmp.Or(cmp.Compare(by.By().NumberOf(a), by.By().NumberOf(b)), cmp.Compare(a.Trace, b.Trace), cmp.Compare(a.ID, b.ID))
		if by.Asc {
			return c
		}
		return -c
	})
	out := make([]span.Key, len(s))
	for i, sp := range s {
		out[i] = span.Key{Trace: sp.Trace, Span: sp.ID, Day: sp.Day}
	}
	return out
}

func indexSorts(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 60, 11)
	apply(t, x, 1, spans...)
	for _, f := range query.Fields {
		if !f.Sortable() {
			continue
		}
		for _, by := range []query.Sort{{Field: f}, {Field: f, Asc: true}} {
			var got []span.Key
			for cursor, more := "", true; more; more = cursor != "" {
				keys, next, err := x.Search(t.Context(), query.Query{Project: p1}, query.Page{Sort: by, Limit: 13, Cursor: cursor})
				if err != nil {
					t.Fatal(err)
				}
				got, cursor = append(got, keys...), next
			}
			if diff := gocmp.Diff(sorted(spans, by), got); diff != "" {
				t.Errorf("by %s:\n%s", by, diff)
			}
		}
	}
}

func indexCursors(t *testing.T, x query.Index) {
	apply(t, x, 1, RandomSpans(p1, 10, 1)...)
	_, cursor, err := x.Search(t.Context(), query.Query{Project: p1}, query.Page{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	by := query.Sort{Field: query.FieldNamed("cost")}
	if _, _, err := x.Search(t.Context(), query.Query{Project: p1}, query.Page{Sort: by, Cursor: cursor}); err == nil {
		t.Error("a cursor of another order is taken")
	}
	for _, bad := range []string{"x", "%%%", "e30"} {
		if _, _, err := x.Search(t.Context(), query.Query{Project: p1}, query.Page{Cursor: bad}); err == nil {
			t.Errorf("cursor %q is taken", bad)
		}
	}
}

func indexReplace(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 300, 21)
	apply(t, x, 1, spans...)
	var changed []*span.Span
	for i := 0; i < len(spans); i += 3 {
		s := *spans[i]
		s.Status, s.Start, s.Cost.Total = span.OK, s.Start.Add(-36*time.Hour), 1 // the day stays the trace's
		spans[i] = &s
		changed = append(changed, &s)
	}
	apply(t, x, 2, changed...)
	apply(t, x, 3, changed[:5]...) // once more, as after a crash
	if diff := gocmp.Diff(sorted(spans, query.Sort{}), search(t, x, query.Query{Project: p1}, query.Page{Limit: 500})); diff != "" {
		t.Error(diff)
	}
	n, err := x.Count(t.Context(), query.Query{Project: p1, Filter: mustParse(t, "cost <= 0.000000001")})
	if err != nil || n < int64(len(changed)) {
		t.Errorf("%d spans have the new cost, want %d (%v)", n, len(changed), err)
	}
}

func indexDropDay(t *testing.T, x query.Index) {
	spans := append(RandomSpans(p1, 200, 2), RandomSpans(p2, 50, 2)...)
	apply(t, x, 1, spans...)
	day := span.DayOf(noon) + 1
	if err := x.DropDay(t.Context(), p1, day); err != nil {
		t.Fatal(err)
	}
	left := slices.DeleteFunc(slices.Clone(spans[:200]), func(s *span.Span) bool { return s.Day == day })
	if diff := gocmp.Diff(sorted(left, query.Sort{}), search(t, x, query.Query{Project: p1}, query.Page{Limit: 500})); diff != "" {
		t.Error(diff)
	}
	if got := search(t, x, query.Query{Project: p2}, query.Page{Limit: 500}); len(got) != 50 {
		t.Errorf("another project has %d of 50 spans left", len(got))
	}
}

func indexProjects(t *testing.T, x query.Index) {
	one, two := RandomSpans(p1, 40, 4), RandomSpans(p2, 25, 4) // same ids
	apply(t, x, 1, append(slices.Clone(one), two...)...)
	q := query.Query{Project: p2, Filter: mustParse(t, "status exists or status = error")}
	if got := search(t, x, q, query.Page{Limit: 500}); len(got) != 25 {
		t.Errorf("search sees %d", len(got))
	}
	a, err := x.Aggregate(t.Context(), query.Aggregate{Query: q})
	if err != nil || a.Totals.Calls != 25 {
		t.Errorf("aggregate sees %d (%v)", a.Totals.Calls, err)
	}
	rows, _, err := x.Sessions(t.Context(), query.Query{Project: "three"}, query.Page{})
	if err != nil || len(rows) != 0 {
		t.Errorf("sessions of another project: %v (%v)", rows, err)
	}
	f, err := x.Facets(t.Context(), query.FacetQuery{Query: query.Query{Project: "three"}, Field: query.FieldNamed("model")})
	if err != nil || len(f) != 0 {
		t.Errorf("facets of another project: %v (%v)", f, err)
	}
}

func indexReset(t *testing.T, x query.Index) {
	if _, ok, err := x.Position(t.Context()); ok || err != nil {
		t.Fatalf("a new index says it is complete (%v)", err)
	}
	apply(t, x, 9, RandomSpans(p1, 30, 1)...)
	if err := x.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pos, ok, err := x.Position(t.Context()); ok || pos != 0 || err != nil {
		t.Errorf("after a reset: %d %v %v", pos, ok, err)
	}
	if err := x.Load(t.Context(), RandomSpans(p1, 20, 1)); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := x.Position(t.Context()); ok {
		t.Error("an index that is being loaded says it is complete")
	}
	apply(t, x, 5)
	if n, err := x.Count(t.Context(), query.Query{Project: p1}); n != 20 || err != nil {
		t.Errorf("%d spans after load (%v)", n, err)
	}
}

func indexReopen(t *testing.T, open OpenIndex) {
	dir := t.TempDir()
	spans := RandomSpans(p1, 100, 8)
	x := open(t, dir)
	apply(t, x, 50, spans[:50]...)
	if pos, err := x.Checkpoint(t.Context()); err != nil || pos != 50 {
		t.Errorf("checkpoint holds %d (%v)", pos, err)
	}
	apply(t, x, 100, spans[50:]...)
	closeIndex(t, x)
	x = open(t, dir)
	defer closeIndex(t, x)
	if pos, ok, err := x.Position(t.Context()); pos != 100 || !ok || err != nil {
		t.Errorf("position %d %v %v", pos, ok, err)
	}
	if diff := gocmp.Diff(sorted(spans, query.Sort{}), search(t, x, query.Query{Project: p1}, query.Page{Limit: 500})); diff != "" {
		t.Error(diff)
	}
}

func indexAtomic(t *testing.T, open OpenIndex) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	apply(t, x, 1, RandomSpans(p1, 10, 1)...)
	ctx, cancel := contextCanceled(t)
	defer cancel()
	if err := x.Apply(ctx, RandomSpans(p2, 10, 1), 2); err == nil {
		t.Fatal("a cancelled apply succeeds")
	}
	pos, _, err := x.Position(t.Context())
	n, err2 := x.Count(t.Context(), query.Query{Project: p2})
	if pos != 1 || n != 0 || err != nil || err2 != nil {
		t.Errorf("position %d with %d spans (%v, %v)", pos, n, err, err2)
	}
	apply(t, x, 2, RandomSpans(p2, 10, 1)...)
	if n, _ := x.Count(t.Context(), query.Query{Project: p2}); n != 10 {
		t.Errorf("%d spans after trying again", n)
	}
}

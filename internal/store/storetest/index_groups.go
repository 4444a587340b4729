package storetest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"weir/internal/query"
	"weir/internal/span"
)

// distinct counts the values of spans that are not empty.
func distinct(spans []*span.Span, value func(*span.Span) string) int64 {
	seen := map[string]bool{}
	for _, s := range spans {
		if v := value(s); v != "" {
			seen[v] = true
		}
	}
	return int64(len(seen))
}

// values are the sorted different values of spans that are not empty.
func values(spans []*span.Span, value func(*span.Span) string) (out []string) {
	for _, s := range spans {
		if v := value(s); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// callsIn counts model calls, each once.
func callsIn(spans []*span.Span) (n int64) {
	for _, s := range spans {
		if query.IsCall(s) && !s.Covered {
			n++
		}
	}
	return n
}

// athome gives the spans of a trace one home day, as stores do.
func atHome(spans []*span.Span) []*span.Span {
	home := map[string]span.Day{}
	for _, s := range spans {
		if _, ok := home[s.Trace]; !ok {
			home[s.Trace] = s.Day
		}
		s.Day = home[s.Trace]
	}
	return spans
}

func traceOf(in []*span.Span) query.TraceFigures {
	slices.SortFunc(in, func(a, b *span.Span) int {
		orphan := func(s *span.Span) int {
			if s.Parent != "" {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(orphan(a), orphan(b)), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	f, root := figuresOf(in), in[0]
	t := query.TraceFigures{
		Root: span.Key{Trace: root.Trace, Span: root.ID, Day: root.Day}, Start: root.Start, End: root.End, Spans: f.Calls, Calls: callsIn(in), Errors: f.Errors,
		Cost: f.Cost, Usage: f.Usage, Models: values(in, func(s *span.Span) string { return s.Group }), Services: values(in, func(s *span.Span) string { return s.Service }),
	}
	for _, s := range in {
		if s.Start.Before(t.Start) {
			t.Start = s.Start
		}
		if s.End.After(t.End) {
			t.End = s.End
		}
		t.Session, t.User = max(t.Session, s.Session), max(t.User, s.User)
	}
	return t
}

// traces is brute force.
func traces(q query.Query, by query.Sort, spans []*span.Span) (out []query.TraceFigures) {
	at, chosen := map[string][]*span.Span{}, map[string]bool{}
	for _, s := range spans {
		at[s.Trace] = append(at[s.Trace], s)
		in := (q.From.IsZero() || !s.Start.Before(q.From)) && (q.To.IsZero() || s.Start.Before(q.To))
		chosen[s.Trace] = chosen[s.Trace] || in && query.Match(q.Filter, s)
	}
	value := map[string]int64{}
	for name, in := range at {
		t := traceOf(in)
		v, ok := traceValue(by, t, in)
		if chosen[name] && ok {
			out, value[name] = append(out, t), v
		}
	}
	slices.SortFunc(out, func(a, b query.TraceFigures) int {
		c := cmp.Or(cmp.Compare(value[a.Root.Trace], value[b.Root.Trace]), cmp.Compare(a.Root.Trace, b.Root.Trace))
		if by.String() == "-start" {
			c = cmp.Or(cmp.Compare(a.Root.Day, b.Root.Day), c)
		}
		if by.Asc {
			return c
		}
		return -c
	})
	return out
}

func traceValue(by query.Sort, t query.TraceFigures, in []*span.Span) (v int64, ok bool) {
	switch by.By().Name {
	case "duration":
		return int64(t.End.Sub(t.Start)), true
	case "cost":
		return int64(t.Cost), true
	case "tokens":
		return t.Usage.Total(), true
	case "score":
		v = math.MinInt64
		for _, s := range in {
			if x, has := by.Place(s); has {
				v, ok = max(v, x), true
			}
		}
		return v, ok
	}
	return query.Nanos(t.Start), true
}

func indexTraces(t *testing.T, x query.Index) {
	spans := atHome(RandomSpans(p1, 300, 17))
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 80, 17)...)...)
	for _, c := range []struct {
		filter, sort string
		from, to     time.Time
	}{
		{}, {filter: "status = error"}, {filter: "model = nothing"}, {sort: "start"}, {sort: "-duration"}, {sort: "cost", filter: "service exists"}, {sort: "-tokens"},
		{sort: "-score.quality"}, {from: noon.Add(20 * time.Hour), to: noon.Add(50 * time.Hour), filter: "kind = tool"}, {from: noon.Add(30 * time.Hour), sort: "-cost"},
	} {
		by, err := query.ParseSort(c.sort)
		if err != nil {
			t.Fatal(err)
		}
		q := query.Query{Project: p1, Filter: mustParse(t, c.filter), From: c.from, To: c.to}
		var got []query.TraceFigures
		for cursor, more := "", true; more; more = cursor != "" {
			rows, next, err := x.Traces(t.Context(), q, query.Page{Sort: by, Limit: 40, Cursor: cursor})
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			got, cursor = append(got, rows...), next
		}
		if diff := gocmp.Diff(traces(q, by, spans), got, nearly); diff != "" {
			t.Errorf("%+v: brute force (-) and index (+) differ:\n%s", c, diff)
		}
	}
	if _, _, err := x.Traces(t.Context(), query.Query{Project: p1}, query.Page{Sort: query.Sort{Field: query.FieldNamed("http")}}); err == nil {
		t.Error("traces are sorted by a status")
	}
	if _, _, err := x.Traces(t.Context(), query.Query{Project: p1}, query.Page{Cursor: "xx"}); err == nil {
		t.Error("a broken cursor is taken")
	}
}

func indexPaths(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 200, 31)
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 20, 31)...)...)
	for _, c := range []struct{ field, prefix, filter string }{
		{field: "metadata"}, {field: "attributes"}, {field: "attributes", prefix: "HTTP"}, {field: "resource", filter: "status = error"}, {field: "score"}, {field: "metadata", filter: "user = nobody"},
	} {
		f := query.FacetQuery{Query: query.Query{Project: p1, Filter: mustParse(t, c.filter)}, Field: query.FieldNamed(c.field), Prefix: c.prefix, Limit: 50}
		got, err := x.Paths(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int64{}
		for _, s := range spans {
			for _, p := range f.Field.PairsOf(s) {
				if query.Match(f.Filter, s) && strings.HasPrefix(strings.ToLower(p.Path), strings.ToLower(c.prefix)) {
					n[p.Path]++
				}
			}
		}
		var want []query.Facet
		for path, count := range n {
			want = append(want, query.Facet{Value: path, Count: count})
		}
		slices.SortFunc(want, func(a, b query.Facet) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		if diff := gocmp.Diff(want, got, nearly); diff != "" {
			t.Errorf("%+v:\n%s", c, diff)
		}
	}
	if _, err := x.Paths(t.Context(), query.FacetQuery{Query: query.Query{Project: p1}, Field: query.FieldNamed("user")}); err == nil {
		t.Error("a field without paths is taken")
	}
}

func indexHistogram(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 300, 41)
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 20, 41)...)...)
	for _, name := range []string{"duration", "ttft", "cost", "tokens", "cache_write"} {
		h := query.HistogramQuery{Query: query.Query{Project: p1, Filter: mustParse(t, "provider = openai")}, Field: query.FieldNamed(name), Buckets: 12}
		got, err := x.Histogram(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		var vals []float64
		for _, s := range spans {
			if v := h.Field.NumberOf(s); v > 0 && query.Match(h.Filter, s) {
				vals = append(vals, float64(v))
			}
		}
		slices.Sort(vals)
		if got.Count != int64(len(vals)) || len(got.Edges) != 13 || len(got.Intervals) != 1 || math.Abs(got.Edges[0]-vals[0]) > 1 || got.Edges[12] < vals[len(vals)-1]*0.999999 {
			t.Fatalf("%s: %d values in %+v", name, len(vals), got)
		}
		for i, n := range got.Intervals[0].Counts {
			lo, hi := got.Edges[i]*0.999999, got.Edges[i+1]*1.000001 // a value on an edge may be on either side
			within, wider := int64(0), int64(0)
			for _, v := range vals {
				if v > got.Edges[i]*1.000001 && v < got.Edges[i+1]*0.999999 {
					within++
				}
				if v >= lo && v <= hi {
					wider++
				}
			}
			if n < within || n > wider {
				t.Errorf("%s: bucket %d has %d, want %d to %d", name, i, n, within, wider)
			}
		}
		h.Interval = 24 * time.Hour
		byDay, err := x.Histogram(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		sum := make([]int64, 12)
		for _, d := range byDay.Intervals {
			for i, n := range d.Counts {
				sum[i] += n
			}
		}
		if len(byDay.Intervals) < 3 || !slices.Equal(sum, got.Intervals[0].Counts) {
			t.Errorf("%s: %d days sum to %v, want %v", name, len(byDay.Intervals), sum, got.Intervals[0].Counts)
		}
	}
	none, err := x.Histogram(t.Context(), query.HistogramQuery{Query: query.Query{Project: "three"}, Field: query.FieldNamed("duration"), Buckets: 3})
	if err != nil || none.Count != 0 || len(none.Edges) != 0 {
		t.Errorf("nothing is spread as %+v (%v)", none, err)
	}
	if _, err := x.Histogram(t.Context(), query.HistogramQuery{Query: query.Query{Project: p1}, Field: query.FieldNamed("model"), Buckets: 3}); err == nil {
		t.Error("a histogram of texts")
	}
}

func indexErrors(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 400, 51)
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 50, 51)...)...)
	for _, by := range [][]string{nil, {"error_type"}, {"provider", "http"}, {"shape"}} {
		q := query.ErrorQuery{Query: query.Query{Project: p1, Filter: mustParse(t, "model like c%")}, By: by, Limit: 200, Spark: 6}
		got, err := x.ErrorGroups(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want, total := errorGroups(q, spans)
		for i := range got.Groups {
			if n := sum(got.Groups[i].Spark); n != got.Groups[i].Count {
				t.Errorf("%v: %d of %d over time", by, n, got.Groups[i].Count)
			}
			got.Groups[i].Spark = nil
		}
		if diff := gocmp.Diff(query.ErrorGroups{Groups: want, Total: total}, got, nearly); diff != "" {
			t.Errorf("%v: brute force (-) and index (+) differ:\n%s", by, diff)
		}
	}
	short, err := x.ErrorGroups(t.Context(), query.ErrorQuery{Query: query.Query{Project: p1}, Limit: 1})
	if err != nil || len(short.Groups) != 1 || !short.More {
		t.Errorf("%+v %v", short, err)
	}
	if _, err := x.ErrorGroups(t.Context(), query.ErrorQuery{Query: query.Query{Project: p1}, By: []string{"colour"}}); err == nil {
		t.Error("errors are grouped by what is not there")
	}
}

func sum(n []int64) (total int64) {
	for _, v := range n {
		total += v
	}
	return total
}

// errorGroups is brute force.
func errorGroups(q query.ErrorQuery, spans []*span.Span) (out []query.ErrorGroup, total int64) {
	at := map[query.ErrorKey][]*span.Span{}
	for _, s := range spans {
		if query.Failed(s) && query.Match(q.Filter, s) {
			k := query.ErrorKeyOf(s, q.By)
			at[k] = append(at[k], s)
			total++
		}
	}
	for k, in := range at {
		slices.SortFunc(in, func(a, b *span.Span) int { return b.Start.Compare(a.Start) })
		g := query.ErrorGroup{ErrorKey: k, Count: int64(len(in)), First: in[len(in)-1].Start, Last: in[0].Start,
			Users:    distinct(in, func(s *span.Span) string { return cmp.Or(string(s.User), s.EndUser) }),
			Sessions: distinct(in, func(s *span.Span) string { return s.Session }),
		}
		for _, s := range in[:min(len(in), 3)] {
			g.Examples = append(g.Examples, span.Key{Trace: s.Trace, Span: s.ID, Day: s.Day})
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b query.ErrorGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model),
			cmp.Compare(a.HTTP, b.HTTP), cmp.Compare(a.Shape, b.Shape))
	})
	return out, total
}

func indexUsers(t *testing.T, x query.Index) {
	spans := RandomSpans(p1, 300, 61)
	apply(t, x, 1, append(slices.Clone(spans), RandomSpans(p2, 50, 61)...)...)
	for _, by := range query.UserSorts {
		q := query.UserQuery{Query: query.Query{Project: p1, Filter: mustParse(t, "provider = openai")}, By: by, Limit: 2}
		var got []query.UserRow
		for more := true; more; more = q.Cursor != "" {
			rows, next, err := x.Users(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, q.Cursor = append(got, rows...), next
		}
		if diff := gocmp.Diff(users(q, spans), got, nearly); diff != "" {
			t.Errorf("by %s: brute force (-) and index (+) differ:\n%s", by, diff)
		}
	}
	if _, _, err := x.Users(t.Context(), query.UserQuery{Query: query.Query{Project: p1}, By: "height"}); err == nil {
		t.Error("users are sorted by what is not there")
	}
}

// users is brute force.
func users(q query.UserQuery, spans []*span.Span) (out []query.UserRow) {
	type person struct {
		name string
		end  bool
	}
	at := map[person][]*span.Span{}
	for _, s := range spans {
		p := person{string(s.User), false}
		if p.name == "" {
			p = person{s.EndUser, true}
		}
		if p.name != "" && query.Match(q.Filter, s) {
			at[p] = append(at[p], s)
		}
	}
	value := func(r query.UserRow) int64 {
		return map[string]int64{"cost": int64(r.Cost), "calls": r.Calls, "errors": r.Errors, "tokens": r.Usage.Total(), "last_seen": query.Nanos(r.Last)}[q.By]
	}
	for p, in := range at {
		out = append(out, userOf(p.name, p.end, in))
	}
	slices.SortFunc(out, func(a, b query.UserRow) int {
		name := func(r query.UserRow) string { return cmp.Or(string(r.User), r.EndUser) }
		return cmp.Or(cmp.Compare(value(b), value(a)), cmp.Compare(name(b), name(a)), cmp.Compare(b.EndUser, a.EndUser))
	})
	return out
}

func userOf(name string, end bool, in []*span.Span) query.UserRow {
	slices.SortFunc(in, func(a, b *span.Span) int { return a.Start.Compare(b.Start) })
	f := figuresOf(in)
	r := query.UserRow{
		Calls: callsIn(in), Errors: f.Errors, Spans: f.Calls, Cost: f.Cost, Usage: f.Usage, First: in[0].Start, Last: in[len(in)-1].Start,
		Sessions: distinct(in, func(s *span.Span) string { return s.Session }), Traces: distinct(in, func(s *span.Span) string { return s.Trace }),
		Models: values(in, func(s *span.Span) string { return s.Group }), Scores: meansOf(in),
	}
	for _, s := range in {
		r.Email = cmp.Or(s.Email, r.Email)
	}
	if end {
		r.EndUser = name
	} else {
		r.User = in[0].User
	}
	return r
}

// indexFound: texts are answered from outside, by keys.
func indexFound(t *testing.T, x query.Index) {
	spans := atHome(RandomSpans(p1, 100, 71))
	apply(t, x, 1, spans...)
	key := func(i int) span.Key { return span.Key{Trace: spans[i].Trace, Span: spans[i].ID, Day: spans[i].Day} }
	found := map[query.Needle][]span.Key{
		{Part: query.InputText, Text: "secret plan"}: {key(3), key(40), {Trace: spans[5].Trace, Span: "gone", Day: spans[5].Day}, {Trace: "x\x1fy", Span: "z"}},
		{Part: query.AnyText, Text: "haiku"}:         {key(7), {Trace: spans[8].Trace, Span: spans[8].ID}}, // without a day
		{Part: query.OutputText, Text: "none"}:       nil,
	}
	for filter, want := range map[string]func(i int) bool{
		`input contains "secret plan"`:                        func(i int) bool { return i == 3 || i == 40 },
		`not input contains "secret plan"`:                    func(i int) bool { return i != 3 && i != 40 },
		`input not contains "secret plan" model like claude%`: func(i int) bool { return i != 3 && i != 40 && strings.HasPrefix(spans[i].Group, "claude") },
		`output contains none`:                                func(int) bool { return false },
		`output contains unasked or status = error`:           func(i int) bool { return spans[i].Status == span.Error },
		`haiku`: func(i int) bool { return i == 7 || i == 8 || strings.Contains(spans[i].Group, "haiku") },
	} {
		q := query.Query{Project: p1, Filter: mustParse(t, filter), Found: found}
		var ids []string
		for i, s := range spans {
			if want(i) {
				ids = append(ids, s.ID)
			}
		}
		got := keysToIDs(search(t, x, q, query.Page{Limit: query.MaxLimit}))
		if diff := gocmp.Diff(ids, got, nearly); diff != "" {
			t.Errorf("%s:\n%s", filter, diff)
		}
		if a, err := x.Aggregate(t.Context(), query.Aggregate{Query: q, GroupBy: query.FieldNamed("model"), Interval: time.Hour}); err != nil || a.Totals.Calls != int64(len(ids)) {
			t.Errorf("%s: %d counted (%v)", filter, a.Totals.Calls, err)
		}
	}
}

func keysToIDs(keys []span.Key) []string {
	out := ids(keys)
	slices.Sort(out)
	return out
}

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/storetest"
	"weir/internal/tenant"
)

var nearly = gocmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 1e-9), gocmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= time.Microsecond })}

// within forgives quantiles of bands what they may be off.
var within = gocmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 1e-9), gocmp.Comparer(func(a, b time.Duration) bool {
	return math.Abs(float64(a-b)) <= 0.0101*float64(max(a, b))+1000
})}

// churn is an index under random changes.
type churn struct {
	*rand.Rand
	x     *Index
	spans []*span.Span
	made  int
	upto  uint64
	pages int // compared
}

// step changes something.
func (c *churn) step(t *testing.T) {
	t.Helper()
	var err error
	switch n := c.IntN(20); {
	case n == 0 && c.made > 0:
		day, p := c.spans[c.IntN(len(c.spans))].Day, c.project()
		err = c.x.DropDay(t.Context(), p, day)
		c.forget(func(s *span.Span) bool { return s.Project == p && s.Day == day })
	case n == 1 && c.IntN(4) == 0:
		err = c.x.Reset(t.Context())
		c.forget(func(*span.Span) bool { return true })
	case n == 2:
		err = c.x.Load(t.Context(), c.fresh())
	case n < 8 && len(c.spans) > 0:
		err = c.apply(t, c.altered())
	default:
		err = c.apply(t, c.fresh())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *churn) project() tenant.ProjectID { return []tenant.ProjectID{"p", "p", "p", "q"}[c.IntN(4)] }

func (c *churn) apply(t *testing.T, rows []*span.Span) error {
	c.upto++
	return c.x.Apply(t.Context(), rows, c.upto)
}

func (c *churn) forget(which func(*span.Span) bool) {
	kept := c.spans[:0]
	for _, s := range c.spans {
		if !which(s) {
			kept = append(kept, s)
		}
	}
	c.spans = kept
}

// fresh are new spans of a few hours, now and then of all days.
func (c *churn) fresh() []*span.Span {
	rows := storetest.RandomSpans(c.project(), 1+c.IntN(60), c.Uint64())
	about, some := c.IntN(60), c.IntN(4) > 0
	for _, s := range rows {
		s.ID, s.First = fmt.Sprintf("%016x", c.made), true
		if c.made++; some {
			took := s.Duration()
			s.Start = storetestNoon.Add(time.Duration(about)*time.Hour + time.Duration(c.IntN(3*3600))*time.Second)
			s.End, s.Day = s.Start.Add(took), span.DayOf(s.Start)
		}
	}
	c.spans = append(c.spans, rows...)
	return rows
}

var storetestNoon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// altered are later versions of spans that are there: scored, covered, ended, or of another time.
func (c *churn) altered() []*span.Span {
	var rows []*span.Span
	seen := map[int]bool{}
	for range 1 + c.IntN(5) {
		i := c.IntN(len(c.spans))
		if seen[i] {
			continue
		}
		seen[i] = true
		s := *c.spans[i]
		s.First = false
		switch c.IntN(4) {
		case 0:
			s.Covered = !s.Covered
		case 1:
			s.Start = s.Start.Add(time.Duration(c.IntN(400)-200) * time.Minute)
		case 2:
			s.Status, s.End = span.Error, s.End.Add(time.Minute)
		default:
			s.Group, s.Cost.Total = "gpt-5", s.Cost.Total+1
		}
		c.spans[i] = &s
		rows = append(rows, &s)
	}
	return rows
}

// ask is a random question.
func (c *churn) ask() query.Aggregate {
	fields := []string{"", "model", "user", "status", "tag", "session", "covered"}
	a := query.Aggregate{
		Query: c.selection(), Interval: []time.Duration{0, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}[c.IntN(5)], Limit: 1 + c.IntN(6),
		Measure: append([]query.Measure{"", query.AvgScore}, query.Measures...)[c.IntN(2+len(query.Measures))], Lean: c.IntN(3) == 0,
	}
	if a.GroupBy = query.FieldNamed(fields[c.IntN(len(fields))]); a.GroupBy != nil && c.IntN(3) == 0 {
		a.ThenBy = query.FieldNamed("provider")
	}
	if a.Measure == query.AvgScore || c.IntN(3) == 0 {
		a.Score = "quality"
	}
	return a
}

func (c *churn) selection() query.Query {
	q := query.Query{Project: c.project()}
	if c.IntN(3) > 0 {
		q.Filter = query.CallsOnly(nil)
	}
	if c.IntN(4) == 0 {
		q.Filter = query.All(q.Filter, query.Is(query.FieldNamed("status"), "ok"))
	}
	from := storetestNoon.Add(time.Duration(c.IntN(80)-10) * time.Hour)
	if c.IntN(2) == 0 {
		from = from.Add(time.Duration(c.IntN(3600)) * time.Second)
	}
	if c.IntN(4) > 0 {
		q.From = from
	}
	if c.IntN(3) > 0 {
		q.To = from.Add(time.Duration(1+c.IntN(80*60)) * time.Minute)
	}
	return q
}

// TestKeptAnswersAreThoseOfAScan asks the same questions of kept hours and of the engine while spans come, change and go.
func TestKeptAnswersAreThoseOfAScan(t *testing.T) {
	for _, few := range []int64{0, 30} {
		t.Run(fmt.Sprint("few ", few), func(t *testing.T) {
			c := &churn{Rand: rand.New(rand.NewPCG(uint64(few), 3)), x: openIn(t, t.TempDir())}
			defer func() { _ = c.x.Close() }()
			c.x.kept.few = few
			everything := query.Aggregate{Query: query.Query{Project: "p"}, GroupBy: query.FieldNamed("model"), Interval: time.Hour, Lean: true}
			asked := []query.Aggregate{c.ask(), c.ask(), c.ask(), c.ask(), c.ask(), c.ask()}
			for range 50 {
				c.step(t)
				asked[1+c.IntN(len(asked)-1)] = c.ask()
				c.compare(t, everything)
				for _, i := range c.Perm(len(asked))[:2] {
					c.compare(t, asked[i])
				}
				c.compareOthers(t, asked[0])
				c.compareLists(t)
			}
			if c.pages < 10 {
				t.Errorf("%d pages were made of the last hours", c.pages)
			}
		})
	}
}

func (c *churn) compare(t *testing.T, a query.Aggregate) {
	t.Helper()
	var got query.Aggregation
	done, err := c.x.fromHours(t.Context(), a, &got)
	if err != nil || !done {
		t.Fatalf("%+v: %v %v", a, done, err)
	}
	want, err := c.x.atOnce(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	alike := nearly
	if c.x.kept.few > 0 {
		alike = within
		if wantsQuantile(a.Measure) { // groups that are as good as equal change places
			want.Series, got.Series = nil, nil
		}
	}
	if diff := gocmp.Diff(want, got, alike); diff != "" {
		t.Fatalf("%+v by %v: a scan (-) and kept hours (+) differ:\n%s", a, a.GroupBy, diff)
	}
}

func wantsQuantile(m query.Measure) bool {
	for _, q := range byQuantile {
		if m == q {
			return true
		}
	}
	return false
}

func (c *churn) compareOthers(t *testing.T, a query.Aggregate) {
	t.Helper()
	h := query.HistogramQuery{Query: a.Query, Field: query.FieldNamed("duration"), Buckets: 7, Interval: a.Interval}
	got, err := c.x.histogram(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.x.histogramAtOnce(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if c.x.kept.few > 0 {
		same(t, "histogram", counted(want), counted(got))
	} else {
		same(t, "histogram", want, got, cmpopts.EquateApprox(1e-9, 1e-6))
	}
	for sort, by := range userValue {
		q := query.UserQuery{Query: a.Query, By: sort}
		got, err := c.x.usersFromHours(t.Context(), q, by)
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.x.usersAtOnce(t.Context(), q, by, nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "users by "+sort, want, largest(got, len(got), userPlace.before))
	}
}

// compareLists asks for pages of traces and sessions from the last hours and from all there is.
func (c *churn) compareLists(t *testing.T) {
	t.Helper()
	q, limit := c.selection(), 1+c.IntN(6)
	days, err := c.x.allDays(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var after *place
	for range 3 {
		got, err := c.x.latestTraces(t.Context(), q, days.last, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		want, err := c.x.tracesByDay(t.Context(), q, days, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "traces", want, got, gocmp.AllowUnexported(place{}))
		c.pages++
		after = &got[len(got)-1]
	}
	if c.IntN(2) == 0 {
		q.Filter = query.All(q.Filter, query.Or{query.Is(query.FieldNamed("session"), "s1"), query.Is(query.FieldNamed("status"), "ok")}, query.Is(query.FieldNamed("session"), "s1"))
	}
	got, err := c.x.sessionPlacesOf(t.Context(), q, query.Page{Limit: limit - 1})
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.x.sessionPage(t.Context(), q, query.Page{Limit: limit - 1})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "sessions", want, got, gocmp.AllowUnexported(sessionPlace{}))
	c.pages++
}

// counted is what does not depend on where buckets begin.
func counted(h query.Histogram) query.Histogram {
	h.Edges, h.P50, h.P90, h.P95, h.P99 = nil, 0, 0, 0, 0
	for i := range h.Intervals {
		var n, e int64
		for j := range h.Intervals[i].Counts {
			n, e = n+h.Intervals[i].Counts[j], e+h.Intervals[i].Errors[j]
		}
		h.Intervals[i].Counts, h.Intervals[i].Errors = []int64{n}, []int64{e}
	}
	return h
}

func same(t *testing.T, what string, want, got any, o ...gocmp.Option) {
	t.Helper()
	if diff := gocmp.Diff(want, got, append(o, cmpopts.EquateEmpty(), gocmp.AllowUnexported(userPlace{}))...); diff != "" {
		t.Fatalf("%s: a scan (-) and kept hours (+) differ:\n%s", what, diff)
	}
}

// TestKeptAnswersWhileWriting: what is read beside a writer is not kept beyond it.
func TestKeptAnswersWhileWriting(t *testing.T) {
	c := &churn{Rand: rand.New(rand.NewPCG(1, 4)), x: openIn(t, t.TempDir())}
	defer func() { _ = c.x.Close() }()
	a := query.Aggregate{Query: query.Query{Project: "p", From: storetestNoon}, GroupBy: query.FieldNamed("model"), Interval: time.Hour}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := c.x.Aggregate(t.Context(), a); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 25 {
		c.step(t)
		c.compareAggregate(t, a)
	}
	close(stop)
	readers.Wait()
}

func (c *churn) compareAggregate(t *testing.T, a query.Aggregate) {
	t.Helper()
	var got query.Aggregation
	if done, err := c.x.fromHours(t.Context(), a, &got); err != nil || !done {
		t.Fatal(done, err)
	}
	want, err := c.x.atOnce(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got, nearly); diff != "" {
		t.Fatalf("a scan (-) and kept hours (+) differ:\n%s", diff)
	}
}

// TestHoursAreReadOnce: the second time, only what changed and what the time asked for cuts is read.
func TestHoursAreReadOnce(t *testing.T) {
	c := &churn{Rand: rand.New(rand.NewPCG(1, 5)), x: openIn(t, t.TempDir())}
	defer func() { _ = c.x.Close() }()
	if err := c.apply(t, storetest.RandomSpans("p", 400, 1)); err != nil {
		t.Fatal(err)
	}
	s := shape{Query: query.Query{Project: "p", From: storetestNoon.Add(-time.Hour), To: storetestNoon.Add(100 * time.Hour)}, part: hour, tallies: []tally{{sql: `count(*)`}}}
	if _, err := c.x.cells(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	a, _ := c.x.kept.of(s.key())
	before := map[int64]*block{}
	for h, b := range a.hours {
		before[h] = b
	}
	late := *storetest.RandomSpans("p", 1, 2)[0]
	late.ID, late.Start, late.First = "late", storetestNoon.Add(5*time.Hour), true
	if err := c.apply(t, []*span.Span{&late}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.x.cells(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for h, b := range a.hours {
		if changed := h == hourOf(late.Start.UnixNano()); (before[h] != b) != changed {
			t.Errorf("hour %d was read again: %v, want %v", h, before[h] != b, changed)
		}
	}
}

// TestKeptAnswersAreBounded: what was asked longest ago gives way, and what is too much is not kept.
func TestKeptAnswersAreBounded(t *testing.T) {
	k := &kept{}
	for i := range 5 {
		key := fmt.Sprint(i)
		a, _ := k.of(key)
		k.resize(key, a, mostKept/4, false)
		k.of("0")
	}
	if k.bytes > mostKept || len(k.by) != 4 || k.by["0"] == nil || k.by["1"] != nil {
		t.Errorf("%d bytes of %d answers are kept", k.bytes, len(k.by))
	}
	for i := range 2 * mostShapes {
		a, _ := k.of(fmt.Sprint("small", i))
		k.resize(fmt.Sprint("small", i), a, 1, false)
	}
	if len(k.by) > mostShapes {
		t.Errorf("%d shapes are kept", len(k.by))
	}
}

// TestTooManyGroupsAreNotKept: what would not fit is asked of the engine as a whole.
func TestTooManyGroupsAreNotKept(t *testing.T) {
	x := openIn(t, t.TempDir())
	defer func() { _ = x.Close() }()
	x.kept.room = 100_000
	rows := storetest.RandomSpans("p", 1000, 1)
	for i, s := range rows {
		s.Session = fmt.Sprint("session-", i)
	}
	if err := x.Apply(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	a := query.Aggregate{Query: query.Query{Project: "p"}, GroupBy: query.FieldNamed("session"), Limit: 2, Measure: query.CostUSD, Lean: true}
	for range 2 {
		got, err := x.Aggregate(t.Context(), a)
		if err != nil || got.Totals.Calls != 1000 || len(got.Series) != 3 {
			t.Fatalf("%d calls in %d series (%v)", got.Totals.Calls, len(got.Series), err)
		}
	}
	if x.kept.bytes > x.kept.room {
		t.Errorf("%d bytes are kept", x.kept.bytes)
	}
	var out query.Aggregation
	if done, err := x.fromHours(t.Context(), a, &out); done || err != nil {
		t.Errorf("more than %d bytes are kept (%v)", x.kept.room, err)
	}
	models := query.Aggregate{Query: a.Query, GroupBy: query.FieldNamed("model"), Lean: true}
	if done, err := x.fromHours(t.Context(), models, &out); !done || err != nil {
		t.Errorf("a question of few groups is not kept (%v)", err)
	}
}

// TestCanceledReadingIsNotKept: whoever gives up leaves nothing behind.
func TestCanceledReadingIsNotKept(t *testing.T) {
	c := &churn{Rand: rand.New(rand.NewPCG(1, 6)), x: openIn(t, t.TempDir())}
	defer func() { _ = c.x.Close() }()
	if err := c.apply(t, storetest.RandomSpans("p", 3000, 1)); err != nil {
		t.Fatal(err)
	}
	a := query.Aggregate{Query: query.Query{Project: "p"}, GroupBy: query.FieldNamed("model"), Interval: time.Hour}
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*i)*20*time.Microsecond)
		if _, err := c.x.Aggregate(ctx, a); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a late question ends with %v", err)
		}
		cancel()
		c.compareAggregate(t, query.Aggregate{Query: a.Query, GroupBy: query.FieldNamed("user"), Interval: time.Duration(1+i%3) * time.Hour})
	}
	c.compareAggregate(t, a)
}

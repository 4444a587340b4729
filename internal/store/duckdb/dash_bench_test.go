package duckdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// weekEnd is when the newest of weekSpans start.
var weekEnd = time.Date(2026, 3, 8, 0, 30, 0, 0, time.UTC)

// weekSpans are traces of thirteen spans whose times go over a week, of many users and sessions, all received on its last
// day: what make bench-traces asks its questions about.
func weekSpans(from, n, total int) []*span.Span {
	out := make([]*span.Span, n)
	for i := range out {
		out[i] = weekSpan(from+i, total)
	}
	return out
}

func weekSpan(n, total int) *span.Span {
	const perTrace = 13
	trace, step := n/perTrace, n%perTrace
	per, own := rand.New(rand.NewPCG(uint64(trace), 3)), rand.New(rand.NewPCG(uint64(n), 5))
	begins := weekEnd.Add(-7 * 24 * time.Hour).Add(time.Duration(float64(7*24*time.Hour) * float64(trace*perTrace) / float64(total))).Add(time.Duration(per.Int64N(int64(time.Minute))))
	s := &span.Span{
		Project: "default", Trace: fmt.Sprintf("%016x%016x", per.Uint64(), per.Uint64()), ID: fmt.Sprintf("%016x", own.Uint64()), First: true, Day: span.DayOf(weekEnd),
		Start: begins.Add(time.Duration(step) * 700 * time.Millisecond), Status: span.OK, Source: "otlp", Service: "bench-agent", Scope: "bench.generator", Environment: "bench",
		User: tenant.UserID(fmt.Sprintf("user-%d", per.IntN(2000))), Session: fmt.Sprintf("session-%d", per.IntN(100_000)), Name: "retrieve documents", Kind: span.Retriever,
	}
	s.End = s.Start.Add(time.Duration(100+own.ExpFloat64()*900) * time.Millisecond)
	s.Attributes = fmt.Appendf(nil, `{"app.tenant":"tenant-%d","app.region":"eu-central","app.shard":%d}`, own.IntN(50), own.IntN(16))
	s.Resource = []byte(`{"telemetry.sdk.language":"go","deployment.environment.name":"bench"}`)
	if own.IntN(60) == 0 {
		s.Status, s.ErrorText = span.Error, "upstream said 529: overloaded"
	}
	switch {
	case step == 0:
		s.Name, s.Kind, s.End = "invoke_agent planner", span.Agent, s.Start.Add(perTrace*700*time.Millisecond)
		return s
	case step%3 == 1:
		m := []string{"gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "claude-haiku-4", "gemini-2.5-pro"}[own.IntN(5)]
		s.Name, s.Kind, s.Group, s.Model, s.Provider = "chat "+m, span.Generation, m, m, "openai"
		s.Usage = llm.Usage{Input: 200 + own.Int64N(4000), Output: 20 + own.Int64N(700)}
		s.Cost.Total, s.FirstToken = money.Nano(own.Int64N(90_000_000)), time.Duration(80+own.IntN(900))*time.Millisecond
	case step%3 == 2:
		s.Name, s.Kind = "execute_tool search", span.Tool
	}
	s.Parent = fmt.Sprintf("%016x", rand.New(rand.NewPCG(uint64(trace*perTrace), 5)).Uint64())
	return s
}

// openWeek opens an index of weekSpans. It is kept in WEIR_BENCH_DIR, if that is set, for the next run.
func openWeek(b *testing.B, total int) *Index {
	b.Helper()
	dir := os.Getenv("WEIR_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, fmt.Sprintf("week-%d.duckdb", total))
	x, err := Open(b.Context(), path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, ok, err := x.Position(b.Context()); err != nil || ok {
		return x
	}
	const batch = 20_000
	for i := 0; i < total; i += batch {
		if err := x.Load(b.Context(), weekSpans(i, batch, total)); err != nil {
			b.Fatal(err)
		}
	}
	if err := x.Apply(b.Context(), nil, uint64(total)); err != nil {
		b.Fatal(err)
	}
	if _, err := x.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	return x
}

// weekQuestions are those of the pages of the interface, and of make bench-traces.
func weekQuestions() map[string]func(context.Context, *Index) error {
	week := query.Query{Project: "default", From: weekEnd.Add(-7*24*time.Hour + 90*time.Second), To: weekEnd.Add(30 * time.Second)}
	calls := week
	calls.Filter = query.CallsOnly(nil)
	sums := func(a query.Aggregate) func(context.Context, *Index) error {
		if a.Query.Project == "" {
			a.Query = calls
		}
		return func(ctx context.Context, x *Index) error {
			_, err := x.Aggregate(ctx, a)
			return err
		}
	}
	home := []query.Measure{query.Calls, query.Errors, query.CostUSD, query.Tokens, query.P50, query.P95, query.FirstP50, query.FirstP95}
	model, user := query.FieldNamed("model"), query.FieldNamed("user")
	users := func(sort string) func(context.Context, *Index) error {
		return func(ctx context.Context, x *Index) error {
			_, _, err := x.Users(ctx, query.UserQuery{Query: week, By: sort, Limit: 100})
			return err
		}
	}
	spread := func(q query.Query, field string, buckets int, interval time.Duration) func(context.Context, *Index) error {
		return func(ctx context.Context, x *Index) error {
			_, err := x.Histogram(ctx, query.HistogramQuery{Query: q, Field: query.FieldNamed(field), Buckets: buckets, Interval: interval})
			return err
		}
	}
	eight := &query.Compare{Field: query.FieldNamed("session"), Op: query.In}
	for i := range 8 {
		eight.Values = append(eight.Values, query.Value{Text: fmt.Sprintf("session-%d", i)})
	}
	return map[string]func(context.Context, *Index) error{
		"calls_cost_tokens_by_model": sums(query.Aggregate{GroupBy: model, Interval: time.Hour, Only: []query.Measure{query.Calls, query.CostUSD, query.Tokens}}),
		"p50_p95_by_model":           sums(query.Aggregate{GroupBy: model, Interval: time.Hour, Measure: query.P50, Only: []query.Measure{query.P50, query.P95}}),
		"p50_p95_by_model_by_calls":  sums(query.Aggregate{GroupBy: model, Interval: time.Hour, Only: []query.Measure{query.P50, query.P95}}),
		"errors_by_status":           sums(query.Aggregate{GroupBy: query.FieldNamed("status"), Interval: time.Hour, Measure: query.Errors, Only: []query.Measure{query.Errors, query.Calls}}),
		"top_users":                  sums(query.Aggregate{GroupBy: user, Measure: query.CostUSD, Only: []query.Measure{query.CostUSD}}),
		"costly_sessions":            sums(query.Aggregate{GroupBy: query.FieldNamed("session"), Measure: query.CostUSD, Only: []query.Measure{query.CostUSD}}),
		"home":                       sums(query.Aggregate{GroupBy: model, Interval: 6 * time.Hour, Limit: 8, Only: nil}),
		"home_only":                  sums(query.Aggregate{GroupBy: model, Interval: 6 * time.Hour, Limit: 8, Only: home}),
		"home_by_user":               sums(query.Aggregate{GroupBy: user, Interval: 6 * time.Hour, Limit: 8}),
		"failing_models":             sums(query.Aggregate{GroupBy: model, Limit: 50}),
		"home_filtered":              sums(query.Aggregate{Query: query.Query{Project: "default", From: week.From, To: week.To, Filter: query.CallsOnly(query.Is(query.FieldNamed("environment"), "bench"))}, GroupBy: model, Interval: 6 * time.Hour}),
		"activity":                   sums(query.Aggregate{Query: query.Query{Project: "default", From: week.To.AddDate(0, 0, -371), Filter: calls.Filter}, Interval: 24 * time.Hour, Lean: true}),
		"histogram":                  spread(calls, "duration", 36, 0),
		"heatmap":                    spread(calls, "duration", 18, 6*time.Hour),
		"users":                      users("cost"),
		"users_last_seen":            users("last_seen"),
		"facet_user": func(ctx context.Context, x *Index) error {
			_, err := x.Facets(ctx, query.FacetQuery{Query: week, Field: user})
			return err
		},
		"errors": func(ctx context.Context, x *Index) error {
			_, err := x.ErrorGroups(ctx, query.ErrorQuery{Query: week, Spark: 24, Limit: 100})
			return err
		},
		"sessions": func(ctx context.Context, x *Index) error {
			_, _, err := x.Sessions(ctx, query.Query{Project: "default"}, query.Page{})
			return err
		},
		"sessions_week": func(ctx context.Context, x *Index) error {
			_, _, err := x.Sessions(ctx, week, query.Page{})
			return err
		},
		"sessions_named": func(ctx context.Context, x *Index) error {
			_, _, err := x.Sessions(ctx, query.Query{Project: "default", From: week.From, To: week.To, Filter: eight}, query.Page{Limit: 8})
			return err
		},
		"traces": func(ctx context.Context, x *Index) error {
			_, _, err := x.Traces(ctx, query.Query{Project: "default"}, query.Page{})
			return err
		},
		"traces_week": func(ctx context.Context, x *Index) error { _, _, err := x.Traces(ctx, week, query.Page{}); return err },
		"traces_failed": func(ctx context.Context, x *Index) error {
			_, _, err := x.Traces(ctx, query.Query{Project: "default", Filter: query.Is(query.FieldNamed("status"), "error")}, query.Page{})
			return err
		},
		"spans": func(ctx context.Context, x *Index) error {
			_, _, err := x.Search(ctx, query.Query{Project: "default"}, query.Page{})
			return err
		},
	}
}

// BenchmarkWeek asks each question of an index as it was opened, and then again and again.
func BenchmarkWeek(b *testing.B) {
	total := benchSize()
	for name, ask := range weekQuestions() {
		b.Run(name, func(b *testing.B) {
			x := openWeek(b, total)
			defer func() { _ = x.Close() }()
			began, cpu := time.Now(), cpuTime(b)
			if err := ask(b.Context(), x); err != nil {
				b.Fatal(err)
			}
			first, firstCPU := time.Since(began), cpuTime(b)-cpu
			cpu = cpuTime(b)
			for b.Loop() {
				if err := ask(b.Context(), x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(x.kept.bytes)/(1<<20), "kept-MiB")
			b.ReportMetric(float64(first.Microseconds())/1e3, "first-ms")
			b.ReportMetric(float64(firstCPU.Microseconds())/1e3, "first-cpu-ms")
			b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
		})
	}
}

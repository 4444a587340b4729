package duckdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// benchStep is the time between spans: a million in 30 days, ten million in as many.
var benchStep = 30 * 24 * time.Hour / time.Duration(benchSize())

// benchSize is a million, unless WEIR_BENCH_SPANS says otherwise.
func benchSize() (n int) {
	if _, err := fmt.Sscan(os.Getenv("WEIR_BENCH_SPANS"), &n); err != nil {
		n = 1_000_000
	}
	return n
}

// benchSpans are spans in time order over a month, as the store hands them over: traces of agents with a dozen steps,
// and calls of coding agents through the gateway.
func benchSpans(from, n int) []*span.Span {
	out := make([]*span.Span, n)
	for i := 0; i < n; i++ {
		out[i] = benchSpan(from + i)
	}
	return out
}

var benchKinds = []span.Kind{span.Agent, span.Chain, span.Generation, span.Tool, span.Generation, span.Retriever, span.Generation, span.Tool, span.Generation, span.Chain, span.Embedding, span.Generation}

func benchSpan(n int) *span.Span {
	trace, step := n/12, n%12
	per, own := rand.New(rand.NewPCG(uint64(trace), 3)), rand.New(rand.NewPCG(uint64(n), 5))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * benchStep).Add(time.Duration(own.IntN(1000)))
	s := &span.Span{
		Project: "p", Trace: fmt.Sprintf("%016x%016x", per.Uint64(), per.Uint64()), ID: fmt.Sprintf("%016x", own.Uint64()), First: true, Day: span.DayOf(start), Start: start,
		End: start.Add(time.Duration(own.ExpFloat64() * 3e9)), Status: span.OK, Experiment: "0", Kind: span.Generation, HTTP: 200,
	}
	if own.IntN(40) == 0 {
		s.Status, s.ErrorType, s.ErrorText, s.HTTP = span.Error, []string{"rate_limit_error", "overloaded_error", "timeout"}[own.IntN(3)], fmt.Sprintf("limit of %d reached", own.IntN(1000)), 429
	}
	user := fmt.Sprintf("user-%d", per.IntN(200))
	s.User, s.Session = tenant.UserID(user), fmt.Sprintf("session-%d", trace/4)
	if trace%5 < 2 { // the gateway's
		s.Trace = fmt.Sprintf("%016x%016x", own.Uint64(), own.Uint64())
		s.Email, s.Key, s.KeyAlias, s.Team, s.Client = user+"@example.com", tenant.HashKey("sk-"+user), user, "team-"+tenant.TeamID(user[5:6]), "Cline"
		s.Operation, s.Dialect, s.Finish, s.Tries, s.Stream, s.Name = "chat", "openai_chat", "stop", make([]span.Try, 1), true, "chat"
		s.Tags = []string{"prod"}
	} else {
		s.Source, s.Service, s.Scope, s.Environment, s.Release, s.TraceName = "otlp", fmt.Sprint("service-", per.IntN(5)), "openinference.instrumentation.openai", "production", "1.4.2", "answer a question"
		s.Kind, s.Name = benchKinds[step], fmt.Sprint(benchKinds[step], "-", own.IntN(8))
		if step > 0 {
			s.Parent = fmt.Sprintf("%016x", rand.New(rand.NewPCG(uint64(n-1-own.IntN(step)), 5)).Uint64())
		}
		s.Attributes = fmt.Appendf(nil, `{"http.route":"/v1/items","graph.node":"node-%d","retry.count":%d,"langgraph.step":%d,"thread.id":%d,"llm.temperature":0.%d,"checkpoint":"%08x"}`,
			step, own.IntN(3), step, per.IntN(64), own.IntN(10), per.Uint32())
		s.Resource = fmt.Appendf(nil, `{"service.name":%q,"telemetry.sdk.language":"python","telemetry.sdk.name":"opentelemetry","telemetry.sdk.version":"1.37.0","host.name":"host-%d","process.pid":%d}`, s.Service, per.IntN(3), 1000+per.IntN(6))
		s.Metadata = fmt.Appendf(nil, `{"tenant":"t%d","plan":"pro","run":{"name":"%s"}}`, per.IntN(50), []string{"alpha", "beta", "gamma"}[per.IntN(3)])
		if step == 0 && per.IntN(4) == 0 {
			s.Scores = []span.Mark{{Name: "quality", Value: 0.5, Text: fmt.Sprintf("%.1f", per.Float64())}, {Name: "helpful", Value: 1, Text: "true"}}
		}
	}
	if s.Kind == span.Generation || s.Kind == span.Embedding {
		m := own.IntN(4)
		s.Group = []string{"gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "claude-haiku-4"}[m]
		s.Model, s.Provider, s.Deployment = s.Group+"-2026-02-01", []string{"openai", "anthropic"}[m/2], s.Group+"#0"
		s.Usage = llm.Usage{Input: own.Int64N(4000), CacheRead: own.Int64N(60_000), Output: own.Int64N(2000)}
		s.Cost.Total = money.Nano(own.Int64N(90_000_000))
		s.FirstToken = time.Duration(100+own.IntN(900)) * time.Millisecond
	}
	return s
}

// load fills an index.
func load(b *testing.B, x *Index) {
	b.Helper()
	n := benchSize()
	const batch = 20_000
	var took time.Duration
	for i := 0; i < n; i += batch {
		rows := benchSpans(i, batch)
		start := time.Now()
		if err := x.Load(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		took += time.Since(start)
	}
	if err := x.Apply(b.Context(), nil, uint64(n)); err != nil {
		b.Fatal(err)
	}
	b.Logf("load: %.0f rows/s", float64(n)/took.Seconds())
}

func BenchmarkIndex(b *testing.B) {
	dir := b.TempDir()
	x := openIn(b, dir)
	load(b, x)
	start := time.Now()
	if _, err := x.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(dir + "/index.duckdb")
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("checkpoint %v, file %.1f MB, %.1f bytes a span", time.Since(start), float64(info.Size())/1e6, float64(info.Size())/float64(benchSize()))
	logColumns(b, x)
	end := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	week := query.Query{Project: "p", From: end.Add(-7 * 24 * time.Hour), To: end}
	filtered := func(s string) query.Query {
		e, err := query.Parse(s)
		if err != nil {
			b.Fatal(err)
		}
		return query.Query{Project: "p", Filter: e}
	}
	list := func(q query.Query, p query.Page) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if _, _, err := x.Search(b.Context(), q, p); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("list", list(query.Query{Project: "p"}, query.Page{}))
	b.Run("list_filtered", list(filtered(`status = error and user = user-1 and model like "claude%" and duration > 1s`), query.Page{}))
	b.Run("list_metadata", list(filtered(`metadata.tenant = t7`), query.Page{}))
	b.Run("list_three_filters", list(filtered(`model = gpt-4o status = ok service = service-1`), query.Page{}))
	b.Run("list_metadata_rare", list(filtered(`metadata.tenant = t7 metadata.run.name = alpha cost > 0.0899`), query.Page{}))
	b.Run("list_metadata_none", list(filtered(`metadata.tenant = nobody`), query.Page{}))
	b.Run("list_attribute", list(filtered("attributes.thread.id = 5"), query.Page{}))
	b.Run("list_attribute_none", list(filtered("attributes.checkpoint = zz"), query.Page{}))
	b.Run("list_contains", list(filtered(`name contains "RETRIEVER-1" error_type ~ "limit"`), query.Page{}))
	traces := func(q query.Query, p query.Page) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if _, _, err := x.Traces(b.Context(), q, p); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	weekOf := func(s string) query.Query {
		q := filtered(s)
		q.From, q.To = week.From, week.To
		return q
	}
	b.Run("traces", traces(query.Query{Project: "p"}, query.Page{}))
	b.Run("traces_filtered", traces(filtered(`status = error service = service-1 user = user-7`), query.Page{}))
	b.Run("traces_week_by_cost", traces(week, query.Page{Sort: query.Sort{Field: query.FieldNamed("cost")}}))
	b.Run("errors_week", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.ErrorGroups(b.Context(), query.ErrorQuery{Query: week, Spark: 24}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("users_week", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := x.Users(b.Context(), query.UserQuery{Query: week}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("histogram_week", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Histogram(b.Context(), query.HistogramQuery{Query: week, Field: query.FieldNamed("duration"), Buckets: 40}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("facets_week", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Facets(b.Context(), query.FacetQuery{Query: week, Field: query.FieldNamed("user")}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("facets_metadata_week", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Facets(b.Context(), query.FacetQuery{Query: week, Field: query.FieldNamed("metadata"), Path: "tenant"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sessions_week", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := x.Sessions(b.Context(), weekOf("user = user-1"), query.Page{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("aggregate_week_total", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Aggregate(b.Context(), query.Aggregate{Query: week}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("aggregate_week_calls_lean", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Aggregate(b.Context(), query.Aggregate{Query: query.Query{Project: "p", From: week.From, To: week.To, Filter: query.CallsOnly(nil)}, GroupBy: query.FieldNamed("model"), Interval: time.Hour, Lean: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list_rare", list(filtered(`cost > 0.0999999`), query.Page{}))
	b.Run("list_word", list(filtered(`haiku`), query.Page{}))
	b.Run("list_by_cost", list(query.Query{Project: "p"}, query.Page{Sort: query.Sort{Field: query.FieldNamed("cost")}}))
	b.Run("list_session", list(filtered(`session = session-777`), query.Page{Sort: query.Sort{Asc: true}, Limit: 500}))
	b.Run("aggregate_week_hours_by_model", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Aggregate(b.Context(), query.Aggregate{Query: week, GroupBy: query.FieldNamed("model"), Interval: time.Hour}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sessions", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := x.Sessions(b.Context(), query.Query{Project: "p"}, query.Page{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sessions_filtered", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := x.Sessions(b.Context(), filtered("user = user-1"), query.Page{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, n := range []int{10, 1000, 5000} {
		b.Run(fmt.Sprint("apply_", n), func(b *testing.B) {
			at := 1_000_000 + rand.IntN(1000)
			for b.Loop() {
				b.StopTimer()
				rows := benchSpans(at, n)
				at += n
				b.StartTimer()
				if err := x.Apply(b.Context(), rows, uint64(at)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			x := openIn(b, dir)
			if status, err := os.ReadFile("/proc/self/status"); err == nil && b.N == 1 {
				b.Logf("%s", status)
			}
			if err := x.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// logColumns tells what each column takes, in whole blocks.
func logColumns(b *testing.B, x *Index) {
	r, err := x.db.QueryContext(b.Context(), `SELECT column_name, string_agg(DISTINCT compression), count(DISTINCT block_id) FROM pragma_storage_info('spans')
		WHERE persistent AND segment_type <> 'VALIDITY' GROUP BY column_name ORDER BY 3 DESC`)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for r.Next() {
		var name, how string
		var blocks int
		if err := r.Scan(&name, &how, &blocks); err != nil {
			b.Fatal(err)
		}
		b.Logf("%-16s %5d blocks %6.1f B/span  %s", name, blocks, float64(blocks)*262144/float64(benchSize()), how)
	}
}

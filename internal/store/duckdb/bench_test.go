package duckdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"weir/internal/id"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/storetest"
)

// benchSpans are spans in time order over a month, as the store hands them over.
func benchSpans(from, n int) []*span.Span {
	spans := storetest.RandomSpans("p", n, uint64(from))
	for i, s := range spans {
		s.Trace, s.ID = id.Trace(), id.Span()
		took := s.Duration()
		s.Start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(from+i) * 2592 * time.Millisecond) // a million in 30 days
		s.End, s.Day = s.Start.Add(took), span.DayOf(s.Start)
		s.Session = fmt.Sprint("s", (from+i)/40)
	}
	return spans
}

// fill loads a million spans, unless WEIR_BENCH_SPANS says otherwise.
func fill(b *testing.B, x *Index) {
	b.Helper()
	n := 1_000_000
	if s := os.Getenv("WEIR_BENCH_SPANS"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			b.Fatal(err)
		}
	}
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
	fill(b, x)
	start := time.Now()
	if _, err := x.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(dir + "/index.duckdb")
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("checkpoint %v, file %.1f MB", time.Since(start), float64(info.Size())/1e6)
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
	b.Run("list_filtered", list(filtered(`status = error and user = u1 and model like "claude%" and duration > 1s`), query.Page{}))
	b.Run("list_metadata", list(filtered(`metadata.run.name = alpha tag = prod`), query.Page{}))
	b.Run("list_rare", list(filtered(`cost > 0.0999999`), query.Page{}))
	b.Run("list_word", list(filtered(`haiku`), query.Page{}))
	b.Run("list_by_cost", list(query.Query{Project: "p"}, query.Page{Sort: query.Sort{Field: query.FieldNamed("cost")}}))
	b.Run("list_session", list(filtered(`session = s777`), query.Page{Sort: query.Sort{Asc: true}, Limit: 500}))
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
			if _, _, err := x.Sessions(b.Context(), filtered("user = u1"), query.Page{}); err != nil {
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

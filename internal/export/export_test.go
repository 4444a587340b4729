package export

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

var start = time.Date(2026, 3, 1, 12, 30, 0, 123_456_789, time.UTC)

func sample(n int) *span.Span {
	at := start.Add(time.Duration(n) * time.Minute)
	return &span.Span{
		Project: "p", Trace: fmt.Sprintf("%032x", n), ID: fmt.Sprintf("%016x", n), Day: span.DayOf(at), Kind: span.Generation, Name: "chat \xff",
		Start: at, End: at.Add(1500 * time.Millisecond), FirstToken: 250 * time.Millisecond, Status: span.OK, HTTP: 200, Group: "claude", Usage: llm.Usage{Input: 10, CacheWrite: 1, CacheWrite1h: 2},
		Cost: span.Cost{Total: money.FromUSD(0.25)}, Tags: []string{"a", "b"}, Metadata: []byte(`{"team":{"name":"red"}}`), Attributes: []byte(`{"k":[1,2]}`),
		Events: []span.Moment{{Name: "e", Time: at}}, Scores: []span.Mark{{Name: "quality", Value: 0.5, Text: "0.5"}},
	}
}

// ask runs a query of DuckDB on a file, as its readers would.
func ask(t *testing.T, text string, args ...any) string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out string
	if err := db.QueryRowContext(t.Context(), text, args...).Scan(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func TestParquetReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := NewParquet(f)
	bare := &span.Span{Trace: "t", ID: "i", Start: start, End: start}
	for _, it := range []Item{{Span: sample(0), Input: []byte(`{"messages":[]}`), Output: []byte(`"hi"`)}, {Span: bare}} {
		if err := w.Write(it); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]string{
		`count(*)`: "2", `count(input)`: "1", `count(output)`: "1", `max(input::varchar)`: `{"messages":[]}`, `count(http_status)`: "1", `count(first_token_ms)`: "1",
		`sum(cost_usd)`: "0.25", `sum(cost_nano_usd)`: "250000000", `max(duration_ms)`: "1500.0", `max(len(tags))`: "2", `max(tags[2])`: "b",
		`max(json_extract_string(metadata, '$.team.name'))`: "red", `max(attributes->>'$.k[1]')`: "2", `max(epoch_us(start_time))`: fmt.Sprint(start.UnixMicro()),
		`max(name)`: "chat \uFFFD", `max(cache_write_tokens)`: "3", `max(events->>'$[0].name')`: "e", `max(scores->>'$[0].text')`: "0.5", `any_value(typeof(start_time))`: "TIMESTAMP WITH TIME ZONE",
	} {
		if got := ask(t, `SELECT (`+expr+`)::VARCHAR FROM read_parquet(?)`, path); got != want {
			t.Errorf("%s is %q, want %q", expr, got, want)
		}
	}
}

// Whatever spans there are, a group of rows holds no more than its bound, and so does the memory.
func TestParquetGroupsAreBounded(t *testing.T) {
	var out bytes.Buffer
	w := NewParquet(&out)
	body := []byte(`"` + strings.Repeat("word ", 200_000) + `"`)
	for i := range 120 {
		if err := w.Write(Item{Span: sample(i), Input: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RowGroups()); n < 3 {
		t.Errorf("120 MB in %d groups", n)
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	w := NewParquet(&discard{})
	var first, last uint64
	for i := range 110_000 {
		if err := w.Write(Item{Span: sample(i)}); err != nil {
			t.Fatal(err)
		}
		if i == 55_000 || i == 109_999 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			first, last = last, m.HeapAlloc
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if last > first+150<<20 {
		t.Errorf("the heap grew from %d to %d MB", first>>20, last>>20)
	}
}

type discard struct{ n int64 }

func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	w := NewCSV(&out)
	s := sample(0)
	s.ErrorText, s.EndUser = "=cmd|' /C calc'!A0", "line\nbreak, \"quoted\""
	if err := w.Write(Item{Span: s}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(lines) != 2 {
		t.Fatalf("%v %v", lines, err)
	}
	got := map[string]string{}
	for i, name := range lines[0] {
		got[name] = lines[1][i]
	}
	for name, want := range map[string]string{
		"error_text": "'=cmd|' /C calc'!A0", "end_user": "line\nbreak, \"quoted\"", "cost_usd": "0.25", "start_time": "2026-03-01T12:30:00.123Z", "tags": "a,b", "first_token_ms": "250",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if harmless("-1.5e3") != "-1.5e3" || harmless("@x") != "'@x" || harmless("-2+3") != "'-2+3" {
		t.Error("numbers are set off, or formulas are not")
	}
}

// shelf is a Source over spans in memory, with pages as small as it likes.
type shelf struct {
	spans   []*span.Span
	page    int
	partial bool
	asked   atomic.Int32
}

func (s *shelf) List(_ context.Context, q query.Query, p query.Page) (out query.Spans, err error) {
	s.asked.Add(1)
	limit, from := min(p.Size(), s.page), 0
	if p.Cursor != "" {
		if _, err := fmt.Sscan(p.Cursor, &from); err != nil {
			return out, err
		}
	}
	var found []*span.Span
	for _, x := range s.spans {
		if x.Project == q.Project && !x.Start.Before(q.From) && (q.To.IsZero() || x.Start.Before(q.To)) && query.Match(q.Filter, x) {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b *span.Span) int { return a.Start.Compare(b.Start) })
	found = found[from:]
	if len(found) > limit {
		found, out.Cursor = found[:limit], fmt.Sprint(from+limit)
	}
	out.Items, out.Partial = found, s.partial
	return out, nil
}

func (s *shelf) Aggregate(_ context.Context, a query.Aggregate) (out query.Aggregation, partial bool, err error) {
	at := map[time.Time]*query.Figures{}
	var series query.Series
	for _, x := range s.spans {
		if x.Project != a.Project || !x.Start.Before(a.To) || !query.Match(a.Filter, x) {
			continue
		}
		hour := query.Bucket(x.Start, a.Interval)
		if at[hour] == nil {
			at[hour] = &query.Figures{}
		}
		at[hour].Calls++
		at[hour].Cost += x.Cost.Total
	}
	for t, f := range at {
		series.Points = append(series.Points, query.Point{Time: t, Figures: *f})
	}
	slices.SortFunc(series.Points, func(a, b query.Point) int { return a.Time.Compare(b.Time) })
	out.Series = []query.Series{series}
	return out, s.partial, nil
}

func TestWalkMeetsEachSpanOnce(t *testing.T) {
	for name, at := range map[string]func(n int) time.Time{
		"dense":  func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) },
		"sparse": func(n int) time.Time { return start.Add(time.Duration(n*n) * time.Hour) },
		"equal":  func(int) time.Time { return start },
		"ages":   func(n int) time.Time { return time.Date(1700+n, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{page: 7}
			for i := range 500 {
				x := sample(i)
				x.Start = at(i)
				s.spans = append(s.spans, x)
			}
			seen := map[string]int{}
			last := time.Time{}
			partial, err := Walk(t.Context(), s, query.Query{Project: "p"}, func(x *span.Span) error {
				seen[x.ID]++
				if x.Start.Before(last) {
					t.Errorf("%s comes after %s", x.Start, last)
				}
				last = x.Start
				return nil
			})
			if err != nil || partial || len(seen) != 500 {
				t.Fatalf("%d spans, partial %v, %v", len(seen), partial, err)
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s %d times", id, n)
				}
			}
			if s.asked.Load() > 2000 {
				t.Errorf("%d pages", s.asked.Load())
			}
		})
	}
}

func TestWalkKeepsToTheSelection(t *testing.T) {
	s := &shelf{page: 100, partial: true}
	for i := range 100 {
		s.spans = append(s.spans, sample(i))
	}
	var got []string
	partial, err := Walk(t.Context(), s, query.Query{Project: "p", From: start.Add(10 * time.Minute), To: start.Add(13 * time.Minute)}, func(x *span.Span) error {
		got = append(got, x.ID[14:])
		return nil
	})
	if d := cmp.Diff([]string{"0a", "0b", "0c"}, got); d != "" || err != nil || !partial {
		t.Errorf("%s, partial %v, %v", d, partial, err)
	}
	stop := fault.New(fault.Canceled, "enough")
	if _, err := Walk(t.Context(), s, query.Query{Project: "p"}, func(*span.Span) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}

type bodies map[span.Hash]string

func (b bodies) Body(_ context.Context, _ *span.Span, r span.Ref) ([]byte, error) {
	if s, ok := b[r.Skeleton]; ok {
		return []byte(s), nil
	}
	if r.Skeleton == (span.Hash{9}) {
		return nil, fault.New(fault.Internal, "broken disk")
	}
	return nil, fault.New(fault.NotFound, "gone")
}

func TestLoad(t *testing.T) {
	b := bodies{span.Hash{1}: `{"a":1}`}
	s := sample(0)
	s.Input, s.Output = span.Ref{Form: span.FormRaw, Skeleton: span.Hash{1}}, span.Ref{Form: span.FormRaw, Skeleton: span.Hash{2}}
	it, err := Load(t.Context(), b, s)
	if err != nil || string(it.Input) != `{"a":1}` || it.Output != nil {
		t.Errorf("%s %s %v", it.Input, it.Output, err)
	}
	s.Input.Skeleton = span.Hash{9}
	if _, err := Load(t.Context(), b, s); !fault.Is(err, fault.Internal) {
		t.Errorf("a body that cannot be read is left out: %v", err)
	}
}

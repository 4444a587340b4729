package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"weir/internal/query"
)

// Traces writes a row per trace as Parquet or CSV; any other format writes nothing.
type Traces struct {
	parquet *parquet.GenericWriter[traceRow]
	csv     *csv.Writer
	one     [1]traceRow
	rows    int
}

// NewTraces begins a file.
func NewTraces(w io.Writer, format string) *Traces {
	t := &Traces{}
	switch format {
	case "parquet":
		t.parquet = parquet.NewGenericWriter[traceRow](w, parquet.CreatedBy("weir", "", ""), parquet.PageBufferSize(256<<10))
	case "csv":
		t.csv = csv.NewWriter(w)
		_ = t.csv.Write([]string{ // kept by the writer, and returned by Close
			"trace_id", "name", "start_time", "end_time", "duration_ms", "spans", "calls", "errors", "input_tokens", "cache_read_tokens",
			"cache_write_tokens", "output_tokens", "cost_usd", "models", "services", "session_id", "user_id",
		})
	}
	return t
}

type traceRow struct {
	Trace            string    `parquet:"trace_id,zstd"`
	Name             string    `parquet:"name,dict,zstd"`
	Start            time.Time `parquet:"start_time,timestamp(microsecond),zstd"`
	End              time.Time `parquet:"end_time,timestamp(microsecond),zstd"`
	DurationMS       float64   `parquet:"duration_ms,zstd"`
	Spans            int64     `parquet:"spans,zstd"`
	Calls            int64     `parquet:"calls,zstd"`
	Errors           int64     `parquet:"errors,zstd"`
	InputTokens      int64     `parquet:"input_tokens,zstd"`
	CacheReadTokens  int64     `parquet:"cache_read_tokens,zstd"`
	CacheWriteTokens int64     `parquet:"cache_write_tokens,zstd"`
	OutputTokens     int64     `parquet:"output_tokens,zstd"`
	CostUSD          float64   `parquet:"cost_usd,zstd"`
	Models           []string  `parquet:"models,list,zstd"`
	Services         []string  `parquet:"services,list,zstd"`
	Session          string    `parquet:"session_id,dict,zstd"`
	User             string    `parquet:"user_id,dict,zstd"`
}

func traceRowOf(t query.TraceRow) traceRow {
	r := traceRow{
		Trace: text(t.Root.Trace), Start: t.Start, End: t.End, DurationMS: millis(t.End.Sub(t.Start)), Spans: t.Spans, Calls: t.Calls, Errors: t.Errors,
		InputTokens: t.Usage.Input, CacheReadTokens: t.Usage.CacheRead, CacheWriteTokens: t.Usage.CacheWrite + t.Usage.CacheWrite1h,
		OutputTokens: t.Usage.Output, CostUSD: t.Cost.USD(), Models: texts(t.Models), Services: texts(t.Services), Session: text(t.Session), User: text(string(t.User)),
	}
	if s := t.RootSpan; s != nil {
		if r.Name = text(s.TraceName); r.Name == "" {
			r.Name = text(s.Name)
		}
	}
	return r
}

func texts(v []string) []string {
	out := make([]string, len(v))
	for i, s := range v {
		out[i] = text(s)
	}
	return out
}

// Write adds a trace.
func (t *Traces) Write(row query.TraceRow) error {
	r := traceRowOf(row)
	if t.csv != nil {
		return t.csv.Write(r.line())
	}
	if t.parquet == nil {
		return nil
	}
	t.one[0] = r
	if _, err := t.parquet.Write(t.one[:]); err != nil {
		return err
	}
	if t.rows++; t.rows%groupRows != 0 {
		return nil
	}
	return t.parquet.Flush()
}

func (r *traceRow) line() []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{
		r.Trace, harmless(r.Name), r.Start.UTC().Format(timeLayout), r.End.UTC().Format(timeLayout), float(r.DurationMS), n(r.Spans), n(r.Calls), n(r.Errors),
		n(r.InputTokens), n(r.CacheReadTokens), n(r.CacheWriteTokens), n(r.OutputTokens), float(r.CostUSD), harmless(strings.Join(r.Models, ",")),
		harmless(strings.Join(r.Services, ",")), harmless(r.Session), harmless(r.User),
	}
}

// Close ends the file.
func (t *Traces) Close() error {
	switch {
	case t.csv != nil:
		t.csv.Flush()
		return t.csv.Error()
	case t.parquet != nil:
		return t.parquet.Close()
	}
	return nil
}

package duckdb

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkApply takes spans as they pour in, and tells what a row costs in processor time, of which saving is a part, and
// in the file.
func BenchmarkApply(b *testing.B) {
	const batch, total = 3000, 240_000
	rows := weekSpans(0, total, total)
	for b.Loop() {
		dir := b.TempDir()
		x := openIn(b, dir)
		var applied, saved time.Duration
		for i := 0; i < total; i += batch {
			start := cpuTime(b)
			if err := x.Apply(b.Context(), rows[i:i+batch], uint64(i+batch)); err != nil {
				b.Fatal(err)
			}
			took := cpuTime(b) - start
			if applied += took; x.unsaved == 0 {
				saved += took
			}
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "index.duckdb"))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(applied.Microseconds())/total, "us/row")
		b.ReportMetric(float64(saved.Microseconds())/total, "us/row-saving")
		b.ReportMetric(float64(info.Size())/total, "B/row")
	}
}

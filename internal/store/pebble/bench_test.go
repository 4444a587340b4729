//go:build unix

package pebble

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/internal/span"
)

const benchBatch = 100

// BenchmarkAppend is what a batch of 100 spans costs the store when it is synced, with all flushes and compactions it
// leads to; a thousand are a fair measure.
func BenchmarkAppend(b *testing.B) {
	s := openIn(b, b.TempDir(), Options{})
	in := newStream(1)
	batches := make([][]*span.Batch, b.N)
	for i := range batches {
		for range benchBatch {
			batches[i] = append(batches[i], in.next())
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for i := range batches {
		if err := s.Append(b.Context(), true, batches[i]...); err != nil {
			b.Fatal(err)
		}
		batches[i] = nil
		if i%100 == 0 {
			if err := s.Trim(b.Context(), s.Committed()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/benchBatch/1e3, "cpu-µs/span")
}

// cpuTime is what the process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

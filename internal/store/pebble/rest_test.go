package pebble

import (
	"context"
	"slices"
	"testing"

	"weir/internal/span"
)

func TestRest(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	in, r := newStream(1), resting{}
	fill := func() {
		batches := make([]*span.Batch, 3000)
		for i := range batches {
			batches[i] = in.next()
		}
		if err := s.Append(t.Context(), true, batches...); err != nil {
			t.Fatal(err)
		}
	}
	loose := func() int64 { return s.db.Metrics().Levels[0].TablesSize }
	fill()
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if loose() < restBytes {
		t.Fatalf("only %d bytes are not merged", loose())
	}
	fill()
	s.restOnce(t.Context(), &r)
	if r.flushed != 0 {
		t.Fatal("written out while commits go on")
	}
	s.restOnce(t.Context(), &r) // a pause
	if n := loose(); n != 0 || r.flushed == 0 {
		t.Errorf("%d bytes are not merged at rest", n)
	}
	fill()
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.merge(gone, &r) // returns at once: Close waits for it
}

// TestRestQueue: what is trimmed off the queue leaves the disk though it was merged before.
func TestRestQueue(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	in, r := newStream(1), resting{}
	for range 6 {
		batches := make([]*span.Batch, 3000)
		for i := range batches {
			batches[i] = in.next()
		}
		if err := s.Append(t.Context(), false, batches...); err != nil {
			t.Fatal(err)
		}
	}
	s.compact(t.Context(), []byte{'a'}, []byte{'z' + 1})
	queue := func() uint64 {
		n, err := s.db.EstimateDiskUsage([]byte{prefixQueue}, []byte{prefixQueue + 1})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := queue()
	if err := s.Trim(t.Context(), s.Committed()); err != nil {
		t.Fatal(err)
	}
	s.restOnce(t.Context(), &r)
	s.restOnce(t.Context(), &r) // a pause
	if n := queue(); n > before/4 || before < 100<<10 {
		t.Errorf("the queue takes %d bytes, %d before it was trimmed", n, before)
	}
}

// TestCompression: no table falls back to a faster format, and only a store at rest takes its time.
func TestCompression(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	levels := func() (out []uint8) {
		for _, p := range s.compression().Levels {
			out = append(out, p.DataBlocks.Level)
		}
		return out
	}
	if got := levels(); !slices.Equal(got, []uint8{1, 1, 1, 1, 1, 1, 3}) {
		t.Errorf("levels are compressed at %v", got)
	}
	s.leisure.Store(s.applied.Load() + 1)
	if got := levels(); got[6] != atLeisure {
		t.Errorf("at rest the last level is compressed at %d", got[6])
	}
	if err := s.Append(t.Context(), true, newStream(1).next()); err != nil {
		t.Fatal(err)
	}
	if got := levels(); got[6] != atRest {
		t.Errorf("behind a commit the last level is compressed at %d", got[6])
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	m := s.db.Metrics().Table
	if m.CompressedCountZstd == 0 || m.CompressedCountSnappy+m.CompressedCountMinLZ+m.CompressedCountUnknown > 0 {
		t.Errorf("%d tables are Zstandard, %d Snappy, %d MinLZ, %d others", m.CompressedCountZstd, m.CompressedCountSnappy, m.CompressedCountMinLZ, m.CompressedCountUnknown)
	}
}

// TestRestAgain: what got to the last level under a load, compressed in haste, is written again at rest.
func TestRestAgain(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	in, r := newStream(1), resting{}
	fill := func(n int) {
		batches := make([]*span.Batch, n)
		for i := range batches {
			batches[i] = in.next()
		}
		if err := s.Append(t.Context(), true, batches...); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	fill(15_000)
	if err := s.db.Compact(t.Context(), []byte{'a'}, []byte{'z' + 1}, false); err != nil {
		t.Fatal(err)
	}
	_, hasty := s.sizes()
	fill(2000)
	if loose, all := s.sizes(); loose < restBytes || loose >= all/restShare {
		t.Fatalf("%d bytes of %d are not merged", loose, all)
	}
	written := func() int64 { return int64(s.db.Metrics().Levels[6].TableBytesCompacted) }
	before := written()
	s.restOnce(t.Context(), &r)
	s.restOnce(t.Context(), &r) // a pause
	if loose, _ := s.sizes(); loose > 0 || written()-before < hasty {
		t.Errorf("at rest %d bytes are not merged; of %d, %d were written again", loose, hasty, written()-before)
	}
	merged := r.merged
	fill(2000)
	s.restOnce(t.Context(), &r)
	s.restOnce(t.Context(), &r)
	if r.merged != merged {
		t.Error("merged again for a tenth")
	}
}

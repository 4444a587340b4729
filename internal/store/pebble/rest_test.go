package pebble

import (
	"context"
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
	s.merge(gone) // returns at once: Close waits for it
}

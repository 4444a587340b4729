package pebble

import (
	"path/filepath"
	"testing"

	"weir/internal/span"
)

// First must be told of no span that an index could hold already: it would stay there twice.
func TestFirstOfATrace(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "truth"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	put := func(pairs ...[2]string) {
		var batches []*span.Batch
		for _, p := range pairs {
			batches = append(batches, &span.Batch{Span: &span.Span{Project: "p", Trace: p[0], ID: p[1]}})
		}
		if err := s.Append(t.Context(), false, batches...); err != nil {
			t.Fatal(err)
		}
	}
	put([2]string{"a", "1"}, [2]string{"a", "1"}, [2]string{"b", "1"}) // again in one write
	put([2]string{"a", "2"}, [2]string{"b", "1"}, [2]string{"c", "1"}) // known traces, and a new one
	var got []bool
	if err := s.Changes(t.Context(), 0, func(_ uint64, sp *span.Span) bool { got = append(got, sp.First); return true }); err != nil {
		t.Fatal(err)
	}
	want := []bool{true, false, true, false, false, true}
	if len(got) != len(want) {
		t.Fatalf("%d changes, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("change %d: first is %v", i, got[i])
		}
	}
}

func TestNewHomeKnowsWhatWasAddedMeanwhile(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "truth"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if d := s.NewHome("p", "a", 20_000); d != 20_000 {
		t.Fatalf("home %d", d)
	}
	if d, err := s.Home(t.Context(), "p", "a", 20_001); d != 20_000 || err != nil {
		t.Fatalf("home %d, %v", d, err)
	}
	if err := s.Append(t.Context(), false, &span.Batch{Span: &span.Span{Project: "p", Trace: "b", ID: "1", Day: 20_003}}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Home(t.Context(), "p", "b", 20_004)
	if err != nil {
		t.Fatal(err)
	}
	if d := s.NewHome("p", "b", 20_009); d != before {
		t.Fatalf("home %d, was %d", d, before)
	}
}

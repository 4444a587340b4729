package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
)

func spansHome(t *testing.T, s span.Store) {
	for _, want := range []span.Day{100, 200} {
		if d, err := s.Home(t.Context(), p1, "t", want); err != nil || d != 100 {
			t.Fatalf("Home is %d, %v; the first day set was 100", d, err)
		}
	}
	if d, err := s.Home(t.Context(), p2, "t", 300); err != nil || d != 300 {
		t.Fatalf("another project's trace of that id has its own home, got %d, %v", d, err)
	}
	sp := newSpan(p1, "t", "s", noon)
	appendAll(t, s, batchOf(sp))
	if sp.Day != 100 {
		t.Fatalf("an appended span lives at its trace's home 100, got %d", sp.Day)
	}
	chosen := newSpan(p1, "other", "s", noon)
	chosen.Day = 150
	appendAll(t, s, batchOf(chosen))
	if d, _ := s.Home(t.Context(), p1, "other", 9); d != 150 {
		t.Fatalf("a new trace takes the day its first span asks for, got %d", d)
	}
}

func spansHomeConcurrent(t *testing.T, s span.Store) {
	const traces, callers = 50, 8
	var got [traces][callers]span.Day
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range traces {
				d, err := s.Home(t.Context(), p1, "t"+strconv.Itoa(i), span.Day(1+c))
				if err != nil {
					t.Error(err)
				}
				got[i][c] = d
			}
		})
	}
	wg.Wait()
	for i := range got {
		for _, d := range got[i] {
			if d != got[i][0] {
				t.Fatalf("trace %d was given several homes: %v", i, got[i])
			}
		}
	}
}

func spansMidnight(t *testing.T, s span.Store) {
	before := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	home := span.DayOf(before)
	if _, err := s.Home(t.Context(), p1, "t", home); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, batchOf(newSpan(p1, "t", "a", before)))
	late := newSpan(p1, "t", "b", before.Add(2*time.Second))
	appendAll(t, s, batchOf(late))
	if got := trace(t, s, p1, "t"); len(got) != 2 || late.Day != home {
		t.Fatalf("a span after midnight stays at home %d: day %d, %d spans", home, late.Day, len(got))
	}
}

func spansDropDay(t *testing.T, s span.Store) {
	nodes, blobs := talk(span.Hash{}, 0, 2)
	for _, d := range []span.Day{9, 10, 11} {
		for i := range 3 {
			sp := newSpan(p1, fmt.Sprintf("d%d-%d", d, i), "s", noon)
			sp.Day = d
			b := charged(sp, sp.Trace)
			b.Nodes, b.Blobs = nodes, blobs
			appendAll(t, s, b)
		}
	}
	if err := s.DropDay(t.Context(), p1, 10); err != nil {
		t.Fatal(err)
	}
	for _, d := range []span.Day{9, 11} {
		trace(t, s, p1, fmt.Sprintf("d%d-0", d))
		if _, err := s.Chain(t.Context(), p1, d, nodes[1].ID); err != nil {
			t.Fatalf("day %d must keep its nodes: %v", d, err)
		}
		if _, err := s.Blob(t.Context(), p1, d, nodes[0].Body); err != nil {
			t.Fatalf("day %d must keep its bodies: %v", d, err)
		}
	}
	_, err := s.Trace(t.Context(), p1, "d10-0")
	wantKind(t, err, fault.NotFound)
	_, err = s.Blob(t.Context(), p1, 10, nodes[0].Body)
	wantKind(t, err, fault.NotFound)
	if has, _ := s.HasNode(t.Context(), p1, 10, nodes[0].ID); has {
		t.Fatal("dropped nodes must be gone")
	}
	if got := len(ledger(t, s, 0)); got != 9 {
		t.Fatalf("the ledger outlives its traces: %d entries, want 9", got)
	}
	if got := len(changes(t, s, 0)); got != 6 {
		t.Fatalf("dropped spans leave the queue: %d, want 6", got)
	}
	if d, err := s.Home(t.Context(), p1, "d10-0", 20); err != nil || d != 20 {
		t.Fatalf("a dropped trace that returns gets a new home, got %d, %v", d, err)
	}
}

func spansDroppedMeanwhile(t *testing.T, s span.Store) {
	old := newSpan(p1, "t", "a", noon)
	old.Day = 10
	appendAll(t, s, batchOf(old))
	if err := s.DropDay(t.Context(), p1, 10); err != nil {
		t.Fatal(err)
	}
	late := newSpan(p1, "t", "b", noon)
	late.Day = 10 // prepared before the drop, perhaps on nodes that are gone
	wantKind(t, s.Append(t.Context(), true, batchOf(late)), fault.Conflict)
	d, err := s.Home(t.Context(), p1, "t", 10)
	if err != nil || d == 10 {
		t.Fatalf("a day that was dropped is nobody's home: %d, %v", d, err)
	}
	late.Day = d
	appendAll(t, s, batchOf(late))
	if got := trace(t, s, p1, "t"); len(got) != 1 || got[0].ID != "b" {
		t.Fatalf("a late span lives at the new home alone, got %v", got)
	}
	if d, err := s.Home(t.Context(), p2, "t", 10); err != nil || d != 10 {
		t.Fatalf("another project keeps its day: %d, %v", d, err)
	}
}

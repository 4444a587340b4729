package storetest

import (
	"slices"
	"strconv"
	"testing"

	"weir/internal/span"
)

func spansLedger(t *testing.T, s span.Store) {
	for i := range 10 {
		id := "c" + strconv.Itoa(i)
		appendAll(t, s, charged(newSpan(p1, id, "s", noon), id), batchOf(newSpan(p1, id, "free", noon)))
	}
	for i, e := range ledger(t, s, 0) {
		if e.Seq != uint64(i+1) || e.Call != "c"+strconv.Itoa(i) || e.Cost != 7 || e.Usage.Output != 5 || !e.Time.Equal(noon) {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
	if got := ledger(t, s, 7); len(got) != 3 || got[0].Seq != 8 {
		t.Fatalf("entries after 7: %+v", got)
	}
	appendAll(t, s, charged(newSpan(p2, "c0", "s", noon), "c0"))
	if got := ledger(t, s, 10); len(got) != 1 {
		t.Fatal("another project's call of that id is another call")
	}
	unsynced := charged(newSpan(p1, "u", "s", noon), "u")
	if err := s.Append(t.Context(), false, unsynced); err != nil {
		t.Fatal(err)
	}
	if got := ledger(t, s, 11); len(got) != 1 {
		t.Fatal("a charge is visible when its Append returns, synced or not")
	}
}

func spansQueue(t *testing.T, s span.Store) {
	start := s.Committed()
	for i := range 6 {
		appendAll(t, s, batchOf(newSpan(p1, "t"+strconv.Itoa(i), strconv.Itoa(i), noon)))
	}
	all := changes(t, s, start)
	if got := idsOf(all, changeID); !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5"}) {
		t.Fatalf("changes come in order of append, got %v", got)
	}
	if s.Committed() != all[5].seq {
		t.Fatalf("Committed is %d, the newest change %d", s.Committed(), all[5].seq)
	}
	if got := changes(t, s, all[3].seq); len(got) != 2 || got[0].id != "4" {
		t.Fatalf("changes after the fourth: %v", got)
	}
	for _, upTo := range []uint64{all[1].seq, all[1].seq, all[3].seq, all[0].seq} { // again, and backwards
		if err := s.Trim(t.Context(), upTo); err != nil {
			t.Fatal(err)
		}
	}
	if got := idsOf(changes(t, s, 0), changeID); !slices.Equal(got, []string{"4", "5"}) {
		t.Fatalf("after trimming four, %v are left", got)
	}
	if err := s.Trim(t.Context(), s.Committed()+100); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, batchOf(newSpan(p1, "t9", "9", noon)))
	if got := changes(t, s, 0); len(got) != 1 || got[0].seq <= all[5].seq {
		t.Fatalf("positions go on after trimming everything, got %v", got)
	}
}

func spansScan(t *testing.T, s span.Store) {
	for i := range 5 {
		sp := newSpan(p1, "t"+strconv.Itoa(i), strconv.Itoa(i), noon)
		sp.Day = span.Day(10 + i)
		appendAll(t, s, batchOf(sp))
	}
	appendAll(t, s, batchOf(newSpan(p2, "t0", "5", noon)))
	var ids []string
	seq, err := s.Scan(t.Context(), func(sp *span.Span) bool { ids = append(ids, sp.ID); return true })
	slices.Sort(ids)
	if err != nil || !slices.Equal(ids, []string{"0", "1", "2", "3", "4", "5"}) || seq != s.Committed() {
		t.Fatalf("scan saw %v up to %d (committed %d), %v", ids, seq, s.Committed(), err)
	}
}

func spansEarlyStop(t *testing.T, s span.Store) {
	for i := range 4 {
		id := strconv.Itoa(i)
		appendAll(t, s, charged(newSpan(p1, id, id, noon), id))
	}
	n := 0
	stop := func() bool { n++; return n%2 != 0 }
	_ = s.Ledger(t.Context(), 0, func(span.LedgerEntry) bool { return stop() })
	_ = s.Changes(t.Context(), 0, func(uint64, *span.Span) bool { return stop() })
	_, _ = s.Scan(t.Context(), func(*span.Span) bool { return stop() })
	if n != 6 {
		t.Fatalf("three readers told to stop at their second entry read %d", n)
	}
}

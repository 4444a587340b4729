package pebble

import (
	"encoding/binary"
	"testing"
	"time"

	"weir/internal/span"
)

func TestSieveMissesNothing(t *testing.T) {
	var v sieve
	name := func(i int) span.Hash { return span.HashOf(binary.BigEndian.AppendUint64(nil, uint64(i))) }
	const n = 200_000
	for i := range n {
		v.add(name(i))
	}
	wrong := 0
	for i := range n {
		if !v.maybe(name(i)) {
			t.Fatalf("entry %d is missed", i)
		}
		if v.maybe(name(n + i)) {
			wrong++
		}
	}
	if wrong > n/50 || len(v.parts) < 3 {
		t.Fatalf("%d of %d absent entries look present, in %d parts", wrong, n, len(v.parts))
	}
}

// What an earlier process stored is found: its days are not taken for empty.
func TestAbsenceAfterARestart(t *testing.T) {
	dir := t.TempDir()
	h := span.HashOf([]byte("body"))
	node := span.Node{ID: span.HashOf([]byte("node")), Body: h}
	for round := range 2 {
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sp := &span.Span{Project: "p", Trace: "t", ID: "s", Start: time.Unix(1_700_000_000, 0), Day: 19000}
		has, err := s.HasNode(t.Context(), "p", 19000, node.ID)
		if err != nil || has != (round == 1) {
			t.Fatalf("round %d: %v, %v", round, has, err)
		}
		b := &span.Batch{Span: sp, Blobs: map[span.Hash][]byte{h: []byte("body")}, Nodes: []span.Node{node}}
		for range 2 {
			if err := s.Append(t.Context(), true, b); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.place.Load() & (restartGap - 1); n > 1 || round == 1 && n != 1 {
			t.Fatalf("round %d: the body was stored %d times", round, n)
		}
		if has, err := s.HasNode(t.Context(), "p", 19000, node.ID); err != nil || !has {
			t.Fatalf("round %d: a stored node is not found, %v", round, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

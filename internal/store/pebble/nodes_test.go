package pebble

import (
	"testing"

	"weir/internal/span"
)

// TestNodeForms: nodes are found by what their parents and bodies begin with, though others begin alike, and those stored
// in full are still read.
func TestNodeForms(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	sp := &span.Span{Project: "p", Trace: "t", ID: "a", Day: 10}
	b := &span.Batch{Span: sp, Blobs: map[span.Hash][]byte{}}
	var parent span.Hash
	for _, text := range []string{"one", "two", "three"} {
		body := put(b, text)
		n := span.Node{ID: span.HashOf(parent[:], body[:]), Parent: parent, Body: body}
		b.Nodes, parent = append(b.Nodes, n), n.ID
	}
	odd := span.Node{ID: span.HashOf([]byte("not made of its parts")), Parent: parent, Body: b.Nodes[0].Body}
	bodiless := span.Node{Parent: odd.ID, Body: span.HashOf([]byte("stored before"))}
	bodiless.ID = span.HashOf(bodiless.Parent[:], bodiless.Body[:])
	b.Nodes = append(b.Nodes, odd, bodiless)
	if err := s.Append(t.Context(), true, b); err != nil {
		t.Fatal(err)
	}
	s.written.forget()
	sizes := []int{hashStart, 2 * hashStart, 2 * hashStart, 2 * hashSize, 2 * hashSize}
	for i, n := range b.Nodes {
		v, err := s.get(hashKey(prefixNode, "p", 10, n.ID))
		if err != nil || len(v) != sizes[i] {
			t.Errorf("node %d takes %d bytes, want %d; %v", i, len(v), sizes[i], err)
		}
		for prefix, h := range map[byte]span.Hash{prefixNode: n.Parent, prefixBlob: n.Body} { // one before, one behind
			for _, last := range []byte{0, 0xff} {
				h := h
				for j := hashStart; j < hashSize; j++ {
					h[j] = last
				}
				if err := s.db.Set(hashKey(prefix, "p", 10, h), nil, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for i, n := range b.Nodes {
		if got, err := s.Node(t.Context(), "p", 10, n.ID); err != nil || got != n {
			t.Errorf("node %d is %v, want %v; %v", i, got, n, err)
		}
	}
	if err := s.db.Delete(hashKey(prefixBlob, "p", 10, b.Nodes[1].Body), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Node(t.Context(), "p", 10, b.Nodes[1].ID); err == nil {
		t.Error("a node whose body is gone is read")
	}
}

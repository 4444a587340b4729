package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/span"
	"weir/internal/tenant"
)

// OpenSpans opens the span store kept in dir; the suite closes it through the returned function, and may then open the
// same directory again.
type OpenSpans func(t *testing.T, dir string) (s span.Store, closeStore func())

// Spans is what every span.Store must do.
func Spans(t *testing.T, open OpenSpans) {
	cases := map[string]func(*testing.T, span.Store){
		"round trip":                  spansRoundTrip,
		"not found":                   spansNotFound,
		"order by start":              spansOrder,
		"append is idempotent":        spansIdempotent,
		"calls are charged once":      spansChargeOnce,
		"invalid span":                spansInvalid,
		"home day is set once":        spansHome,
		"home day under concurrency":  spansHomeConcurrent,
		"home day crosses midnight":   spansMidnight,
		"projects are apart":          spansProjects,
		"ids with shared prefixes":    spansPrefixes,
		"conversation nodes":          spansNodes,
		"nodes imply their ancestors": spansAncestors,
		"drop day":                    spansDropDay,
		"append to a dropped day":     spansDroppedMeanwhile,
		"ledger":                      spansLedger,
		"index queue":                 spansQueue,
		"scan":                        spansScan,
		"concurrent appends":          spansConcurrent,
		"early stop":                  spansEarlyStop,
		"merge":                       spansMerge,
		"merge under concurrency":     spansMergeConcurrent,
		"covered by a child":          spansCovers,
		"covered under concurrency":   spansCoversConcurrent,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s, closeStore := open(t, t.TempDir())
			defer closeStore()
			run(t, s)
		})
	}
	t.Run("reopen", func(t *testing.T) { spansReopen(t, open) })
}

const p1, p2 = tenant.ProjectID("one"), tenant.ProjectID("two")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func newSpan(p tenant.ProjectID, trace, id string, start time.Time) *span.Span {
	return &span.Span{
		Project: p, Trace: trace, ID: id, Name: "chat", Kind: span.Generation, Start: start, End: start.Add(time.Second),
		Status: span.OK, Usage: llm.Usage{Input: 3, Output: 5}, Tags: []string{"a", "b"}, Metadata: []byte(`{"k":{"n":1}}`),
		Cost: span.Cost{Total: 7, Source: span.CostMeasured},
	}
}

func batchOf(s *span.Span) *span.Batch { return &span.Batch{Span: s} }

func charged(s *span.Span, call string) *span.Batch {
	return &span.Batch{Span: s, Ledger: &span.LedgerEntry{
		Time: s.Start, Call: call, Project: s.Project, Key: "k", Usage: s.Usage, Cost: s.Cost.Total,
	}}
}

func appendAll(t *testing.T, s span.Store, b ...*span.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), true, b...); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func trace(t *testing.T, s span.Store, p tenant.ProjectID, id string) []*span.Span {
	t.Helper()
	spans, err := s.Trace(t.Context(), p, id)
	if err != nil {
		t.Fatalf("trace %s: %v", id, err)
	}
	return spans
}

func wantKind(t *testing.T, err error, k fault.Kind) {
	t.Helper()
	if !fault.Is(err, k) {
		t.Fatalf("error is %v, want kind %s", err, k)
	}
}

func ledger(t *testing.T, s span.Store, after uint64) []span.LedgerEntry {
	t.Helper()
	var all []span.LedgerEntry
	err := s.Ledger(t.Context(), after, func(e span.LedgerEntry) bool { all = append(all, e); return true })
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	return all
}

type change struct {
	seq uint64
	id  string
}

func changes(t *testing.T, s span.Store, after uint64) []change {
	t.Helper()
	var all []change
	err := s.Changes(t.Context(), after, func(n uint64, sp *span.Span) bool {
		all = append(all, change{n, sp.ID})
		return true
	})
	if err != nil {
		t.Fatalf("changes: %v", err)
	}
	return all
}

func idsOf[T any](in []T, id func(T) string) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = id(v)
	}
	return out
}

func spanID(s *span.Span) string { return s.ID }
func changeID(c change) string   { return c.id }

func spansRoundTrip(t *testing.T, s span.Store) {
	in := newSpan(p1, "t1", "s1", noon)
	in.FirstToken = 1234567 * time.Nanosecond
	in.Tries = []span.Try{{Deployment: "d", HTTP: 200, Took: time.Second}}
	in.Input = span.Ref{Form: span.FormRaw, Skeleton: span.HashOf([]byte("body")), Size: 4, Preview: "日本語 \"q\""}
	in.Output = span.Ref{}
	appendAll(t, s, batchOf(in))
	if in.Day != span.DayOf(noon) && in.Day == 0 {
		t.Fatal("Append must set the home day")
	}
	if diff := cmp.Diff(in, trace(t, s, p1, "t1")[0]); diff != "" {
		t.Fatalf("a span came back changed (-in +out):\n%s", diff)
	}
	got, err := s.Spans(t.Context(), p1, []span.Key{{Trace: "t1", Span: "s1", Day: in.Day}, {Trace: "t1", Span: "s1"}})
	if err != nil || len(got) != 2 || got[0].ID != "s1" || got[1].ID != "s1" {
		t.Fatalf("Spans by key, with and without day: %v, %v", got, err)
	}
}

func spansNotFound(t *testing.T, s span.Store) {
	_, err := s.Trace(t.Context(), p1, "nope")
	wantKind(t, err, fault.NotFound)
	_, err = s.Blob(t.Context(), p1, 1, span.HashOf([]byte("x")))
	wantKind(t, err, fault.NotFound)
	_, err = s.Chain(t.Context(), p1, 1, span.HashOf([]byte("x")))
	wantKind(t, err, fault.NotFound)
	got, err := s.Spans(t.Context(), p1, []span.Key{{Trace: "a", Span: "b", Day: 3}, {Trace: "a", Span: "b"}})
	if err != nil || len(got) != 0 {
		t.Fatalf("missing spans are left out of a page, got %v, %v", got, err)
	}
	if has, err := s.HasNode(t.Context(), p1, 1, span.HashOf([]byte("x"))); has || err != nil {
		t.Fatalf("HasNode of nothing: %v, %v", has, err)
	}
}

func spansOrder(t *testing.T, s span.Store) {
	for i, id := range []string{"b", "c", "a"} {
		appendAll(t, s, batchOf(newSpan(p1, "t", id, noon.Add(time.Duration(i)*time.Second))))
	}
	if got := idsOf(trace(t, s, p1, "t"), spanID); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Fatalf("spans of a trace are ordered by start, got %v", got)
	}
}

func spansIdempotent(t *testing.T, s span.Store) {
	first := newSpan(p1, "t", "s", noon)
	appendAll(t, s, charged(first, "call"))
	again := newSpan(p1, "t", "s", noon)
	again.Name = "renamed"
	appendAll(t, s, charged(again, "call"), charged(newSpan(p1, "t", "s", noon), "call"))
	if got := trace(t, s, p1, "t"); len(got) != 1 || got[0].Name != "chat" {
		t.Fatalf("the last append of an id wins and stays alone, got %d spans named %q", len(got), got[0].Name)
	}
	if got := ledger(t, s, 0); len(got) != 1 {
		t.Fatalf("a call is charged once, got %d entries", len(got))
	}
}

func spansChargeOnce(t *testing.T, s span.Store) {
	call := span.CallID("t", "s")
	one := func() *span.Batch { return charged(newSpan(p1, "t", "s", noon), call) }
	appendAll(t, s, one(), one())
	appendAll(t, s, one())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			id := "n" + strconv.Itoa(i/4) // four appends of each
			if err := s.Append(t.Context(), true, charged(newSpan(p1, id, "s", noon), span.CallID(id, "s"))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(ledger(t, s, 0)); got != 6 {
		t.Fatalf("six calls have %d charges", got)
	}
}

func spansInvalid(t *testing.T, s span.Store) {
	for _, sp := range []*span.Span{nil, newSpan("", "t", "s", noon), newSpan(p1, "", "s", noon), newSpan(p1, "t", "", noon)} {
		wantKind(t, s.Append(t.Context(), true, batchOf(newSpan(p1, "good", "s", noon)), batchOf(sp)), fault.Invalid)
	}
	_, err := s.Trace(t.Context(), p1, "good")
	wantKind(t, err, fault.NotFound) // all or nothing
}

func spansProjects(t *testing.T, s span.Store) {
	h := span.HashOf([]byte("body"))
	a, b := newSpan(p1, "t", "s", noon), newSpan(p2, "t", "s", noon)
	a.Name, b.Name, a.Day, b.Day = "a", "b", 10, 10
	appendAll(t, s, &span.Batch{Span: a, Blobs: map[span.Hash][]byte{h: []byte("body")}, Nodes: []span.Node{{ID: h, Body: h}}})
	appendAll(t, s, batchOf(b))
	if got := trace(t, s, p2, "t"); len(got) != 1 || got[0].Name != "b" {
		t.Fatalf("project two sees %v", got)
	}
	if _, err := s.Blob(t.Context(), p2, 10, h); !fault.Is(err, fault.NotFound) {
		t.Fatalf("project two must not read project one's body: %v", err)
	}
	if has, _ := s.HasNode(t.Context(), p2, 10, h); has {
		t.Fatal("project two must not see project one's node")
	}
	if err := s.DropDay(t.Context(), p2, 10); err != nil {
		t.Fatal(err)
	}
	if got := trace(t, s, p1, "t"); len(got) != 1 {
		t.Fatal("dropping project two's day took project one's trace")
	}
}

func spansPrefixes(t *testing.T, s span.Store) {
	appendAll(t, s, batchOf(newSpan("a", "bc", "1", noon)), batchOf(newSpan("ab", "c", "2", noon)),
		batchOf(newSpan(p1, "t", "1", noon)), batchOf(newSpan(p1, "t1", "2", noon)))
	for _, w := range []struct {
		p     tenant.ProjectID
		trace string
		id    string
	}{{"a", "bc", "1"}, {"ab", "c", "2"}, {p1, "t", "1"}, {p1, "t1", "2"}} {
		if got := idsOf(trace(t, s, w.p, w.trace), spanID); !slices.Equal(got, []string{w.id}) {
			t.Fatalf("%s/%s holds %v, want only %s", w.p, w.trace, got, w.id)
		}
	}
}

// talk is a chain of n messages after parent.
func talk(parent span.Hash, from, n int) (nodes []span.Node, blobs map[span.Hash][]byte) {
	blobs = map[span.Hash][]byte{}
	for i := from; i < from+n; i++ {
		body := []byte("message " + strconv.Itoa(i))
		h := span.HashOf(body)
		id := span.HashOf(parent[:], h[:])
		nodes = append(nodes, span.Node{ID: id, Parent: parent, Body: h})
		blobs[h] = body
		parent = id
	}
	return nodes, blobs
}

func spansNodes(t *testing.T, s span.Store) {
	nodes, blobs := talk(span.Hash{}, 0, 3)
	sp := newSpan(p1, "t", "a", noon)
	appendAll(t, s, &span.Batch{Span: sp, Nodes: nodes, Blobs: blobs})
	more, moreBlobs := talk(nodes[2].ID, 3, 2)
	next := newSpan(p1, "t", "b", noon)
	appendAll(t, s, &span.Batch{Span: next, Nodes: more, Blobs: moreBlobs})
	got, err := s.Chain(t.Context(), p1, sp.Day, more[1].ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(nodes, more...), got); diff != "" {
		t.Fatalf("chain (-want +got):\n%s", diff)
	}
	for i, n := range got {
		b, err := s.Blob(t.Context(), p1, sp.Day, n.Body)
		if err != nil || string(b) != "message "+strconv.Itoa(i) {
			t.Fatalf("message %d is %q, %v", i, b, err)
		}
	}
	if got, err := s.Chain(t.Context(), p1, sp.Day, span.Hash{}); err != nil || len(got) != 0 {
		t.Fatalf("the chain of no node is empty: %v, %v", got, err)
	}
}

func spansAncestors(t *testing.T, s span.Store) {
	nodes, blobs := talk(span.Hash{}, 0, 5)
	sp := newSpan(p1, "t", "a", noon)
	appendAll(t, s, &span.Batch{Span: sp, Nodes: nodes, Blobs: blobs})
	for _, n := range nodes {
		has, err := s.HasNode(t.Context(), p1, sp.Day, n.ID)
		if err != nil || !has {
			t.Fatalf("HasNode(%s) = %v, %v", n.ID, has, err)
		}
		if _, err := s.Chain(t.Context(), p1, sp.Day, n.ID); err != nil {
			t.Fatalf("a node that exists has all its ancestors: %v", err)
		}
	}
	if has, _ := s.HasNode(t.Context(), p1, sp.Day+1, nodes[0].ID); has {
		t.Fatal("nodes belong to one day")
	}
}

func spansConcurrent(t *testing.T, s span.Store) {
	const writers, each = 8, 25
	done := make(chan struct{})
	var seen []uint64
	reader := sync.WaitGroup{}
	reader.Go(func() { // a reader that follows the queue must miss nothing
		var at uint64
		for finished := false; ; {
			_ = s.Changes(context.Background(), at, func(n uint64, _ *span.Span) bool { seen, at = append(seen, n), n; return true })
			if finished {
				return
			}
			select {
			case <-done:
				finished = true
			default:
			}
		}
	})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", w, i)
				if err := s.Append(t.Context(), i%5 == 0, charged(newSpan(p1, id, "s", noon), id)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	reader.Wait()
	if len(seen) != writers*each || !slices.IsSorted(seen) {
		t.Fatalf("a follower saw %d of %d changes", len(seen), writers*each)
	}
	entries := ledger(t, s, 0)
	if len(entries) != writers*each {
		t.Fatalf("%d charges, want %d", len(entries), writers*each)
	}
	for i, e := range entries {
		if e.Seq != uint64(i+1) {
			t.Fatalf("ledger is not dense at %d: %d", i, e.Seq)
		}
	}
}

func spansReopen(t *testing.T, open OpenSpans) {
	dir := t.TempDir()
	s, closeStore := open(t, dir)
	nodes, blobs := talk(span.Hash{}, 0, 2)
	sp := newSpan(p1, "t", "s", noon)
	b := charged(sp, "call")
	b.Nodes, b.Blobs = nodes, blobs
	appendAll(t, s, b)
	before := s.Committed()
	if err := s.Trim(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	closeStore()

	s, closeStore = open(t, dir)
	defer closeStore()
	if diff := cmp.Diff(sp, trace(t, s, p1, "t")[0]); diff != "" {
		t.Fatalf("after reopening (-want +got):\n%s", diff)
	}
	if got, err := s.Chain(t.Context(), p1, sp.Day, nodes[1].ID); err != nil || len(got) != 2 {
		t.Fatalf("chain after reopening: %v, %v", got, err)
	}
	if d, err := s.Home(t.Context(), p1, "t", 1); err != nil || d != sp.Day {
		t.Fatalf("home after reopening is %d, want %d (%v)", d, sp.Day, err)
	}
	appendAll(t, s, charged(newSpan(p1, "t", "s", noon), "call"), charged(newSpan(p1, "u", "s", noon), "call2"))
	if got := ledger(t, s, 0); len(got) != 2 || got[1].Seq != 2 {
		t.Fatalf("the ledger goes on densely and remembers what was charged: %+v", got)
	}
	if got := changes(t, s, before); len(got) != 2 || got[0].seq <= before {
		t.Fatalf("positions go on after a trimmed queue is reopened: %v after %d", got, before)
	}
}

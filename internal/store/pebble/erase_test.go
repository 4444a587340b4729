package pebble

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	packing "github.com/klauspost/compress/zstd"

	"weir/internal/erase"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/storetest"
	"weir/internal/tenant"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const project = tenant.ProjectID("one")

// turn is a call of a conversation whose messages are given; each message is a node.
func turn(trace, session string, messages []string, answer string) *span.Batch {
	b := &span.Batch{Blobs: map[span.Hash][]byte{}, Span: &span.Span{
		Project: project, Trace: trace, ID: "a", Session: session, User: tenant.UserID("user of " + trace), Start: noon, End: noon,
	}}
	put := func(text string) span.Hash {
		h := span.HashOf([]byte(text))
		b.Blobs[h] = []byte(text)
		return h
	}
	var leaf span.Hash
	for _, m := range messages {
		body := put(m)
		n := span.Node{ID: span.HashOf(leaf[:], body[:]), Parent: leaf, Body: body}
		b.Nodes, leaf = append(b.Nodes, n), n.ID
	}
	b.Span.Input = span.Ref{Form: span.FormConversation, Skeleton: put("{}"), Node: leaf, Messages: len(messages)}
	b.Span.Output = span.Ref{Form: span.FormRaw, Skeleton: put(answer), Preview: answer}
	return b
}

// eraseAll erases traces of a day and returns what went.
func eraseAll(t *testing.T, s *Store, day span.Day, traces ...string) (r erase.Removed) {
	t.Helper()
	err := s.EraseTraces(t.Context(), project, day, traces, func(got erase.Removed) ([]byte, error) {
		r = got
		return []byte(`{"id":"job"}`), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustAppend(t *testing.T, s *Store, b ...*span.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), true, b...); err != nil {
		t.Fatal(err)
	}
}

func TestEraseKeepsWhatOthersUse(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{})
	defer closer(t, s)()
	shared := []string{"system prompt", "秘密の質問 shared"}
	mustAppend(t, s,
		turn("t1", "s1", shared, "only one 答え"),
		turn("t2", "s1", append(shared[:2:2], "longer only two"), "two"),
		turn("t3", "s3", []string{"other start", "秘密の質問 shared"}, "three"), // the same message behind another one
	)
	replaced := turn("t1", "s1", []string{"system prompt", "left behind"}, "old answer")
	mustAppend(t, s, replaced, turn("t1", "s1", shared, "only one 答え"))
	if err := s.PutScore(t.Context(), &span.Score{Project: project, ID: "id", Target: span.Target{Trace: "t1"}, Name: "quality", Type: span.FreeText, Text: "scored needle"}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteScore(t.Context(), project, "id"); err != nil { // its history goes too
		t.Fatal(err)
	}
	day := turnDay(t, s, "t1")
	r := eraseAll(t, s, day, "t1")
	if r.Traces != 1 || r.Spans != 1 || r.SharedKept != 5 || len(r.Sessions) != 0 || len(r.Sharers) != 2 {
		t.Errorf("removed %+v", r)
	}
	if _, err := s.Trace(t.Context(), project, "t1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the trace: %v", err)
	}
	for trace, want := range map[string]int{"t2": 3, "t3": 2} {
		wantWhole(t, s, trace, want)
	}
	if err := s.Purge(t.Context(), project, []span.Day{day}); err != nil {
		t.Fatal(err)
	}
	storetest.Erased(t, dir, []string{"only one 答え", "left behind", "old answer", "user of t1", "scored needle"},
		[]string{"秘密の質問 shared", "longer only two", "user of t3", "system prompt"})
}

func turnDay(t *testing.T, s *Store, trace string) span.Day {
	t.Helper()
	day, ok, err := s.HomeDay(t.Context(), project, trace)
	if err != nil || !ok {
		t.Fatalf("home of %s: %v %v", trace, ok, err)
	}
	return day
}

// wantWhole reads all content of a trace with one span.
func wantWhole(t *testing.T, s *Store, trace string, messages int) {
	t.Helper()
	spans, err := s.Trace(t.Context(), project, trace)
	if err != nil {
		t.Fatal(err)
	}
	for _, sp := range spans {
		nodes, err := s.Chain(t.Context(), project, sp.Day, sp.Input.Node)
		if err != nil || len(nodes) != messages {
			t.Errorf("%s: %d messages (%v)", trace, len(nodes), err)
		}
		hashes := []span.Hash{sp.Input.Skeleton, sp.Output.Skeleton}
		for _, n := range nodes {
			hashes = append(hashes, n.Body)
		}
		for _, h := range hashes {
			if _, err := s.Blob(t.Context(), project, sp.Day, h); err != nil {
				t.Errorf("%s: %v", trace, err)
			}
		}
	}
}

// What a writer believes to be stored may be gone: it has to prepare its batch again.
func TestBatchPreparedBeforeAnErasure(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	first := turn("t1", "s", []string{"a", "b"}, "x")
	mustAppend(t, s, first, turn("t2", "s", []string{"z"}, "y"))
	day := turnDay(t, s, "t1")
	late := turn("t3", "s", []string{"a", "b"}, "x")
	late.Nodes = nil
	mustAppend(t, s, late) // before any erasure nothing is asked
	eraseAll(t, s, day, "t1", "t3")
	for name, strip := range map[string]func(*span.Batch){
		"leaf":   func(b *span.Batch) { b.Nodes = nil },
		"parent": func(b *span.Batch) { b.Nodes = b.Nodes[1:] },
		"blob":   func(b *span.Batch) { delete(b.Blobs, b.Nodes[0].Body) },
		"answer": func(b *span.Batch) { delete(b.Blobs, b.Span.Output.Skeleton) },
	} {
		late := turn("t3", "s", []string{"a", "b"}, "x")
		late.Span.Day = day
		strip(late)
		if err := s.Append(t.Context(), true, late); !fault.Is(err, fault.Conflict) {
			t.Errorf("without its %s: %v", name, err)
		}
	}
	mustAppend(t, s, turn("t3", "s", []string{"a", "b"}, "x"))
	wantWhole(t, s, "t3", 2)
	wantWhole(t, s, "t2", 1)
}

// Spans that come while an erasure reads keep what they share with the erased.
func TestEraseWhileSpansCome(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	const n = 60
	for i := range n {
		mustAppend(t, s, turn(fmt.Sprintf("old%d", i), "s", []string{"shared", fmt.Sprint("m", i)}, "x"))
	}
	day := turnDay(t, s, "old0")
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < n && err == nil; i++ {
			err = s.Append(t.Context(), true, turn(fmt.Sprintf("new%d", i), "s", []string{"shared", fmt.Sprint("m", i)}, "x"))
		}
		done <- err
	}()
	for i := range n {
		eraseAll(t, s, day, fmt.Sprintf("old%d", i))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i := range n {
		wantWhole(t, s, fmt.Sprintf("new%d", i), 2)
		if _, err := s.Trace(t.Context(), project, fmt.Sprintf("old%d", i)); !fault.Is(err, fault.NotFound) {
			t.Errorf("old%d: %v", i, err)
		}
	}
}

// The search for erased texts sees those that the text index packs, in the log as in tables, whatever stands behind them.
func TestSearchSeesPackedTexts(t *testing.T) {
	e, err := packing.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, flushed := range []bool{false, true} {
		dir := t.TempDir()
		s := openIn(t, dir, Options{})
		t.Cleanup(closer(t, s))
		said := strings.Repeat("words that were said ", 20)
		for _, key := range []string{"x1", "x2"} {
			if err := s.db.Set([]byte(key), append(e.EncodeAll([]byte(said+key), []byte("head")), "tail"...), pebble.Sync); err != nil {
				t.Fatal(err)
			}
		}
		if flushed {
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Erased(t, dir, nil, []string{said + "x1", said + "x2"})
	}
}

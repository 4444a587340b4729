package storetest

import (
	"fmt"
	"slices"
	"testing"

	"weir/internal/fault"
	"weir/internal/fulltext"
	"weir/internal/span"
)

// TextStore is a span store that keeps a text index.
type TextStore interface {
	span.Store
	fulltext.Store
}

// Texts is what every store must do for the text index. open may be called again with the same directory.
func Texts(t *testing.T, open func(t *testing.T, dir string) (TextStore, func())) {
	cases := map[string]func(*testing.T, TextStore){
		"values":            textsValues,
		"range and days":    textsRange,
		"places":            textsPlaces,
		"drop and reset":    textsDrop,
		"goes with its day": textsDropDay,
		"state":             textsState,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s, closeStore := open(t, t.TempDir())
			defer closeStore()
			run(t, s)
		})
	}
	t.Run("reopen", func(t *testing.T) { textsReopen(t, open) })
}

func textValue(day span.Day, k, v string) fulltext.Value {
	out := fulltext.Value{Project: p1, Day: day, K: []byte(k)}
	if v != "" {
		out.V = []byte(v)
	}
	return out
}

func writeTexts(t *testing.T, s TextStore, st *fulltext.State, values ...fulltext.Value) {
	t.Helper()
	if err := s.WriteTexts(t.Context(), values, st); err != nil {
		t.Fatal(err)
	}
}

func textsOf(t *testing.T, s TextStore, day span.Day, from, to string) (out []string) {
	t.Helper()
	err := s.TextRange(t.Context(), p1, day, []byte(from), []byte(to), func(k, v []byte) (bool, error) {
		out = append(out, string(k)+"="+string(v))
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func expectTexts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func textsValues(t *testing.T, s TextStore) {
	writeTexts(t, s, nil, textValue(5, "a", "1"), textValue(5, "b", "2"), textValue(5, "b", ""), textValue(5, "a", "3"))
	for k, want := range map[string]string{"a": "3", "b": "", "c": ""} {
		got := ""
		found, err := s.Text(t.Context(), p1, 5, []byte(k), func(v []byte) error { got = string(v); return nil })
		if err != nil || found != (want != "") || got != want {
			t.Errorf("%s is %q, %v, %v", k, got, found, err)
		}
	}
	if found, err := s.Text(t.Context(), p2, 5, []byte("a"), func([]byte) error { return nil }); found || err != nil {
		t.Errorf("another project has it: %v, %v", found, err)
	}
}

func textsRange(t *testing.T, s TextStore) {
	writeTexts(t, s, nil, textValue(7, "b", "2"), textValue(7, "a", "1"), textValue(7, "c", "3"), textValue(300, "a", "9"), textValue(2, "z", "0"))
	expectTexts(t, textsOf(t, s, 7, "a", "c"), "a=1", "b=2")
	expectTexts(t, textsOf(t, s, 8, "a", "c"))
	n := 0
	if err := s.TextRange(t.Context(), p1, 7, []byte("a"), []byte("z"), func(_, _ []byte) (bool, error) { n++; return false, nil }); err != nil || n != 1 {
		t.Errorf("a range that was stopped went on: %d, %v", n, err)
	}
	days, err := s.TextDays(t.Context(), p1)
	if err != nil || !slices.Equal(days, []span.Day{300, 7, 2}) {
		t.Errorf("days %v, %v", days, err)
	}
	if days, err := s.TextDays(t.Context(), p2); err != nil || len(days) != 0 {
		t.Errorf("another project has days %v, %v", days, err)
	}
}

func textsPlaces(t *testing.T, s TextStore) {
	var hashes []span.Hash
	for i := range 9 {
		sp := newSpan(p1, fmt.Sprint("t", i), "s", noon)
		sp.Day, sp.Session = 10, fmt.Sprint("session", i%2)
		body := []byte(fmt.Sprint("body ", i))
		h := span.HashOf(body)
		n := span.Node{Body: h}
		n.ID = span.HashOf(n.Parent[:], h[:])
		appendAll(t, s, &span.Batch{Span: sp, Blobs: map[span.Hash][]byte{h: body}, Nodes: []span.Node{n}})
		hashes = append(hashes, h)
		if got, err := s.Node(t.Context(), p1, 10, n.ID); err != nil || got != n {
			t.Errorf("node %v, %v", got, err)
		}
	}
	if _, err := s.Node(t.Context(), p1, 11, hashes[0]); !fault.Is(err, fault.NotFound) {
		t.Errorf("a node that is not there: %v", err)
	}
	if _, ok, err := s.Place(t.Context(), p1, 11, hashes[0]); ok || err != nil {
		t.Errorf("the place of another day's blob: %v, %v", ok, err)
	}
	contentsInOrder(t, s, hashes)
}

func contentsInOrder(t *testing.T, s TextStore, hashes []span.Hash) {
	t.Helper()
	at := map[fulltext.Place]int{}
	var places []fulltext.Place
	for i, h := range hashes {
		p, ok, err := s.Place(t.Context(), p1, 10, h)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if b, err := s.Content(t.Context(), p1, 10, p); err != nil || string(b) != fmt.Sprint("body ", i) {
			t.Errorf("content %q, %v", b, err)
		}
		at[p] = i
		places = append(places, p, fulltext.Place{Session: p.Session, N: p.N + 1<<30})
	}
	if len(at) != len(hashes) {
		t.Error("blobs share places")
	}
	slices.SortFunc(places, fulltext.Place.Compare)
	seen := 0
	err := s.Contents(t.Context(), p1, 10, places, func(i int, b []byte) bool {
		if want := fmt.Sprint("body ", at[places[i]]); string(b) != want {
			t.Errorf("place %v has %q, want %q", places[i], b, want)
		}
		seen++
		return true
	})
	if err != nil || seen != len(hashes) {
		t.Errorf("%d contents, %v", seen, err)
	}
	if _, err := s.Content(t.Context(), p1, 10, places[len(places)-1]); !fault.Is(err, fault.NotFound) {
		t.Errorf("a place with nothing: %v", err)
	}
}

func textsDrop(t *testing.T, s TextStore) {
	writeTexts(t, s, &fulltext.State{Version: 1}, textValue(7, "a", "1"), textValue(8, "a", "2"))
	if err := s.DropTexts(t.Context(), p1, 7); err != nil {
		t.Fatal(err)
	}
	expectTexts(t, textsOf(t, s, 7, "a", "z"))
	expectTexts(t, textsOf(t, s, 8, "a", "z"), "a=2")
	if err := s.ResetTexts(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectTexts(t, textsOf(t, s, 8, "a", "z"))
	if _, ok, err := s.TextState(t.Context()); ok || err != nil {
		t.Errorf("there is a state after a reset: %v, %v", ok, err)
	}
}

func textsDropDay(t *testing.T, s TextStore) {
	writeTexts(t, s, nil, textValue(10, "a", "1"), textValue(11, "a", "2"))
	if err := s.DropDay(t.Context(), p1, 10); err != nil {
		t.Fatal(err)
	}
	expectTexts(t, textsOf(t, s, 10, "a", "z"))
	expectTexts(t, textsOf(t, s, 11, "a", "z"), "a=2")
}

func textsState(t *testing.T, s TextStore) {
	if _, ok, err := s.TextState(t.Context()); ok || err != nil {
		t.Errorf("a new store has a state: %v, %v", ok, err)
	}
	for i := range 5 {
		appendAll(t, s, batchOf(newSpan(p1, "t", fmt.Sprint(i), noon)))
	}
	want := fulltext.State{Version: 3, Upto: s.Committed() - 2, Segment: 9}
	writeTexts(t, s, &want)
	if got, ok, err := s.TextState(t.Context()); !ok || got != want || err != nil {
		t.Errorf("state %+v, %v, %v", got, ok, err)
	}
	if err := s.Trim(t.Context(), want.Upto); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.TextState(t.Context()); !ok || err != nil {
		t.Errorf("the queue goes on from the state: %v, %v", ok, err)
	}
	if err := s.Trim(t.Context(), want.Upto+1); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.TextState(t.Context()); ok || err != nil {
		t.Errorf("the queue has lost what the state needs: %v, %v", ok, err)
	}
	writeTexts(t, s, &fulltext.State{Upto: s.Committed() + 1})
	if _, ok, err := s.TextState(t.Context()); ok || err != nil {
		t.Errorf("the state is ahead of the store: %v, %v", ok, err)
	}
}

func textsReopen(t *testing.T, open func(t *testing.T, dir string) (TextStore, func())) {
	dir := t.TempDir()
	s, closeStore := open(t, dir)
	appendAll(t, s, batchOf(newSpan(p1, "t", "1", noon)))
	want := fulltext.State{Version: 3, Upto: s.Committed(), Segment: 9}
	writeTexts(t, s, &want, textValue(7, "a", "1"))
	closeStore()
	s, closeStore = open(t, dir)
	defer closeStore()
	expectTexts(t, textsOf(t, s, 7, "a", "z"), "a=1")
	if got, ok, err := s.TextState(t.Context()); !ok || got != want || err != nil {
		t.Errorf("state %+v, %v, %v", got, ok, err)
	}
}

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// said is a query.Texts over spans that say what their input preview says, the newest stored first.
type said struct {
	spans []*span.Span // in order of receipt
	reads int
	store span.Store
	index *query.Indexer
	fail  error // after what was found
}

func (s *said) Search(_ context.Context, q query.TextQuery, yield func(span.Key) bool) error {
	for _, sp := range slices.Backward(s.spans) {
		if !q.From.IsZero() && sp.Day < span.DayOf(q.From) || !q.To.IsZero() && sp.Day > span.DayOf(q.To) {
			continue
		}
		held := true
		for _, n := range q.Needles {
			held = held && strings.Contains(sp.UserAgent+" "+sp.Group, n.Text)
		}
		if held && !yield(span.Key{Trace: sp.Trace, Span: sp.ID, Day: sp.Day}) {
			return nil
		}
	}
	return s.fail
}

func (s *said) Holds(_ context.Context, sp *span.Span, n query.Needle) (bool, error) {
	s.reads++
	return strings.Contains(sp.UserAgent+" "+sp.Group, n.Text), nil
}

// library is a store with an index and texts over n spans, one a minute. What span i says stands in its user agent, which
// nothing indexes: "all", and "third" on every third, "rare" on every hundredth.
func library(t *testing.T, n int) (*query.Engine, *said) {
	t.Helper()
	dir := t.TempDir()
	store, err := pebble.Open(filepath.Join(dir, "traces"), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	texts := &said{store: store}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var batches []*span.Batch
	for i := range n {
		at := from.Add(time.Duration(i) * time.Minute)
		s := &span.Span{
			Project: "p", Trace: fmt.Sprintf("%032x", i), ID: fmt.Sprintf("%016x", i), Day: span.DayOf(at), Start: at, End: at.Add(time.Second), Kind: span.Generation,
			Status: span.OK, Group: []string{"gpt", "claude"}[i%2], UserAgent: "all",
		}
		if i%3 == 0 {
			s.UserAgent += " third"
		}
		if i%100 == 0 {
			s.UserAgent += " rare"
		}
		if _, err := store.Home(t.Context(), s.Project, s.Trace, s.Day); err != nil {
			t.Fatal(err)
		}
		texts.spans, batches = append(texts.spans, s), append(batches, &span.Batch{Span: s})
	}
	if err := store.Append(t.Context(), false, batches...); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "index.duckdb")
	x := query.NewIndexer(store, query.Backend{
		Open:   func(ctx context.Context) (query.Index, error) { return Open(ctx, path, Options{}) },
		Remove: func() error { return Remove(path) },
	}, query.IndexerOptions{})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Stop)
	if err := x.Wait(t.Context(), store.Committed()); err != nil {
		t.Fatal(err)
	}
	texts.index = x
	return query.NewEngine(store, x, texts), texts
}

func selecting(t *testing.T, filter string) query.Query {
	t.Helper()
	e, err := query.Parse(filter)
	if err != nil {
		t.Fatal(err)
	}
	return query.Query{Project: "p", Filter: e}
}

// Filters that look for texts select the same spans in lists, page by page, and in counts, however they are answered.
func TestTextsJoinTheIndex(t *testing.T) {
	e, texts := library(t, 2600)
	for filter, want := range map[string]func(i int) bool{
		`text contains rare`:                               func(i int) bool { return i%100 == 0 },
		`text contains rare model = gpt`:                   func(i int) bool { return i%100 == 0 && i%2 == 0 },
		`text contains third text contains rare`:           func(i int) bool { return i%300 == 0 },
		`text contains third not text contains rare`:       func(i int) bool { return i%3 == 0 && i%100 != 0 },
		`text contains third (model = gpt or rare)`:        func(i int) bool { return i%3 == 0 && (i%2 == 0 || i%100 == 0) },
		`text contains rare or text contains third`:        func(i int) bool { return i%100 == 0 || i%3 == 0 },
		`all model = claude`:                               func(i int) bool { return i%2 == 1 },
		`rare or model = nothing`:                          func(i int) bool { return i%100 == 0 },
		`not third`:                                        func(i int) bool { return i%3 != 0 },
		`model not contains gpt and not text contains all`: func(int) bool { return false },
		`all 00ff`:    func(i int) bool { return i == 255 },
		`claude rare`: func(int) bool { return false },
	} {
		var ids []string
		for i, s := range texts.spans {
			if want(i) {
				ids = append(ids, s.ID)
			}
		}
		slices.Reverse(ids)
		for _, sort := range []string{"-start", "duration"} {
			by, err := query.ParseSort(sort)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
				l, err := e.List(t.Context(), selecting(t, filter), query.Page{Sort: by, Limit: 100, Cursor: cursor})
				if err != nil || l.Partial || pages > 100 {
					t.Fatalf("%s: page %d: partial %v (%v)", filter, pages, l.Partial, err)
				}
				for _, s := range l.Items {
					got = append(got, s.ID)
				}
				cursor = l.Cursor
			}
			if sort != "-start" {
				slices.Sort(got)
				slices.Reverse(got)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%s by %s: %d spans, want %d", filter, sort, len(got), len(ids))
			}
		}
		n, partial, err := e.Count(t.Context(), selecting(t, filter))
		if n != int64(len(ids)) || partial || err != nil {
			t.Errorf("%s: counted %d, want %d, partial %v (%v)", filter, n, len(ids), partial, err)
		}
	}
}

// A page is cut where time has run out, says so, and can be gone on with.
func TestTextsNotSearchedArePartial(t *testing.T) {
	e, texts := library(t, 50)
	texts.fail = query.ErrPartial
	for _, filter := range []string{`text contains rare`, `rare`} {
		l, err := e.List(t.Context(), selecting(t, filter), query.Page{})
		if err != nil || !l.Partial || len(l.Items) != 1 {
			t.Errorf("%s: %d spans, partial %v (%v)", filter, len(l.Items), l.Partial, err)
		}
		if n, partial, err := e.Count(t.Context(), selecting(t, filter)); n != 1 || !partial || err != nil {
			t.Errorf("%s: counted %d, partial %v (%v)", filter, n, partial, err)
		}
	}
	texts.fail = errors.New("damaged")
	if _, err := e.List(t.Context(), selecting(t, `rare`), query.Page{}); err == nil {
		t.Error("a failure of the texts is passed over")
	}
}

func TestBrokenCursorsOfTexts(t *testing.T) {
	e, _ := library(t, 3)
	for _, filter := range []string{`text contains all`, `all`} {
		_, err := e.List(t.Context(), selecting(t, filter), query.Page{Cursor: "xx"})
		if f := (*fault.Error)(nil); !errors.As(err, &f) || f.Field != "cursor" {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

// A span is read only if nothing cheaper decides.
func TestHoldsReadsWhatItMust(t *testing.T) {
	e, texts := library(t, 1)
	s := texts.spans[0]
	for filter, c := range map[string]struct {
		want  bool
		reads int
	}{
		`model = gpt`: {true, 0}, `model = claude text contains rare`: {false, 0}, `model = gpt or text contains rare`: {true, 0}, `text contains rare`: {true, 1},
		`text contains nothing or text contains rare`: {true, 2}, `text contains rare or text contains nothing`: {true, 1}, `not text contains rare`: {false, 1}, `gpt`: {true, 0},
	} {
		texts.reads = 0
		got, err := e.Holds(t.Context(), selecting(t, filter).Filter, s)
		if err != nil || got != c.want || texts.reads != c.reads {
			t.Errorf("%s: %v after %d reads (%v)", filter, got, texts.reads, err)
		}
	}
}

// Without anything to search with, words are those of fields, and texts are refused.
func TestWithoutTexts(t *testing.T) {
	_, texts := library(t, 10)
	e := query.NewEngine(texts.store, texts.index, nil)
	if _, err := e.List(t.Context(), selecting(t, `input contains x`), query.Page{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("error %v", err)
	}
	l, err := e.List(t.Context(), selecting(t, `claude`), query.Page{})
	if err != nil || len(l.Items) != 5 {
		t.Errorf("%d spans (%v)", len(l.Items), err)
	}
}

// Watchers see what says what they look for, though that is not indexed.
func TestLiveReadsTexts(t *testing.T) {
	e, texts := library(t, 1)
	tail := e.Live("p", selecting(t, `text contains rare model = gpt`).Filter, 4)
	defer tail.Close()
	for i, agent := range []string{"all", "rare", "all rare"} {
		s := *texts.spans[0]
		s.ID, s.UserAgent, s.Group = fmt.Sprintf("f%015x", i), agent, "gpt"
		if agent == "rare" {
			s.Group = "claude"
		}
		if err := texts.store.Append(t.Context(), false, &span.Batch{Span: &s}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case s := <-tail.Spans:
		if s.UserAgent != "all rare" {
			t.Errorf("saw %q", s.UserAgent)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing seen")
	}
	tail.Close()
	if _, open := <-tail.Spans; open {
		t.Error("more than one span passed")
	}
}

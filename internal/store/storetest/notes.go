package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// NoteStore keeps spans and the notes on them.
type NoteStore interface {
	span.Store
	span.Notes
}

// OpenNotes opens the store kept in dir; the suite closes it through the returned function, and may then open the same
// directory again.
type OpenNotes func(t *testing.T, dir string) (s NoteStore, closeStore func())

// Notes is what every span.Notes must do.
func Notes(t *testing.T, open OpenNotes) {
	cases := map[string]func(*testing.T, NoteStore){
		"score round trip":               notesScore,
		"a score replaces its like":      notesReplace,
		"history":                        notesHistory,
		"targets":                        notesTargets,
		"projects are apart":             notesProjects,
		"comments":                       notesComments,
		"bad notes":                      notesBad,
		"names":                          notesNames,
		"marks on spans":                 notesMarks,
		"marks before spans":             notesBefore,
		"marks move to the root":         notesRoot,
		"marks survive spans sent again": notesAgain,
		"marks are queued":               notesQueued,
		"marks in a scan":                notesScan,
		"sessions":                       notesSessions,
		"notes go with their day":        notesDropDay,
		"concurrent scores and spans":    notesConcurrent,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s, closeStore := open(t, t.TempDir())
			defer closeStore()
			run(t, s)
		})
	}
	t.Run("reopen", func(t *testing.T) { notesReopen(t, open) })
}

func scoreOf(p tenant.ProjectID, t span.Target, name string, value float64) *span.Score {
	return &span.Score{Project: p, Target: t, Name: name, Type: span.Numeric, Value: value, Source: span.ByHuman, Author: "a@example.com", Created: noon, Updated: noon}
}

func putScore(t *testing.T, s span.Notes, c *span.Score) *span.Score {
	t.Helper()
	if err := s.PutScore(t.Context(), c); err != nil {
		t.Fatalf("put score %s: %v", c.Name, err)
	}
	return c
}

var onTrace, onSpan = span.Target{Trace: "t1"}, span.Target{Trace: "t1", Span: "b"}

// tree is a trace with a root "a" and its children "b" and "c".
func tree(t *testing.T, s span.Store, p tenant.ProjectID) {
	t.Helper()
	a, b, c := newSpan(p, "t1", "a", noon), newSpan(p, "t1", "b", noon.Add(time.Second)), newSpan(p, "t1", "c", noon.Add(-time.Second))
	b.Parent, c.Parent = "a", "a"
	appendAll(t, s, batchOf(a), batchOf(b), batchOf(c))
}

// marksOf are the marks of each span of a trace, as name=text; Spans must agree with Trace.
func marksOf(t *testing.T, s span.Store, p tenant.ProjectID, trace string) map[string][]string {
	t.Helper()
	spans, err := s.Trace(t.Context(), p, trace)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, sp := range spans {
		for _, m := range sp.Scores {
			out[sp.ID] = append(out[sp.ID], m.Name+"="+m.Text)
		}
		one, err := s.Spans(t.Context(), p, []span.Key{{Trace: trace, Span: sp.ID}})
		if err != nil || len(one) != 1 {
			t.Fatalf("%d spans (%v)", len(one), err)
		}
		if diff := cmp.Diff(sp.Scores, one[0].Scores); diff != "" {
			t.Errorf("span %s: marks of Trace (-) and Spans (+):\n%s", sp.ID, diff)
		}
	}
	return out
}

func wantMarks(t *testing.T, s span.Store, want map[string][]string) {
	t.Helper()
	if diff := cmp.Diff(want, marksOf(t, s, p1, "t1")); diff != "" {
		t.Errorf("marks:\n%s", diff)
	}
}

func notesScore(t *testing.T, s NoteStore) {
	want := scoreOf(p1, onSpan, "quality", 0.5)
	want.ID, want.Comment, want.Metadata = "id 1", "日本語 ok", []byte(`{"k":1}`)
	putScore(t, s, want)
	got, err := s.Score(t.Context(), p1, "id 1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"", "id 2"} {
		if _, err := s.Score(t.Context(), p1, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("score %q: %v", id, err)
		}
		if err := s.DeleteScore(t.Context(), p1, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("delete %q: %v", id, err)
		}
		if _, err := s.ScoreHistory(t.Context(), p1, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("history of %q: %v", id, err)
		}
	}
}

func notesReplace(t *testing.T, s NoteStore) {
	first := putScore(t, s, scoreOf(p1, onSpan, "quality", 0.5))
	again := scoreOf(p1, onSpan, "quality", 0.7)
	again.Updated = noon.Add(time.Minute)
	if putScore(t, s, again); again.ID != first.ID || !again.Created.Equal(first.Created) {
		t.Errorf("the same name, source and author made %s beside %s", again.ID, first.ID)
	}
	judge := scoreOf(p1, onSpan, "quality", 0.1)
	judge.Source = span.ByJudge
	if putScore(t, s, judge); judge.ID == first.ID {
		t.Error("another source replaced a score")
	}
	own := scoreOf(p1, onSpan, "quality", 0.9)
	own.ID = "mine"
	putScore(t, s, own)
	got, err := s.Scores(t.Context(), p1, onSpan)
	if err != nil || len(got) != 3 {
		t.Errorf("%d scores (%v)", len(got), err)
	}
	moved := scoreOf(p1, onTrace, "quality", 1)
	moved.ID = "mine"
	if err := s.PutScore(t.Context(), moved); !fault.Is(err, fault.Conflict) {
		t.Errorf("a score moved to another target: %v", err)
	}
}

func notesHistory(t *testing.T, s NoteStore) {
	for i := range 3 {
		c := scoreOf(p1, onSpan, "quality", float64(i))
		c.ID = "x" // of one moment: the order is that of writing
		putScore(t, s, c)
	}
	if err := s.DeleteScore(t.Context(), p1, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Score(t.Context(), p1, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted score: %v", err)
	}
	back := scoreOf(p1, onSpan, "quality", 9)
	back.ID = "x"
	putScore(t, s, back)
	all, err := s.ScoreHistory(t.Context(), p1, "x")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprint(c.Value, c.Deleted))
	}
	if diff := cmp.Diff([]string{"9 false", "2 true", "2 false", "1 false", "0 false"}, got); diff != "" {
		t.Error(diff)
	}
}

func notesTargets(t *testing.T, s NoteStore) {
	putScore(t, s, scoreOf(p1, onTrace, "b", 1))
	putScore(t, s, scoreOf(p1, onSpan, "a", 2))
	putScore(t, s, scoreOf(p1, span.Target{Trace: "t1", Span: "bb"}, "c", 3))
	putScore(t, s, scoreOf(p1, span.Target{Trace: "t11"}, "d", 4))
	putScore(t, s, scoreOf(p1, span.Target{Session: "t1"}, "e", 5))
	for _, c := range []struct {
		t    span.Target
		want []string
	}{
		{onTrace, []string{"a", "b", "c"}}, {onSpan, []string{"a"}}, {span.Target{Session: "t1"}, []string{"e"}},
		{span.Target{Trace: "t11"}, []string{"d"}}, {span.Target{Trace: "t2"}, nil}, {span.Target{Session: "s"}, nil},
	} {
		got, err := s.Scores(t.Context(), p1, c.t)
		var names []string
		for _, x := range got {
			names = append(names, x.Name)
		}
		if !slices.Equal(c.want, names) || err != nil {
			t.Errorf("%+v: %v, want %v (%v)", c.t, names, c.want, err)
		}
	}
}

func notesProjects(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	tree(t, s, p2)
	c := scoreOf(p1, onSpan, "quality", 1)
	c.ID = "x"
	putScore(t, s, c)
	if _, err := s.Score(t.Context(), p2, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project reads a score: %v", err)
	}
	if got, _ := s.Scores(t.Context(), p2, onTrace); len(got) > 0 {
		t.Errorf("another project lists %d scores", len(got))
	}
	if got := marksOf(t, s, p2, "t1"); len(got) > 0 {
		t.Errorf("another project has marks %v", got)
	}
	if got, _ := s.ScoreNames(t.Context(), p2); len(got) > 0 {
		t.Errorf("another project has names %v", got)
	}
	if err := s.DeleteScore(t.Context(), p2, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project deletes a score: %v", err)
	}
}

func notesComments(t *testing.T, s NoteStore) {
	var want []*span.Comment
	for i, target := range []span.Target{onTrace, onSpan, onTrace, {Session: "s"}} {
		at := noon.Add(time.Duration(i) * time.Second)
		c := &span.Comment{Project: p1, ID: fmt.Sprintf("c%d", 9-i), Target: target, Author: "a", Text: "hé", Created: at, Updated: at}
		if err := s.PutComment(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want = append(want, c)
	}
	check := func(target span.Target, want ...*span.Comment) {
		t.Helper()
		got, err := s.Comments(t.Context(), p1, target)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%+v: %v\n%s", target, err, diff)
		}
	}
	check(onTrace, want[:3]...)
	check(onSpan, want[1])
	check(span.Target{Session: "s"}, want[3])
	want[1].Text = "changed"
	if err := s.PutComment(t.Context(), want[1]); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Comment(t.Context(), p1, want[1].ID); err != nil || got.Text != "changed" {
		t.Errorf("%+v %v", got, err)
	}
	if err := s.DeleteComment(t.Context(), p1, want[0].ID); err != nil {
		t.Fatal(err)
	}
	check(onTrace, want[1], want[2])
	if err := s.DeleteComment(t.Context(), p1, want[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	moved := *want[2]
	moved.Target = onSpan
	if err := s.PutComment(t.Context(), &moved); !fault.Is(err, fault.Conflict) {
		t.Errorf("a comment moved to another target: %v", err)
	}
}

func notesBad(t *testing.T, s NoteStore) {
	for _, c := range []*span.Score{{}, {Project: p1, Name: "x"}, {Project: p1, Target: onTrace}, {Name: "x", Target: onTrace}} {
		if err := s.PutScore(t.Context(), c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []*span.Comment{{}, {Project: p1, ID: "x"}, {Project: p1, Target: onTrace}} {
		if err := s.PutComment(t.Context(), c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func notesNames(t *testing.T, s NoteStore) {
	putScore(t, s, scoreOf(p1, onTrace, "quality", 1))
	putScore(t, s, scoreOf(p1, onSpan, "quality", 2))
	for i, text := range []string{"good", "bad", "good"} {
		c := scoreOf(p1, span.Target{Session: fmt.Sprint(i)}, "verdict", 0)
		c.Type, c.Text = span.Categorical, text
		putScore(t, s, c)
	}
	got, err := s.ScoreNames(t.Context(), p1)
	want := []span.ScoreName{{Name: "quality", Type: span.Numeric, Count: 2}, {Name: "verdict", Type: span.Categorical, Count: 3, Categories: []string{"bad", "good"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func notesSessions(t *testing.T, s NoteStore) {
	c := putScore(t, s, scoreOf(p1, span.Target{Session: "s1"}, "satisfied", 1))
	again := scoreOf(p1, span.Target{Session: "s1"}, "satisfied", 0)
	if putScore(t, s, again); again.ID != c.ID {
		t.Error("a session's score is not replaced")
	}
	got, err := s.Scores(t.Context(), p1, span.Target{Session: "s1"})
	if err != nil || len(got) != 1 || got[0].Value != 0 {
		t.Errorf("%v %v", got, err)
	}
	if err := s.DeleteScore(t.Context(), p1, c.ID); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Scores(t.Context(), p1, span.Target{Session: "s1"}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func notesDropDay(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	onTheTrace := putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	session := putScore(t, s, scoreOf(p1, span.Target{Session: "s"}, "quality", 0.5))
	if err := s.PutComment(t.Context(), &span.Comment{Project: p1, ID: "c", Target: onTrace, Text: "x", Created: noon, Updated: noon}); err != nil {
		t.Fatal(err)
	}
	putScore(t, s, scoreOf(p1, span.Target{Trace: "only notes"}, "quality", 0.5))
	spans, err := s.Trace(t.Context(), p1, "t1")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []span.Day{spans[0].Day, span.DayOf(time.Now())} { // notes without spans are of the day they are written
		if err := s.DropDay(t.Context(), p1, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{onTheTrace.ID, session.ID} {
		if _, err := s.Score(t.Context(), p1, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("a score outlived its day: %v", err)
		}
		if _, err := s.ScoreHistory(t.Context(), p1, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("a history outlived its day: %v", err)
		}
	}
	if _, err := s.Comment(t.Context(), p1, "c"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a comment outlived its day: %v", err)
	}
	for _, target := range []span.Target{onTrace, {Session: "s"}, {Trace: "only notes"}} {
		if got, err := s.Scores(t.Context(), p1, target); len(got) > 0 || err != nil {
			t.Errorf("%+v has %d scores (%v)", target, len(got), err)
		}
	}
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5)) // the trace gets another day
	tree(t, s, p1)
	wantMarks(t, s, map[string][]string{"a": {"quality=0.5"}})
}

// notesConcurrent: whatever comes first, each span ends with its mark, and the queue has told of it.
func notesConcurrent(t *testing.T, s NoteStore) {
	const traces = 40
	var wg sync.WaitGroup
	ctx := context.WithoutCancel(t.Context())
	run := func(f func(trace string) error) {
		wg.Go(func() {
			for i := range traces {
				if err := f(fmt.Sprintf("t%d", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	run(func(trace string) error { return s.Append(ctx, true, batchOf(newSpan(p1, trace, "a", noon))) })
	run(func(trace string) error {
		child := newSpan(p1, trace, "b", noon.Add(-time.Second))
		child.Parent = "a"
		return s.Append(ctx, true, batchOf(child))
	})
	run(func(trace string) error {
		return s.PutScore(ctx, scoreOf(p1, span.Target{Trace: trace}, "quality", 1))
	})
	run(func(trace string) error {
		return s.PutScore(ctx, scoreOf(p1, span.Target{Trace: trace, Span: "b"}, "other", 1))
	})
	wg.Wait()
	latest := map[string]*span.Span{}
	if err := s.Changes(ctx, 0, func(_ uint64, sp *span.Span) bool { latest[sp.Trace+sp.ID] = sp; return true }); err != nil {
		t.Fatal(err)
	}
	for i := range traces {
		trace := fmt.Sprintf("t%d", i)
		want := map[string][]string{"a": {"quality=1"}, "b": {"other=1"}}
		if diff := cmp.Diff(want, marksOf(t, s, p1, trace)); diff != "" {
			t.Errorf("%s:\n%s", trace, diff)
		}
		if a, b := latest[trace+"a"], latest[trace+"b"]; a == nil || b == nil || len(a.Scores) != 1 || len(b.Scores) != 1 {
			t.Errorf("%s: the queue tells of %v and %v", trace, a, b)
		}
	}
}

func notesReopen(t *testing.T, open OpenNotes) {
	dir := t.TempDir()
	s, closeStore := open(t, dir)
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	closeStore()
	s, closeStore = open(t, dir)
	defer closeStore()
	tree(t, s, p1)
	wantMarks(t, s, map[string][]string{"a": {"quality=0.5"}})
}

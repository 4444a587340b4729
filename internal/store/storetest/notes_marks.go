package storetest

import (
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
)

func notesMarks(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	wantMarks(t, s, map[string][]string{})
	on := putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	putScore(t, s, scoreOf(p1, onSpan, "quality", 0.25))
	judge := scoreOf(p1, onSpan, "quality", 0.75)
	judge.Source, judge.Updated = span.ByJudge, noon.Add(time.Hour)
	putScore(t, s, judge)
	flag := scoreOf(p1, onSpan, "flag", 1)
	flag.Type = span.Boolean
	putScore(t, s, flag)
	wantMarks(t, s, map[string][]string{"a": {"quality=0.5"}, "b": {"flag=true", "quality=0.75"}})
	if err := s.DeleteScore(t.Context(), p1, judge.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteScore(t.Context(), p1, on.ID); err != nil {
		t.Fatal(err)
	}
	wantMarks(t, s, map[string][]string{"b": {"flag=true", "quality=0.25"}})
}

func notesBefore(t *testing.T, s NoteStore) {
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	putScore(t, s, scoreOf(p1, onSpan, "quality", 0.25))
	if _, err := s.Trace(t.Context(), p1, "t1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a trace that has only notes: %v", err)
	}
	tree(t, s, p1)
	wantMarks(t, s, map[string][]string{"a": {"quality=0.5"}, "b": {"quality=0.25"}})
}

// notesRoot: children come before their parents, and the mark of the trace is on the best root there is.
func notesRoot(t *testing.T, s NoteStore) {
	late, early, root := newSpan(p1, "t1", "l", noon), newSpan(p1, "t1", "e", noon.Add(-time.Second)), newSpan(p1, "t1", "r", noon.Add(time.Second))
	late.Parent, early.Parent = "r", "r"
	appendAll(t, s, batchOf(late))
	putScore(t, s, scoreOf(p1, onTrace, "quality", 1))
	wantMarks(t, s, map[string][]string{"l": {"quality=1"}})
	appendAll(t, s, batchOf(early))
	wantMarks(t, s, map[string][]string{"e": {"quality=1"}})
	before := s.Committed()
	appendAll(t, s, batchOf(root))
	wantMarks(t, s, map[string][]string{"r": {"quality=1"}})
	if got := changed(t, s, before); got["e"] == nil || len(got["e"].Scores) > 0 || len(got["r"].Scores) != 1 {
		t.Errorf("the index is not told that the mark has moved: %v", got)
	}
}

// changed are the spans queued after a position, by id, in the state seen last.
func changed(t *testing.T, s span.Store, after uint64) map[string]*span.Span {
	t.Helper()
	out := map[string]*span.Span{}
	if err := s.Changes(t.Context(), after, func(_ uint64, sp *span.Span) bool { out[sp.ID] = sp; return true }); err != nil {
		t.Fatal(err)
	}
	return out
}

func notesAgain(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	putScore(t, s, scoreOf(p1, onSpan, "quality", 0.25))
	tree(t, s, p1)
	want := map[string][]string{"a": {"quality=0.5"}, "b": {"quality=0.25"}}
	wantMarks(t, s, want)
	spans, err := s.Trace(t.Context(), p1, "t1")
	if err != nil {
		t.Fatal(err)
	}
	for _, sp := range spans { // read, changed and written back, with marks of another time
		sp.Name, sp.Scores = "renamed", []span.Mark{{Name: "stale", Text: "1"}}
		appendAll(t, s, batchOf(sp))
	}
	wantMarks(t, s, want)
}

func notesQueued(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	before := s.Committed()
	putScore(t, s, scoreOf(p1, onSpan, "quality", 0.25))
	got := changed(t, s, before)
	if len(got) == 0 || got["b"] == nil || len(got["b"].Scores) != 1 || got["b"].First {
		t.Errorf("after a score the queue holds %v", got)
	}
	before = s.Committed()
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	if got := changed(t, s, before); got["a"] == nil || len(got["a"].Scores) != 1 || got["b"] != nil {
		t.Errorf("after a score of the trace the queue holds %v", got)
	}
	before = s.Committed()
	again := newSpan(p1, "t1", "b", noon)
	again.Parent = "a"
	appendAll(t, s, batchOf(again))
	if got := changed(t, s, before); len(got["b"].Scores) != 1 {
		t.Errorf("a span sent again is queued without its mark")
	}
}

func notesScan(t *testing.T, s NoteStore) {
	tree(t, s, p1)
	tree(t, s, p2)
	putScore(t, s, scoreOf(p1, onTrace, "quality", 0.5))
	n := 0
	if _, err := s.Scan(t.Context(), func(sp *span.Span) bool {
		if len(sp.Scores) > 0 != (sp.Project == p1 && sp.ID == "a") {
			t.Errorf("%s %s has marks %v", sp.Project, sp.ID, sp.Scores)
		}
		n++
		return true
	}); err != nil || n != 6 {
		t.Errorf("%d spans (%v)", n, err)
	}
}

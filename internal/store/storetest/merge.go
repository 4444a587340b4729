package storetest

import (
	"strconv"
	"sync"
	"testing"

	"weir/internal/span"
)

func only(t *testing.T, s span.Store, id string) *span.Span {
	t.Helper()
	got, err := s.Spans(t.Context(), p1, []span.Key{{Trace: "t", Span: id}})
	if err != nil || len(got) != 1 {
		t.Fatalf("span %s: %d found, %v", id, len(got), err)
	}
	return got[0]
}

func spansMerge(t *testing.T, s span.Store) {
	sp := newSpan(p1, "t", "a", noon)
	add := func(tag string) *span.Batch {
		return &span.Batch{Span: sp, Merge: func(stored *span.Span) *span.Span {
			c := *sp
			c.Tags = nil
			if stored != nil {
				c.Tags = append(c.Tags, stored.Tags...)
			}
			c.Tags = append(c.Tags, tag)
			return &c
		}}
	}
	appendAll(t, s, add("1"))
	appendAll(t, s, add("2"), add("3"))
	got := only(t, s, "a")
	if len(got.Tags) != 3 || got.Tags[2] != "3" || got.Day == 0 {
		t.Fatalf("tags are %v of day %d", got.Tags, got.Day)
	}
	before := s.Committed()
	appendAll(t, s, &span.Batch{Span: sp, Merge: func(*span.Span) *span.Span { return nil }})
	if got := only(t, s, "a"); len(got.Tags) != 3 || s.Committed() != before {
		t.Fatalf("a merge that changes nothing left %v and moved the queue from %d to %d", got.Tags, before, s.Committed())
	}
}

func spansMergeConcurrent(t *testing.T, s span.Store) {
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				tag := strconv.Itoa(w*each + i)
				sp := newSpan(p1, "t", "a", noon)
				err := s.Append(t.Context(), false, &span.Batch{Span: sp, Merge: func(stored *span.Span) *span.Span {
					c := *sp
					c.Tags = []string{tag}
					if stored != nil {
						c.Tags = append(c.Tags, stored.Tags...)
					}
					return &c
				}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(only(t, s, "a").Tags); n != writers*each {
		t.Fatalf("%d of %d additions are left", n, writers*each)
	}
}

func child(id, parent string) *span.Batch {
	c := newSpan(p1, "t", id, noon)
	c.Parent = parent
	return &span.Batch{Span: c, Covers: true}
}

func spansCovers(t *testing.T, s span.Store) {
	bare := newSpan(p1, "t", "bare", noon)
	bare.Usage, bare.Cost = newSpan(p1, "", "", noon).Usage, span.Cost{}
	bare.Usage.Input, bare.Usage.Output = 0, 0
	for name, steps := range map[string][][]*span.Batch{
		"parent first":       {{batchOf(newSpan(p1, "t", "p", noon))}, {child("c", "p")}},
		"child first":        {{child("c", "p")}, {batchOf(newSpan(p1, "t", "p", noon))}},
		"together":           {{batchOf(newSpan(p1, "t", "p", noon)), child("c", "p")}},
		"together, turned":   {{child("c", "p"), batchOf(newSpan(p1, "t", "p", noon))}},
		"parent comes twice": {{child("c", "p")}, {batchOf(newSpan(p1, "t", "p", noon))}, {batchOf(newSpan(p1, "t", "p", noon))}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range steps {
				for _, b := range step {
					b.Span.Trace = name
				}
				appendAll(t, s, step...)
			}
			got := map[string]bool{}
			for _, sp := range trace(t, s, p1, name) {
				got[sp.ID] = sp.Covered
			}
			if len(got) != 2 || !got["p"] || got["c"] {
				t.Fatalf("covered: %v, want the parent only", got)
			}
		})
	}
	appendAll(t, s, batchOf(bare), child("c", "bare"), batchOf(newSpan(p1, "t", "other", noon)))
	if only(t, s, "bare").Covered || only(t, s, "other").Covered {
		t.Fatal("only a parent that reports usage is covered")
	}
	found := false
	if err := s.Changes(t.Context(), 0, func(_ uint64, sp *span.Span) bool {
		found = found || sp.Trace == "parent first" && sp.ID == "p" && sp.Covered
		return true
	}); err != nil || !found {
		t.Fatalf("the index hears that a parent is covered: %v, %v", found, err)
	}
}

// spansCoversConcurrent has parent and child arrive at once, in separate writes.
func spansCoversConcurrent(t *testing.T, s span.Store) {
	for i := range 100 {
		id := "trace" + strconv.Itoa(i)
		parent, c := batchOf(newSpan(p1, id, "p", noon)), child("c", "p")
		c.Span.Trace = id
		var wg sync.WaitGroup
		for _, b := range []*span.Batch{parent, c} {
			wg.Go(func() {
				if err := s.Append(t.Context(), false, b); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, sp := range trace(t, s, p1, id) {
			if sp.ID == "p" && !sp.Covered {
				t.Fatalf("trace %d: the parent counts beside its child", i)
			}
		}
	}
}

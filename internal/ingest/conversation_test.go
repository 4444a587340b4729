package ingest

import (
	"context"
	"reflect"
	"testing"

	"weir/internal/span"
	"weir/internal/tenant"
)

// nodeStore has the first nodes of a chain.
type nodeStore struct {
	span.Store
	has   []span.Hash
	looks int
}

func (s *nodeStore) HasNode(_ context.Context, _ tenant.ProjectID, _ span.Day, n span.Hash) (bool, error) {
	s.looks++
	for _, h := range s.has {
		if h == n {
			return true, nil
		}
	}
	return false, nil
}

func TestStoredNodesAreFound(t *testing.T) {
	const all = 6
	sp := &span.Span{Project: project, Day: 3}
	ids := make([]span.Hash, all)
	for i := range ids {
		ids[i] = span.Hash{byte(i + 1)}
	}
	for stored := range all + 1 {
		for remembered := range stored + 1 {
			s := &nodeStore{has: ids[:stored]}
			c := &bodies{store: s}
			for _, id := range ids[:remembered] {
				c.known.add(c.known.key(sp, id, true))
			}
			n, err := c.stored(t.Context(), sp, ids)
			if err != nil || n != stored {
				t.Errorf("%d stored, %d remembered: found %d, %v", stored, remembered, n, err)
			}
			if remembered == stored && s.looks > 1 || remembered == all && s.looks > 0 {
				t.Errorf("%d stored and remembered: %d looks", stored, s.looks)
			}
			if again, _ := c.stored(t.Context(), sp, ids); again != n {
				t.Errorf("%d stored: found %d, then %d", stored, n, again)
			}
		}
	}
}

func TestKnownKeepsPlacesApart(t *testing.T) {
	var k known
	h := span.Hash{1}
	here := &span.Span{Project: project, Day: 3}
	k.add(k.key(here, h, false))
	for _, other := range []*span.Span{{Project: "other", Day: 3}, {Project: project, Day: 4}} {
		if k.has(k.key(other, h, false)) {
			t.Errorf("%s/%d has what is elsewhere", other.Project, other.Day)
		}
	}
	if k.has(k.key(here, h, true)) {
		t.Error("a blob answers for a node")
	}
	for i := range 3 * maxNumbers {
		if k.has(k.key(&span.Span{Project: project, Day: span.Day(10 + i)}, h, false)) {
			t.Fatalf("day %d has what is elsewhere", 10+i)
		}
	}
	if n := len(k.places.of); n > maxNumbers {
		t.Errorf("%d places are remembered", n)
	}
	k.add(k.key(here, h, false))
	if !k.has(k.key(here, h, false)) {
		t.Error("forgotten at once")
	}
}

var pairsOfBodies = [][2]string{
	{`{"messages":[{"a":1},{"b":2}],"x":1}`, `{"messages":[{"a":1},{"b":2},{"c":3}],"x":1}`},
	{`{"messages":[{"a":1},{"b":2}]}`, `{"messages":[{"a":1},{"b":2}]}`},
	{`{"messages":[1,2]}`, `{"messages":[1,23]}`},
	{`{"messages":[1, 2 ]}`, `{"messages":[1, 2 ,3],"tools":[]}`},
	{`{"messages":["a,b","c"]}`, `{"messages":["a,b","d"]}`},
	{`{"messages":["a"]}`, `{"messages":["a",`},
	{`{"x":1,"messages":[{}]}`, `{"x":2,"messages":[{},{}]}`},
	{`{"messages":[{},]}`, `{"messages":[{},,]}`},
}

func TestCutAfterSavesWork(t *testing.T) {
	earlier := cutAfter(nil, []byte(pairsOfBodies[0][0]))
	var c conversation
	if n, ok := c.like(earlier, []byte(pairsOfBodies[0][1])); !ok || n != 2 {
		t.Errorf("%d segments are shared, %v", n, ok)
	}
}

// An earlier conversation must not change what a body is cut into.
func FuzzCutAfter(f *testing.F) {
	for _, p := range pairsOfBodies {
		f.Add([]byte(p[0]), []byte(p[1]))
	}
	f.Fuzz(func(t *testing.T, before, body []byte) {
		earlier := cutAfter(nil, before)
		if earlier == nil {
			return
		}
		(&bodies{}).keepSkeleton(&span.Batch{Span: &span.Span{}}, earlier)
		want, got := cutAfter(nil, body), cutAfter(earlier, body)
		if got != nil && got.skeleton != (span.Hash{}) {
			if got.skeleton != hash(skeletonOf(got.head, got.tail)) {
				t.Fatalf("%q after %q has another skeleton", body, before)
			}
			got.skeleton, got.frame = span.Hash{}, nil
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("%q after %q: %+v, want %+v", body, before, got, want)
		}
	})
}

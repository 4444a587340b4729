package pebble

import (
	"testing"

	"weir/internal/span"
)

func TestRecentHoldsTheEndOfTheQueue(t *testing.T) {
	var r recent
	for seq := uint64(5); seq <= 9; seq++ {
		r.add(seq, &span.Span{HTTP: int(seq)}, 10)
	}
	for _, tc := range []struct{ after, upto, from, n uint64 }{
		{0, 9, 5, 5}, {6, 9, 7, 3}, {6, 8, 7, 2}, {9, 9, 0, 0}, {0, 10, 0, 0}, {0, 4, 0, 0},
	} {
		from, spans := r.tail(tc.after, tc.upto)
		if from != tc.from || uint64(len(spans)) != tc.n || tc.n > 0 && spans[0].HTTP != int(tc.from) {
			t.Errorf("after %d up to %d: %d spans from %d, want %d from %d", tc.after, tc.upto, len(spans), from, tc.n, tc.from)
		}
	}
	r.trim(7)
	if from, spans := r.tail(0, 9); from != 8 || len(spans) != 2 {
		t.Errorf("after trimming: %d spans from %d", len(spans), from)
	}
	r.add(11, &span.Span{}, 10) // 10 was passed over: what is before is not whole
	if from, spans := r.tail(0, 11); from != 11 || len(spans) != 1 {
		t.Errorf("behind a gap: %d spans from %d", len(spans), from)
	}
	r.add(12, &span.Span{}, recentBytes)
	if from, spans := r.tail(0, 12); from != 12 || len(spans) != 1 || r.bytes > recentBytes {
		t.Errorf("over the bound: %d spans from %d, %d bytes", len(spans), from, r.bytes)
	}
}

// What was read before something went away must not come back after it.
func TestWrittenForgets(t *testing.T) {
	var w written
	w.add([]pair{{"a", []byte("1")}})
	before := w.now()
	w.forget()
	w.remember(before, pair{"b", []byte("2")})
	if w.get([]byte("a")) != nil || w.get([]byte("b")) != nil {
		t.Error("what was forgotten is there")
	}
	w.remember(w.now(), pair{"b", []byte("2")})
	if string(w.get([]byte("b"))) != "2" {
		t.Error("what is there is not held")
	}
	w.add([]pair{{"huge", make([]byte, writtenBytes)}})
	if w.get([]byte("huge")) != nil || w.get([]byte("b")) == nil {
		t.Error("a body over the bound is held, or has driven out the others")
	}
	for _, k := range []string{"c", "d"} {
		w.add([]pair{{k, make([]byte, writtenBytes/2-1)}})
	}
	if w.get([]byte("b")) != nil || w.get([]byte("c")) == nil || w.get([]byte("d")) == nil {
		t.Error("the oldest is held, or the newest is not")
	}
}

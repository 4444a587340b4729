package pebble

import (
	"context"
	"errors"
	"testing"

	"weir/internal/fault"
	"weir/internal/span"
)

func TestApply(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{})
	wait, err := s.Apply(t.Context(), quoted("t1", "a", "s1", question, answer))
	if err != nil {
		t.Fatal(err)
	}
	wantPreviews(t, s, "t1", "a", question, answer) // at once
	second, err := s.Apply(t.Context(), quoted("t2", "a", "s1", question, answer))
	if err := errors.Join(err, wait(), second()); err != nil {
		t.Fatal(err)
	}
	if n := s.Committed(); n != 2 {
		t.Errorf("committed up to %d", n)
	}
	if _, err := s.Apply(t.Context(), &span.Batch{Span: &span.Span{}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a span without ids: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.gate <- struct{}{} // someone else has it
	if _, err := s.Apply(gone, quoted("t3", "a", "", question, answer)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone: %v", err)
	}
	<-s.gate
	if n := len(s.flights.to); n != 0 {
		t.Errorf("%d places are still on their way", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir, Options{})
	defer closer(t, s)()
	wantPreviews(t, s, "t2", "a", question, answer)
}

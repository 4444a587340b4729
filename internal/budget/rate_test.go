package budget

import (
	"testing"
	"time"

	"weir/internal/fault"
)

// TestRatesOutliveAClockSetBack: hours back must not mean hours of refusals, nor a fresh window.
func TestRatesOutliveAClockSetBack(t *testing.T) {
	cl := &clock{at: now.Truncate(time.Minute)}
	r := NewRates(cl.Now)
	take := func() error { _, err := r.Take("k", 3, 100, 10); return err }
	for range 3 {
		if err := take(); err != nil {
			t.Fatal(err)
		}
	}
	cl.advance(-2 * time.Hour)
	err := take()
	if !fault.Is(err, fault.RateLimited) {
		t.Fatalf("the window is forgotten: %v", err)
	}
	if wait := err.(*fault.Error).RetryAfter; wait > 2*time.Minute {
		t.Errorf("retry after %v", wait)
	}
	cl.advance(2 * time.Minute)
	for range 3 {
		if err := take(); err != nil {
			t.Fatal(err)
		}
	}
	if take() == nil {
		t.Error("a fourth call passes in a minute of three")
	}
}

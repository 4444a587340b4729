package share

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var l limiter
	for i := range burst {
		if !l.allow("a", now) {
			t.Fatalf("request %d is refused", i)
		}
	}
	if l.allow("a", now) {
		t.Error("a burst has no end")
	}
	if !l.allow("b", now) {
		t.Error("one address uses up another's share")
	}
	now = now.Add(time.Second)
	n := 0
	for l.allow("a", now) {
		n++
	}
	if n != perSecond {
		t.Errorf("%d requests after a second, want %d", n, perSecond)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var l limiter
	for i := range 3 * maxAddresses {
		l.allow(fmt.Sprint(i), now)
	}
	if len(l.seen) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(l.seen))
	}
}

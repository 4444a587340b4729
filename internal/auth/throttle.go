package auth

import (
	"maps"
	"slices"
	"sync"
	"time"

	"weir/internal/fault"
)

// throttle slows down guessing: after maxFailures wrong passwords for one account from one address, or ten times that
// from one address for any accounts, further ones are refused until the window is over. It holds at most maxTracked
// entries; when full it forgets those whose window is over, else the older half.
type throttle struct {
	mu    sync.Mutex
	since map[string]*failures
}

type failures struct {
	first time.Time
	n     int
}

const (
	maxFailures   = 10
	failureWindow = 5 * time.Minute
	maxTracked    = 10_000
)

func newThrottle() *throttle { return &throttle{since: map[string]*failures{}} }

// allow refuses with fault.RateLimited.
func (t *throttle) allow(ip, account string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, most := range limits(ip, account) {
		f := t.since[key]
		if f == nil || f.n < most || now.Sub(f.first) >= failureWindow {
			continue
		}
		e := fault.New(fault.RateLimited, "too many failed logins, try again later")
		e.RetryAfter = max(f.first.Add(failureWindow).Sub(now), time.Second)
		return e
	}
	return nil
}

func (t *throttle) failed(ip, account string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range limits(ip, account) {
		f := t.since[key]
		if f == nil || now.Sub(f.first) >= failureWindow {
			t.makeRoom(now)
			f = &failures{first: now}
			t.since[key] = f
		}
		f.n++
	}
}

func limits(ip, account string) map[string]int {
	return map[string]int{"a\x00" + ip + "\x00" + account: maxFailures, "i\x00" + ip: 10 * maxFailures}
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.since) < maxTracked {
		return
	}
	maps.DeleteFunc(t.since, func(_ string, f *failures) bool { return now.Sub(f.first) >= failureWindow })
	if len(t.since) < maxTracked {
		return
	}
	oldest := slices.SortedFunc(maps.Keys(t.since), func(a, b string) int { return t.since[a].first.Compare(t.since[b].first) })
	for _, key := range oldest[:len(oldest)/2] { // many at once, so that a flood does not sort for each guess
		delete(t.since, key)
	}
}

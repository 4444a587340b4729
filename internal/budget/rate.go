package budget

import (
	"sync"
	"time"

	"weir/internal/fault"
	"weir/internal/tenant"
)

// Rates limit requests and tokens per minute by sliding windows: the last whole minute, weighed by how much of it is
// still within sixty seconds, plus the running one.
type Rates struct {
	now func() time.Time
	all sync.Map // tenant.KeyID → *meter
}

type meter struct {
	mu               sync.Mutex
	requests, tokens window
}

// window counts in minutes.
type window struct {
	minute    int64
	cur, prev int64
}

// NewRates returns empty windows; now nil means time.Now.
func NewRates(now func() time.Time) *Rates {
	if now == nil {
		now = time.Now
	}
	return &Rates{now: now}
}

func (w *window) roll(now time.Time) {
	switch m := now.Unix() / 60; {
	case m == w.minute+1:
		w.prev, w.cur, w.minute = w.cur, 0, m
	case m > w.minute+1:
		w.prev, w.cur, w.minute = 0, 0, m
	case m < w.minute-1: // the clock was set back; what was counted stays, as of this minute
		w.minute = m
	}
}

// used is the weighed count of the last sixty seconds.
func (w *window) used(now time.Time) float64 {
	into := float64(now.UnixNano()-w.minute*60e9) / 60e9
	return float64(w.prev)*(1-min(max(into, 0), 1)) + float64(w.cur)
}

// wait is how long until n more fit below limit, at least a second and rounded up.
func (w *window) wait(now time.Time, n, limit int64) time.Duration {
	return max(w.exactWait(now, n, limit).Truncate(time.Millisecond)+time.Millisecond, time.Second)
}

func (w *window) exactWait(now time.Time, n, limit int64) time.Duration {
	into := now.UnixNano() - w.minute*60e9
	share := 0.0 // of the previous minute that may still count
	if room := float64(limit - n - w.cur); room >= 0 && w.prev > 0 {
		share = room / float64(w.prev)
		return time.Duration((1-share)*60e9) - time.Duration(into)
	}
	// Not within this minute: then cur becomes prev and decays.
	if w.cur > 0 {
		share = min(max(float64(limit-n)/float64(w.cur), 0), 1)
	}
	return time.Duration(60e9-into) + time.Duration((1-share)*60e9)
}

// Take admits one request with an estimate of its tokens, or returns fault.RateLimited with RetryAfter. A limit of 0
// is none. A single request above the token limit is admitted while the window is empty; otherwise it never could be.
// The function returned corrects the estimate once the real count is known; it must be called once.
func (r *Rates) Take(key tenant.KeyID, rpm, tpm, tokens int64) (func(actual int64), error) {
	if rpm <= 0 && tpm <= 0 {
		return func(int64) {}, nil
	}
	v, ok := r.all.Load(key)
	if !ok {
		v, _ = r.all.LoadOrStore(key, &meter{})
	}
	m := v.(*meter)
	now := r.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.roll(now)
	m.tokens.roll(now)
	if used := m.requests.used(now); rpm > 0 && used+1 > float64(rpm) {
		return nil, limited("RPM", rpm, used, m.requests.wait(now, 1, rpm))
	}
	tokens = max(tokens, 0)
	if used := m.tokens.used(now); tpm > 0 && used > 0 && used+float64(tokens) > float64(tpm) {
		return nil, limited("TPM", tpm, used, m.tokens.wait(now, min(tokens, tpm), tpm))
	}
	m.requests.cur++
	m.tokens.cur += tokens
	minute := m.tokens.minute
	return func(actual int64) { r.correct(m, minute, max(actual, 0)-tokens) }, nil
}

// correct adjusts the window the tokens were counted in, if it still matters.
func (r *Rates) correct(m *meter, minute, delta int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens.roll(r.now())
	switch minute {
	case m.tokens.minute:
		m.tokens.cur = max(m.tokens.cur+delta, 0)
	case m.tokens.minute - 1:
		m.tokens.prev = max(m.tokens.prev+delta, 0)
	}
}

func limited(what string, limit int64, used float64, wait time.Duration) error {
	e := fault.New(fault.RateLimited, "Rate limit exceeded: crossed %s limit of this key. Current usage: %d, limit: %d", what, int64(used), limit)
	e.RetryAfter = wait
	return e
}

package budget

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/tenant"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) // a Wednesday

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "15m": 15 * time.Minute, "24h": 24 * time.Hour, "30d": 720 * time.Hour, "2w": 336 * time.Hour, "1mo": 720 * time.Hour, " 1d ": 24 * time.Hour,
	} {
		if got, err := ParseDuration(s); got != want || err != nil {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "30", "0d", "-1d", "1y", "1.5d", "1dd", "d1", "99999999999999d", "1 d", "3650000d"} {
		if got, err := ParseDuration(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestBounds(t *testing.T) {
	sunday := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	tokyo := time.FixedZone("", 9*3600)
	for name, c := range map[string]struct {
		budget     tenant.Budget
		at         time.Time
		start, end time.Time
	}{
		"none":              {tenant.Budget{}, now, time.Time{}, time.Time{}},
		"unknown":           {tenant.Budget{Period: "soon"}, now, time.Time{}, time.Time{}},
		"day":               {tenant.Budget{Period: "1d"}, now, day(2026, 3, 4), day(2026, 3, 5)},
		"24 hours":          {tenant.Budget{Period: "24h"}, now, day(2026, 3, 4), day(2026, 3, 5)},
		"day in Tokyo":      {tenant.Budget{Period: "1d"}, time.Date(2026, 3, 4, 3, 0, 0, 0, tokyo), day(2026, 3, 3), day(2026, 3, 4)},
		"week":              {tenant.Budget{Period: "7d"}, now, day(2026, 3, 2), day(2026, 3, 9)},
		"week on Sunday":    {tenant.Budget{Period: "7d"}, sunday, day(2026, 2, 23), day(2026, 3, 2)},
		"week on Monday":    {tenant.Budget{Period: "1w"}, day(2026, 3, 2), day(2026, 3, 2), day(2026, 3, 9)},
		"month":             {tenant.Budget{Period: "30d"}, now, day(2026, 3, 1), day(2026, 4, 1)},
		"December":          {tenant.Budget{Period: "1mo"}, day(2026, 12, 31), day(2026, 12, 1), day(2027, 1, 1)},
		"hour, anchored":    {tenant.Budget{Period: "1h", ResetAt: now.Add(10 * time.Minute)}, now, now.Add(-50 * time.Minute), now.Add(10 * time.Minute)},
		"on the boundary":   {tenant.Budget{Period: "1h", ResetAt: now}, now, now, now.Add(time.Hour)},
		"long after":        {tenant.Budget{Period: "3d", ResetAt: day(2026, 1, 1)}, day(2026, 1, 8), day(2026, 1, 7), day(2026, 1, 10)},
		"before anything":   {tenant.Budget{Period: "30s", ResetAt: now}, now.Add(-31 * time.Second), now.Add(-60 * time.Second), now.Add(-30 * time.Second)},
		"without an anchor": {tenant.Budget{Period: "12h"}, now, day(2026, 3, 4), day(2026, 3, 4).Add(12 * time.Hour)},
	} {
		if start, end := Bounds(c.budget, c.at); !start.Equal(c.start) || !end.Equal(c.end) {
			t.Errorf("%s: %v – %v", name, start, end)
		}
	}
	if a := Anchor("1h", now); !a.Equal(now.Add(time.Hour)) || !Anchor("1d", now).IsZero() || !Anchor("", now).IsZero() {
		t.Error(a)
	}
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func limit(scope tenant.Scope, id string, most money.Nano, period string) tenant.Account {
	return tenant.Account{Scope: scope, ID: id, Budget: tenant.Budget{Max: &most, Period: period}}
}

func TestReserve(t *testing.T) {
	c := NewCounters(func() time.Time { return now })
	key, team := limit(tenant.ScopeKey, "k", 100, ""), limit(tenant.ScopeTeam, "t", 60, "")
	both := []tenant.Account{key, team}
	a, err := c.Reserve(both, 50)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reserve(both, 11); !fault.Is(err, fault.BudgetExceeded) || !strings.Contains(err.Error(), "Team=t") {
		t.Fatal(err)
	}
	b, err := c.Reserve([]tenant.Account{key}, 50) // the refused one gave everything back
	if err != nil {
		t.Fatal(err)
	}
	a.Settle(20)
	a.Settle(1000) // only the first counts
	b.Release()
	if got := c.Spent(tenant.ScopeKey, "k", key.Budget); got != 20 {
		t.Errorf("spent %d", got)
	}
	if _, err := c.Reserve(both, 40); err != nil {
		t.Error(err)
	}
	if got := c.Spent(tenant.ScopeKey, "unknown", key.Budget); got != 0 {
		t.Errorf("spent %d", got)
	}
}

func TestExceededWording(t *testing.T) {
	for _, c := range []struct {
		account tenant.Account
		want    string
	}{
		{limit(tenant.ScopeKey, "k", 2*money.Dollar, ""), "Budget has been exceeded! Current cost: 2.5, Max budget: 2.0"},
		{limit(tenant.ScopeTeam, "t", 2*money.Dollar, ""), "Budget has been exceeded! Team=t Current cost: 2.5, Max budget: 2.0"},
		{limit(tenant.ScopeUser, "u", 2*money.Dollar, ""), "ExceededBudget: User=u over budget. Spend=2.5, Budget=2.0"},
	} {
		counters := NewCounters(nil)
		accounts := []tenant.Account{c.account}
		r, err := counters.Reserve(accounts, money.Dollar)
		if err != nil {
			t.Fatal(err)
		}
		r.Settle(5 * money.Dollar / 2)
		if _, err := counters.Reserve(accounts, 0); err == nil || err.Error() != c.want {
			t.Errorf("%v", err)
		}
	}
	zero := limit(tenant.ScopeKey, "z", 0, "")
	if _, err := NewCounters(nil).Reserve([]tenant.Account{zero}, 0); !fault.Is(err, fault.BudgetExceeded) {
		t.Error("a budget of nothing allows calls:", err)
	}
}

func TestWindowsReset(t *testing.T) {
	cl := &clock{at: now}
	c := NewCounters(cl.Now)
	a := []tenant.Account{limit(tenant.ScopeKey, "k", 100, "1d")}
	late, err := c.Reserve(a, 60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reserve(a, 60); err == nil {
		t.Fatal("over budget")
	}
	cl.advance(19 * time.Hour) // past midnight: what is in flight still counts
	if _, err := c.Reserve(a, 60); err == nil {
		t.Fatal("a reservation was forgotten at midnight")
	}
	late.Settle(60)
	if got := c.Spent(tenant.ScopeKey, "k", a[0].Budget); got != 60 {
		t.Errorf("settled in the new window: %d", got)
	}
	cl.advance(24 * time.Hour)
	if r, err := c.Reserve(a, 100); err != nil {
		t.Error(err)
	} else {
		r.Release()
	}
	if got := c.ResetAt(a[0].Budget); !got.Equal(day(2026, 3, 7)) {
		t.Error(got)
	}
}

// A longer period begins before the window that was counted so far; what is spent from then on must still count.
func TestLongerPeriodKeepsCounting(t *testing.T) {
	cl := &clock{at: now}
	c := NewCounters(cl.Now)
	spend := func(period string, amount money.Nano) error {
		r, err := c.Reserve([]tenant.Account{limit(tenant.ScopeKey, "k", 100, period)}, amount)
		if err == nil {
			r.Settle(amount)
		}
		return err
	}
	if err := spend("1d", 30); err != nil {
		t.Fatal(err)
	}
	if err := spend("30d", 60); err != nil {
		t.Fatal(err)
	}
	if err := spend("30d", 20); !fault.Is(err, fault.BudgetExceeded) {
		t.Error("spend after the change did not count:", err)
	}
	if got := c.Spent(tenant.ScopeKey, "k", tenant.Budget{Period: "30d"}); got != 90 {
		t.Errorf("spent %d", got)
	}
}

type rows struct {
	Rows
	spends []AccountSpend
}

func (r rows) Spends(context.Context) ([]AccountSpend, error) { return r.spends, nil }

func TestLoad(t *testing.T) {
	c := NewCounters(func() time.Time { return now })
	daily := limit(tenant.ScopeKey, "k", 100, "1d").Budget
	err := c.Load(t.Context(), rows{spends: []AccountSpend{
		{tenant.ScopeKey, "k", Spend{Total: 500, Window: 70, Start: day(2026, 3, 4)}}, {tenant.ScopeKey, "old", Spend{Total: 500, Window: 70, Start: day(2026, 3, 3)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Spent(tenant.ScopeKey, "k", daily); got != 70 {
		t.Error(got)
	}
	if got := c.Spent(tenant.ScopeKey, "old", daily); got != 0 {
		t.Error("yesterday's window:", got)
	}
	if got := c.Spent(tenant.ScopeKey, "k", tenant.Budget{}); got != 500 {
		t.Error("without a period all counts:", got)
	}
}

// TestOverrun is the promise: spend exceeds a limit at most by what calls in flight at the moment of crossing cost
// beyond their reservations, whatever the order of things.
func TestOverrun(t *testing.T) {
	for seed := range uint64(20) {
		c := NewCounters(func() time.Time { return now })
		const most = 10_000
		accounts := []tenant.Account{limit(tenant.ScopeKey, "k", most, ""), limit(tenant.ScopeUser, "u", most/2, "")}
		var mu sync.Mutex
		var overrun, spent money.Nano // overrun: Σ max(actual − reserved, 0) of all calls
		var wg sync.WaitGroup
		for w := range uint64(8) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(seed, w))
				for range 200 {
					reserved, actual := money.Nano(rng.Int64N(100)), money.Nano(rng.Int64N(120))
					r, err := c.Reserve(accounts[:1+rng.IntN(2)], reserved)
					if err != nil {
						continue
					}
					if rng.IntN(4) == 0 {
						r.Release()
						continue
					}
					mu.Lock()
					overrun += max(actual-reserved, 0)
					spent += actual
					mu.Unlock()
					r.Settle(actual)
				}
			})
		}
		wg.Wait()
		got := c.Spent(tenant.ScopeKey, "k", accounts[0].Budget)
		if got != spent {
			t.Fatalf("spent %d, counted %d", spent, got)
		}
		if got > most+overrun {
			t.Fatalf("spent %d of %d with an overrun of %d", got, most, overrun)
		}
		for _, a := range accounts {
			if n := c.of(accountKey{a.Scope, a.ID}); n.reserved != 0 {
				t.Fatalf("%d are still reserved on %s", n.reserved, a.ID)
			}
		}
	}
}

func TestExactReservationsNeverOverrun(t *testing.T) {
	c := NewCounters(nil)
	accounts := []tenant.Account{limit(tenant.ScopeKey, "k", 1000, "")}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				if r, err := c.Reserve(accounts, 7); err == nil {
					r.Settle(7)
				}
			}
		})
	}
	wg.Wait()
	if got := c.Spent(tenant.ScopeKey, "k", accounts[0].Budget); got != 994 {
		t.Fatalf("spent %d, want the last multiple of 7 below 1000", got)
	}
}

func TestRequestRate(t *testing.T) {
	cl := &clock{at: now.Truncate(time.Minute)}
	r := NewRates(cl.Now)
	take := func() error { _, err := r.Take("k", 10, 0, 1); return err }
	for range 10 {
		if err := take(); err != nil {
			t.Fatal(err)
		}
	}
	err := take()
	if !fault.Is(err, fault.RateLimited) {
		t.Fatal(err)
	}
	var f *fault.Error
	if f = err.(*fault.Error); f.RetryAfter < time.Minute || f.RetryAfter > 67*time.Second {
		t.Errorf("retry after %v", f.RetryAfter)
	}
	if _, err := r.Take("other", 10, 0, 1); err != nil {
		t.Error("another key is limited:", err)
	}
	cl.advance(f.RetryAfter)
	if err := take(); err != nil {
		t.Error("waiting as told does not help:", err)
	}
	if err := take(); err == nil {
		t.Error("two calls pass where one fits")
	}
	cl.advance(2 * time.Minute)
	if err := take(); err != nil {
		t.Error(err)
	}
}

func TestTokenRate(t *testing.T) {
	cl := &clock{at: now.Truncate(time.Minute)}
	r := NewRates(cl.Now)
	big, err := r.Take("k", 0, 100, 5000) // alone in its window
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Take("k", 0, 100, 1); !fault.Is(err, fault.RateLimited) || !strings.Contains(err.Error(), "TPM") {
		t.Fatal(err)
	}
	big(40)
	small, err := r.Take("k", 0, 100, 60)
	if err != nil {
		t.Fatal("the correction did not free the window:", err)
	}
	cl.advance(time.Minute)
	small(0) // belongs to the previous minute
	v, _ := r.all.Load(tenant.KeyID("k"))
	if m := v.(*meter); m.tokens.prev != 40 || m.tokens.cur != 0 {
		t.Errorf("%+v", m.tokens)
	}
	settle, err := r.Take("free", 0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	settle(5)
}

func TestLimiterGivesBudgetBackWhenRateRefuses(t *testing.T) {
	l := NewLimiter(func() time.Time { return now })
	who := &tenant.Identity{Key: "k", RPM: 1, Accounts: []tenant.Account{limit(tenant.ScopeKey, "k", 100, "")}}
	settle, err := l.Reserve(who, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Reserve(who, 10, 0); !fault.Is(err, fault.RateLimited) {
		t.Fatal(err)
	}
	settle(10, 5)
	n := l.of(accountKey{tenant.ScopeKey, "k"})
	if n.reserved != 0 || n.spend.Total != 10 {
		t.Fatalf("%+v", n)
	}
}

func TestCountingHasARateOfItsOwn(t *testing.T) {
	l := NewLimiter(func() time.Time { return now })
	who, free := &tenant.Identity{Key: "k", RPM: 2, TPM: 1}, &tenant.Identity{Key: "free"}
	for i, want := range []bool{true, true, false} {
		if err := l.Count(who); (err == nil) != want || err != nil && !fault.Is(err, fault.RateLimited) {
			t.Errorf("count %d: %v", i, err)
		}
		if err := l.Count(free); err != nil {
			t.Errorf("without a limit: %v", err)
		}
	}
	if _, err := l.Reserve(who, 0, 1); err != nil {
		t.Errorf("a call after counting: %v", err)
	}
}

func BenchmarkReserve(b *testing.B) {
	l := NewLimiter(nil)
	who := &tenant.Identity{Key: "k", RPM: 1 << 60, Accounts: []tenant.Account{
		limit(tenant.ScopeKey, "k", 1<<62, "1d"), limit(tenant.ScopeUser, "u", 1<<62, "30d"), limit(tenant.ScopeTeam, "t", 1<<62, ""),
	}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			settle, err := l.Reserve(who, 100, 10)
			if err != nil {
				b.Fatal(err)
			}
			settle(90, 9)
		}
	})
}

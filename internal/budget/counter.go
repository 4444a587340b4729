package budget

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/tenant"
)

// Counters hold the spend of every account in memory, with reservations for calls in flight. For every account with
// a limit, spend plus reservations never exceed the limit at admission; so spend overruns it at most by what calls in
// flight cost beyond their reservations.
type Counters struct {
	now func() time.Time
	all sync.Map // accountKey → *counter
}

type accountKey struct {
	scope tenant.Scope
	id    string
}

type counter struct {
	mu       sync.Mutex
	spend    Spend
	reserved money.Nano
}

// NewCounters returns counters at zero; now nil means time.Now.
func NewCounters(now func() time.Time) *Counters {
	if now == nil {
		now = time.Now
	}
	return &Counters{now: now}
}

// Load takes over the spend stored in rows. The ledger must have been applied to them before. It is to be called once,
// before the first call.
func (c *Counters) Load(ctx context.Context, rows Rows) error {
	spends, err := rows.Spends(ctx)
	if err != nil {
		return fmt.Errorf("budget: load spend: %w", err)
	}
	for _, s := range spends {
		n := c.of(accountKey{s.Scope, s.ID})
		n.mu.Lock()
		n.spend = s.Spend
		n.mu.Unlock()
	}
	return nil
}

func (c *Counters) of(k accountKey) *counter {
	if n, ok := c.all.Load(k); ok {
		return n.(*counter)
	}
	n, _ := c.all.LoadOrStore(k, &counter{})
	return n.(*counter)
}

// Reservation is an amount held on some accounts until it is settled. It is not safe for concurrent use, and only the
// first of Settle and Release counts.
type Reservation struct {
	counters *Counters
	accounts []tenant.Account
	amount   money.Nano
	done     bool
}

// Reserve holds amount on all accounts, or on none: then it returns fault.BudgetExceeded about the first that has no
// room. accounts is kept until the reservation ends and must not be changed.
func (c *Counters) Reserve(accounts []tenant.Account, amount money.Nano) (*Reservation, error) {
	amount = max(amount, 0)
	now := c.now()
	for i := range accounts {
		if err := c.hold(&accounts[i], amount, now); err != nil {
			for j := range i {
				c.unhold(&accounts[j], amount)
			}
			return nil, err
		}
	}
	return &Reservation{counters: c, accounts: accounts, amount: amount}, nil
}

func (c *Counters) hold(a *tenant.Account, amount money.Nano, now time.Time) error {
	n := c.of(accountKey{a.Scope, a.ID})
	n.mu.Lock()
	defer n.mu.Unlock()
	if limit := a.Budget.Max; limit != nil {
		spent := n.spend.In(a.Budget, now)
		if used := spent + n.reserved; used >= *limit || amount > *limit-used {
			return exceeded(a, spent, n.reserved, amount)
		}
	}
	n.reserved += amount
	return nil
}

func (c *Counters) unhold(a *tenant.Account, amount money.Nano) {
	n := c.of(accountKey{a.Scope, a.ID})
	n.mu.Lock()
	n.reserved -= amount
	n.mu.Unlock()
}

// Settle replaces the reservation by what was really spent.
func (r *Reservation) Settle(actual money.Nano) {
	if r.done {
		return
	}
	r.done = true
	now := r.counters.now()
	for i := range r.accounts {
		a := &r.accounts[i]
		n := r.counters.of(accountKey{a.Scope, a.ID})
		n.mu.Lock()
		n.reserved -= r.amount
		n.spend.Add(a.Budget, now, max(actual, 0))
		n.mu.Unlock()
	}
}

// Release gives the reservation back.
func (r *Reservation) Release() { r.Settle(0) }

// Spent is what an account has spent in its current window, without reservations.
func (c *Counters) Spent(scope tenant.Scope, id string, b tenant.Budget) money.Nano {
	v, ok := c.all.Load(accountKey{scope, id})
	if !ok {
		return 0
	}
	n := v.(*counter)
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.spend.In(b, c.now())
}

// ResetAt is the end of the budget's current window; zero without a period.
func (c *Counters) ResetAt(b tenant.Budget) time.Time {
	_, end := Bounds(b, c.now())
	return end
}

// exceeded speaks as LiteLLM does, so that clients which look for its words find them.
func exceeded(a *tenant.Account, spent, reserved, amount money.Nano) error {
	cost, limit := dollars(spent), dollars(*a.Budget.Max)
	var msg string
	switch a.Scope {
	case tenant.ScopeUser:
		msg = fmt.Sprintf("ExceededBudget: User=%s over budget. Spend=%s, Budget=%s", a.ID, cost, limit)
	case tenant.ScopeTeam:
		msg = fmt.Sprintf("Budget has been exceeded! Team=%s Current cost: %s, Max budget: %s", a.ID, cost, limit)
	default:
		msg = fmt.Sprintf("Budget has been exceeded! Current cost: %s, Max budget: %s", cost, limit)
	}
	if spent < *a.Budget.Max {
		msg += fmt.Sprintf(". This call may cost up to %s and calls in flight up to %s; ask for fewer max_tokens or raise the budget",
			dollars(amount), dollars(reserved))
	}
	return fault.New(fault.BudgetExceeded, "%s", msg)
}

// dollars prints as Python prints a float: "0.25", "2.0".
func dollars(n money.Nano) string {
	s := strconv.FormatFloat(n.USD(), 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

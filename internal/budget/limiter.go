package budget

import (
	"time"

	"weir/internal/money"
	"weir/internal/tenant"
)

// Limiter is what admits a call: the rates of its key, then the budgets of its accounts.
type Limiter struct {
	*Counters
	Rates    *Rates
	counting *Rates // of requests that only count tokens
}

// NewLimiter returns a Limiter; now nil means time.Now.
func NewLimiter(now func() time.Time) *Limiter {
	return &Limiter{Counters: NewCounters(now), Rates: NewRates(now), counting: NewRates(now)}
}

// Reserve admits a call of who that may cost up to cost and use up to tokens. settle must be called exactly once with
// what it really took; a call refused later settles with zeros, and still counts as a request.
func (l *Limiter) Reserve(who *tenant.Identity, cost money.Nano, tokens int64) (settle func(money.Nano, int64), err error) {
	res, err := l.Counters.Reserve(who.Accounts, cost)
	if err != nil {
		return nil, err
	}
	correct, err := l.Rates.Take(who.Key, who.RPM, who.TPM, tokens)
	if err != nil {
		res.Release()
		return nil, err
	}
	return func(cost money.Nano, tokens int64) {
		res.Settle(cost)
		correct(tokens)
	}, nil
}

// Count admits a request that only counts tokens. It has a window of its own beside that of calls, with the same limit on
// requests, as at Anthropic: agents count before they call.
func (l *Limiter) Count(who *tenant.Identity) error {
	_, err := l.counting.Take(who.Key, who.RPM, 0, 0)
	return err
}

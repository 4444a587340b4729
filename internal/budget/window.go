// Package budget keeps spend below its limits: counters per key, user and team with reservations for calls in flight,
// and request and token rates per key. Counters live in memory; the ledger, applied to rows, is what survives.
package budget

import (
	"strconv"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/tenant"
)

// Period is a parsed budget period: calendar days, weeks or months, or a fixed duration.
type Period struct {
	Calendar string        // "day", "week", "month", or "" for Every
	Every    time.Duration // of a fixed period; 0 with Calendar "" means no period
}

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// maxDuration is a hundred years: far beyond any use, and far from overflow.
const maxDuration = 100 * 366 * 24 * time.Hour

// ParseDuration reads LiteLLM's durations: "30s", "15m", "24h", "30d", "2w", "1mo" (30 days).
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	number := strings.TrimRight(s, "smhdwo")
	unit := s[len(number):]
	n, err := strconv.ParseInt(number, 10, 64)
	each := units[unit]
	if unit == "mo" {
		each = 30 * 24 * time.Hour
	}
	if err != nil || each == 0 || n <= 0 || n > int64(maxDuration/each) {
		return 0, fault.New(fault.Invalid, "%q is not a duration such as \"30s\", \"24h\", \"30d\" or \"1mo\"", s)
	}
	return time.Duration(n) * each, nil
}

// ParsePeriod reads a budget period. "1d" or "24h", "7d" or "1w", and "30d" or "1mo" follow the calendar.
func ParsePeriod(s string) (Period, error) {
	switch s {
	case "":
		return Period{}, nil
	case "1d", "24h":
		return Period{Calendar: "day"}, nil
	case "7d", "1w":
		return Period{Calendar: "week"}, nil
	case "30d", "1mo":
		return Period{Calendar: "month"}, nil
	}
	d, err := ParseDuration(s)
	return Period{Every: d}, err
}

// Anchor is the Budget.ResetAt to store with a budget that begins at created: the first reset of a fixed period, from
// which all others follow. Calendar periods need none.
func Anchor(period string, created time.Time) time.Time {
	p, err := ParsePeriod(period)
	if err != nil || p.Every == 0 {
		return time.Time{}
	}
	return created.Add(p.Every)
}

// Bounds is the window of a budget that holds at, in UTC. Without a period both ends are zero: spend counts for ever.
func Bounds(b tenant.Budget, at time.Time) (start, end time.Time) {
	p, err := ParsePeriod(b.Period)
	if err != nil {
		return time.Time{}, time.Time{} // stored budgets are validated; an unknown period must not reset spend
	}
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch p.Calendar {
	case "day":
		return day, day.AddDate(0, 0, 1)
	case "week":
		monday := day.AddDate(0, 0, -int(at.Weekday()+6)%7)
		return monday, monday.AddDate(0, 0, 7)
	case "month":
		first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		return first, first.AddDate(0, 1, 0)
	}
	if p.Every == 0 {
		return time.Time{}, time.Time{}
	}
	anchor := b.ResetAt
	if anchor.IsZero() {
		anchor = time.Unix(0, 0)
	}
	into := at.Sub(anchor) % p.Every
	if into < 0 {
		into += p.Every
	}
	start = at.Add(-into).UTC()
	return start, start.Add(p.Every)
}

// Spend is what one account has spent: ever, and in the window that began at Start.
type Spend struct {
	Total  money.Nano
	Window money.Nano
	Start  time.Time
}

// In is what counts against a budget at a time: the spend of its current window, or all without a period.
func (s *Spend) In(b tenant.Budget, at time.Time) money.Nano {
	start, _ := Bounds(b, at)
	switch {
	case start.IsZero():
		return s.Total
	case start.After(s.Start):
		return 0
	}
	return s.Window
}

// Add charges cost at a time. A charge that belongs to a window already over counts towards the total only. Where the
// period has become longer, the window opens earlier and keeps what it holds.
func (s *Spend) Add(b tenant.Budget, at time.Time, cost money.Nano) {
	s.Total += cost
	start, end := Bounds(b, at)
	switch {
	case start.IsZero(): // no window
		s.Window += cost
	case start.After(s.Start):
		s.Window, s.Start = cost, start
	case end.After(s.Start):
		s.Window, s.Start = s.Window+cost, start
	}
}

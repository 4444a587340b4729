// Package money counts in integer nano-dollars, so that sums of many small costs are exact and order does not matter.
package money

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Nano is an amount of US dollars times 10⁹. int64 holds about ±9.2 billion dollars.
type Nano int64

// Dollar is one US dollar.
const Dollar Nano = 1_000_000_000

// FromUSD rounds a float of dollars to the nearest nano-dollar, saturating at the ends of the range; NaN is 0.
func FromUSD(usd float64) Nano {
	n := math.Round(usd * float64(Dollar))
	switch {
	case math.IsNaN(n):
		return 0
	case n >= math.MaxInt64:
		return math.MaxInt64
	case n <= math.MinInt64:
		return math.MinInt64
	}
	return Nano(n)
}

// USD is the amount in dollars, for wire formats that carry floats.
func (n Nano) USD() float64 { return float64(n) / float64(Dollar) }

// String prints dollars without trailing zeros, such as "$0.001234".
func (n Nano) String() string {
	sign := ""
	u := uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	s := fmt.Sprintf("%s$%d.%09d", sign, u/uint64(Dollar), u%uint64(Dollar))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Rate is a price in femto-dollars (10⁻¹⁵ USD) per token. Prices are quoted down to hundredths of a dollar per
// million tokens, which is 10⁻⁸ USD a token; femto-dollars hold every quoted price exactly.
type Rate int64

// RateFromUSD converts a price in dollars per token.
func RateFromUSD(usd float64) Rate { return Rate(math.Round(usd * 1e15)) }

// Of is the cost of n tokens at the rate, rounded half up to a nano-dollar. Negative rates and counts cost nothing;
// a product over the range saturates, since token counts come from outside.
func (r Rate) Of(n int64) Nano {
	const perNano, half = 1_000_000, 500_000
	if r <= 0 || n <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(r), uint64(n))
	lo, carry := bits.Add64(lo, half, 0)
	hi += carry
	if hi >= perNano {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, perNano)
	return Nano(min(q, math.MaxInt64))
}

// USD is the rate in dollars per token.
func (r Rate) USD() float64 { return float64(r) / 1e15 }

// Package pricing turns usage into cost: four disjoint buckets of tokens times a price, with the source of the figure.
package pricing

import (
	"weir/internal/catalog"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

// Cost is span.Cost; pricing fills it.
type Cost = span.Cost

// Of prices usage. Rates of the highest tier whose threshold the whole prompt exceeds apply to all of it, as providers
// bill it. Cache buckets without a price of their own are charged as plain input.
func Of(u llm.Usage, p catalog.Prices) Cost {
	if !p.Priced() {
		return Cost{Source: span.CostUnpriced}
	}
	r := ratesFor(u.Prompt(), p)
	text, audio := split(u.Input, u.AudioInput)
	out, spoken := split(u.Output, u.AudioOutput)
	c := Cost{
		Input:      r.Input.Of(text) + or(p.AudioInput, r.Input).Of(audio),
		CacheRead:  or(r.CacheRead, r.Input).Of(u.CacheRead),
		CacheWrite: or(r.CacheWrite, r.Input).Of(u.CacheWrite) + or(r.CacheWrite1h, or(r.CacheWrite, r.Input)).Of(u.CacheWrite1h),
		Output:     r.Output.Of(out) + or(p.AudioOutput, r.Output).Of(spoken),
		Source:     span.CostMeasured,
		Book:       p.Book,
	}
	if u.Estimated {
		c.Source = span.CostEstimated
	}
	c.Total = c.Input + c.CacheRead + c.CacheWrite + c.Output
	return c
}

// DearestInput is the highest rate an input token can cost, for reservations.
func DearestInput(p catalog.Prices) money.Rate {
	m := max(p.Input, p.CacheWrite, p.CacheWrite1h, p.AudioInput)
	for _, t := range p.Tiers {
		m = max(m, t.Input, t.CacheWrite, t.CacheWrite1h)
	}
	return m
}

// DearestOutput is the highest rate an output token can cost, for reservations.
func DearestOutput(p catalog.Prices) money.Rate {
	m := max(p.Output, p.AudioOutput)
	for _, t := range p.Tiers {
		m = max(m, t.Output)
	}
	return m
}

func ratesFor(prompt int64, p catalog.Prices) catalog.Tier {
	r := catalog.Tier{Input: p.Input, Output: p.Output, CacheRead: p.CacheRead, CacheWrite: p.CacheWrite, CacheWrite1h: p.CacheWrite1h}
	for _, t := range p.Tiers {
		if prompt > t.Above {
			r = catalog.Tier{
				Above: t.Above, Input: or(t.Input, p.Input), Output: or(t.Output, p.Output), CacheRead: or(t.CacheRead, p.CacheRead),
				CacheWrite: or(t.CacheWrite, p.CacheWrite), CacheWrite1h: or(t.CacheWrite1h, p.CacheWrite1h),
			}
		}
	}
	return r
}

// split takes part out of whole; a part larger than the whole is cut to it.
func split(whole, part int64) (rest, taken int64) {
	taken = min(max(part, 0), whole)
	return whole - taken, taken
}

func or(r, fallback money.Rate) money.Rate {
	if r != 0 {
		return r
	}
	return fallback
}

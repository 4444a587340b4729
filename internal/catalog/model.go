// Package catalog knows models: limits, abilities, peculiarities and list prices, from an embedded, versioned book
// that configuration can override. Names are matched with provider prefixes, Bedrock inference-profile regions
// ("us.", "global." …), ARNs and version suffixes taken off.
package catalog

import "weir/internal/money"

// Model is what is known of one upstream model. The zero value means "unknown model": no limits, no prices, and no
// assumptions about what it refuses.
type Model struct {
	ID        string `json:"id"`
	Provider  string `json:"provider"`             // litellm_provider's vocabulary: "openai", "anthropic", "bedrock_converse" …
	Mode      string `json:"mode"`                 // "chat", "embedding" …
	MaxInput  int    `json:"max_input,omitempty"`  // tokens
	MaxOutput int    `json:"max_output,omitempty"` // tokens
	Abilities Abilities
	Quirks    Quirks
	Prices    Prices
	Known     bool // found in the book (or fully described by configuration)
}

// Abilities are what a model can take or do.
type Abilities struct {
	Tools, ParallelTools, Vision, PDF, Audio, Schema, Reasoning, Caching, SystemMessages bool
}

// Quirks are refusals of the real service that a request must be shaped around.
type Quirks struct {
	OneOfTempTopP   bool // refuses temperature and top_p together: top_p is left out
	NoSampling      bool // refuses temperature, top_p and top_k altogether
	Adaptive        bool // wants thinking.type "adaptive" (+ effort) and refuses "enabled"
	CompletionLimit bool // wants max_completion_tokens instead of max_tokens
	CacheTTL1h      bool // takes a cache lifetime of 1h
	NativeSchema    bool // structured output natively; else a forced tool stands in
	Claude          bool // Anthropic family: thinking signatures, cache points, strict alternation
}

// Prices are list prices; zero means not charged or not known (see Model.Known and Priced).
type Prices struct {
	Input, Output, CacheRead, CacheWrite, CacheWrite1h money.Rate
	AudioInput, AudioOutput                            money.Rate
	// Tiers replace the rates above for calls whose whole prompt exceeds a size, dearest last.
	Tiers []Tier
	// Book is the version of the price book, "config" where configuration set the price.
	Book string
}

// Tier is the rates of calls with more than Above prompt tokens. A zero rate falls back to the base rate.
type Tier struct {
	Above                                              int64
	Input, Output, CacheRead, CacheWrite, CacheWrite1h money.Rate
}

// Priced reports whether any price is known.
func (p Prices) Priced() bool { return p.Input != 0 || p.Output != 0 }

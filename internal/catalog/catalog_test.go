package catalog

import (
	"testing"

	"weir/internal/money"
)

func TestLookup(t *testing.T) {
	for _, tc := range []struct {
		provider, model string
		input           float64 // USD per token; 0 = must be unknown
		quirks          Quirks
	}{
		{"bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", 3e-6, Quirks{OneOfTempTopP: true, CacheTTL1h: true, NativeSchema: true, Claude: true}},
		{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3e-6, Quirks{OneOfTempTopP: true, CacheTTL1h: true, NativeSchema: true, Claude: true}},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3e-6,
			Quirks{OneOfTempTopP: true, CacheTTL1h: true, NativeSchema: true, Claude: true}},
		{"bedrock", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3e-6, Quirks{OneOfTempTopP: true, CacheTTL1h: true, NativeSchema: true, Claude: true}},
		{"bedrock", "anthropic.claude-opus-4-7", 5e-6, Quirks{OneOfTempTopP: true, NoSampling: true, Adaptive: true, CacheTTL1h: true, Claude: true}},
		{"anthropic", "claude-3-5-haiku-20241022", 0, Quirks{Claude: true}},
		{"openai", "gpt-4o-2024-08-06", 2.5e-6, Quirks{NativeSchema: true}},
		{"openai", "gpt-5.1", 1.25e-6, Quirks{CompletionLimit: true, NoSampling: true, NativeSchema: true}},
		{"bedrock", "us.amazon.nova-pro-v1:0", 0.8e-6, Quirks{}}, // structured output there is a forced tool, not outputConfig
		{"openai", "my-own-model", 0, Quirks{}},
		{"bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", 0, Quirks{}},
	} {
		m := Lookup(tc.provider, tc.model)
		if tc.input > 0 && (!m.Known || m.Prices.Input != money.RateFromUSD(tc.input)) {
			t.Errorf("%s: input rate %v, want %v", tc.model, m.Prices.Input, money.RateFromUSD(tc.input))
		}
		if tc.input == 0 && m.Prices.Priced() && tc.model != "claude-3-5-haiku-20241022" {
			t.Errorf("%s: must be unknown, got %+v", tc.model, m.Prices)
		}
		if m.Quirks != tc.quirks {
			t.Errorf("%s: quirks %+v, want %+v", tc.model, m.Quirks, tc.quirks)
		}
	}
}

func TestVersionOf(t *testing.T) {
	for id, want := range map[string]int{
		"claude-3-5-sonnet-20241022": 305, "claude-opus-4-1-20250805": 401, "anthropic.claude-sonnet-4-20250514-v1:0": 400,
		"us.anthropic.claude-haiku-4-5-20251001-v1:0": 405, "claude-opus-5": 500, "claude-sonnet-5-5": 505, "claude-fable-5-1": 501,
		"anthropic/claude-sonnet-4.5": 405, "claude-instant-v1": 0,
	} {
		if got := versionOf(id); got != want {
			t.Errorf("versionOf(%q) = %d, want %d", id, got, want)
		}
	}
}

func TestTiersOfBook(t *testing.T) {
	p := Lookup("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0").Prices
	if len(p.Tiers) != 1 || p.Tiers[0].Above != 200_000 || p.Tiers[0].Output != money.RateFromUSD(22.5e-6) {
		t.Fatalf("tiers: %+v", p.Tiers)
	}
	if p.CacheWrite1h != money.RateFromUSD(6e-6) || p.Book == "" {
		t.Fatalf("rates: %+v", p)
	}
}

func TestServes(t *testing.T) {
	for _, tc := range []struct{ model, provider string }{
		{"gpt-4o", "openai"}, {"gpt-99-turbo", "openai"}, {"o9-mini", "openai"},
		{"claude-sonnet-4-5-20250929", "anthropic"}, {"claude-sonnet-99", "anthropic"},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"}, {"amazon.nova-pro-v1:0", "bedrock"}, {"openai.gpt-oss-120b-1:0", "bedrock"},
		{"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", "bedrock"},
		{"my-own-model", ""}, {"gpt", ""}, {"", ""},
	} {
		for _, p := range []string{"openai", "anthropic", "bedrock", "groq"} {
			if got := Serves(p, tc.model); got != (p == tc.provider) {
				t.Errorf("Serves(%q, %q) = %v", p, tc.model, got)
			}
		}
	}
}

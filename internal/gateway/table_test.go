package gateway

import (
	"testing"

	"weir/internal/tenant"
)

func TestNamesOfModels(t *testing.T) {
	p := DefaultPolicy()
	p.Aliases = map[string]string{"best": "sonnet", "wild": "bedrock/eu.anthropic.claude-x"}
	sonnet := "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	table := NewTable([]*Deployment{
		{ID: "a", Group: "sonnet", Target: Target{Provider: "bedrock", Model: sonnet}},
		{ID: "b", Group: "sonnet", Target: Target{Provider: "anthropic", Model: "claude-sonnet-4-5-20250929"}},
		{ID: "c", Group: "bedrock/*", Target: Target{Provider: "bedrock", Model: "*"}},
		{ID: "d", Group: "anthropic/*", Target: Target{Provider: "anthropic", Model: "*"}},
		{ID: "e", Group: "mine/*", Target: Target{Provider: "openai", Model: "*"}},
	}, p)
	for _, tc := range []struct {
		model, name string
		ids         string
	}{
		{"sonnet", "sonnet", "ab"},
		{"best", "sonnet", "ab"},
		{"bedrock/" + sonnet, "sonnet", "a"},
		{sonnet, "sonnet", "a"},
		{"claude-sonnet-4-5-20250929", "sonnet", "b"},
		{"bedrock/eu.amazon.nova-pro-v1:0", "bedrock/eu.amazon.nova-pro-v1:0", "c"},
		{"wild", "bedrock/eu.anthropic.claude-x", "c"},
		{"eu.amazon.nova-pro-v1:0", "bedrock/eu.amazon.nova-pro-v1:0", "c"},
		{"claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5-20251001", "d"},
		{"gpt-4o", "gpt-4o", ""}, // "mine/*" is no provider's own pattern
		{"nothing", "nothing", ""},
	} {
		ids := ""
		ds, err := table.Find(tc.model)
		for _, d := range ds {
			ids += d.ID
		}
		if got := table.Name(tc.model); got != tc.name || ids != tc.ids || (err == nil) != (tc.ids != "") {
			t.Errorf("%s: name %q, deployments %q, error %v; want %q, %q", tc.model, got, ids, err, tc.name, tc.ids)
		}
	}
}

func TestAllowedByWhatANameStandsFor(t *testing.T) {
	table := NewTable([]*Deployment{{Group: "sonnet", Target: Target{Provider: "bedrock", Model: "us.anthropic.claude-x"}}}, DefaultPolicy())
	who := &tenant.Identity{Models: []string{"sonnet"}}
	if err := table.allows(who, "bedrock/us.anthropic.claude-x"); err != nil {
		t.Error("an allowed group's upstream name is refused:", err)
	}
	if err := table.allows(&tenant.Identity{Models: []string{"other"}}, "us.anthropic.claude-x"); err == nil {
		t.Error("an upstream name opens a group that the key may not call")
	}
}

package bedrock

import (
	"maps"
	"slices"
	"strings"

	"weir/internal/jsonx"
	wire "weir/internal/wire/bedrock"
)

// ignored are fields that ask nothing of the model: leaving them out changes no answer.
var ignored = map[string]bool{
	"metadata": true, "parallel_tool_calls": true, "prompt_cache_key": true, "prompt_cache_retention": true,
	"safety_identifier": true, "store": true, "stream_options": true, "user": true, "verbosity": true,
}

// neutral are values with which a field says no more than its absence.
var neutral = map[string][]string{
	"n":                 {"1"},
	"best_of":           {"1"},
	"presence_penalty":  {"0", "0.0"},
	"frequency_penalty": {"0", "0.0"},
	"logprobs":          {"false"},
	"top_logprobs":      {"0"},
	"logit_bias":        {"{}"},
	"modalities":        {`["text"]`},
	"service_tier":      {`"auto"`, `"default"`},
	"echo":              {"false"},
}

// params goes through the fields without a hub meaning: Converse's own are passed on, harmless ones left out, the rest
// refused. Fields are visited in order of name, so that the refusal is always the same one.
func (e *encoder) params() error {
	if e.in.Seed != nil {
		if err := e.unsupported("seed", ""); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.in.Extra)) {
		value := jsonx.Compact(e.in.Extra[name])
		known, err := e.native(name, value)
		if err != nil {
			return err
		}
		if known || harmless(name, string(value)) {
			continue
		}
		if err := e.unsupported(name, ""); err != nil {
			return err
		}
	}
	return nil
}

func harmless(name, value string) bool {
	return ignored[name] || value == "null" || slices.Contains(neutral[name], value) || strings.HasPrefix(name, "litellm_")
}

// native passes on what a client of another dialect may still say in Converse's own words.
func (e *encoder) native(name string, value []byte) (known bool, err error) {
	var into any
	switch name {
	case "additionalModelRequestFields":
		into = &e.extra
	case "requestMetadata":
		into = &e.out.RequestMetadata
	case "performanceConfig":
		e.out.PerformanceConfig = new(wire.PerformanceConfig)
		into = e.out.PerformanceConfig
	case "serviceTier":
		e.out.ServiceTier = new(wire.ServiceTier)
		into = e.out.ServiceTier
	case "guardrailConfig":
		e.out.GuardrailConfig = value
		return true, nil
	default:
		return false, nil
	}
	if jsonx.Unmarshal(value, into) != nil {
		return true, invalid(name, name+" has the wrong type")
	}
	if e.extra == nil { // the field was null
		e.extra = map[string]any{}
	}
	return true, nil
}

package litellm

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/money"
	"weir/internal/tenant"
)

type modelRow struct {
	ModelName     string         `json:"model_name"`
	LitellmParams map[string]any `json:"litellm_params"`
	ModelInfo     map[string]any `json:"model_info"`
}

func (s *Surface) modelInfo(w http.ResponseWriter, r *http.Request) error {
	who, id := edge.Who(r.Context()), r.URL.Query().Get("litellm_model_id")
	rows := []modelRow{}
	for _, d := range s.visible(who) {
		if id == "" || id == d.ID {
			rows = append(rows, modelRowOf(d))
		}
	}
	if id != "" && len(rows) == 0 {
		return fault.Bad("litellm_model_id", "Model id = %s not found on litellm proxy", id)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"data": rows})
}

// visible are the deployments the caller may use, patterns expanded where that is known.
func (s *Surface) visible(who *tenant.Identity) []*gateway.Deployment {
	var out []*gateway.Deployment
	for _, d := range s.Models.Deployments() {
		if who.MayCall(d.Group) == nil {
			out = append(out, d)
		}
		if s.Expand == nil || !strings.Contains(d.Group, "*") {
			continue
		}
		for _, e := range s.Expand(d) {
			if who.MayCall(e.Group) == nil {
				out = append(out, e)
			}
		}
	}
	return out
}

func modelRowOf(d *gateway.Deployment) modelRow {
	params := map[string]any{"model": d.QualifiedModel(), "custom_llm_provider": d.Target.Provider}
	if base := publicURL(d.Target.BaseURL); base != "" {
		params["api_base"] = base
	}
	if d.Target.AWS.Region != "" {
		params["aws_region_name"] = d.Target.AWS.Region
	}
	if d.Drop {
		params["drop_params"] = true
	}
	return modelRow{ModelName: d.Group, LitellmParams: params, ModelInfo: modelInfoOf(d)}
}

// publicURL leaves out what may be secret: user, query and fragment.
func publicURL(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// modelInfoOf is what configuration says over what the catalog knows. Unknown limits and prices are null, as LiteLLM
// has them, so that a client does not take them for zero.
func modelInfoOf(d *gateway.Deployment) map[string]any {
	m := d.Model
	info := map[string]any{
		"id": d.ID, "db_model": d.Origin == tenant.FromAPI, "key": cmp.Or(m.ID, d.Target.Model),
		"max_tokens": countOrNil(m.MaxOutput), "max_input_tokens": countOrNil(m.MaxInput), "max_output_tokens": countOrNil(m.MaxOutput),
		"input_cost_per_token": nil, "output_cost_per_token": nil,
		"cache_creation_input_token_cost": rateOrNil(m.Prices.CacheWrite), "cache_read_input_token_cost": rateOrNil(m.Prices.CacheRead),
		"cache_creation_input_token_cost_above_1hr": rateOrNil(m.Prices.CacheWrite1h),
		"litellm_provider":                          cmp.Or(m.Provider, d.Target.Provider), "mode": cmp.Or(m.Mode, "chat"),
		"supports_vision": m.Abilities.Vision, "supports_prompt_caching": m.Abilities.Caching, "supports_reasoning": m.Abilities.Reasoning,
		"supports_function_calling": m.Abilities.Tools, "supports_tool_choice": m.Abilities.Tools,
		"supports_parallel_function_calling": m.Abilities.ParallelTools, "supports_pdf_input": m.Abilities.PDF,
		"supports_audio_input": m.Abilities.Audio, "supports_response_schema": m.Abilities.Schema,
		"supports_system_messages": m.Abilities.SystemMessages,
	}
	if m.Prices.Priced() {
		info["input_cost_per_token"], info["output_cost_per_token"] = m.Prices.Input.USD(), m.Prices.Output.USD()
	}
	maps.Copy(info, d.Info)
	info["id"] = d.ID
	return info
}

func countOrNil(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func rateOrNil(r money.Rate) any {
	if r == 0 {
		return nil
	}
	return r.USD()
}

package litellm

import (
	"net/http"

	"weir/internal/catalog"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/pricing"
)

// usageBody is OpenAI's usage, whose prompt tokens include cached ones, or Anthropic's, whose input tokens do not.
type usageBody struct {
	PromptTokens     *int64 `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	PromptDetails    struct {
		Cached   int64 `json:"cached_tokens"`
		Creation int64 `json:"cache_creation_tokens"`
	} `json:"prompt_tokens_details"`
	InputTokens   int64 `json:"input_tokens"`
	OutputTokens  int64 `json:"output_tokens"`
	CacheRead     int64 `json:"cache_read_input_tokens"`
	CacheCreation int64 `json:"cache_creation_input_tokens"`
}

func (u usageBody) usage() llm.Usage {
	if u.PromptTokens == nil {
		return llm.Usage{Input: u.InputTokens, CacheRead: u.CacheRead, CacheWrite: u.CacheCreation, Output: u.OutputTokens}
	}
	read, write := max(u.PromptDetails.Cached, u.CacheRead), max(u.PromptDetails.Creation, u.CacheCreation)
	return llm.Usage{Input: max(*u.PromptTokens-read-write, 0), CacheRead: read, CacheWrite: write, Output: u.CompletionTokens}
}

// bytesPerToken is the estimate for a prompt that was not sent to anyone.
const bytesPerToken = 4

func (s *Surface) calculate(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	model := b.text("model")
	answer, hasAnswer := b.value("completion_response")
	messages, hasMessages := b.value("messages")
	var usage llm.Usage
	switch {
	case hasAnswer:
		var c struct {
			Model string    `json:"model"`
			Usage usageBody `json:"usage"`
		}
		if jsonx.Unmarshal(answer, &c) != nil {
			b.problem("completion_response", "dict_type", "Input should be a valid dictionary")
		}
		if model == "" {
			model = c.Model
		}
		usage = c.Usage.usage()
	case hasMessages:
		usage.Input = int64(len(jsonx.Compact(messages)) / bytesPerToken)
	}
	if err := b.err(); err != nil {
		return err
	}
	if model == "" || (!hasAnswer && !hasMessages) {
		return fault.New(fault.Invalid, "Bad Request - Either 'completion_response' with a model, or 'model' and 'messages' must be passed")
	}
	m := s.priced(r, model)
	if !m.Prices.Priced() {
		return fault.Bad("model", "This model isn't mapped yet. model=%s: no price is known for it", headerSafe(model))
	}
	return writeJSON(w, http.StatusOK, map[string]float64{"cost": pricing.Of(usage, m.Prices).Total.USD()})
}

// priced finds the model of a group the caller may use, else of the price book.
func (s *Surface) priced(r *http.Request, model string) catalog.Model {
	for _, d := range s.visible(edge.Who(r.Context())) {
		if d.Group == model || d.QualifiedModel() == model || d.Target.Model == model {
			if d.Model.Prices.Priced() {
				return d.Model
			}
		}
	}
	return s.Lookup(model)
}

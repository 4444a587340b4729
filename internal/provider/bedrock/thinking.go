package bedrock

import (
	"cmp"

	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

const (
	minBudget = 1024
	// answerRoom is what is left for the answer beside a thinking budget, where nothing else sets the limit.
	answerRoom = 4096
)

// budgets are the thinking tokens of an effort, on models that want a number.
var budgets = map[string]int{"minimal": minBudget, "low": minBudget, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16384}

// thinks reports that thinking was switched on, which excludes sampling parameters.
func (e *encoder) thinks() bool {
	t, ok := e.extra["thinking"].(map[string]any)
	return ok && t["type"] != "disabled"
}

// hardNova reports Nova at its highest effort, with which it refuses maxTokens, temperature and topP.
// https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
func (e *encoder) hardNova() bool {
	c, ok := e.extra["reasoningConfig"].(map[string]any)
	return ok && c["maxReasoningEffort"] == "high"
}

// thinking asks for reasoning in the model's own way. A forced tool choice wins over it: the two exclude each other,
// and the choice is the stronger wish.
func (e *encoder) thinking() error {
	t := e.in.Thinking
	if t == nil || t.Mode == "disabled" || t.Mode == "" && (t.Effort == "none" || t.Effort == "" && t.Budget == 0) {
		return nil
	}
	if e.model.Known && !e.model.Abilities.Reasoning {
		return e.unsupported("reasoning_effort", " for this model")
	}
	switch e.family {
	case claude:
		if !e.forced() {
			e.claudeThinking(t)
		}
		return nil
	case nova2:
		e.extra["reasoningConfig"] = map[string]any{"type": "enabled", "maxReasoningEffort": coarse(t.Effort)}
		return nil
	case gptOSS:
		e.extra["reasoning_effort"] = coarse(t.Effort)
		return nil
	}
	return e.unsupported("reasoning_effort", " for this model")
}

// coarse reduces an effort to the three that all models know.
func coarse(effort string) string {
	switch effort {
	case "minimal", "low":
		return "low"
	case "high", "xhigh", "max":
		return "high"
	}
	return "medium"
}

func (e *encoder) claudeThinking(t *llm.Thinking) {
	if e.model.Quirks.Adaptive || t.Mode == "adaptive" && !e.model.Known {
		e.extra["thinking"] = map[string]any{"type": "adaptive"}
		if effort := adaptiveEffort(t); effort != "" {
			e.extra["output_config"] = map[string]any{"effort": effort}
		}
		return
	}
	asked := t.Budget
	if asked == 0 {
		asked = cmp.Or(budgets[t.Effort], budgets["medium"])
	}
	limit := e.in.MaxTokens
	if limit == 0 {
		limit = max(e.model.MaxOutput, max(asked, minBudget)+answerRoom)
	}
	room := limit / 2
	if t.Mode == "enabled" {
		room = limit - 1 // the client's own division
	}
	budget := max(minBudget, min(asked, room))
	if budget >= limit && t.Mode != "enabled" {
		return // no room to think in; a budget the client set itself is left to the service to refuse
	}
	e.extra["thinking"] = map[string]any{"type": "enabled", "budget_tokens": budget}
	e.out.InferenceConfig = &wire.InferenceConfig{MaxTokens: limit}
}

// adaptiveEffort is the client's effort, or the one nearest to its budget. "" leaves it to the model.
func adaptiveEffort(t *llm.Thinking) string {
	switch {
	case t.Effort == "minimal":
		return "low"
	case t.Effort != "" && t.Effort != "none":
		return t.Effort
	case t.Budget == 0 || t.Mode == "adaptive":
		return ""
	case t.Budget <= 2048:
		return "low"
	case t.Budget <= 8192:
		return "medium"
	}
	return "high"
}

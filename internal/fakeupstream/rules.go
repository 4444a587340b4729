package fakeupstream

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// modelSaid precedes what the model itself refuses in Converse, after Bedrock accepted the request's form.
const modelSaid = "The model returned the following errors: "

var idPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// claudeRules are what Claude refuses whatever the wire it is reached by.
func (s *Server) claudeRules(a *ask) *refusal {
	c := &checker{}
	c.sampling(a)
	c.thinking(a)
	c.tokens(a)
	c.cachePoints(a)
	c.toolPairs(a)
	c.signatures(a, s.signer)
	c.lastTurn(a)
	c.choice(a)
	return c.bad
}

func (c *checker) sampling(a *ask) {
	m := a.model
	c.failIf(a.temp != nil && (*a.temp < 0 || *a.temp > 1), "temperature: range: 0..1")
	c.failIf(a.topP != nil && (*a.topP < 0 || *a.topP > 1), "top_p: range: 0..1")
	for _, p := range []struct {
		name  string
		given bool
	}{{"temperature", a.temp != nil}, {"top_p", a.topP != nil}, {"top_k", a.topK != nil}} {
		c.failIf(p.given && m.noSampling(), "`%s` is deprecated for this model.", p.name)
	}
	c.failIf(a.temp != nil && a.topP != nil && m.onePair(), "`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
}

func (c *checker) thinking(a *ask) {
	m, on := a.model, a.think == "enabled" || a.think == "adaptive"
	c.failIf(on && !m.thinks(), "'%s' does not support thinking.", m.ID)
	c.failIf(a.think == "enabled" && m.adaptiveOnly(),
		`"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`)
	c.failIf(a.think == "adaptive" && !m.adaptive(), "adaptive thinking is not supported on this model")
	c.failIf(a.effort != "" && m.Claude < 405, "This model does not support the effort parameter.")
	c.failIf(a.effort != "" && !slices.Contains([]string{"low", "medium", "high", "xhigh", "max"}, a.effort),
		"output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
	if !on {
		return
	}
	const doc = " Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
	c.failIf(a.think == "enabled" && a.budget < 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	c.failIf(a.think == "enabled" && a.budget >= a.maxTokens, "`max_tokens` must be greater than `thinking.budget_tokens`."+doc+"#max-tokens-and-context-window-size")
	c.failIf(a.temp != nil && *a.temp != 1, "`temperature` may only be set to 1 when thinking is enabled."+doc)
	c.failIf(a.topP != nil && *a.topP < 0.95, "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."+doc)
	c.failIf(a.topK != nil, "`top_k` must be unset when thinking is enabled."+doc)
	c.failIf(a.choice == "any" || a.choice == "tool", "Thinking may not be enabled when tool_choice forces tool use.")
	c.startsWithThinking(a)
}

// startsWithThinking holds in manual mode only, for the assistant turn whose tool results are being answered.
func (c *checker) startsWithThinking(a *ask) {
	last := len(a.turns) - 2
	if a.think != "enabled" || last < 0 || !a.turns[last].has(kindUse) || !a.turns[last+1].has(kindResult) {
		return
	}
	first := a.turns[last].parts[0]
	c.failIf(first.kind != kindThinking && first.kind != kindRedacted,
		"%s.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block "+
			"(preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. "+
			"To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
		first.path, first.kind)
}

func (c *checker) tokens(a *ask) {
	m := a.model
	c.failIf(m.MaxOutput > 0 && a.maxTokens > m.MaxOutput,
		"max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", a.maxTokens, m.MaxOutput, m.ID)
}

// cachePoints checks number and order; the order is the one in which the prompt is hashed.
func (c *checker) cachePoints(a *ask) {
	n, short := 0, false
	for _, s := range a.segs {
		if s.mark == "" {
			continue
		}
		n++
		c.failIf(s.mark == "1h" && short, "%s.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "+
			"Note that blocks are processed in the following order: `tools`, `system`, `messages`.", s.path)
		short = short || s.mark == "5m"
	}
	c.failIf(n > 4, "A maximum of 4 blocks with cache_control may be provided. Found %d.", n)
}

// toolPairs demands that every call is answered in the next turn, and nothing else is.
func (c *checker) toolPairs(a *ask) {
	var open, seen []string
	for i, t := range a.turns {
		for _, p := range t.parts {
			if p.kind == kindResult {
				c.failIf(!slices.Contains(open, p.id), "%s: unexpected `tool_use_id` found in `tool_result` blocks: %s. "+
					"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", p.path, p.id)
			}
		}
		if left := missing(open, t.ids(kindResult)); len(left) > 0 {
			c.fail("%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
				"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", a.turns[i-1].path, strings.Join(left, ", "))
		}
		open = t.ids(kindUse)
		for _, id := range open {
			c.failIf(slices.Contains(seen, id), "messages: `tool_use` ids must be unique")
			seen = append(seen, id)
		}
	}
	if n := len(a.turns); n > 0 && len(open) > 0 {
		c.fail("%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
			"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", a.turns[n-1].path, strings.Join(open, ", "))
	}
}

func missing(want, got []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(id string) bool { return slices.Contains(got, id) })
}

func (c *checker) signatures(a *ask, s signer) {
	for _, t := range a.turns {
		for _, p := range t.parts {
			switch p.kind {
			case kindThinking:
				c.failIf(!s.valid(a.model, p.text, p.sig), "%s: Invalid `signature` in `thinking` block", p.path)
			case kindRedacted:
				c.failIf(!s.validRedacted(a.model, p.sig), "%s: Invalid `data` in `redacted_thinking` block", p.path)
			}
		}
	}
}

func (c *checker) lastTurn(a *ask) {
	if len(a.turns) == 0 || a.turns[len(a.turns)-1].role != "assistant" {
		return
	}
	c.failIf(a.model.noPrefill() || a.think == "enabled" || a.think == "adaptive",
		"This model does not support assistant message prefill. The conversation must end with a user message.")
	text := a.turns[len(a.turns)-1].text()
	c.failIf(text != strings.TrimRight(text, " \t\r\n"), "messages: final assistant content cannot end with trailing whitespace")
}

func (c *checker) choice(a *ask) {
	c.failIf(a.choice == "tool" && a.tool(a.forced) == nil, "Tool '%s' not found in provided tools", a.forced)
	for i, t := range a.tools {
		c.failIf(slices.ContainsFunc(a.tools[:i], func(u tool) bool { return u.name == t.name }), "tools: Tool names must be unique.")
	}
}

// said puts Bedrock's words before a model's refusal.
func said(f *refusal) *refusal {
	if f != nil {
		f.msg = modelSaid + f.msg
	}
	return f
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, msg: fmt.Sprintf(format, args...)}
}

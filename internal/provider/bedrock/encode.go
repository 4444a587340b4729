package bedrock

import (
	"strings"

	"weir/internal/catalog"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// encoder turns one hub request into a Converse request. What it leaves behind is needed to read the answer.
type encoder struct {
	in     *llm.Request
	model  catalog.Model
	family family
	drop   bool

	out    wire.ConverseRequest
	extra  map[string]any // additionalModelRequestFields
	names  *nameMap       // tool names
	ids    *nameMap       // tool use ids
	docs   docNames
	answer string // name of the tool that stands in for structured output; "" if none does
}

// encode translates a.Hub.
func (u *Upstream) encode(a *gateway.Attempt) (*encoder, error) {
	e := &encoder{
		in: a.Hub, model: a.Model, family: u.family, drop: a.Drop || a.Hub.Drop, extra: map[string]any{}, docs: docNames{},
	}
	if a.Model.Quirks.Claude {
		e.family = claude
	}
	e.collectNames()
	for _, step := range []func() error{e.params, e.system, e.messages, e.tools, e.format, e.thinking, e.sampling, e.betas} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	e.limitCachePoints()
	if len(e.extra) > 0 {
		e.out.AdditionalModelRequestFields = jsonx.MustMarshal(e.extra)
	}
	return e, nil
}

// collectNames learns all tool names and ids first, since making one legal depends on which others there are.
func (e *encoder) collectNames() {
	var names, ids []string
	for _, t := range e.in.Tools {
		names = append(names, t.Name)
	}
	if e.in.Choice.Mode == llm.ChoiceTool {
		names = append(names, e.in.Choice.Name)
	}
	for _, m := range e.in.Messages {
		for _, p := range m.Parts {
			switch {
			case p.Kind == llm.ToolCall && p.Call != nil:
				names, ids = append(names, p.Call.Name), append(ids, p.Call.ID)
			case p.Kind == llm.ToolResult && p.Result != nil:
				ids = append(ids, p.Result.ID)
			}
		}
	}
	e.names, e.ids = newNameMap(names), newNameMap(ids)
}

func (e *encoder) system() error {
	for _, p := range e.in.System {
		if strings.TrimSpace(p.Text) != "" {
			e.out.System = append(e.out.System, wire.SystemBlock{Text: &p.Text})
		}
		if c := e.cachePoint(p.Cache); c != nil && len(e.out.System) > 0 {
			e.out.System = append(e.out.System, wire.SystemBlock{CachePoint: c})
		}
	}
	return nil
}

// unsupported refuses a parameter, or returns nil where the caller asked to leave such out.
func (e *encoder) unsupported(param, why string) error {
	if e.drop {
		return nil
	}
	return llm.Unsupported(provider, param, why)
}

// invalid refuses a request that no setting could save.
func invalid(param, msg string) *llm.Error {
	return &llm.Error{
		Provider: provider, Status: 400, Type: "invalid_request_error", Param: param, Final: true, Message: msg,
	}
}

// sampling runs after thinking, which excludes most of it.
func (e *encoder) sampling() error {
	c, q := wire.InferenceConfig{MaxTokens: e.in.MaxTokens, StopSequences: e.stops()}, e.model.Quirks
	if e.out.InferenceConfig != nil {
		c.MaxTokens = e.out.InferenceConfig.MaxTokens
	}
	if c.MaxTokens == 0 && e.family == claude {
		c.MaxTokens = e.model.MaxOutput
	}
	if e.hardNova() {
		c.MaxTokens = 0
	} else if !q.NoSampling && !e.thinks() {
		c.Temperature, c.TopP = e.in.Temperature, e.in.TopP
		if q.OneOfTempTopP && c.Temperature != nil {
			c.TopP = nil
		}
		if c.Temperature != nil && *c.Temperature > 1 { // OpenAI's scale goes to 2, Converse's to 1
			one := 1.0
			c.Temperature = &one
		}
		e.topK()
	}
	e.out.InferenceConfig = nil
	if c.MaxTokens > 0 || c.Temperature != nil || c.TopP != nil || len(c.StopSequences) > 0 {
		e.out.InferenceConfig = &c
	}
	return nil
}

func (e *encoder) topK() {
	switch {
	case e.in.TopK == nil:
	case e.family == nova, e.family == nova2:
		e.extra["inferenceConfig"] = map[string]int{"topK": *e.in.TopK}
	default:
		e.extra["top_k"] = *e.in.TopK
	}
}

// stops leaves out what the service refuses: empty sequences, and for Claude blank ones.
func (e *encoder) stops() []string {
	var out []string
	for _, s := range e.in.Stop {
		if s == "" || e.family == claude && strings.TrimSpace(s) == "" {
			continue
		}
		out = append(out, s)
	}
	return out
}

func (e *encoder) betas() error {
	if e.family != claude {
		return nil
	}
	if b := allowedBetas(e.in.Betas, e.model); len(b) > 0 {
		e.extra["anthropic_beta"] = b
	}
	return nil
}

// betasTaken are the anthropic-beta flags Bedrock takes; it refuses the whole request for any other.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
// and https://github.com/BerriAI/litellm/pull/19877.
var betasTaken = map[string]bool{
	"computer-use-2024-10-22":          true,
	"computer-use-2025-01-24":          true,
	"computer-use-2025-11-24":          true,
	"context-1m-2025-08-07":            true,
	"context-management-2025-06-27":    true,
	"dev-full-thinking-2025-05-14":     true,
	"effort-2025-11-24":                true,
	"interleaved-thinking-2025-05-14":  true,
	"output-128k-2025-02-19":           true,
	"token-efficient-tools-2025-02-19": true,
	"tool-examples-2025-10-29":         true,
	"tool-search-tool-2025-10-19":      true,
}

// allowedBetas filters by what the service takes. The models that refuse sampling parameters (4.7 and later) refuse
// nearly all flags, too: what the flags asked for is their normal behaviour.
// https://github.com/anthropics/claude-code/issues/49370
func allowedBetas(in []string, m catalog.Model) []string {
	var out []string
	seen := map[string]bool{}
	for _, b := range in {
		b = strings.TrimSpace(b)
		ok := betasTaken[b] && (!m.Quirks.NoSampling || b == "interleaved-thinking-2025-05-14" || b == "context-management-2025-06-27")
		if ok && !seen[b] {
			seen[b] = true
			out = append(out, b)
		}
	}
	return out
}

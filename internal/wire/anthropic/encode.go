package anthropic

import (
	"math"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/catalog"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// Options shape a request around a model and its provider.
type Options struct {
	Provider string // named in refusals
	Model    string // as the upstream names it; "" leaves the field out (Bedrock)
	Known    catalog.Model
	Drop     bool // leave out what the API does not take, instead of refusing
}

const (
	defaultMaxTokens = 4096  // for models whose limit is unknown
	sensibleMax      = 32000 // for clients that name no limit: more reserves budget and rate to no use
	minBudget        = 1024
)

// EncodeRequest writes a hub request. The request is not modified. Refusals are *llm.Error of status 400 with Param set.
func EncodeRequest(r *llm.Request, o Options) (MessagesRequest, Undo, error) {
	e := &encoder{req: r, opt: o, names: newNamer(maxName), ids: newNamer(maxID)}
	e.reserveNames()
	steps := []func() error{e.extra, e.limits, e.thinking, e.sampling, e.tools, e.messages, e.format, e.choice}
	e.out.Model, e.out.Stream = o.Model, r.Stream
	for _, step := range steps {
		if err := step(); err != nil {
			return MessagesRequest{}, Undo{}, err
		}
	}
	e.out.System = e.system()
	if r.User != "" {
		e.out.Metadata = &Metadata{UserID: r.User}
	}
	return e.out, Undo{names: e.names.changed(), schema: e.schema}, nil
}

type encoder struct {
	req    *llm.Request
	opt    Options
	out    MessagesRequest
	names  *namer
	ids    *namer
	schema string // name of the stand-in tool for structured output
	notes  []string
}

func (e *encoder) refuse(param, why string) error { return llm.Unsupported(e.opt.Provider, param, why) }

// tolerated are fields of other dialects that change nothing the client could miss in the answer.
var tolerated = map[string]bool{
	"store": true, "metadata": true, "service_tier": true, "prompt_cache_key": true, "prompt_cache_retention": true,
	"safety_identifier": true, "verbosity": true, "stream_options": true, "litellm_metadata": true, "tags": true,
}

// extra passes on the fields that are the API's own, tolerates those that ask for nothing, and refuses the rest.
func (e *encoder) extra() error {
	if e.req.Seed != nil && !e.opt.Drop {
		return e.refuse("seed", "")
	}
	for name, raw := range e.req.Extra {
		switch {
		case name == "mcp_servers":
			e.out.MCPServers = raw
		case name == "container":
			e.out.Container = raw
		case name == "context_management":
			e.out.Context = raw
		case tolerated[name], e.opt.Drop, asksNothing(name, raw):
		default:
			return e.refuse(name, "")
		}
	}
	return nil
}

// asksNothing recognises defaults spelled out: null, false, zero, empty, one choice, text only.
func asksNothing(name string, raw jsonx.Raw) bool {
	v := gjson.ParseBytes(raw)
	switch v.Type {
	case gjson.Null, gjson.False:
		return true
	case gjson.Number:
		return v.Num == 0 || name == "n" && v.Num == 1
	case gjson.String:
		return v.Str == ""
	case gjson.JSON:
		if name == "modalities" {
			return v.String() == `["text"]`
		}
		empty := true
		v.ForEach(func(_, _ gjson.Result) bool { empty = false; return false })
		return empty
	}
	return false
}

func (e *encoder) limits() error {
	e.out.MaxTokens = e.req.MaxTokens
	if e.out.MaxTokens == 0 {
		e.out.MaxTokens = defaultMaxTokens
		if m := e.opt.Known.MaxOutput; m > 0 {
			e.out.MaxTokens = min(m, sensibleMax)
		}
	}
	for _, s := range e.req.Stop {
		if s != "" {
			e.out.StopSequences = append(e.out.StopSequences, s)
		}
	}
	return nil
}

// sampling leaves out what the model refuses. Clients send their defaults (1, 0.95) without meaning them, so this is
// not worth a refusal.
func (e *encoder) sampling() error {
	q := e.opt.Known.Quirks
	if q.NoSampling {
		return nil
	}
	e.out.Temperature, e.out.TopP, e.out.TopK = e.req.Temperature, e.req.TopP, e.req.TopK
	if t := e.out.Temperature; t != nil && *t > 1 && e.opt.Drop {
		e.out.Temperature = new(1.0)
	}
	if e.thinks() {
		e.out.TopK = nil
		if t := e.out.Temperature; t != nil && *t != 1 {
			e.out.Temperature = nil
		}
		if p := e.out.TopP; p != nil && *p < 0.95 {
			e.out.TopP = nil
		}
	}
	if q.OneOfTempTopP && e.out.Temperature != nil {
		e.out.TopP = nil
	}
	return nil
}

func (e *encoder) thinks() bool { return e.out.Thinking != nil }

// budgets are tokens of thinking by effort, LiteLLM's where it has them.
var budgets = map[string]int{"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16384}

// efforts are the levels that every adaptive model knows.
var efforts = map[string]string{"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "max", "max": "max"}

func (e *encoder) thinking() error {
	t := e.req.Thinking
	if t == nil || *t == (llm.Thinking{}) {
		return nil
	}
	adaptive := e.opt.Known.Quirks.Adaptive
	if t.Mode == "disabled" || t.Effort == "none" {
		if eff := efforts[t.Effort]; adaptive && eff != "" {
			e.out.OutputConfig = &OutputConfig{Effort: eff}
		}
		return nil
	}
	if e.opt.Known.Known && !e.opt.Known.Abilities.Reasoning {
		if e.opt.Drop {
			return nil
		}
		return e.refuse("thinking", ": the model does not reason")
	}
	if adaptive {
		e.out.Thinking = &Thinking{Type: "adaptive"}
		if eff := effortOf(t); eff != "" {
			e.out.OutputConfig = &OutputConfig{Effort: eff}
		}
		return nil
	}
	e.budget(t)
	return nil
}

// effortOf turns a budget into an effort where the client gave only the former. "" is the model's default.
func effortOf(t *llm.Thinking) string {
	switch {
	case t.Effort != "":
		return efforts[t.Effort]
	case t.Budget == 0:
		return ""
	case t.Budget <= 2048:
		return "low"
	case t.Budget <= 8192:
		return "medium"
	}
	return "high"
}

// budget fits manual thinking below max_tokens. A limit the client chose is kept: an effort shrinks below it (or goes
// without thinking), while a budget that does not fit is left for the upstream to refuse in its own words.
func (e *encoder) budget(t *llm.Thinking) {
	b := t.Budget
	if b == 0 {
		if b = budgets[t.Effort]; b == 0 {
			b = budgets["high"]
		}
	}
	b = max(b, minBudget)
	if b >= e.out.MaxTokens && e.req.MaxTokens == 0 {
		e.out.MaxTokens = b + defaultMaxTokens
		if m := e.opt.Known.MaxOutput; m > 0 && e.out.MaxTokens > m {
			e.out.MaxTokens, b = m, min(b, m-1)
		}
	}
	if b >= e.out.MaxTokens && t.Budget == 0 {
		b = e.out.MaxTokens - 1
	}
	if b < minBudget || e.lostThinking() {
		return
	}
	e.out.Thinking = &Thinking{Type: "enabled", BudgetTokens: b}
}

// lostThinking reports that a tool loop is under way whose assistant turn came back without its signed thinking;
// manual thinking cannot go on then.
func (e *encoder) lostThinking() bool {
	answered := false
	for _, m := range slices.Backward(e.req.Messages) {
		if m.Role == llm.Assistant {
			return answered && hasCall(m.Parts) && !signed(m.Parts[0])
		}
		answered = answered || hasResult(m.Parts)
	}
	return false
}

func signed(p llm.Part) bool {
	return p.Kind == llm.Reasoning && (p.Signature != "" || p.Redacted != "")
}

func hasResult(parts []llm.Part) bool {
	for _, p := range parts {
		if p.Result != nil {
			return true
		}
	}
	return false
}

func (e *encoder) system() Content {
	c := e.texts(e.req.System)
	for _, n := range e.notes {
		c = append(c, TextBlock(n))
	}
	return c
}

// texts keeps text only, which is all that system text may be.
func (e *encoder) texts(parts []llm.Part) Content {
	var c Content
	for _, p := range parts {
		if p.Kind == llm.Text {
			c = e.add(c, TextBlock(p.Text), p.Cache)
		}
	}
	return c
}

// add appends a block with its cache mark. Blank text, which the API refuses, hands its mark to the block before.
func (e *encoder) add(c Content, b Block, mark *llm.CacheMark) Content {
	if !isBlank(b) {
		c = append(c, b)
	}
	if n := len(c); n > 0 && mark != nil && canCache(c[n-1].Type) {
		c[n-1].CacheControl = e.cache(mark)
	}
	return c
}

func isBlank(b Block) bool { return b.Type == "text" && strings.TrimSpace(*b.Text) == "" }

func canCache(blockType string) bool {
	return blockType != "thinking" && blockType != "redacted_thinking"
}

func (e *encoder) cache(m *llm.CacheMark) *CacheControl {
	if m == nil {
		return nil
	}
	c := &CacheControl{Type: "ephemeral"}
	if m.TTL == "1h" && (e.opt.Known.Quirks.CacheTTL1h || !e.opt.Known.Known) {
		c.TTL = m.TTL
	}
	return c
}

// Count leaves of a request only what count_tokens takes.
func (r MessagesRequest) Count() MessagesRequest {
	return MessagesRequest{
		Model: r.Model, Version: r.Version, Betas: r.Betas, System: r.System, Messages: r.Messages, Tools: r.Tools,
		ToolChoice: r.ToolChoice, Thinking: r.Thinking, OutputConfig: r.OutputConfig,
	}
}

// Marshal writes the body.
func (r MessagesRequest) Marshal() ([]byte, error) {
	if r.MaxTokens > math.MaxInt32 {
		r.MaxTokens = math.MaxInt32
	}
	if r.Messages == nil {
		r.Messages = []Message{}
	}
	return jsonx.Marshal(r)
}

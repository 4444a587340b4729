package openaicompat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/openai"
)

// extras are top-level fields of OpenAI's that a translated request may carry.
var extras = []string{
	"frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "n", "prediction", "modalities", "audio", "store",
	"verbosity", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "web_search_options", "service_tier",
}

// hints are fields of other dialects that may be left out without changing what the answer means.
var hints = []string{"context_management", "metadata", "anthropic_version", "anthropic_beta", "speed", "inference_geo", "output_config"}

// encode makes a body out of a hub request.
func (u *Upstream) encode(a *gateway.Attempt) ([]byte, error) {
	e := &encoder{u: u, a: a, hub: a.Hub}
	e.w.Model, e.w.Stream, e.w.Stop = u.target.Model, a.Stream, openai.Stop(a.Hub.Stop)
	e.messages()
	e.tools()
	e.sampling()
	e.reasoning()
	e.format()
	e.extra()
	if len(a.Hub.User) > maxUser {
		sum := sha256.Sum256([]byte(a.Hub.User))
		e.w.User = hex.EncodeToString(sum[:])
	} else if !slices.Contains(u.row.Refuses, "user") {
		e.w.User = a.Hub.User
	}
	if a.Stream && !u.row.NoStreamOptions {
		e.w.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	}
	if e.err != nil {
		return nil, e.err
	}
	return jsonx.Marshal(e.w)
}

// maxUser is OpenAI's limit on user; longer ones are hashed, so that they still tell users apart.
const maxUser = 64

type encoder struct {
	u   *Upstream
	a   *gateway.Attempt
	hub *llm.Request
	w   openai.Request
	err error
}

// refuse notes the first parameter that cannot be sent, unless it may be dropped.
func (e *encoder) refuse(param, why string) {
	if !e.a.Drop && !e.hub.Drop && e.err == nil {
		e.err = llm.Unsupported(e.u.target.Provider, param, why)
	}
}

func (e *encoder) tools() {
	for _, t := range e.hub.Tools {
		switch {
		case t.Native == nil:
			e.w.Tools = append(e.w.Tools, e.tool(t))
		case t.NativeDialect == llm.OpenAIChat:
			e.w.Tools = append(e.w.Tools, openai.Tool{Raw: t.Native})
		default:
			e.refuse("tools", " of this type")
		}
	}
	if len(e.w.Tools) == 0 {
		return
	}
	e.w.ParallelToolCalls = e.hub.Parallel
	switch e.hub.Choice.Mode {
	case llm.ChoiceAuto, llm.ChoiceNone:
		e.w.ToolChoice = &openai.ToolChoice{Mode: string(e.hub.Choice.Mode)}
	case llm.ChoiceAny:
		e.w.ToolChoice = &openai.ToolChoice{Mode: "required"}
	case llm.ChoiceTool:
		e.w.ToolChoice = &openai.ToolChoice{Name: e.hub.Choice.Name}
	}
}

func (e *encoder) tool(t llm.Tool) openai.Tool {
	f := &openai.Function{Name: t.Name, Description: t.Description, Parameters: t.Schema, Strict: t.Strict}
	return openai.Tool{Type: openai.TypeFunction, Function: f, CacheControl: e.mark(t.Cache)}
}

func (e *encoder) mark(m *llm.CacheMark) *openai.CacheControl {
	if m == nil || !e.u.row.CacheMarks {
		return nil
	}
	return &openai.CacheControl{Type: "ephemeral", TTL: m.TTL}
}

func (e *encoder) sampling() {
	h, q := e.hub, e.a.Model.Quirks
	if h.MaxTokens > 0 {
		limit := h.MaxTokens
		if m := e.a.Model.MaxOutput; m > 0 {
			limit = min(limit, m) // other dialects' clients ask by their own models' limits
		}
		if e.u.row.CompletionLimit || q.CompletionLimit {
			e.w.MaxCompletionTokens = &limit
		} else {
			e.w.MaxTokens = &limit
		}
	}
	e.w.Temperature, e.w.TopP, e.w.TopK, e.w.Seed = h.Temperature, h.TopP, h.TopK, h.Seed
	if q.OneOfTempTopP && h.Temperature != nil {
		e.w.TopP = nil
	}
	if q.NoSampling {
		e.w.Temperature, e.w.TopP = e.onlyDefault("temperature", h.Temperature), e.onlyDefault("top_p", e.w.TopP)
	}
	if q.NoSampling && q.CompletionLimit && (e.a.Drop || h.Drop) {
		e.w.Stop = nil // OpenAI's reasoning models have none
	}
	if h.TopK != nil && (!e.u.row.TopK || q.NoSampling) {
		e.w.TopK = nil
		e.refuse("top_k", "")
	}
}

// onlyDefault drops a parameter whose default is the only value the model takes.
func (e *encoder) onlyDefault(name string, v *float64) *float64 {
	if v != nil && *v != 1 {
		e.refuse(name, " with this model")
	}
	return nil
}

// reasoning maps thinking to an effort. Models not known to reason get none: agents ask for thinking of any model, and
// a model that cannot think answers all the same.
func (e *encoder) reasoning() {
	t := e.hub.Thinking
	if t == nil {
		return
	}
	if e.u.row.LiteLLM && t.Mode != "" {
		e.w.Thinking = &openai.Thinking{Type: t.Mode, BudgetTokens: t.Budget}
		if t.Effort != "" {
			e.w.OutputConfig = &openai.OutputConfig{Effort: t.Effort}
		}
		return
	}
	if e.a.Model.Abilities.Reasoning && t.Mode != "disabled" {
		e.w.ReasoningEffort = effortOf(t)
	}
}

func effortOf(t *llm.Thinking) string {
	switch {
	case t.Effort == "max", t.Effort == "xhigh":
		return "high" // the highest that every reasoning model takes
	case t.Effort != "":
		return t.Effort
	case t.Budget == 0:
		return ""
	case t.Budget < 4096:
		return "low"
	case t.Budget < 16384:
		return "medium"
	}
	return "high"
}

func (e *encoder) format() {
	f := e.hub.Format
	if f == nil {
		return
	}
	e.w.ResponseFormat = &openai.ResponseFormat{Type: f.Type}
	if f.Type == "json_schema" {
		name := f.Name
		if name == "" {
			name = "answer"
		}
		e.w.ResponseFormat.JSONSchema = &openai.JSONSchema{Name: name, Schema: f.Schema, Strict: f.Strict}
	}
}

func (e *encoder) extra() {
	for k, v := range e.hub.Extra {
		switch {
		case slices.Contains(hints, k), k == "service_tier" && string(v) == `"standard_only"`: // Anthropic's word
		case slices.Contains(extras, k) && !slices.Contains(e.u.row.Refuses, k), !e.u.row.Strict && e.u.row.Metadata:
			if e.w.Extra == nil {
				e.w.Extra = map[string]jsonx.Raw{}
			}
			e.w.Extra[k] = v
		default:
			e.refuse(k, "")
		}
	}
}

// media makes the part of an image, document or sound; ok is false if it cannot be sent.
func (e *encoder) media(p llm.Part) (part openai.Part, ok bool) {
	m := p.Media
	part.CacheControl = e.mark(p.Cache)
	switch {
	case p.Kind == llm.Image:
		part.Type, part.ImageURL = openai.PartImage, &openai.ImageURL{URL: mediaURL(m)}
	case p.Kind == llm.Audio && m.Data != nil:
		part.Type, part.InputAudio = openai.PartAudio, &openai.InputAudio{Data: base64.StdEncoding.EncodeToString(m.Data), Format: audioFormat(m.MIME)}
	case p.Kind == llm.Document && strings.HasPrefix(m.MIME, "text/") && m.Data != nil:
		part.Type, part.Text = openai.PartText, strings.ToValidUTF8(string(m.Data), "\uFFFD")
	case p.Kind == llm.Document && m.Data != nil:
		name := m.Name
		if name == "" {
			name = "document.pdf"
		}
		part.Type, part.File = openai.PartFile, &openai.File{FileData: mediaURL(m), Filename: name}
	default:
		e.refuse("messages", " with a "+string(p.Kind)+" given by URL")
		return part, false
	}
	return part, true
}

func mediaURL(m *llm.Media) string {
	if m.Data == nil {
		return m.URL
	}
	return "data:" + m.MIME + ";base64," + base64.StdEncoding.EncodeToString(m.Data)
}

func audioFormat(mime string) string {
	_, format, _ := strings.Cut(mime, "/")
	switch format {
	case "mpeg", "mp3":
		return "mp3"
	case "x-wav", "wave":
		return "wav"
	}
	return format
}

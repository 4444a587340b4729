package openai

import (
	"fmt"
	"slices"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
)

// consumed are top-level fields that are for the gateway, not for a model.
var consumed = []string{
	"litellm_trace_id", "litellm_call_id", "litellm_metadata", "tags", "fallbacks", "num_retries", "timeout", "guardrails", "mock_response",
	"cache", "caching", "no-log", "additional_drop_params", "allowed_openai_params", "extra_headers", "request_timeout",
}

// hints are fields that steer OpenAI's own machinery; leaving them out changes no answer.
var hints = []string{"prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "prediction"}

// defaults are values that ask for nothing.
var defaults = map[string][]string{
	"n": {"1"}, "presence_penalty": {"0", "0.0"}, "frequency_penalty": {"0", "0.0"}, "logprobs": {"false"}, "top_logprobs": {"0"},
	"logit_bias": {"{}"}, "modalities": {`["text"]`}, "verbosity": {`"medium"`},
}

// Decode turns a body that check has passed into the hub form. Errors are fault.Invalid and name the field.
func Decode(body []byte) (*llm.Request, error) {
	if _, err := check(body); err != nil {
		return nil, err
	}
	var w wire.Request
	if err := jsonx.Unmarshal(body, &w); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "request body has a field of an unexpected type")
	}
	r := &llm.Request{
		Model: w.Model, Parallel: w.ParallelToolCalls, Temperature: w.Temperature, TopP: w.TopP, TopK: w.TopK, Stop: stops(w.Stop),
		Seed: w.Seed, User: w.User, Stream: w.Stream, Drop: w.DropParams, MaxTokens: limit(&w), Extra: extra(w.Extra),
	}
	d := decoder{w: &w, r: r}
	for _, step := range []func() error{d.messages, d.tools, d.choice, d.thinking, d.format} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

type decoder struct {
	w *wire.Request
	r *llm.Request
	// lastFunction is the id made up for the last legacy function_call, which the function message after it answers.
	lastFunction string
	functions    int
}

func limit(w *wire.Request) int {
	for _, n := range []*int{w.MaxCompletionTokens, w.MaxTokens} {
		if n != nil {
			return *n
		}
	}
	return 0
}

func stops(s wire.Stop) []string {
	return slices.DeleteFunc([]string(s), func(s string) bool { return s == "" })
}

// extra leaves what may mean something to a provider.
func extra(all map[string]jsonx.Raw) map[string]jsonx.Raw {
	out := map[string]jsonx.Raw{}
	for k, v := range all {
		text := string(jsonx.Compact(v))
		if text == "null" || slices.Contains(consumed, k) || slices.Contains(hints, k) || slices.Contains(defaults[k], text) {
			continue
		}
		out[k] = v
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (d *decoder) tools() error {
	for _, t := range d.w.Tools {
		if t.Function == nil {
			d.r.Tools = append(d.r.Tools, llm.Tool{Native: t.Raw, NativeDialect: llm.OpenAIChat})
			continue
		}
		tool := function(t.Function)
		if tool.Cache == nil {
			tool.Cache = mark(t.CacheControl)
		}
		d.r.Tools = append(d.r.Tools, tool)
	}
	for i := range d.w.Functions {
		if d.w.Functions[i].Name == "" {
			return fault.Bad(fmt.Sprintf("functions[%d].name", i), "missing required parameter: 'functions[%d].name'", i)
		}
		d.r.Tools = append(d.r.Tools, function(&d.w.Functions[i]))
	}
	return nil
}

func function(f *wire.Function) llm.Tool {
	schema := f.Parameters
	if len(schema) == 0 || string(schema) == "null" {
		schema = jsonx.Raw(`{"type":"object","properties":{}}`)
	}
	return llm.Tool{Name: f.Name, Description: f.Description, Schema: schema, Strict: f.Strict, Cache: mark(f.CacheControl)}
}

func mark(c *wire.CacheControl) *llm.CacheMark {
	if c == nil {
		return nil
	}
	return &llm.CacheMark{TTL: c.TTL}
}

func (d *decoder) choice() error {
	c, field := d.w.ToolChoice, "tool_choice"
	if c == nil {
		c, field = d.w.FunctionCall, "function_call"
	}
	switch {
	case c == nil:
	case c.Name != "":
		d.r.Choice = llm.ToolChoice{Mode: llm.ChoiceTool, Name: c.Name}
	case c.Mode == "auto", c.Mode == "none":
		d.r.Choice.Mode = llm.ChoiceMode(c.Mode)
	case c.Mode == "required", c.Mode == "any":
		d.r.Choice.Mode = llm.ChoiceAny
	default:
		return fault.Bad(field, "invalid value for '%s': supported are 'none', 'auto', 'required' and a named function", field)
	}
	return nil
}

func (d *decoder) thinking() error {
	t := llm.Thinking{Effort: d.w.ReasoningEffort}
	if c := d.w.OutputConfig; c != nil && c.Effort != "" {
		t.Effort = c.Effort
	}
	if w := d.w.Thinking; w != nil {
		if !slices.Contains([]string{"enabled", "adaptive", "disabled"}, w.Type) {
			return fault.Bad("thinking.type", "invalid value for 'thinking.type': supported are 'enabled', 'adaptive' and 'disabled'")
		}
		t.Mode, t.Budget = w.Type, w.BudgetTokens
	}
	if t.Effort != "" && !slices.Contains(efforts, t.Effort) {
		return fault.Bad("reasoning_effort", "invalid value for 'reasoning_effort': %q is none of %v", t.Effort, efforts)
	}
	if t != (llm.Thinking{}) {
		d.r.Thinking = &t
	}
	return nil
}

var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

func (d *decoder) format() error {
	f := d.w.ResponseFormat
	if f == nil {
		return nil
	}
	switch f.Type {
	case "text":
	case "json_object":
		d.r.Format = &llm.Format{Type: f.Type}
	case "json_schema":
		if f.JSONSchema == nil || len(f.JSONSchema.Schema) == 0 {
			return fault.Bad("response_format.json_schema.schema", "missing required parameter: 'response_format.json_schema.schema'")
		}
		d.r.Format = &llm.Format{Type: f.Type, Name: f.JSONSchema.Name, Schema: f.JSONSchema.Schema, Strict: f.JSONSchema.Strict}
	default:
		return fault.Bad("response_format.type", "invalid value for 'response_format.type': supported are 'text', 'json_object' and 'json_schema'")
	}
	return nil
}

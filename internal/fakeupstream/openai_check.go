package fakeupstream

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// chatCheck reads an OpenAI chat completion body.
type chatCheck struct {
	checker
	a *ask
}

var (
	chatFields = []string{
		"model", "messages", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
		"metadata", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention",
		"reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature",
		"tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
	}
	messageFields = []string{"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call", "annotations"}
	partFields    = []string{"type", "text", "image_url", "input_audio", "file", "refusal"}
	chatRoles     = []string{"system", "assistant", "user", "function", "tool", "developer"}
	remoteImage   = regexp.MustCompile(`^https?://`)
	dataURL       = regexp.MustCompile(`^data:([a-z]+/[a-z0-9.+-]+);base64,(.*)$`)
)

func (c *chatCheck) refuseIf(cond bool, param, code, format string, args ...any) {
	if cond {
		c.refuse(&refusal{status: http.StatusBadRequest, param: param, code: code, msg: fmt.Sprintf(format, args...)})
	}
}

// compatible models stand for OpenAI-alike servers, which take fields OpenAI does not know.
func (c *chatCheck) compatible() bool {
	return !openAIID.MatchString(c.a.model.ID) || strings.HasPrefix(c.a.model.ID, "fake")
}

func (c *chatCheck) unknown(m obj, fields []string, at string) {
	if c.compatible() {
		return
	}
	for _, k := range sortedKeys(m) {
		c.refuseIf(!slices.Contains(fields, k), at+k, "unknown_parameter", "Unknown parameter: '%s%s'.", at, k)
	}
}

func (c *chatCheck) body(b obj) {
	c.unknown(b, chatFields, "")
	c.refuseIf(!has(b, "messages"), "messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
	_, ok := b["messages"].([]any)
	c.refuseIf(!ok, "messages", "invalid_type", "Invalid type for 'messages': expected an array of objects, but got %s instead.", typeName(b["messages"]))
	c.refuseIf(len(list(b, "messages")) == 0, "messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	c.types(b)
	c.limits(b)
	c.sampling(b)
	c.stream(b)
	c.tools(b)
	c.format(b)
	c.messages(list(b, "messages"))
}

func (c *chatCheck) types(b obj) {
	for _, k := range []string{"temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed", "presence_penalty", "frequency_penalty"} {
		c.refuseIf(has(b, k) && number(b, k) == nil, k, "invalid_type", "Invalid type for '%s': expected a number, but got %s instead.", k, typeName(b[k]))
	}
	_, ok := b["stream"].(bool)
	c.refuseIf(has(b, "stream") && !ok, "stream", "invalid_type", "Invalid type for 'stream': expected a boolean, but got %s instead.", typeName(b["stream"]))
	c.refuseIf(has(b, "n") && integer(b, "n") != 1, "n", "unsupported_value", "Unsupported value: 'n' does not support %v with this model. Only the default (1) value is supported.", b["n"])
}

func (c *chatCheck) limits(b obj) {
	a := c.a
	c.refuseIf(a.model.Reasoning && has(b, "max_tokens"), "max_tokens", "unsupported_parameter",
		"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	c.refuseIf(has(b, "max_tokens") && has(b, "max_completion_tokens"), "max_tokens", "invalid_parameter_combination",
		"Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	for _, k := range []string{"max_tokens", "max_completion_tokens"} {
		n := integer(b, k)
		c.refuseIf(has(b, k) && n < 1, k, "integer_below_min_value", "Invalid '%s': integer below minimum value. Expected a value >= 1, but got %d instead.", k, n)
		c.refuseIf(a.model.MaxOutput > 0 && n > a.model.MaxOutput, k, "invalid_value",
			"%s is too large: %d. This model supports at most %d completion tokens, whereas you provided %d.", k, n, a.model.MaxOutput, n)
		a.maxTokens = max(a.maxTokens, n)
	}
}

func (c *chatCheck) sampling(b obj) {
	c.a.temp, c.a.topP, c.a.effort = number(b, "temperature"), number(b, "top_p"), str(b, "reasoning_effort")
	c.refuseIf(c.a.temp != nil && *c.a.temp > 2, "temperature", "decimal_above_max_value",
		"Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got %v instead.", b["temperature"])
	c.refuseIf(c.a.topP != nil && *c.a.topP > 1, "top_p", "decimal_above_max_value",
		"Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got %v instead.", b["top_p"])
	c.refuseIf(has(b, "reasoning_effort") && !c.a.model.Reasoning && !c.compatible(), "reasoning_effort", "unsupported_parameter",
		"Unsupported parameter: 'reasoning_effort' is not supported with this model.")
	for _, k := range []string{"temperature", "top_p", "presence_penalty", "frequency_penalty"} {
		def := 1.0
		if strings.HasSuffix(k, "penalty") {
			def = 0
		}
		v := number(b, k)
		c.refuseIf(c.a.model.Reasoning && v != nil && *v != def, k, "unsupported_value",
			"Unsupported value: '%s' does not support %v with this model. Only the default (%v) value is supported.", k, b[k], def)
	}
	switch s := b["stop"].(type) {
	case string:
		c.a.stop = []string{s}
	case []any:
		c.a.stop = stringsOf(s)
	}
	c.refuseIf(len(c.a.stop) > 4, "stop", "array_above_max_length", "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length %d instead.", len(c.a.stop))
	c.refuseIf(c.a.model.Reasoning && len(c.a.stop) > 0, "stop", "unsupported_parameter", "Unsupported parameter: 'stop' is not supported with this model.")
}

func (c *chatCheck) stream(b obj) {
	c.a.stream = flag(b, "stream")
	c.a.withUsage = flag(sub(b, "stream_options"), "include_usage")
	c.refuseIf(has(b, "stream_options") && !c.a.stream, "stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
}

func (c *chatCheck) tools(b obj) {
	l := list(b, "tools")
	c.refuseIf(b["tools"] != nil && len(l) == 0, "tools", "empty_array", "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	for i, v := range l {
		t, _ := v.(obj)
		fn, at := sub(t, "function"), fmt.Sprintf("tools[%d]", i)
		c.unknown(t, []string{"type", "function", "custom"}, at+".")
		c.refuseIf(str(t, "type") == "", at+".type", "missing_required_parameter", "Missing required parameter: '%s.type'.", at)
		c.refuseIf(fn == nil && str(t, "type") == "function", at+".function", "missing_required_parameter", "Missing required parameter: '%s.function'.", at)
		c.unknown(fn, []string{"name", "description", "parameters", "strict"}, at+".function.")
		c.toolName(str(fn, "name"), at+".function.name")
		params := sub(fn, "parameters")
		c.refuseIf(params != nil && has(params, "type") && str(params, "type") != "object", at+".function.parameters", "invalid_function_parameters",
			"Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"%s\"'.", str(fn, "name"), str(params, "type"))
		c.a.segs = append(c.a.segs, newSegment(at, t, false))
		c.a.tools = append(c.a.tools, tool{name: str(fn, "name"), desc: str(fn, "description"), schema: params})
	}
	c.toolChoice(b)
}

func (c *chatCheck) toolName(name, at string) {
	c.refuseIf(!idPattern.MatchString(name), at, "invalid_value", "Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)
	c.refuseIf(len(name) > 64, at, "string_above_max_length", "Invalid '%s': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", at, len(name))
}

func (c *chatCheck) toolChoice(b obj) {
	c.refuseIf(has(b, "tool_choice") && len(c.a.tools) == 0, "tool_choice", "", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	c.refuseIf(has(b, "parallel_tool_calls") && len(c.a.tools) == 0, "parallel_tool_calls", "",
		"Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.")
	c.a.parallel = !has(b, "parallel_tool_calls") || flag(b, "parallel_tool_calls")
	switch t := b["tool_choice"].(type) {
	case string:
		c.refuseIf(t != "auto" && t != "none" && t != "required", "tool_choice", "invalid_value", "Invalid value: '%s'. Supported values are: 'none', 'auto', and 'required'.", t)
		c.a.choice = map[string]string{"auto": "auto", "none": "none", "required": "any"}[t]
	case obj:
		c.a.choice, c.a.forced = "tool", str(sub(t, "function"), "name")
		c.refuseIf(c.a.tool(c.a.forced) == nil, "tool_choice", "", "Tool choice '%s' not found in 'tools' parameter.", c.a.forced)
	}
}

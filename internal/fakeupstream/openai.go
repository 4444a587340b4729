package fakeupstream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"weir/internal/clip"
)

// openAI is POST /v1/chat/completions.
type openAI struct{}

var _ dialect = openAI{}

func (openAI) streamType() string { return "text/event-stream; charset=utf-8" }
func (openAI) idHeader() string   { return "x-request-id" }

func (openAI) bad(error) *refusal {
	return badRequest("We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. " +
		"The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)")
}

func (openAI) auth(s *Server, r *http.Request, _ []byte) (string, *refusal) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	no := &refusal{status: http.StatusUnauthorized}
	switch {
	case !ok || key == "":
		no.msg = "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
	case !s.knows(key):
		no.code, no.msg = "invalid_api_key", "Incorrect API key provided: "+clip.To(key, 4)+". You can find your API key at https://platform.openai.com/account/api-keys."
	default:
		return fingerprint(key), nil
	}
	return "", no
}

func (openAI) parse(s *Server, _ target, _ *http.Request, b obj) (*ask, *refusal) {
	id, _ := b["model"].(string)
	if id == "" {
		return nil, badRequest("you must provide a model parameter")
	}
	m, ok := s.lookup("openai", id)
	if !ok {
		f := notFound("The model `%s` does not exist or you do not have access to it.", id)
		f.code = "model_not_found"
		return nil, f
	}
	c := &chatCheck{a: &ask{model: m, modelID: id, parallel: true}}
	c.body(b)
	return c.a, c.bad
}

func (openAI) refuse(w http.ResponseWriter, id string, f *refusal) {
	kind := f.kind
	switch {
	case kind != "":
	case f.status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case f.status >= 500:
		kind = "server_error"
	default:
		kind = "invalid_request_error"
	}
	code := f.code
	if code == "" && f.status == http.StatusTooManyRequests {
		code = "rate_limit_exceeded"
	}
	if kind == "insufficient_quota" {
		code = kind
	}
	writeError(w, "x-request-id", id, f.status, obj{"error": obj{"message": f.msg, "type": kind, "param": orNull(f.param), "code": orNull(code)}})
}

func (openAI) count(n int64) []byte { return canon(obj{"input_tokens": n}) }

func (openAI) exception(kind, msg string) []byte {
	if kind == "" {
		kind = "server_error"
	}
	return sse("", canon(obj{"error": obj{"message": msg, "type": kind, "param": nil, "code": nil}}))
}

var openAIStops = map[string]string{
	"stop": "stop", "stop_sequence": "stop", "length": "length", "tool": "tool_calls", "refusal": "content_filter", "guardrail": "content_filter",
}

// openAIUsage includes cached tokens in the prompt.
func openAIUsage(u Usage) obj {
	return obj{
		"prompt_tokens": u.prompt(), "completion_tokens": u.Output, "total_tokens": u.prompt() + u.Output,
		"prompt_tokens_details":     obj{"cached_tokens": u.CacheRead, "audio_tokens": 0},
		"completion_tokens_details": obj{"reasoning_tokens": u.Reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

// created is fixed so that equal requests get equal bytes.
const created = 1_764_000_000

func openAIMessage(ans *answer) obj {
	m := obj{"role": "assistant", "content": nil, "refusal": nil, "annotations": []obj{}}
	var text, reasoning string
	var calls []obj
	for _, p := range ans.parts {
		switch p.kind {
		case kindText:
			text += p.text
		case kindThinking:
			reasoning += p.text
		case kindUse:
			calls = append(calls, obj{"id": p.id, "type": "function", "function": obj{"name": p.name, "arguments": string(p.input())}})
		}
	}
	if text != "" || len(calls) == 0 {
		m["content"] = text
	}
	if reasoning != "" {
		m["reasoning_content"] = reasoning
	}
	if calls != nil {
		m["tool_calls"] = calls
	}
	return m
}

func (openAI) whole(a *ask, ans *answer) []byte {
	out := obj{
		"id": "chatcmpl-" + ans.id, "object": "chat.completion", "created": created, "model": a.modelID, "service_tier": "default", "system_fingerprint": "fp_fake",
		"choices": []obj{{"index": 0, "message": openAIMessage(ans), "logprobs": nil, "finish_reason": openAIStops[ans.finish]}},
		"usage":   openAIUsage(ans.usage),
	}
	if ans.shape.NoUsage {
		delete(out, "usage")
	}
	return canon(out)
}

// chunker makes the chunks of one streamed answer.
type chunker struct {
	a   *ask
	ans *answer
	out [][]byte
}

func (c *chunker) add(choices []obj, usage any) {
	m := obj{
		"id": "chatcmpl-" + c.ans.id, "object": "chat.completion.chunk", "created": created, "model": c.a.modelID, "service_tier": "default",
		"system_fingerprint": "fp_fake", "choices": choices,
	}
	if c.a.withUsage {
		m["usage"] = usage
	}
	c.out = append(c.out, sse("", canon(m)))
}

func (c *chunker) delta(d obj, finish any) {
	c.add([]obj{{"index": 0, "delta": d, "logprobs": nil, "finish_reason": finish}}, nil)
}

func (openAI) events(a *ask, ans *answer) [][]byte {
	c := &chunker{a: a, ans: ans}
	c.delta(obj{"role": "assistant", "content": "", "refusal": nil}, nil)
	calls := 0
	for _, p := range ans.parts {
		switch p.kind {
		case kindText:
			c.text("content", p.text, ans.shape)
		case kindThinking:
			c.text("reasoning_content", p.text, Fault{})
		case kindUse:
			c.call(calls, p)
			calls++
		}
	}
	c.delta(obj{}, openAIStops[ans.finish])
	if a.withUsage && !ans.shape.NoUsage {
		c.add([]obj{}, openAIUsage(ans.usage))
	}
	return append(c.out, sse("", []byte("[DONE]")))
}

func (c *chunker) text(field, text string, f Fault) {
	for _, s := range pieces(text, f) {
		c.delta(obj{field: s}, nil)
	}
}

func (c *chunker) call(i int, p part) {
	c.delta(obj{"tool_calls": []obj{{"index": i, "id": p.id, "type": "function", "function": obj{"name": p.name, "arguments": ""}}}}, nil)
	for _, s := range pieces(string(p.input()), Fault{}) {
		c.delta(obj{"tool_calls": []obj{{"index": i, "function": obj{"arguments": s}}}}, nil)
	}
}

// chatFormat reads response_format.
func (c *chatCheck) format(b obj) {
	f := sub(b, "response_format")
	switch kind := str(f, "type"); {
	case f == nil || kind == "text":
	case kind == "json_object":
		c.a.jsonMode = true
		c.refuseIf(!strings.Contains(strings.ToLower(string(canon(b["messages"]))), "json"), "messages", "",
			"'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
	case kind == "json_schema":
		s := sub(f, "json_schema")
		c.a.jsonMode, c.a.schema = true, sub(s, "schema")
		c.refuseIf(str(s, "name") == "", "response_format.json_schema.name", "missing_required_parameter", "Missing required parameter: 'response_format.json_schema.name'.")
		c.refuseIf(flag(s, "strict") && c.a.schema["additionalProperties"] != false, "response_format", "",
			"Invalid schema for response_format '%s': In context=(), 'additionalProperties' is required to be supplied and to be false.", str(s, "name"))
	default:
		c.refuseIf(true, "response_format.type", "invalid_value", "Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", kind)
	}
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case obj:
		return "an object"
	case float64, json.Number:
		return fmt.Sprintf("a number (%v)", v)
	}
	return "something else"
}

package fakeupstream

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// converse is Bedrock's Converse, ConverseStream and CountTokens.
type converse struct{ bedrock }

var _ dialect = converse{}

func (converse) parse(s *Server, rt target, r *http.Request, b obj) (*ask, *refusal) {
	m, ok := s.lookup("converse", rt.model)
	if !ok {
		return nil, unknownModel(rt.model)
	}
	if rt.op == opCount {
		return countInput(s, rt, r, b, m)
	}
	c := &converseCheck{a: &ask{model: m, modelID: rt.model, stream: rt.stream, withUsage: true, parallel: true}}
	return c.a, c.check(s, b)
}

func (c *converseCheck) check(s *Server, b obj) *refusal {
	c.body(b)
	if c.bad != nil || c.a.model.Claude == 0 {
		return c.bad
	}
	return said(s.claudeRules(c.a))
}

// countInput unwraps CountTokens: its input is a Converse request or an InvokeModel body.
func countInput(s *Server, rt target, r *http.Request, b obj, m Model) (*ask, *refusal) {
	in := sub(b, "input")
	if body := str(sub(in, "invokeModel"), "body"); body != "" {
		raw, err := base64.StdEncoding.DecodeString(body)
		var inner obj
		if err != nil || json.Unmarshal(raw, &inner) != nil {
			return nil, badRequest("The input.invokeModel.body is not valid JSON.")
		}
		return invoke{}.parse(s, rt, r, inner)
	}
	if sub(in, "converse") == nil {
		return nil, badRequest("1 validation error detected: Value at 'input' failed to satisfy constraint: Member must not be null")
	}
	c := &converseCheck{a: &ask{model: m, modelID: rt.model}}
	return c.a, c.check(s, sub(in, "converse"))
}

var converseStops = map[string]string{
	"stop": "end_turn", "stop_sequence": "stop_sequence", "length": "max_tokens", "tool": "tool_use", "refusal": "content_filtered", "guardrail": "guardrail_intervened",
}

func converseUsage(u Usage) obj {
	out := obj{
		"inputTokens": u.Input, "outputTokens": u.Output, "totalTokens": u.prompt() + u.Output,
		"cacheReadInputTokens": u.CacheRead, "cacheWriteInputTokens": u.CacheWrite + u.CacheWrite1h,
	}
	var details []obj
	if u.CacheWrite1h > 0 {
		details = append(details, obj{"ttl": "1h", "inputTokens": u.CacheWrite1h})
	}
	if u.CacheWrite > 0 {
		details = append(details, obj{"ttl": "5m", "inputTokens": u.CacheWrite})
	}
	if details != nil {
		out["cacheDetails"] = details
	}
	return out
}

func converseBlock(p part) obj {
	switch p.kind {
	case kindThinking:
		text := obj{"text": p.text}
		if p.sig != "" {
			text["signature"] = p.sig
		}
		return obj{"reasoningContent": obj{"reasoningText": text}}
	case kindRedacted:
		return obj{"reasoningContent": obj{"redactedContent": p.sig}}
	case kindUse:
		return obj{"toolUse": obj{"toolUseId": p.id, "name": p.name, "input": p.input()}}
	}
	return obj{"text": p.text}
}

func (converse) whole(a *ask, ans *answer) []byte {
	content := []obj{}
	for _, p := range ans.parts {
		content = append(content, converseBlock(p))
	}
	out := obj{
		"output":     obj{"message": obj{"role": "assistant", "content": content}},
		"stopReason": converseStops[ans.finish], "usage": converseUsage(ans.usage), "metrics": obj{"latencyMs": 12},
	}
	if ans.stopAt != "" {
		out["additionalModelResponseFields"] = obj{"stop_sequence": ans.stopAt}
	}
	if ans.shape.NoUsage {
		delete(out, "usage")
	}
	return canon(out)
}

func (converse) events(a *ask, ans *answer) [][]byte {
	out := [][]byte{named("messageStart", obj{"role": "assistant"})}
	for i, p := range ans.parts {
		out = append(out, converseBlockEvents(i, p, ans.shape)...)
	}
	out = append(out, named("messageStop", obj{"stopReason": converseStops[ans.finish]}))
	if ans.shape.NoUsage {
		return out
	}
	return append(out, named("metadata", obj{"usage": converseUsage(ans.usage), "metrics": obj{"latencyMs": 12}}))
}

// named is one event; the service pads payloads with a member "p" of varying length.
func named(kind string, payload obj) []byte {
	payload["p"] = "abcdefghijklmnopqrstuvwxyz"[:1+len(payload)*5%26]
	return eventFrame(kind, canon(payload))
}

// converseBlockEvents are a block's events. Only tool use is announced by a start, and a call without input has no
// delta at all.
func converseBlockEvents(i int, p part, f Fault) [][]byte {
	var out [][]byte
	delta := func(d obj) { out = append(out, named("contentBlockDelta", obj{"contentBlockIndex": i, "delta": d})) }
	switch p.kind {
	case kindText:
		for _, s := range pieces(p.text, f) {
			delta(obj{"text": s})
		}
	case kindThinking:
		for _, s := range pieces(p.text, Fault{}) {
			delta(obj{"reasoningContent": obj{"text": s}})
		}
		if p.sig != "" {
			delta(obj{"reasoningContent": obj{"signature": p.sig}})
		}
	case kindRedacted:
		delta(obj{"reasoningContent": obj{"redactedContent": p.sig}})
	case kindUse:
		out = append(out, named("contentBlockStart", obj{"contentBlockIndex": i, "start": obj{"toolUse": obj{"toolUseId": p.id, "name": p.name}}}))
		for _, s := range pieces(p.args, Fault{}) {
			delta(obj{"toolUse": obj{"input": s}})
		}
	}
	return append(out, named("contentBlockStop", obj{"contentBlockIndex": i}))
}

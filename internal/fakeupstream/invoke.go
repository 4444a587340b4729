package fakeupstream

import (
	"net/http"
)

// invoke is Bedrock's InvokeModel with an Anthropic body, whole or as a stream.
type invoke struct{ bedrock }

var _ dialect = invoke{}

func (invoke) parse(s *Server, rt target, _ *http.Request, b obj) (*ask, *refusal) {
	m, ok := s.lookup("converse", rt.model)
	if !ok {
		return nil, unknownModel(rt.model)
	}
	if m.Claude == 0 && !s.opt.AnyModel {
		return nil, badRequest("Malformed input request: #: the stand-in serves InvokeModel for Claude only, please reformat your input and try again.")
	}
	c := &messagesCheck{a: &ask{model: m, modelID: rt.model, stream: rt.stream, withUsage: true}, bedrock: true}
	c.envelope(b)
	c.betaFlags(stringsOf(list(b, "anthropic_beta")))
	c.body(b, invokeFields)
	if c.bad != nil {
		return c.a, c.bad
	}
	return c.a, s.claudeRules(c.a)
}

// envelope checks what InvokeModel adds to and takes from a Messages body.
func (c *messagesCheck) envelope(b obj) {
	const again = ", please reformat your input and try again."
	c.failIf(!has(b, "anthropic_version"), "Malformed input request: #: required key [anthropic_version] not found"+again)
	c.failIf(has(b, "anthropic_version") && str(b, "anthropic_version") != "bedrock-2023-05-31", "anthropic_version: Input should be 'bedrock-2023-05-31'")
	c.failIf(has(b, "model"), "Malformed input request: #: extraneous key [model] is not permitted"+again)
	c.failIf(has(b, "stream"), "Malformed input request: #: extraneous key [stream] is not permitted"+again)
	c.failIf(!has(b, "max_tokens"), "Malformed input request: #: required key [max_tokens] not found"+again)
	c.failIf(has(b, "anthropic_beta") && list(b, "anthropic_beta") == nil, "anthropic_beta: Input should be a valid list")
}

func (invoke) whole(a *ask, ans *answer) []byte { return anthropic{}.whole(a, ans) }

func (invoke) events(a *ask, ans *answer) [][]byte {
	var out [][]byte
	events := messageEvents(a, ans)
	if u := ans.usage; !ans.shape.NoUsage {
		events[len(events)-1]["amazon-bedrock-invocationMetrics"] = obj{
			"inputTokenCount": u.Input, "outputTokenCount": u.Output, "cacheReadInputTokenCount": u.CacheRead,
			"cacheWriteInputTokenCount": u.CacheWrite + u.CacheWrite1h, "invocationLatency": 12, "firstByteLatency": 6,
		}
	}
	for _, e := range events {
		out = append(out, eventFrame("chunk", canon(obj{"bytes": canon(e), "p": "abcdef"}))) // []byte encodes as base64
	}
	return out
}

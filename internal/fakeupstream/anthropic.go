package fakeupstream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// anthropic is POST /v1/messages.
type anthropic struct{}

var _ dialect = anthropic{}

func (anthropic) streamType() string { return "text/event-stream; charset=utf-8" }
func (anthropic) idHeader() string   { return "request-id" }

func (anthropic) bad(err error) *refusal {
	return badRequest("The request body is not valid JSON: %s", err)
}

func (anthropic) auth(s *Server, r *http.Request, _ []byte) (string, *refusal) {
	key, word := r.Header.Get("x-api-key"), "x-api-key"
	if b, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && key == "" {
		key, word = b, "bearer token"
	}
	no := &refusal{status: http.StatusUnauthorized, kind: "authentication_error"}
	switch {
	case key == "":
		no.msg = "x-api-key header is required"
	case !s.knows(key):
		no.msg = "invalid " + word
	case r.Header.Get("anthropic-version") == "":
		no = badRequest("anthropic-version: header is required")
	default:
		return fingerprint(key), nil
	}
	return "", no
}

// knows reports whether a key is accepted.
func (s *Server) knows(key string) bool {
	return key != "" && (len(s.opt.Keys) == 0 || slices.Contains(s.opt.Keys, key))
}

func (anthropic) parse(s *Server, rt target, r *http.Request, b obj) (*ask, *refusal) {
	id, _ := b["model"].(string)
	if id == "" {
		return nil, badRequest("model: Field required")
	}
	m, ok := s.lookup("anthropic", id)
	if !ok {
		return nil, notFound("model: %s", id)
	}
	c := &messagesCheck{a: &ask{model: m, modelID: id, withUsage: true}}
	c.betaFlags(strings.Split(r.Header.Get("anthropic-beta"), ","))
	if rt.op == opCount {
		c.body(b, countFields)
		return c.a, c.bad
	}
	c.body(b, messagesFields)
	if c.bad != nil {
		return c.a, c.bad
	}
	return c.a, s.claudeRules(c.a)
}

// anthropicKinds are the error types by status.
var anthropicKinds = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
	429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}

func (anthropic) refuse(w http.ResponseWriter, id string, f *refusal) {
	kind := f.kind
	if kind == "" {
		kind = anthropicKinds[f.status]
	}
	if kind == "" {
		kind = "api_error"
	}
	writeError(w, "request-id", id, f.status, obj{"type": "error", "error": obj{"type": kind, "message": f.msg}, "request_id": id})
}

func writeError(w http.ResponseWriter, header, id string, status int, body obj) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(header, id)
	w.WriteHeader(status)
	w.Write(canon(body))
}

func (anthropic) count(n int64) []byte { return canon(obj{"input_tokens": n}) }

var anthropicStops = map[string]string{
	"stop": "end_turn", "stop_sequence": "stop_sequence", "length": "max_tokens", "tool": "tool_use", "refusal": "refusal", "guardrail": "refusal",
}

func anthropicUsage(ans *answer) obj {
	u := ans.usage
	return obj{
		"input_tokens": u.Input, "cache_read_input_tokens": u.CacheRead, "cache_creation_input_tokens": u.CacheWrite + u.CacheWrite1h,
		"cache_creation": obj{"ephemeral_5m_input_tokens": u.CacheWrite, "ephemeral_1h_input_tokens": u.CacheWrite1h},
		"output_tokens":  u.Output, "service_tier": "standard",
	}
}

func anthropicBlock(p part) obj {
	switch p.kind {
	case kindThinking:
		return obj{"type": "thinking", "thinking": p.text, "signature": p.sig}
	case kindRedacted:
		return obj{"type": "redacted_thinking", "data": p.sig}
	case kindUse:
		return obj{"type": "tool_use", "id": p.id, "name": p.name, "input": p.input()}
	}
	return obj{"type": "text", "text": p.text}
}

// input is a tool call's arguments as an object.
func (p part) input() json.RawMessage {
	if p.args == "" {
		return json.RawMessage("{}")
	}
	return json.RawMessage(p.args)
}

func anthropicMessage(a *ask, ans *answer) obj {
	blocks := []obj{}
	for _, p := range ans.parts {
		blocks = append(blocks, anthropicBlock(p))
	}
	m := obj{
		"id": "msg_" + ans.id, "type": "message", "role": "assistant", "model": a.model.ID, "content": blocks,
		"stop_reason": anthropicStops[ans.finish], "stop_sequence": orNull(ans.stopAt), "usage": anthropicUsage(ans),
	}
	if ans.shape.NoUsage {
		delete(m, "usage")
	}
	return m
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (anthropic) whole(a *ask, ans *answer) []byte { return canon(anthropicMessage(a, ans)) }

func (anthropic) events(a *ask, ans *answer) [][]byte {
	var out [][]byte
	for _, e := range messageEvents(a, ans) {
		out = append(out, sse(e["type"].(string), canon(e)))
	}
	return out
}

func (anthropic) exception(kind, msg string) []byte {
	if kind == "" {
		kind = "overloaded_error"
	}
	return sse("error", canon(obj{"type": "error", "error": obj{"type": kind, "message": msg}}))
}

func sse(name string, data []byte) []byte {
	if name == "" {
		return fmt.Appendf(nil, "data: %s\n\n", data)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
}

// messageEvents are the events of a streamed message, before framing.
func messageEvents(a *ask, ans *answer) []obj {
	start := anthropicMessage(a, ans)
	start["content"], start["stop_reason"], start["stop_sequence"] = []obj{}, nil, nil
	if u, ok := start["usage"].(obj); ok {
		u["output_tokens"] = 1
	}
	out := []obj{{"type": "message_start", "message": start}}
	for i, p := range ans.parts {
		out = append(out, blockEvents(i, p, ans.shape)...)
		if i == 0 {
			out = slices.Insert(out, 2, obj{"type": "ping"})
		}
	}
	end := obj{"type": "message_delta", "delta": obj{"stop_reason": anthropicStops[ans.finish], "stop_sequence": orNull(ans.stopAt)}}
	if !ans.shape.NoUsage {
		end["usage"] = without(without(anthropicUsage(ans), "service_tier"), "cache_creation")
	}
	return append(out, end, obj{"type": "message_stop"})
}

func blockEvents(i int, p part, f Fault) []obj {
	empty, deltas := anthropicBlock(p), []obj{}
	switch p.kind {
	case kindText:
		empty["text"] = ""
		for _, s := range pieces(p.text, f) {
			deltas = append(deltas, obj{"type": "text_delta", "text": s})
		}
	case kindThinking:
		empty["thinking"], empty["signature"] = "", ""
		for _, s := range pieces(p.text, Fault{}) {
			deltas = append(deltas, obj{"type": "thinking_delta", "thinking": s})
		}
		deltas = append(deltas, obj{"type": "signature_delta", "signature": p.sig})
	case kindUse:
		empty["input"] = obj{}
		deltas = append(deltas, obj{"type": "input_json_delta", "partial_json": ""})
		for _, s := range pieces(p.args, Fault{}) {
			deltas = append(deltas, obj{"type": "input_json_delta", "partial_json": s})
		}
	}
	out := []obj{{"type": "content_block_start", "index": i, "content_block": empty}}
	for _, d := range deltas {
		out = append(out, obj{"type": "content_block_delta", "index": i, "delta": d})
	}
	return append(out, obj{"type": "content_block_stop", "index": i})
}

// pieceBytes is the usual length of a streamed fragment.
const pieceBytes = 20

// pieces cuts text into fragments at character boundaries: Chunks of them if asked for, one if the event is to be big.
func pieces(text string, f Fault) []string {
	size := pieceBytes
	switch {
	case f.Oversize > 0:
		size = len(text)
	case f.Chunks > 0:
		size = max(len(text)/f.Chunks, 1)
	}
	var out []string
	for len(text) > 0 {
		n := min(size, len(text))
		if f.Chunks > 0 && len(out) == f.Chunks-1 {
			n = len(text)
		}
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// canonical writes what a message means into dst, so that the answer as stored and the same answer as a client replays
// it come out equal: cache marks, ids, thinking, key order, the number of text parts and the form of tool arguments do
// not show. System messages come out empty, since clients rewrite them from call to call.
type canonical struct {
	dst   []byte
	texts strings.Builder // pending text, so that neighbouring parts join
}

// canonicalMessage handles the message forms of OpenAI chat, Anthropic messages and Bedrock Converse. role is
// "assistant", "user", …, or "" for a system message.
func canonicalMessage(dst []byte, raw []byte) (out []byte, role string) {
	m := gjson.ParseBytes(raw)
	role = m.Get("role").Str
	switch role {
	case "system", "developer":
		return dst, ""
	case "assistant":
		return canonicalAnswer(dst, m), role
	}
	c := canonical{dst: tag(dst, 'm', role)}
	c.content(m.Get("content"), false)
	c.flush('t')
	return c.dst, role
}

// canonicalAnswer writes all text first and then the calls: dialects disagree about their order.
func canonicalAnswer(dst []byte, m gjson.Result) []byte {
	c := canonical{dst: tag(dst, 'm', "assistant")}
	content, calls, function := answered(m)
	c.content(content, true)
	text := strings.TrimSpace(c.texts.String())
	c.texts.Reset()
	if text != "" {
		c.dst = tag(c.dst, 't', text)
	}
	each(content, func(p gjson.Result) { c.call(p) })
	each(calls, func(p gjson.Result) {
		c.callOf(p.Get("function.name").Str+p.Get("custom.name").Str, p.Get("function.arguments").Str+p.Get("custom.input").Str)
	})
	if function.IsObject() {
		c.callOf(function.Get("name").Str, function.Get("arguments").Str)
	}
	return c.dst
}

// answered finds what an assistant message says in one pass: texts are long.
func answered(m gjson.Result) (content, calls, function gjson.Result) {
	if !m.IsObject() {
		return content, calls, function
	}
	jsonx.Each(m.Raw, func(k, v string, _ int) bool {
		switch {
		case k == "content" && !content.Exists():
			content = gjson.Parse(v)
		case k == "tool_calls" && !calls.Exists():
			calls = gjson.Parse(v)
		case k == "function_call" && !function.Exists():
			function = gjson.Parse(v)
		}
		return true
	})
	return content, calls, function
}

func each(list gjson.Result, f func(gjson.Result)) {
	if list.IsArray() {
		list.ForEach(func(_, p gjson.Result) bool { f(p); return true })
	}
}

func tag(dst []byte, kind byte, s string) []byte {
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(s)))
	return append(dst, s...)
}

func (c *canonical) flush(kind byte) {
	if c.texts.Len() > 0 {
		c.dst = tag(c.dst, kind, c.texts.String())
		c.texts.Reset()
	}
}

// content writes a string or a list of parts; of an answer only the texts.
func (c *canonical) content(v gjson.Result, answer bool) {
	if v.Type == gjson.String {
		c.texts.WriteString(v.Str)
		return
	}
	each(v, func(p gjson.Result) {
		switch kind := partKind(p); {
		case kind == "text":
			c.texts.WriteString(p.Get("text").String())
		case kind == "thinking" || answer:
		case kind == "tool_result":
			c.flush('t')
			c.result(p)
		default:
			c.flush('t')
			c.dst = tag(c.dst, 'o', string(normal([]byte(p.Raw))))
		}
	})
}

// partKind names a part by its type, or by the one key a Converse part has.
func partKind(p gjson.Result) string {
	switch t := p.Get("type").Str; t {
	case "text", "output_text", "input_text":
		return "text"
	case "thinking", "redacted_thinking", "reasoning":
		return "thinking"
	case "":
	default:
		return t
	}
	switch {
	case p.Get("text").Exists():
		return "text"
	case p.Get("reasoningContent").Exists(), p.Get("cachePoint").Exists():
		return "thinking"
	case p.Get("toolUse").Exists():
		return "tool_use"
	case p.Get("toolResult").Exists():
		return "tool_result"
	}
	return ""
}

func (c *canonical) result(p gjson.Result) {
	if r := p.Get("toolResult"); r.Exists() {
		p = r
	}
	c.content(p.Get("content"), false)
	c.flush('r')
}

func (c *canonical) call(p gjson.Result) {
	if u := p.Get("toolUse"); u.Exists() {
		p = u
	} else if partKind(p) != "tool_use" {
		return
	}
	c.callOf(p.Get("name").Str, p.Get("input").Raw)
}

func (c *canonical) callOf(name, args string) {
	if args == "" {
		args = "{}"
	}
	c.dst = tag(tag(c.dst, 'c', name), 'a', string(normal([]byte(args))))
}

// normal is JSON with sorted keys and without cache marks; what is not JSON stays as it is.
func normal(raw []byte) []byte {
	var v any
	if jsonx.Unmarshal(raw, &v) != nil {
		return raw
	}
	out, err := jsonx.Marshal(unmarked(v))
	if err != nil {
		return raw
	}
	return out
}

func unmarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "cache_control")
		for k := range v {
			v[k] = unmarked(v[k])
		}
	case []any:
		for i := range v {
			v[i] = unmarked(v[i])
		}
	}
	return v
}

// answerOf is the assistant message in a stored response of any dialect, or a result that does not exist. It shares
// memory with response.
func answerOf(response []byte) gjson.Result {
	raw := jsonx.View(response)
	return topOf(raw).answer(raw)
}

// answer is answerOf of the body that t was read from.
func (t top) answer(raw string) gjson.Result {
	for _, m := range [...]string{member(firstOf(t.choices), "message"), member(t.output, "message")} {
		if kindOf(m) == '{' {
			return gjson.Parse(m)
		}
	}
	if t.role == `"assistant"` {
		return gjson.Parse(raw)
	}
	return gjson.Result{}
}

// link extends a chain of canonical messages by one.
func link(parent span.Hash, message []byte) span.Hash {
	h := sha256.New()
	h.Write(parent[:])
	h.Write(message)
	var sum [sha256.Size]byte
	return span.Hash(h.Sum(sum[:0])[:16])
}

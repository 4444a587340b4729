package fakeupstream

import (
	"fmt"
	"slices"
	"strings"
)

func (c *messagesCheck) messages(b obj) {
	msgs := list(b, "messages")
	var turns []turn
	for i, v := range msgs {
		m, ok := v.(obj)
		path := fmt.Sprintf("messages.%d", i)
		c.failIf(!ok, "%s: Input should be a valid dictionary", path)
		for _, k := range sortedKeys(m) {
			c.failIf(k != "role" && k != "content", "%s.%s: Extra inputs are not permitted", path, k)
		}
		c.role(str(m, "role"), path)
		t := turn{role: str(m, "role"), path: path}
		t.parts = c.content(m, path, t.role, i == len(msgs)-1)
		turns = append(turns, t)
	}
	c.a.turns = merge(turns)
	if len(turns) > 0 {
		c.failIf(turns[0].role != "user", `messages: first message must use the "user" role`)
	}
	for _, t := range c.a.turns {
		c.resultsFirst(t)
	}
	c.automatic(b)
}

func (c *messagesCheck) role(role, path string) {
	switch role {
	case "user", "assistant":
	case "system":
		c.failIf(!c.a.model.midSystem(), `messages: Unexpected role "system". The Messages API accepts a top-level `+"`system`"+` parameter, not "system" as an input message role.`)
	case "":
		c.fail("%s.role: Field required", path)
	default:
		c.fail("messages: Unexpected role %q. Allowed roles are \"user\" or \"assistant\".", role)
	}
}

// resultsFirst demands that results open the turn that answers calls.
func (c *messagesCheck) resultsFirst(t turn) {
	other := false
	for _, p := range t.parts {
		c.failIf(p.kind == kindResult && other, "%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
			"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", t.path, p.id)
		other = other || p.kind != kindResult
	}
}

// automatic is the top-level cache_control: a cache point after the last block.
func (c *messagesCheck) automatic(b obj) {
	if ttl := c.mark(b, "messages"); ttl != "" && len(c.a.segs) > 0 {
		c.a.segs[len(c.a.segs)-1].mark = ttl
	}
}

func (c *messagesCheck) content(m obj, path, role string, last bool) []part {
	switch v := m["content"].(type) {
	case string:
		c.nonEmpty(len(v) == 0, path, role, last)
		if v != "" {
			c.failIf(strings.TrimSpace(v) == "", "messages: text content blocks must contain non-whitespace text")
			c.a.segs = append(c.a.segs, newSegment(path, obj{"role": role, "block": obj{"type": "text", "text": v}}, false))
			return []part{{kind: kindText, text: v, path: path + ".content"}}
		}
	case []any:
		c.nonEmpty(len(v) == 0, path, role, last)
		return c.blocks(v, path, role)
	case nil:
		c.fail("%s.content: Field required", path)
	default:
		c.fail("%s.content: Input should be a valid list", path)
	}
	return nil
}

func (c *messagesCheck) nonEmpty(empty bool, path, role string, last bool) {
	c.failIf(empty && !(last && role == "assistant"), "%s: all messages must have non-empty content except for the optional final assistant message", path)
}

func (c *messagesCheck) blocks(l []any, path, role string) []part {
	var parts []part
	for j, v := range l {
		b, _ := v.(obj)
		at := fmt.Sprintf("%s.content.%d", path, j)
		p := c.block(b, at, "")
		c.failIf(role == "assistant" && (p.kind == kindResult || p.kind == kindMedia), "%s: `%s` blocks are not permitted within assistant turns", at, str(b, "type"))
		c.failIf(role == "user" && (p.kind == kindUse || p.kind == kindThinking || p.kind == kindRedacted), "%s: `%s` blocks are not permitted within user turns", at, str(b, "type"))
		seg := newSegment(at, obj{"role": role, "block": without(b, "cache_control")}, p.kind == kindMedia)
		seg.mark = c.mark(b, at)
		c.a.segs = append(c.a.segs, seg)
		parts = append(parts, p)
	}
	return parts
}

// block checks one block and reduces it to a part. only, if set, is the sole type allowed.
func (c *messagesCheck) block(b obj, path, only string) part {
	kind := str(b, "type")
	fields, known := blockFields[kind]
	c.failIf(!has(b, "type"), "%s.type: Field required", path)
	c.failIf(!known || only != "" && kind != only, "%s: Input tag '%s' found using 'type' does not match any of the expected tags: %s", path, kind, blockTags(only))
	for _, k := range sortedKeys(b) {
		c.failIf(k != "type" && !slices.Contains(fields, k), "%s.%s.%s: Extra inputs are not permitted", path, kind, k)
	}
	p := part{path: path, kind: partKind(kind)}
	switch kind {
	case "text":
		p.text = c.text(b, path)
	case "image", "document":
		p.kind = kindMedia
		c.source(b, path, kind)
	case "tool_use":
		p.id, p.name, p.args = str(b, "id"), str(b, "name"), string(canon(b["input"]))
		c.failIf(!idPattern.MatchString(p.id), "%s.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", path)
		c.failIf(!anthropicName(p.name), "%s.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,200}$'", path)
		c.failIf(sub(b, "input") == nil, "%s.tool_use.input: Input should be a valid dictionary", path)
	case "tool_result":
		p.id, p.text = str(b, "tool_use_id"), resultText(b["content"])
		c.failIf(p.id == "", "%s.tool_result.tool_use_id: Field required", path)
		c.result(b["content"], path)
	case "thinking":
		p.text, p.sig = str(b, "thinking"), str(b, "signature")
		c.failIf(!has(b, "thinking"), "%s.thinking.thinking: Field required", path)
		c.failIf(!has(b, "signature"), "%s.thinking.signature: Field required", path)
	case "redacted_thinking":
		p.sig = str(b, "data")
		c.failIf(p.sig == "", "%s.redacted_thinking.data: Field required", path)
	}
	return p
}

func anthropicName(s string) bool { return idPattern.MatchString(s) && len(s) <= 200 }

func blockTags(only string) string {
	if only != "" {
		return "'" + only + "'"
	}
	tags := sortedKeys(map[string]any{"text": 0, "image": 0, "document": 0, "tool_use": 0, "tool_result": 0, "thinking": 0, "redacted_thinking": 0, "search_result": 0})
	return "'" + strings.Join(tags, "', '") + "'"
}

func (c *messagesCheck) text(b obj, path string) string {
	t, ok := b["text"].(string)
	c.failIf(!has(b, "text"), "%s.text.text: Field required", path)
	c.failIf(!ok, "%s.text.text: Input should be a valid string", path)
	c.failIf(t == "" && has(b, "cache_control"), "%s.text: cache_control cannot be set for empty text blocks", path)
	where, _, _ := strings.Cut(path, ".")
	c.failIf(t == "", "%s: text content blocks must be non-empty", where)
	c.failIf(strings.TrimSpace(t) == "", "%s: text content blocks must contain non-whitespace text", where)
	return t
}

// result checks the content of a tool result: a string or text, image and document blocks.
func (c *messagesCheck) result(v any, path string) {
	switch l := v.(type) {
	case nil, string:
	case []any:
		for k, e := range l {
			b, _ := e.(obj)
			p := c.block(b, fmt.Sprintf("%s.tool_result.content.%d", path, k), "")
			c.failIf(p.kind != kindText && p.kind != kindMedia && p.kind != "search_result", "%s.tool_result.content.%d: Input tag '%s' is not permitted in a tool result", path, k, p.kind)
		}
	default:
		c.fail("%s.tool_result.content: Input should be a valid list", path)
	}
}

var imageTypes = map[string]string{"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}

func (c *messagesCheck) source(b obj, path, kind string) {
	s := sub(b, "source")
	c.failIf(s == nil, "%s.%s.source: Field required", path, kind)
	mime, data := str(s, "media_type"), str(s, "data")
	switch str(s, "type") {
	case "base64":
		format := "pdf"
		if kind == "image" {
			format = imageTypes[mime]
			c.failIf(format == "", "%s.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'", path)
		} else {
			c.failIf(mime != "application/pdf", "%s.document.source.base64.media_type: Input should be 'application/pdf'", path)
		}
		problem := checkMedia(format, data)
		c.failIf(problem == badBase64, "%s.%s.source.base64: invalid base64 data", path, kind)
		c.failIf(problem == badMagic && kind == "image", "%s.image.source.base64: The image was specified using the %s media type, but does not appear to be such an image", path, mime)
		c.failIf(problem == badMagic, "%s.document.source.base64.data: The PDF specified was not valid.", path)
	case "url":
		c.failIf(c.bedrock, "%s.%s.source: URL sources are not supported", path, kind)
		c.failIf(!strings.HasPrefix(str(s, "url"), "https://"), "%s.%s.source.url.url: Only HTTPS URLs are supported.", path, kind)
	case "text", "content", "file":
		c.failIf(kind == "image" && str(s, "type") != "file", "%s.image.source: Input tag '%s' found using 'type' does not match any of the expected tags: 'base64', 'file', 'url'", path, str(s, "type"))
	default:
		c.fail("%s.%s.source: Input tag '%s' found using 'type' does not match any of the expected tags: 'base64', 'url'", path, kind, str(s, "type"))
	}
}

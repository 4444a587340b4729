package fakeupstream

import (
	"fmt"
	"slices"
	"strings"
)

func (c *chatCheck) messages(l []any) {
	var turns []turn
	var open []string // calls not yet answered
	for i, v := range l {
		m, _ := v.(obj)
		at, role := fmt.Sprintf("messages[%d]", i), str(m, "role")
		c.unknown(m, messageFields, at+".")
		c.refuseIf(!slices.Contains(chatRoles, role), at+".role", "invalid_value",
			"Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", role)
		open = c.answered(m, role, open, i)
		parts := c.content(m, at, role)
		switch role {
		case "system", "developer":
			for _, p := range parts {
				c.a.system += p.text + "\n"
			}
			continue
		case "tool", "function":
			role, parts = "user", []part{{kind: kindResult, id: str(m, "tool_call_id"), path: at, text: resultText(m["content"])}}
		case "assistant":
			calls := c.calls(m, at)
			open = turn{parts: calls}.ids(kindUse)
			parts = append(parts, calls...)
		}
		turns = append(turns, turn{role: role, path: at, parts: parts})
	}
	c.unanswered(open, len(l))
	c.a.turns = merge(turns)
}

// answered checks a message against the calls that wait for results, and returns those that still do.
func (c *chatCheck) answered(m obj, role string, open []string, i int) []string {
	param := fmt.Sprintf("messages.[%d].role", i)
	if role != "tool" {
		c.unanswered(open, i)
		return nil
	}
	id := str(m, "tool_call_id")
	c.refuseIf(id == "", param, "", "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.")
	c.refuseIf(!slices.Contains(open, id), param, "", "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.")
	return slices.DeleteFunc(slices.Clone(open), func(o string) bool { return o == id })
}

func (c *chatCheck) unanswered(open []string, i int) {
	c.refuseIf(len(open) > 0, fmt.Sprintf("messages.[%d].role", i), "",
		"An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s",
		strings.Join(open, ", "))
}

func (c *chatCheck) content(m obj, at, role string) []part {
	seg := newSegment(at, m, false)
	var parts []part
	switch v := m["content"].(type) {
	case string:
		parts = []part{{kind: kindText, text: v, path: at}}
	case []any:
		c.refuseIf(len(v) == 0, at+".content", "empty_array", "Invalid '%s.content': empty array. Expected an array with minimum length 1, but got an empty array instead.", at)
		for j, e := range v {
			b, _ := e.(obj)
			p := c.part(b, fmt.Sprintf("%s.content[%d]", at, j), role)
			if p.kind == kindMedia {
				seg.tokens = 1500
			}
			parts = append(parts, p)
		}
	case nil:
		c.refuseIf(role != "assistant" || !has(m, "tool_calls") && !has(m, "refusal"), strings.ReplaceAll(at, "[", ".[")+".content", "",
			"Invalid value for 'content': expected a string, got null.")
	default:
		c.refuseIf(true, at+".content", "invalid_type", "Invalid type for '%s.content': expected one of a string or array of objects, but got %s instead.", at, typeName(v))
	}
	c.a.segs = append(c.a.segs, seg)
	return parts
}

func (c *chatCheck) part(b obj, at, role string) part {
	c.unknown(b, partFields, at+".")
	kind := str(b, "type")
	switch kind {
	case "text", "refusal":
		_, ok := b[kind].(string)
		c.refuseIf(!ok, at+"."+kind, "missing_required_parameter", "Missing required parameter: '%s.%s'.", at, kind)
		return part{kind: kindText, text: str(b, kind), path: at}
	case "image_url":
		c.refuseIf(role != "user", at+".type", "invalid_value", "Invalid 'messages'. Image URLs are only allowed for messages with role 'user', but this message with role '%s' contains an image URL.", role)
		c.image(str(sub(b, "image_url"), "url"))
	case "input_audio", "file":
		c.refuseIf(sub(b, kind) == nil, at+"."+kind, "missing_required_parameter", "Missing required parameter: '%s.%s'.", at, kind)
	default:
		c.refuseIf(true, at, "invalid_value", "Invalid value: '%s'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.", kind)
	}
	return part{kind: kindMedia, path: at}
}

// image takes a data URL or a remote one, which the fake does not fetch.
func (c *chatCheck) image(url string) {
	if remoteImage.MatchString(url) {
		return
	}
	p := dataURL.FindStringSubmatch(url)
	c.refuseIf(p == nil, "", "invalid_image_url", "Invalid image URL: expected a base64-encoded data URL with an image MIME type or an http(s) URL.")
	if p == nil {
		return
	}
	format := imageTypes[p[1]]
	const formats = "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp']."
	c.refuseIf(format == "", "", "invalid_image_format", formats)
	problem := checkMedia(format, p[2])
	c.refuseIf(problem == badBase64, "", "invalid_base64", "Invalid base64 image_url.")
	c.refuseIf(problem == badMagic, "", "invalid_image_format", formats)
}

func (c *chatCheck) calls(m obj, at string) []part {
	l, ok := m["tool_calls"].([]any)
	c.refuseIf(ok && len(l) == 0, at+".tool_calls", "empty_array", "Invalid '%s.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.", at)
	var parts []part
	for j, v := range l {
		call, _ := v.(obj)
		path := fmt.Sprintf("%s.tool_calls[%d]", at, j)
		c.unknown(call, []string{"id", "type", "function", "custom"}, path+".")
		fn := sub(call, "function")
		p := part{kind: kindUse, path: path, id: str(call, "id"), name: str(fn, "name"), args: str(fn, "arguments")}
		c.refuseIf(p.id == "", path+".id", "missing_required_parameter", "Missing required parameter: '%s.id'.", path)
		c.refuseIf(len(p.id) > 40 && !c.compatible(), path+".id", "string_above_max_length",
			"Invalid '%s.id': string too long. Expected a string with maximum length 40, but got a string with length %d instead.", path, len(p.id))
		c.refuseIf(str(call, "type") == "", path+".type", "missing_required_parameter", "Missing required parameter: '%s.type'.", path)
		c.toolName(p.name, path+".function.name")
		_, ok := fn["arguments"].(string)
		c.refuseIf(!ok, path+".function.arguments", "invalid_type", "Invalid type for '%s.function.arguments': expected a string, but got %s instead.", path, typeName(fn["arguments"]))
		parts = append(parts, p)
	}
	return parts
}

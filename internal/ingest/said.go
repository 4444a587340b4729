package ingest

import (
	"strings"
	"unicode/utf8"

	"weir/internal/jsonx"
)

// Previews read bodies as raw JSON: in one pass, and without decoding what they do not show. Of a member given twice the
// first counts; "" stands for one that is missing.

// said is what previews need of a message.
type said struct{ role, content, parts, message, text string }

// saidIn reads a message.
func saidIn(raw string) (t said) {
	jsonx.Each(raw, func(key, v string, _ int) bool {
		t.set(key, v)
		return true
	})
	return t
}

// saidByUser reads a message if a user wrote it, and else no further than to its role.
func saidByUser(raw string) (t said, ok bool) {
	jsonx.Each(raw, func(key, v string, _ int) bool {
		t.set(key, v)
		return key != "role" || byUser(t.role)
	})
	return t, byUser(t.role)
}

func (t *said) set(key, v string) {
	switch key {
	case "role":
		keep(&t.role, v)
	case "content":
		keep(&t.content, v)
	case "parts":
		keep(&t.parts, v)
	case "message":
		keep(&t.message, v)
	case "text":
		keep(&t.text, v)
	}
}

func byUser(role string) bool {
	switch role {
	case `"user"`, `"human"`:
		return true
	}
	return false
}

// top is what previews need of a body.
type top struct{ role, input, prompt, messages, contents, choices, output string }

func topOf(raw string) (t top) {
	jsonx.Each(raw, func(key, v string, _ int) bool {
		switch key {
		case "role":
			keep(&t.role, v)
		case "input":
			keep(&t.input, v)
		case "prompt":
			keep(&t.prompt, v)
		case "messages":
			keep(&t.messages, v)
		case "contents":
			keep(&t.contents, v)
		case "choices":
			keep(&t.choices, v)
		case "output":
			keep(&t.output, v)
		}
		return true
	})
	return t
}

func keep(member *string, v string) {
	if *member == "" {
		*member = v
	}
}

// member is a member of an object.
func member(object, name string) (v string) {
	if kindOf(object) != '{' {
		return ""
	}
	jsonx.Each(object, func(key, m string, _ int) bool {
		if key == name {
			v = m
		}
		return v == ""
	})
	return v
}

// firstOf is the first element of a list.
func firstOf(list string) (v string) {
	if kindOf(list) != '[' {
		return ""
	}
	jsonx.Each(list, func(_, e string, _ int) bool { v = e; return false })
	return v
}

// kindOf is how a value begins, which tells its type; 0 if it is missing.
func kindOf(raw string) byte {
	for i := range len(raw) {
		switch c := raw[i]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// textIn is a raw string, decoded, as far as previews need it; "" for a value of another kind.
func textIn(raw string) string {
	if kindOf(raw) != '"' {
		return ""
	}
	const enough = 4 * previewRunes * utf8.UTFMax
	if len(raw) > enough { // the cut spoils the end only
		if text := jsonx.Text(raw[:enough]); len(strings.TrimSpace(text)) >= previewRunes*utf8.UTFMax {
			return text
		}
	}
	return jsonx.Text(raw)
}

// textOf is a string content, or its first text part.
func textOf(content string) (text string) {
	switch kindOf(content) {
	case '"':
		return textIn(content)
	case '[':
		jsonx.Each(content, func(_, p string, _ int) bool {
			if kind, t, _ := partOf(p); isText(kind) || kind == "" && t != "" {
				text = textIn(t)
			}
			return strings.TrimSpace(text) == ""
		})
	}
	return text
}

// partOf is a part's type, and its raw text and content.
func partOf(raw string) (kind, text, content string) {
	jsonx.Each(raw, func(key, v string, _ int) bool {
		switch key {
		case "type":
			keep(&kind, v)
		case "text":
			keep(&text, v)
		case "content":
			keep(&content, v)
		}
		return true
	})
	return textIn(kind), text, content
}

func isText(kind string) bool { return kind == "text" || kind == "output_text" || kind == "input_text" }

// messageText is the text of a message in any of the shapes: content, parts, or nested below "message".
func messageText(t said) string {
	for _, v := range [...]string{t.content, t.parts, member(t.message, "content"), t.text} {
		switch kindOf(v) {
		case '"':
			return textIn(v)
		case '[':
			if text := partsText(v); text != "" {
				return text
			}
		}
	}
	return ""
}

func partsText(list string) (text string) {
	jsonx.Each(list, func(_, p string, _ int) bool {
		if text = textIn(p); text != "" || kindOf(p) != '{' {
			return text == ""
		}
		if kind, t, content := partOf(p); kind == "" || isText(kind) {
			if text = textIn(t); text == "" {
				text = textIn(content)
			}
		}
		return text == ""
	})
	return text
}

// firstText is the first text in a value, at most so many levels deep.
func firstText(raw string, depth int) (text string) {
	switch kindOf(raw) {
	case '"':
		return textIn(raw)
	case '{', '[':
	case 0, 'n':
		return ""
	default:
		return strings.TrimSpace(raw)
	}
	if depth == 0 {
		return ""
	}
	jsonx.Each(raw, func(key, v string, _ int) bool {
		if !isLabel(key) {
			text = firstText(v, depth-1)
		}
		return text == ""
	})
	return text
}

// isLabel reports members that name what a value is rather than say it.
func isLabel(key string) bool {
	switch key {
	case "type", "role", "id", "model", "name", "object", "finish_reason":
		return true
	}
	return false
}

package ingest

import (
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// previewRunes is the longest preview.
const previewRunes = 140

// preview cuts text at a rune boundary and repairs what is not UTF-8.
func preview(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > previewRunes*utf8.UTFMax {
		text = text[:previewRunes*utf8.UTFMax]
	}
	n := 0
	for i := range text {
		if n == previewRunes {
			text = text[:i]
			break
		}
		n++
	}
	return strings.ToValidUTF8(strings.Clone(text), "\uFFFD")
}

// inputPreview is the last text a user wrote; tool results are not that.
func inputPreview(c *conversation) string {
	for i := len(c.segments) - 1; i >= 0; i-- {
		m := gjson.ParseBytes(c.segments[i])
		if m.Get("role").Str != "user" {
			continue
		}
		if text := preview(textOf(m.Get("content"))); text != "" {
			return text
		}
	}
	return ""
}

// textOf is a string content, or its first text part.
func textOf(content gjson.Result) (text string) {
	if content.Type == gjson.String {
		return content.Str
	}
	if !content.IsArray() {
		return ""
	}
	content.ForEach(func(_, p gjson.Result) bool {
		if partKind(p) == "text" {
			text = p.Get("text").Str
		}
		return strings.TrimSpace(text) == ""
	})
	return text
}

// outputPreview is the first text of an answer, else the name of the first tool it calls.
func outputPreview(m gjson.Result) string {
	if text := preview(textOf(m.Get("content"))); text != "" {
		return text
	}
	for _, path := range []string{"tool_calls.0.function.name", "content.#(type==\"tool_use\").name", "content.#(toolUse).toolUse.name", "function_call.name"} {
		if name := m.Get(path).Str; name != "" {
			return preview(name)
		}
	}
	return ""
}

// rawPreview is for bodies that are not conversations: embeddings, completions.
func rawPreview(body []byte) string {
	for _, path := range []string{"input", "prompt"} {
		switch v := gjson.GetBytes(body, path); {
		case v.Type == gjson.String:
			return preview(v.Str)
		case v.IsArray() && v.Get("0").Type == gjson.String:
			return preview(v.Get("0").Str)
		}
	}
	return ""
}

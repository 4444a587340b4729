package ingest

import (
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
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
		if m, ok := saidByUser(jsonx.View(c.segments[i])); ok {
			if text := m.asked(); text != "" {
				return text
			}
		}
	}
	return ""
}

// asked is the text of a user's message in the form of model calls.
func (m said) asked() string {
	if m.role != `"user"` {
		return ""
	}
	return preview(textOf(m.content))
}

// outputPreview is the first text of an answer, else the name of the first tool it calls.
func outputPreview(m gjson.Result) string {
	if text := preview(textOf(saidIn(m.Raw).content)); text != "" {
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
func rawPreview(body []byte) string { return promptPreview(topOf(jsonx.View(body))) }

func promptPreview(t top) string {
	for _, v := range [...]string{t.input, t.prompt} {
		if kindOf(v) == '[' {
			v = firstOf(v)
		}
		if kindOf(v) == '"' {
			return preview(textIn(v))
		}
	}
	return ""
}

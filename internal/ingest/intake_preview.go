package ingest

import (
	"strings"

	"weir/internal/jsonx"
)

// Spans of applications carry messages in many shapes: a list of them, messages with "parts", values of any kind.

// anyInputPreview is the last text of a user, else the first text there is.
func anyInputPreview(body []byte) string {
	raw := strings.TrimSpace(jsonx.View(body)) // previews are copies
	list := raw
	if kindOf(raw) == '{' {
		t := topOf(raw)
		if text := promptPreview(t); text != "" {
			return text
		}
		for _, l := range [...]string{t.contents, t.input, t.messages} {
			if kindOf(l) == '[' {
				list = l
			}
		}
	}
	if text := lastOfUser(list); text != "" {
		return text
	}
	return preview(firstText(raw, 6))
}

// lately is how many of the last messages are looked at for texts in the shapes of applications.
const lately = 50

func lastOfUser(list string) string {
	if kindOf(list) != '[' {
		return ""
	}
	var last [lately]string
	n := 0
	jsonx.Each(list, func(_, m string, _ int) bool { last[n%lately] = m; n++; return true })
	for i := n - 1; i >= max(0, n-lately); i-- {
		if m, ok := saidByUser(last[i%lately]); ok {
			if text := preview(messageText(m)); text != "" {
				return text
			}
		}
	}
	return ""
}

// talkPreview is inputPreview, else anyInputPreview, of a body that was cut.
func talkPreview(c *conversation, body []byte) (text string) {
	other := ""
	for n, i := 0, len(c.segments)-1; i >= 0; n, i = n+1, i-1 {
		m, ok := saidByUser(jsonx.View(c.segments[i]))
		if !ok {
			continue
		}
		if text = m.asked(); text != "" {
			return text
		}
		if other == "" && n < lately {
			other = preview(messageText(m))
		}
	}
	if text = promptPreview(topOf(jsonx.View(frameOf(c.frame)))); text != "" {
		return text
	}
	if other != "" {
		return other
	}
	return preview(firstText(strings.TrimSpace(jsonx.View(body)), 6))
}

// anyOutputPreview is the first text of an answer, else of anything.
func anyOutputPreview(body []byte) string {
	raw := strings.TrimSpace(jsonx.View(body))
	m := raw
	switch kindOf(raw) {
	case '[':
		m = firstOf(raw)
	case '{':
		t := topOf(raw)
		if text := outputPreview(t.answer(raw)); text != "" {
			return text
		}
		if x := firstOf(t.messages); kindOf(x) == '{' {
			m = x
		}
	}
	if text := preview(messageText(saidIn(m))); text != "" {
		return text
	}
	return preview(firstText(raw, 6))
}

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

// lastOfUser looks through the last messages of a list.
func lastOfUser(list string) string {
	const most = 50
	if kindOf(list) != '[' {
		return ""
	}
	var last [most]string
	n := 0
	jsonx.Each(list, func(_, m string, _ int) bool { last[n%most] = m; n++; return true })
	for i := n - 1; i >= max(0, n-most); i-- {
		if m, ok := saidByUser(last[i%most]); ok {
			if text := preview(messageText(m)); text != "" {
				return text
			}
		}
	}
	return ""
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

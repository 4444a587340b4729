package ingest

import (
	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// Spans of applications carry messages in many shapes: a list of them, messages with "parts", values of any kind.

// anyInputPreview is the last text of a user, else the first text there is.
func anyInputPreview(body []byte) string {
	v := gjson.Parse(jsonx.View(body)) // previews are copies
	list := v
	if v.IsObject() {
		if text := rawPreview(body); text != "" {
			return text
		}
		for _, path := range [...]string{"messages", "input", "contents"} {
			if l := v.Get(path); l.IsArray() {
				list = l
				break
			}
		}
	}
	if list.IsArray() {
		items := list.Array()
		for i := len(items) - 1; i >= 0 && i >= len(items)-50; i-- {
			if role := items[i].Get("role").Str; role == "user" || role == "human" {
				if text := preview(messageText(items[i])); text != "" {
					return text
				}
			}
		}
	}
	return preview(firstText(v, 6))
}

// anyOutputPreview is the first text of an answer, else of anything.
func anyOutputPreview(body []byte) string {
	v := gjson.Parse(jsonx.View(body))
	m := v
	switch {
	case v.IsArray():
		m = v.Get("0")
	case v.IsObject():
		if text := outputPreview(answerOf(body)); text != "" {
			return text
		}
		if x := v.Get("messages.0"); x.IsObject() {
			m = x
		}
	}
	if text := preview(messageText(m)); text != "" {
		return text
	}
	return preview(firstText(v, 6))
}

// messageText is the text of a message in any of the shapes: content, parts, or nested below "message".
func messageText(m gjson.Result) string {
	for _, path := range [...]string{"content", "parts", "message.content", "text"} {
		switch v := m.Get(path); {
		case v.Type == gjson.String:
			return v.Str
		case v.IsArray():
			if text := partsText(v); text != "" {
				return text
			}
		}
	}
	return ""
}

func partsText(list gjson.Result) (text string) {
	list.ForEach(func(_, p gjson.Result) bool {
		if p.Type == gjson.String {
			text = p.Str
		} else if kind := p.Get("type").Str; kind == "" || kind == "text" || kind == "output_text" || kind == "input_text" {
			if text = p.Get("text").Str; text == "" {
				text = p.Get("content").Str
			}
		}
		return text == ""
	})
	return text
}

// labels are members that name what a value is rather than say it.
var labels = map[string]bool{"type": true, "role": true, "id": true, "model": true, "name": true, "object": true, "finish_reason": true}

// firstText is the first text in a value, at most so many levels deep.
func firstText(v gjson.Result, depth int) (text string) {
	switch {
	case v.Type == gjson.String:
		return v.Str
	case depth == 0 || !v.IsObject() && !v.IsArray():
		if v.Type == gjson.Number || v.Type == gjson.True || v.Type == gjson.False {
			return v.Raw
		}
		return ""
	}
	v.ForEach(func(k, x gjson.Result) bool {
		if !labels[k.Str] {
			text = firstText(x, depth-1)
		}
		return text == ""
	})
	return text
}

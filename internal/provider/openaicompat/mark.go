package openaicompat

import (
	"github.com/tidwall/gjson"
)

const mark = `"cache_control":{"type":"ephemeral"}`

// markMessages marks the last system message and the last two user turns, as the gateway does for translated requests.
func markMessages(v gjson.Result) string {
	messages := v.Array()
	chosen := map[int]bool{}
	left, turn := 2, false
	for i := len(messages) - 1; i >= 0; i-- {
		switch messages[i].Get("role").Str {
		case "user", "tool":
			if !turn && left > 0 {
				chosen[i] = true
				left--
			}
			turn = true
		default:
			turn = false
		}
	}
	for i := len(messages) - 1; i >= 0; i-- {
		if r := messages[i].Get("role").Str; r == "system" || r == "developer" {
			chosen[i] = true
			break
		}
	}
	i := -1
	return rebuild(v, func(m gjson.Result) string {
		if i++; chosen[i] {
			return without(m, nil, "content", markContent)
		}
		return m.Raw
	})
}

// markContent marks the last part; a string becomes a part first.
func markContent(v gjson.Result) string {
	switch {
	case v.Type == gjson.String && v.Str != "":
		return `[{"type":"text","text":` + v.Raw + `,` + mark + `}]`
	case v.IsArray():
		return markLast(v)
	}
	return v.Raw
}

// markLast marks the last object of an array.
func markLast(v gjson.Result) string {
	n, i := len(v.Array()), 0
	return rebuild(v, func(e gjson.Result) string {
		if i++; i < n || !e.IsObject() || len(e.Raw) < len(`{"a":1}`) {
			return e.Raw
		}
		return e.Raw[:len(e.Raw)-1] + "," + mark + "}"
	})
}

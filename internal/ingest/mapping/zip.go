package mapping

import (
	"bytes"
	"slices"

	"github.com/tidwall/gjson"
)

// Instrumentations of LangChain and others send a conversation twice: as numbered attributes, and inside the whole input
// in the library's own form. Each message then carries its other form under "$raw", and the whole input's list is
// emptied: so both are shared between calls that repeat the conversation, which grows with each.

// rawForm is the entry of a message that holds its other form.
const rawForm = "$raw"

// zip joins a family of messages with the list of messages in the whole input, if they are as many. It changes both
// sources.
func (m *mapper) zip(s, whole *source) bool {
	root := m.tree(s)
	from, to, ok := listIn(whole.json)
	if !ok || whole.as != asText || !root.unwrap("message") {
		return false
	}
	segments, sep, ok := split(whole.json[from:to])
	if !ok || len(segments) != root.size() || len(segments) != len(root.children) {
		return false
	}
	slices.SortFunc(root.children, func(a, b *branch) int { return a.number() - b.number() })
	dst := append(make([]byte, 0, to-from+1024), '[')
	for i, c := range root.children {
		if c.size() >= 0 || len(c.children) == 0 || slices.ContainsFunc(c.children, func(b *branch) bool { return b.key == rawForm }) {
			return false
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = c.appendTree(dst)
		dst = append(dst[:len(dst)-1], `,"`+rawForm+`":`...)
		dst = append(append(dst, segments[i]...), '}')
	}
	s.json, s.as = append(dst, ']'), asZipped
	whole.json, whole.as = slices.Concat(whole.json[:from], whole.json[to:]), asEmptied+sep
	return true
}

// listIn finds the inside of the list of messages of an object: of "messages", or of the one list in that.
func listIn(body []byte) (from, to int, ok bool) {
	list := gjson.GetBytes(body, "messages")
	if len(body) == 0 || body[0] != '{' || !list.IsArray() || list.Index <= 0 {
		return 0, 0, false
	}
	from, to = list.Index+1, list.Index+len(list.Raw)-1
	if inner := bytes.TrimSpace(body[from:to]); len(inner) > 1 && inner[0] == '[' {
		if one := gjson.ParseBytes(inner); len(one.Raw) != len(inner) { // several lists
			return 0, 0, false
		}
		from += bytes.IndexByte(body[from:to], '[') + 1
		to = from - 1 + len(inner) - 1
	}
	return from, to, from <= to
}

// split cuts the inside of a list at its commas. What stands between them must be the same everywhere.
func split(list []byte) (segments [][]byte, sep string, ok bool) {
	list = append(append([]byte{'['}, list...), ']')
	rest := 1
	gjson.ParseBytes(list).ForEach(func(_, e gjson.Result) bool {
		gap := list[rest:e.Index]
		switch len(segments) {
		case 0:
			ok = len(gap) == 0
		case 1:
			sep, ok = string(gap), ok && len(gap) > 0
		default:
			ok = ok && string(gap) == sep
		}
		segments = append(segments, list[e.Index:e.Index+len(e.Raw)])
		rest = e.Index + len(e.Raw)
		return ok && e.Index > 0
	})
	return segments, sep, ok && rest == len(list)-1
}

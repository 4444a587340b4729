package jsonx

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Each calls f with the members of an object or the elements of an array (then key is ""), until f returns false. value
// is raw JSON and stands at json[at:]. The text must have been found valid. Unlike gjson's ForEach nothing is decoded,
// which matters for long strings and for the thousands of events of a stream.
func Each(json string, f func(key, value string, at int) bool) {
	i := space(json, 0)
	if i >= len(json) || json[i] != '{' && json[i] != '[' {
		return
	}
	object := json[i] == '{'
	for i++; ; i++ {
		if i = space(json, i); i >= len(json) || json[i] == '}' || json[i] == ']' {
			return
		}
		key := ""
		if object {
			end := skipString(json, i)
			key = unquote(json[i:min(end, len(json))])
			if i = space(json, end) + 1; i > len(json) { // past the colon
				return
			}
			i = space(json, i)
		}
		end := skipValue(json, i)
		if end <= i || !f(key, json[i:end], i) {
			return
		}
		if i = space(json, end); i >= len(json) || json[i] != ',' {
			return
		}
	}
}

func space(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString returns where the string that starts at i has ended.
func skipString(s string, i int) int {
	i++
	for short := i + 32; i < len(s) && i < short; i++ { // most are short: no call is faster
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	for i < len(s) {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return len(s)
		}
		i += n + 1
		slashes := 0
		for j := i - 2; j >= 0 && s[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return len(s)
}

func skipValue(s string, i int) int {
	if i >= len(s) {
		return i
	}
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{', '[':
		return skipNested(s, i)
	}
	for i < len(s) && s[i] != ',' && s[i] != '}' && s[i] != ']' && s[i] > ' ' {
		i++
	}
	return i
}

func skipNested(s string, i int) int {
	for depth := 0; i < len(s); {
		switch s[i] {
		case '"':
			i = skipString(s, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(s)
}

// Text decodes a raw JSON string; it may share memory with raw.
func Text(raw string) string { return unquote(raw) }

func unquote(raw string) string {
	if len(raw) < 2 {
		return ""
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	return gjson.Parse(raw).String()
}

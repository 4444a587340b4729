package anthropic

import (
	"strings"

	"github.com/tidwall/gjson"
)

// value is one JSON value of a document known to be valid, as it stands there. Unlike gjson it never unescapes what is
// only looked at, which is most of a prompt.
type value string

func (v value) exists() bool   { return v != "" }
func (v value) isNull() bool   { return v.kind() == 'n' }
func (v value) isString() bool { return v.kind() == '"' }
func (v value) isNumber() bool { return v.kind() == '-' || v.kind() >= '0' && v.kind() <= '9' }
func (v value) isBool() bool   { return v.kind() == 't' || v.kind() == 'f' }
func (v value) isObject() bool { return v.kind() == '{' }
func (v value) isArray() bool  { return v.kind() == '[' }

func (v value) kind() byte {
	if v == "" {
		return 0
	}
	return v[0]
}

func (v value) parse() gjson.Result { return gjson.Parse(string(v)) }

// str is the text of a string, and "" of anything else.
func (v value) str() string {
	switch {
	case !v.isString():
		return ""
	case strings.IndexByte(string(v), '\\') < 0:
		return string(v[1 : len(v)-1])
	}
	return v.parse().String()
}

// get is the first member of an object with a name that is written without escapes.
func (v value) get(name string) value {
	for k, m := range v.members {
		if k == name {
			return m
		}
	}
	return ""
}

// pair gets two members in one pass.
func (v value) pair(a, b string) (first, second value) {
	for k, m := range v.members {
		switch k {
		case a:
			first = m
		case b:
			second = m
		}
	}
	return first, second
}

// members yields the members of an object; names stay escaped.
func (v value) members(yield func(name string, m value) bool) {
	if !v.isObject() {
		return
	}
	for i := next(v, 1); i < len(v) && v[i] == '"'; i = next(v, i) {
		end := skipString(v, i)
		name := string(v[i+1 : end-1])
		i = next(v, end)
		end = skip(v, i)
		if !yield(name, v[i:end]) {
			return
		}
		i = end
	}
}

// elements yields the elements of an array.
func (v value) elements(yield func(e value) bool) {
	if !v.isArray() {
		return
	}
	for i := next(v, 1); i < len(v) && v[i] != ']'; i = next(v, i) {
		end := skip(v, i)
		if !yield(v[i:end]) {
			return
		}
		i = end
	}
}

// next is the position of the next token after white space, commas and colons.
func next(v value, i int) int {
	for i < len(v) {
		switch v[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

// skip is the position after the value that starts at i.
func skip(v value, i int) int {
	depth := 0
	for i < len(v) {
		switch v[i] {
		case '"':
			i = skipString(v, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			if depth == 0 {
				return skipWord(v, i)
			}
			i++
			continue
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func skipWord(v value, i int) int {
	for i < len(v) && !strings.ContainsRune(" \t\r\n,:]}", rune(v[i])) {
		i++
	}
	return i
}

// skipString is the position after the string that starts at i: after the first quote that an even number of
// backslashes precedes.
func skipString(v value, i int) int {
	for i++; i < len(v); i++ {
		n := strings.IndexByte(string(v[i:]), '"')
		if n < 0 {
			break
		}
		i += n
		j := i
		for v[j-1] == '\\' {
			j--
		}
		if (i-j)%2 == 0 {
			return i + 1
		}
	}
	return len(v)
}

// maxDepth bounds nesting, since each level is read once for every level above it.
const maxDepth = 100

func (v value) tooDeep() bool {
	if strings.Count(string(v), "[")+strings.Count(string(v), "{") <= maxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			i = skipString(v, i) - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

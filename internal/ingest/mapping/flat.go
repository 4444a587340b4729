package mapping

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// A family of attributes such as llm.input_messages.0.message.role is one structure written flat. branch is that
// structure; flatten in restore_test.go is the inverse of appendTree.
type branch struct {
	key      string
	children []*branch
	leaf     bool
	value    any
}

// child returns the branch below b, which is most often the one asked for last.
func (b *branch) child(key string) *branch {
	for i := len(b.children) - 1; i >= 0; i-- {
		if b.children[i].key == key {
			return b.children[i]
		}
	}
	c := &branch{key: key}
	b.children = append(b.children, c)
	return c
}

// put adds an attribute by what follows its family's name. Names nest no deeper than maxDepth.
func (b *branch) put(path string, v any) {
	for depth := 0; depth < maxDepth; depth++ {
		head, rest, more := strings.Cut(path, ".")
		if !more {
			break
		}
		b, path = b.child(head), rest
	}
	b = b.child(path)
	b.leaf, b.value = true, v
}

// size is the length of the list that b is, or -1 if it is none: its names are not all numbers, or too far apart.
func (b *branch) size() int {
	if len(b.children) == 0 || b.leaf {
		return -1
	}
	n := 0
	for _, c := range b.children {
		i, err := strconv.Atoi(c.key)
		if err != nil || i < 0 || strconv.Itoa(i) != c.key || i > 2*len(b.children)+16 {
			return -1
		}
		n = max(n, i+1)
	}
	return n
}

// number is b's place in a list.
func (b *branch) number() int {
	n, _ := strconv.Atoi(b.key)
	return n
}

// appendTree writes b as JSON: lists where names are numbers, objects elsewhere. A name that has a value and names below
// it keeps its value under "".
func (b *branch) appendTree(dst []byte) []byte {
	if len(b.children) == 0 {
		return appendLeaf(dst, b.value)
	}
	if n := b.size(); n > 0 {
		return b.appendList(dst, n)
	}
	dst = append(dst, '{')
	comma := false
	if b.leaf {
		dst = appendLeaf(append(dst, `"":`...), b.value)
		comma = true
	}
	for _, c := range b.children {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = c.appendTree(append(appendString(dst, c.key), ':'))
	}
	return append(dst, '}')
}

func (b *branch) appendList(dst []byte, n int) []byte {
	order := make([]*branch, n)
	for _, c := range b.children {
		order[c.number()] = c
	}
	dst = append(dst, '[')
	for i, c := range order {
		if i > 0 {
			dst = append(dst, ',')
		}
		if c == nil {
			dst = append(dst, "null"...)
			continue
		}
		dst = c.appendTree(dst)
	}
	return append(dst, ']')
}

// appendLeaf marks values that would read as structure.
func appendLeaf(dst []byte, v any) []byte {
	switch v.(type) {
	case []any, map[string]any, nil:
		return append(appendValue(append(dst, `{"$value":`...), v, 0), '}')
	}
	return appendValue(dst, v, 0)
}

// unwrap takes one level out of every branch below b, if that level is all they have: "message" in OpenInference.
func (b *branch) unwrap(level string) bool {
	for _, c := range b.children {
		if c.leaf || len(c.children) != 1 || c.children[0].key != level || c.children[0].leaf {
			return false
		}
	}
	for _, c := range b.children {
		c.children = c.children[0].children
	}
	return len(b.children) > 0
}

// special reports a value that stands for one JSON does not have.
func special(v gjson.Result) bool {
	for _, name := range []string{`{"$value":`, `{"$bytes":`, `{"$float":`} {
		if strings.HasPrefix(v.Raw, name) {
			return true
		}
	}
	return false
}

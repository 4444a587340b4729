package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"weir/internal/llm"
)

// Undo is what must be changed back in the answer to a request made by EncodeRequest. The zero value changes nothing.
type Undo struct {
	names  map[string]string // name on the wire → the client's
	schema string            // tool that stands in for structured output; "" if none
}

func (u Undo) name(wire string) string {
	if n, ok := u.names[wire]; ok {
		return n
	}
	return wire
}

func (u Undo) isSchema(wire string) bool { return u.schema != "" && wire == u.schema }

// finish hides that structured output was asked for by a tool.
func (u Undo) finish(f llm.Finish, called bool) llm.Finish {
	if u.schema != "" && f == llm.FinishToolCalls && !called {
		return llm.FinishStop
	}
	return f
}

// Limits of names and ids; the API allows letters, digits, '_' and '-'.
const (
	maxName = 64
	maxID   = 128
)

// namer makes names legal, each in one way only, and never two alike.
type namer struct {
	max   int
	taken map[string]string // legal → original
	legal map[string]string // original → legal
}

func newNamer(max int) *namer {
	return &namer{max: max, taken: map[string]string{}, legal: map[string]string{}}
}

// reserve keeps names that are legal as they are, so that no changed name can take their place.
func (n *namer) reserve(name string) {
	if isLegal(name, n.max) {
		n.taken[name], n.legal[name] = name, name
	}
}

func (n *namer) of(name string) string {
	if l, ok := n.legal[name]; ok {
		return l
	}
	l := name
	for salt := ""; !isLegal(l, n.max) || n.isOther(l, name); salt += "+" {
		l = n.make(name, salt)
	}
	n.taken[l], n.legal[name] = name, l
	return l
}

func (n *namer) isOther(l, name string) bool {
	o, ok := n.taken[l]
	return ok && o != name
}

// make replaces what is illegal and appends a hash of the original, by which equal remains are told apart.
func (n *namer) make(name, salt string) string {
	h := sha256.Sum256([]byte(name + salt))
	clean := strings.Map(func(r rune) rune {
		if isLegalRune(r) {
			return r
		}
		return '_'
	}, name)
	return clean[:min(len(clean), n.max-9)] + "_" + hex.EncodeToString(h[:4])
}

// changed are the names that differ from the client's.
func (n *namer) changed() map[string]string {
	out := map[string]string{}
	for l, o := range n.taken {
		if l != o {
			out[l] = o
		}
	}
	return out
}

func isLegal(s string, max int) bool {
	return s != "" && len(s) <= max && strings.IndexFunc(s, func(r rune) bool { return !isLegalRune(r) }) < 0
}

func isLegalRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}

package bedrock

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

const maxName = 64

// legalName is what Converse takes as a tool's name and as a toolUseId.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// nameMap makes names legal, one to one, and back. The same set of names always maps the same way, whatever else is
// in the request, so that a conversation's prefix stays cacheable.
type nameMap struct {
	wire     map[string]string // ours → legal; only those that differ
	original map[string]string // legal → ours
}

// newNameMap takes every name of a request. Legal ones keep their spelling, so they are placed first.
func newNameMap(names []string) *nameMap {
	m := &nameMap{wire: map[string]string{}, original: map[string]string{}}
	for _, n := range names {
		if legalName.MatchString(n) {
			m.original[n] = n
		}
	}
	for _, n := range names {
		if _, done := m.wire[n]; !done && !legalName.MatchString(n) {
			w := m.free(n)
			m.wire[n], m.original[w] = w, n
		}
	}
	return m
}

// free is a legal spelling of n that no other name has: its legal characters and a hash of all of it.
func (m *nameMap) free(n string) string {
	for salt := 0; ; salt++ {
		w := shorten(n, salt)
		if _, taken := m.original[w]; !taken {
			return w
		}
	}
}

func shorten(n string, salt int) string {
	hashed := n
	if salt > 0 {
		hashed += "\x00" + strconv.Itoa(salt)
	}
	sum := sha256.Sum256([]byte(hashed))
	tail := "_" + hex.EncodeToString(sum[:4])
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && legalName.MatchString(string(r)) {
			return r
		}
		return '_'
	}, n)
	return clean[:min(len(clean), maxName-len(tail))] + tail
}

// to is the legal spelling of one of the names given to newNameMap.
func (m *nameMap) to(n string) string {
	if w, ok := m.wire[n]; ok {
		return w
	}
	return n
}

// from is the client's spelling of a name in an answer; a name the model made up stays.
func (m *nameMap) from(w string) string {
	if n, ok := m.original[w]; ok {
		return n
	}
	return w
}

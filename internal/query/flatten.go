package query

import (
	"bytes"
	"strconv"
	"strings"

	"weir/internal/jsonx"
)

// Pair is one entry of a Map.
type Pair struct{ Path, Value string }

const (
	maxMapDepth = 8
	maxPath     = 200 // bytes
	maxEntries  = 50  // of lists
)

// flattened turns nested metadata into dotted paths: {"a":{"b":1},"c":["x"]} is a.b = "1", c.0 = "x". Values are the text
// of strings and the JSON of numbers and booleans; null and empty text are left out. It holds at most so many pairs, and
// values of at most so many bytes.
func flattened(object jsonx.Raw, entries, most int) []Pair {
	if len(object) <= 2 {
		return nil
	}
	if !jsonx.Valid(object) {
		if object = bytes.ToValidUTF8(object, []byte("\uFFFD")); !jsonx.Valid(object) {
			return nil
		}
	}
	w := walker{entries: entries, most: most}
	w.walk("", strings.TrimSpace(jsonx.View(object)), 0)
	return w.out
}

// bodyMarker begins what stands for an attribute that became a body; see span.Span.Attributes.
const bodyMarker = `{"$body":`

type walker struct {
	entries, most int    // pairs, and bytes of a value
	memory        []byte // of what is kept: a pair may outlive the record it is read from
	out           pairList
}

func (w *walker) walk(path, v string, depth int) {
	if len(w.out) >= w.entries || depth > maxMapDepth {
		return
	}
	switch v[0] {
	case '{', '[':
		if !strings.HasPrefix(v, bodyMarker) {
			w.members(path, v, depth)
		}
	case '"':
		w.add(path, w.text(v))
	case 'n': // null
	default:
		w.add(path, v) // as written, large integers included
	}
}

func (w *walker) members(path, v string, depth int) {
	i, array := 0, v[0] == '['
	jsonx.Each(v, func(key, child string, _ int) bool {
		if array {
			key = strconv.Itoa(i)
			i++
		}
		if path != "" {
			key = path + "." + key
		}
		w.walk(key, child, depth+1)
		return len(w.out) < w.entries
	})
}

// text decodes as much of a string as is kept of it: no escape is longer than six bytes for one.
func (w *walker) text(v string) string {
	if enough := 8 * w.most; len(v) > enough {
		v = v[:enough]
	}
	return jsonx.Text(v)
}

func (w *walker) add(path, value string) {
	if value == "" || path == "" || len(path) > maxPath {
		return
	}
	if w.out == nil {
		w.out, w.memory = make(pairList, 0, 8), make([]byte, 0, 256)
	}
	w.out.put(Pair{w.keep(path), w.keep(cutTo(value, w.most))})
}

// keep copies a text behind those kept before, which stay where they are.
func (w *walker) keep(s string) string {
	from := len(w.memory)
	w.memory = append(w.memory, s...)
	return jsonx.View(w.memory[from:])
}

// pairList has each path once. Of a path given twice, the last counts.
type pairList []Pair

func (l *pairList) put(p Pair) {
	for i := range *l {
		if (*l)[i].Path == p.Path {
			(*l)[i] = p
			return
		}
	}
	*l = append(*l, p)
}

// add copies what it keeps.
func (l *pairList) add(path, value string, most int) {
	if value == "" || path == "" || len(path) > maxPath {
		return
	}
	l.put(Pair{strings.ToValidUTF8(strings.Clone(path), "\uFFFD"), strings.ToValidUTF8(strings.Clone(cutTo(value, most)), "\uFFFD")})
}

func cutTo(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

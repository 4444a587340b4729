package query

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

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
func flattened(object jsonx.Raw, entries, bytes int) []Pair {
	if len(object) <= 2 || !gjson.ValidBytes(object) {
		return nil
	}
	w := walker{entries: entries, bytes: bytes}
	w.walk("", gjson.Parse(jsonx.View(object)), 0)
	return w.out
}

// bodyMarker begins what stands for an attribute that became a body; see span.Span.Attributes.
const bodyMarker = `{"$body":`

type walker struct {
	entries, bytes int
	out            pairList
}

func (w *walker) walk(path string, v gjson.Result, depth int) {
	if len(w.out) >= w.entries || depth > maxMapDepth {
		return
	}
	if v.Type == gjson.JSON {
		if strings.HasPrefix(v.Raw, bodyMarker) {
			return
		}
		i, array := 0, v.IsArray()
		v.ForEach(func(k, child gjson.Result) bool {
			key := k.Str
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
		return
	}
	text := v.Str
	switch v.Type {
	case gjson.Number, gjson.True, gjson.False:
		text = v.Raw // as written, large integers included
	}
	w.out.add(path, text, w.bytes)
}

// pairList has each path once.
type pairList []Pair

// add copies what it keeps, since a pair may outlive the record it is read from. Of a path given twice, the last counts.
func (l *pairList) add(path, value string, bytes int) {
	if value == "" || path == "" || len(path) > maxPath {
		return
	}
	p := Pair{strings.ToValidUTF8(strings.Clone(path), "\uFFFD"), strings.ToValidUTF8(strings.Clone(cutTo(value, bytes)), "\uFFFD")}
	for i := range *l {
		if (*l)[i].Path == p.Path {
			(*l)[i] = p
			return
		}
	}
	*l = append(*l, p)
}

func cutTo(s string, bytes int) string {
	if len(s) > bytes {
		return strings.ToValidUTF8(s[:bytes], "")
	}
	return s
}

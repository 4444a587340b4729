package tracediff

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"weir/internal/jsonx"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxJSONChanges bounds what one pair of values yields.
const maxJSONChanges = 200

// values compares two JSON values path by path. Paths start at prefix: prefix.key, prefix[0].
func values(what, prefix string, a, b jsonx.Raw) []Change {
	va, vb := decode(a), decode(b)
	j := &jsonDiff{what: what}
	switch {
	case len(a) == 0 && len(b) == 0:
	case len(a) == 0:
		j.add(prefix, Added, nil, vb)
	case len(b) == 0:
		j.add(prefix, Removed, va, nil)
	default:
		j.walk(prefix, va, vb, 0)
	}
	return j.out
}

// decode reads a value. Text that is not JSON is compared as text, and JSON in a text as the value it is: tool
// arguments come both ways.
func decode(raw jsonx.Raw) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return string(raw)
	}
	if s, ok := v.(string); ok {
		if t := strings.TrimSpace(s); len(t) > 1 && (t[0] == '{' || t[0] == '[') && jsonx.Valid([]byte(t)) {
			return decode(jsonx.Raw(t))
		}
	}
	return v
}

type jsonDiff struct {
	what string
	out  []Change
}

const maxJSONDepth = 100

func (j *jsonDiff) walk(path string, a, b any, depth int) {
	if depth > maxJSONDepth || len(j.out) >= maxJSONChanges {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			j.objects(path, x, y, depth)
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			j.arrays(path, x, y, depth)
			return
		}
	}
	if !equal(a, b) {
		j.add(path, Changed, a, b)
	}
}

func (j *jsonDiff) objects(path string, a, b map[string]any, depth int) {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		at := path + "." + k
		if strings.ContainsAny(k, ".[] \"") || k == "" {
			at = path + "[" + strconv.Quote(k) + "]"
		}
		x, inA := a[k]
		y, inB := b[k]
		switch {
		case !inA:
			j.add(at, Added, nil, y)
		case !inB:
			j.add(at, Removed, x, nil)
		default:
			j.walk(at, x, y, depth+1)
		}
	}
}

// arrays are aligned by equal elements between equal ends; what is left is compared in order.
func (j *jsonDiff) arrays(path string, a, b []any, depth int) {
	p := 0
	for p < len(a) && p < len(b) && equal(a[p], b[p]) {
		p++
	}
	q := 0
	for q < len(a)-p && q < len(b)-p && equal(a[len(a)-1-q], b[len(b)-1-q]) {
		q++
	}
	ma, mb := a[p:len(a)-q], b[p:len(b)-q]
	for i := range max(len(ma), len(mb)) {
		at := path + "[" + itoa(p+i) + "]"
		switch {
		case i >= len(ma):
			j.add(at, Added, nil, mb[i])
		case i >= len(mb):
			j.add(at, Removed, ma[i], nil)
		default:
			j.walk(at, ma[i], mb[i], depth+1)
		}
	}
}

func (j *jsonDiff) add(path string, op Op, a, b any) {
	if len(j.out) >= maxJSONChanges {
		return
	}
	c := Change{What: j.what, Path: path, Op: op}
	if op != Added {
		c.Before = short(a)
	}
	if op != Removed {
		c.After = short(b)
	}
	if x, ok := a.(string); ok && op == Changed {
		if y, ok := b.(string); ok {
			c.Words = Words(x, y)
		}
	}
	j.out = append(j.out, c)
}

func equal(a, b any) bool {
	x, okX := a.(json.Number)
	y, okY := b.(json.Number)
	if okX && okY && x != y {
		fx, errX := x.Float64()
		fy, errY := y.Float64()
		return errX == nil && errY == nil && fx == fy
	}
	return reflect.DeepEqual(a, b)
}

// maxShown bounds a value that is shown whole, in bytes.
const maxShown = 8 << 10

// short is a value, or the beginning of one that is too long, as a text that says so.
func short(v any) jsonx.Raw {
	if s, ok := v.(string); ok {
		return jsonx.MustMarshal(clip(s))
	}
	raw := jsonx.MustMarshal(v)
	if len(raw) <= maxShown {
		return raw
	}
	return jsonx.MustMarshal(clip(string(raw)))
}

func clip(s string) string {
	if len(s) <= maxShown {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "… (" + itoa(len(s)) + " bytes)"
}

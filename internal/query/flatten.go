package query

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// Bounds of flattened metadata.
const (
	maxEntries   = 50
	maxMetaValue = 200 // bytes
	maxMetaDepth = 8
)

// Flatten turns nested metadata into dotted paths: {"a":{"b":1},"c":["x"]} is a.b = "1", c.0 = "x". Values are the text
// of strings and the JSON of numbers and booleans, cut to 200 bytes; null, empty text and whatever comes after 50
// entries is left out.
func Flatten(metadata jsonx.Raw) map[string]string {
	out := map[string]string{}
	if len(metadata) > 0 && gjson.ValidBytes(metadata) {
		flatten(out, "", gjson.ParseBytes(metadata), 0)
	}
	return out
}

func flatten(out map[string]string, path string, v gjson.Result, depth int) {
	if len(out) >= maxEntries || depth > maxMetaDepth {
		return
	}
	if v.IsObject() || v.IsArray() {
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
			flatten(out, key, child, depth+1)
			return len(out) < maxEntries
		})
		return
	}
	text := v.String()
	if v.Type == gjson.Number {
		text = v.Raw // as written, large integers included
	}
	if text == "" || path == "" || len(path) > 200 {
		return
	}
	if len(text) > maxMetaValue {
		text = strings.ToValidUTF8(text[:maxMetaValue], "")
	}
	out[strings.ToValidUTF8(path, "\uFFFD")] = strings.ToValidUTF8(text, "\uFFFD")
}

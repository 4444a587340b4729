package mapping

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

func itoa(n int) string { return strconv.Itoa(n) }

// attributes writes the span's attributes, with markers for those that became bodies.
func (m *mapper) attributes() jsonx.Raw {
	own := m.raw.Attributes
	if len(own) == 0 {
		return nil
	}
	size := 2
	for i := range own {
		if m.fates[i] == kept {
			size += len(own[i].Key) + 24
			if s, ok := own[i].Value.(string); ok {
				size += len(s) + len(s)/8
			}
		}
	}
	dst := append(make([]byte, 0, size+64*len(m.markers)), '{')
	for i := range own {
		if m.fates[i] == kept {
			dst = separate(dst)
			dst = appendValue(append(appendString(dst, own[i].Key), ':'), own[i].Value, 0)
		}
	}
	for _, k := range m.markers {
		if k.index >= len(own) {
			continue // an event's
		}
		dst = append(appendString(separate(dst), k.key), ':')
		dst = k.append(dst)
	}
	return append(dst, '}')
}

func separate(dst []byte) []byte {
	if dst[len(dst)-1] != '{' {
		return append(dst, ',')
	}
	return dst
}

func (k marker) append(dst []byte) []byte {
	if k.output {
		dst = append(dst, `{"$body":"output"`...)
	} else {
		dst = append(dst, `{"$body":"input"`...)
	}
	if k.at != "" {
		dst = appendString(append(dst, `,"at":`...), k.at)
	}
	if k.as != "" {
		dst = appendString(append(dst, `,"as":`...), k.as)
	}
	return append(dst, '}')
}

// Restore makes the attributes as they arrived out of those of a span and its bodies, by name, as JSON: attributes that
// became bodies are put back.
func Restore(s *span.Span, input, output []byte) map[string]jsonx.Raw {
	all := map[string]jsonx.Raw{}
	gjson.ParseBytes(s.Attributes).ForEach(func(k, v gjson.Result) bool {
		if side := v.Get("$body"); v.IsObject() && side.Exists() {
			body := input
			if side.Str == "output" {
				body = output
			}
			restore(all, k.Str, v, gjson.ParseBytes(body))
		} else {
			all[k.Str] = jsonx.Raw(v.Raw)
		}
		return true
	})
	return all
}

func restore(all map[string]jsonx.Raw, key string, mark, body gjson.Result) {
	key = strings.TrimSuffix(key, ".")
	as, spliced := strings.CutSuffix(mark.Get("as").Str, asSpliced)
	v := body
	if at := mark.Get("at").Str; at != "" {
		v = body.Get(at)
	} else if extra := body.Get(more); spliced && extra.Index > 0 {
		v = gjson.Parse(body.Raw[:extra.Index-len(`,"`+more+`":`)] + "}")
	}
	put := func(key string, v gjson.Result) {
		if inner := v.Get("$value"); special(v) && inner.Exists() {
			v = inner
		}
		all[key] = jsonx.Raw(v.Raw)
	}
	if sep, ok := strings.CutPrefix(as, asEmptied); ok {
		all[key] = appendString(nil, jsonx.View(unzip(v, body.Get("messages"), sep)))
		return
	}
	switch as {
	case asText:
		all[key] = appendString(nil, v.Raw)
	case asFlat:
		flatten(key, v, "", put)
	case asMessages, asZipped:
		flatten(key, v, "message", put)
	case asDerived:
		deriveMessages(key, v, mark.Get("$body").Str == "output", func(key, text string) { all[key] = appendString(nil, text) })
	default:
		all[key] = jsonx.Raw(v.Raw)
	}
}

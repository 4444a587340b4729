package mapping

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// What is kept of attributes must tell all that arrived: the inverse of the mapping is here, for tests to apply.

// restored makes the attributes as they arrived out of those of a span and its bodies, by name, as JSON: attributes that
// became bodies are put back.
func restored(s *span.Span, input, output []byte) map[string]jsonx.Raw {
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

// flatten calls yield with the names and values appendTree was given, level being what unwrap took out.
func flatten(prefix string, v gjson.Result, level string, yield func(key string, v gjson.Result)) {
	if special(v) || !v.IsObject() && !v.IsArray() {
		yield(prefix, v)
		return
	}
	i := 0
	v.ForEach(func(k, e gjson.Result) bool {
		name := k.Str
		if v.IsArray() {
			name = strconv.Itoa(i)
			i++
		}
		if level != "" {
			name += "." + level
		}
		switch {
		case e.Type == gjson.Null && v.IsArray():
		case name == rawForm:
		case name == "":
			yield(prefix, e)
		default:
			flatten(prefix+"."+name, e, "", yield)
		}
		return true
	})
}

// unzip puts the other forms of the messages back into the whole input.
func unzip(whole, messages gjson.Result, sep string) []byte {
	from, to, ok := listIn([]byte(whole.Raw))
	if !ok {
		return []byte(whole.Raw)
	}
	var segments []string
	messages.ForEach(func(_, e gjson.Result) bool {
		segments = append(segments, e.Get(rawForm).Raw)
		return true
	})
	return slices.Concat([]byte(whole.Raw[:from]), []byte(strings.Join(segments, sep)), []byte(whole.Raw[to:]))
}

package mapping

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// Restore makes the attributes as they arrived out of those of a span, or of one of its events, and the span's bodies,
// which may be nil: attributes that became bodies are put back. A marker whose body is not there, or has changed since,
// stays.
func Restore(attributes jsonx.Raw, input, output []byte) jsonx.Raw {
	if !bytes.Contains(attributes, []byte(`"$body"`)) {
		return attributes
	}
	r := &restorer{input: gjson.ParseBytes(input), output: gjson.ParseBytes(output), dst: []byte{'{'}}
	gjson.ParseBytes(attributes).ForEach(func(k, v gjson.Result) bool {
		if side := v.Get("$body"); !v.IsObject() || !side.Exists() || !r.restore(k.Str, v, side.Str == "output") {
			r.put(k.Str, v.Raw)
		}
		return true
	})
	return append(r.dst, '}')
}

type restorer struct {
	input, output gjson.Result
	dst           []byte
}

func (r *restorer) put(key, raw string) {
	r.dst = append(append(appendString(separate(r.dst), key), ':'), raw...)
}

func (r *restorer) text(key, text string) { r.put(key, string(appendString(nil, text))) }

// restore puts back what a marker stands for, or returns false.
func (r *restorer) restore(key string, mark gjson.Result, output bool) bool {
	body := r.input
	if output {
		body = r.output
	}
	as, spliced := strings.CutSuffix(mark.Get("as").Str, asSpliced)
	v := within(body, mark.Get("at").Str, spliced)
	if !v.Exists() {
		return false
	}
	key = strings.TrimSuffix(key, ".")
	if sep, ok := strings.CutPrefix(as, asEmptied); ok {
		r.text(key, jsonx.View(unzip(v, body.Get("messages"), sep)))
		return true
	}
	flat := func(key string, v gjson.Result) {
		if inner := v.Get("$value"); special(v) && inner.Exists() {
			v = inner
		}
		r.put(key, v.Raw)
	}
	switch as {
	case asText:
		r.text(key, v.Raw)
	case asFlat:
		flatten(key, v, "", flat)
	case asMessages, asZipped:
		flatten(key, v, "message", flat)
	case asDerived:
		deriveMessages(key, v, output, r.text)
	default:
		r.put(key, v.Raw)
	}
	return true
}

// within is the part of a body that a marker names; nothing if it is not there. All of a spliced body is what stands
// before "$more".
func within(body gjson.Result, at string, spliced bool) gjson.Result {
	switch {
	case strings.ContainsAny(at, "@|#!"): // no marker of ours
		return gjson.Result{}
	case at != "":
		return body.Get(at)
	case spliced:
		if whole, _, ok := strings.Cut(body.Raw, `,"`+more+`":`); ok {
			return gjson.Parse(whole + "}")
		}
	}
	return body
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

package anthropic

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
)

// Patch says what to change in a client's body. Everything else keeps its bytes.
type Patch struct {
	Set    []Field  // top-level fields to set; present ones keep their place
	Remove []string // top-level fields to take out
	// CachePoints marks the last tool, the last system block and the last block of the last two user turns, unless the
	// body has a mark of its own anywhere.
	CachePoints bool
}

// Field is a top-level field with its JSON.
type Field struct {
	Name string
	Raw  jsonx.Raw
}

// String is a Field with a string in it.
func String(name, value string) Field { return Field{name, jsonx.MustMarshal(value)} }

const mark = `"cache_control":{"type":"ephemeral"}`

// PatchNative applies p to body, which must be a JSON object (see Inspect). The result is a new slice.
func PatchNative(body []byte, p Patch) []byte {
	root := gjson.ParseBytes(body)
	var out patch
	fields := topLevel(root)
	kept := out.cut(fields, p.Remove)
	for _, s := range p.Set {
		if v, ok := find(fields, s.Name); ok {
			out.replace(v, string(s.Raw))
			continue
		}
		out.member(root, string(jsonx.MustMarshal(s.Name))+":"+string(s.Raw), kept > 0)
		kept++
	}
	if p.CachePoints && !marked(body, fields) {
		markTools(valueOf(fields, "tools"), &out)
		markContent(valueOf(fields, "system"), &out)
		markTurns(valueOf(fields, "messages"), &out)
	}
	return out.apply(body)
}

type field struct {
	name       string
	start, end int
	value      gjson.Result
}

func topLevel(root gjson.Result) []field {
	var out []field
	root.ForEach(func(k, v gjson.Result) bool {
		out = append(out, field{name: k.Str, start: k.Index, end: v.Index + len(v.Raw), value: v})
		return true
	})
	return out
}

func find(fields []field, name string) (gjson.Result, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return gjson.Result{}, false
	}
	return fields[i].value, true
}

func valueOf(fields []field, name string) gjson.Result {
	v, _ := find(fields, name)
	return v
}

// marked reports a cache mark anywhere the API knows one. The search of bytes spares most bodies the walk.
func marked(body []byte, fields []field) bool {
	if !bytes.Contains(body, []byte(`"cache_control"`)) {
		return false
	}
	if valueOf(fields, "cache_control").IsObject() || markedContent(valueOf(fields, "tools")) || markedContent(valueOf(fields, "system")) {
		return true
	}
	found := false
	valueOf(fields, "messages").ForEach(func(_, m gjson.Result) bool {
		found = markedContent(m.Get("content"))
		return !found
	})
	return found
}

func markedContent(c gjson.Result) bool {
	found := false
	if !c.IsArray() {
		return false
	}
	c.ForEach(func(_, b gjson.Result) bool {
		found = found || hasMark(b) || markedContent(b.Get("content"))
		return !found
	})
	return found
}

func hasMark(v gjson.Result) bool { return v.Get("cache_control").IsObject() }

// markTools marks the last tool that is sent at once: a deferred one cannot be cached.
func markTools(tools gjson.Result, out *patch) {
	last := lastWhere(tools, func(t gjson.Result) bool { return t.IsObject() && !t.Get("defer_loading").Bool() })
	if last.Exists() {
		out.intoObject(last, mark)
	}
}

// markContent marks the last block that can hold a mark, and makes a block of a bare string. It reports whether it did.
func markContent(c gjson.Result, out *patch) bool {
	if c.Type == gjson.String {
		if strings.TrimSpace(c.Str) == "" {
			return false
		}
		out.replace(c, `[{"type":"text","text":`+c.Raw+`,`+mark+`}]`)
		return true
	}
	last := lastWhere(c, func(b gjson.Result) bool {
		t := b.Get("type").Str
		return b.IsObject() && canCache(t) && (t != "text" || strings.TrimSpace(b.Get("text").Str) != "")
	})
	if last.Exists() {
		out.intoObject(last, mark)
	}
	return last.Exists()
}

func lastWhere(list gjson.Result, ok func(gjson.Result) bool) gjson.Result {
	var last gjson.Result
	if list.IsArray() {
		list.ForEach(func(_, v gjson.Result) bool {
			if ok(v) {
				last = v
			}
			return true
		})
	}
	return last
}

// markTurns marks the last two user turns; messages of one role in a row are one turn.
func markTurns(messages gjson.Result, out *patch) {
	if !messages.IsArray() {
		return
	}
	var ms []gjson.Result
	messages.ForEach(func(_, m gjson.Result) bool { ms = append(ms, m); return true })
	isUser := func(i int) bool { return ms[i].Get("role").Str == string(llm.User) }
	for i, left := len(ms)-1, 2; i >= 0 && left > 0; i-- {
		if !isUser(i) || !markContent(ms[i].Get("content"), out) {
			continue
		}
		left--
		for i > 0 && isUser(i-1) {
			i--
		}
	}
}

// patch is a set of edits by position in one body.
type patch struct{ edits []edit }

type edit struct {
	start, end int
	text       string
}

func (p *patch) replace(v gjson.Result, text string) {
	p.edits = append(p.edits, edit{v.Index, v.Index + len(v.Raw), text})
}

// intoObject adds a member at the end of an object whose own members all stay.
func (p *patch) intoObject(v gjson.Result, text string) {
	inner := v.Raw[1:strings.LastIndexByte(v.Raw, '}')]
	p.member(v, text, strings.TrimSpace(inner) != "")
}

func (p *patch) member(v gjson.Result, text string, comma bool) {
	end := v.Index + strings.LastIndexByte(v.Raw, '}') // white space after the root belongs to its Raw
	if comma {
		text = "," + text
	}
	p.edits = append(p.edits, edit{end, end, text})
}

// cut takes fields out, each run of them with the commas that would be left over, and tells how many stay.
func (p *patch) cut(fields []field, names []string) (kept int) {
	for i := 0; i < len(fields); i++ {
		if !slices.Contains(names, fields[i].name) {
			kept++
			continue
		}
		j := i
		for j+1 < len(fields) && slices.Contains(names, fields[j+1].name) {
			j++
		}
		start, end := fields[i].start, fields[j].end
		switch {
		case j+1 < len(fields):
			end = fields[j+1].start
		case i > 0:
			start = fields[i-1].end
		}
		p.edits = append(p.edits, edit{start, end, ""})
		i = j
	}
	return kept
}

// apply makes the edits in one pass. Edits at one position stay in the order they were made.
func (p *patch) apply(body []byte) []byte {
	slices.SortStableFunc(p.edits, func(a, b edit) int { return a.start - b.start })
	size := len(body)
	for _, e := range p.edits {
		size += len(e.text)
	}
	out, at := make([]byte, 0, size), 0
	for _, e := range p.edits {
		if e.start > at {
			out = append(out, body[at:e.start]...)
		}
		out = append(out, e.text...)
		at = max(at, e.end)
	}
	return append(out, body[at:]...)
}

// RestampStart changes the model that a message_start event names.
func RestampStart(event []byte, model string) []byte {
	v := gjson.GetBytes(event, "message.model")
	if v.Type != gjson.String || v.Index == 0 {
		return bytes.Clone(event)
	}
	var p patch
	p.replace(v, string(jsonx.MustMarshal(model)))
	return p.apply(event)
}

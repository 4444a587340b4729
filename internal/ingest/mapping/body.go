package mapping

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// A body is what went in or came out, as JSON. One attribute that holds all of it is the body as it stands. Several are
// entries of an object: the messages under "messages", so that the store shares them between calls, and beside them
// tools, system instructions and whatever else. Entries beside a whole body that is an object itself, with messages of its
// own, stand in it under "$more". The attributes are replaced by markers from which Restore makes them again.

// marker stands for an attribute, or a family, that became a body.
type marker struct {
	key    string // of a family with the dot at its end
	output bool
	at     string // where in the body; "" = all of it
	as     string // see below
	index  int    // of the attribute, the first of a family
}

// Forms of an attribute that is in a body.
const (
	asValue    = ""           // the value itself
	asText     = "json"       // text that is the JSON in the body
	asFlat     = "flat"       // a family of attributes
	asMessages = "flat:"      // a family with the level "message" taken out
	asDerived  = "openai"     // a family that repeats the OpenAI messages of the body
	asZipped   = "flat:raw"   // the same, each message holding its other form as well
	asEmptied  = "json:"      // text whose messages are elsewhere; what stood between them follows
	asSpliced  = "+"          // at the end: without what stands under "$more"
	asEvents   = "gen_ai.evt" // events of the span
)

// more is the entry for what a whole body lacks.
const more = "$more"

// source is what will be one entry of a body, or all of it.
type source struct {
	r    *rule
	n    int // attributes of the family
	hit  hit // the first of them
	at   string
	as   string
	json []byte // shares memory with the attribute if as is asText
	list bool   // the value is known to be a list
}

// bodies builds input and output.
func (m *mapper) bodies() (input, output []byte) {
	return m.body(false), m.body(true)
}

func (m *mapper) body(output bool) []byte {
	var buf [8]source
	list := m.sources(buf[:0], output)
	if e := m.eventBody(output); e != nil && !has(list, "messages") {
		list = append(list, source{at: "messages", as: asEvents, json: e})
	}
	if len(list) == 0 {
		return nil
	}
	if whole := m.encodeAll(list, output); whole >= 0 {
		return m.around(list, whole, output)
	}
	return m.object(list, output)
}

// encodeAll writes all sources, the numbered families last: they may repeat the one that is the whole body, whose index
// it returns, or -1.
func (m *mapper) encodeAll(list []source, output bool) int {
	whole := -1
	for i := range list {
		s := &list[i]
		if s.json == nil && s.r.shape != flat {
			m.encode(s)
		}
		if s.at == "" {
			whole = i
		}
	}
	for i := range list {
		s := &list[i]
		if s.json != nil {
			continue
		}
		if whole >= 0 && s.at == "messages" && m.derived(s, list[whole].json, output) {
			s.as = asDerived
		} else if whole < 0 || output || s.at != "messages" || !m.zip(s, &list[whole]) {
			m.encodeFamily(s)
		}
	}
	return whole
}

func has(list []source, at string) bool {
	for _, s := range list {
		if s.at == at {
			return true
		}
	}
	return false
}

// sources finds the best attribute for each entry.
func (m *mapper) sources(list []source, output bool) []source {
next:
	for _, h := range m.hits {
		if h.r.field != fBody || h.r.output != output || empty(m.value(h)) {
			continue
		}
		at, sure := h.r.at, false
		if h.r.shape == listed {
			if sure = m.of.isList(m.value(h), output); !sure {
				at = ""
			}
		}
		for i := range list {
			if s := &list[i]; s.at == at {
				if s.r == h.r && h.r.shape == flat {
					s.n++
				} else if m.rank(h.r) < m.rank(s.r) {
					*s = source{r: h.r, n: 1, hit: h, at: at, list: sure}
				}
				continue next
			}
		}
		list = append(list, source{r: h.r, n: 1, hit: h, at: at, list: sure})
	}
	return list
}

// isList reports a list, in text or as such.
func (x *Mapper) isList(v any, output bool) bool {
	switch v := v.(type) {
	case []any:
		return true
	case string:
		if !strings.HasPrefix(strings.TrimLeft(v, " \t\r\n"), "[") {
			return false
		}
		last := &x.lists[0]
		if output {
			last = &x.lists[1]
		}
		if !x.longer(*last, v) && !isJSON(v) {
			return false
		}
		*last = v
		return true
	}
	return false
}

// longer reports that a text is an earlier list with more elements behind, as the conversation of a run is a call later:
// then only those are checked. False tells nothing.
func (x *Mapper) longer(earlier, text string) bool {
	end := len(earlier) - 1
	if end < 1 || len(text) <= end || text[end] != ',' || earlier[end] != ']' || text[:end] != earlier[:end] || strings.TrimSpace(earlier[:end]) == "[" {
		return false
	}
	x.scratch = append(append(x.scratch[:0], "[0"...), text[end:]...)
	return shallow(text) && jsonx.Valid(x.scratch)
}

// encode writes a value as JSON.
func (m *mapper) encode(s *source) {
	v := m.value(s.hit)
	if text, ok := v.(string); ok && s.r.shape != opaque && (s.list || isJSON(text)) {
		s.json, s.as = bytesOf(strings.TrimSpace(text)), asText
	} else {
		s.json = appendValue(m.of.take(roomFor(v)), v, 0)
	}
	if s.at == "" && isConversation(s.json) {
		s.at = "messages"
	}
}

// roomFor is what a value takes as JSON, if it is text with few escapes.
func roomFor(v any) int {
	s, ok := v.(string)
	if !ok {
		return 64
	}
	return len(s) + len(s)/16 + 16
}

// isConversation reports a list whose first element has a role.
func isConversation(b []byte) bool {
	if len(b) == 0 || b[0] != '[' {
		return false
	}
	f := gjson.GetBytes(b, "0")
	return f.IsObject() && f.Get("role").Type == gjson.String
}

// tree is the structure of a family.
func (m *mapper) tree(s *source) *branch {
	root := &branch{}
	for _, h := range m.hits {
		if h.r == s.r {
			root.put(m.attrs[h.index].Key[len(s.r.key):], m.value(h))
		}
	}
	return root
}

func (m *mapper) encodeFamily(s *source) {
	root := m.tree(s)
	s.as = asFlat
	if s.at == "messages" && root.size() > 0 && root.unwrap("message") {
		s.as = asMessages
	}
	s.json = root.appendTree(nil)
}

// object makes a body of entries, the messages first.
func (m *mapper) object(list []source, output bool) []byte {
	size := 2
	for i := range list {
		size += len(list[i].at) + len(list[i].json) + 4
		if list[i].at == "messages" {
			list[0], list[i] = list[i], list[0]
		}
	}
	dst := append(m.of.take(size), '{')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.entry(dst, &list[i], "", output)
	}
	return append(dst, '}')
}

func (m *mapper) entry(dst []byte, s *source, below string, output bool) []byte {
	m.move(s, below+s.at, output)
	dst = append(appendString(dst, s.at), ':')
	return append(dst, s.json...)
}

// around makes a body of a whole one and what stands beside it.
func (m *mapper) around(list []source, whole int, output bool) []byte {
	w := list[whole]
	rest := append(list[:whole:whole], list[whole+1:]...)
	isObject := w.json[0] == '{' && (w.as == asText || !special(gjson.ParseBytes(w.json)))
	kept := rest[:0]
	for i := range rest {
		if s := rest[i]; s.as == asDerived {
			m.move(&s, "", output)
		} else {
			kept = append(kept, s)
		}
	}
	switch {
	case len(kept) == 0:
		m.move(&w, "", output)
		if w.as != asText {
			return w.json
		}
		return append(m.of.take(len(w.json)), w.json...)
	case isObject && !has(kept, "messages") && len(w.json) > 2 && !bytes.Contains(w.json, []byte(more)):
		w.as += asSpliced
		m.move(&w, "", output)
		dst := append(append([]byte(nil), w.json[:len(w.json)-1]...), `,"`+more+`":{`...)
		for i := range kept {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = m.entry(dst, &kept[i], more+".", output)
		}
		return append(dst, "}}"...)
	}
	w.at = "value"
	if has(kept, "value") {
		w.at = "whole"
	}
	return m.object(append(kept, w), output)
}

func ownMessages(output bool) string {
	if output {
		return "choices"
	}
	return "messages"
}

// move takes the attributes of a source out of the span's own.
func (m *mapper) move(s *source, at string, output bool) {
	if s.as == asEvents {
		return
	}
	if s.r.shape != flat {
		m.fates[s.hit.index] = moved
		m.markers = append(m.markers, marker{m.attrs[s.hit.index].Key, output, at, s.as, s.hit.index})
		return
	}
	for _, h := range m.hits {
		if h.r == s.r {
			m.fates[h.index] = moved
		}
	}
	m.markers = append(m.markers, marker{s.r.key, output, at, s.as, s.hit.index})
}

// derived reports that a family of OpenInference attributes says nothing but what OpenAI messages in the whole body say.
func (m *mapper) derived(s *source, whole []byte, output bool) bool {
	if whole[0] != '{' || !gjson.GetBytes(whole, ownMessages(output)).IsArray() {
		return false
	}
	have := make(map[string]string, s.n)
	for _, h := range m.hits {
		if h.r == s.r {
			text, ok := m.value(h).(string)
			if !ok {
				return false
			}
			have[m.attrs[h.index].Key] = text
		}
	}
	same := true
	deriveMessages(strings.TrimSuffix(s.r.key, "."), gjson.ParseBytes(whole), output, func(key, text string) {
		got, ok := have[key]
		same = same && ok && got == text
		delete(have, key)
	})
	return same && len(have) == 0
}

// deriveMessages yields the attributes that OpenInference makes out of OpenAI messages.
func deriveMessages(family string, body gjson.Result, output bool, yield func(key, text string)) {
	n := 0
	body.Get(ownMessages(output)).ForEach(func(_, m gjson.Result) bool {
		if output {
			m = m.Get("message")
		}
		deriveMessage(family+"."+itoa(n)+".message.", m, yield)
		n++
		return true
	})
}

func deriveMessage(at string, m gjson.Result, yield func(key, text string)) {
	text := func(name string, v gjson.Result) {
		if v.Type == gjson.String {
			yield(at+name, v.Str)
		}
	}
	text("role", m.Get("role"))
	text("tool_call_id", m.Get("tool_call_id"))
	text("name", m.Get("name"))
	content := m.Get("content")
	text("content", content)
	if content.IsArray() {
		i := 0
		content.ForEach(func(_, p gjson.Result) bool {
			part := "contents." + itoa(i) + ".message_content."
			text(part+"type", p.Get("type"))
			text(part+"text", p.Get("text"))
			text(part+"image.image.url", p.Get("image_url.url"))
			i++
			return true
		})
	}
	i := 0
	m.Get("tool_calls").ForEach(func(_, c gjson.Result) bool {
		call := "tool_calls." + itoa(i) + ".tool_call."
		text(call+"id", c.Get("id"))
		text(call+"function.name", c.Get("function.name"))
		text(call+"function.arguments", c.Get("function.arguments"))
		i++
		return true
	})
}

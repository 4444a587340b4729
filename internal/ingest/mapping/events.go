package mapping

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// Messages also arrive as events of a span, or as log records that name it: one event a message in older conventions, one
// event with attributes like the span's own in newer ones.

// gathered is an event that became part of a body.
type gathered struct {
	index         int // of the event
	output        bool
	json          []byte // nil: its attributes were joined to the span's, from here to there, those of its body from mid
	from, mid, to int
}

// carriers are events whose attributes mean what the span's would.
var carriers = map[string]bool{
	"gen_ai.client.inference.operation.details": true, "gen_ai.content.prompt": true, "gen_ai.content.completion": true,
	"gen_ai.evaluation.result": false,
}

// gather takes in the events that carry messages.
func (m *mapper) gather() {
	own := len(m.attrs)
	for i := range m.raw.Events {
		e := &m.raw.Events[i]
		if !strings.HasPrefix(e.Name, "gen_ai.") {
			continue
		}
		switch {
		case carriers[e.Name]:
			g := gathered{index: i, from: len(m.attrs)}
			m.attrs = append(m.attrs[:len(m.attrs):len(m.attrs)], e.Attributes...)
			g.mid = len(m.attrs)
			if body, ok := e.Body.(map[string]any); ok {
				for _, k := range slices.Sorted(maps.Keys(body)) {
					m.attrs = append(m.attrs, Attribute{k, body[k]})
				}
			}
			g.to = len(m.attrs)
			m.events = append(m.events, g)
		case e.Name == "gen_ai.choice":
			m.events = append(m.events, gathered{index: i, output: true, json: eventMessage(e)})
		case strings.HasSuffix(e.Name, ".message"):
			m.events = append(m.events, gathered{index: i, json: eventMessage(e)})
		}
	}
	if len(m.attrs) > own {
		m.marks |= 1 << genAI
	}
}

// eventMessage is an event as a message: its name, its attributes, and what its body holds.
func eventMessage(e *Event) []byte {
	dst := appendString(append(make([]byte, 0, 256), `{"event.name":`...), e.Name)
	seen := map[string]bool{"event.name": true}
	add := func(key string, v any) {
		if seen[key] {
			return
		}
		seen[key] = true
		dst = append(appendString(append(dst, ','), key), ':')
		if s, ok := v.(string); ok && key != "content" && isJSON(s) {
			dst = append(dst, strings.TrimSpace(s)...)
			return
		}
		dst = appendValue(dst, v, 0)
	}
	for _, a := range e.Attributes {
		add(a.Key, a.Value)
	}
	switch b := e.Body.(type) {
	case map[string]any:
		dst = append(dst, ',')
		inner := appendMap(nil, b, 0)
		if dst = append(dst, inner[1:]...); len(b) == 0 {
			dst = append(dst[:len(dst)-2], '}')
		}
		return dst
	case nil:
	default:
		add("body", b)
	}
	return append(dst, '}')
}

// eventBody is the list of messages that events carry.
func (m *mapper) eventBody(output bool) []byte {
	var dst []byte
	for _, e := range m.events {
		if e.json == nil || e.output != output {
			continue
		}
		if dst == nil {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, e.json...)
	}
	if dst == nil {
		return nil
	}
	return append(dst, ']')
}

// moments are the span's events; of those that became part of a body only their names and times.
func (m *mapper) moments() []span.Moment {
	if len(m.raw.Events) == 0 {
		return nil
	}
	out := make([]span.Moment, len(m.raw.Events))
	for i := range m.raw.Events {
		e := &m.raw.Events[i]
		out[i] = span.Moment{Name: valid(e.Name), Time: e.Time, Attributes: m.momentAttributes(i)}
	}
	return out
}

func (m *mapper) momentAttributes(i int) jsonx.Raw {
	for _, g := range m.events {
		if g.index == i && g.json == nil {
			return m.joined(g)
		}
		if g.index == i {
			return jsonx.Raw(marker{output: g.output, as: asEvents}.append(nil))
		}
	}
	e := &m.raw.Events[i]
	if len(e.Attributes) == 0 && e.Body == nil {
		return nil
	}
	dst := []byte{'{'}
	for _, a := range e.Attributes {
		dst = appendValue(append(appendString(separate(dst), a.Key), ':'), a.Value, 0)
	}
	if e.Body != nil {
		dst = appendValue(append(appendString(separate(dst), "body"), ':'), e.Body, 0)
	}
	return append(dst, '}')
}

// joined are the attributes of an event that carried messages, with markers for those that became bodies.
func (m *mapper) joined(g gathered) jsonx.Raw {
	dst := []byte{'{'}
	write := func(from, to int) {
		for i := from; i < to; i++ {
			dst = append(appendString(separate(dst), m.attrs[i].Key), ':')
			dst = m.joinedValue(dst, i)
		}
	}
	write(g.from, g.mid)
	if g.to > g.mid {
		dst = append(separate(dst), `"body":{`...)
		write(g.mid, g.to)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// joinedValue is an attribute of an event, or its marker. Log records repeat what the span has as well.
func (m *mapper) joinedValue(dst []byte, i int) []byte {
	for _, k := range m.markers {
		if text, ok := m.attrs[i].Value.(string); k.index == i || k.key == m.attrs[i].Key && ok && text == m.attrs[k.index].Value {
			return k.append(dst)
		}
	}
	if m.fates[i] == moved { // one of a family
		return append(dst, "null"...)
	}
	return appendValue(dst, m.attrs[i].Value, 0)
}

// eventName is the name of the event that a message was, or "".
func eventName(m gjson.Result) string { return m.Get(`event\.name`).Str }

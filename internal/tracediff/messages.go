package tracediff

import (
	"math/bits"
	"slices"
	"strings"

	"weir/internal/jsonx"
)

// maxMessages bounds the messages that are aligned between the equal ends of two conversations.
const maxMessages = 1000

// conversations compares what went in and came out. side is "input" or "output".
func conversations(side, what string, a, b []Message) (out []Change) {
	fa, fb := prints(a), prints(b)
	p := 0
	for p < len(a) && p < len(b) && fa[p].whole == fb[p].whole {
		p++
	}
	q := 0
	for q < len(a)-p && q < len(b)-p && fa[len(a)-1-q].whole == fb[len(b)-1-q].whole {
		q++
	}
	ma, mb := fa[p:len(a)-q], fb[p:len(b)-q]
	if len(ma) > maxMessages || len(mb) > maxMessages {
		return []Change{{What: what, Path: side + ".messages", Op: Changed, Before: count(len(a)), After: count(len(b))}}
	}
	i, j := 0, 0
	one := func(x, y int) { // x or y may be -1
		path := side + ".messages[" + itoa(p+max(x, y)) + "]"
		switch {
		case x < 0:
			out = append(out, whole(what, path, b[p+y], Added))
		case y < 0:
			out = append(out, whole(what, side+".messages["+itoa(p+x)+"]", a[p+x], Removed))
		default:
			out = append(out, message(what, side+".messages["+itoa(p+y)+"]", a[p+x], b[p+y])...)
		}
	}
	for _, pair := range append(heaviest(len(ma), len(mb), func(i, j int) int32 { return likeness(ma[i], mb[j]) }), [2]int{len(ma), len(mb)}) {
		for ; i < pair[0]; i++ {
			one(i, -1)
		}
		for ; j < pair[1]; j++ {
			one(-1, j)
		}
		if i < len(ma) && j < len(mb) {
			one(i, j)
		}
		i, j = i+1, j+1
	}
	return out
}

func count(n int) jsonx.Raw { return jsonx.MustMarshal(itoa(n) + " messages") }

type messagePrint struct {
	role   string
	whole  uint64
	sketch uint64
}

func prints(ms []Message) []messagePrint {
	out := make([]messagePrint, len(ms))
	for i, m := range ms {
		parts := []string{m.Role}
		for _, p := range m.Parts {
			parts = append(parts, p.Type, p.Name, p.Text, string(jsonx.Compact(p.Value)))
		}
		text := strings.Join(parts, "\x00")
		out[i] = messagePrint{role: m.Role, whole: hash(parts...), sketch: sketch(text[:min(len(text), 4<<10)])}
	}
	return out
}

func likeness(a, b messagePrint) int32 {
	switch {
	case a.whole == b.whole:
		return 100
	case a.role != b.role:
		return 0
	}
	return 20 + max(0, 32-int32(bits.OnesCount64(a.sketch^b.sketch)))
}

// whole is a message on one side only.
func whole(what, path string, m Message, op Op) Change {
	c := Change{What: what, Path: path, Role: m.Role, Op: op}
	raw := short(render(m))
	if op == Added {
		c.After = raw
	} else {
		c.Before = raw
	}
	return c
}

// render is a message as text, tool calls and results included.
func render(m Message) string {
	var out []string
	for _, p := range m.Parts {
		switch p.Type {
		case "text", "thinking":
			out = append(out, p.Text)
		case "tool_call":
			out = append(out, p.Name+"("+string(p.Value)+")")
		default:
			out = append(out, string(p.Value))
		}
	}
	return strings.Join(out, "\n")
}

// message compares two turns: texts by words, tool calls and results by path.
func message(what, path string, a, b Message) (out []Change) {
	for _, kind := range []string{"text", "thinking"} {
		x, y := textOf(a, kind), textOf(b, kind)
		if x == y {
			continue
		}
		at := path
		if kind != "text" {
			at += "." + kind
		}
		c := Change{What: what, Path: at, Role: b.Role, Op: Changed, Before: short(x), After: short(y), Words: Words(x, y)}
		switch {
		case x == "":
			c.Op, c.Before, c.Words = Added, nil, nil
		case y == "":
			c.Op, c.After, c.Words = Removed, nil, nil
		}
		out = append(out, c)
	}
	out = append(out, tools(path, "tool_call", "arguments", a, b)...)
	out = append(out, tools(path, "tool_result", "result", a, b)...)
	return append(out, tools(path, "", what, a, b)...)
}

func textOf(m Message, kind string) string {
	var out []string
	for _, p := range m.Parts {
		if p.Type == kind {
			out = append(out, p.Text)
		}
	}
	return strings.Join(out, "\n")
}

// tools compares the parts of a type ("" = all that are not text) in order, calls of the same name with each other.
func tools(path, kind, what string, a, b Message) (out []Change) {
	pa, pb := partsOf(a, kind), partsOf(b, kind)
	at := func(p Part, i int) string {
		name := p.Type
		if p.Name != "" {
			name += "(" + p.Name + ")"
		}
		return path + "." + name + times(i)
	}
	i, j := 0, 0
	for _, pair := range append(heaviest(len(pa), len(pb), func(i, j int) int32 { return boolWeight(pa[i].Name == pb[j].Name && pa[i].Type == pb[j].Type) }), [2]int{len(pa), len(pb)}) {
		for ; i < pair[0]; i++ {
			out = append(out, Change{What: what, Path: at(pa[i], i), Op: Removed, Before: short(decode(pa[i].Value))})
		}
		for ; j < pair[1]; j++ {
			out = append(out, Change{What: what, Path: at(pb[j], j), Op: Added, After: short(decode(pb[j].Value))})
		}
		if i < len(pa) && j < len(pb) {
			out = append(out, values(what, at(pb[j], j), pa[i].Value, pb[j].Value)...)
		}
		i, j = i+1, j+1
	}
	return out
}

func partsOf(m Message, kind string) (out []Part) {
	for _, p := range m.Parts {
		known := slices.Contains([]string{"text", "thinking", "tool_call", "tool_result"}, p.Type)
		if p.Type == kind || kind == "" && !known {
			out = append(out, p)
		}
	}
	return out
}

func times(i int) string {
	if i == 0 {
		return ""
	}
	return "#" + itoa(i+1)
}

func boolWeight(ok bool) int32 {
	if ok {
		return 1
	}
	return 0
}

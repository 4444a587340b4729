package mapping

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// keys are names worth trying: every exact name, and families with numbers.
func keys() (out []string) {
	for _, rules := range [][]rule{langfuseRules, mlflowRules, openInferenceRules, vercelRules, pydanticRules, openLLMetryRules, genAIRules, plainRules} {
		for _, r := range rules {
			if !r.prefix {
				out = append(out, r.key)
				continue
			}
			for _, rest := range []string{"0.message.role", "0.message.content", "1.message.tool_calls.0.tool_call.function.name", "0", "x", "0..", "99.content", "."} {
				out = append(out, r.key+rest)
			}
		}
	}
	return out
}

// reader makes a Raw out of bytes.
type reader struct {
	b    []byte
	keys []string
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) text() string {
	n := min(int(r.byte()), len(r.b))
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) any(depth int) any {
	switch k := r.byte() % 9; k {
	case 0, 1, 2:
		return r.text()
	case 3:
		return r.byte()%2 == 0
	case 4:
		var n [8]byte
		copy(n[:], r.text())
		return int64(binary.LittleEndian.Uint64(n[:]))
	case 5:
		return float64(int8(r.byte())) / float64(r.byte())
	case 6:
		return []byte(r.text())
	default:
		if depth > 4 {
			return nil
		}
		n := int(r.byte() % 5)
		if k == 7 {
			list := []any{}
			for range n {
				list = append(list, r.any(depth+1))
			}
			return list
		}
		m := map[string]any{}
		for range n {
			m[r.text()] = r.any(depth + 1)
		}
		return m
	}
}

func (r *reader) attributes() (out []Attribute) {
	for n := r.byte() % 40; n > 0 && len(r.b) > 0; n-- {
		key := r.text()
		if i := int(r.byte())<<8 | int(r.byte()); i%4 != 0 {
			key = r.keys[i%len(r.keys)]
		}
		out = append(out, Attribute{key, r.any(0)})
	}
	return out
}

func FuzzMap(f *testing.F) {
	names := keys()
	f.Add([]byte("\x05\x00\x01\x02\x00\x10{\"messages\":[{}]}\x00\x02\x05\x00\x08[{\"role\":"))
	for i := range 40 { // every kind of value under every tenth name
		b := []byte{39}
		for j := i; j < len(names); j += 40 {
			b = append(b, 0, byte(j>>8), byte(j), 0, 12)
			b = append(b, `[{"role":""}]`[:12]...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{b: data, keys: names}
		in := &Raw{Trace: strings.Repeat("a", 32), ID: strings.Repeat("b", 16), Name: r.text(), Scope: r.text(), Start: start, End: start.Add(time.Second), Failed: r.byte()%2 == 0}
		in.Attributes, in.Resource = r.attributes(), r.attributes()
		for range r.byte() % 4 {
			name := []string{"exception", "gen_ai.user.message", "gen_ai.choice", "gen_ai.client.inference.operation.details", "x"}[r.byte()%5]
			in.Events = append(in.Events, Event{Name: name, Time: start, Attributes: r.attributes(), Body: r.any(0)})
		}
		m := Map(in)
		for name, b := range map[string][]byte{"input": m.Input, "output": m.Output, "attributes": m.Span.Attributes, "metadata": m.Span.Metadata, "params": m.Span.Params, "resource": m.Span.Resource} {
			if b != nil && !jsonx.Valid(b) {
				t.Fatalf("%s is not JSON: %q", name, b)
			}
		}
		for _, e := range m.Span.Events {
			if e.Attributes != nil && !jsonx.Valid(e.Attributes) {
				t.Fatalf("an event is not JSON: %q", e.Attributes)
			}
		}
		if restorable(in) {
			checkRestored(t, in, m)
		}
		if _, err := jsonx.Marshal(View(m.Span, m.Input, m.Output)); err != nil {
			t.Fatal(err)
		}
	})
}

// restorable leaves out what is known not to come back: names that occur twice or end with a dot, bytes that are no UTF-8,
// space around JSON in text, values too deep.
func restorable(r *Raw) bool {
	seen := map[string]bool{}
	for _, a := range r.Attributes {
		text, isText := a.Value.(string)
		if seen[a.Key] || !utf8.ValidString(a.Key) || strings.HasSuffix(a.Key, ".") || isText && (strings.TrimSpace(text) != text || !utf8.ValidString(text)) || marked(a.Value) || strings.Contains(a.Key, rawForm) {
			return false
		}
		seen[a.Key] = true
	}
	return true
}

// marked reports values that look like ours, or hold nothing that JSON can tell from nothing.
func marked(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		for k, e := range v {
			if strings.HasPrefix(k, "$") || !utf8.ValidString(k) || marked(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, marked)
	}
	return false
}

func FuzzView(f *testing.F) {
	for _, path := range fixtures(f) {
		for _, r := range rawsOf(f, path) {
			m := Map(r)
			f.Add(m.Input, m.Output, string(m.Span.Kind))
		}
	}
	f.Fuzz(func(t *testing.T, input, output []byte, kind string) {
		if _, err := jsonx.Marshal(View(&span.Span{Kind: span.Kind(kind), Input: span.Ref{Messages: 3, New: 1}}, input, output)); err != nil {
			t.Fatalf("%v: %q %q", err, input, output)
		}
	})
}

// FuzzRepeated has the messages in two forms, which are joined or not, and come back either way.
func FuzzRepeated(f *testing.F) {
	for _, s := range []string{
		`{"messages":[{"role":"user","content":"x"}]}`, `{"messages": [[{"lc": 1}, {"lc": [2]}]], "tools":[]}`, `{"messages":[[1],[2]]}`, `{"messages":[ 1 ,2]}`,
		`{"a":{"messages":[]},"messages":[[ {"x":"]]"}]]}`, `{"messages":[],"messages":[{}]}`, `{"\u006dessages":[{}]}`, `{"messages":[[]]}`, `{"messages":[[[]]],"$more":1}`,
	} {
		for n := range 3 {
			f.Add(s, "user", n)
		}
	}
	f.Fuzz(func(t *testing.T, whole, text string, n int) {
		r := raw("openinference.span.kind", "LLM", "input.value", whole, "output.value", whole)
		if n%2 == 0 {
			r.Attributes = append(r.Attributes, Attribute{"llm.tools.0.tool.json_schema", text})
		}
		for i := range min(max(n, 0), 20) {
			r.Attributes = append(r.Attributes, Attribute{"llm.input_messages." + itoa(i) + ".message.role", text}, Attribute{"llm.input_messages." + itoa(i) + ".message.content", whole})
		}
		if restorable(r) {
			m := Map(r)
			checkRestored(t, r, m)
			View(m.Span, m.Input, m.Output)
		}
	})
}

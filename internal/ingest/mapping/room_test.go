package mapping

import (
	"encoding/json"
	"testing"
	"unsafe"
)

// relocated copies the texts of a span into one buffer, as they stand in that of a request.
type relocated struct{ buf []byte }

func (b *relocated) text(s string) string {
	from := len(b.buf)
	b.buf = append(b.buf, s...)
	return unsafe.String(unsafe.SliceData(b.buf[from:]), len(s))
}

func (b *relocated) value(v any) any {
	switch v := v.(type) {
	case string:
		return b.text(v)
	case []byte:
		return bytesOf(b.text(string(v)))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = b.value(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[b.text(k)] = b.value(v[k])
		}
		return out
	}
	return v
}

func (b *relocated) attributes(in []Attribute) []Attribute {
	out := make([]Attribute, len(in))
	for i, a := range in {
		out[i] = Attribute{b.text(a.Key), b.value(a.Value)}
	}
	return out
}

func (b *relocated) raw(r Raw) *Raw {
	for _, s := range []*string{&r.Trace, &r.ID, &r.Parent, &r.Name, &r.StatusText, &r.Scope, &r.ScopeVersion} {
		*s = b.text(*s)
	}
	r.Attributes, r.Resource = b.attributes(r.Attributes), b.attributes(r.Resource)
	events := make([]Event, len(r.Events))
	for i, e := range r.Events {
		events[i] = Event{Name: b.text(e.Name), Time: e.Time, Attributes: b.attributes(e.Attributes), Body: b.value(e.Body)}
	}
	r.Events = events
	return &r
}

// The memory of a request and of its bodies is used for the next one.
func TestSpansDoNotShareARequest(t *testing.T) {
	for _, path := range fixtures(t) {
		for i, r := range rawsOf(t, path) {
			b := &relocated{buf: make([]byte, 0, 1<<20)}
			here := b.raw(*r)
			want := Map(r)
			for _, size := range []int{0, 100, 1 << 20} {
				room := make([]byte, size)
				got := (&Mapper{Room: room}).Map(here)
				span := jsonOfSpan(t, got)
				if string(got.Input) != string(want.Input) || string(got.Output) != string(want.Output) || span != jsonOfSpan(t, want) {
					t.Fatalf("%s %d is mapped otherwise with room for %d bytes", path, i, size)
				}
				before := string(b.buf)
				scramble(b.buf)
				if string(got.Input) != string(want.Input) || string(got.Output) != string(want.Output) {
					t.Fatalf("%s %d: the bodies share the request's memory", path, i)
				}
				scramble(room)
				if jsonOfSpan(t, got) != span {
					t.Fatalf("%s %d: the span shares memory", path, i)
				}
				copy(b.buf, before)
			}
		}
	}
}

func scramble(b []byte) {
	for i := range b {
		b[i] = 'Z'
	}
}

func jsonOfSpan(t *testing.T, m Mapped) string {
	t.Helper()
	out, err := json.Marshal(m.Span)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSpansOfOneProgramShareItsDescription(t *testing.T) {
	var x Mapper
	one, two := raw(), raw()
	one.Resource = []Attribute{{"service.name", "a"}}
	two.Resource = []Attribute{{"service.name", "b"}}
	first, again, other := x.Map(one).Span, x.Map(one).Span, x.Map(two).Span
	if string(first.Resource) != `{"service.name":"a"}` || &first.Resource[0] != &again.Resource[0] || string(other.Resource) != `{"service.name":"b"}` {
		t.Errorf("%s, %s, %s", first.Resource, again.Resource, other.Resource)
	}
}

// A list that was checked before must not change what another text is taken for.
func FuzzIsList(f *testing.F) {
	for _, p := range [][2]string{
		{`[1]`, `[1,2]`}, {`[]`, `[,2]`}, {`[ ]`, `[ ,2]`}, {`[{"a":"b"}]`, `[{"a":"b"},{"c":[1,{}]}]`}, {`["a"]`, `["a",]`}, {`["a"]`, `["a","b"] x`},
		{`[1]`, `[1,2`}, {`[1] `, `[1],2]`}, {`["x]"]`, `["x]","y"]`}, {`[[1]]`, `[[1],[2]]`}, {"[1\n]", "[1\n,2]"}, {`["\u0041"]`, `["\u0041","\u12"]`}, {`[1]`, "[1,\"\xff\"]"},
	} {
		f.Add(p[0], p[1])
	}
	f.Fuzz(func(t *testing.T, earlier, text string) {
		var one, two Mapper
		one.isList(earlier, true)
		if got, want := one.isList(text, true), two.isList(text, true); got != want {
			t.Fatalf("%q after %q: %v", text, earlier, got)
		}
	})
}

func TestALongerListIsCheckedInPart(t *testing.T) {
	var x Mapper
	if !x.isList(`[{"a":1}]`, false) || !x.longer(x.lists[0], `[{"a":1},{"b":2}]`) || x.longer(x.lists[1], `[1,2]`) || x.longer(x.lists[0], `[{"a":1},{"b":2]`) {
		t.Error("a longer list is not seen as one")
	}
}

package jsonx

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

type member struct {
	Key, Value string
	At         int
}

func eachOf(s string) (out []member) {
	Each(s, func(k, v string, at int) bool { out = append(out, member{k, v, at}); return true })
	return out
}

func forEachOf(s string) (out []member) {
	v := gjson.Parse(s)
	if v.Type != gjson.JSON {
		return nil
	}
	object := v.IsObject()
	v.ForEach(func(k, m gjson.Result) bool {
		key := ""
		if object {
			key = k.String()
		}
		out = append(out, member{key, m.Raw, m.Index})
		return true
	})
	return out
}

var scanned = []string{
	`{}`, `[]`, ` { } `, `5`, `"x"`, `null`, `{"a":1}`, `{"a":1,"b":"x","c":[1,{"d":"}"}],"e":null,"f":true,"g":-1.5e3}`,
	`[1,"a\\",[2],{"k":"\""}]`, "{\n \"a\" : \"\\\\\\\"\" ,\t\"b\\u0063\":{ } }", `{"":""}`, ` [ 1 , 2 ] `, `{"a":"\\\\"}`,
}

func TestEach(t *testing.T) {
	for _, s := range scanned {
		if diff := cmp.Diff(forEachOf(s), eachOf(s)); diff != "" {
			t.Errorf("%s: %s", s, diff)
		}
	}
	n := 0
	Each(`[1,2,3]`, func(_, _ string, _ int) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("went on to %d", n)
	}
}

func FuzzEach(f *testing.F) {
	for _, s := range scanned {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := eachOf(s) // must not panic on anything
		if gjson.Valid(s) {
			if diff := cmp.Diff(forEachOf(s), got); diff != "" {
				t.Fatalf("%q: %s", s, diff)
			}
		}
	})
}

package jsonx

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValid(t *testing.T) {
	for in, want := range map[string]bool{
		`{"a":1}`: true, "{\n\t\"a\": 1\r\n}": true, `"ok"`: true, `"\ud83d"`: true, `["\u00E9","\"\\\/\b\f\n\r\t"]`: true,
		`"\0"`: false, `"\x41"`: false, `"a\q"`: false, `"\u12"`: false, `"\u12g4"`: false, `{"\e":1}`: false, `["\\","\'"]`: false,
		"\"a\nb\"": false, "\"a\x01b\"": false, "\"a\xffb\"": false, `{"a":1} x`: false, ``: false, `{`: false, `{'a':1}`: false,
	} {
		if got := Valid([]byte(in)); got != want {
			t.Errorf("Valid(%q) = %v", in, got)
		}
	}
}

func TestMarshalIsStable(t *testing.T) {
	for range 20 {
		if got := string(MustMarshal(map[string]any{"b": "<&>", "a": 1, "c": nil})); got != `{"a":1,"b":"<&>","c":null}` {
			t.Fatal(got)
		}
	}
}

func TestHasControl(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				b := []byte(strings.Repeat("\xff", n))
				b[at] = byte(c)
				if got := hasControl(b); got != (c < 0x20) {
					t.Fatalf("byte %#x at %d of %d: %v", c, at, n, got)
				}
			}
		}
	}
}

// The strict standard library is the reference.
func FuzzValid(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5e3,"x\u0041",null,true]}`))
	f.Add([]byte("\"\x7f\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Valid(data), json.Valid(data) && utf8.Valid(data); got != want {
			t.Errorf("Valid(%q) = %v, want %v", data, got, want)
		}
	})
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "model", `a"b`, `a\b`, "a\nb", "水", "a\x7fb"} {
		got := AppendString([]byte("x"), s)
		var back string
		if err := Unmarshal(got[1:], &back); err != nil || back != s || got[0] != 'x' {
			t.Errorf("%q: %s, %v", s, got, err)
		}
	}
}

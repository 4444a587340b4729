package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string // nil = not a conversation
	}{
		"compact":          {`{"model":"m","messages":[{"role":"user"},{"role":"assistant"}],"stream":true}`, []string{`{"role":"user"}`, `{"role":"assistant"}`}},
		"white space":      {"{ \"messages\" : [\n {\"a\":1} ,\t{\"b\":2}\n] }", []string{"\n {\"a\":1} ", "\t{\"b\":2}\n"}},
		"nested and traps": {`{"tools":[{"messages":[9]}],"x":"\"messages\":[1]","messages":[{"c":"a,]}\\\"[","d":[1,[2]]},"s",3]}`, []string{`{"c":"a,]}\\\"[","d":[1,[2]]}`, `"s"`, `3`}},
		"first of two":     {`{"messages":[1],"messages":[2,3]}`, []string{`1`}},
		"scalars before":   {`{"a":null,"b":-1.5e3 ,"c":true,"messages":[{}]}`, []string{`{}`}},
		"empty":            {`{"messages":[ ]}`, nil},
		"flood":            {`{"messages":[` + strings.Repeat(`{},`, maxSegments) + `{}]}`, nil},
		"no messages":      {`{"prompt":"x"}`, nil},
		"not an array":     {`{"messages":{"a":[1]}}`, nil},
		"array at the top": {`[{"messages":[1]}]`, nil},
		"nothing":          {``, nil},
		"cut short":        {`{"messages":[{"a":1},`, nil},
		"open string":      {`{"messages":["a`, nil},
		"escaped key":      {`{"message\u0073":[1]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			head, tail, segments, ok := cut([]byte(c.body))
			if ok != (c.want != nil) {
				t.Fatalf("conversation: %v", ok)
			}
			if !ok {
				return
			}
			var got []string
			for _, s := range segments {
				got = append(got, string(s))
			}
			if len(got) != len(c.want) {
				t.Fatalf("segments %q, want %q", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("segments %q, want %q", got, c.want)
				}
			}
			back, err := join(skeletonOf(head, tail), segments)
			if err != nil || string(back) != c.body {
				t.Fatalf("joined to %q, %v", back, err)
			}
		})
	}
}

func TestJoinRefusesDamage(t *testing.T) {
	for _, b := range [][]byte{nil, {0x80}, {5, 'a'}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}} {
		if _, err := join(b, nil); err == nil {
			t.Fatalf("%x is no skeleton", b)
		}
	}
}

// FuzzCut holds the cutter to its promise for any bytes, and to JSON's own view of valid ones.
func FuzzCut(f *testing.F) {
	for _, s := range []string{
		`{"messages":[{"role":"user","content":"a\\\"b"},{"x":[1,2,{"y":"]"}]}],"tools":[]}`,
		`{"a":{"messages":[1]},"messages":[1 , 2]}`, `{"messages":[]}`, `{"messages":[`, `{"messages":[1}]}`, "{\"messages\":[\"\xff\"]}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		head, tail, segments, ok := cut(body)
		if !ok {
			return
		}
		back, err := join(skeletonOf(head, tail), segments)
		if err != nil || !bytes.Equal(back, body) {
			t.Fatalf("cut and joined, %q became %q (%v)", body, back, err)
		}
		if !json.Valid(body) {
			return
		}
		for _, s := range segments {
			if !json.Valid(s) {
				t.Fatalf("segment %q of valid %q is not JSON", s, body)
			}
		}
		if empty, err := join(skeletonOf(head, tail), nil); err != nil || !json.Valid(empty) {
			t.Fatalf("skeleton of %q is %q", body, empty)
		}
	})
}

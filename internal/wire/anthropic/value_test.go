package anthropic

import (
	"encoding/json"
	"testing"
)

// FuzzValue holds the scanner against encoding/json.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[true,null,"x\\\"}"],"c":{"d":-1.5e3}}`, ` [ 1 , "\\" ,{ } , [ ]]`, `{"":""}`, `"\"\\"`, `12`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if !json.Valid(doc) {
			return
		}
		walk(t, value(json.RawMessage(trim(doc))))
	})
}

func trim(b []byte) []byte {
	var raw json.RawMessage
	_ = json.Unmarshal(b, &raw)
	return raw
}

func walk(t *testing.T, v value) {
	if !json.Valid([]byte(v)) {
		t.Fatalf("%q is not JSON", v)
	}
	switch {
	case v.isObject():
		n := 0
		var want map[string]json.RawMessage
		_ = json.Unmarshal([]byte(v), &want)
		names := map[string]bool{}
		for k, m := range v.members {
			var name string
			if err := json.Unmarshal([]byte(`"`+k+`"`), &name); err != nil {
				t.Fatalf("name %q of %q: %v", k, v, err)
			}
			names[name] = true
			n++
			walk(t, m)
		}
		if len(names) != len(want) {
			t.Fatalf("%d members of %q, want %d", n, v, len(want))
		}
	case v.isArray():
		var want []json.RawMessage
		_ = json.Unmarshal([]byte(v), &want)
		i := 0
		for e := range v.elements {
			if i >= len(want) || string(e) != string(want[i]) {
				t.Fatalf("element %d of %q is %q", i, v, e)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("%d elements of %q, want %d", i, v, len(want))
		}
	case v.isString():
		var want string
		if json.Unmarshal([]byte(v), &want) == nil && len(v.str()) == 0 && want != "" {
			t.Fatalf("%q reads as nothing", v)
		}
	}
}

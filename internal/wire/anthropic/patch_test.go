package anthropic

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatchFields(t *testing.T) {
	set := func(name, v string) []Field { return []Field{String(name, v)} }
	for _, c := range []struct {
		name, body string
		p          Patch
		want       string
	}{
		{"replace keeps the rest", " {\"a\" : 1e3,\n \"model\":\"x\" , \"b\":[ ]} ", Patch{Set: set("model", "y\"z")}, " {\"a\" : 1e3,\n \"model\":\"y\\\"z\" , \"b\":[ ]} "},
		{"add", `{"a":1}`, Patch{Set: set("m", "y")}, `{"a":1,"m":"y"}`},
		{"add to nothing", ` { } `, Patch{Set: []Field{String("m", "y"), String("n", "z")}}, ` { "m":"y","n":"z"} `},
		{"remove first", `{"x":1, "a":2}`, Patch{Remove: []string{"x"}}, `{"a":2}`},
		{"remove last", `{"a":2 , "x":{"x":1}}`, Patch{Remove: []string{"x"}}, `{"a":2}`},
		{"remove a run at the end", `{"a":2,"x":1,"y":2}`, Patch{Remove: []string{"x", "y"}}, `{"a":2}`},
		{"remove all and add", `{"x":1,"y":2}`, Patch{Remove: []string{"x", "y"}, Set: set("m", "v")}, `{"m":"v"}`},
		{"nested namesakes stay", `{"a":{"model":"q"},"model":"x"}`, Patch{Set: set("model", "y")}, `{"a":{"model":"q"},"model":"y"}`},
		{"nothing to do", ` {"a":1}`, Patch{Remove: []string{"b"}}, ` {"a":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(PatchNative([]byte(c.body), c.p)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPatchRemovesAnySubset compares every subset of removals with a decoded map.
func TestPatchRemovesAnySubset(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	body := ` { "a":1 ,"b":"x,}" , "c":{"a":[1,{"b":2}]},"d":null } `
	for bits := range 1 << len(names) {
		want := map[string]any{}
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		var remove []string
		for i, n := range names {
			if bits>>i&1 == 1 {
				remove = append(remove, n)
				delete(want, n)
			}
		}
		want["new"] = "v"
		out := PatchNative([]byte(body), Patch{Remove: remove, Set: []Field{String("new", "v")}})
		got := map[string]any{}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("remove %v: %s: %v", remove, out, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("remove %v: %s", remove, d)
		}
	}
}

func TestCachePoints(t *testing.T) {
	const m = `,"cache_control":{"type":"ephemeral"}`
	for _, c := range []struct{ name, body, want string }{
		{
			"strings become blocks", ` {"system":"be \"good\"","messages":[{"role":"user","content":"a\u00e9"}]}`,
			` {"system":[{"type":"text","text":"be \"good\""` + m + `}],"messages":[{"role":"user","content":[{"type":"text","text":"a\u00e9"` + m + `}]}]}`,
		},
		{
			"last of each",
			`{"tools":[{"name":"a"},{"name":"b" }],"system":[{"type":"text","text":"x"},{"type":"text","text":"y"}],"messages":[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"},{"role":"assistant","content":"4"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"q","content":"r"}]}]}`,
			`{"tools":[{"name":"a"},{"name":"b" ` + m + `}],"system":[{"type":"text","text":"x"},{"type":"text","text":"y"` + m + `}],"messages":[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":[{"type":"text","text":"3"` + m + `}]},{"role":"assistant","content":"4"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"q","content":"r"` + m + `}]}]}`,
		},
		{
			"messages of one turn count once",
			`{"messages":[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"},{"role":"user","content":"4"}]}`,
			`{"messages":[{"role":"user","content":[{"type":"text","text":"1"` + m + `}]},{"role":"assistant","content":"2"},{"role":"user","content":"3"},{"role":"user","content":[{"type":"text","text":"4"` + m + `}]}]}`,
		},
		{
			"blank text cannot hold one", `{"system":"","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":" "}]}]}`,
			`{"system":"","messages":[{"role":"user","content":[{"type":"text","text":"a"` + m + `},{"type":"text","text":" "}]}]}`,
		},
		{
			"deferred tools cannot", `{"tools":[{"name":"a"},{"name":"b","defer_loading":true}],"messages":[]}`,
			`{"tools":[{"name":"a"` + m + `},{"name":"b","defer_loading":true}],"messages":[]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(PatchNative([]byte(c.body), Patch{CachePoints: true}))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if !json.Valid([]byte(got)) {
				t.Error("not JSON")
			}
		})
	}
}

func TestCachePointsLeaveMarkedBodiesAlone(t *testing.T) {
	mark := `"cache_control":{"type":"ephemeral"}`
	for _, body := range []string{
		`{` + mark + `,"messages":[{"role":"user","content":"x"}]}`,
		`{"tools":[{"name":"a",` + mark + `}],"messages":[{"role":"user","content":"x"}]}`,
		`{"system":[{"type":"text","text":"x",` + mark + `}],"messages":[{"role":"user","content":"x"}]}`,
		`{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"x",` + mark + `}]}]}]}`,
	} {
		if got := string(PatchNative([]byte(body), Patch{CachePoints: true})); got != body {
			t.Errorf("changed: %s", got)
		}
	}
	// The word alone, in a schema or a text, is no mark.
	body := `{"tools":[{"name":"a","input_schema":{"properties":{"cache_control":{}}}}],"messages":[{"role":"user","content":"\"cache_control\""}]}`
	if got := string(PatchNative([]byte(body), Patch{CachePoints: true})); strings.Count(got, mark) != 2 {
		t.Errorf("got %s", got)
	}
}

func TestRestampStart(t *testing.T) {
	in := `{"type":"message_start", "message":{"model": "up","id":"x"},"model":"top"}`
	if got := string(RestampStart([]byte(in), "as")); got != strings.Replace(in, `"up"`, `"as"`, 1) {
		t.Error(got)
	}
	if got := string(RestampStart([]byte(`{"message":{}}`), "as")); got != `{"message":{}}` {
		t.Error(got)
	}
}

func FuzzRequest(f *testing.F) {
	for _, b := range fixtures(f, "requests") {
		f.Add(b)
	}
	f.Add([]byte(` {"model":"m","max_tokens":1,"system":"s","messages":[{"role":"user","content":"x"}]} `))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := Inspect(body, Need{}); err != nil {
			return
		}
		out := PatchNative(body, Patch{
			Set: []Field{String("model", "n"), String("anthropic_version", "v")}, Remove: []string{"stream", "metadata"}, CachePoints: true,
		})
		if !slices.Equal(body, out) && !json.Valid(out) && json.Valid(body) {
			t.Fatalf("patched body is not JSON: %q", out)
		}
		r, err := DecodeRequest(body, nil)
		if err != nil {
			return
		}
		if w, _, err := EncodeRequest(r, Options{Provider: "p", Model: "m", Drop: true}); err == nil {
			if b, err := w.Marshal(); err != nil || !json.Valid(b) {
				t.Fatalf("encoded body: %q, %v", b, err)
			}
		}
	})
}

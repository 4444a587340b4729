package ingest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"weir/internal/jsonx"
)

func TestPreviewsOfAnyBody(t *testing.T) {
	for _, c := range []struct{ body, input, output string }{
		{`"plain"`, "plain", "plain"},
		{` [ 5 , "x" ] `, "5", "5"},
		{`{"id":"i","type":"t","k":null,"n":7}`, "7", "7"},
		{`{"input":["a","b"],"prompt":"p"}`, "a", "a"},
		{`{"input":[{"role":"user","content":"asked"}]}`, "asked", "asked"},
		{`{"prompt":"p","input":[]}`, "p", "p"},
		{`{"messages":[{"role":"user","content":"one"},{"role":"human","parts":[{"type":"image"},{"type":"text","content":"two"}]},{"role":"tool","content":"three"}]}`, "two", "one"},
		{`{"messages":[{"content":"late role","role":"user"}]}`, "late role", "late role"},
		{`{"contents":[{"role":"user","parts":[{"text":"g\u00e9"}]}]}`, "gé", "gé"},
		{`{"messages":[{"role":"user","content":[{"type":"tool_result","content":"r"},{"type":"input_text","text":"said"}]}]}`, "said", "said"},
		{`{"choices":[{"message":{"role":"assistant","content":"answer"}}],"messages":[{"content":"no"}]}`, "answer", "answer"},
		{`{"output":{"message":{"role":"assistant","content":[{"toolUse":{"name":"look"}}]}}}`, "", "look"},
		{`{"role":"assistant","content":[{"type":"tool_use","name":"call"}]}`, "", "call"},
		{`{"a":{"b":{"c":{"d":{"e":{"f":{"g":"too deep"}}}}}},"z":true}`, "true", "true"},
		{`[{"message":{"content":"inner"}}]`, "inner", "inner"},
		{`{}`, "", ""}, {``, "", ""}, {`null`, "", ""},
	} {
		if got := anyInputPreview([]byte(c.body)); got != c.input {
			t.Errorf("input of %s: %q, want %q", c.body, got, c.input)
		}
		if got := anyOutputPreview([]byte(c.body)); got != c.output {
			t.Errorf("output of %s: %q, want %q", c.body, got, c.output)
		}
	}
}

// What is decoded of a long text must suffice for its preview, wherever escapes and spaces stand.
func TestPartlyDecodedTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	pieces := []string{"word ", `\n`, `\"`, `\\`, `水`, ` `, `\ud83d\ude00`, `\ud83d`, strings.Repeat(`\\`, 40), strings.Repeat("a", 40), strings.Repeat(" ", 800)}
	for range 3000 {
		var b strings.Builder
		some := pieces[r.IntN(len(pieces)):]
		for b.WriteByte('"'); b.Len() < 500+r.IntN(4000); {
			b.WriteString(some[r.IntN(len(some))])
		}
		raw := b.String() + `"`
		if got, want := preview(textIn(raw)), preview(jsonx.Text(raw)); got != want {
			t.Fatalf("%s: %q, want %q", raw, got, want)
		}
	}
}

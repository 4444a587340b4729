package tracediff

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

// views is a Viewer of texts by span id.
type views map[string]*Conversation

func (v views) View(_ context.Context, s *span.Span) (*Conversation, error) {
	if c := v[s.ID]; c != nil {
		return c, nil
	}
	return &Conversation{}, nil
}

var begin = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// tree reads "kind:name=content" lines, indented by two spaces a level.
func tree(t *testing.T, side, text string) []*span.Span {
	t.Helper()
	var out []*span.Span
	var path []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		what, content, _ := strings.Cut(strings.TrimSpace(line), "=")
		if what == "" {
			continue
		}
		kind, name, _ := strings.Cut(what, ":")
		s := &span.Span{
			Trace: side, ID: fmt.Sprintf("%s%d", side, len(out)), Kind: span.Kind(kind), Name: name, Status: span.OK, Source: "otlp",
			Start: begin.Add(time.Duration(len(out)) * time.Second), Usage: llm.Usage{Input: 10}, Cost: span.Cost{Total: money.FromUSD(0.01)},
		}
		s.End = s.Start.Add(time.Second)
		if content != "" {
			s.Input = span.Ref{Form: span.FormRaw, Skeleton: span.HashOf([]byte(content)), Preview: content}
		}
		path = append(path[:depth], s.ID)
		if depth > 0 {
			s.Parent = path[depth-1]
		}
		out = append(out, s)
	}
	return out
}

func compare(t *testing.T, a, b []*span.Span, v views) *Diff {
	t.Helper()
	d, err := Compare(t.Context(), Side{Spans: a}, Side{Spans: b}, v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func show(d *Diff) string {
	var b strings.Builder
	for _, r := range d.Rows {
		name := func(s *span.Span) string {
			if s == nil {
				return "-"
			}
			return s.Name + "=" + s.Input.Preview
		}
		fmt.Fprintf(&b, "%s%s %s %s\n", strings.Repeat("  ", r.Depth), r.Op, name(r.A), name(r.B))
	}
	return b.String()
}

func TestAlignment(t *testing.T) {
	for _, c := range []struct{ name, a, b, want string }{
		{
			"a loop with one turn more", "agent:run\n  generation:llm=one\n  tool:search=x\n  generation:llm=two\n  tool:search=y\n  generation:llm=end\n",
			"agent:run\n  generation:llm=one\n  tool:search=x\n  generation:llm=between\n  tool:search=z\n  generation:llm=two\n  tool:search=y\n  generation:llm=end\n",
			"same run= run=\n  same llm=one llm=one\n  same search=x search=x\n  added - llm=between\n  added - search=z\n  same llm=two llm=two\n  same search=y search=y\n  same llm=end llm=end\n",
		},
		{
			"a loop cut short", "agent:run\n  tool:f=1\n  tool:f=2\n  tool:f=3\n", "agent:run\n  tool:f=2\n",
			"same run= run=\n  removed f=1 -\n  same f=2 f=2\n  removed f=3 -\n",
		},
		{
			"another tool is another step", "agent:run\n  tool:search=x\n", "agent:run\n  tool:calculate=x y\n",
			"same run= run=\n  added - calculate=x y\n  removed search=x -\n",
		},
		{
			"two changed their places", "agent:run\n  tool:f=1\n  tool:g=2\n", "agent:run\n  tool:g=2\n  tool:f=1\n",
			"same run= run=\n  same g=2 g=2\n  moved f=1 f=1\n",
		},
		{
			"a new level between", "agent:run\n  generation:llm=one\n  tool:f=1\n", "agent:run\n  chain:plan\n    generation:llm=one\n    tool:f=1\n",
			"same run= run=\n  added - plan=\n    moved llm=one llm=one\n    moved f=1 f=1\n",
		},
		{
			"another root name", "agent:old\n  tool:f=1\n", "agent:new\n  tool:f=1\n",
			"changed old= new=\n  same f=1 f=1\n",
		},
		{"nothing on one side", "", "tool:f=1\n", "added - f=1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(compare(t, tree(t, "a", c.a), tree(t, "b", c.b), nil)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestSpanOfATrace(t *testing.T) {
	a := tree(t, "a", "agent:run\n  chain:part\n    tool:f=1\n  tool:g=2\n")
	d, err := Compare(t.Context(), Side{Spans: a, Root: "a1"}, Side{Spans: tree(t, "b", "chain:part\n  tool:f=1\n")}, views{})
	if err != nil || show(d) != "same part= part=\n  same f=1 f=1\n" {
		t.Errorf("%v\n%s", err, show(d))
	}
	if _, err := Compare(t.Context(), Side{Spans: a, Root: "nobody"}, Side{Spans: a}, views{}); err == nil || !strings.Contains(err.Error(), "no span nobody") {
		t.Errorf("a missing span: %v", err)
	}
}

func TestCyclesAndOrphans(t *testing.T) {
	a := []*span.Span{{ID: "1", Parent: "2", Name: "x"}, {ID: "2", Parent: "1", Name: "y"}, {ID: "3", Parent: "3", Name: "z"}, {ID: "4", Parent: "gone", Name: "w"}}
	if d := compare(t, a, a, nil); len(d.Rows) != 4 || d.Counts[Same] != 4 {
		t.Errorf("%s", show(d))
	}
}

func text(role, s string) Message { return Message{Role: role, Parts: []Part{{Type: "text", Text: s}}} }

func TestWhatDiffers(t *testing.T) {
	a, b := tree(t, "a", "generation:llm=1\n")[0], tree(t, "b", "generation:llm=2\n")[0]
	a.Group, b.Group = "small", "large"
	a.Params, b.Params = jsonx.Raw(`{"temperature":0.5,"top_p":1}`), jsonx.Raw(`{"temperature":0,"top_p":1.0}`)
	b.Status, b.ErrorType = span.Error, "overloaded_error"
	b.Usage.Input, b.Cost.Total, b.End = 25, money.FromUSD(0.03), b.End.Add(time.Second)
	call := func(args string) Message {
		return Message{Role: "assistant", Parts: []Part{{Type: "tool_call", Name: "search", ID: args, Value: jsonx.Raw(args)}}}
	}
	d := compare(t, []*span.Span{a}, []*span.Span{b}, views{
		"a0": {
			Input:  []Message{text("system", "You are terse."), text("user", "Which cities of 日本語 are large?"), call(`{"query":"cities","limit":5}`)},
			Output: []Message{text("assistant", "東京は大きい都市です")},
		},
		"b0": {
			Input:  []Message{text("system", "You are terse."), text("user", "Be quick."), text("user", "Which towns of 日本語 are large?"), call(`{"query":"towns","limit":5}`)},
			Output: []Message{text("assistant", "大阪は大きい都市です")},
		},
	})
	got := map[string]Change{}
	for _, c := range d.Rows[0].Parts {
		got[c.What+" "+c.Path] = c
	}
	for key, want := range map[string]struct {
		op            Op
		before, after string
		words         string
	}{
		"model model":               {Changed, `"small"`, `"large"`, ""},
		"params params.temperature": {Changed, `0.5`, `0`, ""},
		"status status":             {Changed, `"ok"`, `"error"`, ""},
		"error error_type":          {Added, ``, `"overloaded_error"`, ""},
		"message input.messages[1]": {Added, ``, `"Be quick."`, ""},
		"message input.messages[2]": {Changed, `"Which cities of 日本語 are large?"`, `"Which towns of 日本語 are large?"`, "=Which |-cities|+towns|= of 日本語 are large?"},
		"output output.messages[0]": {Changed, `"東京は大きい都市です"`, `"大阪は大きい都市です"`, "-東京|+大阪|=は大きい都市です"},
		"arguments input.messages[3].tool_call(search).query": {Changed, `"cities"`, `"towns"`, "-cities|+towns"},
	} {
		c, ok := got[key]
		if !ok {
			t.Errorf("%s is missing; there are %v", key, got)
			continue
		}
		if c.Op != want.op || string(c.Before) != want.before || string(c.After) != want.after || wordsText(c.Words) != want.words {
			t.Errorf("%s: %s %s → %s, words %s", key, c.Op, c.Before, c.After, wordsText(c.Words))
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("more than expected: %v", got)
	}
	if delta := d.Rows[0].Delta; delta.Tokens != 15 || delta.Cost != money.FromUSD(0.02) || delta.DurationNS != int64(time.Second) {
		t.Errorf("delta %+v", delta)
	}
	if d.A.Tokens != 10 || d.B.Tokens != 25 || d.B.Errors != 1 || d.B.Calls != 1 {
		t.Errorf("totals %+v %+v", d.A, d.B)
	}
}

func wordsText(ws []Word) string {
	var out []string
	for _, w := range ws {
		out = append(out, string(w.Op)+w.Text)
	}
	return strings.Join(out, "|")
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"", "new", "+new"},
		{"old", "", "-old"},
		{"one two three", "one 2 three", "=one |-two|+2|= three"},
		{"a b c d", "a x y d", "=a |-b c|+x y|= d"},
		{"カタカナとひらがな", "カタカナやひらがな", "=カタカナ|-と|+や|=ひらがな"},
		{"foo(bar)", "foo(baz)", "=foo(|-bar|+baz|=)"},
		{"x\xffy", "x\xffz", "=x\xff|-y|+z"},
	} {
		if got := wordsText(Words(c.a, c.b)); got != c.want {
			t.Errorf("%q → %q: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	long := strings.Repeat("word ", 400)
	if got := wordsText(Words(long+"end", long+"fin")); !strings.HasPrefix(got, "…1760|=word") || !strings.HasSuffix(got, "|-end|+fin") {
		t.Errorf("a long equal run: %s", got)
	}
}

// Whatever the texts, both sides can be put together again from what is not skipped.
func FuzzWords(f *testing.F) {
	f.Add("one two", "two three")
	f.Add("日本語", "日本")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 400 || len(b) > 400 {
			t.Skip()
		}
		var x, y strings.Builder
		for _, w := range Words(a, b) {
			switch w.Op {
			case Delete:
				x.WriteString(w.Text)
			case Insert:
				y.WriteString(w.Text)
			case Equal:
				x.WriteString(w.Text)
				y.WriteString(w.Text)
			}
		}
		if x.String() != a || y.String() != b {
			t.Errorf("%q, %q became %q, %q", a, b, x.String(), y.String())
		}
	})
}

func TestTextsWithNothingInCommonEndInTime(t *testing.T) {
	var a, b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&a, "a%d ", i)
		fmt.Fprintf(&b, "b%d ", i)
	}
	start := time.Now()
	if ws := Words(a.String(), b.String()); len(ws) < 2 {
		t.Errorf("%d runs", len(ws))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestJSONPaths(t *testing.T) {
	var got []string
	for _, c := range values("arguments", "input", jsonx.Raw(`{"a":{"b":[1,2,3]},"c":"x","old":1}`), jsonx.Raw(`"{\"a\":{\"b\":[1,5,3,4]},\"c\":\"x\",\"n.w\":true}"`)) {
		got = append(got, fmt.Sprintf("%s %s %s→%s", c.Op, c.Path, c.Before, c.After))
	}
	if s := strings.Join(got, "|"); !strings.Contains(s, "changed input.a.b[1] 2→5") || !strings.Contains(s, "removed input.old 1→") || !strings.Contains(s, `added input["n.w"] →true`) || strings.Contains(s, "input.c") {
		t.Errorf("%s", s)
	}
}

func TestBoundedWork(t *testing.T) {
	var a, b []*span.Span
	for i := range 6000 {
		for side, list := range map[string]*[]*span.Span{"a": &a, "b": &b} {
			s := &span.Span{ID: fmt.Sprint(side, i), Kind: span.Tool, Name: "step", Status: span.OK}
			n := i
			if side == "b" {
				n = (i*7919 + 13) % 6000
			}
			s.Input = span.Ref{Form: span.FormRaw, Skeleton: span.HashOf(fmt.Append(nil, n)), Preview: fmt.Sprint("step number ", n)}
			*list = append(*list, s)
		}
	}
	start := time.Now()
	d := compare(t, a, b, nil)
	took := time.Since(start)
	t.Logf("2 × %d spans at one level: %v, %v", MaxSpans, took, d.Counts)
	if took > time.Minute { // a third of a second where nothing else runs; the race detector takes fifty times as long
		t.Errorf("took %v", took)
	}
	if d.A.Spans != MaxSpans || len(d.Notes) < 2 || !strings.Contains(d.Notes[0], "1000 of them were left out") {
		t.Errorf("%d spans, notes %v", d.A.Spans, d.Notes)
	}
	if n := d.Counts[Added] + d.Counts[Moved] + d.Counts[Same] + d.Counts[Changed]; n != MaxSpans {
		t.Errorf("%d of %d spans of the second trace are shown", n, MaxSpans)
	}
}

// An agent's trace of 5,000 spans beside one that took another turn now and then.
func BenchmarkCompare(b *testing.B) {
	side := func(name string, odd int) (out []*span.Span) {
		out = append(out, &span.Span{ID: name, Kind: span.Agent, Name: "run"})
		for i := range (MaxSpans - 1) / 2 {
			step := func(kind span.Kind, what string) {
				s := &span.Span{ID: fmt.Sprint(name, kind, i), Parent: name, Kind: kind, Name: what}
				s.Input = span.Ref{Form: span.FormRaw, Skeleton: span.HashOf(fmt.Append(nil, what, i, i%odd == 0)), Preview: fmt.Sprint("turn ", i, " of ", what)}
				out = append(out, s)
			}
			step(span.Generation, "llm")
			step(span.Tool, "search")
		}
		return out
	}
	x, y := side("a", 7), side("b", 11)
	for b.Loop() {
		if _, err := Compare(b.Context(), Side{Spans: x}, Side{Spans: y}, views{}); err != nil {
			b.Fatal(err)
		}
	}
}

package pebble

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/store/pebble/record"
)

func TestLocate(t *testing.T) {
	const plainText = "a preview without anything odd in it"
	for name, c := range map[string]struct {
		body, preview string
		found         bool
	}{
		"as it is":            {`{"text":"` + plainText + ` and more"}`, plainText, true},
		"not there":           {`{"text":"something else"}`, plainText, false},
		"no body":             {"", plainText, false},
		"escaped":             {`{"text":"she said: \"yes\"\n\tand \\ went"}`, "she said: \"yes\"\n\tand \\ went", true},
		"by an ASCII encoder": {`{"text":"in the caf\u00e9 \ud83d\ude00 \u003cb\u003e"}`, "in the café 😀 <b>", true},
		"slashes":             {`{"text":"a long path: a\/b\/c"}`, "a long path: a/b/c", true},
		"second time":         {`{"a":"begins alike\u00e9","b":"begins alike\u00e8 ends"}`, "begins alikeè ends", true},
		"cut short":           {`{"text":"begins like it\n`, "begins like it\nand goes on", false},
		"end of the string":   {`{"text":"begins like it\u00e9","and":"goes on"}`, "begins like ité and goes on", false},
		"broken escapes":      {`begins like it\u00g9 begins like it\ud83d\u0041 begins like it\x`, "begins like it\u00e9", false},
		"escaped twice":       {`{"text":"{\"q\":\"what is this\\nthing\"}"}`, "what is this\nthing", false},
		"odd from the start":  {`{"text":"\n\"quoted\" all along"}`, "\"quoted\" all along", false},
		"a literal backslash": {`{"text":"in the raw body: a\nb"}`, `in the raw body: a\nb`, true},
	} {
		at, size, escaped := locate([]byte(c.body), c.preview)
		if (size > 0) != c.found {
			t.Errorf("%s: %d bytes at %d", name, size, at)
			continue
		}
		if got := part([]byte(c.body), record.Excerpt{At: at, Size: size, Escaped: escaped}); c.found && got != c.preview {
			t.Errorf("%s: came back as %q", name, got)
		}
	}
	for _, e := range []record.Excerpt{{At: 3, Size: 2}, {At: 1 << 30, Size: 1 << 30}, {At: 0, Size: 5, Escaped: true}} {
		if got := part([]byte(`a"bc`), e); got != "" {
			t.Errorf("a body that has changed: %q", got)
		}
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("begins with words, \n then \"quotes\" and é 😀", 10, 30)
	f.Add("plain words only, many of them", 0, 20)
	f.Fuzz(func(t *testing.T, text string, from, n int) {
		text = strings.ToValidUTF8(text, "?")
		if from < 0 || n < 1 || from > len(text) || n > len(text)-from {
			return
		}
		preview := strings.ToValidUTF8(text[from:from+n], "")
		if preview == "" {
			return
		}
		ascii, _ := json.Marshal(text)
		for _, body := range [][]byte{jsonx.MustMarshal(text), ascii, []byte(text)} {
			at, size, escaped := locate(body, preview)
			if size == 0 {
				continue
			}
			if got := part(body, record.Excerpt{At: at, Size: size, Escaped: escaped}); got != preview {
				t.Fatalf("%q came back as %q from %q", preview, got, body)
			}
		}
	})
}

// quoted is a span whose previews are parts of its bodies.
func quoted(trace, id, session string, question, answer string) *span.Batch {
	b := turn(trace, session, []string{"system: be brief", `{"role":"user","content":` + string(jsonx.MustMarshal(question)) + `}`}, `{"text":`+string(jsonx.MustMarshal(answer))+`}`)
	b.Span.ID, b.Span.Input.Preview, b.Span.Output.Preview = id, question, answer
	return b
}

const question, answer = "What does \"the tokenizer\" do?\nAnd where?", "It drops the last byte of a file, as it seems."

// record is the stored record of the only span of a trace.
func recordOf(t *testing.T, s *Store, trace, id string) []byte {
	t.Helper()
	v, err := s.get(spanKey(project, turnDay(t, s, trace), trace, id))
	if err != nil || v == nil {
		t.Fatal(v, err)
	}
	return v
}

func wantPreviews(t *testing.T, s *Store, trace, id, question, answer string) {
	t.Helper()
	spans, err := s.Spans(t.Context(), project, []span.Key{{Trace: trace, Span: id}})
	if err != nil || len(spans) != 1 {
		t.Fatal(spans, err)
	}
	if got := spans[0]; got.Input.Preview != question || got.Output.Preview != answer {
		t.Errorf("%s/%s: previews %q, %q", trace, id, got.Input.Preview, got.Output.Preview)
	}
}

func TestPreviewsAreStoredOnce(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{})
	mustAppend(t, s,
		quoted("t1", "a", "s1", question, answer),
		quoted("t2", "a", "s2", question, answer), // the bodies lie in the place of the other session
		quoted("t3", "a", "", "a question without a session", "an answer without a session"),
	)
	mustAppend(t, s, quoted("t4", "a", "s4", question, answer)) // bodies that were there before
	odd := quoted("t5", "a", "s5", "short", answer)
	odd.Span.Output.Preview = "a preview that is no part of its body"
	mustAppend(t, s, odd)
	check := func(t *testing.T) {
		t.Helper()
		for _, trace := range []string{"t1", "t2", "t4"} {
			wantPreviews(t, s, trace, "a", question, answer)
		}
		wantPreviews(t, s, "t3", "a", "a question without a session", "an answer without a session")
		wantPreviews(t, s, "t5", "a", "short", "a preview that is no part of its body")
		spans, err := s.Trace(t.Context(), project, "t1")
		if err != nil || spans[0].Output.Preview != answer {
			t.Error("the trace:", spans, err)
		}
		seen := 0
		if err := s.Changes(t.Context(), 0, func(_ uint64, sp *span.Span) bool {
			if sp.Output.Preview != "" && sp.Input.Preview != "" {
				seen++
			}
			return true
		}); err != nil || seen != 5 {
			t.Errorf("the queue shows %d previews (%v)", seen, err)
		}
	}
	check(t)
	for _, trace := range []string{"t1", "t2", "t4"} {
		if v := recordOf(t, s, trace, "a"); bytes.Contains(v, []byte("drops the last byte")) || bytes.Contains(v, []byte("the tokenizer")) {
			t.Errorf("%s repeats its previews: %q", trace, v)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir, Options{})
	defer closer(t, s)()
	check(t)
	day := turnDay(t, s, "t1")
	eraseAll(t, s, day, "t1") // its bodies are those of t2 and t4 too
	wantPreviews(t, s, "t2", "a", question, answer)
	eraseAll(t, s, day, "t2", "t4")
	wantPreviews(t, s, "t3", "a", "a question without a session", "an answer without a session")
}

// A span that is changed keeps its previews where they are, as far as its bodies stay the same.
func TestPreviewsSurviveChanges(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	mustAppend(t, s, quoted("t1", "a", "s1", question, answer))
	s.written.forget() // as if it were long ago
	b := &span.Batch{Span: &span.Span{Project: project, Trace: "t1", ID: "a"}, Merge: func(old *span.Span) *span.Span {
		c := *old
		c.Name, c.Usage.Output = "merged", 7
		return &c
	}}
	mustAppend(t, s, b)
	child := &span.Batch{Covers: true, Span: &span.Span{Project: project, Trace: "t1", ID: "b", Parent: "a"}}
	child.Span.Usage.Output = 7
	mustAppend(t, s, child)
	wantPreviews(t, s, "t1", "a", question, answer)
	sp, err := s.span(spanKey(project, turnDay(t, s, "t1"), "t1", "a"))
	if err != nil || sp.Name != "merged" || !sp.Covered {
		t.Fatal(sp, err)
	}
	if v := recordOf(t, s, "t1", "a"); bytes.Contains(v, []byte("drops the last byte")) {
		t.Errorf("a changed span repeats its previews: %q", v)
	}
	other := quoted("t1", "a", "s1", "another question, newer", "another answer, newer too")
	other.Merge = func(old *span.Span) *span.Span {
		c := *old
		c.Input, c.Output = other.Span.Input, other.Span.Output
		return &c
	}
	mustAppend(t, s, other)
	wantPreviews(t, s, "t1", "a", "another question, newer", "another answer, newer too")
}

// A body that two writes bring at once, or one write twice, is stored once: a second copy would never be erased.
func TestSameBodyAtOnce(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	const rounds, writers = 40, 4
	for i := range rounds {
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				trace := fmt.Sprintf("t%d-%d", i, w)
				text := fmt.Sprintf("the answer of round %d", i)
				err := s.Append(t.Context(), true, quoted(trace, "a", "s"+trace, question, text), quoted(trace, "b", "s"+trace, question, text))
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	count := func(prefix byte) (n int) {
		lower := dayKey(prefix, project, turnDay(t, s, "t0-0"), 0)
		if err := s.each(t.Context(), lower, after(lower), func(_, _ []byte) (bool, error) { n++; return true, nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if places, bodies := count(prefixBlob), count(prefixData); places != rounds+3 || bodies != places {
		t.Errorf("%d places, %d bodies, want %d", places, bodies, rounds+3)
	}
	if n := len(s.flights.to); n != 0 {
		t.Errorf("%d places of writes that have ended", n)
	}
	for i := range rounds {
		wantPreviews(t, s, fmt.Sprintf("t%d-0", i), "b", question, fmt.Sprintf("the answer of round %d", i))
	}
}

// Records of the first form are JSON; they are read, found by erasures, and rewritten when they change.
func TestJSONRecords(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer closer(t, s)()
	b := quoted("t1", "a", "s1", question, answer)
	b.Span.Start, b.Span.End, b.Span.Name = noon, noon.Add(time.Second), "old"
	mustAppend(t, s, b)
	day := turnDay(t, s, "t1")
	key := spanKey(project, day, "t1", "a")
	if err := s.db.Set(key, jsonx.MustMarshal(b.Span), nil); err != nil {
		t.Fatal(err)
	}
	s.recent.forget()
	wantPreviews(t, s, "t1", "a", question, answer)
	if out, err := s.Outline(t.Context(), project, "t1"); err != nil || len(out) != 1 || out[0].Name != "old" || out[0].ID != "a" {
		t.Error(out, err)
	}
	scanned := 0
	if _, err := s.Scan(t.Context(), func(sp *span.Span) bool {
		scanned++
		if diff := cmp.Diff(b.Span, sp); diff != "" {
			t.Error(diff)
		}
		return true
	}); err != nil || scanned != 1 {
		t.Error(scanned, err)
	}
	merge := &span.Batch{Span: &span.Span{Project: project, Trace: "t1", ID: "a"}, Merge: func(old *span.Span) *span.Span {
		c := *old
		c.Name = "new"
		return &c
	}}
	mustAppend(t, s, merge)
	if v := recordOf(t, s, "t1", "a"); v[0] == '{' {
		t.Error("still JSON")
	}
	wantPreviews(t, s, "t1", "a", question, answer)
	if err := s.db.Set(key, jsonx.MustMarshal(b.Span), nil); err != nil {
		t.Fatal(err)
	}
	pick := func(_ context.Context, sp *span.Span) (bool, error) { return sp.User == "user of t1", nil }
	traces, _, _, err := s.Pick(t.Context(), project, day, "", 9, "user of t1", pick)
	if err != nil || len(traces) != 1 {
		t.Error(traces, err)
	}
	if r := eraseAll(t, s, day, "t1"); r.Spans != 1 || r.Content != 6 {
		t.Errorf("removed %+v", r)
	}
}

package fulltext_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/fulltext"
	"weir/internal/query"
	"weir/internal/span"
)

func TestFindsInEachPart(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "aa", id: "01", name: "Weather Agent", session: "s", head: `{"model":"m-large","tools":["lookup_city"],"messages":`,
		messages: []string{message("system", "You are terse."), message("user", "How hot is it in\n東京 today?")},
		output:   `{"content":"It is \"hot\": 31\u00b0C"}`, metadata: `{"team":"Ｂlue","nested":{"ticket":"OPS-1234"}}`})
	for _, flush := range []func(){w.run, w.flush} {
		flush()
		found := []string{"aa/01"}
		for _, n := range []query.Needle{
			anywhere("weather agent"), anywhere("ops-1234"), anywhere("team\":\"blue"), anywhere("東京 TODAY"), in("in 東京"), in("lookup_city"),
			in("terse"), out(`it is "hot"`), out("31°c"), anywhere("31°C"), anywhere("ag"), in("京"), out("C"),
		} {
			w.expect(found, n)
		}
		for _, n := range []query.Needle{in("hot\": 31"), out("東京"), in("weather agent"), out("ops-1234"), anywhere("cold"), anywhere("京東"), anywhere("terse.agent")} {
			w.expect(nil, n)
		}
	}
}

func TestSharedTextIsFoundAtTheSpanThatBroughtItIn(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	history := []string{message("system", "common prompt"), message("user", "first question")}
	w.put(call{trace: "01", id: "01", session: "s", messages: history, output: `"first answer"`})
	history = append(history, message("assistant", "first answer"), message("user", "second question"))
	w.put(call{trace: "02", id: "02", session: "s", messages: history, output: `"second answer"`})
	w.flush()
	history = append(history, message("assistant", "second answer"), message("user", "third question"))
	w.put(call{trace: "03", id: "03", session: "s", messages: history, output: `"third answer"`})
	w.run()
	w.expect([]string{"01/01"}, in("common prompt"))
	w.expect([]string{"01/01"}, in("first question"))
	w.expect([]string{"03/03", "02/02", "01/01"}, anywhere("question"))
	w.expect([]string{"01/01"}, out("first answer"))
	w.expect([]string{"02/02"}, in("first answer"))
	// The texts come in with different spans: the first that holds both is found.
	w.expect([]string{"03/03"}, in("first question"), out("third answer"))
	w.expect([]string{"02/02"}, out("second answer"), in("common prompt"))
	w.expect(nil, out("first answer"), in("third question"))

	spans, err := w.store.Spans(t.Context(), project, []span.Key{{Trace: "03", Span: "03"}})
	if err != nil {
		t.Fatal(err)
	}
	for needle, want := range map[query.Needle]bool{in("FIRST question"): true, in("common"): true, in("third answer"): false, out("third"): true, anywhere("second"): true} {
		if got, err := w.texts.Holds(t.Context(), spans[0], needle); got != want || err != nil {
			t.Errorf("span holds %q: %v, %v", needle, got, err)
		}
	}
}

func TestTheSameContentAsInputAndOutput(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", output: `"handed over"`}, call{trace: "01", id: "02", input: `"handed over"`})
	for _, flush := range []func(){w.run, w.flush} {
		flush()
		w.expect([]string{"01/01"}, out("handed over"))
		w.expect([]string{"01/02"}, in("handed over"))
		w.expect([]string{"01/02", "01/01"}, anywhere("handed over"))
	}
}

func TestWhatASpanNoLongerSaysIsNotFound(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", name: "running", output: `"draft"`})
	w.flush()
	w.put(call{trace: "01", id: "01", name: "finished", output: `"final"`})
	w.run()
	w.expect(nil, anywhere("running"))
	w.expect(nil, anywhere("draft"))
	w.expect([]string{"01/01"}, anywhere("finished"))
	w.expect([]string{"01/01"}, out("final"))
}

func TestDaysAndProjects(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	for i := range 6 {
		w.put(call{trace: fmt.Sprintf("0%d", i), id: "01", day: today - span.Day(i%3), output: fmt.Sprintf(`"needle %d"`, i)})
		if i == 2 {
			w.flush()
		}
	}
	w.run()
	w.expect([]string{"03/01", "00/01", "04/01", "01/01", "05/01", "02/01"}, anywhere("needle"))
	yesterday := (today - 1).Time()
	got, err := w.search(t.Context(), query.TextQuery{Project: project, Needles: []query.Needle{anywhere("needle")}, From: yesterday.Add(time.Hour), To: yesterday.Add(24 * time.Hour)})
	if err != nil || !slices.Equal(got, []string{"04/01", "01/01"}) {
		t.Errorf("yesterday has %v, %v", got, err)
	}
	if got, err := w.search(t.Context(), query.TextQuery{Project: "other", Needles: []query.Needle{anywhere("needle")}}); err != nil || got != nil {
		t.Errorf("another project finds %v, %v", got, err)
	}
	n := 0
	err = w.texts.Search(t.Context(), query.TextQuery{Project: project, Needles: []query.Needle{anywhere("needle")}}, func(span.Key) bool { n++; return n < 2 })
	if err != nil || n != 2 {
		t.Errorf("a search that was stopped yielded %d, %v", n, err)
	}
	for _, bad := range []query.TextQuery{{Project: project}, {Project: project, Needles: []query.Needle{anywhere("")}}} {
		if _, err := w.search(t.Context(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// fill stores random calls of several sessions, of which some share their history, and returns what each says.
func fill(w *world, r *rand.Rand, n, scale int) (all []spoken) {
	history := map[int][]string{}
	plain := map[int][]string{}
	for i := range n {
		c := call{trace: fmt.Sprintf("%032x", i/3), id: fmt.Sprintf("%016x", i), name: sentence(r, 2), day: today - span.Day(i/3%2)}
		sp := spoken{key: c.trace + "/" + c.id, name: c.name, day: fmt.Sprint(c.day)}
		if r.IntN(4) == 0 {
			text := sentence(r, 5+r.IntN(60*scale))
			sp.input, c.input = structured(text), escaped(text)
		} else {
			s := r.IntN(8)*2 + i/3%2
			c.session = fmt.Sprint("session", s)
			text := sentence(r, 5+r.IntN(80*scale))
			history[s], plain[s] = append(history[s], escaped(text)), append(plain[s], structured(text))
			if len(history[s]) > 6 {
				history[s], plain[s] = history[s][5:], plain[s][5:]
			}
			c.messages, sp.input = slices.Clone(history[s]), strings.Join(plain[s], "\x00")
		}
		text := sentence(r, 3+r.IntN(40*scale))
		sp.output, c.output = `{"content":"`+text+`","role":"assistant"}`, message("assistant", text)
		w.put(c)
		all = append(all, sp)
		if i%50 == 49 {
			w.run()
		}
	}
	return all
}

// structured is a message as a person reads it.
func structured(text string) string { return `{"role":"user","content":"` + text + `"}` }

// spoken is what a span says.
type spoken struct{ key, name, input, output, day string }

func (s spoken) holds(n query.Needle) bool {
	f := fold(n.Text)
	has := func(v string) bool { return strings.Contains(fold(v), f) }
	switch n.Part {
	case query.InputText:
		return has(s.input)
	case query.OutputText:
		return has(s.output)
	}
	return has(s.name) || has(s.input) || has(s.output)
}

var foldings sync.Map

// fold is fulltext.Fold, once for each text.
func fold(s string) string {
	if f, ok := foldings.Load(s); ok {
		return f.(string)
	}
	f := fulltext.Fold(s)
	foldings.Store(s, f)
	return f
}

// compare checks that a search finds only spans that hold the needle, and at least one for each text that has it.
func compare(t *testing.T, w *world, all []spoken, n query.Needle) {
	t.Helper()
	got := map[string]bool{}
	for _, k := range w.find(n) {
		if got[k] {
			t.Errorf("%q: %s came twice", n, k)
		}
		got[k] = true
	}
	seen := map[string]bool{} // texts that a span before had
	for _, s := range all {
		holds := s.holds(n)
		if got[s.key] && !holds {
			t.Errorf("%q: found %s, which does not hold it", n, s.key)
		}
		fresh := false
		for _, m := range strings.Split(s.input, "\x00") {
			text := m + s.day
			fresh = fresh || !seen[text] && spoken{input: m}.holds(query.Needle{Part: query.AnyText, Text: n.Text}) && n.Part != query.OutputText
			seen[text] = true
		}
		if n.Part != query.InputText && (spoken{output: s.output}).holds(query.Needle{Part: query.OutputText, Text: n.Text}) ||
			n.Part == query.AnyText && (spoken{name: s.name}).holds(n) {
			fresh = true
		}
		if fresh && !got[s.key] {
			t.Errorf("%q: %s brought it in and was not found", n, s.key)
		}
	}
}

func needlesOf(r *rand.Rand, all []spoken, n int) (out []query.Needle) {
	parts := []query.Part{query.AnyText, query.InputText, query.OutputText}
	for range n {
		s := all[r.IntN(len(all))]
		words := strings.Fields(strings.Split(s.input, "\x00")[0] + " " + s.output)
		word := words[r.IntN(len(words))]
		switch r.IntN(5) {
		case 0:
			word = strings.ToUpper(word)
		case 1:
			from := r.IntN(len(words))
			word = strings.Join(words[from:min(from+2, len(words))], " ")
		case 2:
			rs := []rune(word)
			word = string(rs[:1+r.IntN(len(rs))])
		case 3:
			word += "absent" + fmt.Sprint(r.IntN(100))
		}
		out = append(out, query.Needle{Part: parts[r.IntN(3)], Text: word})
	}
	return out
}

func TestAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	w := newWorld(t, fulltext.Options{SegmentLen: 24 << 10})
	all := fill(w, r, 1200, 1)
	needles := needlesOf(r, all, 40)
	check := func(stage string) {
		t.Run(stage, func(t *testing.T) {
			for _, n := range needles {
				compare(t, w, all, n)
			}
		})
	}
	w.run()
	_, blocks, sets, err := w.texts.Candidates(t.Context(), project, today, "zzz")
	if err != nil || blocks < 16 || sets >= blocks {
		t.Fatalf("%d blocks in %d sets, %v: the test needs joined sets", blocks, sets, err)
	}
	if n, of, err := w.texts.Coded(t.Context(), project, today); err != nil || n == 0 {
		t.Fatalf("%d of %d segments have coded seams, %v: the test needs some", n, of, err)
	}
	check("built")

	w.close()
	w.open() // as after a crash: what was in memory is gone
	all = append(all, fillMore(w, r, all)...)
	w.run()
	check("reopened")

	if err := w.store.WriteTexts(t.Context(), nil, &fulltext.State{Version: fulltext.Version + 1, Upto: w.store.Committed()}); err != nil {
		t.Fatal(err)
	}
	w.texts = fulltext.New(w.store, w.o)
	w.run()
	check("rebuilt")

	all = forgetSome(w, all)
	check("forgotten in part")
}

// phrasesOf are pieces of texts, cut anywhere, of any length; every third one is changed in the middle.
func phrasesOf(r *rand.Rand, all []spoken, n int) (out []query.Needle) {
	for i := range n {
		s := all[r.IntN(len(all))]
		text := []rune(fold(s.output))
		if r.IntN(2) == 0 {
			text = []rune(fold(strings.Split(s.input, "\x00")[0]))
		}
		from := r.IntN(len(text))
		to := min(len(text), from+8+r.IntN(1<<r.IntN(10)))
		phrase := string(text[from:to])
		if i%3 == 0 {
			phrase = string(text[from:(from+to)/2]) + " the " + string(text[(from+to)/2:to])
		}
		out = append(out, anywhere(phrase))
	}
	return out
}

// TestPhrasesAgainstBruteForce has documents of several cells, cells of several documents, and blocks of several sessions.
func TestPhrasesAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	w := newWorld(t, fulltext.Options{SegmentLen: 256 << 10})
	all := fill(w, r, 120, 40)
	w.flush()
	pass, full := 0, 0
	needles := phrasesOf(r, all, 30)
	for _, n := range needles {
		cells, of, err := w.texts.Cells(t.Context(), project, today, n.Text)
		if err != nil {
			t.Fatal(err)
		}
		pass, full = pass+cells, full+of
	}
	if pass == 0 || pass*2 > full {
		t.Errorf("%d of %d cells pass: phrases are not told apart", pass, full)
	}
	check := func(stage string) {
		t.Run(stage, func(t *testing.T) {
			for _, n := range needles {
				compare(t, w, all, n)
			}
		})
	}
	check("built")
	all = forgetSome(w, all)
	check("forgotten in part")
	w.close()
	w.open()
	w.run()
	check("reopened")
}

// fillMore stores calls with a history of their own.
func fillMore(w *world, r *rand.Rand, all []spoken) (more []spoken) {
	for i := range 50 {
		n := len(all)*3 + i*3
		text := sentence(r, 30)
		s := spoken{name: "later", input: structured(text), output: structured(text)}
		c := call{trace: fmt.Sprintf("%032x", n), id: fmt.Sprintf("%016x", n), name: s.name, input: escaped(text), output: escaped(text)}
		s.key = c.trace + "/" + c.id
		w.put(c)
		more = append(more, s)
	}
	return more
}

func TestRetention(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", day: today - 9, output: `"old needle"`}, call{trace: "02", id: "01", output: `"new needle"`})
	w.flush()
	w.put(call{trace: "03", id: "01", day: today - 9, output: `"old needle in memory"`})
	w.run()
	err := w.texts.DropDay(t.Context(), project, today-9, func() error { return w.store.DropDay(t.Context(), project, today-9) })
	if err != nil {
		t.Fatal(err)
	}
	w.flush()
	w.expect([]string{"02/01"}, anywhere("needle"))
	days, err := w.store.TextDays(t.Context(), project)
	if err != nil || !slices.Equal(days, []span.Day{today}) {
		t.Errorf("texts are left of %v, %v", days, err)
	}
	// Content that comes again is indexed again.
	w.put(call{trace: "04", id: "01", output: `"old needle"`})
	w.run()
	w.expect([]string{"04/01"}, anywhere("old needle"))
}

func TestShortNeedlesAndLittleTime(t *testing.T) {
	w := newWorld(t, fulltext.Options{SegmentLen: 64 << 10})
	fill(w, rand.New(rand.NewPCG(1, 1)), 300, 1)
	w.put(call{trace: "ff", id: "01", output: `"ｑ東"`})
	w.run()
	if got := w.find(out("東")); len(got) == 0 || got[0] != "ff/01" {
		t.Errorf("one character: %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := w.texts.Search(ctx, query.TextQuery{Project: project, Needles: []query.Needle{anywhere("e")}}, func(span.Key) bool {
		if n++; n == 3 {
			cancel()
		}
		return true
	})
	if !errors.Is(err, context.Canceled) || n < 3 {
		t.Errorf("after %d spans a search that was cut short says %v", n, err)
	}
}

func TestNoTimeLeft(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", output: `"early"`})
	w.flush()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got, err := w.search(ctx, query.TextQuery{Project: project, Needles: []query.Needle{out("early")}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPartialWhileBehind(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", output: `"early"`})
	w.flush()
	w.put(call{trace: "02", id: "01", output: `"late"`})
	got, err := w.search(t.Context(), query.TextQuery{Project: project, Needles: []query.Needle{out("early")}})
	if !errors.Is(err, fulltext.ErrPartial) || !slices.Equal(got, []string{"01/01"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSearchWhileWriting(t *testing.T) {
	w := newWorld(t, fulltext.Options{SegmentLen: 16 << 10, Every: time.Millisecond})
	if err := w.texts.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.texts.Stop()
	var g sync.WaitGroup
	for n := range 3 {
		g.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			for i := range 100 {
				c := call{trace: fmt.Sprintf("%d%04d", n, i), id: "01", session: fmt.Sprint(n), output: fmt.Sprintf(`"mark%d-%d- %s"`, n, i, strings.Repeat("x", r.IntN(900)))}
				if err := w.store.Append(t.Context(), false, w.batch(c)); err != nil {
					t.Error(err)
				}
				got, err := w.search(t.Context(), query.TextQuery{Project: project, Needles: []query.Needle{out(fmt.Sprintf("mark%d-%d-", n, i))}})
				if err != nil || !slices.Equal(got, []string{c.trace + "/01"}) {
					t.Errorf("right after it was stored: %v, %v", got, err)
				}
			}
		})
	}
	g.Go(func() {
		for i := range 20 {
			if err := w.texts.Forget(t.Context(), project, today, []string{fmt.Sprint("none", i)}); err != nil {
				t.Error(err)
			}
		}
	})
	g.Wait()
	if got := w.find(anywhere("mark")); len(got) != 300 {
		t.Errorf("%d of 300 are found", len(got))
	}
}

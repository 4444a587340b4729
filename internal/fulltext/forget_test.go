package fulltext_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"weir/internal/fulltext"
	"weir/internal/span"
)

func TestForget(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	shared := message("system", "shared zebra prompt")
	for i := range 40 {
		w.put(call{trace: fmt.Sprintf("%02d", i), id: "01", session: "s", name: fmt.Sprint("caller", i),
			messages: []string{shared, message("user", fmt.Sprintf("secretword%d xyzzy%d", i, i))}, output: fmt.Sprintf(`"answer qwop%d"`, i)})
		if i%10 == 4 {
			w.flush() // the last ones stay in memory
		}
	}
	w.run()
	w.expect([]string{"00/01"}, in("zebra"))
	gone := []string{"00", "03", "17", "39"}
	if err := w.texts.Forget(t.Context(), project, today, gone); err != nil {
		t.Fatal(err)
	}
	for _, trace := range gone {
		n := strings.TrimLeft(trace, "0")
		if n == "" {
			n = "0"
		}
		for _, word := range []string{"secretword" + n + " xyz", "qwop" + n + `"`, "caller" + n + "\x1f"} {
			pass, _, _, err := w.texts.Candidates(t.Context(), project, today, word)
			if err != nil {
				t.Fatal(err)
			}
			if pass > 0 && !slices.Contains([]string{"0", "3"}, n) { // parts of other numbers
				t.Errorf("%d blocks still may hold %q", pass, word)
			}
			if got := w.find(anywhere(word)); slices.Contains(got, trace+"/01") {
				t.Errorf("%q is found", word)
			}
		}
	}
	noTextLeft(t, w, "secretword17 ", "qwop17", "caller39", "qwop39", "secretword39 ")
	w.expect([]string{"16/01"}, in("secretword16 "))
	w.expect([]string{"38/01"}, in("secretword38 "))

	// What others share with them is found again once they are learnt.
	w.expect(nil, in("zebra"))
	spans, err := w.store.Spans(t.Context(), project, []span.Key{{Trace: "05", Span: "01"}, {Trace: "06", Span: "01"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.texts.Learn(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	w.expect([]string{"05/01"}, in("zebra"))
	w.texts = fulltext.New(w.store, w.o)
	w.run()
	w.expect([]string{"05/01"}, in("zebra"))
	w.expect([]string{"16/01"}, out("qwop16"))
}

// noTextLeft looks for words in all values of the text index.
func noTextLeft(t *testing.T, w *world, words ...string) {
	t.Helper()
	err := w.store.TextRange(t.Context(), project, today, []byte{0}, []byte{0xff}, func(_, v []byte) (bool, error) {
		for _, word := range words {
			if strings.Contains(string(v), word) {
				t.Errorf("%q is still stored", word)
			}
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestForgetWhatComesUntilItIsDeleted(t *testing.T) {
	w := newWorld(t, fulltext.Options{})
	w.put(call{trace: "01", id: "01", name: "firstname"})
	if err := w.texts.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.texts.Forget(t.Context(), project, today, []string{"01"}); err != nil {
		t.Fatal(err)
	}
	w.put(call{trace: "01", id: "02", name: "latename"}, call{trace: "02", id: "01", name: "innocent"})
	w.flush()
	w.expect([]string{"01/02"}, anywhere("latename"))
	if err := w.store.DropDay(t.Context(), project, today); err != nil { // stands for the deletion of the spans
		t.Fatal(err)
	}
	w.put(call{trace: "03", id: "01", name: "latename", day: today + 1})
	w.run()
	noTextLeft(t, w, "latename", "firstname")
	w.expect([]string{"03/01"}, anywhere("latename"))
}

// forgetSome erases every seventh trace, but for its content, and returns what is left.
func forgetSome(w *world, all []spoken) (left []spoken) {
	w.t.Helper()
	gone := map[string]bool{}
	var keys []span.Key
	for i, s := range all {
		trace, id, _ := strings.Cut(s.key, "/")
		if i/3%7 == 0 {
			gone[trace] = true
			continue
		}
		left = append(left, s)
		keys = append(keys, span.Key{Trace: trace, Span: id})
	}
	traces := slices.Collect(maps.Keys(gone))
	for _, day := range []span.Day{today, today - 1} {
		if err := w.texts.Forget(w.t.Context(), project, day, traces); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, s := range w.find(anywhere("o")) {
		if trace, _, _ := strings.Cut(s, "/"); gone[trace] {
			w.t.Errorf("%s was forgotten and is found", s)
		}
	}
	spans, err := w.store.Spans(w.t.Context(), project, keys)
	if err == nil {
		err = w.texts.Learn(w.t.Context(), spans)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return left
}

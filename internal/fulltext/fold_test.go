package fulltext

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
)

func TestTextsThatAreEqual(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"case", "Straße ÉCOLE Σίσυφος", "STRASSE école ΣΊΣΥΦΟΣ"},
		{"full width", "ＡＢＣ１２３（テスト）", "abc123(テスト)"},
		{"half-width katakana", "ｶﾞｲﾄﾞﾗｲﾝ", "ガイドライン"},
		{"composed or not", "cafe\u0301 か\u3099", "café が"},
		{"ligature and roman numeral", "ﬁle Ⅳ ㌔", "file IV キロ"},
		{"white space", "a\tb\nc\u3000d\u00a0e", "a b c d e"},
		{"escaped by hand", `\u6771\u4eac`, "東京"},
		{"emoji", "👩🏽\u200d💻", `\ud83d\udc69\ud83c\udffd\u200d\ud83d\udcbb`},
	} {
		if a, b := needleOf(c.a), needleOf(c.b); !bytes.Equal(a, b) {
			t.Errorf("%s: %q and %q differ", c.name, a, b)
		}
	}
}

func TestTextOfContent(t *testing.T) {
	var tx text
	for _, c := range []struct{ name, content, holds string }{
		{"escapes", `{"content":"Line one\nsay \"Hi\" \u3042\/x"}`, `one say "hi" あ/x`},
		{"pairs", `["\ud83d\ude00!"]`, "😀!"},
		{"JSON in JSON", `{"arguments":"{\"q\": \"\\u6771\\u4eac\", \"p\": \"a\\nb\"}"}`, `{"q": "東京", "p": "a\nb"}`},
		{"three deep", `"{\"a\":\"{\\\"b\\\":\\\"\\\\u6771\\\\u4eac\\\\ud83d\\\\ude00\\\"}\"}"`, `東京😀`},
		{"path of Windows", `{"path":"C:\\Users\\new\\test.txt"}`, `C:\Users\new\test.txt`},
		{"not JSON", `error at C:\new\u file`, `C:\new\u`},
		{"lone surrogate", `"x\ud83dy"`, "x\uFFFDy"},
		{"escape at the end", `"abc\`, `abc\`},
		{"short escape", `"\u12"`, `\u12`},
	} {
		got := tx.of([]byte(c.content), false)
		if !bytes.Contains(got, needleOf(c.holds)) {
			t.Errorf("%s: %q is not in %q", c.name, c.holds, got)
		}
	}
	if got := string(tx.of(append([]byte{11}, `{"a":"x\ny"[]}`...), true)); got != `{"a":"x y"[]}` {
		t.Errorf("skeleton: %q", got)
	}
}

func TestGramsOfAPartAreGramsOfTheWhole(t *testing.T) {
	whole := needleOf("The quick 東京タワー go言語 naïve 😀x ｱｲｳ end")
	var g signature
	g.add(whole)
	for i := range whole {
		for j := i; j <= len(whole); j++ {
			if !utf8.RuneStart(whole[i]) || j < len(whole) && !utf8.RuneStart(whole[j]) {
				continue
			}
			for _, row := range needleRows(whole[i:j]) {
				if !g.has(row) {
					t.Fatalf("%q has a row that the whole lacks", whole[i:j])
				}
			}
		}
	}
	if n := len(needleRows(needleOf("東京"))); n != 1 {
		t.Errorf("two characters of Japanese have %d n-grams", n)
	}
	if n := len(needleRows([]byte("ab"))) + len(needleRows([]byte("東"))); n != 0 {
		t.Errorf("short needles have %d n-grams", n)
	}
}

// FuzzFold compares the fast paths with folding everything at once, and parts with the whole.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Hello", "ｶﾞ\u3099か", "e\u0301\u0302x\u0301", "한국어\u11a8", "İıſK", "Å\u0327\u030a", "\xff\xfe", "ﷺ", "\u1100\u1161\u11a8", "ς\u0345"} {
		f.Add(s, 1, 3)
	}
	f.Fuzz(func(t *testing.T, s string, i, j int) {
		if !utf8.ValidString(s) {
			appendFold(nil, []byte(s))
			return
		}
		whole := appendFold(nil, []byte(s))
		if want := appendSlow(nil, []byte(s)); !bytes.Equal(whole, want) {
			t.Fatalf("%q: fast %q, slow %q", s, whole, want)
		}
		if i < 0 || j < i || j > len(s) || !boundary(s, i) || !boundary(s, j) {
			return
		}
		part := appendFold(nil, []byte(s[i:j]))
		if !bytes.Contains(whole, part) {
			t.Fatalf("%q is a part of %q, but not folded", s[i:j], s)
		}
		var g signature
		g.add(whole)
		for _, row := range needleRows(part) {
			if !g.has(row) {
				t.Fatalf("%q has an n-gram that %q lacks", part, whole)
			}
		}
	})
}

func boundary(s string, i int) bool { return i == len(s) || startsPlain([]byte(s[i:])) }

func FuzzText(f *testing.F) {
	f.Add([]byte(`{"a":"\ud83d\\ude00 \u0041 \\\u6771"}`), false)
	f.Add([]byte("\x05{\"m\":[]}"), true)
	f.Fuzz(func(t *testing.T, b []byte, skeleton bool) {
		was := bytes.Clone(b)
		var tx text
		got := bytes.Clone(tx.of(b, skeleton))
		if !bytes.Equal(b, was) {
			t.Fatal("the content was changed")
		}
		if !bytes.Equal(got, tx.of(b, skeleton)) {
			t.Fatal("not the same twice")
		}
	})
}

func FuzzBlock(f *testing.F) {
	f.Add(blockOf([]doc{{span: 3, kind: recordDoc, text: []byte("abc")}, {span: 1, kind: recordDoc, text: []byte("d")}}, false))
	f.Add(blockOf([]doc{{span: 3, kind: inputDoc, place: Place{7, 9}, length: 4}, {span: 4, kind: outputDoc, skeleton: true, place: Place{7, 2}}}, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		if docs, err := readBlock(b, new([]byte)); err == nil && len(docs) > 0 && docs[0].kind == recordDoc && (b[0] == recordsBlock || b[0] == recordsRewritten) {
			n := newNeedle(query.Needle{Text: "a"})
			n.records(docs)
		}
		_, _ = readNames(b)
	})
}

func TestBlocksRoundTrip(t *testing.T) {
	in := []doc{
		{span: 300, kind: inputDoc, skeleton: true, place: Place{0, 1 << 40}, length: 5},
		{span: 2, kind: outputDoc, place: Place{9, 3}, length: 70_000},
		{span: 3, kind: inputDoc, place: Place{9, 4}},
	}
	out, err := readBlock(blockOf(in, false), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		if a, b := in[i], out[i]; a.span != b.span || a.kind != b.kind || a.skeleton != b.skeleton || a.place != b.place || a.length != b.length {
			t.Errorf("%+v became %+v", a, b)
		}
	}
	records := []doc{{span: 7, text: []byte("chat gpt")}, {span: 8, text: []byte{}}, {span: 20, text: bytes.Repeat([]byte("a tool "), 1000)}}
	buf := []byte("of the block before")
	if out, err = readBlock(blockOf(records, true), &buf); err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if a, b := records[i], out[i]; a.span != b.span || b.kind != recordDoc || b.length != len(a.text) || !bytes.Equal(a.text, b.text) {
			t.Errorf("%+v became %+v", a, b)
		}
	}
	names := []name{{"00ff", "ab"}, {"00ff", "AB"}, {"", ""}, {"trace one", "0"}}
	if got, err := readNames(namesOf(names)); err != nil || len(got) != len(names) || got[1] != names[1] || got[2] != names[2] || got[3] != names[3] {
		t.Errorf("names %v, %v", got, err)
	}
}

func prose(words int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range words {
		for range 2 + r.IntN(8) {
			b.WriteByte("eeeettaaooiinnsshhrrdlcumwfgypbvkXQZ"[r.IntN(36)])
		}
		b.WriteByte(' ')
	}
	return []byte(b.String())
}

func BenchmarkFold(b *testing.B) {
	in := prose(100_000)
	b.SetBytes(int64(len(in)))
	dst := make([]byte, 0, len(in))
	for b.Loop() {
		dst = appendFold(dst[:0], in)
	}
}

func BenchmarkFoldJapanese(b *testing.B) {
	in := []byte(strings.Repeat("東京タワーの高さは333メートルです。全文検索は単語の区切りを必要としません。", 1000))
	b.SetBytes(int64(len(in)))
	dst := make([]byte, 0, len(in))
	for b.Loop() {
		dst = appendFold(dst[:0], in)
	}
}

func BenchmarkSignature(b *testing.B) {
	in := appendFold(nil, prose(25_000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var g signature
		g.add(in)
	}
}

func BenchmarkSeams(b *testing.B) {
	in := appendFold(nil, prose(25_000))
	b.SetBytes(int64(len(in)))
	cells := make([]cell, cellsOf(len(in)))
	for b.Loop() {
		addSeams(cells, 0, in)
	}
}

func BenchmarkSignatureJapanese(b *testing.B) {
	in := []byte(strings.Repeat("東京タワーの高さは333メートルです。全文検索は単語の区切りを必要としません。", 1000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var g signature
		g.add(in)
	}
}

func TestFieldsOfARecordFoldAsEachDoesAlone(t *testing.T) {
	fields := []string{"ＡＰＩ", "e", "\u0301 combines with what is before it", `\ud83d`, `\ude00 \\`, "\xe3\x81", "\x82 broken", "が\u3099"}
	s := &span.Span{Tags: fields, Metadata: jsonx.Raw(`{"a":"\n\"x\""}`)}
	var want []byte
	for _, f := range fields {
		want = append(append(want, needleOf(f)...), fieldEnd)
	}
	want = append(want, "{\"a\":\" \"x\"\"}\x1f"...)
	if got := new(text).record(nil, s); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

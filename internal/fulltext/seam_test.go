package fulltext

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// mixed is a folded text of several scripts.
func mixed(r *rand.Rand, size int) []byte {
	words := strings.Fields("the of and connection pool if err != nil { return } 東京タワー は 全文検索 です。 データベース ord-0000 a/b.go 한국어 สวัสดี naïve x1 C:\\tmp")
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[r.IntN(len(words))])
		if r.IntN(3) > 0 {
			b.WriteByte(' ')
		}
		if r.IntN(9) == 0 {
			fmt.Fprintf(&b, "%x", r.Uint32())
		}
	}
	return needleOf(b.String())
}

// docsOf are bodies of several sessions, some of them longer than a cell.
func docsOf(r *rand.Rand, n int) (docs []doc) {
	for i := range n {
		t := mixed(r, 1+r.IntN(1<<(4+r.IntN(13))))
		docs = append(docs, doc{kind: inputDoc, place: Place{Session: uint32(i / 3), N: uint64(i)}, text: t, length: len(t)})
	}
	return docs
}

func TestSeamsOfAPartAreInTheCellWhereItBegins(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	docs := docsOf(r, 60)
	m := marksOf(docs)
	if len(m.cells) < 20 {
		t.Fatalf("%d cells are too few to tell", len(m.cells))
	}
	with := 0
	for range 20_000 {
		i := r.IntN(len(docs))
		text := docs[i].text
		from := r.IntN(len(text))
		for !utf8.RuneStart(text[from]) {
			from--
		}
		to := min(len(text), from+1+r.IntN(1<<r.IntN(12)))
		for to < len(text) && !utf8.RuneStart(text[to]) {
			to++
		}
		rows := needleSeams(text[from:to])
		if len(rows) > 0 {
			with++
		}
		c := &m.cells[(m.starts[i]+from)/cellLen]
		for _, row := range rows {
			if c[row>>6]&(1<<(row&63)) == 0 {
				t.Fatalf("%q begins in a cell that lacks one of its seams", text[from:to])
			}
		}
	}
	if with < 5_000 {
		t.Errorf("only %d of 20000 parts have seams", with)
	}
}

func TestCandidateRunsReachAllDocumentsOfItsCells(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	docs := docsOf(r, 60)
	starts := layout(docs)
	c := candidate{n: cellsOf(starts[len(docs)]), cell: 5}
	for cell := range c.n {
		c.seams = make(columns, padded(c.cell+c.n)/8)
		c.seams.set(c.cell + cell)
		var got []doc
		c.runs(docs, func(docs []doc) { got = append(got, docs...) })
		for i, d := range docs {
			in := starts[i] < (cell+1)*cellLen && starts[i]+d.length > cell*cellLen
			if has := slices.ContainsFunc(got, func(g doc) bool { return g.place == d.place }); has != in {
				t.Errorf("cell %d: document %d is read: %v, should be: %v", cell, i, has, in)
			}
		}
	}
}

func TestWhereANeedleIs(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	text := mixed(r, 5000)
	for range 5000 {
		from := r.IntN(len(text))
		part := slices.Clone(text[from:min(len(text), from+1+r.IntN(40))])
		if r.IntN(3) == 0 {
			part[r.IntN(len(part))] = 'z'
		}
		n := needle{text: part, anchor: r.IntN(len(part))}
		if got, want := n.index(text), strings.Index(string(text), string(part)); got != want {
			t.Fatalf("%q is at %d, not %d", part, want, got)
		}
	}
	if n := (needle{text: []byte("long"), anchor: 2}); n.in([]byte("lon")) || n.in(nil) {
		t.Error("found in a text that is too short")
	}
}

func TestABlockThatIsPutAnewLeavesNothingOfTheOldOne(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	before, after := docsOf(r, 40), docsOf(r, 2)
	old, now := marksOf(before), marksOf(after)
	n := len(old.cells)
	if len(now.cells) >= n {
		t.Fatal("the block must become smaller")
	}
	got, want := newFilters(16, padded(n+9)), newFilters(16, padded(n+9))
	for _, f := range []*filters{got, want} {
		f.fill(2, 0, &marks{grams: now.grams, cells: now.cells[:1]}) // neighbours
		f.fill(4, n+1, &marks{grams: now.grams, cells: now.cells[:1]})
	}
	got.fill(3, 1, old)
	got.put(3, 1, n, now)
	want.fill(3, 1, now)
	if !slices.Equal(got.grams.bits, want.grams.bits) || !slices.Equal(got.seams.bits, want.seams.bits) {
		t.Error("bits of the old block are left, or of others gone")
	}
}

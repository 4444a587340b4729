package fulltext

import (
	"encoding/binary"
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
	beside := &marks{grams: now.grams, cells: now.cells[:1]}
	among := func(m *marks) *filters {
		f := newFilters(16, padded(n+9))
		f.fill([]*marks{beside, m, beside})
		return f
	}
	shorter := &marks{grams: now.grams, cells: append(slices.Clone(now.cells), make([]cell, n-len(now.cells))...)}
	got, want := among(old), among(shorter)
	got.put(1, 1, n, now)
	if !slices.Equal(got.grams.bits, want.grams.bits) || !slices.Equal(got.seams.bits, want.seams.bits) {
		t.Error("bits of the old block are left, or of others gone")
	}
}

func TestWhereWordsMeetIsFoundEightBytesAtATime(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			for at := range 7 {
				text := []byte("xxxxxxxx")
				text[at], text[at+1] = byte(a), byte(b)
				got := meetings(binary.LittleEndian.Uint64(text))>>(8*at+7)&1 == 1
				if want := opens[a]&^shuts[b] != 0; got != want {
					t.Fatalf("%q makes a seam: %v, should be: %v", text[at:at+2], got, want)
				}
			}
		}
	}
}

func TestColumnsAreTurnedIntoRows(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	var columns [][]uint64
	for range 21 {
		c := make([]uint64, seamRows/64)
		for i := range c {
			if r.IntN(3) > 0 {
				c[i] = r.Uint64() & r.Uint64()
			}
		}
		columns = append(columns, c)
	}
	got, want := newFilterSet(seamShape, 24), newFilterSet(seamShape, 24)
	got.fill(columns)
	for i, c := range columns {
		want.put(i, c)
	}
	if !slices.Equal(got.bits, want.bits) {
		t.Error("rows differ from those put in one by one")
	}
}

package fulltext

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Words that are everywhere have n-grams that are everywhere; what tells a phrase of them apart is how they meet. A seam is
// what lies around the end of a word: eight bytes of which the fourth is no part of a word and the one behind it is. Scripts
// without word breaks have seams of four characters instead, at every other character, as their first two decide. Either way
// the bytes of a seam alone make it one, so that the seams of a part are seams of the whole.
//
// Seams of bodies are kept for cells, much smaller than blocks: the text of a block is its documents one after the other, and
// a cell is so many bytes of it, with the seams that begin a little later, so that the start of a needle lies in one cell
// with what decides about it. A session rather begins a cell than ends one, since what a cell holds is then read from one
// place. Records have no cells: they are alike, and quick to search.
const (
	cellLen     = 16 << 10
	cellOverlap = 512

	seamBefore, seamAfter = 3, 5 // bytes around where a seam of ASCII is found
	unbrokenSeam          = 12   // bytes

	// seamRows are the rows of a filter of seams.
	seamRows = 7 << 10
)

// cell is which rows the seams of a cell fall into.
type cell [seamRows / 64]uint64

func (c *cell) set(row uint16) { c[row>>6] |= 1 << (row & 63) }

// seam is the hash of one. It has three rows if it has a digit, else one: numbers and ids are what is searched for by a single
// seam, and few seams have a digit, so that the others lose nothing.
type seam struct {
	hash  uint64
	digit bool
}

func seamOf(h uint64, digit bool) seam { return seam{(h ^ h>>32) * mix, digit} }

func (s seam) rows() (a, b, c uint16) {
	return uint16(s.hash >> 48 * seamRows >> 16), uint16(s.hash >> 32 & 0xffff * seamRows >> 16), uint16(s.hash >> 16 & 0xffff * seamRows >> 16)
}

// add takes a seam.
func (c *cell) add(s seam) {
	first, second, third := s.rows()
	if c.set(first); s.digit {
		c.set(second)
		c.set(third)
	}
}

// hasDigit tells it of eight bytes.
func hasDigit(w uint64) bool {
	low := w &^ (0x80 * ones)
	return (low+(0x80-'0')*ones)&^(low+(0x80-'9'-1)*ones)&^w&(0x80*ones) != 0
}

func cellsOf(size int) int { return (size + cellLen - 1) / cellLen }

// layout tells where in the cells of a block each document begins, and the last one ends.
func layout(docs []doc) []int {
	starts, at := make([]int, len(docs)+1), 0
	for i := range docs {
		if i > 0 && docs[i].place.Session != docs[i-1].place.Session && at%cellLen > cellLen*5/8 {
			at += cellLen - at%cellLen
		}
		starts[i] = at
		at += docs[i].length
	}
	starts[len(docs)] = at
	return starts
}

// A seam is where a byte that opens one is followed by one that does not shut it: the end of a word, but for the last of
// several bytes between words, and characters of three bytes or more, of which some scripts have no word breaks.
var opens, shuts = func() (opens, shuts [256]uint8) {
	for i := range opens {
		c := byte(i)
		if c < utf8.RuneSelf && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			opens[i], shuts[i] = 1, 1
		}
		if c >= leads {
			opens[i] = 1
		}
	}
	return opens, shuts
}()

// leads is the least byte that begins a character of three bytes or more.
const leads = 0xE0

// seamAt tells whether a byte of a folded text makes a seam, and where that begins.
func seamAt(t []byte, i int) (from int, s seam, ok bool) {
	if t[i] >= leads {
		if i+unbrokenSeam > len(t) {
			return 0, seam{}, false
		}
		v := binary.LittleEndian.Uint64(t[i:])
		if (v<<16*mix)>>63 != 0 {
			return 0, seam{}, false
		}
		return i, seamOf((v*mix^uint64(binary.LittleEndian.Uint32(t[i+8:])))*mix, false), true
	}
	if i < seamBefore || i+seamAfter > len(t) {
		return 0, seam{}, false
	}
	v := binary.LittleEndian.Uint64(t[i-seamBefore:])
	return i - seamBefore, seamOf(v*mix, hasDigit(v)), true
}

// addSeams adds the seams of a document that begins at a byte of the block. It finds where they may be without a branch for
// each byte, which would go either way too often, and only then looks at each.
func addSeams(cells []cell, at int, t []byte) {
	i := 0
	for ; i+8 <= len(t); i += 7 {
		for m := meetings(binary.LittleEndian.Uint64(t[i:])); m != 0; m &= m - 1 {
			if from, s, ok := seamAt(t, i+bits.TrailingZeros64(m)/8); ok {
				addSeam(cells, at, from, s)
			}
		}
	}
	for ; i+1 < len(t); i++ {
		if opens[t[i]]&^shuts[t[i+1]] != 0 {
			if from, s, ok := seamAt(t, i); ok {
				addSeam(cells, at, from, s)
			}
		}
	}
}

// meetings are those of the first seven of eight bytes that open a seam, and are followed by one that does not shut it.
func meetings(w uint64) uint64 {
	const high = 0x80 * ones
	low := w &^ high
	digit := (low + (0x80-'0')*ones) &^ (low + (0x80-'9'-1)*ones)
	letter := (low + (0x80-'a')*ones) &^ (low + (0x80-'z'-1)*ones)
	shut := high &^ (digit | letter | w)
	open := shut | w&(w<<1)&(w<<2)&high
	return open &^ (shut >> 8) & (high >> 8)
}

func addSeam(cells []cell, at, from int, s seam) {
	c := uint(at+from) / cellLen
	cells[c].add(s)
	if start := int(c) * cellLen; at < start && at+from < start+cellOverlap {
		cells[c-1].add(s)
	}
}

// maxSeams bounds the seams a needle is looked up by.
const maxSeams = 16

// needleSeams are rows that a cell must have if the needle begins in it, those that tell most first.
func needleSeams(needle []byte) (out []uint16) {
	needle = needle[:min(len(needle), cellOverlap)]
	type one struct {
		seam
		common int
	}
	var all []one
	for i := range max(len(needle)-1, 0) {
		if opens[needle[i]] == 0 || shuts[needle[i+1]] != 0 {
			continue
		}
		if from, s, ok := seamAt(needle, i); ok {
			all = append(all, one{s, commonness(needle[from:], seamBefore+seamAfter)})
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return a.common - b.common })
	for _, s := range all[:min(len(all), maxSeams)] {
		a, b, c := s.rows()
		rows := []uint16{a, b, c}
		if !s.digit {
			rows = rows[:1]
		}
		for _, row := range rows {
			if !slices.Contains(out, row) {
				out = append(out, row)
			}
		}
	}
	return out
}

// marks are what filters keep of a block.
type marks struct {
	starts []int
	grams  signature
	cells  []cell
}

func newMarks(docs []doc) *marks {
	m := &marks{starts: layout(docs)}
	if len(docs) > 0 && docs[0].kind != recordDoc {
		m.cells = make([]cell, cellsOf(m.starts[len(docs)]))
	}
	return m
}

// add takes the text of a document.
func (m *marks) add(i int, t []byte) {
	if m.grams.add(t); len(m.cells) > 0 {
		addSeams(m.cells, m.starts[i], t)
	}
}

// marksOf are those of documents whose texts are at hand.
func marksOf(docs []doc) *marks {
	m := newMarks(docs)
	for i := range docs {
		m.add(i, docs[i].text)
	}
	return m
}

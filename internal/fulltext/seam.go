package fulltext

import (
	"encoding/binary"
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

	// seamRows are the rows of a filter of seams; each seam has two.
	seamRows = 4 << 10
)

// cell is which rows the seams of a cell fall into.
type cell [seamRows / 64]uint64

func (c *cell) add(a, b uint16) {
	c[a>>6] |= 1 << (a & 63)
	c[b>>6] |= 1 << (b & 63)
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

// seamAt tells whether a byte of a folded text makes a seam: its rows, and where it begins.
func seamAt(t []byte, i int) (from int, a, b uint16, ok bool) {
	if t[i] >= leads {
		if i+unbrokenSeam > len(t) {
			return 0, 0, 0, false
		}
		v := binary.LittleEndian.Uint64(t[i:])
		if (v<<16*mix)>>63 != 0 {
			return 0, 0, 0, false
		}
		a, b = rowsOfSeam((v*mix ^ uint64(binary.LittleEndian.Uint32(t[i+8:]))) * mix)
		return i, a, b, true
	}
	if i < seamBefore || i+seamAfter > len(t) {
		return 0, 0, 0, false
	}
	a, b = rowsOfSeam(binary.LittleEndian.Uint64(t[i-seamBefore:]) * mix)
	return i - seamBefore, a, b, true
}

func rowsOfSeam(h uint64) (a, b uint16) {
	h ^= h >> 32
	h *= mix
	return uint16(h >> 32 * seamRows >> 32), uint16(h & 0xffffffff * seamRows >> 32)
}

// addSeams adds the seams of a document that begins at a byte of the block. It finds where they may be without a branch,
// which would go either way too often, and only then looks at each.
func addSeams(cells []cell, at int, t []byte) {
	var found [1 << 10]uint16
	for base := 0; base+1 < len(t); base += len(found) {
		part := t[base:min(base+len(found)+1, len(t))]
		n := 0
		for i, next := range part[1:] {
			found[n&(len(found)-1)] = uint16(i)
			n += int(opens[part[i]] &^ shuts[next])
		}
		for _, i := range found[:n] {
			if from, a, b, ok := seamAt(t, base+int(i)); ok {
				addSeam(cells, at, from, a, b)
			}
		}
	}
}

func addSeam(cells []cell, at, from int, a, b uint16) {
	n := uint(at+from) / cellLen
	cells[n].add(a, b)
	if start := int(n) * cellLen; at < start && at+from < start+cellOverlap {
		cells[n-1].add(a, b)
	}
}

// maxSeams bounds the seams a needle is looked up by.
const maxSeams = 16

// needleSeams are rows that a cell must have if the needle begins in it, those that tell most first.
func needleSeams(needle []byte) (out []uint16) {
	needle = needle[:min(len(needle), cellOverlap)]
	type seam struct {
		a, b   uint16
		common int
	}
	var all []seam
	for i := range max(len(needle)-1, 0) {
		if opens[needle[i]] == 0 || shuts[needle[i+1]] != 0 {
			continue
		}
		if from, a, b, ok := seamAt(needle, i); ok {
			all = append(all, seam{a, b, commonness(needle[from:], seamBefore+seamAfter)})
		}
	}
	slices.SortStableFunc(all, func(a, b seam) int { return a.common - b.common })
	for _, s := range all[:min(len(all), maxSeams)] {
		for _, row := range []uint16{s.a, s.b} {
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

package fulltext

import (
	"math/bits"
	"slices"
)

// shape is what filters of one kind have in common.
type shape struct {
	kind byte
	rows int
}

var (
	gramShape = shape{kindFilter, rows}
	seamShape = shape{kindSeams, seamRows}
)

// chunkRows is how many rows of a filter share a value: a few KB of them.
func (s shape) chunkRows(cols int) int {
	n := s.rows & -s.rows
	for n > 1 && n*cols/8 > 8192 {
		n /= 2
	}
	return n
}

// filterSet is a filter in memory: rows × cols bits, row by row.
type filterSet struct {
	shape
	cols int
	bits []byte
}

func newFilterSet(s shape, cols int) *filterSet {
	return &filterSet{s, cols, make([]byte, s.rows*cols/8)}
}

// put replaces a column.
func (f *filterSet) put(col int, words []uint64) {
	width, at, bit := f.cols/8, col/8, byte(1)<<(col%8)
	for i := at; i < len(f.bits); i += width {
		f.bits[i] &^= bit
	}
	f.fill(col, words)
}

// fill copies what falls into which rows into a column that is empty.
func (f *filterSet) fill(col int, words []uint64) {
	width, at, bit := f.cols/8, col/8, byte(1)<<(col%8)
	for i, w := range words {
		for ; w != 0; w &= w - 1 {
			f.bits[(i*64+bits.TrailingZeros64(w))*width+at] |= bit
		}
	}
}

// insert copies all columns of a set to col, which is a multiple of 8.
func (f *filterSet) insert(col int, part *filterSet) {
	width, w := f.cols/8, part.cols/8
	for row := range f.rows {
		copy(f.bits[row*width+col/8:], part.bits[row*w:(row+1)*w])
	}
}

func (f *filterSet) values(at home, set uint64) (out []Value) {
	if f.cols == 0 {
		return nil
	}
	for chunk := range slices.Chunk(f.bits, f.chunkRows(f.cols)*f.cols/8) {
		out = append(out, at.value(key(f.kind, set, len(out)), chunk))
	}
	return out
}

// removed are the entries that take a set of so many columns out of the store.
func (s shape) removed(at home, set uint64, cols int) (out []Value) {
	if cols == 0 {
		return nil
	}
	for chunk := range s.rows / s.chunkRows(cols) {
		out = append(out, at.value(key(s.kind, set, chunk), nil))
	}
	return out
}

func padded(n int) int { return (n + 7) &^ 7 }

// columns are those of a set, as bits.
type columns []byte

func (c columns) has(i int) bool { return c[i/8]&(1<<(i%8)) != 0 }
func (c columns) set(i int)      { c[i/8] |= 1 << (i % 8) }

// filters are both kinds of a set.
type filters struct{ grams, seams *filterSet }

func newFilters(cols, cells int) *filters {
	return &filters{newFilterSet(gramShape, cols), newFilterSet(seamShape, cells)}
}

// fill puts a block into columns that are empty.
func (f *filters) fill(col, cell int, m *marks) {
	f.grams.fill(col, m.grams[:])
	for i := range m.cells {
		f.seams.fill(cell+i, m.cells[i][:])
	}
}

// put replaces a block that had so many cells.
func (f *filters) put(col, cell, cells int, m *marks) {
	f.grams.put(col, m.grams[:])
	for i := range cells {
		var words []uint64
		if i < len(m.cells) {
			words = m.cells[i][:]
		}
		f.seams.put(cell+i, words)
	}
}

func (f *filters) values(at home, set uint64) []Value {
	return append(f.grams.values(at, set), f.seams.values(at, set)...)
}

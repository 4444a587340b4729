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

// coded tells whether the rows of a set are. That of one segment is soon joined with others, and has no use for it; where
// there are few columns, what a row begins with costs too much. N-grams of records are alike from block to block, which the
// engine's compression makes more of.
func (s shape) coded(set uint64, cols int) bool {
	return s.kind == kindSeams && segmentsOf(set) > 1 && cols >= codedCols
}

const codedCols = 64

// chunkRows is how many rows of a filter share a value: a few KB of them, before they are coded.
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

// put replaces a column by what falls into which rows.
func (f *filterSet) put(col int, words []uint64) {
	width, at, bit := f.cols/8, col/8, byte(1)<<(col%8)
	for i := at; i < len(f.bits); i += width {
		f.bits[i] &^= bit
	}
	for i, w := range words {
		for ; w != 0; w &= w - 1 {
			f.bits[(i*64+bits.TrailingZeros64(w))*width+at] |= bit
		}
	}
}

// fill copies what falls into which rows, column by column from the first on. They must be empty. Eight columns and eight
// rows are turned at a time.
func (f *filterSet) fill(columns [][]uint64) {
	width := f.cols / 8
	for from := 0; from < len(columns); from += 8 {
		group, at := columns[from:min(from+8, len(columns))], from/8
		for i := range f.rows / 64 {
			var w [8]uint64
			left := uint64(0)
			for j, c := range group {
				w[j] = c[i]
				left |= c[i]
			}
			for row := i * 64; left != 0; row, left = row+8, left>>8 {
				if left&0xff != 0 {
					turned := turn(lowest(&w))
					for r := range 8 {
						f.bits[(row+r)*width+at] = byte(turned >> (8 * r))
					}
				}
				for j := range w {
					w[j] >>= 8
				}
			}
		}
	}
}

// lowest are the lowest bytes of eight words.
func lowest(w *[8]uint64) uint64 {
	return w[0]&0xff | w[1]&0xff<<8 | w[2]&0xff<<16 | w[3]&0xff<<24 | w[4]&0xff<<32 | w[5]&0xff<<40 | w[6]&0xff<<48 | w[7]<<56
}

// turn swaps rows and columns of eight times eight bits.
func turn(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00AA00AA00AA00AA
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000CCCC0000CCCC
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000F0F0F0F0
	return x ^ t ^ t<<28
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
		if f.coded(set, f.cols) {
			chunk = appendRows(make([]byte, 0, len(chunk)), chunk, f.cols/8)
		}
		out = append(out, at.value(key(f.kind, set, len(out)), chunk))
	}
	return out
}

// readChunk decodes a value of a set into the rows it holds.
func (s shape) readChunk(set uint64, cols int, rows, v []byte) error {
	if !s.coded(set, cols) {
		if copy(rows, v) != len(rows) || len(v) != len(rows) {
			return errDamaged
		}
		return nil
	}
	r := bitReader{b: v}
	for row := range slices.Chunk(rows, cols/8) {
		if !r.row(row) {
			return errDamaged
		}
	}
	return nil
}

// rowOf is one of the rows of a value, of which there are so many. It may share memory with the value, or with buf.
func (s shape) rowOf(set uint64, buf, v []byte, row, rows int) ([]byte, error) {
	width := len(buf)
	if !s.coded(set, width*8) {
		if len(v) != rows*width {
			return nil, errDamaged
		}
		return v[row*width:][:width], nil
	}
	r := bitReader{b: v}
	for range row + 1 {
		if !r.row(buf) {
			return nil, errDamaged
		}
	}
	return buf, nil
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

// fill takes blocks and their cells, from the first column on.
func (f *filters) fill(blocks []*marks) {
	var grams, seams [][]uint64
	for _, m := range blocks {
		grams = append(grams, m.grams[:])
		for i := range m.cells {
			seams = append(seams, m.cells[i][:])
		}
	}
	f.grams.fill(grams)
	f.seams.fill(seams)
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

package fulltext

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Rows of a filter that has many columns are kept as the gaps between their rarer bits, in Rice's code: few bits more than
// the information there is, which a general compressor does not reach. A row begins with how many bits are set, in as many
// bits as that may take, and what follows is as that says.

// riceOf tells how a row is coded that has n bits set: the gaps between ones, or zeros, and the length of the low part of a
// gap, or the bits as they are where gaps would be no shorter.
func riceOf(n, cols int) (rarer, low int, flip uint64, plain bool) {
	rarer = n
	if n > cols/2 {
		rarer, flip = cols-n, ^uint64(0)
	}
	if rarer*21 > cols*8 {
		return rarer, 0, flip, true
	}
	return rarer, max(bits.Len(uint(cols*7/(10*(rarer+1))))-1, 0), flip, false
}

// appendRows appends the code of rows of so many bytes each.
func appendRows(dst, rows []byte, width int) []byte {
	w := bitWriter{b: dst}
	for row := range slices.Chunk(rows, width) {
		w.row(row)
	}
	return w.flush()
}

func (w *bitWriter) row(row []byte) {
	n, cols := countOnes(row), len(row)*8
	w.put(uint64(n), bits.Len(uint(cols)))
	_, low, flip, plain := riceOf(n, cols)
	if plain {
		for _, c := range row {
			w.put(uint64(c), 8)
		}
		return
	}
	last := -1
	for i := 0; i < len(row); i += 8 {
		word := wordAt(row, i) ^ flip
		if rest := len(row) - i; rest < 8 {
			word &= 1<<(8*rest) - 1
		}
		for ; word != 0; word &= word - 1 {
			at := i*8 + bits.TrailingZeros64(word)
			w.gap(uint(at-last-1), low)
			last = at
		}
	}
}

func countOnes(row []byte) (n int) {
	for i := 0; i < len(row); i += 8 {
		n += bits.OnesCount64(wordAt(row, i))
	}
	return n
}

// wordAt is eight bytes from one on, with zeros for those behind the end.
func wordAt(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	var word uint64
	for j, c := range b[i:] {
		word |= uint64(c) << (8 * j)
	}
	return word
}

// row decodes the next row into one that has its length; it is not ok if the code is damaged.
func (r *bitReader) row(row []byte) (ok bool) {
	cols := uint(len(row)) * 8
	n := uint(r.take(bits.Len(cols)))
	if n > cols {
		return false
	}
	rarer, low, flip, plain := riceOf(int(n), int(cols))
	if plain {
		for i := range row {
			row[i] = byte(r.take(8))
		}
		return !r.bad
	}
	for i := range row {
		row[i] = byte(flip)
	}
	at := ^uint(0)
	for range rarer {
		if at += r.gap(low) + 1; at >= cols {
			r.bad = true
			break
		}
		row[at/8] ^= 1 << (at % 8)
	}
	return !r.bad
}

// bitWriter appends bits, the lowest of a byte first.
type bitWriter struct {
	b    []byte
	acc  uint64
	held int // bits in acc, fewer than 32
}

// put appends up to 32 bits.
func (w *bitWriter) put(v uint64, n int) {
	w.acc |= v << w.held
	if w.held += n; w.held >= 32 {
		w.b = binary.LittleEndian.AppendUint32(w.b, uint32(w.acc))
		w.acc >>= 32
		w.held -= 32
	}
}

// gap puts as many zeros as the high part says, a one, and the low part.
func (w *bitWriter) gap(v uint, low int) {
	high := int(v >> low)
	if n := high + 1 + low; n <= 32 { // almost all
		w.put((uint64(v)&(1<<low-1)<<1|1)<<high, n)
		return
	}
	for ; high > 30; high -= 30 {
		w.put(0, 30)
	}
	w.put(1<<high, high+1)
	w.put(uint64(v)&(1<<low-1), low)
}

func (w *bitWriter) flush() []byte {
	for ; w.held > 0; w.held -= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
	return w.b
}

// bitReader takes bits off; bad is set once there are none left.
type bitReader struct {
	b    []byte
	acc  uint64
	held int
	bad  bool
}

func (r *bitReader) fill() {
	if len(r.b) >= 4 && r.held <= 32 {
		r.acc |= uint64(binary.LittleEndian.Uint32(r.b)) << r.held
		r.b, r.held = r.b[4:], r.held+32
		return
	}
	for ; len(r.b) > 0 && r.held <= 56; r.b = r.b[1:] {
		r.acc |= uint64(r.b[0]) << r.held
		r.held += 8
	}
}

// take is up to 32 bits.
func (r *bitReader) take(n int) uint64 {
	if r.held < n {
		if r.fill(); r.held < n {
			r.bad = true
			return 0
		}
	}
	v := r.acc & (1<<n - 1)
	r.acc, r.held = r.acc>>n, r.held-n
	return v
}

func (r *bitReader) gap(low int) uint {
	if r.held < 32 {
		r.fill()
	}
	if n := bits.TrailingZeros64(r.acc); n+1+low <= r.held { // almost all
		acc := r.acc >> (n + 1)
		r.acc, r.held = acc>>low, r.held-n-1-low
		return uint(n)<<low | uint(acc&(1<<low-1))
	}
	return r.longGap(low)
}

func (r *bitReader) longGap(low int) uint {
	high := 0
	for r.acc == 0 {
		high += r.held
		if r.held = 0; len(r.b) == 0 {
			r.bad = true
			return 0
		}
		r.fill()
	}
	n := bits.TrailingZeros64(r.acc)
	r.acc, r.held = r.acc>>(n+1), r.held-n-1
	return uint(high+n)<<low | uint(r.take(low))
}

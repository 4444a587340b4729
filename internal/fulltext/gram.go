package fulltext

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// N-grams start at each character of a folded text: one of two characters if the first is of a script without word breaks,
// else one of three, for short needles, and one of five, which tells words and the ways they meet apart. What starts where
// depends on the text from there on only, so that the n-grams of a part are n-grams of the whole.

// rowBits is how many bits of an n-gram's hash a filter keeps: a filter has that many rows, one bit each per block.
const (
	rowBits = 16
	rows    = 1 << rowBits
)

// signature is which rows the n-grams of a block's text fall into.
type signature [rows / 64]uint64

func (g *signature) set(row uint16) { g[row>>6] |= 1 << (row & 63) }

func (g *signature) has(row uint16) bool { return g[row>>6]&(1<<(row&63)) != 0 }

// add puts the n-grams of a folded text in.
func (g *signature) add(t []byte) {
	i := 0
	for i < len(t) {
		if n := asciiRun(t[i:]); n > 0 {
			i += g.addASCII(t[i : i+n])
		}
		for i < len(t) { // to the next run of ASCII, of which the end needs more than it has
			if n := g.addUnbroken(t[i:]); n > 0 {
				i += n
				continue
			}
			r, size := utf8.DecodeRune(t[i:])
			for _, n := range lengths(r) {
				if row, ok := gramAt(t[i:], n); ok {
					g.set(row)
				}
			}
			if i += size; i+long <= len(t) && asciiRun(t[i:i+long]) == long {
				break
			}
		}
	}
}

// addASCII adds all n-grams of a run whose characters are all in it, and returns how many characters it has seen to.
func (g *signature) addASCII(t []byte) int {
	i, n := 0, len(t)-long+1
	for ; i+8 <= len(t); i += 4 {
		w := binary.LittleEndian.Uint64(t[i:])
		g.addPacked(w)
		g.addPacked(w >> 8)
		g.addPacked(w >> 16)
		g.addPacked(w >> 24)
	}
	for ; i < n; i++ {
		g.addPacked(uint64(binary.LittleEndian.Uint32(t[i:])) | uint64(t[i+4])<<32)
	}
	return max(n, 0)
}

// addPacked adds both n-grams at the start of five bytes of ASCII.
func (g *signature) addPacked(v uint64) {
	g.set(hash(v & (1<<(8*short) - 1)))
	g.set(hash(v & (1<<(8*long) - 1)))
}

// addUnbroken adds the pairs of a run of the most frequent characters without word breaks, those from U+3000 to U+9FFF, and
// returns how many bytes it has seen to: all but the last character.
func (g *signature) addUnbroken(t []byte) (n int) {
	last, ok := ideograph(t)
	for ok {
		var r rune
		if r, ok = ideograph(t[n+3:]); ok {
			g.set(hash(pairOf(last, r)))
			last, n = r, n+3
		}
	}
	return n
}

// ideograph is the character from U+3000 to U+9FFF at the start of a text.
func ideograph(t []byte) (r rune, ok bool) {
	if len(t) < 3 || t[0] < 0xE3 || t[0] > 0xE9 || t[1]&0xC0 != 0x80 || t[2]&0xC0 != 0x80 {
		return 0, false
	}
	return rune(t[0]&0x0F)<<12 | rune(t[1]&0x3F)<<6 | rune(t[2]&0x3F), true
}

// pairOf is what gramAt hashes of two characters beyond ASCII.
func pairOf(a, b rune) uint64 { return (uint64(a)*mix+uint64(b))*mix>>1 | 1<<63 }

const mix = 0x9E3779B97F4A7C15

func hash(v uint64) uint16 { return uint16(v * mix >> (64 - rowBits)) }

// Lengths of n-grams in characters.
const (
	pair  = 2
	short = 3
	long  = 5
)

var (
	unbrokenLengths = []int{pair}
	brokenLengths   = []int{short, long}
)

// lengths are those of the n-grams that start with a character.
func lengths(r rune) []int {
	if unbroken(r) {
		return unbrokenLengths
	}
	return brokenLengths
}

// gramAt is the row of the n characters at the start of a text; it is not ok if there are fewer.
func gramAt(t []byte, n int) (row uint16, ok bool) {
	var packed, mixed uint64
	ascii := true
	for i := range n {
		r, size := utf8.DecodeRune(t)
		if size == 0 {
			return 0, false
		}
		t = t[size:]
		ascii = ascii && r < utf8.RuneSelf
		packed |= uint64(r) << (8 * i)
		mixed = (mixed + uint64(r)) * mix
	}
	if ascii {
		return hash(packed), true
	}
	return hash(mixed>>1 | 1<<63), true
}

// unbroken reports whether a script has so many characters that two of them say enough: Chinese, Japanese, Korean.
func unbroken(r rune) bool {
	return r >= 0x2E80 && (r <= 0x9FFF || r >= 0xAC00 && r <= 0xD7A3 || r >= 0xF900 && r <= 0xFAFF || r >= 0x20000)
}

// maxGrams bounds the n-grams a needle is looked up by.
const maxGrams = 16

// needleRows are rows a text must have to hold the needle, those that tell most first. A text with the long n-grams has the
// short ones too, but a filter that has a long one by chance need not.
func needleRows(needle []byte) (out []uint16) {
	for _, n := range []int{long, short} {
		for _, g := range gramsOf(needle, n) {
			if !slices.Contains(out, g.row) && len(out) < maxGrams {
				out = append(out, g.row)
			}
		}
	}
	return out
}

// gramsOf are the n-grams of n characters, or two of scripts without word breaks, those that tell most first.
func gramsOf(needle []byte, n int) (all []gram) {
	for i := 0; i < len(needle); {
		r, size := utf8.DecodeRune(needle[i:])
		m := n
		if unbroken(r) {
			m = pair
		}
		if row, ok := gramAt(needle[i:], m); ok {
			all = append(all, gram{row, commonness(needle[i:], m)})
		}
		i += size
	}
	slices.SortStableFunc(all, func(a, b gram) int { return cmp.Compare(a.common, b.common) })
	return all
}

type gram struct {
	row    uint16
	common int
}

// frequent are the most frequent letters of English text and JSON, in order.
const frequent = ` etaoinsrhldcumfpg"ywb:,.{}`

// commonness guesses how frequent an n-gram is.
func commonness(t []byte, n int) (score int) {
	for _, c := range t[:min(n, len(t))] {
		if i := strings.IndexByte(frequent, c); i >= 0 {
			score += len(frequent) - i
		}
	}
	return score
}

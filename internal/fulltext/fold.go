package fulltext

import (
	"bytes"
	"encoding/binary"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Two texts are equal if they fold to the same bytes: NFKC (width, ligatures, composed or not), then case, then white
// space to a space each. Parts of equal texts are equal if they are cut where no combining character follows.

// ascii folds a byte below 0x80.
var ascii = func() (t [128]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = byte(c + 'a' - 'A')
	}
	for _, c := range "\t\n\v\f\r" {
		t[c] = ' '
	}
	return t
}()

// appendFold appends the folded form of text.
func appendFold(dst, text []byte) []byte {
	i := 0
	for i < len(text) {
		if text[i] < utf8.RuneSelf {
			n := asciiRun(text[i:])
			if i+n < len(text) && !startsPlain(text[i+n:]) {
				n-- // the last one may combine with what follows
			}
			dst = appendASCII(dst, text[i:i+n])
			i += n
		} else {
			var n int
			dst, n = appendRunes(dst, text[i:])
			i += n
		}
		if i < len(text) && (text[i] >= utf8.RuneSelf || i+1 < len(text) && !startsPlain(text[i+1:])) {
			n := compound(text[i:])
			dst = appendSlow(dst, text[i:i+n])
			i += n
		}
	}
	return dst
}

// appendRunes folds plain runes beyond ASCII up to the first that is not, or that may combine with what follows.
func appendRunes(dst, text []byte) (out []byte, n int) {
	r, size := decode(text)
	f := plain(r)
	for f != 0 {
		n += size
		if n == len(text) || text[n] < utf8.RuneSelf {
			return utf8.AppendRune(dst, f), n
		}
		last, lastSize := f, size
		r, size = decode(text[n:])
		if f = plain(r); f == 0 {
			return dst, n - lastSize
		}
		dst = utf8.AppendRune(dst, last)
	}
	return dst, n
}

// decode is utf8.DecodeRune, faster for the most frequent characters of Japanese and Chinese.
func decode(t []byte) (r rune, size int) {
	if r, ok := ideograph(t); ok {
		return r, 3
	}
	return utf8.DecodeRune(t)
}

// asciiRun is how many bytes at the start are ASCII.
func asciiRun(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
	}
	return i
}

func appendASCII(dst, b []byte) []byte {
	n := len(dst)
	dst = append(dst, b...)
	t := dst[n:]
	for ; len(t) >= 8; t = t[8:] {
		binary.LittleEndian.PutUint64(t, fold8(binary.LittleEndian.Uint64(t)))
	}
	for i, c := range t {
		t[i] = ascii[c&0x7f]
	}
	return dst
}

// ones has each of eight bytes 1.
const ones = 0x0101010101010101

// fold8 folds eight bytes below 0x80 at once. A byte of a mask is 0x80 where a byte is from one to another.
func fold8(w uint64) uint64 {
	upper := (w + (0x80-'A')*ones) &^ (w + (0x80-'Z'-1)*ones) & (0x80 * ones)
	w |= upper >> 2
	space := (w + (0x80-'\t')*ones) &^ (w + (0x80-'\r'-1)*ones) & (0x80 * ones)
	space >>= 7
	return w&^(space*0xff) | space*' '
}

// compound is the length of the shortest start that can be folded by itself.
func compound(b []byte) int {
	_, n := utf8.DecodeRune(b)
	for n < len(b) && !startsPlain(b[n:]) {
		_, size := utf8.DecodeRune(b[n:])
		n += size
	}
	return n
}

// startsPlain reports whether what precedes b can be folded without it.
func startsPlain(b []byte) bool {
	if b[0] < utf8.RuneSelf {
		return true
	}
	r, _ := utf8.DecodeRune(b)
	return plain(r) != 0
}

func appendSlow(dst, b []byte) []byte {
	b = norm.NFKC.Bytes(bytes.ToValidUTF8(b, []byte("\uFFFD")))
	b = norm.NFKC.Bytes(cases.Fold().Bytes(b))
	for _, c := range b {
		if c < utf8.RuneSelf {
			c = ascii[c]
		}
		dst = append(dst, c)
	}
	return dst
}

// tabled is where the table of folded runes ends; beyond it only whole ranges are plain.
const tabled = 0x3400

var (
	folded     [tabled]rune
	foldedOnce sync.Once
)

func fillFolded() {
	for r := rune(utf8.RuneSelf); r < tabled; r++ {
		in := string(r)
		if !norm.NFKC.PropertiesString(in).BoundaryBefore() {
			continue
		}
		out := appendSlow(nil, []byte(in))
		if f, n := utf8.DecodeRune(out); n == len(out) && f >= utf8.RuneSelf && norm.NFKC.Properties(out).BoundaryBefore() {
			folded[r] = f
		}
	}
	folded[0x3000] = ' '
}

// plain is the folded form of a rune beyond ASCII that folds by itself to one rune, whatever precedes it; else 0.
func plain(r rune) rune {
	if r < tabled {
		foldedOnce.Do(fillFolded)
		return folded[r]
	}
	return plainRange(r)
}

func plainRange(r rune) rune {
	switch {
	case r <= 0x9FFF, r >= 0xAC00 && r <= 0xD7A3, r >= 0x1F300 && r <= 0x1FAFF, r >= 0x20000 && r <= 0x2A6DF:
		return r
	case r >= 0xFF21 && r <= 0xFF3A: // full-width capitals
		return r - 0xFF21 + 'a'
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFF01 + '!'
	}
	return 0
}

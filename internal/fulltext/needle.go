package fulltext

import (
	"bytes"
	"cmp"

	"weir/internal/query"
)

// needle is what is searched for, folded, with the rows of its n-grams and of its seams. Without rows every block passes,
// and without seams every cell of it.
type needle struct {
	query.Needle
	text   []byte
	rows   []uint16
	seams  []uint16
	anchor int // its byte that is least common
}

func newNeedle(n query.Needle) needle {
	out := needle{Needle: n, text: needleOf(n.Text)}
	if len(out.text) == 0 {
		return out
	}
	out.rows, out.seams = needleRows(out.text), needleSeams(out.text)
	for i := range out.text {
		if cmp.Less(commonness(out.text[i:], 1), commonness(out.text[out.anchor:], 1)) {
			out.anchor = i
		}
	}
	return out
}

// wants reports whether a kind of document belongs to the part that is searched.
func (n *needle) wants(k docKind) bool {
	switch n.Part {
	case query.InputText:
		return k == inputDoc
	case query.OutputText:
		return k == outputDoc
	}
	return true
}

func (n *needle) in(t []byte) bool { return n.index(t) >= 0 }

// patience is how many bytes there must be, on average, from one anchor to the next, for looking at anchors to be worth it.
const patience = 12

// index is where the needle is in a folded text, or -1.
func (n *needle) index(t []byte) int {
	last := len(t) - len(n.text)
	for i, tries := 0, 0; i <= last; tries++ {
		if tries > 8+i/patience {
			if at := bytes.Index(t[i:], n.text); at >= 0 {
				return i + at
			}
			return -1
		}
		at := bytes.IndexByte(t[i+n.anchor:last+n.anchor+1], n.text[n.anchor])
		if at < 0 {
			return -1
		}
		if i += at; bytes.Equal(t[i:i+len(n.text)], n.text) {
			return i
		}
		i++
	}
	return -1
}

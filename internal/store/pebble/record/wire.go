package record

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"weir/internal/jsonx"
)

// A field is a tag, number<<1 | kind, and what its kind says: one varint, or a length and so many bytes. Zero values are
// left out.
const (
	varint = 0 // zigzag
	packed = 1
)

func tag(b []byte, field, kind int) []byte { return binary.AppendUvarint(b, uint64(field<<1|kind)) }

func appendInt(b []byte, field int, v int64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendVarint(tag(b, field, varint), v)
}

func appendBool(b []byte, field int, v bool) []byte {
	if !v {
		return b
	}
	return appendInt(b, field, 1)
}

func appendPacked[T ~string | ~[]byte](b []byte, field int, v T) []byte {
	b = binary.AppendUvarint(tag(b, field, packed), uint64(len(v)))
	return append(b, v...)
}

// appendText keeps texts valid UTF-8, as JSON does: what reads them relies on it.
func appendText(b []byte, field int, v string) []byte {
	if v == "" {
		return b
	}
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	return appendPacked(b, field, v)
}

func appendTime(b []byte, field int, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b, at := begin(b, field)
	b = binary.AppendVarint(b, t.Unix())
	return end(binary.AppendUvarint(b, uint64(t.Nanosecond())), at)
}

// begin opens a packed field of a length that is not known yet; end closes it.
func begin(b []byte, field int) (_ []byte, at int) {
	b = append(tag(b, field, packed), 0)
	return b, len(b)
}

func end(b []byte, at int) []byte {
	n := len(b) - at
	if n < 0x80 {
		b[at-1] = byte(n)
		return b
	}
	var size [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(size[:], uint64(n))
	b = append(b, size[1:w]...) // room
	copy(b[at-1+w:], b[at:at+n])
	copy(b[at-1:], size[:w])
	return b
}

// reader takes a record or a packed field apart. After the first mistake it has nothing more to read, and bad is set.
type reader struct {
	b   []byte
	own bool // texts are copies rather than parts of b
	bad bool
}

func (r *reader) fail() {
	r.b, r.bad = nil, true
}

// next is the next field: its number, or its bytes, which are nil for a number.
func (r *reader) next() (field int, v int64, p []byte, ok bool) {
	if len(r.b) == 0 {
		return 0, 0, nil, false
	}
	t := r.uvarint()
	if t&1 == packed {
		p = r.take(r.uvarint())
	} else {
		v = r.varint()
	}
	return int(t >> 1), v, p, !r.bad
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

// in reads a packed field as fields of its own.
func (r *reader) in(p []byte) *reader { return &reader{b: p, own: r.own} }

// done passes on a mistake made within a packed field.
func (r *reader) done(in *reader) {
	if in.bad {
		r.fail()
	}
}

func (r *reader) text(p []byte) string {
	if r.own {
		return string(p)
	}
	return jsonx.View(p)
}

func (r *reader) time(p []byte) time.Time {
	in := r.in(p)
	sec, nsec := in.varint(), in.uvarint()
	if in.bad || nsec >= uint64(time.Second) {
		r.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

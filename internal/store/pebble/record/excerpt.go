package record

import "encoding/binary"

// Excerpt says which part of a stored body the preview of a Ref is, so that the record need not repeat it: prose is most
// of what a record would weigh. The zero value is none.
type Excerpt struct {
	// Own is that the body lies in the place of the span's session; else Session has the one it lies in.
	Own      bool
	Session  uint32
	N        uint64 // the body's number there
	At, Size int    // bytes of the body
	Escaped  bool   // they are the inside of a JSON string
}

// Excerpts are those of a span.
type Excerpts struct{ Input, Output Excerpt }

const (
	flagEscaped = 1 << iota
	flagElsewhere
)

func appendExcerpt(b []byte, field int, e Excerpt) []byte {
	flags := uint64(0)
	if e.Escaped {
		flags |= flagEscaped
	}
	if !e.Own {
		flags |= flagElsewhere
	}
	b, at := begin(b, field)
	for _, v := range [...]uint64{flags, uint64(e.At), uint64(e.Size), e.N} {
		b = binary.AppendUvarint(b, v)
	}
	if !e.Own {
		b = binary.BigEndian.AppendUint32(b, e.Session)
	}
	return end(b, at)
}

func (r *reader) excerpt(p []byte) (e Excerpt) {
	in := r.in(p)
	flags := in.uvarint()
	e.At, e.Size, e.N = in.size(), in.size(), in.uvarint()
	e.Escaped, e.Own = flags&flagEscaped != 0, flags&flagElsewhere == 0
	if !e.Own {
		if p := in.take(4); p != nil {
			e.Session = binary.BigEndian.Uint32(p)
		}
	}
	r.done(in)
	return e
}

// size is a number of bytes, which a body cannot have more of than 31 bits can tell.
func (r *reader) size() int {
	v := r.uvarint()
	if v >= 1<<31 {
		r.fail()
		return 0
	}
	return int(v)
}

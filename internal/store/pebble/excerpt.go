package pebble

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/pebble/record"
)

// A preview is nearly always a part of the body it previews. Records then say where, and reads of whole spans put it back:
// kept twice, the previews would weigh more than the rest of the records together.

// encode makes the record of a span that is about to be stored under key; nodes are those that come with it. The next call
// overwrites it.
func (s *Store) encode(w *write, key []byte, sp *span.Span, nodes []span.Node) ([]byte, error) {
	var ex record.Excerpts
	if old, ok := w.edits.excerpts[string(key)]; ok { // what has not changed lies where it lay
		ex = old.of(sp)
	}
	s.excerpt(w, sp, &sp.Output, &ex.Output, nil)
	s.excerpt(w, sp, &sp.Input, &ex.Input, nodes)
	value, err := record.Append(w.record[:0], sp, ex)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "a span cannot be encoded")
	}
	w.record = value
	return value, nil
}

// found are the excerpts of a stored span.
type found struct {
	input, output span.Ref
	ex            record.Excerpts
}

// of are those that are true of sp as well.
func (f *found) of(sp *span.Span) (ex record.Excerpts) {
	if sp.Input == f.input {
		ex.Input = f.ex.Input
	}
	if sp.Output == f.output {
		ex.Output = f.ex.Output
	}
	return ex
}

// shortest is the size of previews from which an excerpt is shorter; latest is how many messages from the end are looked
// through for one.
const (
	shortest = 16
	latest   = 4
)

// excerpt looks for the preview of one side in its body.
func (s *Store) excerpt(w *write, sp *span.Span, f *span.Ref, e *record.Excerpt, nodes []span.Node) {
	if e.Size > 0 || len(f.Preview) < shortest || !utf8.ValidString(f.Preview) {
		return
	}
	switch f.Form {
	case span.FormRaw:
		s.within(w, sp, f.Skeleton, f.Preview, e)
	case span.FormConversation:
		for i := len(nodes) - 1; i >= max(0, len(nodes)-latest) && e.Size == 0; i-- {
			s.within(w, sp, nodes[i].Body, f.Preview, e)
		}
	}
}

// within looks for a preview in a body that is at hand: one of this write, or one of those written lately.
func (s *Store) within(w *write, sp *span.Span, h span.Hash, preview string, e *record.Excerpt) {
	key := hashKey(prefixBlob, sp.Project, sp.Day, h)
	place, body := w.placed[string(key)].place, w.placed[string(key)].body
	if place == nil {
		if place = s.written.get(key); len(place) == placeSize {
			body = s.written.get(placeKey(sp.Project, sp.Day, place))
		}
	}
	if body == nil {
		return
	}
	at, size, escaped := locate(body, preview)
	if size == 0 {
		return
	}
	*e = record.Excerpt{
		Own: bytes.Equal(place[:4], sessionPlace(sp.Session)), Session: binary.BigEndian.Uint32(place), N: binary.BigEndian.Uint64(place[4:]),
		At: at, Size: size, Escaped: escaped,
	}
	if e.Own {
		e.Session = 0
	}
}

// complete puts back the previews of a span that was decoded.
func (s *Store) complete(sp *span.Span, ex record.Excerpts) error {
	if err := s.restore(sp, &sp.Output, ex.Output); err != nil {
		return err
	}
	return s.restore(sp, &sp.Input, ex.Input)
}

// restore leaves a preview empty if its body has gone: then the span is about to go as well.
func (s *Store) restore(sp *span.Span, f *span.Ref, e record.Excerpt) error {
	if e.Size == 0 {
		return nil
	}
	place := make([]byte, 0, placeSize)
	if e.Own {
		place = append(place, sessionPlace(sp.Session)...)
	} else {
		place = binary.BigEndian.AppendUint32(place, e.Session)
	}
	key := placeKey(sp.Project, sp.Day, binary.BigEndian.AppendUint64(place, e.N))
	read := func(body []byte) error {
		f.Preview = part(body, e)
		return nil
	}
	if body := s.written.get(key); body != nil {
		return read(body)
	}
	_, err := s.view(key, read)
	return err
}

func part(body []byte, e record.Excerpt) string {
	if e.At > len(body)-e.Size {
		return ""
	}
	text := body[e.At : e.At+e.Size]
	if !e.Escaped {
		return string(text)
	}
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		r, n := unescape(text)
		if n == 0 {
			return ""
		}
		if n == 1 {
			b.WriteByte(text[0])
		} else {
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

// locate finds a preview in a body, as it is or escaped as within a JSON string. size is 0 if it is not there.
func locate(body []byte, preview string) (at, size int, escaped bool) {
	if at = bytes.Index(body, []byte(preview)); at >= 0 {
		return at, len(preview), false
	}
	start := []byte(preview[:plain(preview)])
	if len(start) < shortest/2 {
		return 0, 0, false
	}
	for from, tries := 0, 0; tries < 4; tries++ {
		i := bytes.Index(body[from:], start)
		if i < 0 {
			break
		}
		if at = from + i; at < len(body) {
			if size = escapedSize(body[at:], preview); size > 0 {
				return at, size, true
			}
		}
		from = at + 1
	}
	return 0, 0, false
}

// plain is how much of a text no encoder of JSON escapes.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || strings.IndexByte("\"\\/<>&'", c) >= 0 {
			return i
		}
	}
	return len(s)
}

// escapedSize is how many bytes of b, the inside of a JSON string, say text; 0 if b says something else.
func escapedSize(b []byte, text string) int {
	size := 0
	for len(text) > 0 {
		r, n := unescape(b[size:])
		switch {
		case n == 0:
			return 0
		case n == 1:
			if b[size] != text[0] {
				return 0
			}
			text = text[1:]
		default:
			c, w := utf8.DecodeRuneInString(text)
			if c != r || w == 1 && c == utf8.RuneError {
				return 0
			}
			text = text[w:]
		}
		size += n
	}
	return size
}

// unescape reads one byte or one escape off the inside of a JSON string: n bytes, which are r if they are more than one.
// n is 0 at the string's end.
func unescape(b []byte) (r rune, n int) {
	if len(b) == 0 || b[0] == '"' {
		return 0, 0
	}
	if b[0] != '\\' {
		return 0, 1
	}
	if len(b) < 2 {
		return 0, 0
	}
	if b[1] == 'u' {
		return unescapeUnit(b)
	}
	if i := strings.IndexByte(`"\/bfnrt`, b[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	return 0, 0
}

func unescapeUnit(b []byte) (r rune, n int) {
	r, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(b[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 reads \uXXXX.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

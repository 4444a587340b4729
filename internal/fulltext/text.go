package fulltext

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"weir/internal/span"
)

// The text of content is what a person reads: JSON with the escapes of its strings decoded. Escapes of the form \u6771
// are decoded however deep they lie, since arguments of tools are JSON within JSON; other escapes only once.

// text makes text of content, with buffers that are used again.
type text struct {
	buf, escaped, raw []byte
	kept              []byte // of which the rest is free
}

// keptLen is how many bytes of texts that are kept, all until they are written, are allocated at once.
const keptLen = 32 << 10

// keep is a copy of a text.
func (t *text) keep(b []byte) []byte {
	if len(b) > keptLen/4 {
		return append(make([]byte, 0, len(b)), b...)
	}
	if cap(t.kept)-len(t.kept) < len(b) {
		t.kept = make([]byte, 0, keptLen)
	}
	n := len(t.kept)
	t.kept = append(t.kept, b...)
	return t.kept[n:len(t.kept):len(t.kept)]
}

// of is the folded text of a blob, valid until the next call.
func (t *text) of(content []byte, skeleton bool) []byte {
	if skeleton {
		content = withoutLength(content)
	}
	t.buf = t.append(t.buf[:0], content)
	return t.buf
}

// append appends the folded text of content, JSON or not.
func (t *text) append(dst, content []byte) []byte {
	if isJSON(content) && bytes.IndexByte(content, '\\') >= 0 {
		t.escaped = appendUnescaped(t.escaped[:0], content)
		content = t.escaped
	}
	return appendPlain(dst, content)
}

// appendPlain appends the folded form of text as a person types it.
func appendPlain(dst, text []byte) []byte {
	if at := bytes.Index(text, []byte(`\u`)); at >= 0 {
		text = decodeDeep(text)
	}
	return appendFold(dst, text)
}

// needleOf is the folded form of what a person types.
func needleOf(s string) []byte { return appendPlain(nil, []byte(s)) }

// withoutLength skips what precedes the head of a skeleton; see ingest's cut.
func withoutLength(b []byte) []byte {
	_, n := binary.Uvarint(b)
	return b[max(n, 0):]
}

func isJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && (b[0] == '{' || b[0] == '[' || b[0] == '"')
}

var simpleEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': ' ', 'f': ' ', 'n': '\n', 'r': '\r', 't': '\t'}

// appendUnescaped decodes the escapes of JSON strings; invalid ones stay as they are.
func appendUnescaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 || i+1 >= len(b) {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		if c := simpleEscapes[b[1]]; c != 0 {
			dst, b = append(dst, c), b[2:]
			continue
		}
		r, n := unicodeEscape(b)
		if n == 0 {
			dst, b = append(dst, '\\'), b[1:]
			continue
		}
		dst, b = utf8.AppendRune(dst, r), b[n:]
	}
}

// unicodeEscape decodes \u0041 at the start of b, a pair of surrogates included; n is 0 where there is none.
func unicodeEscape(b []byte) (r rune, n int) {
	r, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(b[6:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 12
			}
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// decodeDeep decodes the \u escapes that are left, of characters beyond ASCII, with all backslashes before them.
func decodeDeep(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for {
		i := bytes.Index(b, []byte(`\u`))
		if i < 0 {
			return append(out, b...)
		}
		out, b = append(out, b[:i]...), b[i:]
		r, n := deepEscape(b)
		if n == 0 || r < utf8.RuneSelf {
			out, b = append(out, b[:2]...), b[2:]
			continue
		}
		out, b = utf8.AppendRune(bytes.TrimRight(out, `\`), r), b[n:]
	}
}

// deepEscape is unicodeEscape where the second of two surrogates may have more than one backslash.
func deepEscape(b []byte) (r rune, n int) {
	if r, n = unicodeEscape(b); r != utf8.RuneError || n != 6 {
		return r, n
	}
	high, _ := hex4(b)
	more := len(b[6:]) - len(bytes.TrimLeft(b[6:], `\`))
	if more > 1 {
		if low, ok := hex4(b[6+more-1:]); ok {
			if both := utf16.DecodeRune(high, low); both != utf8.RuneError {
				return both, 6 + more - 1 + 6
			}
		}
	}
	return r, n
}

// fieldEnd separates the fields of a record; nobody types it.
const fieldEnd = '\x1f'

// record appends the folded text of what a span itself says, without its input and output.
func (t *text) record(dst []byte, s *span.Span) []byte {
	raw := t.raw[:0]
	for _, v := range []string{
		s.Name, s.TraceName, s.ErrorType, s.ErrorText, s.Group, s.Model, s.Session, s.EndUser, string(s.User), s.Email, s.KeyAlias,
		s.Service, s.Scope, s.Environment, s.Release, s.Client, s.Prompt.Name, s.RequestID, s.Upstream,
	} {
		raw = field(raw, v)
	}
	for _, r := range []span.Ref{s.Input, s.Output} {
		if r.Form == span.FormNone { // else it is a part of a body
			raw = field(raw, r.Preview)
		}
	}
	for _, tag := range s.Tags {
		raw = field(raw, tag)
	}
	for _, v := range [][]byte{[]byte(s.ErrorBody), s.Metadata, s.Attributes} {
		raw = rawField(raw, v)
	}
	for i := range s.Events {
		raw = rawField(field(raw, s.Events[i].Name), s.Events[i].Attributes)
	}
	t.raw = raw
	return appendPlain(dst, raw)
}

func field(dst []byte, v string) []byte {
	if v == "" {
		return dst
	}
	return append(append(dst, v...), fieldEnd)
}

func rawField(dst, raw []byte) []byte {
	if len(raw) <= 2 {
		return dst
	}
	if isJSON(raw) && bytes.IndexByte(raw, '\\') >= 0 {
		return append(appendUnescaped(dst, raw), fieldEnd)
	}
	return append(append(dst, raw...), fieldEnd)
}

// Package jsonx is the one place that chooses a JSON codec. Hot paths decode with sonic where it supports the
// platform; sonic itself falls back to encoding/json elsewhere. Output is plain: no HTML escaping, keys of maps sorted.
package jsonx

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"unicode/utf8"
	"unsafe"

	"github.com/bytedance/sonic"
)

// Raw is undecoded JSON.
type Raw = json.RawMessage

var api = sonic.Config{
	SortMapKeys:          true, // equal values give equal bytes, which hashing relies on
	CompactMarshaler:     true,
	CopyString:           true, // decoded strings must not pin a request body
	ValidateString:       true,
	NoQuoteTextMarshaler: false,
}.Froze()

// Marshal encodes v without HTML escaping.
func Marshal(v any) ([]byte, error) { return api.Marshal(v) }

// MustMarshal encodes a value that cannot fail to encode: one made of strings, numbers, slices and maps of them.
func MustMarshal(v any) []byte {
	b, err := api.Marshal(v)
	if err != nil {
		panic("jsonx: " + err.Error())
	}
	return b
}

// View is data as a string that shares its memory, for reading a large body without a copy: data must not change as long
// as the string, or any part of it, is in use.
func View(data []byte) string { return unsafe.String(unsafe.SliceData(data), len(data)) }

// Unmarshal decodes data into v.
func Unmarshal(data []byte, v any) error { return api.Unmarshal(data, v) }

// Valid reports whether data is one well-formed JSON value in valid UTF-8. The fast checker lets any escape pass, and
// control characters in strings: a body that has any of those is given to the strict one; compact bodies have none.
func Valid(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	if hasControl(data) {
		return json.Valid(data)
	}
	return sonic.Valid(data) && escapesHold(data)
}

// escapesHold checks what follows each backslash of strings that end where they should.
func escapesHold(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return true
		}
		if b = b[i+1:]; len(b) == 0 {
			return false
		}
		switch b[0] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			b = b[1:]
		case 'u':
			if len(b) < 5 || !isHex(b[1]) || !isHex(b[2]) || !isHex(b[3]) || !isHex(b[4]) {
				return false
			}
			b = b[5:]
		default:
			return false
		}
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// hasControl looks for a byte below 0x20, eight at a time: this runs over every body.
func hasControl(b []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); (x-0x20*ones)&^x&tops != 0 {
			return true
		}
	}
	for _, c := range b {
		if c < 0x20 {
			return true
		}
	}
	return false
}

// Compact returns data without insignificant space, or data itself if it is not JSON.
func Compact(data []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return append(dst, MustMarshal(s)...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

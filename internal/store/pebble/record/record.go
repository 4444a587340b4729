// Package record is the form in which the embedded truth keeps a span: fields by number, so that fields can be added and
// older programs pass over those they do not know. What the key of a record tells (project, day, trace and span id) is
// not repeated in it.
package record

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"weir/internal/jsonx"
	"weir/internal/span"
)

// version is the first byte of a record. Those of the first form are JSON and start with a brace.
const (
	version    = 0x01
	legacyJSON = '{'
)

var (
	errDamaged = errors.New("record: damaged")
	errInvalid = errors.New("record: not JSON where JSON is due")
)

// Append appends the record of a span to b; previews that ex tells are left out. It fails for a span that holds something
// else where it says JSON.
func Append(b []byte, s *span.Span, ex Excerpts) ([]byte, error) {
	b, err := appendRaws(append(b, version), s)
	if err != nil {
		return nil, err
	}
	for n, get := range texts {
		if get != nil {
			b = appendText(b, n, *get(s))
		}
	}
	b = appendInt(appendInt(appendInt(b, fieldFirstToken, int64(s.FirstToken)), fieldHTTP, int64(s.HTTP)), fieldMapping, int64(s.Mapping))
	b = appendBool(appendBool(appendBool(b, fieldStream, s.Stream), fieldCacheHit, s.CacheHit), fieldCovered, s.Covered)
	if b, err = appendLists(b, s); err != nil {
		return nil, err
	}
	b = appendCost(appendUsage(b, &s.Usage), &s.Cost)
	b = appendTimes(appendParent(b, s.Parent), s)
	return appendRef(appendRef(b, fieldInput, &s.Input, ex.Input), fieldOutput, &s.Output, ex.Output), nil
}

func appendRaws(b []byte, s *span.Span) (_ []byte, err error) {
	for i, v := range [...]jsonx.Raw{s.Attributes, s.Resource, s.Params, s.Metadata} {
		if b, err = appendRaw(b, fieldAttributes+i, v); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendRaw keeps JSON as it is, or without its space if it goes over lines.
func appendRaw(b []byte, field int, v jsonx.Raw) ([]byte, error) {
	if len(v) == 0 {
		return b, nil
	}
	if !jsonx.Valid(v) {
		return nil, errInvalid
	}
	if bytes.IndexByte(v, '\n') >= 0 {
		v = jsonx.Compact(v)
	}
	return appendPacked(b, field, v), nil
}

// idBytes is the length of the usual id of a span, which in text is twice as many lower-case hex digits.
const idBytes = 8

func appendParent(b []byte, id string) []byte {
	if len(id) == 2*idBytes && lowerHex(id) {
		var raw [idBytes]byte
		_, _ = hex.Decode(raw[:], []byte(id))
		return appendPacked(b, fieldParent, raw[:])
	}
	return appendText(b, fieldParentText, id)
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// appendTimes tells the end by the time it took, unless that is more than a duration can hold.
func appendTimes(b []byte, s *span.Span) []byte {
	b = appendTime(b, fieldStart, s.Start)
	start, end := s.Start.Round(0), s.End.Round(0) // without the reading of a clock that is not kept
	if took := end.Sub(start); !start.IsZero() && start.Add(took).Equal(end) {
		return binary.AppendVarint(tag(b, fieldTook, varint), int64(took))
	}
	return appendTime(b, fieldEnd, end)
}

// sharing bounds records whose spans use their memory: a text that outlives its span must not keep something large.
const sharing = 4 << 10

// Shares reports whether the span that Decode reads from v uses v as its memory.
func Shares(v []byte) bool { return len(v) > 0 && v[0] == version && len(v) <= sharing }

// Decode reads a record into s, whose Project, Day, Trace and ID are those of the record's key, and the rest zero. If
// Shares says so, nobody may change v as long as the span is in use. Previews that were left out are where ex says.
func Decode(v []byte, s *span.Span) (ex Excerpts, err error) {
	if len(v) == 0 {
		return ex, errDamaged
	}
	switch v[0] {
	case legacyJSON:
		return ex, jsonx.Unmarshal(v, s)
	case version:
	default:
		return ex, fmt.Errorf("record: version %d is not known", v[0])
	}
	r := reader{b: v[1:], own: !Shares(v)}
	for n, i, p, ok := r.next(); ok; n, i, p, ok = r.next() {
		r.field(s, &ex, n, i, p)
	}
	if r.bad {
		return ex, errDamaged
	}
	return ex, nil
}

package pebble

import (
	"encoding/binary"
	"errors"

	"weir/internal/fulltext"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Keys start with one letter, then the project, then (where data belongs to a trace) the home day, big-endian, so that
// a day is one range. Strings are preceded by their length, which keeps "a"+"bc" apart from "ab"+"c".
const (
	prefixBlob   = 'b' // project, day, hash → place
	prefixCharge = 'c' // project, call → nothing: this call has been charged
	prefixData   = 'd' // project, day, era, place → bytes of a blob
	prefixKV     = 'k' // caller's key → expiry in unix seconds (8 bytes), value
	prefixLedger = 'l' // sequence → LedgerEntry
	prefixFirst  = 'f' // not a key: stands for prefixSpan in the queue, where there was no earlier version of the span
	prefixMeta   = 'm' // name
	prefixNode   = 'n' // project, day, node → parent, body
	prefixQueue  = 'q' // sequence → key of a span
	prefixSpan   = 's' // project, day, trace, span → Span
	prefixText   = 'x' // project, day, key of the text index → value
	prefixTrace  = 't' // project, trace → home day (4 bytes)
	prefixUsage  = 'u' // project, day, trace, span → nothing: a child of the span reports its usage too
)

// Highest numbers ever given out: of queue positions, since the queue may be trimmed to nothing, and of places.
var (
	metaSeq   = []byte("mseq")
	metaPlace = []byte("mplace")
)

// A place is where a blob's bytes are: session (4 bytes of a hash) and a number that grows. Bytes keyed by their hash
// would lie scattered; so what a session repeats in another form (an answer and its replay, a message with and without
// a cache mark) shares a block and compresses away, and a conversation is read from few blocks. The key begins with the
// era (fulltext.Place): were it the session, each merge would write the bodies of the whole day again.
const placeSize = 4 + 8

func (s *Store) newPlace(sp *span.Span) []byte {
	b := append(make([]byte, 0, placeSize), sessionPlace(sp.Session)...)
	return binary.BigEndian.AppendUint64(b, s.place.Add(1))
}

// sessionPlace starts the places of a session.
func sessionPlace(session string) []byte {
	if session == "" {
		return make([]byte, 4)
	}
	h := span.HashOf([]byte(session))
	return h[:4]
}

func placeKey(p tenant.ProjectID, d span.Day, place []byte) []byte {
	k := dayKey(prefixData, p, d, 4+placeSize)
	if len(place) != placeSize { // damaged: there is nothing
		return append(k, place...)
	}
	return placeOf(place).AppendKey(k)
}

func placeOf(b []byte) fulltext.Place {
	return fulltext.Place{Session: binary.BigEndian.Uint32(b), N: binary.BigEndian.Uint64(b[4:])}
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// dayKey starts every key that belongs to a project's day; its range ends at the key of the next day.
func dayKey(prefix byte, p tenant.ProjectID, d span.Day, room int) []byte {
	b := make([]byte, 0, 1+2+len(p)+4+room)
	b = append(b, prefix)
	b = appendString(b, string(p))
	return binary.BigEndian.AppendUint32(b, uint32(d))
}

func traceKey(p tenant.ProjectID, trace string) []byte {
	b := append(make([]byte, 0, 5+len(p)+len(trace)), prefixTrace)
	return appendString(appendString(b, string(p)), trace)
}

func chargeKey(p tenant.ProjectID, call string) []byte {
	b := append(make([]byte, 0, 5+len(p)+len(call)), prefixCharge)
	return appendString(appendString(b, string(p)), call)
}

func spansOf(p tenant.ProjectID, d span.Day, trace string) []byte {
	return appendString(dayKey(prefixSpan, p, d, len(trace)+24), trace)
}

func spanKey(p tenant.ProjectID, d span.Day, trace, id string) []byte {
	return appendString(spansOf(p, d, trace), id)
}

func hashKey(prefix byte, p tenant.ProjectID, d span.Day, h span.Hash) []byte {
	return append(dayKey(prefix, p, d, len(h)), h[:]...)
}

func seqKey(prefix byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, seq)
}

func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

// traceOf reads the trace id out of a span key whose first n bytes are its dayKey.
func traceOf(key []byte, n int) string {
	size, w := binary.Uvarint(key[n:])
	return string(key[n+w : n+w+int(size)])
}

// readSpanKey fills in what the key of a span tells. Its texts are parts of the key.
func readSpanKey(key []byte, sp *span.Span) error {
	rest := key[1:]
	project := cutString(&rest)
	if len(rest) < 4 {
		return errKey
	}
	sp.Project, sp.Day = tenant.ProjectID(project), span.Day(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	sp.Trace, sp.ID = cutString(&rest), cutString(&rest)
	if sp.ID == "" || len(rest) > 0 {
		return errKey
	}
	return nil
}

var errKey = errors.New("pebble: this is not the key of a span")

// cutString takes what appendString put at the start of b; what is damaged is empty.
func cutString(b *[]byte) string {
	n, w := binary.Uvarint(*b)
	if w <= 0 || n > uint64(len(*b)-w) {
		*b = nil
		return ""
	}
	s := jsonx.View((*b)[w : w+int(n)])
	*b = (*b)[w+int(n):]
	return s
}

// after is the smallest key above all that start with k.
func after(k []byte) []byte {
	end := append([]byte(nil), k...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

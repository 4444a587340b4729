package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// A body whose top level has a "messages" array is cut into the raw bytes between that array's commas, and a skeleton
// of everything else. Nothing is decoded and white space stays where it is, so joining gives back every byte.

// maxSegments is more than any conversation has. Each segment costs several keys of the store: a body made of millions
// of tiny messages is kept as one blob instead.
const maxSegments = 20_000

// cut returns false for anything that is not such a body; it never fails otherwise. The results share memory with
// body.
func cut(body []byte) (head, tail []byte, segments [][]byte, ok bool) {
	open, ok := findMessages(body)
	if !ok {
		return nil, nil, nil, false
	}
	if tail, segments, ok = cutRest(body, open+1, nil); !ok {
		return nil, nil, nil, false
	}
	return body[:open+1], tail, segments, true
}

// cutRest appends the segments from a place on at which one begins.
func cutRest(body []byte, from int, segments [][]byte) (tail []byte, all [][]byte, ok bool) {
	for i := from; i < len(body); {
		switch body[i] {
		case ',':
			if segments = append(segments, body[from:i]); len(segments) >= maxSegments {
				return nil, nil, false
			}
			i++
			from = i
		case ']':
			last := body[from:i]
			if len(segments) == 0 && len(bytes.TrimSpace(last)) == 0 {
				return nil, nil, false // no messages
			}
			return body[i:], append(segments, last), true
		case '"', '{', '[':
			if i = skipValue(body, i); i < 0 {
				return nil, nil, false
			}
		default:
			i++
		}
	}
	return nil, nil, false
}

// findMessages returns the offset of the '[' of the first top-level "messages".
func findMessages(b []byte) (int, bool) {
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return 0, false
	}
	for i = space(b, i+1); i < len(b) && b[i] == '"'; i = space(b, i+1) {
		end := skipString(b, i)
		if end < 0 {
			return 0, false
		}
		key := b[i+1 : end-1]
		if i = space(b, end); i >= len(b) || b[i] != ':' {
			return 0, false
		}
		if i = space(b, i+1); i >= len(b) {
			return 0, false
		}
		if string(key) == "messages" {
			return i, b[i] == '['
		}
		if i = skipValue(b, i); i < 0 {
			return 0, false
		}
		if i = space(b, i); i >= len(b) || b[i] != ',' {
			return 0, false
		}
	}
	return 0, false
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the offset after the string that starts at i, or -1.
func skipString(b []byte, i int) int {
	for i++; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n + 1
		slashes := 0
		for j := i - 2; j >= 0 && b[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return -1
}

// skipValue returns the offset after the value that starts at i, or -1. Brackets are counted, not matched: the body
// has been validated, and a cut that goes wrong is still joined right.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i // end of the parent: a scalar stood here
			}
			i++
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// skeletonOf packs head and tail into one blob: the length of head comes first.
func skeletonOf(head, tail []byte) []byte {
	b := make([]byte, 0, binary.MaxVarintLen64+len(head)+len(tail))
	b = binary.AppendUvarint(b, uint64(len(head)))
	return append(append(b, head...), tail...)
}

// frameOf is a skeleton as JSON: the body without its messages.
func frameOf(skeleton []byte) []byte {
	_, w := binary.Uvarint(skeleton)
	return skeleton[max(w, 0):]
}

var errSkeleton = errors.New("ingest: damaged skeleton")

// join is the inverse of cut and skeletonOf.
func join(skeleton []byte, segments [][]byte) ([]byte, error) {
	n, w := binary.Uvarint(skeleton)
	if w <= 0 || n > uint64(len(skeleton)-w) {
		return nil, errSkeleton
	}
	head, tail := skeleton[w:w+int(n)], skeleton[w+int(n):]
	size := len(skeleton)
	for _, s := range segments {
		size += len(s) + 1
	}
	out := append(make([]byte, 0, size), head...)
	for i, s := range segments {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, s...)
	}
	return append(out, tail...), nil
}

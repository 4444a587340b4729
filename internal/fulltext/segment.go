package fulltext

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// What is indexed at one time of one project's day is a segment: its spans in order of receipt, and blocks of text. A
// block lists its documents; the text of records is in the block, that of bodies is read from where they are stored. The
// filters of many segments are joined into a set, bit by bit: row r holds, for each block of the set, whether its text
// has an n-gram of that row, or for each cell, whether it has a seam. A search reads the rows of its own n-grams and seams only.
//
// Keys within the day: kind, number of the segment (or of the set), number of the part.
const (
	kindHeader byte = iota // → header
	kindFilter             // set, chunk of rows → bits
	kindBlock              // segment, block → documents
	kindSpans              // segment, chunk → ids
	kindSeen               // part of a span, chunk of numbers of places → bits: this blob is indexed
	kindSeams              // set, chunk of rows → bits
)

// version changes with the layout and with the rules that make text and n-grams.
const version = 3

// blockLen is how much text shares a filter column; more makes the index smaller and lets more blocks pass.
// Records are much alike, so that more of them say no more.
const (
	blockLen   = 192 << 10
	recordsLen = 2 * blockLen
)

// home is a project's day.
type home struct {
	project tenant.ProjectID
	day     span.Day
}

func (h home) value(k, v []byte) Value { return Value{h.project, h.day, k, v} }

func key(kind byte, n uint64, part int) []byte {
	b := binary.BigEndian.AppendUint64([]byte{kind}, n)
	return binary.BigEndian.AppendUint32(b, uint32(part))
}

// header describes a segment. Its blocks are the columns of its set from col on, and their cells those from cell on.
type header struct {
	id                  uint64
	set                 uint64
	col, cols           int // cols are those of the whole set; both are multiples of 8
	cell, cells         int // likewise, of the filter of seams
	blocks, spans, size int
	perBlock            []byte // uvarints: cells of each block
}

// setOf numbers a set by its first segment and by how many it has, so that no number ever means another set.
func setOf(first uint64, segments int) uint64 { return uint64(segments)<<40 | first }

func segmentsOf(set uint64) int { return int(set >> 40) }

func (h header) value(at home) Value {
	var v []byte
	for _, n := range []uint64{h.set, uint64(h.col), uint64(h.cols), uint64(h.cell), uint64(h.cells), uint64(h.blocks), uint64(h.spans), uint64(h.size)} {
		v = binary.AppendUvarint(v, n)
	}
	return at.value(key(kindHeader, h.id, 0), append(v, h.perBlock...))
}

var errDamaged = fault.New(fault.Internal, "the text index is damaged")

func readHeader(k, v []byte) (header, error) {
	r := reader{b: v}
	h := header{set: r.uvarint(), col: r.int(), cols: r.int(), cell: r.int(), cells: r.int(), blocks: r.int(), spans: r.int(), size: r.int()}
	if len(k) != 13 || r.bad || h.cols%8 != 0 || h.cells%8 != 0 || h.col+h.blocks > h.cols {
		return h, errDamaged
	}
	h.id, h.perBlock = binary.BigEndian.Uint64(k[1:]), slices.Clone(r.b)
	last := h.cell
	for range h.blocks {
		last += r.int()
	}
	if r.bad || last > h.cells {
		return h, errDamaged
	}
	return h, nil
}

// cellsOfBlocks is how many cells each block has.
func (h header) cellsOfBlocks() []int {
	r, out := reader{b: h.perBlock}, make([]int, h.blocks)
	for i := range out {
		out[i] = r.int()
	}
	return out
}

// reader takes numbers off a value; bad is set once something is missing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[w:]
	return n
}

// int is a number no larger than any value can mean.
func (r *reader) int() int {
	n := r.uvarint()
	if n > 1<<40 {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// docKind is which part of a span a text is.
type docKind uint8

const (
	recordDoc docKind = iota
	inputDoc
	outputDoc
)

// doc is a text and the span that brought it in.
type doc struct {
	span     int // in the segment
	kind     docKind
	skeleton bool
	place    Place
	text     []byte // folded; nil for a body read from a block
	length   int    // of text
}

// Kinds of blocks. From those that were written anew documents have gone, so that one may lie in another cell than a search
// thinks that read the filter before.
const (
	recordsBlock, bodiesBlock         = 'r', 'b'
	recordsRewritten, bodiesRewritten = 'R', 'B'
)

// blockOf encodes a block of documents that are all records or all bodies.
func blockOf(docs []doc, rewritten bool) []byte {
	b := binary.AppendUvarint(nil, uint64(len(docs)))
	records := len(docs) > 0 && docs[0].kind == recordDoc
	switch {
	case records && rewritten:
		return recordBlock(append([]byte{recordsRewritten}, b...), docs)
	case records:
		return recordBlock(append([]byte{recordsBlock}, b...), docs)
	case rewritten:
		return bodyBlock(append([]byte{bodiesRewritten}, b...), docs)
	}
	return bodyBlock(append([]byte{bodiesBlock}, b...), docs)
}

// isRewritten tells it of an encoded block.
func isRewritten(v []byte) bool {
	return len(v) > 0 && (v[0] == recordsRewritten || v[0] == bodiesRewritten)
}

func recordBlock(b []byte, docs []doc) []byte {
	last, size := 0, 0
	for _, d := range docs {
		b = binary.AppendVarint(b, int64(d.span-last))
		b = binary.AppendUvarint(b, uint64(len(d.text)))
		last, size = d.span, size+len(d.text)
	}
	all := make([]byte, 0, size)
	for _, d := range docs {
		all = append(all, d.text...)
	}
	return packer().EncodeAll(all, b)
}

const flagSkeleton, flagSession = 4, 8

func bodyBlock(b []byte, docs []doc) []byte {
	var last doc
	for i, d := range docs {
		flags := byte(d.kind)
		if d.skeleton {
			flags |= flagSkeleton
		}
		if i == 0 || d.place.Session != last.place.Session {
			flags |= flagSession
		}
		b = binary.AppendVarint(append(b, flags), int64(d.span-last.span))
		b = binary.AppendUvarint(b, uint64(d.length))
		if flags&flagSession != 0 {
			b = binary.BigEndian.AppendUint32(b, d.place.Session)
		}
		b = binary.AppendVarint(b, int64(d.place.N-last.place.N))
		last = d
	}
	return b
}

// isRecords tells it of an encoded block.
func isRecords(v []byte) bool {
	return len(v) > 0 && (v[0] == recordsBlock || v[0] == recordsRewritten)
}

// readBlock decodes a block. The texts of records lie one after the other in buf, which grows to hold them.
func readBlock(v []byte, buf *[]byte) (docs []doc, err error) {
	if len(v) == 0 {
		return nil, errDamaged
	}
	r := reader{b: v[1:]}
	n := r.int()
	if n > len(v) {
		return nil, errDamaged
	}
	docs = make([]doc, n)
	switch v[0] {
	case recordsBlock, recordsRewritten:
		readRecords(&r, docs, buf)
	case bodiesBlock, bodiesRewritten:
		readBodies(&r, docs)
	default:
		r.bad = true
	}
	if r.bad {
		return nil, errDamaged
	}
	return docs, nil
}

func readRecords(r *reader, docs []doc, buf *[]byte) {
	last := 0
	for i := range docs {
		last += int(r.varint())
		docs[i] = doc{span: last, length: r.int()}
	}
	all, err := unpacker().DecodeAll(r.b, (*buf)[:0])
	*buf = all
	texts := reader{b: all, bad: err != nil}
	for i := range docs {
		docs[i].text = texts.bytes(docs[i].length)
	}
	r.bad = r.bad || texts.bad
}

func readBodies(r *reader, docs []doc) {
	var last doc
	for i := range docs {
		f := r.bytes(1)
		if r.bad {
			return
		}
		d := doc{kind: docKind(f[0] & 3), skeleton: f[0]&flagSkeleton != 0, place: Place{Session: last.place.Session}}
		d.span = last.span + int(r.varint())
		d.length = r.int()
		if f[0]&flagSession != 0 {
			if s := r.bytes(4); s != nil {
				d.place.Session = binary.BigEndian.Uint32(s)
			}
		}
		d.place.N = last.place.N + uint64(r.varint())
		docs[i], last = d, d
	}
}

// name identifies a span within its day.
type name struct{ trace, span string }

// namesPerChunk bounds what is read to name one span.
const namesPerChunk = 256

// namesOf encodes a chunk of ids. Hex digits, which ids are, take half a byte; a trace is written once in a row.
func namesOf(names []name) []byte {
	var b []byte
	last := ""
	for i, n := range names {
		if i > 0 && n.trace == last {
			b = append(b, 0)
		} else {
			b = appendID(append(b, 1), n.trace)
		}
		b = appendID(b, n.span)
		last = n.trace
	}
	return b
}

func appendID(b []byte, id string) []byte {
	if raw, err := hex.DecodeString(id); err == nil && hex.EncodeToString(raw) == id {
		b = binary.AppendUvarint(b, uint64(len(raw))<<1|1)
		return append(b, raw...)
	}
	b = binary.AppendUvarint(b, uint64(len(id))<<1)
	return append(b, id...)
}

func readNames(v []byte) (names []name, err error) {
	r := reader{b: v}
	last := ""
	for len(r.b) > 0 {
		if f := r.bytes(1); f[0] != 0 {
			last = r.id()
		}
		names = append(names, name{last, r.id()})
	}
	if r.bad {
		return nil, errDamaged
	}
	return names, nil
}

func (r *reader) id() string {
	n := r.int()
	b := r.bytes(n >> 1)
	if n&1 == 0 {
		return string(b)
	}
	return hex.EncodeToString(b)
}

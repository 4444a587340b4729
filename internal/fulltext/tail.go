package fulltext

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sync/errgroup"

	"weir/internal/span"
)

// tail holds what is indexed but not written yet, by day. Documents are only ever added, so that a search can look at
// what was there when it began.
type tail struct {
	days map[home]*pending
	size int // bytes of text
}

// pending is a segment in the making.
type pending struct {
	names []name
	docs  []doc
	size  int
}

func newTail() *tail { return &tail{days: map[home]*pending{}} }

// entryCost is about what a span and its documents take in memory beside their text.
const entryCost = 256

// add takes a span and its documents.
func (t *tail) add(s *span.Span, docs []doc) {
	at := home{s.Project, s.Day}
	p := t.days[at]
	if p == nil {
		p = &pending{}
		t.days[at] = p
	}
	size := entryCost
	for _, d := range docs {
		d.span, d.length = len(p.names), len(d.text)
		p.docs = append(p.docs, d)
		size += d.length
	}
	p.names = append(p.names, name{s.Trace, s.ID})
	p.size += size
	t.size += size
}

// view is a copy that later additions leave alone.
func (p *pending) view() *pending { return &pending{p.names, p.docs, p.size} }

// without is the segment less some traces, and the documents that were left out.
func (p *pending) without(traces map[string]bool) (rest *pending, gone []doc) {
	rest = &pending{}
	at := make([]int, len(p.names))
	for i, n := range p.names {
		if at[i] = -1; !traces[n.trace] {
			at[i] = len(rest.names)
			rest.names = append(rest.names, n)
			rest.size += entryCost
		}
	}
	for _, d := range p.docs {
		if at[d.span] < 0 {
			gone = append(gone, d)
			continue
		}
		d.span = at[d.span]
		rest.docs = append(rest.docs, d)
		rest.size += d.length
	}
	return rest, gone
}

// blocks cuts the documents: records as they came, bodies as they lie.
func (p *pending) blocks() (out [][]doc) {
	records := make([]doc, 0, len(p.names))
	bodies := make([]doc, 0, max(len(p.docs)-len(p.names), 0))
	for _, d := range p.docs {
		if d.kind == recordDoc {
			records = append(records, d)
		} else {
			bodies = append(bodies, d)
		}
	}
	slices.SortFunc(bodies, func(a, b doc) int { return a.place.Compare(b.place) })
	return append(cutBlocks(records, recordsLen), cutBlocks(bodies, blockLen)...)
}

func cutBlocks(docs []doc, most int) (out [][]doc) {
	from, size := 0, 0
	for i, d := range docs {
		if size > 0 && size+d.length > most {
			out = append(out, docs[from:i])
			from, size = i, 0
		}
		size += d.length
	}
	if from < len(docs) {
		out = append(out, docs[from:])
	}
	return out
}

// segment encodes what is pending, with so many processors.
func (p *pending) segment(at home, id uint64, hands int) []Value {
	blocks := p.blocks()
	h := header{id: id, set: setOf(id, 1), cols: padded(len(blocks)), blocks: len(blocks), spans: len(p.names), size: p.size}
	found := marksOfAll(blocks, hands)
	for i := range blocks {
		h.cells += len(found[i].cells)
		h.perBlock = binary.AppendUvarint(h.perBlock, uint64(len(found[i].cells)))
	}
	h.cells = padded(h.cells)
	values := []Value{h.value(at)}
	for chunk := range slices.Chunk(p.names, namesPerChunk) {
		values = append(values, at.value(key(kindSpans, id, len(values)-1), namesOf(chunk)))
	}
	for i, docs := range blocks {
		values = append(values, at.value(key(kindBlock, id, i), blockOf(docs, false)))
	}
	f := newFilters(h.cols, h.cells)
	f.fill(found)
	return append(values, f.values(at, h.set)...)
}

func marksOfAll(blocks [][]doc, hands int) []*marks {
	out := make([]*marks, len(blocks))
	if hands == 1 {
		for i, docs := range blocks {
			out[i] = marksOf(docs)
		}
		return out
	}
	var g errgroup.Group
	g.SetLimit(hands)
	for i, docs := range blocks {
		g.Go(func() error {
			out[i] = marksOf(docs)
			return nil
		})
	}
	_ = g.Wait() // there is nothing that fails
	return out
}

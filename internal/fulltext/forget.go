package fulltext

import (
	"context"

	"weir/internal/span"
)

func (s *Service) forget(ctx context.Context, at home, traces []string) error {
	gone := map[string]bool{}
	for _, t := range traces {
		gone[t] = true
	}
	s.note(at, gone)
	s.late.expect(at, gone, s.o.Now())
	if err := s.forgetTail(ctx, at, gone); err != nil {
		return err
	}
	if err := s.flush(ctx); err != nil { // marks of what is in memory must not be stored without it
		return err
	}
	s.walked = walked{}
	headers, err := headersOf(ctx, s.store, at)
	if err != nil {
		return err
	}
	for len(headers) > 0 {
		n := 1
		for n < len(headers) && headers[n].set == headers[0].set {
			n++
		}
		if err := s.rewriteSet(ctx, at, headers[:n], gone); err != nil {
			return err
		}
		headers = headers[n:]
	}
	return nil
}

// note tells a rebuild, which reads a snapshot, what to leave out.
func (s *Service) note(at home, traces map[string]bool) {
	if s.gone == nil {
		return
	}
	all, ok := s.gone[at]
	if ok && all == nil {
		return
	}
	if all == nil {
		all = map[string]bool{}
		s.gone[at] = all
	}
	for t := range traces {
		all[t] = true
	}
}

func (s *Service) forgetTail(ctx context.Context, at home, traces map[string]bool) error {
	p := s.tail.days[at]
	if p == nil {
		return nil
	}
	rest, gone := p.without(traces)
	for _, d := range gone {
		if err := s.unmark(ctx, at, d); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.size += rest.size - p.size
	if s.tail.days[at] = rest; len(rest.names) == 0 {
		delete(s.tail.days, at)
	}
	return nil
}

func (s *Service) unmark(ctx context.Context, at home, d doc) error {
	if d.kind == recordDoc {
		return nil
	}
	return s.seen.clear(ctx, at, d.kind, d.place)
}

// rewriteSet writes the segments of a set anew where they hold texts of traces.
func (s *Service) rewriteSet(ctx context.Context, at home, segments []header, traces map[string]bool) error {
	var values []Value
	var f *filters
	for _, h := range segments {
		names, changed, err := s.without(ctx, at, h, traces)
		if err != nil {
			return err
		}
		if len(changed) == 0 {
			continue
		}
		values = append(values, changed...)
		if f == nil {
			if f, err = loadFilters(ctx, s.store, at, h); err != nil {
				return err
			}
		}
		blocks, err := s.rewriteBlocks(ctx, at, h, names, f)
		if err != nil {
			return err
		}
		values = append(values, blocks...)
	}
	if len(values) == 0 {
		return nil
	}
	values = append(append(values, f.values(at, segments[0].set)...), s.seen.values()...)
	if err := s.store.WriteTexts(ctx, values, nil); err != nil {
		s.rewind()
		return err
	}
	s.seen.written()
	return nil
}

// without blanks the names of traces; names are all of the segment, and changed the chunks to be written.
func (s *Service) without(ctx context.Context, at home, h header, traces map[string]bool) (names []name, changed []Value, err error) {
	names, err = namesIn(ctx, s.store, at, h)
	if err != nil {
		return nil, nil, err
	}
	for i := 0; i < len(names); i += namesPerChunk {
		chunk := names[i:min(i+namesPerChunk, len(names))]
		hit := false
		for j := range chunk {
			if traces[chunk[j].trace] {
				chunk[j], hit = name{}, true
			}
		}
		if hit {
			changed = append(changed, at.value(key(kindSpans, h.id, i/namesPerChunk), namesOf(chunk)))
		}
	}
	return names, changed, nil
}

// rewriteBlocks leaves out the documents of blank names.
func (s *Service) rewriteBlocks(ctx context.Context, at home, h header, names []name, f *filters) (values []Value, err error) {
	cell := h.cell
	for b, cells := range h.cellsOfBlocks() {
		first := cell
		cell += cells
		docs, err := loadBlock(ctx, s.store, at, h, b)
		if err != nil {
			return nil, err
		}
		keep := make([]doc, 0, len(docs))
		for _, d := range docs {
			if d.span < len(names) && names[d.span] != (name{}) {
				keep = append(keep, d)
			} else if err := s.unmark(ctx, at, d); err != nil {
				return nil, err
			}
		}
		if len(keep) == len(docs) {
			continue
		}
		m, err := s.marksOf(ctx, at, keep)
		if err != nil {
			return nil, err
		}
		f.put(h.col+b, first, cells, m)
		values = append(values, at.value(key(kindBlock, h.id, b), blockOf(keep, true)))
	}
	return values, nil
}

// marksOf reads the texts that a block does not hold itself.
func (s *Service) marksOf(ctx context.Context, at home, docs []doc) (*marks, error) {
	if len(docs) == 0 || docs[0].kind == recordDoc {
		return marksOf(docs), nil
	}
	m := newMarks(docs)
	err := s.store.Contents(ctx, at.project, at.day, placesOf(docs), func(i int, b []byte) bool {
		t := s.made.of(b, docs[i].skeleton)
		m.add(i, t[:min(len(t), docs[i].length)])
		return true
	})
	return m, err
}

func placesOf(docs []doc) []Place {
	out := make([]Place, len(docs))
	for i, d := range docs {
		out[i] = d.place
	}
	return out
}

func (s *Service) learn(ctx context.Context, spans []*span.Span) error {
	for _, sp := range spans {
		docs, err := s.bodies(ctx, sp)
		if err == nil {
			docs, err = s.textsOf(ctx, &s.made, home{sp.Project, sp.Day}, docs)
		}
		if err != nil {
			s.rewind()
			return err
		}
		if len(docs) > 0 {
			s.add(sp, docs)
		}
	}
	return s.flush(ctx) // the queue does not have them
}

func (s *Service) dropDay(ctx context.Context, at home, drop func() error) error {
	if err := drop(); err != nil {
		return err
	}
	if s.gone != nil {
		s.gone[at] = nil
	}
	s.mu.Lock()
	if p := s.tail.days[at]; p != nil {
		s.tail.size -= p.size
		delete(s.tail.days, at)
	}
	s.mu.Unlock()
	s.seen.drop(at)
	s.walked = walked{}
	return s.store.DropTexts(ctx, at.project, at.day)
}

// joinAt is how many sets of about the same size are joined into one, and joinedCols the size beyond which a set stays as
// it is. What is large is written twice then: each time costs as much as making it.
const (
	joinAt     = 12
	joinedCols = 512
)

// level is the power of joinAt that a size is of.
func level(cols int) (n int) {
	for ; cols >= 8*joinAt; cols /= joinAt {
		n++
	}
	return n
}

// join turns small sets of a day into larger ones, of which a search reads the less the more blocks they have.
func (s *Service) join(ctx context.Context, at home) error {
	for {
		headers, err := headersOf(ctx, s.store, at)
		if err != nil {
			return err
		}
		from, sets, cols := len(headers), 0, 0
		for i := len(headers) - 1; i >= 0; i-- {
			h := headers[i]
			if i < len(headers)-1 && h.set == headers[i+1].set {
				from = i
				continue
			}
			if h.cols >= joinedCols || sets > 0 && level(h.cols) > level(headers[i+1].cols) || sets == 2*joinAt {
				break
			}
			from, sets, cols = i, sets+1, cols+h.cols
		}
		if sets < joinAt {
			return nil
		}
		values, err := joined(ctx, s.store, at, headers[from:], cols)
		if err == nil {
			err = s.store.WriteTexts(ctx, values, nil)
		}
		if err != nil {
			return err
		}
	}
}

// joined are the changes that give segments one set of cols columns.
func joined(ctx context.Context, store Store, at home, segments []header, cols int) (values []Value, err error) {
	cells := 0
	for i, h := range segments {
		if i == 0 || h.set != segments[i-1].set {
			cells += h.cells
		}
	}
	whole, set := newFilters(cols, cells), setOf(segments[0].id, len(segments))
	var to, next header // where the columns of a set go, and those of the one behind it
	for i, h := range segments {
		if i == 0 || h.set != segments[i-1].set {
			part, err := loadFilters(ctx, store, at, h)
			if err != nil {
				return nil, err
			}
			to = next
			whole.grams.insert(to.col, part.grams)
			whole.seams.insert(to.cell, part.seams)
			next.col, next.cell = to.col+h.cols, to.cell+h.cells
			values = append(append(values, gramShape.removed(at, h.set, h.cols)...), seamShape.removed(at, h.set, h.cells)...)
		}
		h.set, h.col, h.cols = set, to.col+h.col, cols
		h.cell, h.cells = to.cell+h.cell, cells
		values = append(values, h.value(at))
	}
	return append(values, whole.values(at, set)...), nil
}

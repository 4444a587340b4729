package fulltext

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// candidate is a block that may hold a needle, and which of its cells may hold the start of it.
type candidate struct {
	block   int
	seams   columns // of the set; nil if all are to be searched
	cell, n int     // the block's columns
}

// load is how many cells are to be searched.
func (c *candidate) load() (n int) {
	if c.seams == nil {
		return blockLen / cellLen
	}
	for i := range c.n {
		if c.seams.has(c.cell + i) {
			n++
		}
	}
	return n
}

// runs calls f with those of a block's documents, in order, that reach into cells that may hold the needle.
func (c *candidate) runs(docs []doc, f func(docs []doc)) {
	if c.seams == nil {
		f(docs)
		return
	}
	from, starts := -1, layout(docs)
	for i := range docs {
		if !c.reaches(starts[i], starts[i]+docs[i].length) {
			if from >= 0 {
				f(docs[from:i])
			}
			from = -1
		} else if from < 0 {
			from = i
		}
	}
	if from >= 0 {
		f(docs[from:])
	}
}

// reaches reports whether a document is in a cell that is to be searched.
func (c *candidate) reaches(from, to int) bool {
	for cell := from / cellLen; cell < c.n && cell*cellLen < to; cell++ {
		if c.seams.has(c.cell + cell) {
			return true
		}
	}
	return false
}

// part is a segment with the blocks that may hold a needle.
type part struct {
	header
	candidates []candidate
}

func blocksOf(parts []part) (n int) {
	for _, p := range parts {
		n += len(p.candidates)
	}
	return n
}

// setsOf cuts segments into those of one set each.
func setsOf(headers []header) (out [][]header) {
	from := 0
	for i := range headers {
		if i+1 == len(headers) || headers[i+1].set != headers[i].set {
			out = append(out, headers[from:i+1])
			from = i + 1
		}
	}
	return out
}

// parts looks a needle up in the filters of some sets.
func (r *run) parts(ctx context.Context, sets [][]header, n *needle) ([]part, error) {
	found := make([][]part, len(sets))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers)
	for i, set := range sets {
		g.Go(func() (err error) {
			found[i], err = r.partsOf(ctx, set, n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func (r *run) partsOf(ctx context.Context, set []header, n *needle) (out []part, err error) {
	first := set[0]
	blocks := make(columns, first.cols/8)
	for _, h := range set {
		for b := range h.blocks {
			blocks.set(h.col + b)
		}
	}
	if err := gramShape.pass(ctx, r.s.store, r.at, first.set, n.rows, blocks); err != nil {
		return nil, err
	}
	var cells columns
	if len(n.seams) > 0 {
		cells = make(columns, first.cells/8)
	}
	for _, h := range set {
		if p := candidatesIn(h, blocks, cells); len(p.candidates) > 0 {
			out = append(out, p)
		}
	}
	if cells == nil || len(out) == 0 {
		return out, nil
	}
	if err := seamShape.pass(ctx, r.s.store, r.at, first.set, n.seams, cells); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].candidates = slices.DeleteFunc(out[i].candidates, func(c candidate) bool { return c.load() == 0 })
	}
	return slices.DeleteFunc(out, func(p part) bool { return len(p.candidates) == 0 }), nil
}

// candidatesIn are the blocks of a segment that are among some. It adds their cells, unless these are nil.
func candidatesIn(h header, blocks, cells columns) part {
	p, cell := part{header: h}, h.cell
	for b, n := range h.cellsOfBlocks() {
		c := candidate{block: b, cell: cell, n: n}
		if cell += n; !blocks.has(h.col + b) {
			continue
		}
		if n > 0 && cells != nil {
			c.seams = cells
			for i := range n {
				cells.set(c.cell + i)
			}
		}
		p.candidates = append(p.candidates, c)
	}
	return p
}

package fulltext

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"
)

// hit is a document that holds a needle.
type hit struct {
	doc
	name name
}

// task is what one worker reads at a time: about a block, of one segment.
type task struct {
	h          header
	candidates []candidate
	wanted     func(doc) bool
	found      []doc
}

// tasksOf cuts the candidates of a segment.
func tasksOf(p part, wanted func(doc) bool) (out []*task) {
	from, load := 0, 0
	for i := range p.candidates {
		if load += p.candidates[i].load(); load >= blockLen/cellLen || i+1 == len(p.candidates) {
			out = append(out, &task{h: p.header, candidates: p.candidates[from : i+1], wanted: wanted})
			from, load = i+1, 0
		}
	}
	return out
}

// window searches a few segments at once and passes on what they have in order.
func (r *run) window(ctx context.Context, n *needle, parts []part, within, near *vicinity) error {
	tasks := make([][]*task, len(parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers)
	for i, p := range parts {
		var names []name
		if within != nil {
			var err error
			if names, err = namesIn(ctx, r.s.store, r.at, p.header); err != nil {
				return err
			}
		}
		tasks[i] = tasksOf(p, func(d doc) bool { return n.wants(d.kind) && within.allows(&d, names) })
		for _, t := range tasks[i] {
			g.Go(func() error { return r.scan(gctx, n, t) })
		}
	}
	late := g.Wait()
	if late != nil {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return late
		}
		var cancel context.CancelFunc // what was found before time ran out is passed on
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
	}
	for i, p := range parts {
		var docs []doc
		for _, t := range tasks[i] {
			docs = append(docs, t.found...)
		}
		hits, err := r.named(ctx, p.header, docs)
		if err == nil {
			err = r.emit(ctx, n, hits, near)
		}
		if r.stopped {
			return nil
		}
		if err != nil {
			return cmp.Or(late, err)
		}
	}
	return late
}

// grace is how long passing on what was found may take beyond the deadline of a search.
const grace = 200 * time.Millisecond

// scan finds the wanted documents that hold a needle.
func (r *run) scan(ctx context.Context, n *needle, t *task) error {
	var bodies []doc
	tx := texts.Get().(*text)
	defer texts.Put(tx)
	for _, c := range t.candidates {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := r.s.store.Text(ctx, r.at.project, r.at.day, key(kindBlock, t.h.id, c.block), func(v []byte) error {
			if isRecords(v) && !n.wants(recordDoc) {
				return nil
			}
			docs, err := readBlock(v, &tx.buf)
			if err != nil || len(docs) == 0 {
				return err
			}
			if isRewritten(v) {
				c.seams = nil
			}
			c.runs(docs, func(docs []doc) { bodies = append(bodies, t.take(n, docs)...) })
			return nil
		})
		if err != nil {
			return err
		}
	}
	return r.scanBodies(ctx, n, t, bodies)
}

// take searches records, and returns the bodies that are still to be read.
func (t *task) take(n *needle, docs []doc) (bodies []doc) {
	records := docs[0].kind == recordDoc
	if records {
		docs = n.records(docs)
	}
	for _, d := range docs {
		switch {
		case !t.wanted(d):
		case records:
			t.found = append(t.found, d)
		default:
			bodies = append(bodies, d)
		}
	}
	return bodies
}

// scanBodies reads texts that lie in order.
func (r *run) scanBodies(ctx context.Context, n *needle, t *task, bodies []doc) error {
	if len(bodies) == 0 {
		return nil
	}
	tx := texts.Get().(*text)
	defer texts.Put(tx)
	return r.s.store.Contents(ctx, r.at.project, r.at.day, placesOf(bodies), func(i int, b []byte) bool {
		if n.in(tx.of(b, bodies[i].skeleton)) {
			t.found = append(t.found, bodies[i])
		}
		return true
	})
}

// records are those of a run of documents that hold the needle. Their texts lie one after the other in memory.
func (n *needle) records(docs []doc) (hits []doc) {
	size := 0
	ends := make([]int, len(docs))
	for i := range docs {
		size += docs[i].length
		ends[i] = size
	}
	all := docs[0].text[:size]
	for from := 0; from < size; {
		at := n.index(all[from:])
		if at < 0 {
			return hits
		}
		i := sort.SearchInts(ends, from+at+1)
		if from+at+len(n.text) <= ends[i] {
			d := docs[i]
			d.text = nil
			hits = append(hits, d)
			from = ends[i]
		} else { // across two records
			from += at + 1
		}
	}
	return hits
}

// named resolves the spans of hits in one segment, the newest first.
func (r *run) named(ctx context.Context, h header, docs []doc) (hits []hit, err error) {
	slices.SortStableFunc(docs, func(a, b doc) int { return b.span - a.span })
	chunk, names := -1, []name(nil)
	for _, d := range docs {
		if c := d.span / namesPerChunk; c != chunk {
			chunk, names = c, nil
			_, err := r.s.store.Text(ctx, r.at.project, r.at.day, key(kindSpans, h.id, c), func(v []byte) error {
				names, err = readNames(v)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		if i := d.span % namesPerChunk; i < len(names) && names[i] != (name{}) {
			hits = append(hits, hit{d, names[i]})
		}
	}
	return hits, nil
}

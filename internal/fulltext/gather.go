package fulltext

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"weir/internal/fault"
	"weir/internal/span"
)

// spansPerTake is how many spans are taken together: their texts are made at the same time.
const spansPerTake = 64

// hands is how many processors to use. While everything is read anew that is all of them, unless spans come in, which
// must not wait for it; what follows the queue takes one.
func (s *Service) hands() int {
	committed := s.store.Committed()
	idle := !s.isReady() && committed == s.idleAt
	s.idleAt = committed
	if idle {
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// take indexes spans in memory.
func (s *Service) take(ctx context.Context, spans []*span.Span) error {
	hands := s.hands()
	for len(spans) > 0 {
		some := spans[:min(spansPerTake, len(spans))]
		spans = spans[len(some):]
		found := make([][]doc, len(some))
		for i, sp := range some {
			var err error
			if found[i], err = s.bodies(ctx, sp); err != nil {
				return err
			}
		}
		if err := s.read(ctx, some, found, hands); err != nil {
			return err
		}
		for i, sp := range some {
			s.add(sp, found[i])
			s.late.watch(sp)
		}
		// In mid-step: after a crash the rest follows, and records may be there twice. All that is marked as seen has been added.
		if err := s.flushIfFull(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) add(sp *span.Span, docs []doc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.add(sp, docs)
}

// read makes the texts of what was found in spans, and adds their records.
func (s *Service) read(ctx context.Context, spans []*span.Span, found [][]doc, hands int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(hands)
	for i, sp := range spans {
		one := func() error {
			t := texts.Get().(*text)
			defer texts.Put(t)
			docs, err := s.textsOf(ctx, t, home{sp.Project, sp.Day}, found[i])
			t.buf = t.record(t.buf[:0], sp)
			found[i] = append(docs, doc{kind: recordDoc, text: t.keep(t.buf)})
			return err
		}
		if hands > 1 {
			g.Go(one)
		} else if err := one(); err != nil {
			return err
		}
	}
	return g.Wait()
}

// textsOf fills in the texts of bodies. What is not stored any more is left out.
func (s *Service) textsOf(ctx context.Context, t *text, at home, docs []doc) (left []doc, err error) {
	left = docs[:0]
	for _, d := range docs {
		body, err := s.store.Content(ctx, at.project, at.day, d.place)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		d.text = t.keep(t.of(body, d.skeleton))
		left = append(left, d)
	}
	return left, nil
}

// bodies are the texts of a span's input and output that no span before had. They are marked as seen, and not read yet.
func (s *Service) bodies(ctx context.Context, sp *span.Span) (docs []doc, err error) {
	b := gathering{s: s, sp: sp, at: home{sp.Project, sp.Day}}
	b.blob(ctx, sp.Input.Skeleton, inputDoc, sp.Input.Form == span.FormConversation)
	b.blob(ctx, sp.Output.Skeleton, outputDoc, sp.Output.Form == span.FormConversation)
	b.chain(ctx, sp.Input.Node, inputDoc)
	b.chain(ctx, sp.Output.Node, outputDoc)
	return b.docs, b.err
}

// docsPerSpan is how many documents most spans have at most, their record included.
const docsPerSpan = 4

// gathering collects the new texts of one span. What is not stored any more is left out.
type gathering struct {
	s    *Service
	sp   *span.Span
	at   home
	docs []doc
	err  error
}

func (g *gathering) blob(ctx context.Context, h span.Hash, kind docKind, skeleton bool) {
	if g.err != nil || h.IsZero() {
		return
	}
	place, ok, err := g.s.placeOf(ctx, g.at, h)
	if err != nil || !ok {
		g.err = err
		return
	}
	fresh, err := g.s.seen.take(ctx, g.at, kind, place)
	if g.err = err; fresh {
		if g.docs == nil {
			g.docs = make([]doc, 0, docsPerSpan)
		}
		g.docs = append(g.docs, doc{kind: kind, skeleton: skeleton, place: place})
	}
}

// chain walks from the last message back to one whose ancestors are known.
func (g *gathering) chain(ctx context.Context, leaf span.Hash, kind docKind) {
	var passed []node
	for id := leaf; g.err == nil && !id.IsZero(); {
		n := node{g.at, kind, id}
		if g.s.walked.has(n) {
			break
		}
		stored, err := g.s.store.Node(ctx, g.at.project, g.at.day, id)
		if fault.Is(err, fault.NotFound) {
			return
		}
		if g.err = err; err != nil {
			return
		}
		g.blob(ctx, stored.Body, kind, false)
		passed = append(passed, n)
		id = stored.Parent
	}
	if g.err == nil {
		for _, n := range passed {
			g.s.walked.add(n)
		}
	}
}

package fulltext

import (
	"context"
	"runtime"
	"sync"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
)

// texts are buffers for making text.
var texts = sync.Pool{New: func() any { return new(text) }}

// workers is how many blocks one search reads at once.
func workers() int { return min(runtime.GOMAXPROCS(0), 4) }

// Holds implements query.Texts: it looks at all of the span's texts, also those that other spans brought in.
func (s *Service) Holds(ctx context.Context, sp *span.Span, n query.Needle) (bool, error) {
	made := newNeedle(n)
	return s.holds(ctx, sp, &made, recordDoc)
}

// holds looks first where the needle was found, if it was.
func (s *Service) holds(ctx context.Context, sp *span.Span, n *needle, first docKind) (bool, error) {
	t := texts.Get().(*text)
	defer texts.Put(t)
	l := looking{s: s, sp: sp, n: n, t: t}
	l.part(ctx, first)
	for _, k := range []docKind{recordDoc, outputDoc, inputDoc} {
		if k != first {
			l.part(ctx, k)
		}
	}
	return l.found, l.err
}

// looking goes through the texts of a span until one holds the needle.
type looking struct {
	s     *Service
	sp    *span.Span
	n     *needle
	t     *text
	found bool
	err   error
}

func (l *looking) part(ctx context.Context, k docKind) {
	if l.over() || !l.n.wants(k) {
		return
	}
	switch k {
	case recordDoc:
		l.t.buf = l.t.record(l.t.buf[:0], l.sp)
		l.found = l.n.in(l.t.buf)
	case inputDoc:
		l.ref(ctx, l.sp.Input)
	case outputDoc:
		l.ref(ctx, l.sp.Output)
	}
}

func (l *looking) over() bool { return l.found || l.err != nil }

func (l *looking) blob(ctx context.Context, h span.Hash, skeleton bool) {
	if l.over() || h.IsZero() {
		return
	}
	b, err := l.s.store.Blob(ctx, l.sp.Project, l.sp.Day, h)
	if err != nil {
		l.fail(err)
		return
	}
	l.found = l.n.in(l.t.of(b, skeleton))
}

// fail takes what has been dropped meanwhile for empty.
func (l *looking) fail(err error) {
	if !fault.Is(err, fault.NotFound) {
		l.err = err
	}
}

// ref looks at the newest messages first: that is where a search found something.
func (l *looking) ref(ctx context.Context, r span.Ref) {
	for id := r.Node; !l.over() && !id.IsZero(); {
		if l.err = ctx.Err(); l.err != nil {
			return
		}
		n, err := l.s.store.Node(ctx, l.sp.Project, l.sp.Day, id)
		if err != nil {
			l.fail(err)
			break
		}
		l.blob(ctx, n.Body, false)
		id = n.Parent
	}
	l.blob(ctx, r.Skeleton, r.Form == span.FormConversation)
}

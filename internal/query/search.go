package query

import (
	"context"
	"errors"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
)

// Bounds of looking for texts.
const (
	maxFound    = 10_000             // keys a text is resolved to where an index needs them, the newest
	foundTime   = 3 * time.Second    // for all texts of a filter
	pageTime    = 3 * time.Second    // for a page that is read from the truth
	pageFound   = 1000               // keys per text for a page
	batchSpans  = 64                 // read at once
	lateDays    = 7 * 24 * time.Hour // how long after its start a span may have been received, where a search is bounded
	newestFirst = "-start"           // the order of the zero Sort
)

// needles are the texts to look for, or fault.Invalid if there is nothing to look with.
func (e *Engine) needles(filter Expr) ([]Needle, error) {
	if e.texts != nil {
		return Needles(filter, true), nil
	}
	if len(Needles(filter, false)) > 0 {
		return nil, fault.Bad("filter", "filter: full text is not available here; look for words in fields, as in name contains \"…\"")
	}
	return nil, nil
}

// readSelected is read with the texts of the filter resolved.
func (e *Engine) readSelected(ctx context.Context, q *Query, f func(context.Context, Index) error) (partial bool, err error) {
	need, err := e.needles(q.Filter)
	if err != nil {
		return false, err
	}
	cut := false
	if len(need) > 0 && q.Found == nil {
		if q.Found, cut, err = e.find(ctx, *q, need); err != nil {
			return false, err
		}
	}
	partial, err = e.read(ctx, f)
	return partial || cut, err
}

// find resolves texts to keys; cut reports that some have more.
func (e *Engine) find(ctx context.Context, q Query, need []Needle) (found map[Needle][]span.Key, cut bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, foundTime)
	defer cancel()
	found = make(map[Needle][]span.Key, len(need))
	for _, n := range need {
		var keys []span.Key
		err := e.texts.Search(ctx, received(q, n), func(k span.Key) bool {
			keys = append(keys, k)
			return len(keys) < maxFound
		})
		if found[n] = keys; len(keys) >= maxFound {
			cut = true
		}
		if late(ctx, err) {
			return found, true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return found, cut, nil
}

// late reports whether a search ended for want of time that was ours to give.
func late(ctx context.Context, err error) bool {
	if errors.Is(err, ErrPartial) {
		return true
	}
	return err != nil && errors.Is(err, context.DeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// firstOf is the first error that is more than being late.
func firstOf(ctx context.Context, errs ...error) error {
	for _, err := range errs {
		if err != nil && !late(ctx, err) {
			return err
		}
	}
	return nil
}

// received bounds a search by when what a query selects by its start may have been received.
func received(q Query, need ...Needle) TextQuery {
	t := TextQuery{Project: q.Project, Needles: need}
	if !q.From.IsZero() {
		t.From = q.From.Add(-24 * time.Hour) // clocks differ
	}
	if !q.To.IsZero() {
		t.To = q.To.Add(lateDays)
	}
	return t
}

// required are the texts that every span of a filter must hold. A word is one of them unless it may be part of an id:
// all other fields that words are looked for in are texts of the span as well.
func required(e Expr) (out []Needle) {
	switch e := e.(type) {
	case Find:
		return []Needle{e.Needle}
	case Word:
		if strings.Trim(strings.ToLower(string(e)), "0123456789abcdef-") != "" {
			return []Needle{e.Needle()}
		}
	case And:
		for _, p := range e {
			out = append(out, required(p)...)
		}
	}
	return out
}

// Holds reports whether a span passes a filter, with its bodies read where they decide.
func (e *Engine) Holds(ctx context.Context, filter Expr, s *span.Span) (bool, error) {
	return e.holds(ctx, filter, s, nil)
}

func (e *Engine) holds(ctx context.Context, filter Expr, s *span.Span, known map[Needle]bool) (bool, error) {
	if filter == nil {
		return true, nil
	}
	sub := &subject{Span: s, found: map[Needle]bool{}, hidden: maybe}
	for n, held := range known {
		sub.found[n] = held
	}
	for _, n := range Needles(filter, true) {
		v := filter.match(sub)
		if v != maybe {
			return v == yes, nil
		}
		if _, ok := sub.found[n]; ok || e.texts == nil {
			continue
		}
		held, err := e.texts.Holds(ctx, s, n)
		if err != nil {
			return false, err
		}
		sub.found[n] = held
	}
	return filter.match(sub) == yes, nil
}

// listTexts is a page of spans, the newest first, under a filter that looks for texts.
func (e *Engine) listTexts(ctx context.Context, q Query, p Page) (Spans, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if need := required(q.Filter); len(need) > 0 {
		return e.streamTexts(ctx, q, p, need)
	}
	return e.mergeTexts(ctx, q, p)
}

// byReceipt orders what is streamed: by home day, then as received.
const byReceipt = "-received"

// streamTexts goes through the spans that hold the texts every selected one must hold, as they were received, and checks
// the rest of the filter on each. The cursor is the last one looked at.
func (e *Engine) streamTexts(ctx context.Context, q Query, p Page, need []Needle) (l Spans, err error) {
	w := &streaming{e: e, q: q, size: p.Size(), known: map[Needle]bool{}}
	t := received(q, need...)
	if p.Cursor != "" {
		if w.after, err = DecodeCursor(p.Cursor, byReceipt); err != nil {
			return l, err
		}
		if end := span.Day(w.after.Value).Time().Add(24 * time.Hour); t.To.IsZero() || end.Before(t.To) {
			t.To = end
		}
		w.skipping = true
	}
	for _, n := range need {
		w.known[n] = true
	}
	bounded, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	err = e.texts.Search(bounded, t, func(k span.Key) bool { return w.take(bounded, k) })
	if w.err == nil && !w.more && (err == nil || errors.Is(err, ErrPartial)) {
		w.flush(bounded)
	}
	if err := firstOf(bounded, w.err, err); err != nil {
		return l, err
	}
	l.Items, l.Partial = w.out, w.err != nil || err != nil
	if (w.more || l.Partial) && w.last.Trace != "" {
		l.Cursor = Cursor{Sort: byReceipt, Value: int64(w.last.Day), Trace: w.last.Trace, Span: w.last.Span}.Encode()
	}
	return l, nil
}

type streaming struct {
	e        *Engine
	q        Query
	size     int
	known    map[Needle]bool
	after    Cursor
	skipping bool

	batch []span.Key
	out   []*span.Span
	last  span.Key // the last one decided on
	more  bool
	err   error
}

// take reports whether to go on.
func (w *streaming) take(ctx context.Context, k span.Key) bool {
	if w.skipping {
		if k.Trace == w.after.Trace && k.Span == w.after.Span {
			w.skipping = false
			return true
		}
		if k.Day == 0 || int64(k.Day) >= w.after.Value {
			return true
		}
		w.skipping = false // it is gone meanwhile; its day is over
	}
	w.batch = append(w.batch, k)
	if len(w.batch) < min(batchSpans, w.size) {
		return true
	}
	return w.flush(ctx)
}

// flush decides on the batch, and reports whether to go on.
func (w *streaming) flush(ctx context.Context) bool {
	at, err := w.e.spansAt(ctx, w.q.Project, w.batch)
	if err != nil {
		w.err = err
		return false
	}
	for _, k := range w.batch {
		s := at[spanAt{k.Trace, k.Span}]
		if s == nil || !w.q.spans(s) {
			continue
		}
		held, err := w.e.holds(ctx, w.q.Filter, s, w.known)
		if err != nil {
			w.err = err
			return false
		}
		if held && len(w.out) == w.size {
			w.more = true
			return false
		}
		if held {
			w.out = append(w.out, s)
		}
		w.last = span.Key{Trace: s.Trace, Span: s.ID, Day: s.Day}
	}
	w.batch = w.batch[:0]
	return true
}

// spans reports whether a span started in the time asked for.
func (q Query) spans(s *span.Span) bool {
	return (q.From.IsZero() || !s.Start.Before(q.From)) && (q.To.IsZero() || s.Start.Before(q.To))
}

// mergeTexts resolves the texts as far back as it takes for a page, a step at a time, and lets the index join them with
// the rest of the filter.
func (e *Engine) mergeTexts(ctx context.Context, q Query, p Page) (l Spans, err error) {
	deadline := time.Now().Add(pageTime)
	size := p.Size()
	for {
		step, err := e.mergeStep(ctx, q, p)
		if err != nil {
			return l, err
		}
		l.Items, l.Cursor, l.Partial = append(l.Items, step.Items...), step.Cursor, l.Partial || step.Partial
		if l.Cursor == "" || l.Partial || len(l.Items) >= size {
			return l, nil
		}
		if time.Now().After(deadline) {
			l.Partial = true
			return l, nil
		}
		p.Cursor, p.Limit = l.Cursor, size-len(l.Items)
	}
}

// mergeStep goes back by so many holders of each text. Where one has more, the step ends at the start of the last one
// looked at.
func (e *Engine) mergeStep(ctx context.Context, q Query, p Page) (l Spans, err error) {
	within := q
	if p.Cursor != "" {
		c, err := DecodeCursor(p.Cursor, newestFirst)
		if err != nil {
			return l, err
		}
		within.To = time.Unix(0, c.Value+1).UTC()
	}
	horizon, partial, err := e.findRecent(ctx, &q, within)
	if err != nil {
		return l, err
	}
	if !horizon.IsZero() && horizon.After(q.From) {
		q.From = horizon
	}
	var keys []span.Key
	l.Partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		keys, l.Cursor, err = x.Search(ctx, q, p)
		return err
	})
	if err != nil {
		return l, err
	}
	l.Partial = l.Partial || partial
	if l.Cursor == "" && !horizon.IsZero() {
		l.Cursor = Cursor{Sort: newestFirst, Value: Nanos(horizon)}.Encode()
	}
	l.Items, err = e.store.Spans(ctx, q.Project, keys)
	return l, err
}

// findRecent resolves the texts of a query to the newest spans that hold them, within a time. The horizon is the start
// of the oldest one where there may be more, zero if there are not; partial reports that time ran out.
func (e *Engine) findRecent(ctx context.Context, q *Query, within Query) (horizon time.Time, partial bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	q.Found = map[Needle][]span.Key{}
	for _, n := range Needles(q.Filter, true) {
		w := &recent{e: e, within: within}
		err := e.texts.Search(bounded, received(within, n), func(k span.Key) bool { return w.take(bounded, k) })
		if w.err == nil && (err == nil || errors.Is(err, ErrPartial)) {
			w.flush(bounded)
		}
		if err := firstOf(bounded, w.err, err); err != nil {
			return horizon, false, err
		}
		q.Found[n] = w.keys
		cut := w.err != nil || err != nil
		partial = partial || cut
		if (w.full || cut) && w.oldest.After(horizon) {
			horizon = w.oldest
		}
	}
	return horizon, partial, nil
}

// recent collects the holders of one text.
type recent struct {
	e      *Engine
	within Query
	batch  []span.Key
	keys   []span.Key
	oldest time.Time
	full   bool
	err    error
}

func (w *recent) take(ctx context.Context, k span.Key) bool {
	w.batch = append(w.batch, k)
	return len(w.batch) < batchSpans || w.flush(ctx)
}

func (w *recent) flush(ctx context.Context) bool {
	at, err := w.e.spansAt(ctx, w.within.Project, w.batch)
	if err != nil {
		w.err = err
		return false
	}
	for _, k := range w.batch {
		s := at[spanAt{k.Trace, k.Span}]
		if s == nil || !w.within.spans(s) {
			continue
		}
		w.keys = append(w.keys, span.Key{Trace: s.Trace, Span: s.ID, Day: s.Day})
		if w.oldest.IsZero() || s.Start.Before(w.oldest) {
			w.oldest = s.Start
		}
	}
	w.batch = w.batch[:0]
	w.full = len(w.keys) >= pageFound
	return !w.full
}

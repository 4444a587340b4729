package query

import (
	"context"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Engine answers reads: what is selected comes from the index, what is shown from the truth. An answer waits a moment
// for the index to cover what was committed before it was asked; if the index does not make it, the answer is partial.
type Engine struct {
	store   span.Store
	indexer *Indexer
}

// NewEngine joins a store and the service that indexes it.
func NewEngine(store span.Store, indexer *Indexer) *Engine {
	return &Engine{store: store, indexer: indexer}
}

// Bounds of one read.
const (
	settleTime = 500 * time.Millisecond // wait for the index to catch up
	readTime   = 10 * time.Second
)

// Spans is a page of spans. Partial means that the index lags, so newer spans may be missing.
type Spans struct {
	Items   []*span.Span
	Cursor  string
	Partial bool
}

// List returns a page of the selected spans.
func (e *Engine) List(ctx context.Context, q Query, p Page) (Spans, error) {
	var keys []span.Key
	var l Spans
	var err error
	l.Partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		keys, l.Cursor, err = x.Search(ctx, q, p)
		return err
	})
	if err != nil {
		return l, err
	}
	l.Items, err = e.store.Spans(ctx, q.Project, keys)
	return l, err
}

// Count counts the selected spans.
func (e *Engine) Count(ctx context.Context, q Query) (n int64, partial bool, err error) {
	partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		n, err = x.Count(ctx, q)
		return err
	})
	return n, partial, err
}

// Trace returns the spans of a trace, from the truth.
func (e *Engine) Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	return e.store.Trace(ctx, p, trace)
}

// Span returns one span, from the truth.
func (e *Engine) Span(ctx context.Context, p tenant.ProjectID, trace, id string) (*span.Span, error) {
	got, err := e.store.Spans(ctx, p, []span.Key{{Trace: trace, Span: id}})
	if err != nil {
		return nil, err
	}
	if len(got) == 0 {
		return nil, fault.New(fault.NotFound, "span %s of trace %s not found", clip(id), clip(trace))
	}
	return got[0], nil
}

// Aggregate computes figures.
func (e *Engine) Aggregate(ctx context.Context, a Aggregate) (out Aggregation, partial bool, err error) {
	partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		out, err = x.Aggregate(ctx, a)
		return err
	})
	return out, partial, err
}

// Facets lists the values of a field.
func (e *Engine) Facets(ctx context.Context, f FacetQuery) (out []Facet, partial bool, err error) {
	partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		out, err = x.Facets(ctx, f)
		return err
	})
	return out, partial, err
}

// Session is a session with its first span, which may be nil if the span is gone meanwhile.
type Session struct {
	SessionRow
	FirstSpan *span.Span
}

// SessionList is a page of sessions.
type SessionList struct {
	Sessions []Session
	Cursor   string
	Partial  bool
}

// Sessions lists sessions with a selected span.
func (e *Engine) Sessions(ctx context.Context, q Query, p Page) (SessionList, error) {
	var rows []SessionRow
	var l SessionList
	var err error
	l.Partial, err = e.read(ctx, func(ctx context.Context, x Index) error {
		rows, l.Cursor, err = x.Sessions(ctx, q, p)
		return err
	})
	if err != nil {
		return l, err
	}
	keys := make([]span.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.First
	}
	spans, err := e.store.Spans(ctx, q.Project, keys)
	if err != nil {
		return l, err
	}
	byID := make(map[string]*span.Span, len(spans))
	for _, s := range spans {
		byID[s.Trace+"/"+s.ID] = s
	}
	for _, r := range rows {
		l.Sessions = append(l.Sessions, Session{SessionRow: r, FirstSpan: byID[r.First.Trace+"/"+r.First.Span]})
	}
	return l, nil
}

// Session sums up one session, or is fault.NotFound.
func (e *Engine) Session(ctx context.Context, p tenant.ProjectID, session string) (Session, bool, error) {
	q := Query{Project: p, Filter: Is(FieldNamed("session"), session)}
	l, err := e.Sessions(ctx, q, Page{Limit: 1})
	if err != nil {
		return Session{}, false, err
	}
	if len(l.Sessions) == 0 {
		return Session{}, false, fault.New(fault.NotFound, "session %s not found", clip(session))
	}
	return l.Sessions[0], l.Partial, nil
}

// Live delivers spans of a project that pass the filter as they are indexed, at most limit waiting; a receiver that
// falls behind is cut off. Close must be called.
func (e *Engine) Live(p tenant.ProjectID, filter Expr, limit int) *Tail {
	return e.indexer.feed.subscribe(p, filter, limit)
}

// EndTails ends all watches there are, for a server that is about to stop.
func (e *Engine) EndTails() { e.indexer.feed.closeAll() }

// State reports on the index.
func (e *Engine) State() State { return e.indexer.State() }

// DropDay removes a project's day from the truth, then from the index. It is fault.Unavailable while the index is being
// opened or rebuilt, and harmless to repeat.
func (e *Engine) DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	return e.indexer.exclusive(func() error {
		if err := e.store.DropDay(ctx, p, day); err != nil {
			return err
		}
		_, err := e.indexer.use(ctx, func(ctx context.Context, x Index) error { return x.DropDay(ctx, p, day) })
		return err
	})
}

// read runs f on the index once it covers what is committed now, or shortly after. Without an index, nothing is
// selected and the answer is partial.
func (e *Engine) read(ctx context.Context, f func(context.Context, Index) error) (partial bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	partial = !e.settle(ctx)
	found, err := e.indexer.use(ctx, f)
	return partial || !found, err
}

func (e *Engine) settle(ctx context.Context) bool {
	target := e.store.Committed()
	if e.indexer.covers(target) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	return e.indexer.Wait(ctx, target) == nil
}

package query

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Engine answers reads: what is selected comes from the index, what is shown from the truth. An answer waits a moment
// for the index to cover what was committed before it was asked; if the index does not make it, the answer is partial.
type Engine struct {
	store   span.Store
	indexer *Indexer
	texts   Texts
}

// NewEngine joins a store, the service that indexes it, and what finds texts in bodies. Without the last, nil, bare
// words are looked for in fields only, and a filter that asks for texts is refused.
func NewEngine(store span.Store, indexer *Indexer, texts Texts) *Engine {
	return &Engine{store: store, indexer: indexer, texts: texts}
}

// Bounds of one read.
const (
	settleTime = 500 * time.Millisecond // wait for the index to catch up
	readTime   = 10 * time.Second
)

// Spans is a page of spans. Partial means that some may be missing: the newest, because the index lags, or the oldest,
// because looking for a text would have taken too long.
type Spans struct {
	Items   []*span.Span
	Cursor  string
	Partial bool
}

// List returns a page of the selected spans.
func (e *Engine) List(ctx context.Context, q Query, p Page) (Spans, error) {
	if need, err := e.needles(q.Filter); err != nil {
		return Spans{}, err
	} else if len(need) > 0 && p.Sort.String() == newestFirst {
		return e.listTexts(ctx, q, p)
	}
	var keys []span.Key
	var l Spans
	var err error
	l.Partial, err = e.readSelected(ctx, &q, func(ctx context.Context, x Index) error {
		keys, l.Cursor, err = x.Search(ctx, q, p)
		return err
	})
	if err != nil {
		return l, err
	}
	l.Items, err = e.store.Spans(ctx, q.Project, keys)
	return l, err
}

// Keys returns the keys of a page of the selected spans, without reading them, for exports.
func (e *Engine) Keys(ctx context.Context, q Query, p Page) (keys []span.Key, cursor string, partial bool, err error) {
	partial, err = e.readSelected(ctx, &q, func(ctx context.Context, x Index) error {
		keys, cursor, err = x.Search(ctx, q, p)
		return err
	})
	return keys, cursor, partial, err
}

// Count counts the selected spans.
func (e *Engine) Count(ctx context.Context, q Query) (n int64, partial bool, err error) {
	partial, err = e.readSelected(ctx, &q, func(ctx context.Context, x Index) error {
		n, err = x.Count(ctx, q)
		return err
	})
	return n, partial, err
}

// TraceRow is a trace with its root span, which may be nil if it is gone meanwhile.
type TraceRow struct {
	TraceFigures
	RootSpan *span.Span
}

// TraceList is a page of traces.
type TraceList struct {
	Traces  []TraceRow
	Cursor  string
	Partial bool
}

// Traces lists the traces that have a selected span.
func (e *Engine) Traces(ctx context.Context, q Query, p Page) (TraceList, error) {
	var rows []TraceFigures
	var l TraceList
	var err error
	l.Partial, err = e.readSelected(ctx, &q, func(ctx context.Context, x Index) error {
		rows, l.Cursor, err = x.Traces(ctx, q, p)
		return err
	})
	if err != nil {
		return l, err
	}
	keys := make([]span.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.Root
	}
	at, err := e.spansAt(ctx, q.Project, keys)
	for _, r := range rows {
		l.Traces = append(l.Traces, TraceRow{TraceFigures: r, RootSpan: at[spanAt{r.Root.Trace, r.Root.Span}]})
	}
	return l, err
}

type spanAt struct{ trace, id string }

func (e *Engine) spansAt(ctx context.Context, p tenant.ProjectID, keys []span.Key) (map[spanAt]*span.Span, error) {
	spans, err := e.store.Spans(ctx, p, keys)
	at := make(map[spanAt]*span.Span, len(spans))
	for _, s := range spans {
		at[spanAt{s.Trace, s.ID}] = s
	}
	return at, err
}

// Trace returns the spans of a trace, from the truth.
func (e *Engine) Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	return e.store.Trace(ctx, p, trace)
}

// Outliner is a store that reads of a trace only what a tree shows of it, which takes a fraction of the time.
type Outliner interface {
	// Outline returns all spans of a trace ordered by start, or fault.NotFound.
	Outline(ctx context.Context, p tenant.ProjectID, trace string) ([]span.Outline, error)
}

// Outline returns what a tree shows of a trace, from the truth.
func (e *Engine) Outline(ctx context.Context, p tenant.ProjectID, trace string) ([]span.Outline, error) {
	return OutlineFrom(ctx, e.store, p, trace)
}

// OutlineFrom outlines a trace from a store that is an Outliner or not.
func OutlineFrom(ctx context.Context, store span.Store, p tenant.ProjectID, trace string) ([]span.Outline, error) {
	if o, ok := store.(Outliner); ok {
		return o.Outline(ctx, p, trace)
	}
	spans, err := store.Trace(ctx, p, trace)
	if err != nil {
		return nil, err
	}
	out := make([]span.Outline, len(spans))
	for i, s := range spans {
		out[i] = span.OutlineOf(s)
	}
	return out, nil
}

// FirstSpans returns the earliest spans of a trace, at most limit, and how many it has.
func (e *Engine) FirstSpans(ctx context.Context, p tenant.ProjectID, trace string, limit int) ([]*span.Span, int, error) {
	outline, err := e.Outline(ctx, p, trace)
	if err != nil {
		return nil, 0, err
	}
	if len(outline) <= limit {
		spans, err := e.store.Trace(ctx, p, trace)
		return spans, len(spans), err
	}
	first, err := e.Span(ctx, p, trace, outline[0].ID) // tells the day, which would be looked up for every key
	if err != nil {
		return nil, 0, err
	}
	keys := make([]span.Key, limit)
	for i := range keys {
		keys[i] = span.Key{Trace: trace, Span: outline[i].ID, Day: first.Day}
	}
	spans, err := e.store.Spans(ctx, p, keys)
	return spans, len(outline), err
}

// Span returns one span, from the truth.
func (e *Engine) Span(ctx context.Context, p tenant.ProjectID, trace, id string) (*span.Span, error) {
	got, err := e.store.Spans(ctx, p, []span.Key{{Trace: trace, Span: id}})
	if err != nil {
		return nil, err
	}
	if len(got) == 0 {
		return nil, fault.New(fault.NotFound, "span %s of trace %s not found", clip.To(id, 60), clip.To(trace, 60))
	}
	return got[0], nil
}

// Aggregate computes figures.
func (e *Engine) Aggregate(ctx context.Context, a Aggregate) (out Aggregation, partial bool, err error) {
	partial, err = e.readSelected(ctx, &a.Query, func(ctx context.Context, x Index) error {
		out, err = x.Aggregate(ctx, a)
		return err
	})
	return out, partial, err
}

// Facets lists the values of a field.
func (e *Engine) Facets(ctx context.Context, f FacetQuery) (out []Facet, partial bool, err error) {
	partial, err = e.readSelected(ctx, &f.Query, func(ctx context.Context, x Index) error {
		out, err = x.Facets(ctx, f)
		return err
	})
	return out, partial, err
}

// Paths lists the paths of a Map.
func (e *Engine) Paths(ctx context.Context, f FacetQuery) (out []Facet, partial bool, err error) {
	partial, err = e.readSelected(ctx, &f.Query, func(ctx context.Context, x Index) error {
		out, err = x.Paths(ctx, f)
		return err
	})
	return out, partial, err
}

// Histogram tells how the values of a field are spread.
func (e *Engine) Histogram(ctx context.Context, h HistogramQuery) (out Histogram, partial bool, err error) {
	partial, err = e.readSelected(ctx, &h.Query, func(ctx context.Context, x Index) error {
		out, err = x.Histogram(ctx, h)
		return err
	})
	return out, partial, err
}

// ErrorRow is a group of errors with its latest examples.
type ErrorRow struct {
	ErrorGroup
	Message string // the shape in words
	Spans   []*span.Span
}

// ErrorList is the groups of errors.
type ErrorList struct {
	Rows    []ErrorRow
	Total   int64
	More    bool
	Partial bool
}

// ErrorGroups groups the selected spans that failed.
func (e *Engine) ErrorGroups(ctx context.Context, q ErrorQuery) (l ErrorList, err error) {
	var got ErrorGroups
	l.Partial, err = e.readSelected(ctx, &q.Query, func(ctx context.Context, x Index) error {
		got, err = x.ErrorGroups(ctx, q)
		return err
	})
	if err != nil {
		return l, err
	}
	l.Total, l.More = got.Total, got.More
	var keys []span.Key
	for _, g := range got.Groups {
		keys = append(keys, g.Examples...)
	}
	at, err := e.spansAt(ctx, q.Project, keys)
	for _, g := range got.Groups {
		row := ErrorRow{ErrorGroup: g}
		for _, k := range g.Examples {
			if s := at[spanAt{k.Trace, k.Span}]; s != nil {
				row.Spans = append(row.Spans, s)
			}
		}
		if len(row.Spans) > 0 && g.Shape != "" {
			row.Message = Shape(row.Spans[0].ErrorText)
		}
		l.Rows = append(l.Rows, row)
	}
	return l, err
}

// Users sums up the selected spans by who caused them.
func (e *Engine) Users(ctx context.Context, q UserQuery) (rows []UserRow, cursor string, partial bool, err error) {
	partial, err = e.readSelected(ctx, &q.Query, func(ctx context.Context, x Index) error {
		rows, cursor, err = x.Users(ctx, q)
		return err
	})
	return rows, cursor, partial, err
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
	l.Partial, err = e.readSelected(ctx, &q, func(ctx context.Context, x Index) error {
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
	at, err := e.spansAt(ctx, q.Project, keys)
	for _, r := range rows {
		l.Sessions = append(l.Sessions, Session{SessionRow: r, FirstSpan: at[spanAt{r.First.Trace, r.First.Span}]})
	}
	return l, err
}

// Session sums up one session, or is fault.NotFound.
func (e *Engine) Session(ctx context.Context, p tenant.ProjectID, session string) (Session, bool, error) {
	q := Query{Project: p, Filter: Is(FieldNamed("session"), session)}
	l, err := e.Sessions(ctx, q, Page{Limit: 1})
	if err != nil {
		return Session{}, false, err
	}
	if len(l.Sessions) == 0 {
		return Session{}, false, fault.New(fault.NotFound, "session %s not found", clip.To(session, 60))
	}
	return l.Sessions[0], l.Partial, nil
}

// Live delivers spans of a project that pass the filter as they are indexed, at most limit waiting; a receiver that
// falls behind is cut off. Texts that the filter looks for are read from the truth, span by span, for this watch alone.
// Close must be called.
func (e *Engine) Live(p tenant.ProjectID, filter Expr, limit int) *Tail {
	t := e.indexer.feed.subscribe(p, filter, limit)
	if e.texts != nil && len(Needles(filter, true)) > 0 {
		t.check(limit, func(ctx context.Context, s *span.Span) bool {
			held, err := e.Holds(ctx, filter, s)
			return held && err == nil
		})
	}
	return t
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

// ID is the same for the same group of errors.
func (g ErrorGroup) ID() string {
	return ShapeID(strings.Join([]string{g.Class, g.Provider, g.Model, strconv.Itoa(g.HTTP), g.Shape}, "\x00"))
}

// Selects is the filter that selects what a group was made of.
func (g ErrorGroup) Selects(by []string) string {
	all := And{&Compare{Field: FieldNamed("status"), Op: In, Values: []Value{{Text: string(span.Error)}, {Text: string(span.Interrupted)}}}}
	texts := map[string]string{"error_type": g.Class, "provider": g.Provider, "model": g.Model, "shape": g.Shape}
	for _, k := range ErrorKeys {
		if len(by) > 0 && !slices.Contains(by, k) {
			continue
		}
		f := FieldNamed(k)
		switch {
		case k == "http" && g.HTTP != 0:
			all = append(all, &Compare{Field: f, Op: Eq, Values: []Value{{Number: int64(g.HTTP)}}})
		case texts[k] != "":
			all = append(all, Is(f, texts[k]))
		default:
			all = append(all, Not{&Compare{Field: f, Op: Exists}})
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(all.String(), "("), ")")
}

package query

import "weir/internal/span"

// Over is the engine over another view of the store. What the index selects is then looked up in that view.
func (e *Engine) Over(view func(span.Store) span.Store) *Engine {
	n := *e
	n.store = view(e.store)
	return &n
}

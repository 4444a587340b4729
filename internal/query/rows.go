package query

import "context"

// RowCounter is an Index that knows how many spans it holds, of all projects.
type RowCounter interface {
	Rows(ctx context.Context) (int64, error)
}

// Rows is how many spans the index holds; 0 while there is none, or where it cannot tell.
func (e *Engine) Rows(ctx context.Context) (n int64) {
	_, _ = e.indexer.use(ctx, func(ctx context.Context, x Index) (err error) {
		if c, ok := x.(RowCounter); ok {
			n, err = c.Rows(ctx)
		}
		return err
	})
	return n
}

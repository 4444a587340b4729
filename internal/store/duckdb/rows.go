package duckdb

import (
	"context"
	"database/sql"

	"weir/internal/query"
)

var _ query.RowCounter = (*Index)(nil)

// Rows implements query.RowCounter; the engine knows the number without a scan.
func (x *Index) Rows(ctx context.Context) (n int64, err error) {
	err = x.rows(ctx, new(statement).add(`SELECT count(*) FROM spans`), func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

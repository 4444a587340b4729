package sqlite

import (
	"context"
	"database/sql"

	"weir/internal/erase"
	"weir/internal/tenant"
)

var _ erase.Rows = (*Store)(nil)

// RenameSpender implements erase.Rows. The total of somebody who has an account, keys, or figures in another project
// stays, since budgets need it. It may be repeated.
func (s *Store) RenameSpender(ctx context.Context, p tenant.ProjectID, user, to tenant.UserID) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`INSERT INTO daily SELECT project, day, key, ?1, team, model, calls, failed, input, cache_read, cache_write, cache_write_1h, output, cost
				FROM daily WHERE project = ?2 AND user = ?3
				ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, failed = failed + excluded.failed, input = input + excluded.input,
				cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
				cache_write_1h = cache_write_1h + excluded.cache_write_1h, output = output + excluded.output, cost = cost + excluded.cost`,
			`DELETE FROM daily WHERE project = ?2 AND user = ?3 AND ?1 <> ''`,
			`INSERT INTO spend SELECT scope, ?1, total, window, start FROM spend WHERE ` + forgettable + ` AND ?2 <> ''
				ON CONFLICT DO UPDATE SET total = total + excluded.total, window = window + excluded.window`,
			`DELETE FROM spend WHERE ` + forgettable + ` AND ?1 <> '' AND ?2 <> ''`,
		} {
			if _, err := tx.ExecContext(ctx, q, to, p, user); err != nil {
				return failed(err, "spend")
			}
		}
		return nil
	})
}

// forgettable is the total of user ?3 if nothing needs it.
const forgettable = `scope = 'user' AND id = ?3 AND NOT EXISTS (SELECT 1 FROM users WHERE id = ?3)
	AND NOT EXISTS (SELECT 1 FROM keys WHERE user = ?3) AND NOT EXISTS (SELECT 1 FROM daily WHERE user = ?3)`

// Scrub implements erase.Rows: the file is written anew without what was deleted, and the log is emptied. A reader that
// is in the way makes it wait.
func (s *Store) Scrub(ctx context.Context) error {
	for _, q := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := s.write.ExecContext(ctx, q); err != nil {
			return failed(err, "rows")
		}
	}
	return nil
}

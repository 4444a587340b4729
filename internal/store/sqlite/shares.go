package sqlite

import (
	"context"
	"database/sql"
	"time"

	"weir/internal/share"
	"weir/internal/tenant"
)

var _ share.Store = (*Store)(nil)

const shareColumns = "hash, id, project, trace, bodies, author, created, expires"

func scanShare(r scanner) (x share.Share, err error) {
	var created, expires int64
	err = r.Scan(&x.Hash, &x.ID, &x.Project, &x.Trace, &x.Bodies, &x.Author, &created, &expires)
	x.Created, x.Expires = instant(created), instant(expires)
	return x, err
}

// CreateShare implements share.Store.
func (s *Store) CreateShare(ctx context.Context, x share.Share) error {
	return s.exec(ctx, "share", "INSERT INTO shares ("+shareColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		x.Hash, x.ID, x.Project, x.Trace, x.Bodies, x.Author, nanos(x.Created), nanos(x.Expires))
}

// Share implements share.Store.
func (s *Store) Share(ctx context.Context, hash string) (share.Share, error) {
	x, err := scanShare(s.read.QueryRowContext(ctx, "SELECT "+shareColumns+" FROM shares WHERE hash = ?", hash))
	return x, failed(err, "share")
}

// Shares implements share.Store.
func (s *Store) Shares(ctx context.Context, p tenant.ProjectID, trace string, now time.Time) ([]share.Share, error) {
	var w where
	w.add("project = ?", p)
	w.add("expires > ?", nanos(now))
	equals(&w, "trace", trace)
	return query(ctx, s.read, scanShare, "SELECT "+shareColumns+" FROM shares"+w.String()+" ORDER BY created DESC, id DESC LIMIT 1000", w.args...)
}

// DeleteShare implements share.Store.
func (s *Store) DeleteShare(ctx context.Context, p tenant.ProjectID, id string) (share.Share, error) {
	x, err := scanShare(s.write.QueryRowContext(ctx, "DELETE FROM shares WHERE project = ? AND id = ? RETURNING "+shareColumns, p, id))
	return x, failed(err, "share")
}

// DeleteSharesOf implements share.Store.
func (s *Store) DeleteSharesOf(ctx context.Context, p tenant.ProjectID, traces []string) (n int, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, t := range traces {
			r, err := tx.ExecContext(ctx, "DELETE FROM shares WHERE project = ? AND trace = ?", p, t)
			if err != nil {
				return failed(err, "share")
			}
			k, err := r.RowsAffected()
			if err != nil {
				return failed(err, "share")
			}
			n += int(k)
		}
		return nil
	})
	return n, err
}

// DeleteExpiredShares implements share.Store.
func (s *Store) DeleteExpiredShares(ctx context.Context, now time.Time) error {
	_, err := s.write.ExecContext(ctx, "DELETE FROM shares WHERE expires <= ?", nanos(now))
	return failed(err, "share")
}

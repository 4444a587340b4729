package sqlite

import (
	"context"
	"database/sql"
	"time"

	"weir/internal/auth"
	"weir/internal/tenant"
)

// CreateSession implements auth.SessionStore.
func (s *Store) CreateSession(ctx context.Context, x auth.Session) error {
	return s.exec(ctx, "session", "INSERT INTO sessions (hash, user, created, expires) VALUES (?, ?, ?, ?)",
		x.Hash, x.User, nanos(x.Created), nanos(x.Expires))
}

// Sessions implements auth.SessionStore.
func (s *Store) Sessions(ctx context.Context, now time.Time) ([]auth.Session, error) {
	return query(ctx, s.read, func(r scanner) (x auth.Session, err error) {
		var created, expires int64
		err = r.Scan(&x.Hash, &x.User, &created, &expires)
		x.Created, x.Expires = instant(created), instant(expires)
		return x, err
	}, "SELECT hash, user, created, expires FROM sessions WHERE expires > ? ORDER BY created", nanos(now))
}

// ExtendSessions implements auth.SessionStore.
func (s *Store) ExtendSessions(ctx context.Context, until map[string]time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for hash, t := range until {
			if _, err := tx.ExecContext(ctx, "UPDATE sessions SET expires = max(expires, ?) WHERE hash = ?", nanos(t), hash); err != nil {
				return failed(err, "session")
			}
		}
		return nil
	})
}

// DeleteSessions implements auth.SessionStore.
func (s *Store) DeleteSessions(ctx context.Context, hashes ...string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, h := range hashes {
			if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", h); err != nil {
				return failed(err, "session")
			}
		}
		return nil
	})
}

// DeleteSessionsOf implements auth.SessionStore.
func (s *Store) DeleteSessionsOf(ctx context.Context, user tenant.UserID) error {
	_, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE user = ?", user)
	return failed(err, "session")
}

// PurgeExpired implements auth.SessionStore.
func (s *Store) PurgeExpired(ctx context.Context, now time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires <= ?", nanos(now)); err != nil {
			return failed(err, "session")
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM login_links WHERE expires <= ?", nanos(now))
		return failed(err, "login link")
	})
}

// CreateLoginLink implements auth.SessionStore.
func (s *Store) CreateLoginLink(ctx context.Context, l auth.LoginLink) error {
	return s.exec(ctx, "login link", "INSERT INTO login_links (hash, user, expires) VALUES (?, ?, ?)", l.Hash, l.User, nanos(l.Expires))
}

// TakeLoginLink implements auth.SessionStore. The deletion decides who of two takers gets it.
func (s *Store) TakeLoginLink(ctx context.Context, hash string) (l auth.LoginLink, err error) {
	var expires int64
	err = s.write.QueryRowContext(ctx, "DELETE FROM login_links WHERE hash = ? RETURNING hash, user, expires", hash).
		Scan(&l.Hash, &l.User, &expires)
	l.Expires = instant(expires)
	return l, failed(err, "login link")
}

// Setting implements tenant.Settings.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", name).Scan(&value)
	return value, failed(err, "setting")
}

// PutSetting implements tenant.Settings.
func (s *Store) PutSetting(ctx context.Context, name, value string) error {
	return s.exec(ctx, "setting", "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
}

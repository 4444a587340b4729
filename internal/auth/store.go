// Package auth answers who is calling: it verifies keys, sessions and passwords against a snapshot in memory, so that
// no request waits for a database, and it is where keys, users and teams are changed, so that the snapshot is never
// behind its own process.
package auth

import (
	"context"
	"time"

	"weir/internal/tenant"
)

// Store is what a Service needs.
type Store interface {
	tenant.Store
	SessionStore
}

// SessionStore keeps UI sessions and login links. Both are stored under the hash of their token.
type SessionStore interface {
	CreateSession(ctx context.Context, s Session) error
	// Sessions are those that have not expired.
	Sessions(ctx context.Context, now time.Time) ([]Session, error)
	// ExtendSessions moves Expires of sessions, by hash, but never back; unknown ones are ignored.
	ExtendSessions(ctx context.Context, until map[string]time.Time) error
	DeleteSessions(ctx context.Context, hashes ...string) error
	DeleteSessionsOf(ctx context.Context, user tenant.UserID) error
	// PurgeExpired deletes expired sessions and login links.
	PurgeExpired(ctx context.Context, now time.Time) error

	CreateLoginLink(ctx context.Context, l LoginLink) error
	// TakeLoginLink deletes a link and returns it: of several takers one gets it, the others fault.NotFound. It may
	// have expired.
	TakeLoginLink(ctx context.Context, hash string) (LoginLink, error)
}

// Session is a UI login.
type Session struct {
	Hash    string // hex SHA-256 of the cookie's value
	User    tenant.UserID
	Created time.Time
	Expires time.Time
}

// LoginLink is a login that works once.
type LoginLink struct {
	Hash    string // hex SHA-256 of the token
	User    tenant.UserID
	Expires time.Time
}

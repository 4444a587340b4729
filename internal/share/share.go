// Package share makes links that show one trace to whoever has them, until they expire or are taken back.
package share

import (
	"context"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/tenant"
)

// Share is a link to a trace. The token itself is not stored.
type Share struct {
	Hash    string // hex SHA-256 of the token
	ID      string
	Project tenant.ProjectID
	Trace   string
	Bodies  bool // prompts and answers are shown too
	Author  string
	Created time.Time
	Expires time.Time
}

// Store keeps shares.
type Store interface {
	CreateShare(ctx context.Context, s Share) error
	// Share finds a share by the hash of its token, expired or not.
	Share(ctx context.Context, hash string) (Share, error)
	// Shares lists those of a trace ("" = of the project) that have not expired, newest first, at most 1000.
	Shares(ctx context.Context, p tenant.ProjectID, trace string, now time.Time) ([]Share, error)
	DeleteShare(ctx context.Context, p tenant.ProjectID, id string) (Share, error)
	// DeleteSharesOf deletes those of traces and returns how many there were.
	DeleteSharesOf(ctx context.Context, p tenant.ProjectID, traces []string) (int, error)
	DeleteExpiredShares(ctx context.Context, now time.Time) error
}

// Service makes and resolves links.
type Service struct {
	store Store
	now   func() time.Time
	rate  limiter
}

// New returns a Service; now nil means time.Now.
func New(store Store, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{store: store, now: now}
}

// Lives are how long links may last, by the names clients use.
var Lives = map[string]time.Duration{"1h": time.Hour, "1d": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// tokenPrefix tells a share's token from a key.
const tokenPrefix = "share-"

// Create makes a link; the token cannot be had again.
func (s *Service) Create(ctx context.Context, p tenant.ProjectID, trace, author string, life time.Duration, bodies bool) (token string, made Share, err error) {
	now := s.now().UTC()
	if err := s.store.DeleteExpiredShares(ctx, now); err != nil {
		return "", Share{}, err
	}
	token = id.Secret(tokenPrefix)
	made = Share{
		Hash: hashOf(token), ID: id.New(), Project: p, Trace: trace, Bodies: bodies, Author: author, Created: now, Expires: now.Add(life),
	}
	return token, made, s.store.CreateShare(ctx, made)
}

func hashOf(token string) string { return string(tenant.HashKey(token)) }

// gone is the one answer to tokens that are unknown, expired or taken back: they cannot be told apart.
var gone = fault.New(fault.NotFound, "this link does not exist, has expired or was taken back")

// Open returns the share behind a token. ip bounds how often it is asked: fault.RateLimited beyond that.
func (s *Service) Open(ctx context.Context, token, ip string) (Share, error) {
	now := s.now()
	if !s.rate.allow(ip, now) {
		return Share{}, &fault.Error{Kind: fault.RateLimited, Msg: "too many requests for shared traces", RetryAfter: time.Second}
	}
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 200 {
		return Share{}, gone
	}
	found, err := s.store.Share(ctx, hashOf(token))
	if fault.Is(err, fault.NotFound) || err == nil && !found.Expires.After(now) {
		return Share{}, gone
	}
	return found, err
}

// List is the links of a trace, or with "" of the project, that still work.
func (s *Service) List(ctx context.Context, p tenant.ProjectID, trace string) ([]Share, error) {
	return s.store.Shares(ctx, p, trace, s.now())
}

// Revoke takes a link back.
func (s *Service) Revoke(ctx context.Context, p tenant.ProjectID, id string) (Share, error) {
	return s.store.DeleteShare(ctx, p, id)
}

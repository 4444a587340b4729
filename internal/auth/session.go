package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/tenant"
)

// CookieName is the session cookie; CSRFHeader must repeat CSRF(r) on calls with it that change something.
const (
	CookieName = "weir_session"
	CSRFHeader = "X-CSRF-Token"
)

// SessionLife is how long a session lives after its last use.
const SessionLife = 12 * time.Hour

// Login links live at least and at most this long.
const (
	MinLinkLife = 5 * time.Second
	MaxLinkLife = 300 * time.Second
)

// liveSession is a session in memory; its expiry slides ahead of the stored one until the next flush.
type liveSession struct {
	Session
	expires atomic.Int64 // unix nano
	stored  atomic.Int64
}

func live(x Session) *liveSession {
	l := &liveSession{Session: x}
	l.expires.Store(x.Expires.UnixNano())
	l.stored.Store(x.Expires.UnixNano())
	return l
}

func (s *Service) loadSessions(ctx context.Context) error {
	stored, err := s.Store.Sessions(ctx, s.Now())
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(stored))
	for _, x := range stored {
		known[x.Hash] = true
		s.sessions.LoadOrStore(x.Hash, live(x))
	}
	s.sessions.Range(func(hash, _ any) bool {
		if !known[hash.(string)] {
			s.sessions.Delete(hash)
		}
		return true
	})
	return nil
}

// Login starts a session for a user's e-mail (or id) and password. The token is the cookie's value.
func (s *Service) Login(ctx context.Context, login, password, ip string) (token string, who *tenant.Identity, err error) {
	e, err := s.checkLogin(ctx, login, password, ip)
	if err != nil {
		return "", nil, err
	}
	s.noteLogin(ctx, &e.who, ip, "login")
	return s.startSession(ctx, e)
}

func (s *Service) startSession(ctx context.Context, e *userEntry) (string, *tenant.Identity, error) {
	token, now := id.Secret(""), s.Now().UTC()
	x := Session{Hash: string(tenant.HashKey(token)), User: e.user.ID, Created: now, Expires: now.Add(SessionLife)}
	s.change.Lock() // against a reload that has not seen it yet
	defer s.change.Unlock()
	if err := s.Store.CreateSession(ctx, x); err != nil {
		return "", nil, err
	}
	s.sessions.Store(x.Hash, live(x))
	return token, &e.who, nil
}

// Cookie carries a session's token; path is the base path of the UI and the API.
func Cookie(token, path string, secure bool) *http.Cookie {
	if path == "" {
		path = "/"
	}
	c := &http.Cookie{Name: CookieName, Value: token, Path: path, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode, MaxAge: int(30 * 24 * time.Hour / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// Logout ends the session of a request, if it has one.
func (s *Service) Logout(r *http.Request) error {
	x := s.session(r)
	if x == nil {
		return nil
	}
	s.sessions.Delete(x.Hash)
	if e := s.snap.Load().users[x.User]; e != nil {
		s.noteLogin(r.Context(), &e.who, s.ClientIP(r), "logout")
	}
	return s.Store.DeleteSessions(r.Context(), x.Hash)
}

// CSRF is the token for a request's session; "" without one.
func (s *Service) CSRF(r *http.Request) string {
	x := s.session(r)
	if x == nil {
		return ""
	}
	return s.Sealer.csrfToken(x.Hash)
}

// CSRFOf is the token for a session that was just started.
func (s *Service) CSRFOf(token string) string {
	return s.Sealer.csrfToken(string(tenant.HashKey(token)))
}

func (s *Service) session(r *http.Request) *liveSession {
	c, err := r.Cookie(CookieName)
	if err != nil {
		return nil
	}
	return s.lookup(c.Value)
}

func (s *Service) lookup(token string) *liveSession {
	v, ok := s.sessions.Load(string(tenant.HashKey(token)))
	if !ok || v.(*liveSession).expires.Load() <= s.Now().UnixNano() {
		return nil
	}
	return v.(*liveSession)
}

func (s *Service) bySession(r *http.Request, token string) (*tenant.Identity, error) {
	x := s.lookup(token)
	var e *userEntry
	if x != nil {
		e = s.snap.Load().users[x.User]
	}
	if e == nil {
		return nil, fault.New(fault.Unauthenticated, "Authentication Error, not logged in, or the session has expired")
	}
	if err := s.checkBrowser(r, x); err != nil {
		return nil, err
	}
	now := s.Now()
	if until := now.Add(SessionLife).UnixNano(); until-x.expires.Load() > int64(time.Minute) {
		x.expires.Store(until)
	}
	return s.choose(r, &e.who)
}

// checkBrowser guards what a browser adds a cookie to by itself.
func (s *Service) checkBrowser(r *http.Request, x *liveSession) error {
	if err := s.Hosts.CheckHost(r); err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if err := s.Hosts.checkOrigin(r); err != nil {
		return err
	}
	want := s.Sealer.csrfToken(x.Hash)
	if subtle.ConstantTimeCompare([]byte(r.Header.Get(CSRFHeader)), []byte(want)) != 1 {
		return fault.New(fault.Forbidden, "the %s header is missing or wrong; reload the page", CSRFHeader)
	}
	return nil
}

// CreateLoginLink returns the token of a login that works once, for ttl cut to 5–300 s. It needs no running Service.
func CreateLoginLink(ctx context.Context, st Store, login string, ttl time.Duration, now time.Time) (token string, err error) {
	u, err := findUser(ctx, st, login)
	if err != nil {
		return "", err
	}
	token = id.Secret("")
	l := LoginLink{Hash: string(tenant.HashKey(token)), User: u.ID, Expires: now.Add(min(max(ttl, MinLinkLife), MaxLinkLife))}
	return token, st.CreateLoginLink(ctx, l)
}

// Exchange starts a session for a login link's token.
func (s *Service) Exchange(ctx context.Context, token string) (session string, who *tenant.Identity, err error) {
	gone := fault.New(fault.Unauthenticated, "this login link has been used or has expired")
	l, err := s.Store.TakeLoginLink(ctx, string(tenant.HashKey(token)))
	if fault.Is(err, fault.NotFound) {
		return "", nil, gone
	} else if err != nil {
		return "", nil, err
	}
	e := s.snap.Load().users[l.User]
	if e == nil || !l.Expires.After(s.Now()) {
		return "", nil, gone
	}
	s.noteLogin(ctx, &e.who, "", "login.link")
	return s.startSession(ctx, e)
}

// ChangePassword sets the password of a logged-in user, who must know the old one, and ends all their sessions.
func (s *Service) ChangePassword(ctx context.Context, who *tenant.Identity, old, fresh, ip string) error {
	if _, err := s.checkLogin(ctx, string(who.User), old, ip); err != nil {
		return err
	}
	_, err := ResetPassword(ctx, s.Store, string(who.User), fresh)
	s.note(ctx, who, err, "user.password", string(who.User), nil)
	return errors.Join(err, s.Reload(ctx))
}

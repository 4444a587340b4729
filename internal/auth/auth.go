package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/audit"
	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/job"
	"weir/internal/money"
	"weir/internal/tenant"
)

// Spender knows what accounts have spent in their current window, and when it ends.
type Spender interface {
	Spent(scope tenant.Scope, id string, b tenant.Budget) money.Nano
	ResetAt(b tenant.Budget) time.Time
}

// Options of a Service. All are required but Spend, Local, ClientIP, Now and Audit.
type Options struct {
	Store     Store
	Sealer    *Sealer
	MasterKey string
	Hosts     *Hosts
	Spend     Spender
	// Local lets a caller on this machine, without a credential, act as a member of the default project.
	Local bool
	// ClientIP is the address of a caller behind trusted proxies; nil takes the connection's.
	ClientIP func(*http.Request) string
	Log      *slog.Logger
	Now      func() time.Time
	// Audit is told of logins and of what is changed; nil = nobody is.
	Audit audit.Log
}

// Service verifies callers and manages what they are verified against.
type Service struct {
	Options
	master   [sha256.Size]byte
	verifier *verifier
	throttle *throttle
	own      *Hosts // names by which callers without a credential may come
	snap     atomic.Pointer[snapshot]
	sessions sync.Map // hash → *liveSession
	change   sync.Mutex
	version  int64 // of the store's data, guarded by change
	loop     *job.Loop
}

// New loads the snapshot and returns a Service that is ready to verify.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClientIP == nil {
		o.ClientIP = func(r *http.Request) string { return hostname(r.RemoteAddr) }
	}
	s := &Service{Options: o, master: sha256.Sum256([]byte(o.MasterKey)), verifier: newVerifier(), throttle: newThrottle(), own: o.Hosts.named()}
	if err := s.Reload(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads everything from the store again, for changes made by other processes.
func (s *Service) Reload(ctx context.Context) error {
	s.change.Lock()
	defer s.change.Unlock()
	return s.reload(ctx)
}

func (s *Service) reload(ctx context.Context) error {
	fresh, err := load(ctx, s.Store)
	if err != nil {
		return fmt.Errorf("auth: load snapshot: %w", err)
	}
	if old := s.snap.Load(); old != nil {
		for id, e := range fresh.keys {
			if was := old.keys[id]; was != nil {
				e.used = was.used
			}
		}
	}
	s.snap.Store(fresh)
	return s.loadSessions(ctx)
}

// Authenticate verifies the credential of a request. Of several credentials the first good one counts; without one,
// the error is about the first.
func (s *Service) Authenticate(r *http.Request) (*tenant.Identity, error) {
	var first error
	for _, c := range credentials(r.Header) {
		who, err := s.verify(r, c)
		if err == nil {
			return s.choose(r, who)
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return nil, first
	}
	if c, err := r.Cookie(CookieName); err == nil && c.Value != "" {
		who, err := s.bySession(r, c.Value)
		if err == nil || !s.isLocal(r) {
			return who, err
		}
	}
	if s.isLocal(r) {
		return s.local(r)
	}
	return nil, fault.New(fault.Unauthenticated, "Authentication Error, No api key passed in.")
}

func (s *Service) verify(r *http.Request, c credential) (*tenant.Identity, error) {
	switch c.kind {
	case tokenCredential:
		return s.byToken(c.token)
	case basicCredential:
		if strings.HasPrefix(c.pass, "sk-") {
			return s.byToken(c.pass)
		}
		return s.byPassword(r, c.user, c.pass)
	case awsCredential:
		return nil, fault.New(fault.Unauthenticated, "Authentication Error, SigV4 signatures are not accepted here. "+
			"Send a Weir key as a bearer token, e.g. by setting AWS_BEARER_TOKEN_BEDROCK=sk-…")
	}
	return nil, fault.New(fault.Unauthenticated, "Authentication Error, the Authorization header is malformed; send \"Bearer sk-…\" or Basic credentials")
}

// byToken verifies a key. Nothing tells a caller more than that a key is unknown, expired or blocked.
func (s *Service) byToken(token string) (*tenant.Identity, error) {
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], s.master[:]) == 1 {
		return &masterIdentity, nil
	}
	e := s.snap.Load().keys[keyID(sum)]
	if e == nil {
		return nil, &fault.Error{
			Kind: fault.Unauthenticated, Field: "key",
			Msg: fmt.Sprintf("Authentication Error, Invalid proxy server token passed. Received API Key = %s. Unable to find token", tenant.DisplayName(token)),
		}
	}
	now := s.Now()
	if err := e.usable(now); err != nil {
		return nil, err
	}
	if n := now.UnixNano(); n-e.used.seen.Load() > int64(time.Second) {
		e.used.seen.Store(n)
	}
	return &e.who, nil
}

var masterIdentity = tenant.Identity{
	Means: tenant.ByMaster, Role: tenant.RoleAdmin, Org: tenant.DefaultOrg, Project: tenant.DefaultProject, Key: tenant.MasterKey,
	KeyAlias: "master key",
	Accounts: []tenant.Account{{Scope: tenant.ScopeKey, ID: string(tenant.MasterKey), Alias: "master key"}},
}

// usable says what LiteLLM says, with its 401, about keys that were good once.
func (e *keyEntry) usable(now time.Time) error {
	switch k := &e.key; {
	case k.Blocked:
		return fault.New(fault.Unauthenticated, "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin.")
	case e.team != nil && e.team.Blocked:
		return fault.New(fault.Unauthenticated, "Authentication Error, Team=%s is blocked. Update via `/team/unblock` if you're an admin.", e.team.ID)
	case !k.Expires.IsZero() && !k.Expires.After(now):
		return fault.New(fault.Expired, "Authentication Error - Expired Key. Key Expiry time %s and current time %s",
			pythonTime(k.Expires), pythonTime(now))
	}
	return nil
}

func pythonTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000-07:00") }

func (s *Service) byPassword(r *http.Request, login, password string) (*tenant.Identity, error) {
	e, err := s.checkLogin(r.Context(), login, password, s.ClientIP(r))
	if err != nil {
		return nil, err
	}
	who := e.who
	who.Means = tenant.ByPassword
	return &who, nil
}

// checkLogin verifies a user by e-mail, id or name.
func (s *Service) checkLogin(ctx context.Context, login, password, ip string) (*userEntry, error) {
	now := s.Now()
	account := strings.ToLower(login)
	if err := s.throttle.allow(ip, account, now); err != nil {
		return nil, err
	}
	e := s.snap.Load().findLogin(login)
	phc := ""
	if e != nil {
		phc = e.user.Password
	}
	ok, err := s.verifier.check(ctx, phc, password, now)
	if err != nil {
		return nil, err
	}
	if !ok {
		s.throttle.failed(ip, account, now)
		s.noteRefusal(ctx, e, ip)
		return nil, fault.New(fault.Unauthenticated, "Authentication Error, wrong user or password")
	}
	return e, nil
}

func (s *snapshot) findLogin(login string) *userEntry {
	if e := s.logins[strings.ToLower(login)]; e != nil {
		return e
	}
	if e := s.users[tenant.UserID(login)]; e != nil {
		return e
	}
	return nil
}

// choose applies X-Weir-Project (or MLflow's workspace header) to a verified caller.
func (s *Service) choose(r *http.Request, who *tenant.Identity) (*tenant.Identity, error) {
	explicit := tenant.ProjectID(r.Header.Get("X-Weir-Project"))
	want := explicit
	if want == "" {
		want = tenant.ProjectID(r.Header.Get("X-Mlflow-Workspace"))
	}
	if want == "" || want == who.Project {
		return who, nil
	}
	snap := s.snap.Load()
	p, exists := snap.projects[want]
	allowed := who.Role == tenant.RoleAdmin
	if u := snap.users[who.User]; !allowed && u != nil && (who.Means == tenant.BySession || who.Means == tenant.ByPassword) {
		allowed = mayEnter(&u.user, want)
	}
	switch {
	case !allowed && explicit == "": // MLflow clients send a workspace by habit; a key has its own project
		return who, nil
	case !allowed:
		return nil, fault.New(fault.Forbidden, "this credential belongs to project %q and cannot act in another", who.Project)
	case !exists:
		return nil, fault.New(fault.NotFound, "project %q does not exist", clip.To(string(want), 100))
	}
	c := *who
	c.Project, c.Org = p.ID, p.Org
	return &c, nil
}

var forwardingHeaders = [...]string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Real-Ip", "Via", "Cf-Connecting-Ip", "True-Client-Ip",
}

// isLocal reports whether a caller without credential is a program on this machine, and not one behind a proxy or a
// page in its browser.
func (s *Service) isLocal(r *http.Request) bool {
	if !s.Local || !isLoopback(r.RemoteAddr) || !s.own.Allows(r.Host) {
		return false
	}
	listener, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !isLoopback(listener.String()) {
		return false
	}
	for _, h := range forwardingHeaders {
		if len(r.Header[h]) > 0 {
			return false
		}
	}
	return s.own.checkOrigin(r) == nil
}

func isLoopback(addr string) bool {
	ip, err := netip.ParseAddr(hostname(addr))
	return err == nil && ip.Unmap().IsLoopback()
}

func (s *Service) local(r *http.Request) (*tenant.Identity, error) {
	return s.choose(r, &tenant.Identity{Means: tenant.ByLocal, Role: tenant.RoleMember, Org: tenant.DefaultOrg, Project: tenant.DefaultProject})
}

func keyID(sum [sha256.Size]byte) tenant.KeyID {
	const digits = "0123456789abcdef"
	var b [2 * sha256.Size]byte
	for i, x := range sum {
		b[2*i], b[2*i+1] = digits[x>>4], digits[x&15]
	}
	return tenant.KeyID(b[:])
}

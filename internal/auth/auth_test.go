package auth_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/auth"
	"weir/internal/budget"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/store/sqlite"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	master   = "sk-master-of-tests"
	password = "correct horse"
)

// fixture is a Service over a real store, with a clock that tests move.
type fixture struct {
	*auth.Service
	t      *testing.T
	store  *sqlite.Store
	limits *budget.Limiter
	path   string
	clock  *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func setup(t *testing.T, local bool) *fixture {
	t.Helper()
	return setupFor(t, local, "weir.example.com")
}

func setupFor(t *testing.T, local bool, host string) *fixture {
	t.Helper()
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "rows.db"), clock: &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}}
	var err error
	f.store, err = sqlite.Open(f.path)
	must(t, err)
	t.Cleanup(func() { must(t, f.store.Close()) })
	_, err = auth.Bootstrap(t.Context(), f.store, "admin@example.com", password, f.clock.Now())
	must(t, err)
	must(t, f.store.CreateProject(t.Context(), tenant.Project{ID: "other", Org: tenant.DefaultOrg, Name: "Other", Created: f.clock.Now()}))
	sealer, err := auth.NewSealer("a secret long enough for tests")
	must(t, err)
	f.limits = budget.NewLimiter(f.clock.Now)
	f.Service, err = auth.New(t.Context(), auth.Options{
		Store: f.store, Sealer: sealer, MasterKey: master, Hosts: auth.NewHosts(nil, "", []string{host}), Spend: f.limits,
		Local: local, Log: slog.New(slog.DiscardHandler), Now: f.clock.Now,
	})
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func admin() *tenant.Identity {
	return &tenant.Identity{Means: tenant.ByMaster, Role: tenant.RoleAdmin, Org: tenant.DefaultOrg, Project: tenant.DefaultProject, Key: tenant.MasterKey}
}

func (f *fixture) key(k tenant.Key) (tenant.Key, string) {
	f.t.Helper()
	k, secret, err := f.GenerateKey(f.t.Context(), admin(), k, "")
	must(f.t, err)
	return k, secret
}

// request has alternating header names and values.
func request(method string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://localhost:4000/x", nil)
	r.RemoteAddr = "127.0.0.1:5555"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func basic(user, pass string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+pass))
}

func TestAuthenticate(t *testing.T) {
	f := setup(t, false)
	team, err := f.CreateTeam(t.Context(), admin(), tenant.Team{Alias: "blocked", Blocked: true})
	must(t, err)
	_, good := f.key(tenant.Key{Alias: "good"})
	_, expired := f.key(tenant.Key{Expires: f.clock.Now()})
	_, blocked := f.key(tenant.Key{Blocked: true})
	_, teamBlocked := f.key(tenant.Key{Team: team.ID})
	deleted, gone := f.key(tenant.Key{})
	must(t, f.DeleteKey(t.Context(), admin(), deleted.ID))

	for name, c := range map[string]struct {
		header []string
		kind   fault.Kind // "" = good
		words  string     // of the error
		means  tenant.Means
	}{
		"none":                     {nil, fault.Unauthenticated, "No api key passed in", ""},
		"key":                      {[]string{"Authorization", "Bearer " + good}, "", "", tenant.ByKey},
		"x-api-key":                {[]string{"X-Api-Key", good}, "", "", tenant.ByKey},
		"basic key pair":           {[]string{"Authorization", basic("pk-anything", good)}, "", "", tenant.ByKey},
		"master":                   {[]string{"Authorization", "Bearer " + master}, "", "", tenant.ByMaster},
		"nearly master":            {[]string{"Authorization", "Bearer " + master + "x"}, fault.Unauthenticated, "sk-...", ""},
		"unknown":                  {[]string{"Authorization", "Bearer sk-unknown"}, fault.Unauthenticated, "Invalid proxy server token passed", ""},
		"hash of a key":            {[]string{"Authorization", "Bearer " + string(tenant.HashKey(good))}, fault.Unauthenticated, "", ""},
		"deleted":                  {[]string{"Authorization", "Bearer " + gone}, fault.Unauthenticated, "", ""},
		"expired":                  {[]string{"Authorization", "Bearer " + expired}, fault.Expired, "Authentication Error - Expired Key. Key Expiry time 2026-03-04 05:06:07", ""},
		"blocked":                  {[]string{"Authorization", "Bearer " + blocked}, fault.Unauthenticated, "Key is blocked. Update via `/key/unblock`", ""},
		"team blocked":             {[]string{"Authorization", "Bearer " + teamBlocked}, fault.Unauthenticated, "is blocked. Update via `/team/unblock`", ""},
		"wrong then right":         {[]string{"Authorization", "Bearer sk-other-service", "X-Api-Key", good}, "", "", tenant.ByKey},
		"right then wrong":         {[]string{"Authorization", "Bearer " + good, "X-Litellm-Api-Key", "sk-wrong"}, "", "", tenant.ByKey},
		"two wrong tell the first": {[]string{"Authorization", "Bearer " + blocked, "X-Api-Key", "sk-wrong"}, fault.Unauthenticated, "blocked", ""},
		"sigv4":                    {[]string{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}, fault.Unauthenticated, "AWS_BEARER_TOKEN_BEDROCK", ""},
		"malformed":                {[]string{"Authorization", "Digest x"}, fault.Unauthenticated, "malformed", ""},
		"user and password":        {[]string{"Authorization", basic("ADMIN@example.com", password)}, "", "", tenant.ByPassword},
		"wrong password":           {[]string{"Authorization", basic("admin@example.com", "wrong")}, fault.Unauthenticated, "wrong user or password", ""},
		"unknown user":             {[]string{"Authorization", basic("nobody@example.com", password)}, fault.Unauthenticated, "wrong user or password", ""},
		"foreign cookie":           {[]string{"Cookie", "weir_session=abc"}, fault.Unauthenticated, "session", ""},
		"wrong project":            {[]string{"Authorization", "Bearer " + good, "X-Weir-Project", "other"}, fault.Forbidden, "cannot act in another", ""},
		"own project":              {[]string{"Authorization", "Bearer " + good, "X-Weir-Project", "default"}, "", "", tenant.ByKey},
		"workspace of a habit":     {[]string{"Authorization", "Bearer " + good, "X-Mlflow-Workspace", "other"}, "", "", tenant.ByKey},
		"unknown project":          {[]string{"Authorization", "Bearer " + master, "X-Weir-Project", "nowhere"}, fault.NotFound, "does not exist", ""},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := f.Authenticate(request("POST", c.header...))
			if c.kind == "" {
				if err != nil || who.Means != c.means {
					t.Fatalf("%+v, %v", who, err)
				}
				if who.Project != tenant.DefaultProject {
					t.Errorf("project %q", who.Project)
				}
				return
			}
			if who != nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.words) {
				t.Fatalf("%+v, %q %v", who, fault.KindOf(err), err)
			}
			for _, secret := range []string{good, expired, blocked, master} {
				if strings.Contains(err.Error(), secret) {
					t.Error("the message holds a secret")
				}
			}
		})
	}
}

func TestMasterChoosesProject(t *testing.T) {
	f := setup(t, false)
	who, err := f.Authenticate(request("GET", "Authorization", "Bearer "+master, "X-Weir-Project", "other"))
	must(t, err)
	if who.Project != "other" || !who.IsAdmin() {
		t.Fatalf("%+v", who)
	}
	plain, err := f.Authenticate(request("GET", "Authorization", "Bearer "+master))
	must(t, err)
	if plain.Project != tenant.DefaultProject {
		t.Fatal("the choice of one request reached another")
	}
}

func TestIdentityOfKey(t *testing.T) {
	f := setup(t, false)
	limit := 3 * money.Dollar
	u, err := f.CreateUser(t.Context(), admin(), tenant.User{Email: "dev@example.com", Budget: tenant.Budget{Max: &limit, Period: "1d"}}, "")
	must(t, err)
	team, err := f.CreateTeam(t.Context(), admin(), tenant.Team{Alias: "Blue", Models: []string{"gpt-*"}})
	must(t, err)
	_, secret := f.key(tenant.Key{Alias: "ci", Email: "DEV@example.com", Team: team.ID, Models: []string{"gpt-5"}, RPM: 7, Tags: []string{"x"}, Metadata: jsonx.Raw(`{"a":1}`)})
	who, err := f.Authenticate(request("POST", "Authorization", "Bearer "+secret))
	must(t, err)
	if who.User != u.ID || who.Team != team.ID || who.TeamAlias != "Blue" || who.RPM != 7 || who.Role != tenant.RoleMember || len(who.Accounts) != 3 {
		t.Fatalf("%+v", who)
	}
	if a := who.Accounts[1]; a.Scope != tenant.ScopeUser || *a.Budget.Max != limit {
		t.Fatalf("%+v", a)
	}
	if who.MayCall("gpt-5") != nil || who.MayCall("gpt-4") == nil {
		t.Error("models")
	}
	_, err = f.UpdateTeam(t.Context(), admin(), team.ID, func(x *tenant.Team) error { x.Models = []string{"claude"}; return nil })
	must(t, err)
	who, err = f.Authenticate(request("POST", "Authorization", "Bearer "+secret))
	must(t, err)
	if who.MayCall("gpt-5") == nil {
		t.Error("a change of the team does not reach its keys")
	}
}

// localRequest arrives at a listener.
func localRequest(listener string, header ...string) *http.Request {
	r := request("POST", header...)
	addr, _ := net.ResolveTCPAddr("tcp", listener)
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
}

func TestLocal(t *testing.T) {
	f := setup(t, true)
	for name, c := range map[string]struct {
		listener string
		change   func(*http.Request)
		good     bool
	}{
		"plain":               {"127.0.0.1:4000", func(*http.Request) {}, true},
		"ipv6":                {"[::1]:4000", func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:9", "[::1]:4000" }, true},
		"listener elsewhere":  {"10.0.0.1:4000", func(*http.Request) {}, false},
		"remote elsewhere":    {"127.0.0.1:4000", func(r *http.Request) { r.RemoteAddr = "10.0.0.2:1" }, false},
		"forwarded":           {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.2") }, false},
		"forwarded, standard": {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Forwarded", "for=10.0.0.2") }, false},
		"forwarded, empty":    {"127.0.0.1:4000", func(r *http.Request) { r.Header["X-Real-Ip"] = []string{""} }, false},
		"foreign host":        {"127.0.0.1:4000", func(r *http.Request) { r.Host = "evil.example.com" }, false},
		"foreign address":     {"127.0.0.1:4000", func(r *http.Request) { r.Host = "10.0.0.9:4000" }, false},
		"foreign page":        {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }, false},
		"cross-site":          {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, false},
		"null origin":         {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Origin", "null") }, false},
		"own page":            {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:4000") }, true},
		"wrong key":           {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk-wrong") }, false},
		"stale cookie":        {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("Cookie", "weir_session=old") }, true},
		"other project":       {"127.0.0.1:4000", func(r *http.Request) { r.Header.Set("X-Weir-Project", "other") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := localRequest(c.listener)
			c.change(r)
			who, err := f.Authenticate(r)
			if c.good != (err == nil) {
				t.Fatalf("%+v, %v", who, err)
			}
			if c.good && (who.Means != tenant.ByLocal || who.Role != tenant.RoleMember || who.Project != tenant.DefaultProject) {
				t.Fatalf("%+v", who)
			}
		})
	}
	if _, err := setup(t, false).Authenticate(localRequest("127.0.0.1:4000")); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal("without --local:", err)
	}
	anyHost := setupFor(t, true, "*") // every name is allowed to those with a credential, none to a page that has none
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Host = "evil.example.com" },
		func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") },
	} {
		r := localRequest("127.0.0.1:4000")
		change(r)
		if who, err := anyHost.Authenticate(r); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%+v, %v", who, err)
		}
	}
}

func TestSession(t *testing.T) {
	f := setup(t, false)
	if _, _, err := f.Login(t.Context(), "admin@example.com", "wrong", "10.0.0.1"); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	token, who, err := f.Login(t.Context(), "Admin@Example.com", password, "10.0.0.1")
	must(t, err)
	if !who.IsAdmin() || who.Means != tenant.BySession {
		t.Fatalf("%+v", who)
	}
	csrf := f.CSRFOf(token)
	cookie := auth.Cookie(token, "", true)
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Fatal(cookie)
	}
	call := func(method string, header ...string) error {
		_, err := f.Authenticate(request(method, append(header, "Cookie", "weir_session="+token)...))
		return err
	}
	must(t, call("GET"))
	must(t, call("POST", "X-CSRF-Token", csrf))
	must(t, call("POST", "X-CSRF-Token", csrf, "Origin", "http://localhost:4000", "Sec-Fetch-Site", "same-origin"))
	must(t, call("POST", "X-CSRF-Token", csrf, "Origin", "https://weir.example.com"))
	for name, header := range map[string][]string{
		"no csrf": {}, "wrong csrf": {"X-CSRF-Token", csrf + "x"}, "foreign origin": {"X-CSRF-Token", csrf, "Origin", "https://evil.example.com"},
		"cross-site": {"X-CSRF-Token", csrf, "Sec-Fetch-Site", "cross-site"},
	} {
		if err := call("DELETE", header...); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := request("GET", "Cookie", "weir_session="+token)
	r.Host = "rebound.example.com"
	if _, err := f.Authenticate(r); !fault.Is(err, fault.Forbidden) {
		t.Error("foreign host:", err)
	}

	f.clock.advance(auth.SessionLife - time.Minute)
	must(t, call("GET")) // slides
	f.clock.advance(auth.SessionLife - time.Minute)
	must(t, call("GET"))
	must(t, f.Flush(t.Context()))
	must(t, f.Reload(t.Context())) // as after a restart
	must(t, call("GET"))
	f.clock.advance(auth.SessionLife + time.Second)
	if err := call("GET"); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal("an expired session works:", err)
	}

	token, _, err = f.Login(t.Context(), "admin@example.com", password, "10.0.0.1")
	must(t, err)
	must(t, f.Logout(request("POST", "Cookie", "weir_session="+token)))
	if err := call("GET"); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal("works after logout:", err)
	}
}

func TestSessionsAreStoredHashed(t *testing.T) {
	f := setup(t, false)
	token, _, err := f.Login(t.Context(), "admin@example.com", password, "")
	must(t, err)
	stored, err := f.store.Sessions(t.Context(), f.clock.Now())
	must(t, err)
	if len(stored) != 1 || strings.Contains(stored[0].Hash, token) {
		t.Fatalf("%+v", stored)
	}
	if _, err := f.Authenticate(request("GET", "Cookie", "weir_session="+stored[0].Hash)); err == nil {
		t.Fatal("the stored hash opens the session")
	}
}

func TestLoginIsThrottled(t *testing.T) {
	f := setup(t, false)
	for range 10 {
		_, _, err := f.Login(t.Context(), "nobody@example.com", "wrong", "10.0.0.1")
		if !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if _, _, err := f.Login(t.Context(), "nobody@example.com", "wrong", "10.0.0.1"); !fault.Is(err, fault.RateLimited) {
		t.Fatal(err)
	}
	if _, _, err := f.Login(t.Context(), "admin@example.com", password, "10.0.0.1"); err != nil {
		t.Fatal("another account is locked out:", err)
	}
}

func TestLoginLink(t *testing.T) {
	f := setup(t, false)
	link := func(ttl time.Duration) string {
		token, err := auth.CreateLoginLink(t.Context(), f.store, "", ttl, f.clock.Now())
		must(t, err)
		return token
	}
	token := link(time.Minute)
	session, who, err := f.Exchange(t.Context(), token)
	must(t, err)
	if !who.IsAdmin() {
		t.Fatalf("%+v", who)
	}
	if _, err := f.Authenticate(request("GET", "Cookie", "weir_session="+session)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Exchange(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal("used twice:", err)
	}
	token = link(24 * time.Hour) // cut to 300 s
	f.clock.advance(auth.MaxLinkLife)
	if _, _, err := f.Exchange(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal("used too late:", err)
	}
	if _, err := auth.CreateLoginLink(t.Context(), f.store, "nobody@example.com", time.Minute, f.clock.Now()); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
}

func TestResetPassword(t *testing.T) {
	f := setup(t, false)
	token, _, err := f.Login(t.Context(), "admin@example.com", password, "")
	must(t, err)
	fresh, err := auth.ResetPassword(t.Context(), f.store, "admin@example.com", "")
	must(t, err)
	must(t, f.Reload(t.Context()))
	if _, err := f.Authenticate(request("GET", "Cookie", "weir_session="+token)); err == nil {
		t.Fatal("an old session survives")
	}
	if _, _, err := f.Login(t.Context(), "admin@example.com", password, ""); err == nil {
		t.Fatal("the old password still works, perhaps remembered")
	}
	_, _, err = f.Login(t.Context(), "admin@example.com", fresh, "")
	must(t, err)
	if _, err := auth.ResetPassword(t.Context(), f.store, "admin@example.com", "short"); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
}

func TestBootstrapTwice(t *testing.T) {
	f := setup(t, false)
	a, err := auth.Bootstrap(t.Context(), f.store, "", "", f.clock.Now())
	must(t, err)
	if a.Created || a.Password != "" || a.Email != "admin@example.com" {
		t.Fatalf("%+v", a)
	}
	a, err = auth.Bootstrap(t.Context(), f.store, "second@example.com", "", f.clock.Now())
	must(t, err)
	if !a.Created || len(a.Password) < 20 {
		t.Fatalf("%+v", a)
	}
}

func TestKeysAreScopedAndGuarded(t *testing.T) {
	f := setup(t, false)
	k, secret := f.key(tenant.Key{Alias: "a", User: "someone"})
	other := admin()
	other.Project = "other"
	member, err := f.Authenticate(request("GET", "Authorization", "Bearer "+secret))
	must(t, err)
	edit := func(*tenant.Key) error { return nil }
	ctx := t.Context()
	for name, c := range map[string]struct {
		do   func(who *tenant.Identity) error
		kind fault.Kind
	}{
		"get":    {func(who *tenant.Identity) error { _, err := f.Key(who, k.ID); return err }, ""},
		"update": {func(who *tenant.Identity) error { _, err := f.UpdateKey(ctx, who, k.ID, edit); return err }, fault.Forbidden},
		"block":  {func(who *tenant.Identity) error { _, err := f.BlockKey(ctx, who, k.ID, true); return err }, fault.Forbidden},
		"delete": {func(who *tenant.Identity) error { return f.DeleteKey(ctx, who, k.ID) }, fault.Forbidden},
		"create": {func(who *tenant.Identity) error { _, _, err := f.GenerateKey(ctx, who, tenant.Key{}, ""); return err }, fault.Forbidden},
	} {
		if got := fault.KindOf(c.do(member)); got != c.kind {
			t.Errorf("%s by a member: %q", name, got)
		}
		if name == "create" {
			continue
		}
		if got := fault.KindOf(c.do(other)); got != fault.NotFound {
			t.Errorf("%s from another project: %q", name, got)
		}
	}
	_, stranger := f.key(tenant.Key{})
	who, err := f.Authenticate(request("GET", "Authorization", "Bearer "+stranger))
	must(t, err)
	if _, err := f.Key(who, k.ID); !fault.Is(err, fault.Forbidden) {
		t.Error("a key reads another:", err)
	}
	if _, n := f.Keys(who, auth.KeyQuery{}); n != 1 {
		t.Errorf("a key lists %d keys", n)
	}
	if _, n := f.Keys(other, auth.KeyQuery{}); n != 0 {
		t.Errorf("another project lists %d keys", n)
	}
	if page, n := f.Keys(admin(), auth.KeyQuery{Limit: 1, Offset: 1}); n != 2 || len(page) != 1 {
		t.Errorf("%d of %d keys", len(page), n)
	}
}

func TestKeyValidation(t *testing.T) {
	f := setup(t, false)
	f.key(tenant.Key{Alias: "taken"})
	negative := money.Nano(-1)
	for name, c := range map[string]struct {
		key    tenant.Key
		secret string
		kind   fault.Kind
	}{
		"bad secret":     {tenant.Key{}, "pk-1234567", fault.Invalid},
		"short secret":   {tenant.Key{}, "sk-1", fault.Invalid},
		"master":         {tenant.Key{}, master, fault.Conflict},
		"alias taken":    {tenant.Key{Alias: "taken"}, "", fault.Conflict},
		"no such team":   {tenant.Key{Team: "nowhere"}, "", fault.Invalid},
		"budget":         {tenant.Key{Budget: tenant.Budget{Max: &negative}}, "", fault.Invalid},
		"period":         {tenant.Key{Budget: tenant.Budget{Period: "soon"}}, "", fault.Invalid},
		"rpm":            {tenant.Key{RPM: -1}, "", fault.Invalid},
		"metadata":       {tenant.Key{Metadata: jsonx.Raw(`[1]`)}, "", fault.Invalid},
		"empty model":    {tenant.Key{Models: []string{""}}, "", fault.Invalid},
		"alias too long": {tenant.Key{Alias: strings.Repeat("x", 300)}, "", fault.Invalid},
	} {
		if _, _, err := f.GenerateKey(t.Context(), admin(), c.key, c.secret); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %q %v", name, fault.KindOf(err), err)
		}
	}
	_, _, err := f.GenerateKey(t.Context(), admin(), tenant.Key{}, "sk-custom-value")
	must(t, err)
	if _, _, err := f.GenerateKey(t.Context(), admin(), tenant.Key{}, "sk-custom-value"); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
}

func TestKeysSurviveARestartAndShowSpend(t *testing.T) {
	f := setup(t, false)
	k, secret := f.key(tenant.Key{Alias: "a"})
	who, err := f.Authenticate(request("POST", "Authorization", "Bearer "+secret))
	must(t, err)
	settle, err := f.limits.Reserve(who, money.Dollar, 0)
	must(t, err)
	settle(money.Dollar/2, 0)
	must(t, f.Flush(t.Context()))
	must(t, f.Reload(t.Context()))
	got, err := f.Key(admin(), k.ID)
	must(t, err)
	if got.Spend != money.Dollar/2 || !got.LastUsed.Equal(f.clock.Now()) || got.Alias != "a" {
		t.Fatalf("%+v", got)
	}
	stored, err := f.store.Key(t.Context(), tenant.DefaultProject, k.ID)
	must(t, err)
	if !stored.LastUsed.Equal(f.clock.Now()) {
		t.Fatal("the use was not stored")
	}
}

func TestChangesOfOtherProcesses(t *testing.T) {
	f := setup(t, false)
	second, err := sqlite.Open(f.path)
	must(t, err)
	defer second.Close()
	must(t, f.RunOnce(t.Context()))
	must(t, second.CreateKey(t.Context(), tenant.Key{ID: tenant.HashKey("sk-from-the-cli"), Org: "default", Project: "default", Created: f.clock.Now()}))
	call := request("GET", "Authorization", "Bearer sk-from-the-cli")
	if _, err := f.Authenticate(call); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	must(t, f.RunOnce(t.Context()))
	_, err = f.Authenticate(call)
	must(t, err)
}

func TestStopFlushes(t *testing.T) {
	f := setup(t, false)
	k, secret := f.key(tenant.Key{})
	must(t, f.Start(t.Context()))
	_, err := f.Authenticate(request("GET", "Authorization", "Bearer "+secret))
	must(t, err)
	f.Stop()
	stored, err := f.store.Key(t.Context(), tenant.DefaultProject, k.ID)
	must(t, err)
	if stored.LastUsed.IsZero() {
		t.Fatal("the use was lost")
	}
}

func TestFile(t *testing.T) {
	f := setup(t, false)
	ctx := t.Context()
	file := auth.File{
		Users: []tenant.User{{ID: "u", Email: "u@example.com"}},
		Teams: []tenant.Team{{ID: "t", Alias: "T"}},
		Keys:  []tenant.Key{{ID: tenant.HashKey("sk-in-file"), Name: "sk-...file", Alias: "ci", Team: "t", User: "u"}},
	}
	must(t, f.SetFile(ctx, file))
	must(t, f.SetFile(ctx, file)) // idempotent
	who, err := f.Authenticate(request("GET", "Authorization", "Bearer sk-in-file"))
	must(t, err)
	if who.Email != "u@example.com" || who.TeamAlias != "T" {
		t.Fatalf("%+v", who)
	}
	edit := func(k *tenant.Key) error { k.Alias = "x"; return nil }
	for name, err := range map[string]error{
		"update": second(f.UpdateKey(ctx, admin(), who.Key, edit)), "delete": f.DeleteKey(ctx, admin(), who.Key),
		"block": second(f.BlockKey(ctx, admin(), who.Key, true)),
		"team":  second(f.UpdateTeam(ctx, admin(), "t", func(*tenant.Team) error { return nil })),
		"user":  second(f.UpdateUser(ctx, admin(), "u", func(*tenant.User) error { return nil })),
	} {
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "configuration file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, outside := f.key(tenant.Key{Team: "t"})
	file.Keys[0].Alias, file.Keys[0].Models = "ci2", []string{"gpt"}
	must(t, f.SetFile(ctx, file))
	who, err = f.Authenticate(request("GET", "Authorization", "Bearer sk-in-file"))
	must(t, err)
	if who.KeyAlias != "ci2" || who.MayCall("claude") == nil {
		t.Fatalf("%+v", who)
	}
	must(t, f.SetFile(ctx, auth.File{}))
	if _, err := f.Authenticate(request("GET", "Authorization", "Bearer sk-in-file")); !fault.Is(err, fault.Unauthenticated) {
		t.Error("a key that left the file still works:", err)
	}
	if _, err := f.Authenticate(request("GET", "Authorization", "Bearer "+outside)); err == nil || !strings.Contains(err.Error(), "Team=t is blocked") {
		t.Error("a key of a team that left the file:", err)
	}
	err = f.SetFile(ctx, auth.File{Keys: []tenant.Key{{ID: tenant.HashKey(outside)}}})
	if !fault.Is(err, fault.Conflict) {
		t.Error("the file took over a key:", err)
	}
}

// A file that is refused halfway changes nothing, in the store or in the process.
func TestARefusedFileChangesNothing(t *testing.T) {
	f := setup(t, false)
	ctx := t.Context()
	secret := func(alias string) tenant.Key { return tenant.Key{ID: tenant.HashKey("sk-" + alias), Alias: alias} }
	must(t, f.SetFile(ctx, auth.File{Users: []tenant.User{{ID: "u"}}, Teams: []tenant.Team{{ID: "t"}}, Keys: []tenant.Key{secret("leaves"), secret("stays")}}))
	f.key(tenant.Key{Alias: "taken"})
	err := f.SetFile(ctx, auth.File{Users: []tenant.User{{ID: "new"}}, Teams: []tenant.Team{{ID: "t", Alias: "changed"}}, Keys: []tenant.Key{secret("stays"), secret("taken")}})
	if !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	for alias, want := range map[string]bool{"leaves": true, "stays": true, "taken": false} {
		if _, err := f.Authenticate(request("GET", "Authorization", "Bearer sk-"+alias)); (err == nil) != want {
			t.Errorf("key %s: %v", alias, err)
		}
		if _, err := f.store.Key(ctx, tenant.DefaultProject, tenant.HashKey("sk-"+alias)); (err == nil) != want {
			t.Errorf("key %s in the store: %v", alias, err)
		}
	}
	if _, err := f.store.User(ctx, "u"); err != nil {
		t.Error(err)
	}
	if _, err := f.store.User(ctx, "new"); !fault.Is(err, fault.NotFound) {
		t.Error("a user of the refused file is there:", err)
	}
	if team, err := f.store.Team(ctx, tenant.DefaultProject, "t"); err != nil || team.Alias != "" {
		t.Errorf("%+v %v", team, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestMembersProjects(t *testing.T) {
	f := setup(t, false)
	_, err := f.CreateUser(t.Context(), admin(), tenant.User{ID: "m", Email: "m@example.com", Projects: []tenant.ProjectID{"other"}}, password)
	must(t, err)
	token, who, err := f.Login(t.Context(), "m@example.com", password, "")
	must(t, err)
	if who.Project != "other" || who.IsAdmin() {
		t.Fatalf("%+v", who)
	}
	if ps := f.Projects(who); len(ps) != 1 || ps[0].ID != "other" {
		t.Fatalf("%+v", ps)
	}
	if _, err := f.Authenticate(request("GET", "Cookie", "weir_session="+token, "X-Weir-Project", "default")); !fault.Is(err, fault.Forbidden) {
		t.Fatal(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	f := setup(t, false)
	_, secret := f.key(tenant.Key{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, err := f.Authenticate(request("GET", "Authorization", "Bearer "+secret)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				k, _, err := f.GenerateKey(t.Context(), admin(), tenant.Key{}, "")
				if err == nil {
					_, err = f.BlockKey(t.Context(), admin(), k.ID, true)
				}
				if err == nil {
					err = f.Flush(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, n := f.Keys(admin(), auth.KeyQuery{}); n != 21 {
		t.Errorf("%d keys", n)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	st, err := sqlite.Open(filepath.Join(b.TempDir(), "rows.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	if _, err := auth.Bootstrap(b.Context(), st, "", "", time.Now()); err != nil {
		b.Fatal(err)
	}
	s, err := auth.New(b.Context(), auth.Options{Store: st, MasterKey: master, Hosts: auth.NewHosts(nil, "", nil), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	_, secret, err := s.GenerateKey(b.Context(), admin(), tenant.Key{}, "")
	if err != nil {
		b.Fatal(err)
	}
	r := request("POST", "Authorization", "Bearer "+secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}

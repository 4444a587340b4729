package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/internal/auth"
	"weir/internal/catalog"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/surface/surfacetest"
	"weir/internal/tenant"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// callers by bearer token.
var callers = surfacetest.Callers{
	"sk-admin":  {Means: tenant.ByMaster, Role: tenant.RoleAdmin, Project: "one", Key: tenant.MasterKey},
	"sk-member": {Means: tenant.ByKey, Role: tenant.RoleMember, Project: "one", Key: "k1", User: "u1", Email: "u1@example.com"},
	"sk-viewer": {Means: tenant.ByKey, Role: tenant.RoleViewer, Project: "one", Key: "k3", User: "u3"},
	"sk-other":  {Means: tenant.ByKey, Role: tenant.RoleMember, Project: "two", Key: "k2", User: "u2"},
}

// accounts is an Accounts in memory.
type accounts struct {
	keys  []tenant.Key
	teams []tenant.Team
	users []tenant.User
	out   bool
}

func (a *accounts) Login(_ context.Context, login, password, ip string) (string, *tenant.Identity, error) {
	if login != "a@example.com" || password != "right" || ip == "" {
		return "", nil, fault.New(fault.Unauthenticated, "wrong e-mail or password")
	}
	return "cookie", callers["sk-admin"], nil
}

func (a *accounts) Exchange(_ context.Context, link string) (string, *tenant.Identity, error) {
	if link != "once" {
		return "", nil, fault.New(fault.Unauthenticated, "this login link has been used or has expired")
	}
	return "cookie", callers["sk-admin"], nil
}
func (a *accounts) Logout(*http.Request) error { a.out = true; return nil }
func (a *accounts) CSRF(*http.Request) string  { return "csrf" }
func (a *accounts) CSRFOf(token string) string { return "csrf of " + token }
func (a *accounts) Projects(who *tenant.Identity) []tenant.Project {
	return []tenant.Project{{ID: who.Project, Name: "Project " + string(who.Project)}}
}

func (a *accounts) GenerateKey(_ context.Context, who *tenant.Identity, k tenant.Key, _ string) (tenant.Key, string, error) {
	k.ID, k.Project, k.Created, k.Origin = tenant.HashKey("sk-new"), who.Project, now, tenant.FromAPI
	a.keys = append(a.keys, k)
	return k, "sk-new", nil
}

func (a *accounts) find(who *tenant.Identity, id tenant.KeyID) (int, error) {
	for i, k := range a.keys {
		if k.ID == id && k.Project == who.Project {
			return i, nil
		}
	}
	return 0, fault.New(fault.NotFound, "key not found")
}

func (a *accounts) UpdateKey(_ context.Context, who *tenant.Identity, id tenant.KeyID, edit func(*tenant.Key) error) (tenant.Key, error) {
	i, err := a.find(who, id)
	if err != nil {
		return tenant.Key{}, err
	}
	err = edit(&a.keys[i])
	return a.keys[i], err
}

func (a *accounts) BlockKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID, blocked bool) (tenant.Key, error) {
	return a.UpdateKey(ctx, who, id, func(k *tenant.Key) error { k.Blocked = blocked; return nil })
}

func (a *accounts) DeleteKey(_ context.Context, who *tenant.Identity, id tenant.KeyID) error {
	i, err := a.find(who, id)
	if err == nil {
		a.keys = append(a.keys[:i], a.keys[i+1:]...)
	}
	return err
}

func (a *accounts) Key(who *tenant.Identity, id tenant.KeyID) (tenant.Key, error) {
	i, err := a.find(who, id)
	if err != nil {
		return tenant.Key{}, err
	}
	if !who.IsAdmin() && a.keys[i].User != who.User {
		return tenant.Key{}, fault.New(fault.Forbidden, "not your key")
	}
	return a.keys[i], nil
}

func (a *accounts) Keys(who *tenant.Identity, q auth.KeyQuery) (page []tenant.Key, total int) {
	for _, k := range a.keys {
		if k.Project == who.Project && (who.IsAdmin() || k.User == who.User) {
			if total >= q.Offset && len(page) < q.Limit {
				page = append(page, k)
			}
			total++
		}
	}
	return page, total
}

func (a *accounts) CreateTeam(_ context.Context, who *tenant.Identity, t tenant.Team) (tenant.Team, error) {
	t.ID, t.Project = "t9", who.Project
	a.teams = append(a.teams, t)
	return t, nil
}
func (a *accounts) Teams(*tenant.Identity, string, int, int) ([]tenant.Team, int) {
	return a.teams, len(a.teams)
}
func (a *accounts) CreateUser(_ context.Context, _ *tenant.Identity, u tenant.User, _ string) (tenant.User, error) {
	a.users = append(a.users, u)
	return u, nil
}
func (a *accounts) User(_ *tenant.Identity, id tenant.UserID) (tenant.User, error) {
	return tenant.User{ID: id, Name: "Name of " + string(id)}, nil
}
func (a *accounts) Users(*tenant.Identity, string, int, int) ([]tenant.User, int) {
	return a.users, len(a.users)
}

// bodies also tells what is new in a body.
type bodies struct{ *surfacetest.Stores }

func (b bodies) NewMessages(ctx context.Context, s *span.Span) ([]jsonx.Raw, error) {
	body, err := b.Body(ctx, s, s.Input)
	if err != nil {
		return nil, err
	}
	var in struct {
		Messages []jsonx.Raw `json:"messages"`
	}
	if err := jsonx.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	return in.Messages[len(in.Messages)-s.Input.New:], nil
}

type fleet struct{}

func (fleet) Deployments() []*gateway.Deployment {
	priced := catalog.Model{Known: true, MaxInput: 1000, Prices: catalog.Prices{Input: money.RateFromUSD(3e-6), Book: "b"}}
	return []*gateway.Deployment{
		{ID: "d1", Group: "claude", Target: gateway.Target{Provider: "bedrock", Model: "m", BaseURL: "https://bedrock.example.com"}, Model: priced},
		{ID: "d2", Group: "claude", Target: gateway.Target{Provider: "anthropic", Model: "m"}},
		{ID: "d3", Group: "openai/*", Target: gateway.Target{Provider: "openai", Model: "*"}},
	}
}
func (fleet) Health(d *gateway.Deployment) gateway.HealthState {
	return gateway.HealthState{State: "ok", LastError: "last of " + d.ID}
}

type machine struct{ levels map[string]string }

func (m *machine) Status(context.Context) SystemState {
	return SystemState{Ready: Readiness{Ready: true}, LogLevels: m.levels}
}
func (m *machine) SetLogLevels(l map[string]string) error {
	if l["gateway"] == "" {
		return fault.Bad("log_levels", "unknown component")
	}
	m.levels = l
	return nil
}

// server is the surface behind the real edge, over the real stores.
type server struct {
	t        *testing.T
	surface  *Surface
	mux      http.Handler
	stores   *surfacetest.Stores
	accounts *accounts
}

func newServer(t *testing.T) *server {
	t.Helper()
	stores := surfacetest.Open(t)
	s := &server{t: t, stores: stores, accounts: &accounts{}}
	s.surface = New(withKeepers(t, stores.Truth, stores.Index, Deps{
		Query: query.NewEngine(stores.Truth, stores.Index, nil), Bodies: bodies{stores}, Accounts: s.accounts, Models: fleet{}, System: &machine{levels: map[string]string{}},
		Version: "1", Now: func() time.Time { return now }, Heartbeat: time.Hour,
	}))
	s.mux = edge.NewMux(edge.Deps{Auth: callers, Log: slog.New(slog.DiscardHandler)}, s.surface)
	return s
}

// record stores a call with its bodies.
func (s *server) record(sp *span.Span, input, output string) {
	s.t.Helper()
	s.stores.Record(sp, input, output)
}

func call(n int, project tenant.ProjectID) *span.Span {
	start := now.Add(time.Duration(n-60) * time.Minute)
	return &span.Span{
		Project: project, Trace: strings.Repeat(string(rune('a'+n)), 32), ID: strings.Repeat(string(rune('a'+n)), 16), Kind: span.Generation, Name: "claude",
		Start: start, End: start.Add(time.Duration(n) * 100 * time.Millisecond), Status: span.OK, HTTP: 200, Group: "claude", Provider: "bedrock", Deployment: "d1",
		Dialect: string(llm.AnthropicMessages), Usage: llm.Usage{Input: 10, CacheRead: 30, Output: 5}, Cost: span.Cost{Total: money.FromUSD(0.25)}, User: "u1",
	}
}

// send makes a request and decodes the answer into out, unless it is nil.
func (s *server) send(token, method, path, body string, out any) *http.Response {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/api/v1"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if text, ok := out.(*string); ok {
		*text = string(b)
	} else if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			s.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, b)
		}
	}
	return res
}

func (s *server) get(path string, out any) {
	s.t.Helper()
	var text string
	if res := s.send("sk-admin", http.MethodGet, path, "", &text); res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, res.StatusCode, text)
	}
	if p, ok := out.(*string); ok {
		*p = text
	} else if err := json.Unmarshal([]byte(text), out); err != nil {
		s.t.Fatalf("%s: %v in %s", path, err, text)
	}
}

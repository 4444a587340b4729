// Package litellm speaks LiteLLM's management dialect: keys, users and teams, model information, health and spend
// calculation, with LiteLLM's shapes, statuses and errors. Model calls are other surfaces' business.
package litellm

import (
	"context"
	"log/slog"

	"weir/internal/auth"
	"weir/internal/catalog"
	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/tenant"
)

// Tenants manages keys, users and teams; auth.Service does. It checks who may.
type Tenants interface {
	GenerateKey(ctx context.Context, who *tenant.Identity, k tenant.Key, secret string) (tenant.Key, string, error)
	UpdateKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID, edit func(*tenant.Key) error) (tenant.Key, error)
	DeleteKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID) error
	Key(who *tenant.Identity, id tenant.KeyID) (tenant.Key, error)
	Keys(who *tenant.Identity, q auth.KeyQuery) (page []tenant.Key, total int)
	CreateUser(ctx context.Context, who *tenant.Identity, u tenant.User, password string) (tenant.User, error)
	User(who *tenant.Identity, id tenant.UserID) (tenant.User, error)
	Users(who *tenant.Identity, search string, offset, limit int) (page []tenant.User, total int)
	CreateTeam(ctx context.Context, who *tenant.Identity, t tenant.Team) (tenant.Team, error)
	Team(who *tenant.Identity, id tenant.TeamID) (tenant.Team, error)
	Teams(who *tenant.Identity, search string, offset, limit int) (page []tenant.Team, total int)
}

// Models are the configured deployments and their health; gateway.Gateway knows them.
type Models interface {
	Deployments() []*gateway.Deployment
	Health(d *gateway.Deployment) gateway.HealthState
}

// Readiness is whether this process can do its work. Degraded means that it can, but something lags.
type Readiness struct {
	Ready    bool
	Degraded bool
	Checks   []Check
}

// Check is one thing readiness depends on.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// Deps of a Surface. All are required but Expand.
type Deps struct {
	Tenants Tenants
	Models  Models
	Auth    edge.Authenticator // for /health, which answers both with and without a key
	// Lookup finds a model of the price book; Known is false where there is none.
	Lookup func(model string) catalog.Model
	// Expand lists the models a pattern deployment stands for; nil shows patterns as they are.
	Expand  func(pattern *gateway.Deployment) []*gateway.Deployment
	Ready   func(ctx context.Context) Readiness
	Version string
	Log     *slog.Logger
}

// Surface serves the routes.
type Surface struct{ Deps }

// New returns a Surface.
func New(d Deps) *Surface { return &Surface{Deps: d} }

// Routes implements edge.Surface. Management routes are open to members here: the tenants check roles, in LiteLLM's
// words.
func (s *Surface) Routes() []edge.Route {
	member := func(pattern, doc string, h edge.Handler) edge.Route {
		return edge.Route{Pattern: pattern, Access: edge.Member, Handle: h, Fail: fail, Doc: doc}
	}
	public := func(pattern, doc string, h edge.Handler) edge.Route {
		return edge.Route{Pattern: pattern, Access: edge.Public, Handle: h, Fail: fail, Doc: doc}
	}
	return []edge.Route{
		member("POST /key/generate", "make a virtual key", s.generateKey),
		member("GET /key/info", "one key, by default the caller's", s.keyInfo),
		member("GET /key/list", "keys of the project", s.listKeys),
		member("POST /key/update", "change a key", s.updateKey),
		member("POST /key/delete", "delete keys", s.deleteKeys),
		member("POST /key/block", "block a key", s.blockKey(true)),
		member("POST /key/unblock", "unblock a key", s.blockKey(false)),
		member("POST /user/new", "add a user, with a key", s.newUser),
		member("GET /user/info", "one user with keys and teams", s.userInfo),
		member("GET /user/list", "users", s.listUsers),
		member("POST /team/new", "add a team", s.newTeam),
		member("GET /team/info", "one team with its keys", s.teamInfo),
		member("GET /team/list", "teams of the project", s.listTeams),
		member("GET /model/info", "models the key may use", s.modelInfo),
		member("GET /v1/model/info", "models the key may use", s.modelInfo),
		member("POST /spend/calculate", "cost of an answer or a prompt", s.calculate),
		public("GET /health", "OK, or with a key the state of deployments", s.health),
		public("GET /health/liveliness", "the process runs", alive),
		public("GET /health/liveness", "the process runs", alive),
		public("GET /health/readiness", "the process can do its work", s.readiness),
	}
}

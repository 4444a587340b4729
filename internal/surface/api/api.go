// Package api is Weir's native REST interface under /api/v1, which its UI uses: traces, sessions, figures, live tail,
// keys, teams, users, models and the state of the system. It is described by an OpenAPI document made from the Go types.
package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"weir/internal/alert"
	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
	"weir/internal/view"
)

// Bodies puts recorded bodies together.
type Bodies interface {
	// Body returns the exact bytes a reference of the span stands for.
	Body(ctx context.Context, s *span.Span, r span.Ref) ([]byte, error)
	// NewMessages returns the messages of the input that the call this one continues did not have.
	NewMessages(ctx context.Context, s *span.Span) ([]jsonx.Raw, error)
}

// Accounts is what the surface needs of authentication and administration; auth.Service is one.
type Accounts interface {
	Login(ctx context.Context, login, password, ip string) (token string, who *tenant.Identity, err error)
	Exchange(ctx context.Context, link string) (token string, who *tenant.Identity, err error)
	Logout(r *http.Request) error
	CSRF(r *http.Request) string
	CSRFOf(token string) string
	Projects(who *tenant.Identity) []tenant.Project

	GenerateKey(ctx context.Context, who *tenant.Identity, k tenant.Key, secret string) (tenant.Key, string, error)
	UpdateKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID, edit func(*tenant.Key) error) (tenant.Key, error)
	BlockKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID, blocked bool) (tenant.Key, error)
	DeleteKey(ctx context.Context, who *tenant.Identity, id tenant.KeyID) error
	Key(who *tenant.Identity, id tenant.KeyID) (tenant.Key, error)
	Keys(who *tenant.Identity, q auth.KeyQuery) (page []tenant.Key, total int)

	CreateTeam(ctx context.Context, who *tenant.Identity, t tenant.Team) (tenant.Team, error)
	Teams(who *tenant.Identity, search string, offset, limit int) (page []tenant.Team, total int)
	CreateUser(ctx context.Context, who *tenant.Identity, u tenant.User, password string) (tenant.User, error)
	User(who *tenant.Identity, id tenant.UserID) (tenant.User, error)
	Users(who *tenant.Identity, search string, offset, limit int) (page []tenant.User, total int)
}

var _ Accounts = (*auth.Service)(nil)

// Models tells what can be called; gateway.Gateway is one.
type Models interface {
	Deployments() []*gateway.Deployment
	Health(d *gateway.Deployment) gateway.HealthState
}

var _ Models = (*gateway.Gateway)(nil)

// System tells how the process stands. Version and Index are filled in by the surface.
type System interface {
	Status(ctx context.Context) SystemState
	// SetLogLevels changes the levels named, or none: fault.Invalid names an unknown component or level.
	SetLogLevels(levels map[string]string) error
}

// Deps is what the surface works with. Session cookies are set for CookiePath, and Secure where the caller came by TLS.
type Deps struct {
	Query    *query.Engine
	Bodies   Bodies
	Accounts Accounts
	Models   Models
	System   System
	Version  string
	Demo     bool
	// Notes, Audit, Shares, Erasures and Retention are scores and comments, the audit log, and what ends traces.
	Notes     span.Notes
	Audit     AuditLog
	Shares    Shares
	Erasures  Erasures
	Retention Retention
	// CheckHost refuses calls without a credential that come by a foreign name; nil lets all in.
	CheckHost func(*http.Request) error
	// Metrics are data points that programs sent; nil where none are kept.
	Metrics ingest.Points
	// Replay sends recorded calls again.
	Replay Replayer
	// Views, Alerts and Exports are what callers save, have watched, and have written out on a schedule.
	Views   view.Book
	Alerts  *alert.Watcher
	Exports *export.Runner
	// PublicURL is how clients reach Weir, without a slash at the end, "" = as the request did.
	PublicURL string
	// BasePath follows the host where PublicURL is not set; no slash at the end.
	BasePath   string
	CookiePath string
	ClientIP   func(*http.Request) string // nil = the connection's
	Now        func() time.Time           // nil = time.Now
	Heartbeat  time.Duration              // of live tails; 0 = 15 s
}

// Surface is the native REST interface.
type Surface struct {
	Deps
	api    huma.API
	routes []edge.Route
}

var _ edge.Surface = (*Surface)(nil)

// New builds the routes and their description.
func New(d Deps) *Surface {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Heartbeat == 0 {
		d.Heartbeat = 15 * time.Second
	}
	s := &Surface{Deps: d}
	s.api = huma.NewAPI(config(d.Version), s)
	s.access()
	s.traces()
	s.messages()
	s.sessions()
	s.figures()
	s.otelMetrics()
	s.usage()
	s.keys()
	s.directory()
	s.models()
	s.system()
	s.diffing()
	s.replaying()
	s.notes()
	s.sharing()
	s.erasing()
	s.auditing()
	s.retaining()
	s.views()
	s.sql()
	s.exporting()
	s.exports()
	s.alerts()
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // the framework's own envelope
		delete(s.api.OpenAPI().Components.Schemas.Map(), unused)
	}
	s.routes = append(s.routes, edge.Route{
		Pattern: "GET /api/v1/openapi.json", Access: edge.Public, Fail: fail, Doc: "This interface, described", Handle: s.document,
	})
	return s
}

// Routes implements edge.Surface.
func (s *Surface) Routes() []edge.Route { return s.routes }

// ErrorBody is the envelope of every error.
type ErrorBody struct {
	Error ErrorInfo `json:"error"`
}

// ErrorInfo tells a client what went wrong.
type ErrorInfo struct {
	Code       string `json:"code" doc:"kind of the failure" example:"invalid"`
	Message    string `json:"message"`
	Field      string `json:"field,omitempty" doc:"the parameter or JSON path at fault"`
	Position   *int   `json:"position,omitempty" doc:"byte offset of the fault in the filter"`
	RetryAfter int    `json:"retry_after_s,omitempty"`
}

// fail writes the envelope.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	info := ErrorInfo{Code: string(fault.KindOf(err)), Message: "internal error"}
	var f *fault.Error
	if errors.As(err, &f) {
		info.Message, info.Field = f.Msg, f.Field
		info.RetryAfter = int((f.RetryAfter + time.Second - 1) / time.Second)
	} else if info.Code == string(fault.Timeout) {
		info.Message = "this took too long; narrow the selection"
	}
	if p := (*query.ParseError)(nil); errors.As(err, &p) {
		info.Position = &p.Pos
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(edge.Status(err))
	_, _ = w.Write(jsonx.MustMarshal(ErrorBody{info})) // nobody left to tell
}

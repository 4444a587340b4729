package app

import (
	"context"
	"net/http"
	"slices"

	"weir/internal/audit"
	"weir/internal/edge"
	"weir/internal/store/sqlite"
	"weir/internal/surface/api"
	"weir/internal/surface/litellm"
	"weir/internal/tenant"
)

// addressed is a surface whose handlers know their caller's address, for the audit log.
type addressed struct {
	edge.Surface
	ip func(*http.Request) string
}

// Routes implements edge.Surface.
func (s addressed) Routes() []edge.Route {
	routes := slices.Clone(s.Surface.Routes())
	for i := range routes {
		handle := routes[i].Handle
		routes[i].Handle = func(w http.ResponseWriter, r *http.Request) error {
			return handle(w, r.WithContext(audit.WithIP(r.Context(), s.ip(r))))
		}
	}
	return routes
}

// withAddress makes surfaces that administer addressed ones.
func withAddress(all []edge.Surface, ip func(*http.Request) string) []edge.Surface {
	for i, s := range all {
		switch s.(type) {
		case *api.Surface, *litellm.Surface:
			all[i] = addressed{s, ip}
		}
	}
	return all
}

// fromShell records what the command line did; the server may be running or not.
func fromShell(ctx context.Context, rows *sqlite.Store, action, target string) {
	who := &tenant.Identity{Means: "shell", User: "command line", Project: tenant.DefaultProject}
	audit.New(rows, nopLog().For("app"), nil).Record(ctx, audit.Event{Who: who, Action: action, Target: target})
}

// keepers adds what keeps, shares and ends traces to the native interface. Without stores only its routes are asked for.
func (a *App) keepers(d api.Deps) api.Deps {
	if a.stores == nil {
		return d
	}
	d.Notes, d.Audit, d.Shares, d.Erasures = a.stores.truth, a.audit, a.shares, a.erasures
	d.Retention, d.CheckHost = keeping{a}, a.auth.Hosts.CheckHost
	return d
}

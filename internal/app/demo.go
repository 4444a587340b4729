package app

import (
	"context"
	"net/http"
	"sync"

	"weir/internal/config"
	"weir/internal/demo"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/surface/openai"
	"weir/internal/tenant"
)

// openDemo starts the fake upstream and puts its models into the configuration.
func (a *App) openDemo(ctx context.Context, c *config.Config) error {
	up, err := demo.StartUpstream()
	if err != nil {
		return err
	}
	a.upstream = up
	c.Models = append(up.Models(), c.Models...)
	return a.services.start(ctx, "fake upstream", funcs{stop: up.Stop})
}

// demoService plays an hour of traffic in the background.
func (a *App) demoService() service {
	var wg sync.WaitGroup
	var cancel context.CancelFunc
	return funcs{
		start: func(ctx context.Context) error {
			ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
			if err := a.demoTenants(ctx); err != nil {
				return err
			}
			old, err := a.hasTraffic(ctx)
			if err != nil {
				return err
			}
			d := a.director()
			wg.Go(func() { d.Play(ctx, !old) })
			return nil
		},
		stop: func() { cancel(); wg.Wait() },
	}
}

// hasTraffic spares a demo on old data a second hour of the same.
func (a *App) hasTraffic(ctx context.Context) (bool, error) {
	found := false
	err := a.stores.truth.Ledger(ctx, 0, func(span.LedgerEntry) bool { found = true; return false })
	return found, err
}

// director plays through the real OpenAI surface with the real keys. Calls of the past go through a gateway of their own,
// whose clock is set back; all are recorded where others are.
func (a *App) director() *demo.Director {
	clock := demo.NewClock(a.started.Add(-demo.Span))
	past := gateway.New(gateway.Deps{Recorder: a.recorder, Limiter: a.limiter, KV: a.stores.truth, Log: a.log.For("gateway"), Now: clock.Now})
	past.Swap(a.gateway.Table())
	routes := func(g *gateway.Gateway) http.Handler {
		return edge.NewMux(edge.Deps{Auth: a.auth, Log: a.log.For("edge")}, openai.New(openai.Deps{Gateway: g, MaxBody: 8 << 20}))
	}
	return &demo.Director{Upstream: a.upstream, Clock: clock, Past: routes(past), Present: routes(a.gateway), Log: a.log.For("app")}
}

// demoTenants makes the teams, users and keys that the traffic is made with.
func (a *App) demoTenants(ctx context.Context) error {
	admin := &tenant.Identity{Means: tenant.ByMaster, Role: tenant.RoleAdmin, Org: tenant.DefaultOrg, Project: tenant.DefaultProject}
	limit := 25 * money.Dollar
	for _, p := range demo.People {
		_, err := a.auth.CreateTeam(ctx, admin, tenant.Team{ID: tenant.TeamID(p.Team), Alias: p.Team, Project: tenant.DefaultProject, Org: tenant.DefaultOrg})
		if err == nil || fault.Is(err, fault.Conflict) {
			_, err = a.auth.CreateUser(ctx, admin, tenant.User{ID: tenant.UserID(p.Email), Email: p.Email, Name: p.Alias, Role: tenant.RoleMember}, "")
		}
		if err == nil || fault.Is(err, fault.Conflict) {
			_, _, err = a.auth.GenerateKey(ctx, admin, tenant.Key{
				Alias: p.Alias, Project: tenant.DefaultProject, Org: tenant.DefaultOrg, User: tenant.UserID(p.Email), Email: p.Email, Team: tenant.TeamID(p.Team),
				Budget: tenant.Budget{Max: &limit, Period: "30d"},
			}, demo.Secret(p.Alias))
		}
		if err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

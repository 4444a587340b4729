package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"weir/internal/audit"
	"weir/internal/auth"
	"weir/internal/budget"
	"weir/internal/config"
	"weir/internal/demo"
	"weir/internal/edge"
	"weir/internal/erase"
	"weir/internal/gateway"
	"weir/internal/ingest"
	"weir/internal/logging"
	"weir/internal/provider/anthropic"
	"weir/internal/provider/bedrock"
	"weir/internal/provider/openaicompat"
	"weir/internal/retention"
	"weir/internal/selftrace"
	"weir/internal/share"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/store/points"
	"weir/internal/surface/otlp"
	"weir/internal/tenant"
	"weir/internal/transport"
)

// App is a running Weir.
type App struct {
	opts    Options
	config  atomic.Pointer[config.Config]
	log     *logging.Root
	started time.Time
	ready   atomic.Bool

	stores    *stores
	auth      *auth.Service
	limiter   *budget.Limiter
	recorder  *ingest.Recorder
	settler   *ingest.Settler
	taker     *ingest.Taker
	otlp      *otlp.Surface
	points    *points.Store
	gateway   *gateway.Gateway
	providers *providers
	query     *queries
	metrics   *metrics
	tracer    *selftrace.Tracer // nil without telemetry.endpoint
	flow      meter
	audit     *audit.Chain
	shares    *share.Service
	erasures  *erase.Service
	server    *server
	services  *services
	sealer    *auth.Sealer
	watching  watching
	first     firstStart
	upstream  *demo.Upstream // of --demo
}

// firstStart is what is shown once.
type firstStart struct {
	admin     auth.Admin
	masterKey string // only when it was made by this start
}

// Run serves until ctx ends.
func Run(ctx context.Context, o Options) error {
	tuneMemory()
	a, err := Start(ctx, o)
	if err != nil {
		return err
	}
	a.banner()
	debug.FreeOSMemory() // what only the start needed: hashing of the first password, decoding of tables
	<-ctx.Done()
	a.log.For("app").Info("stopping: no new calls, running streams may finish", "drain", a.config.Load().Server.Drain.D())
	a.Stop()
	return nil
}

// Start brings everything up and returns when it is ready to serve. On an error nothing is left running.
func Start(ctx context.Context, o Options) (*App, error) {
	c, warnings, err := o.load()
	if err != nil {
		return nil, err
	}
	a := &App{opts: o, started: time.Now(), log: logging.New(o.Err, c.Log.Format)}
	a.config.Store(&c)
	a.services = &services{log: a.log.For("app")}
	a.setLevels(c.Log)
	a.warn(warnings)
	exportEnv(c.Env)
	if err := a.up(ctx, &c); err != nil {
		a.services.stop()
		return nil, err
	}
	a.ready.Store(true)
	return a, nil
}

// up starts all services in the order calls flow.
func (a *App) up(ctx context.Context, c *config.Config) error {
	listeners, err := listen(c.Server.Listen) // before the stores: a taken port must not cost a recovery
	if err != nil {
		return err
	}
	if err := a.services.start(ctx, "listeners", closing(listeners)); err != nil {
		return err
	}
	if err := a.openTelemetry(ctx, c); err != nil {
		return err
	}
	if a.opts.Demo {
		if err := a.openDemo(ctx, c); err != nil {
			return err
		}
	}
	if err := a.openCore(ctx, c); err != nil {
		return err
	}
	if err := a.openGateway(ctx, c); err != nil {
		return err
	}
	if err := a.openIngest(ctx, c); err != nil {
		return err
	}
	if err := a.openErasures(ctx); err != nil {
		return err
	}
	if err := a.openWatching(ctx, c); err != nil {
		return err
	}
	handler, err := a.handler(c)
	if err != nil {
		return err
	}
	a.server = newServer(listeners, handler, c.Server.Drain.D(), a.log.For("edge"))
	a.server.http.RegisterOnShutdown(a.query.EndTails) // else an open page would hold the stop for the whole drain time
	if err := a.services.start(ctx, "server", a.server); err != nil {
		return err
	}
	if err := a.serveGRPC(ctx, c); err != nil {
		return err
	}
	r := &reloader{path: a.opts.ConfigFile, apply: a.reload, log: a.log.For("app")}
	if err := a.services.start(ctx, "reloader", r); err != nil {
		return err
	}
	if a.opts.Demo {
		return a.services.start(ctx, "demo", a.demoService())
	}
	return nil
}

// exportEnv sets variables of the configuration for libraries that read the environment themselves, such as AWS's. What
// is set already wins.
func exportEnv(vars map[string]string) {
	for name, value := range vars {
		if _, ok := os.LookupEnv(name); !ok {
			_ = os.Setenv(name, value) // fails for impossible names only, which nobody reads
		}
	}
}

func (a *App) warn(warnings []config.Warning) {
	for _, w := range warnings {
		a.log.For("app").Warn("configuration: "+w.Msg, "setting", w.Path, "line", w.Line)
	}
}

// Stop ends everything in reverse order of the flow.
func (a *App) Stop() {
	a.ready.Store(false)
	a.services.stop()
}

func (a *App) setLevels(l config.Log) {
	_ = a.log.Set("", l.Level) // validated
	for component, level := range l.Components {
		if err := a.log.Set(component, level); err != nil {
			a.log.For("app").Warn("log level not set", "error", err)
		}
	}
}

// openCore opens stores, identity, budgets, recorder and index.
func (a *App) openCore(ctx context.Context, c *config.Config) (err error) {
	if a.stores, err = openStores(c.Data, a.log); err != nil {
		return err
	}
	if err := a.services.start(ctx, "stores", a.stores.service()); err != nil {
		return err
	}
	a.audit = audit.New(a.stores.rows, a.log.For("app"), nil)
	if err := a.openAuth(ctx, c); err != nil {
		return err
	}
	a.settler = ingest.NewSettler(a.stores.truth, a.stores.rows, a.log.For("ingest"), 0)
	a.recorder = ingest.New(ingest.Options{
		Store: a.stores.truth, KV: a.stores.truth, Dir: c.Data, Log: a.log.For("ingest"),
		OnCharge: a.settler.Wake, Name: a.nameCaller,
		DiskFree: func() (uint64, error) { free, _, err := pebble.DiskFree(c.Data); return free, err },
		Health:   a.stores.truth.Health, MinFree: uint64(c.Recording.MinFreeDisk), QueueCalls: c.Recording.Queue,
	})
	a.query = newQueries(a.stores, a.recorder, c, a.log)
	// The recorder first: it charges calls that a crash interrupted, which the settler then applies before budgets load.
	for _, s := range []named{{"recorder", a.recorder}, {"settler", a.settler}} {
		if err := a.services.start(ctx, s.name, s.service); err != nil {
			return err
		}
	}
	if err := a.limiter.Load(ctx, a.stores.rows); err != nil {
		return err
	}
	if err := a.services.start(ctx, "index", a.query); err != nil {
		return err
	}
	return a.services.start(ctx, "retention", retention.New(a.query, a.retentionDays, a.log.For("store"), nil, 0))
}

// nameCaller fills in the names behind the ids of a span's key and team, as far as they still exist.
func (a *App) nameCaller(s *span.Span) {
	all := &tenant.Identity{Role: tenant.RoleAdmin, Means: tenant.ByMaster, Project: s.Project}
	if k, err := a.auth.Key(all, s.Key); err == nil {
		s.KeyAlias, s.Email = k.Alias, k.Email
	}
	if t, err := a.auth.Team(all, s.Team); err == nil {
		s.TeamAlias = t.Alias
	}
}

// retentionDays are the projects that do not keep everything: their own setting, else the configuration's.
func (a *App) retentionDays(ctx context.Context) (map[tenant.ProjectID]int, error) {
	out := map[tenant.ProjectID]int{}
	all := &tenant.Identity{Role: tenant.RoleAdmin, Means: tenant.ByMaster}
	for _, p := range a.auth.Projects(all) {
		if days := cmp.Or(p.RetentionDays, a.config.Load().Recording.RetentionDays); days > 0 {
			out[p.ID] = days
		}
	}
	return out, nil
}

func (a *App) openAuth(ctx context.Context, c *config.Config) error {
	key, created, err := auth.LoadMasterKey(c.Data, c.Admin.MasterKey.Reveal())
	if err != nil {
		return err
	}
	if created {
		a.first.masterKey = key
	}
	a.sealer, err = auth.LoadSealer(c.Data, c.Admin.SecretKey.Reveal())
	if err != nil {
		return err
	}
	a.first.admin, err = auth.Bootstrap(ctx, a.stores.rows, c.Admin.Email, c.Admin.Password.Reveal(), time.Now().UTC())
	if err != nil {
		return err
	}
	a.limiter = budget.NewLimiter(nil)
	a.auth, err = auth.New(ctx, auth.Options{
		Store: a.stores.rows, Sealer: a.sealer, MasterKey: key, Hosts: auth.NewHosts(c.Server.Listen, c.Server.PublicURL, c.Server.AllowedHosts),
		Spend: a.limiter, Local: c.Server.Local, ClientIP: clientIP(c), Log: a.log.For("auth"), Audit: a.audit,
	})
	if err != nil {
		return err
	}
	if err := a.auth.SetFile(ctx, fileObjects(c)); err != nil {
		return err
	}
	return a.services.start(ctx, "auth", a.auth)
}

func clientIP(c *config.Config) func(*http.Request) string {
	var trusted []netip.Prefix
	for _, p := range c.Server.TrustedProxies {
		if n, err := config.ParsePrefix(p); err == nil { // validated
			trusted = append(trusted, n)
		}
	}
	return func(r *http.Request) string { return edge.ClientIP(r, trusted) }
}

// factories are the providers of this build.
func factories() map[string]gateway.Factory {
	f := map[string]gateway.Factory{"anthropic": anthropic.New, "bedrock": bedrock.New}
	for _, row := range openaicompat.Rows() {
		f[row.Name] = openaicompat.New
	}
	return f
}

// outside is how addresses outside are reached.
func outside(c *config.Config) transport.Config {
	n := c.Network
	return transport.Config{HTTPProxy: n.HTTPProxy, HTTPSProxy: n.HTTPSProxy, NoProxy: n.NoProxy, CAFiles: split([]string{n.CAFile})}
}

func (a *App) openGateway(ctx context.Context, c *config.Config) error {
	client, err := transport.New(outside(c))
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	client = a.tracer.Client(client)
	a.providers = &providers{factories: factories(), http: client, log: a.log.For("upstream")}
	table, err := a.providers.table(c)
	if err != nil {
		return err
	}
	a.gateway = gateway.New(gateway.Deps{
		Recorder: a.recorder, Limiter: a.limiter, KV: a.stores.truth, Log: a.log.For("gateway"),
		Resolve: a.providers.resolver(a.config.Load), Bodies: func() bool { return a.config.Load().Recording.Bodies },
	})
	a.gateway.Swap(table)
	return a.services.start(ctx, "connections", funcs{stop: client.CloseIdleConnections})
}

// reload reads the configuration again and puts in force what can change while running: models, routing, log levels,
// and the keys and teams of the file. What cannot is named in the log.
func (a *App) reload(ctx context.Context) error {
	c, warnings, err := a.opts.load()
	if err != nil {
		return err
	}
	old := a.config.Load()
	next := *old
	next.Models, next.Routing, next.Log, next.Keys, next.Teams, next.Recording.Bodies = c.Models, c.Routing, c.Log, c.Keys, c.Teams, c.Recording.Bodies
	if a.upstream != nil {
		next.Models = append(a.upstream.Models(), next.Models...)
	}
	table, err := a.providers.table(&next)
	if err != nil {
		return err
	}
	if err := a.auth.SetFile(ctx, fileObjects(&next)); err != nil {
		return err
	}
	a.config.Store(&next)
	a.gateway.Swap(table)
	a.setLevels(next.Log)
	a.auditReload(ctx, &next)
	a.warn(warnings)
	if restartNeeded(old, &c) {
		a.log.For("app").Warn("settings under server, data, network, index, ingest, telemetry, email, export and admin, and all of recording but bodies, take effect at the next start")
	}
	return nil
}

// restartNeeded reports a change in what is only read at start.
func restartNeeded(old, fresh *config.Config) bool {
	part := func(c *config.Config) string {
		kept := c.Recording
		kept.Bodies = false
		return fmt.Sprint(c.Server, c.Data, kept, c.Network, c.Index, c.Ingest, c.Telemetry, c.Email, c.Email.Password.Reveal(), c.Export, c.Admin.Email, c.Admin.MasterKey.Reveal())
	}
	return part(old) != part(fresh)
}

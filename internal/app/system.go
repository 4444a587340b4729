package app

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"weir/internal/config"
	"weir/internal/fault"
	"weir/internal/store/pebble"
	"weir/internal/surface/api"
	"weir/internal/surface/litellm"
)

// checkTime bounds the checks of one readiness answer.
const checkTime = 2 * time.Second

// readiness says whether calls can be made and recorded. A lagging or missing index only degrades: calls do not need it.
func (a *App) readiness(ctx context.Context) litellm.Readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	check := func(name string, err error) litellm.Check {
		c := litellm.Check{Name: name, OK: err == nil}
		if err != nil {
			c.Detail = err.Error()
		}
		return c
	}
	r := litellm.Readiness{Ready: a.ready.Load(), Checks: []litellm.Check{
		check("truth", a.stores.truth.Health()),
		check("rows", a.stores.rows.Check(ctx)),
		check("recorder", a.recorder.Refusing()),
	}}
	for _, c := range r.Checks {
		r.Ready = r.Ready && c.OK
	}
	s := a.query.State()
	index := litellm.Check{Name: "index", OK: s.Open && !s.Rebuilding && s.Err == "", Detail: s.Err}
	switch {
	case !s.Open && s.Err == "":
		index.Detail = "opening"
	case s.Rebuilding:
		index.Detail = "rebuilding"
	}
	texts := textsCheck(a.query.texts.Status())
	r.Checks = append(r.Checks, index, texts)
	r.Degraded = !index.OK || !texts.OK
	return r
}

// storeSizes are the bytes on disk of each store.
func (a *App) storeSizes() map[string]int64 {
	data := a.config.Load().Data
	sizes := map[string]int64{}
	entries, _ := os.ReadDir(data)
	for _, e := range entries {
		for name, place := range map[string]string{"truth": truthDir, "index": indexDir, "rows": rowsFile} {
			if strings.HasPrefix(e.Name(), place) { // the rows have a log beside them
				sizes[name] += sizeOf(filepath.Join(data, e.Name()))
			}
		}
	}
	return sizes
}

// sizeOf is the bytes of a file, or of all below a folder.
func sizeOf(place string) (sum int64) {
	_ = filepath.WalkDir(place, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // files come and go while an engine compacts
		}
		if i, err := d.Info(); err == nil {
			sum += i.Size()
		}
		return nil
	})
	return sum
}

func (a *App) disk() (free, total uint64) {
	free, total, _ = pebble.DiskFree(a.config.Load().Data)
	return free, total
}

// newAPI is the native interface over this app.
func (a *App) newAPI(c *config.Config) *api.Surface {
	public := ""
	if c.Server.PublicURL != "" {
		public = baseURL(c)
	}
	return api.New(a.keepers(api.Deps{
		Query: a.query.Engine, Bodies: a.query.bodies, Accounts: a.auth, Models: a.gateway, System: system{a}, Replay: a.newReplay(), Metrics: a.points, Views: a.watching.views, Alerts: a.watching.alerts, Exports: a.watching.exports, Version: Version(), Demo: a.opts.Demo,
		PublicURL: public, BasePath: strings.TrimRight(c.Server.BasePath, "/"), CookiePath: "/", ClientIP: clientIP(c),
	}))
}

// system is the state of the process for the native interface.
type system struct{ a *App }

func (s system) Status(ctx context.Context) api.SystemState {
	a := s.a
	ready, queue := a.readiness(ctx), a.recorder.Stats()
	out := api.SystemState{
		UptimeS: time.Since(a.started).Seconds(), Ready: api.Readiness{Ready: ready.Ready, Degraded: ready.Degraded},
		Queue: api.QueueState{Depth: queue.Depth, Capacity: queue.Capacity}, LogLevels: a.log.Levels(),
	}
	for _, c := range ready.Checks {
		out.Ready.Checks = append(out.Ready.Checks, api.Check{Name: c.Name, OK: c.OK, Detail: c.Detail})
	}
	sizes := a.storeSizes()
	for _, name := range []string{"truth", "index", "rows"} {
		out.Stores = append(out.Stores, api.StoreSize{Name: name, Bytes: sizes[name]})
	}
	out.Disk.Free, out.Disk.Total = a.disk()
	a.addFlow(&out)
	return out
}

func (s system) SetLogLevels(levels map[string]string) error {
	known := s.a.log.Levels()
	for component, level := range levels {
		if _, ok := known[component]; !ok {
			return fault.Bad(component, "no component %q", component)
		}
		if _, ok := config.Levels[level]; !ok {
			return fault.Bad(component, "%q is not a level; use debug, info, warn or error", level)
		}
	}
	for component, level := range levels {
		if err := s.a.log.Set(component, level); err != nil {
			return fault.Wrap(fault.Invalid, err, "level not set")
		}
	}
	return nil
}

package app

import (
	"net/http"
	"strings"

	"weir/internal/catalog"
	"weir/internal/config"
	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/surface/anthropic"
	"weir/internal/surface/bedrock"
	"weir/internal/surface/litellm"
	"weir/internal/surface/openai"
	"weir/ui"
)

// surfaces are the client dialects of this build, in the order their routes are listed.
func (a *App) surfaces(c *config.Config) []edge.Surface {
	ip, limit := clientIP(c), int64(c.Server.MaxBody)
	return []edge.Surface{
		openai.New(openai.Deps{Gateway: a.gateway, MaxBody: limit, ClientIP: ip, Expand: expandNames}),
		anthropic.New(anthropic.Deps{Gateway: a.gateway, MaxBody: limit, IP: ip, Expand: expandNames}),
		bedrock.New(bedrock.Deps{Gateway: a.gateway, MaxBody: limit, IP: ip}),
		litellm.New(litellm.Deps{
			Tenants: a.auth, Models: a.gateway, Auth: a.auth, Lookup: func(m string) catalog.Model { return a.lookup(m) }, Expand: a.expand,
			Ready: a.readiness, Version: Version(), Log: a.log.For("edge"),
		}),
		a.newOTLP(c),
		a.newAPI(c),
		a.newMCP(),
		a.metrics,
	}
}

// handler is everything behind the listeners.
func (a *App) handler(c *config.Config) (http.Handler, error) {
	a.metrics = a.newMetrics()
	mux := edge.NewMux(edge.Deps{
		Auth: a.auth, Log: a.log.For("edge"), Observe: a.metrics.observe, InFlight: edge.NewBytes(int64(c.Server.MaxInFlight)),
	}, withAddress(a.surfaces(c), clientIP(c))...)
	page := a.auth.Hosts.Guard(ui.Handler("/ui/"))
	mux.Handle("GET /ui", page)
	mux.Handle("GET /ui/", page)
	mux.HandleFunc("GET /{$}", shell)
	return edge.Normalize(c.Server.BasePath, a.tracer.Handler(mux)), nil
}

// expandNames are the model names behind a pattern such as "bedrock/*", for clients that offer a list.
func expandNames(d *gateway.Deployment) []string {
	pre, post, ok := strings.Cut(d.Group, "*")
	if !ok || !strings.Contains(d.Target.Model, "*") {
		return nil
	}
	mpre, mpost, _ := strings.Cut(d.Target.Model, "*")
	var out []string
	for _, m := range catalog.ChatModels(d.Target.Provider) {
		if star, ok := strings.CutPrefix(m, mpre); ok && strings.HasSuffix(star, mpost) {
			out = append(out, pre+strings.TrimSuffix(star, mpost)+post)
		}
	}
	return out
}

// expand is expandNames with what is known of each model.
func (a *App) expand(d *gateway.Deployment) []*gateway.Deployment {
	var out []*gateway.Deployment
	pre, post, _ := strings.Cut(d.Group, "*")
	for _, name := range expandNames(d) {
		star := strings.TrimSuffix(strings.TrimPrefix(name, pre), post)
		e := *d
		e.Group, e.Target.Model = name, strings.Replace(d.Target.Model, "*", star, 1)
		e.Model, e.Info = catalog.Lookup(d.Target.Provider, e.Target.Model), nil
		out = append(out, &e)
	}
	return out
}

// lookup is what is known of a model by the name clients use, or by any name in the catalog.
func (a *App) lookup(model string) catalog.Model {
	if ds, err := a.gateway.Table().Find(model); err == nil && !strings.Contains(ds[0].Group, "*") {
		return ds[0].Model
	}
	provider, rest, ok := strings.Cut(model, "/")
	if !ok {
		return catalog.Lookup("", model)
	}
	return catalog.Lookup(provider, rest)
}

// shell leads a browser to the interface. It is a page rather than a redirect, since the way there is relative to a
// prefix that only the browser knows, and clients that probe the root expect a 200.
func shell(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_, _ = w.Write([]byte("<!doctype html><meta charset=\"utf-8\"><title>Weir</title><meta http-equiv=\"refresh\" content=\"0; url=./ui/\"><a href=\"./ui/\">Weir</a>\n"))
}

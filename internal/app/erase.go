package app

import (
	"cmp"
	"context"

	"weir/internal/audit"
	"weir/internal/config"
	"weir/internal/erase"
	"weir/internal/share"
	"weir/internal/tenant"
)

// openErasures starts what erases; it comes behind everything that it empties.
func (a *App) openErasures(ctx context.Context) error {
	a.shares = share.New(a.stores.rows, nil)
	a.erasures = erase.New(erase.Deps{
		Truth: a.stores.truth, Rows: a.stores.rows, Points: a.points, Index: a.query.indexer, Recorder: a.recorder, FullText: a.query.texts,
		Audit: a.audit, Holds: a.query.Holds, Log: a.log.For("store"),
	})
	return a.services.start(ctx, "erasures", a.erasures)
}

// keeping is how long projects keep traces, for the native interface.
type keeping struct{ a *App }

// Retention implements api.Retention.
func (k keeping) Retention(who *tenant.Identity) (days, standard int, err error) {
	days, err = k.a.auth.RetentionDays(who)
	return days, max(0, k.a.config.Load().Recording.RetentionDays), err
}

// SetRetention implements api.Retention.
func (k keeping) SetRetention(ctx context.Context, who *tenant.Identity, days int) error {
	return k.a.auth.SetRetention(ctx, who, days)
}

// auditReload records that another configuration is in force. Its content is not: it may hold secrets.
func (a *App) auditReload(ctx context.Context, c *config.Config) {
	a.audit.Record(ctx, audit.Event{
		Action: "config.reload", Target: cmp.Or(a.opts.ConfigFile, "defaults"), Project: tenant.DefaultProject,
		Detail: map[string]any{"models": len(c.Models), "keys": len(c.Keys), "teams": len(c.Teams)},
	})
}

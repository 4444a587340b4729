package api

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"weir/internal/audit"
	"weir/internal/erase"
	"weir/internal/query"
	"weir/internal/share"
	"weir/internal/store/pebble"
	"weir/internal/store/sqlite"
	"weir/internal/tenant"
)

// kept is a retention in memory.
type kept struct{ days map[tenant.ProjectID]int }

func (k kept) Retention(who *tenant.Identity) (int, int, error) { return k.days[who.Project], 30, nil }
func (k kept) SetRetention(_ context.Context, who *tenant.Identity, days int) error {
	k.days[who.Project] = days
	return nil
}

// nothing remembers nothing.
type nothing struct{}

func (nothing) Forget(context.Context) error { return nil }

// withKeepers adds notes, shares, audit log and erasure over real stores.
func withKeepers(t *testing.T, store *pebble.Store, x *query.Indexer, d Deps) Deps {
	t.Helper()
	rows, err := sqlite.Open(filepath.Join(t.TempDir(), "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(slog.DiscardHandler)
	chain := audit.New(rows, log, d.Now)
	erasures := erase.New(erase.Deps{Truth: store, Rows: rows, Index: x, Recorder: nothing{}, Audit: chain, Log: log, Now: d.Now})
	if err := erasures.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(erasures.Stop)
	d.Notes, d.Audit, d.Shares, d.Erasures, d.Retention = store, chain, share.New(rows, d.Now), erasures, kept{map[tenant.ProjectID]int{}}
	return d
}

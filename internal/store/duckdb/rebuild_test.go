package duckdb

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/store/storetest"
)

// The index is deleted, damaged, or left with another's log between two runs: each time it is rebuilt from the truth,
// whose queue is long trimmed.
func TestIndexIsRebuiltFromTheTruth(t *testing.T) {
	dir := t.TempDir()
	store, err := pebble.Open(filepath.Join(dir, "traces"), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	homes := map[string]span.Day{}
	for _, s := range storetest.RandomSpans("p", 300, 1) {
		if _, ok := homes[s.Trace]; !ok {
			homes[s.Trace] = s.Day
		}
		s.Day = homes[s.Trace]
		if _, err := store.Home(t.Context(), s.Project, s.Trace, s.Day); err != nil {
			t.Fatal(err)
		}
		if err := store.Append(t.Context(), false, &span.Batch{Span: s}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "index.duckdb")
	run := func(name string) {
		x := query.NewIndexer(store, query.Backend{
			Open:   func(ctx context.Context) (query.Index, error) { return Open(ctx, path, Options{}) },
			Remove: func() error { return Remove(path) },
		}, query.IndexerOptions{})
		if err := x.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer x.Stop()
		if err := x.Wait(t.Context(), store.Committed()); err != nil {
			t.Fatal(err)
		}
		n, partial, err := query.NewEngine(store, x, nil).Count(t.Context(), query.Query{Project: "p"})
		if n != 300 || partial || err != nil {
			t.Errorf("%s: %d spans, partial %v (%v)", name, n, partial, err)
		}
	}
	run("first run")
	queued := 0
	if err := store.Changes(t.Context(), 0, func(uint64, *span.Span) bool { queued++; return true }); err != nil || queued != 0 {
		t.Errorf("%d changes are still queued (%v)", queued, err)
	}
	run("second run")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	run("deleted")
	if err := os.WriteFile(path, make([]byte, 20<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	run("zeroed")
	if err := os.WriteFile(path+".wal", []byte("this is no log of that file"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("foreign log")
}

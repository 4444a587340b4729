package duckdb

import (
	"database/sql"
	"path/filepath"
	"testing"
)

func TestWorkersAreThereForReadsOnly(t *testing.T) {
	x, err := Open(t.Context(), filepath.Join(t.TempDir(), "index.duckdb"), Options{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	if err := x.Apply(t.Context(), nil, 1); err != nil || x.workers.state != nil {
		t.Fatalf("a write: %v, workers %v", err, x.workers.state != nil)
	}
	for range 2 { // and again, after they have gone
		first, err := x.reading(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		err = x.rows(t.Context(), new(statement).add(`SELECT count(DISTINCT i % 1000) FROM range(2000000) r(i)`), func(r *sql.Rows) error { return r.Scan(&n) })
		if err != nil || n != 1000 {
			t.Fatalf("%d, %v", n, err)
		}
		if x.workers.dismiss(); x.workers.state == nil {
			t.Fatal("dismissed while somebody reads")
		}
		first()
		if x.workers.dismiss(); x.workers.state != nil {
			t.Fatal("still there after the last read")
		}
	}
}

func TestReadsGoOnAfterWorkersStopped(t *testing.T) {
	x, err := Open(t.Context(), filepath.Join(t.TempDir(), "index.duckdb"), Options{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	x.workers.stop()
	if n, err := x.Rows(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if x.workers.state != nil {
		t.Fatal("workers came back")
	}
}

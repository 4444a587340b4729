package duckdb

import (
	"os"
	"path/filepath"
	"testing"

	"weir/internal/query"
	"weir/internal/store/storetest"
)

// A crash takes rows and position back to the same moment: the last checkpoint.
func TestCrashGoesBackToTheCheckpoint(t *testing.T) {
	dir := t.TempDir()
	x := openIn(t, dir)
	defer func() { _ = x.Close() }()
	apply := func(seed uint64, upto uint64) {
		if err := x.Apply(t.Context(), storetest.RandomSpans("p", 10, seed), upto); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want int64, position uint64) {
		t.Helper()
		crashed := t.TempDir()
		b, err := os.ReadFile(filepath.Join(dir, "index.duckdb"))
		if err == nil {
			err = os.WriteFile(filepath.Join(crashed, "index.duckdb"), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		y := openIn(t, crashed)
		defer func() { _ = y.Close() }()
		n, err := y.Count(t.Context(), query.Query{Project: "p"})
		upto, _, posErr := y.Position(t.Context())
		if err != nil || posErr != nil || n != want || upto != position {
			t.Fatalf("%d rows up to %d, want %d up to %d (%v, %v)", n, upto, want, position, err, posErr)
		}
	}
	apply(1, 5)
	if held, err := x.Checkpoint(t.Context()); held != 5 || err != nil {
		t.Fatal(held, err)
	}
	apply(2, 9)
	check(10, 5)
	if held, err := x.Checkpoint(t.Context()); held != 9 || err != nil {
		t.Fatal(held, err)
	}
	check(20, 9)
	if err := x.DropDay(t.Context(), "p", storetest.RandomSpans("p", 1, 1)[0].Day); err != nil {
		t.Fatal(err)
	}
	left, err := x.Count(t.Context(), query.Query{Project: "p"})
	if err != nil || left == 20 {
		t.Fatal(left, err)
	}
	check(left, 9) // by itself
	if _, err := os.Stat(filepath.Join(dir, "index.duckdb.wal")); err == nil {
		t.Error("there is a log")
	}
}

// What is in the file is not written again when more is added.
func TestRowGroupsAreWrittenOnce(t *testing.T) {
	x := openIn(t, t.TempDir())
	defer func() { _ = x.Close() }()
	const batch, batches = 8000, 11
	for i := range batches {
		if err := x.Apply(t.Context(), weekSpans(i*batch, batch, batches*batch), uint64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	var groups string
	err := x.db.QueryRowContext(t.Context(), `SELECT string_agg(n, ' ' ORDER BY g) FROM (SELECT row_group_id AS g, sum(count) AS n FROM pragma_storage_info('spans')
		WHERE column_name = 'start' AND segment_type <> 'VALIDITY' GROUP BY g)`).Scan(&groups)
	if want := "40000 40000 8000"; groups != want || err != nil {
		t.Errorf("row groups of %s rows, want %s (%v)", groups, want, err)
	}
	var free int
	if err := x.db.QueryRowContext(t.Context(), `SELECT free_blocks FROM pragma_database_size() WHERE database_name = ?`, attachedAs).Scan(&free); err != nil || free > 2 {
		t.Errorf("%d blocks of the file are free (%v)", free, err)
	}
}

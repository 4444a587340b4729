package duckdb

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"weir/internal/query"
	"weir/internal/store/storetest"
)

func openIn(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(t.Context(), filepath.Join(dir, "index.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestIndex(t *testing.T) {
	storetest.Index(t, func(t *testing.T, dir string) query.Index { return openIn(t, dir) })
}

func TestDamagedFileIsCorrupt(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"garbage":   func(path string) error { return os.WriteFile(path, []byte("not a database at all, not at all"), 0o600) },
		"truncated": func(path string) error { return os.Truncate(path, 5000) },
		"zeroed": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(make([]byte, 12<<10), 0)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "index.duckdb")
			x := openIn(t, dir)
			if err := x.Apply(t.Context(), storetest.RandomSpans("p", 100, 1), 1); err != nil {
				t.Fatal(err)
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, query.ErrCorrupt) {
				t.Fatalf("error %v, want ErrCorrupt", err)
			}
			if err := Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := openIn(t, dir).Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOtherVersionIsCorrupt(t *testing.T) {
	dir := t.TempDir()
	x := openIn(t, dir)
	if _, err := x.writer.ExecContext(t.Context(), `UPDATE meta SET version = 0`); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "index.duckdb"), Options{}); !errors.Is(err, query.ErrCorrupt) {
		t.Fatalf("error %v, want ErrCorrupt", err)
	}
}

func TestFolderThatCannotBeWrittenIsNotCorrupt(t *testing.T) {
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "missing", "index.duckdb"), Options{})
	if err == nil || errors.Is(err, query.ErrCorrupt) {
		t.Fatalf("error %v", err)
	}
}

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

func TestPaths(t *testing.T) {
	for name, ok := range map[string]bool{"with space:colon": true, "ünï": true, "what?": false, "a#b": true, "50%": true, "it's": true} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "index.duckdb")
		x, err := Open(t.Context(), path, Options{})
		if !ok {
			if err == nil || errors.Is(err, query.ErrCorrupt) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A transaction that fails half-way leaves no rows and lets the next one begin.
func TestFailedChangeIsRolledBack(t *testing.T) {
	x := openIn(t, t.TempDir())
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	boom := errors.New("boom")
	err := x.change(t.Context(), 1, func(c *sql.Conn) error {
		return errors.Join(x.appendSpans(c, storetest.RandomSpans("p", 10, 1)), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("error %v", err)
	}
	if n, err := x.Count(t.Context(), query.Query{Project: "p"}); n != 0 || err != nil {
		t.Errorf("%d rows (%v)", n, err)
	}
	if err := x.Apply(t.Context(), storetest.RandomSpans("p", 10, 1), 7); err != nil {
		t.Fatal(err)
	}
	if n, err := x.Count(t.Context(), query.Query{Project: "p"}); n != 10 || err != nil {
		t.Errorf("%d rows afterwards (%v)", n, err)
	}
}

func TestSecondOpenIsNotCorrupt(t *testing.T) {
	if os.Getenv("WEIR_HELD_INDEX") != "" {
		_, err := Open(t.Context(), os.Getenv("WEIR_HELD_INDEX"), Options{})
		if err == nil || errors.Is(err, query.ErrCorrupt) {
			t.Fatalf("a held index: %v", err)
		}
		return
	}
	dir := t.TempDir()
	x := openIn(t, dir)
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSecondOpenIsNotCorrupt$")
	c.Env = append(os.Environ(), "WEIR_HELD_INDEX="+filepath.Join(dir, "index.duckdb"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDeadlineEndsAQuery(t *testing.T) {
	x := openIn(t, t.TempDir())
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range cap(x.slots) {
		x.slots <- struct{}{} // all slots taken
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := x.Count(ctx, query.Query{Project: "p"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	for range cap(x.slots) {
		<-x.slots
	}
}

// A start that is stopped at once must not keep the file from being opened again by the same process.
func TestOpenAfterCancelledOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.duckdb")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if x, err := Open(ctx, path, Options{}); err == nil {
		_ = x.Close()
		t.Fatal("opened with a context that had ended")
	}
	opened := make(chan error, 1)
	go func() {
		x, err := Open(context.Background(), path, Options{})
		if err == nil {
			err = x.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the second open hangs")
	}
}

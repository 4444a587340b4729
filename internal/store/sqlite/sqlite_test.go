package sqlite

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openTemp(t *testing.T) storetest.RowStore {
	return openAt(t, filepath.Join(t.TempDir(), "rows ?%.db"))
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestRows(t *testing.T) { storetest.Rows(t, openTemp) }

func TestWatching(t *testing.T) {
	storetest.Watching(t, func(t *testing.T) storetest.WatchStore { return openAt(t, filepath.Join(t.TempDir(), "rows.db")) })
}

func TestPragmas(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "rows.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
		}
	}
	if _, err := s.read.Exec("INSERT INTO settings VALUES ('a', 'b')"); err == nil {
		t.Error("a reading connection can write")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReopenKeepsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutSetting(t.Context(), "a", "1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err := openAt(t, path).Setting(t.Context(), "a"); v != "1" || err != nil {
		t.Fatalf("%q, %v", v, err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := t.TempDir()
	if err := openAt(t, filepath.Join(dir, "rows.db")).PutSetting(t.Context(), "a", "1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rows.db", "rows.db-wal", "rows.db-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

func TestConcurrentFirstOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.db")
	s := openAt(t, path)
	if _, err := s.write.Exec("PRAGMA user_version = 99999"); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path); err == nil {
		s.Close()
		t.Fatal("a schema of the future was opened")
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.db")
	if err := os.WriteFile(path, []byte("this is not a database, but long enough to be read as one, they say"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path); err == nil {
		s.Close()
		t.Fatal("garbage was opened")
	}
}

func TestDataVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.db")
	a, b := openAt(t, path), openAt(t, path)
	version := func() int64 {
		v, err := a.DataVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := version()
	if err := a.PutSetting(t.Context(), "own", "1"); err != nil {
		t.Fatal(err)
	}
	if version() != before {
		t.Fatal("changed by an own write")
	}
	if err := b.PutSetting(t.Context(), "other", "1"); err != nil {
		t.Fatal(err)
	}
	if version() == before {
		t.Fatal("did not change by another's write")
	}
}

func TestClosedStoreIsInternal(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Setting(t.Context(), "a"); !fault.Is(err, fault.Internal) {
		t.Fatal(err)
	}
}

func BenchmarkOpenNew(b *testing.B) {
	for b.Loop() {
		s, err := Open(filepath.Join(b.TempDir(), "rows.db"))
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkOpenAgain(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rows.db")
	openAt(b, path)
	for b.Loop() {
		s, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

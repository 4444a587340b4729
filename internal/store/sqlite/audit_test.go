package sqlite

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/internal/audit"
	"weir/internal/budget"
	"weir/internal/span"
	"weir/internal/store/storetest"
	"weir/internal/tenant"
)

func TestAudit(t *testing.T) {
	storetest.Audit(t, func(t *testing.T) audit.Store { return openAt(t, filepath.Join(t.TempDir(), "rows.db")) })
}

func TestShares(t *testing.T) { storetest.Shares(t, openAt(t, filepath.Join(t.TempDir(), "rows.db"))) }

// Whatever is done to the log by way of SQL, verifying names the first entry that is not as it was.
func TestAuditTampering(t *testing.T) {
	for name, c := range map[string]struct {
		sql    string
		broken int64
	}{
		"a word":            {"UPDATE audit SET detail = '{\"n\":9}' WHERE seq = 3", 3},
		"an actor":          {"UPDATE audit SET actor = 'somebody else' WHERE seq = 2", 2},
		"a time":            {"UPDATE audit SET time = time + 1 WHERE seq = 4", 4},
		"a hash":            {"UPDATE audit SET hash = 'x' WHERE seq = 1", 1},
		"an entry is gone":  {"DELETE FROM audit WHERE seq = 3", 3},
		"the first is gone": {"DELETE FROM audit WHERE seq = 1", 1},
		"the end is gone":   {"DELETE FROM audit WHERE seq >= 4", 4},
		"two are exchanged": {"UPDATE audit SET seq = -1 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = -1", 2},
		"one is added":      {"INSERT INTO audit SELECT 6, time, actor, means, action, target, project, ip, detail, hash FROM audit WHERE seq = 5", 6},
	} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, filepath.Join(t.TempDir(), "rows.db"))
			chain := audit.New(s, slog.New(slog.DiscardHandler), nil)
			for i := range 5 {
				chain.Record(t.Context(), audit.Event{Action: "x.y", Target: "t", Detail: map[string]any{"n": i}})
			}
			storetest.WantVerified(t, chain, 5)
			if c.sql[:6] != "INSERT" {
				if _, err := s.write.Exec(c.sql); err == nil {
					t.Error("the log lets itself be changed")
				}
			}
			if _, err := s.write.Exec("DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted; " + c.sql); err != nil {
				t.Fatal(err)
			}
			k, err := chain.Verify(t.Context())
			if err != nil || k.OK || k.BrokenAt != c.broken || k.Reason == "" {
				t.Errorf("%+v, want broken at %d (%v)", k, c.broken, err)
			}
		})
	}
}

func TestForgottenSpenderIsNotInTheFile(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "rows.db"))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	entry := func(seq uint64, user tenant.UserID) span.LedgerEntry {
		return span.LedgerEntry{Seq: seq, Time: at, Project: "one", User: user, Model: "m", Cost: 5}
	}
	if err := s.Apply(t.Context(), []span.LedgerEntry{entry(1, "user-needle"), entry(2, "neighbour"), entry(3, "erased-1")}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an interrupted job does it again
		if err := s.RenameSpender(t.Context(), "one", "user-needle", "erased-1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Daily(t.Context(), budget.DailyQuery{Project: "one"})
	if err != nil || len(got) != 2 || got[0].User != "erased-1" || got[0].Cost != 10 || got[0].Calls != 2 || got[1].User != "neighbour" {
		t.Errorf("%+v %v", got, err)
	}
	spends, err := s.Spends(t.Context())
	if err != nil || len(spends) != 2 || spends[0].ID != "erased-1" || spends[0].Total != 10 {
		t.Errorf("%+v %v", spends, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 1 {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("user-needle")) {
			t.Errorf("%s still holds the user", f)
		}
	}
}

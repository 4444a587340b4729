package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/audit"
	"weir/internal/tenant"
)

// Audit is what every audit.Store must do, seen through the chain over it. Stores of open share one log if they are
// opened at the same place.
func Audit(t *testing.T, open func(t *testing.T) audit.Store) {
	t.Run("entries", func(t *testing.T) { auditEntries(t, open(t)) })
	t.Run("concurrent writers", func(t *testing.T) { auditConcurrent(t, open(t)) })
	t.Run("out of order", func(t *testing.T) {
		if err := open(t).AppendAudit(t.Context(), func(audit.Entry) audit.Entry { return audit.Entry{Seq: 7} }); err == nil {
			t.Error("an entry out of order is taken")
		}
	})
}

func chainOver(s audit.Store) *audit.Chain {
	at := noon
	return audit.New(s, slog.New(slog.DiscardHandler), func() time.Time { at = at.Add(time.Minute); return at })
}

// WantVerified fails unless the log is whole and has n entries.
func WantVerified(t *testing.T, c *audit.Chain, n int64) {
	t.Helper()
	if k, err := c.Verify(t.Context()); err != nil || !k.OK || k.Entries != n {
		t.Errorf("%+v, want %d good entries (%v)", k, n, err)
	}
}

func auditEntries(t *testing.T, s audit.Store) {
	c := chainOver(s)
	WantVerified(t, c, 0)
	admin := &tenant.Identity{Means: tenant.BySession, User: "u1", Email: "a@example.com", Project: p1}
	ctx := audit.WithIP(t.Context(), "192.0.2.7")
	c.Record(ctx, audit.Event{Who: admin, Action: "key.create", Target: "k1", Detail: map[string]any{"b": 1, "a": "<é\x00>"}})
	c.Record(t.Context(), audit.Event{Action: "config.reload", Target: "100%_done"})
	c.Record(ctx, audit.Event{Who: admin, Action: "key.delete", Target: "k1", IP: "192.0.2.8", Project: p2})
	WantVerified(t, c, 3)
	all, err := c.Entries(t.Context(), audit.Query{})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d entries (%v)", len(all), err)
	}
	want := audit.Entry{
		Seq: 1, Time: noon.Add(time.Minute), Actor: "a@example.com", Means: "session", Action: "key.create", Target: "k1", Project: p1, IP: "192.0.2.7",
		Detail: `{"a":"\u003cé\u0000\u003e","b":1}`, Hash: all[2].Hash,
	}
	if diff := cmp.Diff(want, all[2]); diff != "" || len(want.Hash) != 64 {
		t.Error(diff)
	}
	if all[0].Project != p2 || all[0].IP != "192.0.2.8" || all[1].Actor != "system" {
		t.Errorf("%+v", all[:2])
	}
	for _, q := range []struct {
		q    audit.Query
		want string
	}{
		{audit.Query{Action: "key.*"}, "[3 1]"}, {audit.Query{Action: "key"}, "[]"}, {audit.Query{Action: "key.delete"}, "[3]"},
		{audit.Query{Search: "RELOAD"}, "[2]"}, {audit.Query{Search: "%_"}, "[2]"}, {audit.Query{Search: "k1"}, "[3 1]"},
		{audit.Query{Actor: "a@example.com"}, "[3 1]"}, {audit.Query{Project: p2}, "[3]"}, {audit.Query{Limit: 1}, "[3]"},
		{audit.Query{Before: 3}, "[2 1]"}, {audit.Query{From: noon.Add(2 * time.Minute)}, "[3 2]"}, {audit.Query{To: noon.Add(2 * time.Minute)}, "[1]"},
	} {
		got, err := c.Entries(t.Context(), q.q)
		seqs := []int64{}
		for _, e := range got {
			seqs = append(seqs, e.Seq)
		}
		if fmt.Sprint(seqs) != q.want || err != nil {
			t.Errorf("%+v: %v, want %s (%v)", q.q, seqs, q.want, err)
		}
	}
}

func auditConcurrent(t *testing.T, s audit.Store) {
	c, done := chainOver(s), make(chan struct{})
	a, b := chainOver(s), chainOver(s)
	for _, w := range []*audit.Chain{a, b} {
		go func() {
			for range 20 {
				w.Record(context.WithoutCancel(t.Context()), audit.Event{Action: "x"})
			}
			done <- struct{}{}
		}()
	}
	<-done
	<-done
	WantVerified(t, c, 40)
}

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/fault"
	"weir/internal/share"
	"weir/internal/tenant"
)

// Shares is what every share.Store must do.
func Shares(t *testing.T, s share.Store) {
	clock := noon
	v := share.New(s, func() time.Time { return clock })
	ctx := t.Context()
	make := func(p tenant.ProjectID, trace string, life time.Duration) (string, share.Share) {
		t.Helper()
		token, made, err := v.Create(ctx, p, trace, "a", life, true)
		if err != nil {
			t.Fatal(err)
		}
		return token, made
	}
	short, _ := make(p1, "t1", time.Hour)
	long, longShare := make(p1, "t1", 24*time.Hour)
	other, _ := make(p2, "t1", 24*time.Hour)
	got, err := v.Open(ctx, long, "ip")
	if diff := cmp.Diff(longShare, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got.Hash == long || got.Hash == "" {
		t.Error("the token itself is stored")
	}
	gone := func(name, token string) {
		t.Helper()
		if _, err := v.Open(ctx, token, "ip"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone("a hash for a token", got.Hash)
	gone("nothing", "")
	clock = clock.Add(time.Hour)
	gone("expired", short)
	if list, err := v.List(ctx, p1, "t1"); len(list) != 1 || list[0].ID != longShare.ID || err != nil {
		t.Errorf("%+v %v", list, err)
	}
	if list, _ := v.List(ctx, p1, "t2"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if _, err := v.Revoke(ctx, p2, longShare.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project revokes: %v", err)
	}
	if _, err := v.Revoke(ctx, p1, longShare.ID); err != nil {
		t.Fatal(err)
	}
	gone("revoked", long)
	if n, err := s.DeleteSharesOf(ctx, p1, []string{"t1"}); n != 1 || err != nil { // the expired one
		t.Errorf("%d %v", n, err)
	}
	if n, err := s.DeleteSharesOf(ctx, p2, []string{"t0", "t1"}); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	gone("erased", other)
}

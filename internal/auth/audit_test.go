package auth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/internal/audit"
	"weir/internal/tenant"
)

// book is an audit.Log in memory.
type book struct{ events []audit.Event }

func (b *book) Record(_ context.Context, e audit.Event) { b.events = append(b.events, e) }

// take returns the actions recorded since.
func (b *book) take() (out []string) {
	for _, e := range b.events {
		out = append(out, e.Action+" "+e.Target)
	}
	b.events = nil
	return out
}

func TestAdministrationIsRecorded(t *testing.T) {
	f := setup(t, false)
	log := &book{}
	f.Audit = log
	ctx := t.Context()
	admin := &tenant.Identity{Means: tenant.ByMaster, Role: tenant.RoleAdmin, Org: tenant.DefaultOrg, Project: tenant.DefaultProject}
	want := func(what string, actions ...string) {
		t.Helper()
		if diff := cmp.Diff(actions, log.take()); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	const secret = "sk-very-secret-needle"
	k, _, err := f.GenerateKey(ctx, admin, tenant.Key{Alias: "bot"}, secret)
	must(t, err)
	if said := fmt.Sprint(log.events); strings.Contains(said, "very-secret") || strings.Contains(said, string(k.ID)) {
		t.Errorf("the log holds a secret, or the whole of its hash: %s", said)
	}
	short := string(k.ID)[:12]
	want("create", "key.create "+short)
	_, err = f.UpdateKey(ctx, admin, k.ID, func(k *tenant.Key) error { k.RPM = 5; return nil })
	must(t, err)
	want("update", "key.update "+short)
	_, err = f.BlockKey(ctx, admin, k.ID, true)
	must(t, err)
	want("block", "key.block "+short)
	_, err = f.BlockKey(ctx, admin, k.ID, false)
	must(t, err)
	want("unblock", "key.unblock "+short)
	must(t, f.DeleteKey(ctx, admin, k.ID))
	want("delete", "key.delete "+short)

	_, err = f.CreateTeam(ctx, admin, tenant.Team{ID: "t1", Alias: "team"})
	must(t, err)
	_, err = f.CreateUser(ctx, admin, tenant.User{ID: "u1", Email: "u1@example.com"}, password)
	must(t, err)
	_, err = f.UpdateUser(ctx, admin, "u1", func(u *tenant.User) error { u.Role = tenant.RoleViewer; return nil })
	must(t, err)
	_, err = f.UpdateTeam(ctx, admin, "t1", func(t *tenant.Team) error { t.Blocked = true; return nil })
	must(t, err)
	_, err = f.CreateProject(ctx, admin, tenant.Project{ID: "p9", Name: "nine"})
	must(t, err)
	want("directory", "team.create t1", "user.create u1", "user.update u1", "team.update t1", "project.create p9")

	_, _, err = f.Login(ctx, "u1@example.com", password, "192.0.2.1")
	must(t, err)
	for _, login := range []string{"u1@example.com", "typed my password here"} {
		if _, _, err := f.Login(ctx, login, "wrong", "192.0.2.1"); err == nil {
			t.Fatal("a wrong password is taken")
		}
	}
	for _, e := range log.events {
		if e.IP != "192.0.2.1" {
			t.Errorf("%s without its address: %+v", e.Action, e)
		}
	}
	want("logins", "login u1", "login.failed u1", "login.failed unknown user")

	member := &tenant.Identity{Role: tenant.RoleMember, Project: tenant.DefaultProject}
	if _, _, err := f.GenerateKey(ctx, member, tenant.Key{}, ""); err == nil {
		t.Error("a member makes a key")
	}
	if err := f.SetRetention(ctx, member, 3); err == nil {
		t.Error("a member sets retention")
	}
	want("what was refused")
	must(t, f.SetRetention(ctx, admin, 3))
	if days, err := f.RetentionDays(admin); days != 3 || err != nil {
		t.Errorf("%d days (%v)", days, err)
	}
	nowhere := *admin
	nowhere.Project = "none"
	if err := f.SetRetention(ctx, &nowhere, 3); err == nil {
		t.Error("retention of no project")
	}
}

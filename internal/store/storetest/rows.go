// Package storetest holds the suites that every storage backend must pass. A backend's own test is one call of a suite,
// plus what is peculiar to it; every storage bug found adds a case here.
package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/auth"
	"weir/internal/budget"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// RowStore is everything a backend for rows must provide.
type RowStore interface {
	tenant.Store
	auth.SessionStore
	budget.Rows
}

// Rows is the suite every backend for rows must pass. open returns an empty store that the test owns.
func Rows(t *testing.T, open func(*testing.T) RowStore) {
	for name, run := range map[string]func(*testing.T, RowStore){
		"Orgs": rowsOrgs, "Projects": rowsProjects, "Users": rowsUsers, "Teams": rowsTeams, "Keys": rowsKeys, "KeyPages": rowsKeyPages, "Scopes": rowsScopes,
		"MarkUsed": rowsMarkUsed, "Settings": rowsSettings, "Sessions": rowsSessions, "LoginLinks": rowsLoginLinks, "LoginLinkRace": rowsLoginLinkRace,
		"Ledger": rowsLedger, "LedgerReplay": rowsLedgerReplay, "LedgerWindows": rowsLedgerWindows, "Concurrent": rowsConcurrent,
		"Together": rowsTogether,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

// rowsAt has nanoseconds, which must survive.
var rowsAt = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)

func rowsOK(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rowsFail(t *testing.T, err error, k fault.Kind) {
	t.Helper()
	if !fault.Is(err, k) {
		t.Fatalf("error %v is %q, want %q", err, fault.KindOf(err), k)
	}
}

func rowsSame(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("-want +got\n%s", d)
	}
}

// seed makes the parents that other rows refer to.
func rowsSeed(t *testing.T, s RowStore) {
	t.Helper()
	ctx := t.Context()
	rowsOK(t, s.CreateOrg(ctx, tenant.Org{ID: "o", Name: "Org", Created: rowsAt}))
	rowsOK(t, s.CreateProject(ctx, tenant.Project{ID: "p", Org: "o", Name: "One", Created: rowsAt}))
	rowsOK(t, s.CreateProject(ctx, tenant.Project{ID: "q", Org: "o", Name: "Two", Created: rowsAt.Add(1)}))
	rowsOK(t, s.CreateTeam(ctx, tenant.Team{ID: "t", Alias: "team", Org: "o", Project: "p", Origin: tenant.FromAPI, Created: rowsAt}))
	rowsOK(t, s.CreateUser(ctx, tenant.User{ID: "u", Email: "u@example.com", Role: tenant.RoleMember, Origin: tenant.FromAPI, Created: rowsAt}))
}

func rowsOrgs(t *testing.T, s RowStore) {
	ctx := t.Context()
	o := tenant.Org{ID: "o", Name: "Org", Created: rowsAt}
	rowsOK(t, s.CreateOrg(ctx, o))
	rowsFail(t, s.CreateOrg(ctx, o), fault.Conflict)
	o.Name = "New"
	rowsOK(t, s.UpdateOrg(ctx, o))
	got, err := s.Org(ctx, "o")
	rowsOK(t, err)
	rowsSame(t, got, o)
	all, next, err := s.Orgs(ctx, tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, all, []tenant.Org{o})
	rowsSame(t, next, "")
	rowsOK(t, s.CreateProject(ctx, tenant.Project{ID: "p", Org: "o", Name: "P", Created: rowsAt}))
	rowsFail(t, s.DeleteOrg(ctx, "o"), fault.Conflict)
	rowsOK(t, s.DeleteProject(ctx, "o", "p"))
	rowsOK(t, s.DeleteOrg(ctx, "o"))
	rowsFail(t, s.DeleteOrg(ctx, "o"), fault.NotFound)
	rowsFail(t, s.UpdateOrg(ctx, o), fault.NotFound)
	_, err = s.Org(ctx, "o")
	rowsFail(t, err, fault.NotFound)
}

func rowsProjects(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	rowsFail(t, s.CreateProject(ctx, tenant.Project{ID: "x", Org: "nowhere", Created: rowsAt}), fault.Conflict)
	rowsFail(t, s.CreateProject(ctx, tenant.Project{ID: "p", Org: "o", Created: rowsAt}), fault.Conflict)
	p := tenant.Project{ID: "p", Org: "o", Name: "Renamed", RetentionDays: 30, Created: rowsAt}
	rowsOK(t, s.UpdateProject(ctx, p))
	got, err := s.Project(ctx, "o", "p")
	rowsOK(t, err)
	rowsSame(t, got, p)
	_, err = s.Project(ctx, "other", "p")
	rowsFail(t, err, fault.NotFound)
	list, _, err := s.Projects(ctx, "o", tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, []tenant.ProjectID{list[0].ID, list[1].ID}, []tenant.ProjectID{"q", "p"})
	list, _, err = s.Projects(ctx, "other", tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, len(list), 0)
	rowsFail(t, s.DeleteProject(ctx, "o", "p"), fault.Conflict) // a team is in it
	rowsOK(t, s.DeleteProject(ctx, "o", "q"))
}

func nanoPtr(n money.Nano) *money.Nano { return &n }

func rowsUsers(t *testing.T, s RowStore) {
	ctx := t.Context()
	u := tenant.User{
		ID: "u", Email: "U@example.com", Name: "User", Role: tenant.RoleViewer, Password: "$argon2id$…", Projects: []tenant.ProjectID{"p", "q"},
		Origin: tenant.FromFile, Created: rowsAt, Budget: tenant.Budget{Max: nanoPtr(5), Soft: nanoPtr(0), Period: "30s", ResetAt: rowsAt},
	}
	rowsOK(t, s.CreateUser(ctx, u))
	got, err := s.User(ctx, "u")
	rowsOK(t, err)
	rowsSame(t, got, u)
	rowsFail(t, s.CreateUser(ctx, tenant.User{ID: "v", Email: "u@EXAMPLE.com", Created: rowsAt}), fault.Conflict)
	rowsOK(t, s.CreateUser(ctx, tenant.User{ID: "v", Created: rowsAt}))
	rowsOK(t, s.CreateUser(ctx, tenant.User{ID: "w", Created: rowsAt})) // no e-mail is no conflict
	u.Budget, u.Email, u.Projects = tenant.Budget{}, "", nil
	rowsOK(t, s.UpdateUser(ctx, u))
	got, err = s.User(ctx, "u")
	rowsOK(t, err)
	rowsSame(t, got, u)
	list, _, err := s.Users(ctx, tenant.UserFilter{Search: "sEr"}, tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, list, []tenant.User{u})
	list, _, err = s.Users(ctx, tenant.UserFilter{Search: "%"}, tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, len(list), 0)
	rowsOK(t, s.DeleteUser(ctx, "u"))
	rowsFail(t, s.DeleteUser(ctx, "u"), fault.NotFound)
	rowsFail(t, s.UpdateUser(ctx, u), fault.NotFound)
}

func rowsTeams(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	x := tenant.Team{
		ID: "x", Alias: "Blue", Org: "o", Project: "q", Models: []string{"a", "b/*"}, Blocked: true, Origin: tenant.FromAPI, Created: rowsAt,
		Budget: tenant.Budget{Max: nanoPtr(7), Period: "1d"},
	}
	rowsOK(t, s.CreateTeam(ctx, x))
	rowsFail(t, s.CreateTeam(ctx, x), fault.Conflict)
	got, err := s.Team(ctx, "q", "x")
	rowsOK(t, err)
	rowsSame(t, got, x)
	_, err = s.Team(ctx, "p", "x")
	rowsFail(t, err, fault.NotFound)
	x.Models, x.Blocked, x.Budget = nil, false, tenant.Budget{}
	rowsOK(t, s.UpdateTeam(ctx, x))
	list, _, err := s.Teams(ctx, tenant.TeamFilter{Project: "q", Search: "bl"}, tenant.Page{})
	rowsOK(t, err)
	rowsSame(t, list, []tenant.Team{x})
	rowsOK(t, s.CreateKey(ctx, tenant.Key{ID: "k", Org: "o", Project: "q", Team: "x", Created: rowsAt}))
	rowsFail(t, s.DeleteTeam(ctx, "q", "x"), fault.Conflict)
	rowsOK(t, s.DeleteKey(ctx, "q", "k"))
	rowsFail(t, s.DeleteTeam(ctx, "p", "x"), fault.NotFound)
	rowsOK(t, s.DeleteTeam(ctx, "q", "x"))
}

func fullKey() tenant.Key {
	return tenant.Key{
		ID: "k", Name: "sk-...abcd", Alias: "ci", Org: "o", Project: "p", Team: "t", User: "someone", Email: "someone@example.com",
		Models: []string{"gpt-*"}, Expires: rowsAt.Add(time.Hour), Blocked: true, RPM: 3, TPM: 4, Tags: []string{"x", "日本"},
		Budget:   tenant.Budget{Max: nanoPtr(5 * money.Dollar), Soft: nanoPtr(1), Period: "1h", ResetAt: rowsAt.Add(time.Hour)},
		Metadata: jsonx.Raw(`{"a":{"b":1}}`), Origin: tenant.FromAPI, Created: rowsAt, Updated: rowsAt.Add(1), LastUsed: rowsAt.Add(2), Author: "admin",
	}
}

func rowsKeys(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	k := fullKey()
	rowsOK(t, s.CreateKey(ctx, k))
	rowsFail(t, s.CreateKey(ctx, k), fault.Conflict)
	got, err := s.Key(ctx, "p", "k")
	rowsOK(t, err)
	rowsSame(t, got, k)
	rowsFail(t, s.CreateKey(ctx, tenant.Key{ID: "l", Alias: "ci", Org: "o", Project: "p", Created: rowsAt}), fault.Conflict)
	rowsFail(t, s.CreateKey(ctx, tenant.Key{ID: "l", Team: "nowhere", Org: "o", Project: "p", Created: rowsAt}), fault.Conflict)
	rowsOK(t, s.CreateKey(ctx, tenant.Key{ID: "l", Alias: "ci", Org: "o", Project: "q", Created: rowsAt})) // another project
	bare := tenant.Key{ID: "k", Org: "o", Project: "p", Name: k.Name, Created: rowsAt, LastUsed: k.LastUsed}
	rowsOK(t, s.UpdateKey(ctx, bare))
	got, err = s.Key(ctx, "p", "k")
	rowsOK(t, err)
	rowsSame(t, got, bare)
	rowsOK(t, s.DeleteKey(ctx, "p", "k"))
	rowsFail(t, s.DeleteKey(ctx, "p", "k"), fault.NotFound)
	rowsFail(t, s.UpdateKey(ctx, bare), fault.NotFound)
	_, err = s.Key(ctx, "p", "k")
	rowsFail(t, err, fault.NotFound)
}

// rowsTogether changes things in a transaction that fails, and in one that does not. A refused change, which the caller
// passes over, leaves the others of its transaction whole.
func rowsTogether(t *testing.T, s RowStore) {
	rowsSeed(t, s)
	ctx := t.Context()
	k := fullKey()
	rowsOK(t, s.CreateKey(ctx, k))
	change := func(end error) error {
		return s.Together(ctx, func(c tenant.Changes) error {
			rowsOK(t, c.CreateUser(ctx, tenant.User{ID: "together", Role: tenant.RoleMember}))
			rowsFail(t, c.DeleteTeam(ctx, k.Project, k.Team), fault.Conflict)
			rowsOK(t, c.DeleteKey(ctx, k.Project, k.ID))
			rowsOK(t, c.UpdateTeam(ctx, tenant.Team{ID: k.Team, Project: k.Project, Org: k.Org, Alias: "changed"}))
			return end
		})
	}
	rowsFail(t, change(fault.New(fault.Invalid, "no")), fault.Invalid)
	_, err := s.User(ctx, "together")
	rowsFail(t, err, fault.NotFound)
	_, err = s.Key(ctx, k.Project, k.ID)
	rowsOK(t, err)
	rowsOK(t, change(nil))
	_, err = s.User(ctx, "together")
	rowsOK(t, err)
	_, err = s.Key(ctx, k.Project, k.ID)
	rowsFail(t, err, fault.NotFound)
	team, err := s.Team(ctx, k.Project, k.Team)
	rowsOK(t, err)
	rowsSame(t, team.Alias, "changed")
}

func rowsKeyPages(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	var want []tenant.KeyID
	for i := range 25 { // created in pairs, so that the cursor must tell equal times apart
		id := tenant.KeyID(fmt.Sprintf("k_%02d", i))
		rowsOK(t, s.CreateKey(ctx, tenant.Key{ID: id, Org: "o", Project: "p", User: tenant.UserID(fmt.Sprint("u", i%2)), Created: rowsAt.Add(time.Duration(i / 2))}))
		want = append(want, id)
	}
	slices.Reverse(want)
	var got []tenant.KeyID
	p := tenant.Page{Limit: 4}
	for {
		page, next, err := s.Keys(ctx, tenant.KeyFilter{Project: "p"}, p)
		rowsOK(t, err)
		for _, k := range page {
			got = append(got, k.ID)
		}
		if next == "" {
			break
		}
		rowsSame(t, len(page), 4)
		p.Cursor = next
	}
	rowsSame(t, got, want)
	page, next, err := s.Keys(ctx, tenant.KeyFilter{Project: "p", User: "u1"}, tenant.Page{Limit: 12})
	rowsOK(t, err)
	rowsSame(t, len(page), 12)
	rowsSame(t, next, "") // exactly full is the last
	_, _, err = s.Keys(ctx, tenant.KeyFilter{}, tenant.Page{Cursor: "nonsense"})
	rowsFail(t, err, fault.Invalid)
}

func rowsScopes(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	rowsOK(t, s.CreateKey(ctx, fullKey()))
	_, err := s.Key(ctx, "q", "k")
	rowsFail(t, err, fault.NotFound)
	other := fullKey()
	other.Project, other.Team = "q", ""
	rowsFail(t, s.UpdateKey(ctx, other), fault.NotFound)
	rowsFail(t, s.DeleteKey(ctx, "q", "k"), fault.NotFound)
	for _, c := range []struct {
		filter tenant.KeyFilter
		want   int
	}{
		{tenant.KeyFilter{}, 1}, {tenant.KeyFilter{Project: "q"}, 0}, {tenant.KeyFilter{Team: "t"}, 1}, {tenant.KeyFilter{Team: "x"}, 0},
		{tenant.KeyFilter{Origin: tenant.FromFile}, 0}, {tenant.KeyFilter{Search: "SOMEONE@"}, 1}, {tenant.KeyFilter{Search: "_i"}, 0},
	} {
		page, _, err := s.Keys(ctx, c.filter, tenant.Page{})
		rowsOK(t, err)
		if len(page) != c.want {
			t.Errorf("%+v: %d keys, want %d", c.filter, len(page), c.want)
		}
	}
}

func rowsMarkUsed(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	rowsOK(t, s.CreateKey(ctx, fullKey()))
	rowsOK(t, s.MarkUsed(ctx, map[tenant.KeyID]time.Time{"k": rowsAt.Add(time.Minute), "gone": rowsAt}))
	rowsOK(t, s.MarkUsed(ctx, map[tenant.KeyID]time.Time{"k": rowsAt}))
	k, err := s.Key(ctx, "p", "k")
	rowsOK(t, err)
	rowsSame(t, k.LastUsed, rowsAt.Add(time.Minute))
}

func rowsSettings(t *testing.T, s RowStore) {
	ctx := t.Context()
	_, err := s.Setting(ctx, "a")
	rowsFail(t, err, fault.NotFound)
	rowsOK(t, s.PutSetting(ctx, "a", "1"))
	rowsOK(t, s.PutSetting(ctx, "a", "2"))
	v, err := s.Setting(ctx, "a")
	rowsOK(t, err)
	rowsSame(t, v, "2")
}

func rowsSessions(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	a := auth.Session{Hash: "a", User: "u", Created: rowsAt, Expires: rowsAt.Add(time.Hour)}
	b := auth.Session{Hash: "b", User: "u", Created: rowsAt.Add(1), Expires: rowsAt.Add(2 * time.Hour)}
	rowsOK(t, s.CreateSession(ctx, a))
	rowsOK(t, s.CreateSession(ctx, b))
	rowsFail(t, s.CreateSession(ctx, auth.Session{Hash: "c", User: "nobody"}), fault.Conflict)
	rowsOK(t, s.ExtendSessions(ctx, map[string]time.Time{"a": rowsAt, "b": rowsAt.Add(3 * time.Hour), "gone": rowsAt}))
	b.Expires = rowsAt.Add(3 * time.Hour)
	got, err := s.Sessions(ctx, rowsAt)
	rowsOK(t, err)
	rowsSame(t, got, []auth.Session{a, b})
	got, err = s.Sessions(ctx, a.Expires)
	rowsOK(t, err)
	rowsSame(t, got, []auth.Session{b})
	rowsOK(t, s.PurgeExpired(ctx, a.Expires))
	rowsOK(t, s.DeleteSessions(ctx, "b", "gone"))
	got, err = s.Sessions(ctx, time.Time{})
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
	rowsOK(t, s.CreateSession(ctx, a))
	rowsOK(t, s.DeleteSessionsOf(ctx, "u"))
	rowsOK(t, s.CreateSession(ctx, a))
	rowsOK(t, s.DeleteUser(ctx, "u")) // takes its sessions along
	got, err = s.Sessions(ctx, time.Time{})
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
}

func rowsLoginLinks(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	l := auth.LoginLink{Hash: "h", User: "u", Expires: rowsAt}
	rowsOK(t, s.CreateLoginLink(ctx, l))
	got, err := s.TakeLoginLink(ctx, "h")
	rowsOK(t, err)
	rowsSame(t, got, l)
	_, err = s.TakeLoginLink(ctx, "h")
	rowsFail(t, err, fault.NotFound)
	rowsOK(t, s.CreateLoginLink(ctx, l))
	rowsOK(t, s.PurgeExpired(ctx, rowsAt))
	_, err = s.TakeLoginLink(ctx, "h")
	rowsFail(t, err, fault.NotFound)
}

func rowsLoginLinkRace(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	rowsOK(t, s.CreateLoginLink(ctx, auth.LoginLink{Hash: "h", User: "u", Expires: rowsAt}))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.TakeLoginLink(ctx, "h"); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	rowsSame(t, won.Load(), int32(1))
}

func rowsEntry(seq uint64, cost money.Nano) span.LedgerEntry {
	return span.LedgerEntry{
		Seq: seq, Time: rowsAt, Call: fmt.Sprint(seq), Project: "p", Key: "k", User: "someone", Team: "t", Model: "gpt", Tags: []string{"x", "y", "x"},
		Usage: llm.Usage{Input: 1, CacheRead: 2, CacheWrite: 3, CacheWrite1h: 4, Output: 5}, Cost: cost,
	}
}

func rowsSpend(t *testing.T, s RowStore, scope tenant.Scope, id string) budget.Spend {
	t.Helper()
	all, err := s.Spends(t.Context())
	rowsOK(t, err)
	for _, a := range all {
		if a.Scope == scope && a.ID == id {
			return a.Spend
		}
	}
	return budget.Spend{}
}

func rowsLedger(t *testing.T, s RowStore) {
	ctx := t.Context()
	failed := rowsEntry(2, 30)
	failed.Failed, failed.Team, failed.Tags = true, "", []string{"x"}
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{rowsEntry(1, 100), failed}))
	seq, err := s.Applied(ctx)
	rowsOK(t, err)
	rowsSame(t, seq, uint64(2))
	rowsSame(t, rowsSpend(t, s, tenant.ScopeKey, "k"), budget.Spend{Total: 130, Window: 130})
	rowsSame(t, rowsSpend(t, s, tenant.ScopeUser, "someone"), budget.Spend{Total: 130, Window: 130})
	rowsSame(t, rowsSpend(t, s, tenant.ScopeTeam, "t"), budget.Spend{Total: 100, Window: 100})

	day := span.DayOf(rowsAt)
	rows, err := s.Daily(ctx, budget.DailyQuery{Project: "p", From: day, To: day, Key: "k", Model: "gpt"})
	rowsOK(t, err)
	rowsSame(t, rows, []budget.Daily{
		{Day: day, Project: "p", Key: "k", User: "someone", Team: "", Model: "gpt", Calls: 1, Failed: 1, Input: 1, CacheRead: 2, CacheWrite: 3, CacheWrite1h: 4, Output: 5, Cost: 30},
		{Day: day, Project: "p", Key: "k", User: "someone", Team: "t", Model: "gpt", Calls: 1, Input: 1, CacheRead: 2, CacheWrite: 3, CacheWrite1h: 4, Output: 5, Cost: 100},
	})
	tags, err := s.DailyTags(ctx, budget.DailyQuery{Project: "p", Tag: "x"})
	rowsOK(t, err)
	rowsSame(t, tags, []budget.Daily{{Day: day, Project: "p", Tag: "x", Calls: 2, Failed: 1, Input: 2, CacheRead: 4, CacheWrite: 6, CacheWrite1h: 8, Output: 10, Cost: 130}})
	for _, q := range []budget.DailyQuery{{Project: "q"}, {Project: "p", From: day + 1}, {Project: "p", To: day - 1}, {Project: "p", User: "else"}, {Project: "p", Team: "else"}} {
		rows, err := s.Daily(ctx, q)
		rowsOK(t, err)
		if len(rows) != 0 {
			t.Errorf("%+v: %d rows, want none", q, len(rows))
		}
	}
}

func rowsLedgerReplay(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsOK(t, s.Apply(ctx, nil))
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{rowsEntry(1, 1), rowsEntry(2, 10)}))
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{rowsEntry(2, 10), rowsEntry(3, 100)})) // overlaps
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{rowsEntry(1, 1)}))
	seq, err := s.Applied(ctx)
	rowsOK(t, err)
	rowsSame(t, seq, uint64(3))
	rowsSame(t, rowsSpend(t, s, tenant.ScopeKey, "k").Total, money.Nano(111))
}

func rowsLedgerWindows(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	k := fullKey()
	k.Budget.Period, k.Budget.ResetAt = "1d", time.Time{}
	rowsOK(t, s.CreateKey(ctx, k))
	today, tomorrow, late := rowsEntry(1, 1), rowsEntry(2, 10), rowsEntry(3, 100)
	tomorrow.Time = rowsAt.AddDate(0, 0, 1)
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{today}))
	rowsOK(t, s.Apply(ctx, []span.LedgerEntry{tomorrow, late})) // late belongs to yesterday's window
	rowsSame(t, rowsSpend(t, s, tenant.ScopeKey, "k"), budget.Spend{Total: 111, Window: 10, Start: rowsAt.Truncate(24*time.Hour).AddDate(0, 0, 1)})
	rowsSame(t, rowsSpend(t, s, tenant.ScopeUser, "someone").Window, money.Nano(111)) // no period
}

func rowsConcurrent(t *testing.T, s RowStore) {
	ctx := t.Context()
	rowsSeed(t, s)
	var wg sync.WaitGroup
	errs := make(chan error, 400)
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				k := tenant.Key{ID: tenant.KeyID(fmt.Sprintf("%d-%d", w, i)), Org: "o", Project: "p", Created: rowsAt}
				errs <- s.CreateKey(ctx, k)
				_, _, err := s.Keys(ctx, tenant.KeyFilter{Project: "p"}, tenant.Page{Limit: 5})
				errs <- err
				_, err = s.Key(ctx, "p", k.ID) // a store must show its own writes
				errs <- err
				k.Alias = strings.ToUpper(string(k.ID))
				errs <- s.UpdateKey(ctx, k)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		rowsOK(t, err)
	}
	page, _, err := s.Keys(ctx, tenant.KeyFilter{Project: "p"}, tenant.Page{Limit: 1000})
	rowsOK(t, err)
	rowsSame(t, len(page), 80)
}

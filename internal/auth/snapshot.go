package auth

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"weir/internal/tenant"
)

// snapshot is everything a request is verified against. It is immutable; a change makes another.
type snapshot struct {
	orgs     map[tenant.OrgID]tenant.Org
	projects map[tenant.ProjectID]tenant.Project
	users    map[tenant.UserID]*userEntry
	logins   map[string]*userEntry // by e-mail in lower case
	teams    map[tenant.TeamID]tenant.Team
	keys     map[tenant.KeyID]*keyEntry
}

type userEntry struct {
	user tenant.User
	who  tenant.Identity // of a session
}

// keyEntry outlives changes of its key, so that its use is not forgotten: used is shared.
type keyEntry struct {
	key  tenant.Key
	team *tenant.Team // nil without
	who  tenant.Identity
	used *lastUse
}

// lastUse is when a key was used, in unix nanoseconds: seen, and written to the store.
type lastUse struct{ seen, written atomic.Int64 }

// load reads all rows.
func load(ctx context.Context, st tenant.Store) (*snapshot, error) {
	s := &snapshot{}
	orgs, err := all(func(p tenant.Page) ([]tenant.Org, string, error) { return st.Orgs(ctx, p) })
	if err != nil {
		return nil, err
	}
	projects, err := all(func(p tenant.Page) ([]tenant.Project, string, error) { return st.Projects(ctx, "", p) })
	if err != nil {
		return nil, err
	}
	users, err := all(func(p tenant.Page) ([]tenant.User, string, error) { return st.Users(ctx, tenant.UserFilter{}, p) })
	if err != nil {
		return nil, err
	}
	teams, err := all(func(p tenant.Page) ([]tenant.Team, string, error) { return st.Teams(ctx, tenant.TeamFilter{}, p) })
	if err != nil {
		return nil, err
	}
	keys, err := all(func(p tenant.Page) ([]tenant.Key, string, error) { return st.Keys(ctx, tenant.KeyFilter{}, p) })
	if err != nil {
		return nil, err
	}
	s.orgs = index(orgs, func(o tenant.Org) tenant.OrgID { return o.ID })
	s.projects = index(projects, func(p tenant.Project) tenant.ProjectID { return p.ID })
	s.teams = index(teams, func(t tenant.Team) tenant.TeamID { return t.ID })
	s.setUsers(users)
	s.keys = make(map[tenant.KeyID]*keyEntry, len(keys))
	for _, k := range keys {
		s.keys[k.ID] = s.entry(k, nil)
	}
	return s, nil
}

func all[T any](list func(tenant.Page) ([]T, string, error)) (out []T, err error) {
	p := tenant.Page{Limit: tenant.MaxPage}
	for {
		items, next, err := list(p)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
		if next == "" {
			return out, nil
		}
		p.Cursor = next
	}
}

func index[K comparable, T any](items []T, id func(T) K) map[K]T {
	m := make(map[K]T, len(items))
	for _, x := range items {
		m[id(x)] = x
	}
	return m
}

func (s *snapshot) setUsers(users []tenant.User) {
	s.users = make(map[tenant.UserID]*userEntry, len(users))
	s.logins = make(map[string]*userEntry, len(users))
	for _, u := range users {
		e := &userEntry{user: u, who: s.userIdentity(u)}
		s.users[u.ID] = e
		if u.Email != "" {
			s.logins[strings.ToLower(u.Email)] = e
		}
	}
}

// withKey returns a copy with one key put in, or taken out where k is nil.
func (s *snapshot) withKey(id tenant.KeyID, k *tenant.Key) *snapshot {
	n := *s
	n.keys = maps.Clone(s.keys)
	if k == nil {
		delete(n.keys, id)
		return &n
	}
	var used *lastUse
	if e := s.keys[id]; e != nil {
		used = e.used
	}
	n.keys[id] = n.entry(*k, used)
	return &n
}

func (s *snapshot) entry(k tenant.Key, used *lastUse) *keyEntry {
	if used == nil {
		used = &lastUse{}
		if !k.LastUsed.IsZero() {
			used.seen.Store(k.LastUsed.UnixNano())
			used.written.Store(k.LastUsed.UnixNano())
		}
	}
	e := &keyEntry{key: k, used: used}
	e.who = tenant.Identity{
		Means: tenant.ByKey, Role: tenant.RoleMember, Org: k.Org, Project: k.Project, Key: k.ID, KeyAlias: k.Alias, KeyName: k.Name,
		User: k.User, Email: k.Email, Team: k.Team, Models: k.Models, RPM: k.RPM, TPM: k.TPM, Tags: k.Tags, Metadata: k.Metadata,
	}
	e.who.Accounts = append(e.who.Accounts, tenant.Account{Scope: tenant.ScopeKey, ID: string(k.ID), Alias: k.Alias, Budget: k.Budget})
	if k.User != "" {
		a := tenant.Account{Scope: tenant.ScopeUser, ID: string(k.User), Alias: k.Email}
		if u := s.users[k.User]; u != nil {
			a.Budget = u.user.Budget
			if e.who.Email == "" {
				e.who.Email = u.user.Email
			}
		}
		e.who.Accounts = append(e.who.Accounts, a)
	}
	if t, ok := s.teams[k.Team]; ok {
		e.team = &t
		e.who.TeamAlias, e.who.TeamOnly = t.Alias, t.Models
		e.who.Accounts = append(e.who.Accounts, tenant.Account{Scope: tenant.ScopeTeam, ID: string(t.ID), Alias: t.Alias, Budget: t.Budget})
	}
	return e
}

func (s *snapshot) userIdentity(u tenant.User) tenant.Identity {
	who := tenant.Identity{
		Means: tenant.BySession, Role: u.Role, Org: tenant.DefaultOrg, Project: tenant.DefaultProject, User: u.ID, Email: u.Email,
		Accounts: []tenant.Account{{Scope: tenant.ScopeUser, ID: string(u.ID), Alias: u.Email, Budget: u.Budget}},
	}
	if u.Role != tenant.RoleAdmin && len(u.Projects) > 0 && !slices.Contains(u.Projects, tenant.DefaultProject) {
		who.Project = u.Projects[0]
	}
	if p, ok := s.projects[who.Project]; ok {
		who.Org = p.Org
	}
	return who
}

// mayEnter reports whether a user may act in a project.
func mayEnter(u *tenant.User, p tenant.ProjectID) bool {
	switch {
	case u.Role == tenant.RoleAdmin:
		return true
	case len(u.Projects) == 0:
		return p == tenant.DefaultProject
	}
	return slices.Contains(u.Projects, p)
}

// key returns a copy with the latest use filled in.
func (e *keyEntry) copy() tenant.Key {
	k := e.key
	k.Models, k.Tags, k.Metadata = slices.Clone(k.Models), slices.Clone(k.Tags), slices.Clone(k.Metadata)
	if n := e.used.seen.Load(); n != 0 {
		k.LastUsed = time.Unix(0, n).UTC()
	}
	return k
}

func (s *snapshot) userList() []tenant.User {
	out := make([]tenant.User, 0, len(s.users))
	for _, e := range s.users {
		out = append(out, e.user)
	}
	return out
}

package auth

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// Admin is the administrator Bootstrap found or made.
type Admin struct {
	Email    string
	Password string // only if it was generated just now
	Created  bool
}

// AdminEmail is the first administrator's where none is given.
const AdminEmail = "admin@localhost"

// Bootstrap makes the default organisation and project and an administrator where they are missing. A password given
// for a user that exists is left alone: it may have been changed since.
func Bootstrap(ctx context.Context, st Store, email, password string, now time.Time) (Admin, error) {
	err := ignore(fault.Conflict, st.CreateOrg(ctx, tenant.Org{ID: tenant.DefaultOrg, Name: "Default", Created: now}))
	if err != nil {
		return Admin{}, err
	}
	err = ignore(fault.Conflict, st.CreateProject(ctx, tenant.Project{ID: tenant.DefaultProject, Org: tenant.DefaultOrg, Name: "Default", Created: now}))
	if err != nil {
		return Admin{}, err
	}
	users, err := all(func(p tenant.Page) ([]tenant.User, string, error) { return st.Users(ctx, tenant.UserFilter{}, p) })
	if err != nil {
		return Admin{}, err
	}
	if i := slices.IndexFunc(users, func(u tenant.User) bool {
		return (email != "" && strings.EqualFold(u.Email, email)) || (email == "" && u.Role == tenant.RoleAdmin)
	}); i >= 0 {
		return Admin{Email: users[i].Email}, nil
	}
	a := Admin{Email: cmp.Or(email, AdminEmail), Created: true}
	if password == "" {
		a.Password = id.Secret("")
		password = a.Password
	} else if err := checkNewPassword(password); err != nil {
		return a, err
	}
	return a, st.CreateUser(ctx, tenant.User{
		ID: tenant.UserID(id.New()), Email: a.Email, Name: "Administrator", Role: tenant.RoleAdmin, Password: HashPassword(password),
		Created: now, Origin: tenant.FromAPI,
	})
}

func ignore(k fault.Kind, err error) error {
	if fault.Is(err, k) {
		return nil
	}
	return err
}

// ResetPassword sets the password of a user, given by e-mail or id, and ends their sessions. An empty password is
// replaced by a generated one; the one in force is returned. It needs no running Service.
func ResetPassword(ctx context.Context, st Store, login, password string) (string, error) {
	u, err := findUser(ctx, st, login)
	if err != nil {
		return "", err
	}
	if password == "" {
		password = id.Secret("")
	} else if err := checkNewPassword(password); err != nil {
		return "", err
	}
	u.Password = HashPassword(password)
	if err := st.UpdateUser(ctx, u); err != nil {
		return "", err
	}
	return password, st.DeleteSessionsOf(ctx, u.ID)
}

// findUser looks a user up by e-mail or id; "" is the first administrator.
func findUser(ctx context.Context, st Store, login string) (tenant.User, error) {
	users, err := all(func(p tenant.Page) ([]tenant.User, string, error) { return st.Users(ctx, tenant.UserFilter{}, p) })
	if err != nil {
		return tenant.User{}, err
	}
	for _, u := range slices.Backward(users) { // oldest first
		if (login == "" && u.Role == tenant.RoleAdmin) || (login != "" && (strings.EqualFold(u.Email, login) || string(u.ID) == login)) {
			return u, nil
		}
	}
	return tenant.User{}, fault.New(fault.NotFound, "no user %q", clip.To(login, 100))
}

func checkNewPassword(p string) error {
	if len(p) < MinPassword || len(p) > 1024 {
		return fault.Bad("password", "a password has between %d and 1024 characters", MinPassword)
	}
	return nil
}

// File is what a configuration file declares. Keys hold their ID, made by tenant.HashKey, and Name.
type File struct {
	Users []tenant.User
	Teams []tenant.Team
	Keys  []tenant.Key
}

// SetFile makes the store hold exactly these objects of origin file, and reloads. What the file no longer declares is
// deleted, except teams that keys made elsewhere still belong to: those are blocked. An object that exists with another
// origin is fault.Conflict. Of an error nothing is changed.
func (s *Service) SetFile(ctx context.Context, f File) error {
	s.change.Lock()
	defer s.change.Unlock()
	snap := s.snap.Load()
	now := s.Now().UTC()
	err := s.Store.Together(ctx, func(st tenant.Changes) error {
		if err := syncUsers(ctx, st, snap, f.Users, now); err != nil {
			return err
		}
		if err := syncTeams(ctx, st, snap, f.Teams, now); err != nil {
			return err
		}
		if err := syncKeys(ctx, st, snap, f.Keys, now); err != nil {
			return err
		}
		return s.dropTeams(ctx, st, snap, f.Teams)
	})
	if err != nil {
		return err
	}
	return s.reload(ctx)
}

func syncUsers(ctx context.Context, st tenant.Changes, snap *snapshot, users []tenant.User, now time.Time) error {
	keep := map[tenant.UserID]bool{}
	for _, u := range users {
		keep[u.ID] = true
		u.Origin, u.Role, u.Created = tenant.FromFile, cmp.Or(u.Role, tenant.RoleMember), now
		was := snap.users[u.ID]
		if was != nil {
			u.Created = was.user.Created
		}
		if err := cmp.Or(checkUser(&u), checkBudget(&u.Budget, u.Created, now, "")); err != nil {
			return err
		}
		switch {
		case was == nil:
			if err := st.CreateUser(ctx, u); err != nil {
				return err
			}
		case was.user.Origin != tenant.FromFile:
			return fault.New(fault.Conflict, "user %q of the configuration file exists already", u.ID)
		case !same(was.user, u):
			if err := st.UpdateUser(ctx, u); err != nil {
				return err
			}
		}
	}
	for id, e := range snap.users {
		if e.user.Origin == tenant.FromFile && !keep[id] {
			if err := st.DeleteUser(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func syncTeams(ctx context.Context, st tenant.Changes, snap *snapshot, teams []tenant.Team, now time.Time) error {
	for _, t := range teams {
		t.Origin, t.Created = tenant.FromFile, now
		t.Project, t.Org = cmp.Or(t.Project, tenant.DefaultProject), cmp.Or(t.Org, tenant.DefaultOrg)
		was, exists := snap.teams[t.ID]
		if exists {
			t.Created = was.Created
		}
		if err := cmp.Or(checkTeam(&t), checkBudget(&t.Budget, t.Created, now, "")); err != nil {
			return err
		}
		switch {
		case !exists:
			if err := st.CreateTeam(ctx, t); err != nil {
				return err
			}
		case was.Origin != tenant.FromFile, was.Project != t.Project:
			return fault.New(fault.Conflict, "team %q of the configuration file exists already", t.ID)
		case !same(was, t):
			if err := st.UpdateTeam(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) dropTeams(ctx context.Context, st tenant.Changes, snap *snapshot, keep []tenant.Team) error {
	for id, t := range snap.teams {
		if t.Origin != tenant.FromFile || slices.ContainsFunc(keep, func(k tenant.Team) bool { return k.ID == id }) {
			continue
		}
		err := st.DeleteTeam(ctx, t.Project, id)
		if fault.Is(err, fault.Conflict) {
			s.Log.Warn("team left the configuration file while keys belong to it; it is blocked", slog.String("team", string(id)))
			t.Blocked = true
			err = st.UpdateTeam(ctx, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func syncKeys(ctx context.Context, st tenant.Changes, snap *snapshot, keys []tenant.Key, now time.Time) error {
	keep := map[tenant.KeyID]bool{}
	for _, k := range keys {
		keep[k.ID] = true
	}
	for id, e := range snap.keys { // first, so that their aliases are free
		if e.key.Origin == tenant.FromFile && !keep[id] {
			if err := st.DeleteKey(ctx, e.key.Project, id); err != nil {
				return err
			}
		}
	}
	for _, k := range keys {
		if err := syncKey(ctx, st, snap.keys[k.ID], k, now); err != nil {
			return err
		}
	}
	return nil
}

func syncKey(ctx context.Context, st tenant.Changes, was *keyEntry, k tenant.Key, now time.Time) error {
	k.Origin, k.Created, k.Updated, k.Author = tenant.FromFile, now, now, "config"
	k.Project, k.Org = cmp.Or(k.Project, tenant.DefaultProject), cmp.Or(k.Org, tenant.DefaultOrg)
	if was != nil {
		k.Created, k.Updated, k.LastUsed = was.key.Created, was.key.Updated, was.key.LastUsed
	}
	if err := checkKey(&k, ""); err != nil {
		return err
	}
	switch {
	case was == nil:
		return st.CreateKey(ctx, k)
	case was.key.Origin != tenant.FromFile, was.key.Project != k.Project:
		return fault.New(fault.Conflict, "key %q of the configuration file exists already", cmp.Or(k.Alias, k.Name))
	case same(was.key, k):
		return nil
	}
	k.Updated = now
	return st.UpdateKey(ctx, k)
}

// same compares by content. A nil slice differs from an empty one, which at worst writes a row again.
func same[T any](a, b T) bool { return string(jsonx.MustMarshal(a)) == string(jsonx.MustMarshal(b)) }

package auth

import (
	"cmp"
	"context"
	"slices"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/tenant"
)

// CreateUser adds a user; u.ID may be "" and password too, for a user who only owns keys.
func (s *Service) CreateUser(ctx context.Context, who *tenant.Identity, u tenant.User, password string) (tenant.User, error) {
	if err := adminOnly(who); err != nil {
		return u, err
	}
	if u.ID == "" {
		u.ID = tenant.UserID(id.New())
	}
	u.Origin, u.Created, u.Role = tenant.FromAPI, s.Now().UTC(), cmp.Or(u.Role, tenant.RoleMember)
	u.Password = ""
	if password != "" {
		if err := checkNewPassword(password); err != nil {
			return u, err
		}
		u.Password = HashPassword(password)
	}
	if len(u.Projects) == 0 && u.Role != tenant.RoleAdmin && who.Project != tenant.DefaultProject {
		u.Projects = []tenant.ProjectID{who.Project}
	}
	if err := checkUser(&u); err != nil {
		return u, err
	}
	if err := checkBudget(&u.Budget, u.Created, u.Created, ""); err != nil {
		return u, err
	}
	err := s.changeDirectory(ctx, func() error { return s.Store.CreateUser(ctx, u) })
	s.note(ctx, who, err, "user.create", string(u.ID), map[string]any{"role": u.Role})
	return s.shownUser(u), err
}

// UpdateUser changes a user through edit. The password is changed elsewhere.
func (s *Service) UpdateUser(ctx context.Context, who *tenant.Identity, uid tenant.UserID, edit func(*tenant.User) error) (tenant.User, error) {
	if err := adminOnly(who); err != nil {
		return tenant.User{}, err
	}
	var u tenant.User
	err := s.changeDirectory(ctx, func() error {
		e := s.snap.Load().users[uid]
		if e == nil {
			return fault.New(fault.NotFound, "User %s not found", clip.To(string(uid), 100))
		}
		if err := fromAPI(e.user.Origin, "user"); err != nil {
			return err
		}
		u = e.user
		if err := edit(&u); err != nil {
			return err
		}
		u.ID, u.Password, u.Origin, u.Created = e.user.ID, e.user.Password, e.user.Origin, e.user.Created
		if err := checkUser(&u); err != nil {
			return err
		}
		if err := checkBudget(&u.Budget, u.Created, s.Now(), e.user.Budget.Period); err != nil {
			return err
		}
		return s.Store.UpdateUser(ctx, u)
	})
	s.note(ctx, who, err, "user.update", string(uid), map[string]any{"role": u.Role})
	return s.shownUser(u), err
}

// User is one user: any for an administrator, else oneself.
func (s *Service) User(who *tenant.Identity, uid tenant.UserID) (tenant.User, error) {
	if !who.IsAdmin() && (uid == "" || uid != who.User) {
		return tenant.User{}, fault.New(fault.Forbidden, "key not allowed to access this user's info. user_id=%s, key's user_id=%s", clip.To(string(uid), 100), who.User)
	}
	e := s.snap.Load().users[uid]
	if e == nil {
		return tenant.User{}, fault.New(fault.NotFound, "User %s not found", clip.To(string(uid), 100))
	}
	return s.shownUser(e.user), nil
}

// Users lists users by e-mail and id, for administrators; others see themselves. It counts all that match.
func (s *Service) Users(who *tenant.Identity, search string, offset, limit int) (page []tenant.User, total int) {
	var hits []tenant.User
	for _, u := range s.snap.Load().userList() {
		if (who.IsAdmin() || who.User == u.ID) && contains(search, u.Email, u.Name, string(u.ID)) {
			hits = append(hits, u)
		}
	}
	slices.SortFunc(hits, func(a, b tenant.User) int { return cmp.Or(cmp.Compare(a.Email, b.Email), cmp.Compare(a.ID, b.ID)) })
	for _, u := range window(hits, offset, limit) {
		page = append(page, s.shownUser(u))
	}
	return page, len(hits)
}

// CreateTeam adds a team to the caller's project.
func (s *Service) CreateTeam(ctx context.Context, who *tenant.Identity, t tenant.Team) (tenant.Team, error) {
	if err := adminOnly(who); err != nil {
		return t, err
	}
	if t.ID == "" {
		t.ID = tenant.TeamID(id.New())
	}
	t.Project, t.Org, t.Origin, t.Created = who.Project, who.Org, tenant.FromAPI, s.Now().UTC()
	if err := checkTeam(&t); err != nil {
		return t, err
	}
	if err := checkBudget(&t.Budget, t.Created, t.Created, ""); err != nil {
		return t, err
	}
	err := s.changeDirectory(ctx, func() error { return s.Store.CreateTeam(ctx, t) })
	s.note(ctx, who, err, "team.create", string(t.ID), map[string]any{"alias": t.Alias})
	return s.shownTeam(t), err
}

// UpdateTeam changes a team of the caller's project through edit.
func (s *Service) UpdateTeam(ctx context.Context, who *tenant.Identity, tid tenant.TeamID, edit func(*tenant.Team) error) (tenant.Team, error) {
	if err := adminOnly(who); err != nil {
		return tenant.Team{}, err
	}
	var t tenant.Team
	err := s.changeDirectory(ctx, func() error {
		was, err := s.ownTeam(who, tid)
		if err != nil {
			return err
		}
		if err := fromAPI(was.Origin, "team"); err != nil {
			return err
		}
		t = was
		t.Models = slices.Clone(was.Models)
		if err := edit(&t); err != nil {
			return err
		}
		t.ID, t.Project, t.Org, t.Origin, t.Created = was.ID, was.Project, was.Org, was.Origin, was.Created
		if err := checkTeam(&t); err != nil {
			return err
		}
		if err := checkBudget(&t.Budget, t.Created, s.Now(), was.Budget.Period); err != nil {
			return err
		}
		return s.Store.UpdateTeam(ctx, t)
	})
	s.note(ctx, who, err, "team.update", string(tid), map[string]any{"alias": t.Alias, "blocked": t.Blocked})
	return s.shownTeam(t), err
}

// Team is one team of the caller's project: any for an administrator, else one's own.
func (s *Service) Team(who *tenant.Identity, tid tenant.TeamID) (tenant.Team, error) {
	t, err := s.ownTeam(who, tid)
	if err != nil {
		return t, err
	}
	if !who.IsAdmin() && who.Team != tid {
		return tenant.Team{}, fault.New(fault.Forbidden, "key not allowed to access this team's info. team_id=%s", clip.To(string(tid), 100))
	}
	return s.shownTeam(t), nil
}

// Teams lists the project's teams by alias, for administrators; others see their own.
func (s *Service) Teams(who *tenant.Identity, search string, offset, limit int) (page []tenant.Team, total int) {
	var hits []tenant.Team
	for _, t := range s.snap.Load().teams {
		if t.Project == who.Project && (who.IsAdmin() || who.Team == t.ID) && contains(search, t.Alias, string(t.ID)) {
			hits = append(hits, t)
		}
	}
	slices.SortFunc(hits, func(a, b tenant.Team) int { return cmp.Or(cmp.Compare(a.Alias, b.Alias), cmp.Compare(a.ID, b.ID)) })
	for _, t := range window(hits, offset, limit) {
		page = append(page, s.shownTeam(t))
	}
	return page, len(hits)
}

// Projects are those the caller may act in, by name.
func (s *Service) Projects(who *tenant.Identity) []tenant.Project {
	snap := s.snap.Load()
	var out []tenant.Project
	for _, p := range snap.projects {
		u := snap.users[who.User]
		byUser := u != nil && (who.Means == tenant.BySession || who.Means == tenant.ByPassword) && mayEnter(&u.user, p.ID)
		if who.IsAdmin() || p.ID == who.Project || byUser {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b tenant.Project) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// CreateProject adds a project to the caller's organisation.
func (s *Service) CreateProject(ctx context.Context, who *tenant.Identity, p tenant.Project) (tenant.Project, error) {
	if err := adminOnly(who); err != nil {
		return p, err
	}
	if p.ID == "" {
		p.ID = tenant.ProjectID(id.New())
	}
	p.Org, p.Created = who.Org, s.Now().UTC()
	if p.Name == "" {
		return p, fault.Bad("name", "name must not be empty")
	}
	err := s.changeDirectory(ctx, func() error { return s.Store.CreateProject(ctx, p) })
	s.note(ctx, who, err, "project.create", string(p.ID), map[string]any{"name": p.Name})
	return p, err
}

func (s *Service) ownTeam(who *tenant.Identity, tid tenant.TeamID) (tenant.Team, error) {
	t, ok := s.snap.Load().teams[tid]
	if !ok || t.Project != who.Project {
		return tenant.Team{}, fault.New(fault.NotFound, "Team not found, passed team id: %s.", clip.To(string(tid), 100))
	}
	return t, nil
}

// changeDirectory makes one change and reloads: users and teams change rarely, and their keys depend on them.
func (s *Service) changeDirectory(ctx context.Context, change func() error) error {
	s.change.Lock()
	defer s.change.Unlock()
	if err := change(); err != nil {
		return err
	}
	return s.reload(ctx)
}

func (s *Service) shownUser(u tenant.User) tenant.User {
	u.Password = ""
	u.Projects = slices.Clone(u.Projects)
	if s.Spend != nil {
		u.Spend = s.Spend.Spent(tenant.ScopeUser, string(u.ID), u.Budget)
		u.Budget.ResetAt = s.Spend.ResetAt(u.Budget)
	}
	return u
}

func (s *Service) shownTeam(t tenant.Team) tenant.Team {
	t.Models = slices.Clone(t.Models)
	if s.Spend != nil {
		t.Spend = s.Spend.Spent(tenant.ScopeTeam, string(t.ID), t.Budget)
		t.Budget.ResetAt = s.Spend.ResetAt(t.Budget)
	}
	return t
}

func checkUser(u *tenant.User) error {
	switch {
	case len(u.Email) > 320, len(u.ID) > 256, len(u.Name) > 256:
		return fault.New(fault.Invalid, "user_id, user_email or user_alias is too long")
	case !slices.Contains([]tenant.Role{tenant.RoleAdmin, tenant.RoleMember, tenant.RoleViewer}, u.Role):
		return fault.Bad("user_role", "role must be admin, member or viewer")
	}
	return nil
}

func checkTeam(t *tenant.Team) error {
	switch {
	case len(t.Alias) > 256, len(t.ID) > 256:
		return fault.New(fault.Invalid, "team_id or team_alias is too long")
	case slices.Contains(t.Models, ""):
		return fault.Bad("models", "models must not hold an empty name")
	}
	return nil
}

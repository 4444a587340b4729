package sqlite

import (
	"context"
	"time"

	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/tenant"
)

// CreateOrg implements tenant.Orgs.
func (s *Store) CreateOrg(ctx context.Context, o tenant.Org) error {
	return s.exec(ctx, "organization", "INSERT INTO orgs (id, name, created) VALUES (?, ?, ?)", o.ID, o.Name, nanos(o.Created))
}

const orgColumns = "SELECT id, name, created FROM orgs"

func scanOrg(r scanner) (o tenant.Org, err error) {
	var created int64
	err = r.Scan(&o.ID, &o.Name, &created)
	o.Created = instant(created)
	return o, err
}

// Org implements tenant.Orgs.
func (s *Store) Org(ctx context.Context, id tenant.OrgID) (tenant.Org, error) {
	o, err := scanOrg(s.read.QueryRowContext(ctx, orgColumns+" WHERE id = ?", id))
	return o, failed(err, "organization")
}

// Orgs implements tenant.Orgs.
func (s *Store) Orgs(ctx context.Context, p tenant.Page) ([]tenant.Org, string, error) {
	return page(ctx, s.read, p, where{}, orgColumns, scanOrg, func(o tenant.Org) (time.Time, string) { return o.Created, string(o.ID) })
}

// UpdateOrg implements tenant.Orgs.
func (s *Store) UpdateOrg(ctx context.Context, o tenant.Org) error {
	return s.exec(ctx, "organization", "UPDATE orgs SET name = ? WHERE id = ?", o.Name, o.ID)
}

// DeleteOrg implements tenant.Orgs.
func (s *Store) DeleteOrg(ctx context.Context, id tenant.OrgID) error {
	return s.exec(ctx, "organization", "DELETE FROM orgs WHERE id = ?", id)
}

// CreateProject implements tenant.Projects.
func (s *Store) CreateProject(ctx context.Context, p tenant.Project) error {
	return s.exec(ctx, "project", "INSERT INTO projects (id, org, name, retention_days, created) VALUES (?, ?, ?, ?, ?)",
		p.ID, p.Org, p.Name, p.RetentionDays, nanos(p.Created))
}

const projectColumns = "SELECT id, org, name, retention_days, created FROM projects"

func scanProject(r scanner) (p tenant.Project, err error) {
	var created int64
	err = r.Scan(&p.ID, &p.Org, &p.Name, &p.RetentionDays, &created)
	p.Created = instant(created)
	return p, err
}

// Project implements tenant.Projects.
func (s *Store) Project(ctx context.Context, o tenant.OrgID, id tenant.ProjectID) (tenant.Project, error) {
	p, err := scanProject(s.read.QueryRowContext(ctx, projectColumns+" WHERE org = ? AND id = ?", o, id))
	return p, failed(err, "project")
}

// Projects implements tenant.Projects.
func (s *Store) Projects(ctx context.Context, o tenant.OrgID, p tenant.Page) ([]tenant.Project, string, error) {
	var w where
	if o != "" {
		w.add("org = ?", o)
	}
	return page(ctx, s.read, p, w, projectColumns, scanProject,
		func(p tenant.Project) (time.Time, string) { return p.Created, string(p.ID) })
}

// UpdateProject implements tenant.Projects.
func (s *Store) UpdateProject(ctx context.Context, p tenant.Project) error {
	return s.exec(ctx, "project", "UPDATE projects SET name = ?, retention_days = ? WHERE org = ? AND id = ?", p.Name, p.RetentionDays, p.Org, p.ID)
}

// DeleteProject implements tenant.Projects.
func (s *Store) DeleteProject(ctx context.Context, o tenant.OrgID, id tenant.ProjectID) error {
	return s.exec(ctx, "project", "DELETE FROM projects WHERE org = ? AND id = ?", o, id)
}

// CreateUser implements tenant.Users.
func (w writer) CreateUser(ctx context.Context, u tenant.User) error {
	return w.exec(ctx, "user", `INSERT INTO users (email, name, role, password, projects, origin, budget_max, budget_soft,
		budget_period, budget_reset, id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(userValues(u), u.ID, nanos(u.Created))...)
}

func userValues(u tenant.User) []any {
	return append([]any{absent(u.Email), u.Name, u.Role, u.Password, list(u.Projects), u.Origin}, budgetValues(u.Budget)...)
}

const userColumns = `SELECT id, coalesce(email, ''), name, role, password, projects, origin, budget_max, budget_soft, budget_period,
	budget_reset, created FROM users`

func scanUser(r scanner) (u tenant.User, err error) {
	var created int64
	var projects string
	var b budgetRow
	if err = r.Scan(&u.ID, &u.Email, &u.Name, &u.Role, &u.Password, &projects, &u.Origin, &b.max, &b.soft, &b.period, &b.reset, &created); err != nil {
		return u, err
	}
	u.Created, u.Budget = instant(created), b.budget()
	return u, unlist(projects, &u.Projects)
}

// User implements tenant.Users.
func (s *Store) User(ctx context.Context, id tenant.UserID) (tenant.User, error) {
	u, err := scanUser(s.read.QueryRowContext(ctx, userColumns+" WHERE id = ?", id))
	return u, failed(err, "user")
}

// Users implements tenant.Users.
func (s *Store) Users(ctx context.Context, f tenant.UserFilter, p tenant.Page) ([]tenant.User, string, error) {
	var w where
	if f.Search != "" {
		q := likes(f.Search)
		w.add(`(id LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\')`, q, q, q)
	}
	return page(ctx, s.read, p, w, userColumns, scanUser, func(u tenant.User) (time.Time, string) { return u.Created, string(u.ID) })
}

// UpdateUser implements tenant.Users.
func (w writer) UpdateUser(ctx context.Context, u tenant.User) error {
	return w.exec(ctx, "user", `UPDATE users SET email = ?, name = ?, role = ?, password = ?, projects = ?, origin = ?, budget_max = ?,
		budget_soft = ?, budget_period = ?, budget_reset = ? WHERE id = ?`, append(userValues(u), u.ID)...)
}

// DeleteUser implements tenant.Users.
func (w writer) DeleteUser(ctx context.Context, id tenant.UserID) error {
	return w.exec(ctx, "user", "DELETE FROM users WHERE id = ?", id)
}

// CreateTeam implements tenant.Teams.
func (w writer) CreateTeam(ctx context.Context, t tenant.Team) error {
	return w.exec(ctx, "team", `INSERT INTO teams (alias, models, blocked, origin, budget_max, budget_soft, budget_period, budget_reset,
		project, id, org, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(teamValues(t), t.Project, t.ID, t.Org, nanos(t.Created))...)
}

func teamValues(t tenant.Team) []any {
	return append([]any{t.Alias, list(t.Models), t.Blocked, t.Origin}, budgetValues(t.Budget)...)
}

const teamColumns = `SELECT id, alias, org, project, models, blocked, origin, budget_max, budget_soft, budget_period, budget_reset, created
	FROM teams`

func scanTeam(r scanner) (t tenant.Team, err error) {
	var created int64
	var models string
	var b budgetRow
	if err = r.Scan(&t.ID, &t.Alias, &t.Org, &t.Project, &models, &t.Blocked, &t.Origin, &b.max, &b.soft, &b.period, &b.reset, &created); err != nil {
		return t, err
	}
	t.Created, t.Budget = instant(created), b.budget()
	return t, unlist(models, &t.Models)
}

// Team implements tenant.Teams.
func (s *Store) Team(ctx context.Context, p tenant.ProjectID, id tenant.TeamID) (tenant.Team, error) {
	t, err := scanTeam(s.read.QueryRowContext(ctx, teamColumns+" WHERE project = ? AND id = ?", p, id))
	return t, failed(err, "team")
}

// Teams implements tenant.Teams.
func (s *Store) Teams(ctx context.Context, f tenant.TeamFilter, p tenant.Page) ([]tenant.Team, string, error) {
	var w where
	if f.Project != "" {
		w.add("project = ?", f.Project)
	}
	if f.Search != "" {
		w.add(`(id LIKE ? ESCAPE '\' OR alias LIKE ? ESCAPE '\')`, likes(f.Search), likes(f.Search))
	}
	return page(ctx, s.read, p, w, teamColumns, scanTeam, func(t tenant.Team) (time.Time, string) { return t.Created, string(t.ID) })
}

// UpdateTeam implements tenant.Teams.
func (w writer) UpdateTeam(ctx context.Context, t tenant.Team) error {
	return w.exec(ctx, "team", `UPDATE teams SET alias = ?, models = ?, blocked = ?, origin = ?, budget_max = ?, budget_soft = ?,
		budget_period = ?, budget_reset = ? WHERE project = ? AND id = ?`, append(teamValues(t), t.Project, t.ID)...)
}

// DeleteTeam implements tenant.Teams.
func (w writer) DeleteTeam(ctx context.Context, p tenant.ProjectID, id tenant.TeamID) error {
	return w.exec(ctx, "team", "DELETE FROM teams WHERE project = ? AND id = ?", p, id)
}

type budgetRow struct {
	max, soft *int64
	period    string
	reset     int64
}

func (b budgetRow) budget() tenant.Budget {
	return tenant.Budget{Max: (*money.Nano)(b.max), Soft: (*money.Nano)(b.soft), Period: b.period, ResetAt: instant(b.reset)}
}

func budgetValues(b tenant.Budget) []any {
	return []any{(*int64)(b.Max), (*int64)(b.Soft), b.Period, nanos(b.ResetAt)}
}

// absent stores an empty value as NULL, which neither unique nor foreign keys look at.
func absent[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

func list[S ~string](items []S) string {
	if len(items) == 0 {
		return "[]"
	}
	return string(jsonx.MustMarshal(items))
}

func unlist[S ~string](text string, into *[]S) error {
	if text == "[]" {
		return nil
	}
	return jsonx.Unmarshal([]byte(text), into)
}

package litellm

import (
	"net/http"
	"time"

	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/tenant"
)

type userRow struct {
	UserID         string   `json:"user_id"`
	UserEmail      *string  `json:"user_email"`
	UserAlias      *string  `json:"user_alias"`
	UserRole       string   `json:"user_role"`
	Spend          float64  `json:"spend"`
	MaxBudget      *float64 `json:"max_budget"`
	SoftBudget     *float64 `json:"soft_budget"`
	BudgetDuration *string  `json:"budget_duration"`
	BudgetResetAt  *string  `json:"budget_reset_at"`
	Models         []string `json:"models"`
	Teams          []string `json:"teams"`
	Metadata       struct{} `json:"metadata"`
	TPMLimit       *int64   `json:"tpm_limit"`
	RPMLimit       *int64   `json:"rpm_limit"`
	CreatedAt      *string  `json:"created_at"`
	KeyCount       *int     `json:"key_count,omitempty"`
}

// newUserRow is the answer to /user/new: the user and, unless declined, a key of theirs.
type newUserRow struct {
	userRow
	Key     string  `json:"key"`
	Token   *string `json:"token"`
	KeyName *string `json:"key_name"`
	Expires *string `json:"expires"`
}

var roles = map[string]tenant.Role{
	"": tenant.RoleMember, "internal_user": tenant.RoleMember, "internal_user_viewer": tenant.RoleViewer,
	"proxy_admin": tenant.RoleAdmin, "proxy_admin_viewer": tenant.RoleViewer,
}

func roleName(r tenant.Role) string {
	switch r {
	case tenant.RoleAdmin:
		return "proxy_admin"
	case tenant.RoleViewer:
		return "internal_user_viewer"
	}
	return "internal_user"
}

func userRowOf(u tenant.User) userRow {
	return userRow{
		UserID: string(u.ID), UserEmail: textOrNil(u.Email), UserAlias: textOrNil(u.Name), UserRole: roleName(u.Role), Spend: u.Spend.USD(),
		MaxBudget: usd(u.Budget.Max), SoftBudget: usd(u.Budget.Soft), BudgetDuration: textOrNil(u.Budget.Period),
		BudgetResetAt: stamp(u.Budget.ResetAt), Models: []string{}, Teams: []string{}, CreatedAt: stamp(u.Created),
	}
}

func (s *Surface) newUser(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	u := tenant.User{ID: tenant.UserID(b.text("user_id")), Email: b.text("user_email"), Name: b.text("user_alias")}
	b.budgetFields(&u.Budget)
	role, known := roles[b.text("user_role")]
	if !known {
		b.problem("user_role", "enum", "Input should be 'proxy_admin', 'proxy_admin_viewer', 'internal_user' or 'internal_user_viewer'")
	}
	u.Role = role
	wantsKey := b.flag("auto_create_key", true)
	k := tenant.Key{Alias: b.text("key_alias"), Models: b.models(), Expires: b.until("duration", time.Now()), Metadata: b.object("metadata")}
	k.TPM, k.RPM = b.integer("tpm_limit"), b.integer("rpm_limit")
	if err := b.err(); err != nil {
		return err
	}
	s.warnIgnored(w, r, b)
	who := edge.Who(r.Context())
	u, err = s.Tenants.CreateUser(r.Context(), who, u, "")
	if err != nil {
		return err
	}
	out := newUserRow{userRow: userRowOf(u)}
	if wantsKey {
		k.User, k.Email = u.ID, u.Email
		k, out.Key, err = s.Tenants.GenerateKey(r.Context(), who, k, "")
		if err != nil {
			return err
		}
		row := rowOf(k)
		out.Token, out.KeyName, out.Expires = &row.Token, &row.KeyName, row.Expires
		out.Models = row.Models
	}
	return writeJSON(w, http.StatusOK, out)
}

func (s *Surface) userInfo(w http.ResponseWriter, r *http.Request) error {
	who := edge.Who(r.Context())
	id := tenant.UserID(r.URL.Query().Get("user_id"))
	if id == "" {
		id = who.User
	}
	if id == "" {
		return fault.Bad("user_id", "this caller is no user; pass ?user_id=")
	}
	u, err := s.Tenants.User(who, id)
	if err != nil {
		return err
	}
	keys, _ := s.Tenants.Keys(who, auth.KeyQuery{User: id, Limit: tenant.MaxPage})
	teams := []teamRow{}
	seen := map[tenant.TeamID]bool{}
	for _, k := range keys {
		if k.Team == "" || seen[k.Team] {
			continue
		}
		seen[k.Team] = true
		if t, err := s.Tenants.Team(who, k.Team); err == nil {
			teams = append(teams, teamRowOf(t))
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"user_id": id, "user_info": userRowOf(u), "keys": rowsOf(keys), "teams": teams})
}

func rowsOf(keys []tenant.Key) []keyRow {
	out := make([]keyRow, 0, len(keys))
	for _, k := range keys {
		out = append(out, rowOf(k))
	}
	return out
}

func (s *Surface) listUsers(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	page, size, err := pageOf(q, "page_size", 25, 100)
	if err != nil {
		return err
	}
	who := edge.Who(r.Context())
	users, total := s.Tenants.Users(who, q.Get("user_email"), (page-1)*size, size)
	out := make([]userRow, 0, len(users))
	for _, u := range users {
		_, n := s.Tenants.Keys(who, auth.KeyQuery{User: u.ID, Limit: 1})
		row := userRowOf(u)
		row.KeyCount = &n
		out = append(out, row)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"users": out, "total": total, "page": page, "page_size": size, "total_pages": pages(total, size)})
}

type teamRow struct {
	TeamID           string     `json:"team_id"`
	TeamAlias        *string    `json:"team_alias"`
	OrganizationID   *string    `json:"organization_id"`
	Admins           []string   `json:"admins"`
	Members          []string   `json:"members"`
	MembersWithRoles []struct{} `json:"members_with_roles"`
	Metadata         struct{}   `json:"metadata"`
	TPMLimit         *int64     `json:"tpm_limit"`
	RPMLimit         *int64     `json:"rpm_limit"`
	MaxBudget        *float64   `json:"max_budget"`
	BudgetDuration   *string    `json:"budget_duration"`
	BudgetResetAt    *string    `json:"budget_reset_at"`
	Models           []string   `json:"models"`
	Blocked          bool       `json:"blocked"`
	Spend            float64    `json:"spend"`
	CreatedAt        *string    `json:"created_at"`
}

func teamRowOf(t tenant.Team) teamRow {
	return teamRow{
		TeamID: string(t.ID), TeamAlias: textOrNil(t.Alias), OrganizationID: textOrNil(string(t.Org)), Admins: []string{}, Members: []string{},
		MembersWithRoles: []struct{}{}, MaxBudget: usd(t.Budget.Max), BudgetDuration: textOrNil(t.Budget.Period),
		BudgetResetAt: stamp(t.Budget.ResetAt), Models: nonNil(t.Models), Blocked: t.Blocked, Spend: t.Spend.USD(), CreatedAt: stamp(t.Created),
	}
}

func (s *Surface) newTeam(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	t := tenant.Team{ID: tenant.TeamID(b.text("team_id")), Alias: b.text("team_alias"), Models: b.models(), Blocked: b.flag("blocked", false)}
	b.budgetFields(&t.Budget)
	if err := b.err(); err != nil {
		return err
	}
	s.warnIgnored(w, r, b)
	t, err = s.Tenants.CreateTeam(r.Context(), edge.Who(r.Context()), t)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, teamRowOf(t))
}

func (s *Surface) teamInfo(w http.ResponseWriter, r *http.Request) error {
	who := edge.Who(r.Context())
	id := tenant.TeamID(r.URL.Query().Get("team_id"))
	if id == "" {
		id = who.Team
	}
	t, err := s.Tenants.Team(who, id)
	if err != nil {
		return err
	}
	keys, _ := s.Tenants.Keys(who, auth.KeyQuery{Team: id, Limit: tenant.MaxPage})
	return writeJSON(w, http.StatusOK, map[string]any{"team_id": id, "team_info": teamRowOf(t), "keys": rowsOf(keys), "team_memberships": []any{}})
}

func (s *Surface) listTeams(w http.ResponseWriter, r *http.Request) error {
	teams, _ := s.Tenants.Teams(edge.Who(r.Context()), "", 0, tenant.MaxPage)
	out := make([]teamRow, 0, len(teams))
	for _, t := range teams {
		out = append(out, teamRowOf(t))
	}
	return writeJSON(w, http.StatusOK, out)
}

package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/tenant"
)

// TeamInfo is a team.
type TeamInfo struct {
	ID            string   `json:"id"`
	Alias         string   `json:"alias"`
	Models        []string `json:"models" nullable:"false"`
	Blocked       bool     `json:"blocked"`
	MaxBudgetUSD  *float64 `json:"max_budget_usd" nullable:"true"`
	BudgetPeriod  string   `json:"budget_period"`
	BudgetResetAt string   `json:"budget_reset_at"`
	SpendUSD      float64  `json:"spend_usd"`
	Created       string   `json:"created"`
	Origin        string   `json:"origin" enum:"api,file"`
}

// TeamList is a page of teams.
type TeamList struct {
	Items      []TeamInfo `json:"items" nullable:"false"`
	Total      int        `json:"total"`
	NextCursor string     `json:"next_cursor"`
}

// UserInfo is a user, without the password.
type UserInfo struct {
	ID           string   `json:"id"`
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Role         string   `json:"role" enum:"admin,member,viewer"`
	MaxBudgetUSD *float64 `json:"max_budget_usd" nullable:"true"`
	SpendUSD     float64  `json:"spend_usd"`
	Projects     []string `json:"projects" nullable:"false"`
	Created      string   `json:"created"`
	Origin       string   `json:"origin" enum:"api,file"`
}

// UserList is a page of users.
type UserList struct {
	Items      []UserInfo `json:"items" nullable:"false"`
	Total      int        `json:"total"`
	NextCursor string     `json:"next_cursor"`
}

func (s *Surface) directory() {
	register(s, op{method: http.MethodGet, path: "/teams", id: "listTeams", doc: "Teams of the project"}, s.listTeams)
	register(s, op{method: http.MethodPost, path: "/teams", id: "createTeam", doc: "Make a team", access: edge.Admin, status: http.StatusCreated}, s.createTeam)
	register(s, op{method: http.MethodGet, path: "/users", id: "listUsers", doc: "Users of the installation", access: edge.Admin}, s.listUsers)
	register(s, op{method: http.MethodPost, path: "/users", id: "createUser", doc: "Make a user", access: edge.Admin, status: http.StatusCreated}, s.createUser)
}

func (s *Surface) listTeams(ctx context.Context, in *OffsetPaging) (*body[TeamList], error) {
	offset, err := in.offset()
	if err != nil {
		return nil, err
	}
	teams, total := s.Accounts.Teams(edge.Who(ctx), in.Search, offset, in.Limit)
	out := TeamList{Items: make([]TeamInfo, len(teams)), Total: total, NextCursor: next(offset, len(teams), total)}
	for i, t := range teams {
		out.Items[i] = teamInfo(t)
	}
	return reply(out)
}

func teamInfo(t tenant.Team) TeamInfo {
	return TeamInfo{
		ID: string(t.ID), Alias: t.Alias, Models: list(t.Models), Blocked: t.Blocked, MaxBudgetUSD: usdOf(t.Budget.Max), BudgetPeriod: t.Budget.Period,
		BudgetResetAt: stamp(t.Budget.ResetAt), SpendUSD: t.Spend.USD(), Created: stamp(t.Created), Origin: string(t.Origin),
	}
}

type createTeamInput struct {
	Body struct {
		Alias        string       `json:"alias" minLength:"1" maxLength:"256"`
		Models       []string     `json:"models,omitempty" maxItems:"500"`
		MaxBudgetUSD opt[float64] `json:"max_budget_usd,omitempty"`
		BudgetPeriod string       `json:"budget_period,omitempty" maxLength:"20"`
	}
}

func (s *Surface) createTeam(ctx context.Context, in *createTeamInput) (*body[TeamInfo], error) {
	max, err := in.Body.MaxBudgetUSD.money("max_budget_usd")
	if err != nil {
		return nil, err
	}
	t, err := s.Accounts.CreateTeam(ctx, edge.Who(ctx), tenant.Team{
		Alias: in.Body.Alias, Models: in.Body.Models, Budget: tenant.Budget{Max: max, Period: in.Body.BudgetPeriod},
	})
	if err != nil {
		return nil, err
	}
	return reply(teamInfo(t))
}

func (s *Surface) listUsers(ctx context.Context, in *OffsetPaging) (*body[UserList], error) {
	offset, err := in.offset()
	if err != nil {
		return nil, err
	}
	users, total := s.Accounts.Users(edge.Who(ctx), in.Search, offset, in.Limit)
	out := UserList{Items: make([]UserInfo, len(users)), Total: total, NextCursor: next(offset, len(users), total)}
	for i, u := range users {
		out.Items[i] = userInfo(u)
	}
	return reply(out)
}

func userInfo(u tenant.User) UserInfo {
	info := UserInfo{
		ID: string(u.ID), Email: u.Email, Name: u.Name, Role: string(u.Role), MaxBudgetUSD: usdOf(u.Budget.Max), SpendUSD: u.Spend.USD(),
		Projects: []string{}, Created: stamp(u.Created), Origin: string(u.Origin),
	}
	for _, p := range u.Projects {
		info.Projects = append(info.Projects, string(p))
	}
	return info
}

type createUserInput struct {
	Body struct {
		ID           string       `json:"id,omitempty" maxLength:"200" doc:"made up if empty"`
		Email        string       `json:"email,omitempty" maxLength:"320"`
		Name         string       `json:"name,omitempty" maxLength:"200"`
		Role         string       `json:"role,omitempty" enum:"admin,member,viewer" default:"member"`
		Password     string       `json:"password,omitempty" maxLength:"1024" doc:"empty = cannot log in"`
		MaxBudgetUSD opt[float64] `json:"max_budget_usd,omitempty"`
		BudgetPeriod string       `json:"budget_period,omitempty" maxLength:"20"`
	}
}

func (s *Surface) createUser(ctx context.Context, in *createUserInput) (*body[UserInfo], error) {
	max, err := in.Body.MaxBudgetUSD.money("max_budget_usd")
	if err != nil {
		return nil, err
	}
	u, err := s.Accounts.CreateUser(ctx, edge.Who(ctx), tenant.User{
		ID: tenant.UserID(in.Body.ID), Email: in.Body.Email, Name: in.Body.Name, Role: tenant.Role(in.Body.Role),
		Budget: tenant.Budget{Max: max, Period: in.Body.BudgetPeriod},
	}, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return reply(userInfo(u))
}

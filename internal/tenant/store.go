package tenant

import (
	"context"
	"time"
)

// Store keeps tenants. Everything it returns is the caller's own copy. Missing objects are fault.NotFound, a used id,
// e-mail or alias and a still referenced object are fault.Conflict. Key.Spend, User.Spend and Team.Spend are not its
// business: budgets count them.
type Store interface {
	Orgs
	Projects
	Users
	Teams
	Keys
	Settings
	// Together makes all that do changes one change: of an error, which is returned, nothing stays. do must not use the
	// Store itself, which would wait for it.
	Together(ctx context.Context, do func(Changes) error) error
}

// Changes are those that can be made together; each is as in Users, Teams and Keys.
type Changes interface {
	CreateUser(ctx context.Context, u User) error
	UpdateUser(ctx context.Context, u User) error
	DeleteUser(ctx context.Context, id UserID) error
	CreateTeam(ctx context.Context, t Team) error
	UpdateTeam(ctx context.Context, t Team) error
	DeleteTeam(ctx context.Context, p ProjectID, id TeamID) error
	CreateKey(ctx context.Context, k Key) error
	UpdateKey(ctx context.Context, k Key) error
	DeleteKey(ctx context.Context, p ProjectID, id KeyID) error
}

// Orgs are the roots.
type Orgs interface {
	CreateOrg(ctx context.Context, o Org) error
	Org(ctx context.Context, id OrgID) (Org, error)
	Orgs(ctx context.Context, p Page) ([]Org, string, error)
	UpdateOrg(ctx context.Context, o Org) error
	DeleteOrg(ctx context.Context, id OrgID) error
}

// Projects belong to an organisation, which never changes.
type Projects interface {
	CreateProject(ctx context.Context, p Project) error
	Project(ctx context.Context, o OrgID, id ProjectID) (Project, error)
	// Projects lists those of an organisation; "" means of all.
	Projects(ctx context.Context, o OrgID, p Page) ([]Project, string, error)
	UpdateProject(ctx context.Context, p Project) error
	DeleteProject(ctx context.Context, o OrgID, id ProjectID) error
}

// Users belong to the installation. E-mails are unique regardless of case; empty ones do not count.
type Users interface {
	CreateUser(ctx context.Context, u User) error
	User(ctx context.Context, id UserID) (User, error)
	Users(ctx context.Context, f UserFilter, p Page) ([]User, string, error)
	UpdateUser(ctx context.Context, u User) error
	DeleteUser(ctx context.Context, id UserID) error
}

// Teams belong to a project, which never changes.
type Teams interface {
	CreateTeam(ctx context.Context, t Team) error
	Team(ctx context.Context, p ProjectID, id TeamID) (Team, error)
	Teams(ctx context.Context, f TeamFilter, p Page) ([]Team, string, error)
	UpdateTeam(ctx context.Context, t Team) error
	// DeleteTeam is fault.Conflict while keys belong to the team.
	DeleteTeam(ctx context.Context, p ProjectID, id TeamID) error
}

// Keys belong to a project, which never changes. Aliases are unique within it; empty ones do not count.
type Keys interface {
	CreateKey(ctx context.Context, k Key) error
	Key(ctx context.Context, p ProjectID, id KeyID) (Key, error)
	Keys(ctx context.Context, f KeyFilter, p Page) ([]Key, string, error)
	UpdateKey(ctx context.Context, k Key) error
	DeleteKey(ctx context.Context, p ProjectID, id KeyID) error
	// MarkUsed sets LastUsed where it is newer; unknown keys are ignored.
	MarkUsed(ctx context.Context, at map[KeyID]time.Time) error
}

// Settings are small named values of the installation.
type Settings interface {
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
}

// Filters; empty fields do not filter. Search is a part of a name, alias or e-mail, regardless of case.
type (
	UserFilter struct{ Search string }
	TeamFilter struct {
		Project ProjectID
		Search  string
	}
	KeyFilter struct {
		Project ProjectID
		Team    TeamID
		User    UserID
		Origin  Origin
		Search  string
	}
)

// Page asks for part of a list, newest first. Cursor is the one returned with the page before, "" for the first; the
// cursor returned with the last page is "".
type Page struct {
	Limit  int // ≤ 0 means 50; at most MaxPage
	Cursor string
}

// MaxPage is the most that one page holds.
const MaxPage = 1000

// Size is the limit in force.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, MaxPage)
}

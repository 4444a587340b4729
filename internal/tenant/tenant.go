// Package tenant holds who calls and on whose account: organisations, projects, users, teams, keys, budgets, roles,
// and the Identity that authentication derives from a credential.
package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
)

// Identifiers. A ProjectID is unique per installation; it starts every storage key.
type (
	OrgID     string
	ProjectID string
	UserID    string
	TeamID    string
	// KeyID is the lower-case hex SHA-256 of the whole secret, LiteLLM's form, so that existing keys can be moved
	// row for row.
	KeyID string
)

// The objects every installation starts with.
const (
	DefaultOrg     OrgID     = "default"
	DefaultProject ProjectID = "default"
	// MasterKey is the KeyID under which calls with the master key are recorded.
	MasterKey KeyID = "master"
)

// HashKey is the KeyID of a secret.
func HashKey(secret string) KeyID {
	h := sha256.Sum256([]byte(secret))
	return KeyID(hex.EncodeToString(h[:]))
}

// Role orders what an identity may do.
type Role string

const (
	RoleAdmin  Role = "admin"  // everything in the installation
	RoleMember Role = "member" // calls, ingest, tracking, reading in its projects
	RoleViewer Role = "viewer" // reading in its projects
)

// Origin tells where an object came from; objects from a file are read-only in the UI and the API.
type Origin string

const (
	FromAPI  Origin = "api"
	FromFile Origin = "file"
)

// Org, Project, User and Team as stored.
type (
	Org struct {
		ID      OrgID
		Name    string
		Created time.Time
	}
	Project struct {
		ID            ProjectID
		Org           OrgID
		Name          string
		RetentionDays int // 0 = keep
		Created       time.Time
	}
	User struct {
		ID       UserID
		Email    string
		Name     string
		Role     Role
		Password string // argon2id hash in PHC form; empty = cannot log in by password
		Created  time.Time
		Budget   Budget
		Spend    money.Nano
		Projects []ProjectID // where a member or viewer may act; empty = the default project. Admins act in all.
		Origin   Origin
	}
	Team struct {
		ID      TeamID
		Alias   string
		Org     OrgID
		Project ProjectID
		Models  []string
		Blocked bool
		Budget  Budget
		Spend   money.Nano
		Created time.Time
		Origin  Origin
	}
)

// Budget limits spend. Max nil means unlimited. With a Period the spend is counted from the last reset; resets fall on
// calendar boundaries (midnight, Monday, the first) for 1d, 7d and 30d, else every Period from creation.
type Budget struct {
	Max     *money.Nano
	Soft    *money.Nano
	Period  string // "", "30s", "1h", "1d", "7d", "30d", "1mo"
	ResetAt time.Time
}

// Key is a virtual key. The secret itself is never stored.
type Key struct {
	ID       KeyID
	Name     string // "sk-...wxyz"
	Alias    string
	Org      OrgID
	Project  ProjectID
	Team     TeamID
	User     UserID
	Email    string
	Models   []string // allowed names or patterns; empty = all
	Expires  time.Time
	Blocked  bool
	Budget   Budget
	Spend    money.Nano
	RPM, TPM int64 // 0 = unlimited
	Tags     []string
	Metadata jsonx.Raw // a JSON object, or nil
	Origin   Origin
	Created  time.Time
	Updated  time.Time
	LastUsed time.Time
	Author   string
}

// DisplayName is the abbreviated secret shown in lists: "sk-...wxyz".
func DisplayName(secret string) string {
	if len(secret) < 8 {
		return "sk-..."
	}
	return "sk-..." + secret[len(secret)-4:]
}

// AllowsModel reports whether a model name matches one of patterns: exact, "*", "provider/*", or LiteLLM's
// "all-proxy-models". No patterns allow everything.
func AllowsModel(patterns []string, model string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		switch {
		case p == model, p == "*", p == "all-proxy-models":
			return true
		case strings.ContainsRune(p, '*'):
			if ok, err := path.Match(strings.ReplaceAll(p, "/", "\x00"), strings.ReplaceAll(model, "/", "\x00")); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// Means is how a caller proved who it is.
type Means string

const (
	ByMaster  Means = "master"  // the master key
	ByKey     Means = "key"     // a virtual key
	BySession Means = "session" // a UI login
	// ByPassword is Basic with a user's e-mail and password, as MLflow clients send.
	ByPassword Means = "password"
	ByLocal    Means = "local" // --local without a credential
)

// Identity is the verified caller of one request. It is a snapshot: cheap to copy, never mutated.
type Identity struct {
	Means     Means
	Role      Role
	Org       OrgID
	Project   ProjectID
	Key       KeyID // MasterKey for the master key, "" for sessions and local callers
	KeyAlias  string
	KeyName   string
	User      UserID
	Email     string
	Team      TeamID
	TeamAlias string
	Models    []string // of the key
	TeamOnly  []string // models of the team
	RPM, TPM  int64
	Tags      []string
	Metadata  jsonx.Raw
	// Accounts are the budgets a call of this identity counts against, in the order they are checked.
	Accounts []Account
}

// Account names one spend counter: a key, user or team.
type Account struct {
	Scope  Scope
	ID     string
	Alias  string // for messages
	Budget Budget
}

// Scope is the kind of thing an account belongs to.
type Scope string

const (
	ScopeKey  Scope = "key"
	ScopeUser Scope = "user"
	ScopeTeam Scope = "team"
)

// MayCall checks the model against the key's and the team's lists.
func (i *Identity) MayCall(model string) error {
	if !AllowsModel(i.Models, model) {
		return fault.New(fault.ModelDenied, "key not allowed to access model. This key can only access models=%v. Tried to access %s", i.Models, model)
	}
	if !AllowsModel(i.TeamOnly, model) {
		return fault.New(fault.ModelDenied, "team not allowed to access model. This team can only access models=%v. Tried to access %s", i.TeamOnly, model)
	}
	return nil
}

// IsAdmin reports whether the identity may administer the installation.
func (i *Identity) IsAdmin() bool { return i.Role == RoleAdmin }

// MayWrite refuses viewers, who may only read, and callers that nobody knows.
func (i *Identity) MayWrite() error {
	if i == nil || i.Role == RoleViewer {
		return fault.New(fault.Forbidden, "viewers may read only")
	}
	return nil
}

package auth

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"weir/internal/budget"
	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// KeyQuery selects keys of the caller's project; empty fields do not filter. Search looks into alias, name, user and
// e-mail, regardless of case.
type KeyQuery struct {
	Team   tenant.TeamID
	User   tenant.UserID
	Alias  string
	Search string
	Offset int
	Limit  int // ≤ 0 means 50
}

// GenerateKey makes a key in the caller's project, which must be an administrator's. Of k the descriptive fields count;
// secret may be "" or a value starting with "sk-". The secret returned cannot be had again.
func (s *Service) GenerateKey(ctx context.Context, who *tenant.Identity, k tenant.Key, secret string) (tenant.Key, string, error) {
	if err := adminOnly(who); err != nil {
		return k, "", err
	}
	if secret == "" {
		secret = id.Secret("sk-")
	}
	switch {
	case !strings.HasPrefix(secret, "sk-"), len(secret) < 7:
		return k, "", fault.Bad("key", "Invalid key format. LiteLLM Virtual Key must start with 'sk-' and have at least 7 characters")
	case secret == s.MasterKey:
		return k, "", fault.New(fault.Conflict, "this is the master key")
	}
	now := s.Now().UTC()
	k.ID, k.Name, k.Origin, k.Created, k.Updated = tenant.HashKey(secret), tenant.DisplayName(secret), tenant.FromAPI, now, now
	k.Project, k.Org, k.Author, k.LastUsed = who.Project, who.Org, author(who), time.Time{}

	s.change.Lock()
	defer s.change.Unlock()
	if err := s.prepare(&k, ""); err != nil {
		return k, "", err
	}
	if err := s.Store.CreateKey(ctx, k); err != nil {
		return k, "", err
	}
	s.snap.Store(s.snap.Load().withKey(k.ID, &k))
	s.note(ctx, who, nil, "key.create", shortKey(k.ID), keyFacts(&k))
	return s.shown(k), secret, nil
}

// UpdateKey changes a key: edit gets a copy and may change its descriptive fields.
func (s *Service) UpdateKey(ctx context.Context, who *tenant.Identity, kid tenant.KeyID, edit func(*tenant.Key) error) (tenant.Key, error) {
	if err := adminOnly(who); err != nil {
		return tenant.Key{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	e, err := s.ownKey(who, kid)
	if err != nil {
		return tenant.Key{}, err
	}
	was := e.copy()
	if err := fromAPI(was.Origin, "key"); err != nil {
		return was, err
	}
	k := e.copy()
	if err := edit(&k); err != nil {
		return was, err
	}
	k.ID, k.Name, k.Org, k.Project, k.Origin = was.ID, was.Name, was.Org, was.Project, was.Origin
	k.Created, k.Author, k.Updated = was.Created, was.Author, s.Now().UTC()
	if err := s.prepare(&k, was.Budget.Period); err != nil {
		return was, err
	}
	if err := s.Store.UpdateKey(ctx, k); err != nil {
		return was, err
	}
	s.snap.Store(s.snap.Load().withKey(k.ID, &k))
	s.noteChange(ctx, who, &was, &k)
	return s.shown(k), nil
}

// BlockKey blocks or unblocks.
func (s *Service) BlockKey(ctx context.Context, who *tenant.Identity, kid tenant.KeyID, blocked bool) (tenant.Key, error) {
	return s.UpdateKey(ctx, who, kid, func(k *tenant.Key) error {
		k.Blocked = blocked
		return nil
	})
}

// DeleteKey forgets a key; what it spent stays in the ledger.
func (s *Service) DeleteKey(ctx context.Context, who *tenant.Identity, kid tenant.KeyID) error {
	if err := adminOnly(who); err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	e, err := s.ownKey(who, kid)
	if err != nil {
		return err
	}
	if err := fromAPI(e.key.Origin, "key"); err != nil {
		return err
	}
	if err := s.Store.DeleteKey(ctx, who.Project, kid); err != nil {
		return err
	}
	s.snap.Store(s.snap.Load().withKey(kid, nil))
	s.note(ctx, who, nil, "key.delete", shortKey(kid), keyFacts(&e.key))
	return nil
}

// Key is one key of the caller's project. Without being an administrator one sees only the key one calls with, and
// one's own.
func (s *Service) Key(who *tenant.Identity, kid tenant.KeyID) (tenant.Key, error) {
	e, err := s.ownKey(who, kid)
	if err != nil {
		return tenant.Key{}, err
	}
	if !sees(who, &e.key) {
		return tenant.Key{}, fault.New(fault.Forbidden, "user not allowed to access this key's info. role=%s", who.Role)
	}
	return s.shown(e.copy()), nil
}

// Keys lists keys the caller may see, newest first, and counts all that match.
func (s *Service) Keys(who *tenant.Identity, q KeyQuery) (page []tenant.Key, total int) {
	var hits []*keyEntry
	for _, e := range s.snap.Load().keys {
		if e.key.Project == who.Project && sees(who, &e.key) && q.matches(&e.key) {
			hits = append(hits, e)
		}
	}
	slices.SortFunc(hits, func(a, b *keyEntry) int {
		return cmp.Or(b.key.Created.Compare(a.key.Created), cmp.Compare(a.key.ID, b.key.ID))
	})
	for _, e := range window(hits, q.Offset, q.Limit) {
		page = append(page, s.shown(e.copy()))
	}
	return page, len(hits)
}

func window[T any](items []T, offset, limit int) []T {
	if limit <= 0 {
		limit = 50
	}
	from := min(max(offset, 0), len(items))
	return items[from:min(from+min(limit, tenant.MaxPage), len(items))]
}

func (q *KeyQuery) matches(k *tenant.Key) bool {
	return (q.Team == "" || q.Team == k.Team) && (q.User == "" || q.User == k.User) && (q.Alias == "" || q.Alias == k.Alias) &&
		contains(q.Search, k.Alias, k.Name, k.Email, string(k.User), string(k.ID))
}

func contains(search string, fields ...string) bool {
	search = strings.ToLower(search)
	return search == "" || slices.ContainsFunc(fields, func(f string) bool { return strings.Contains(strings.ToLower(f), search) })
}

func sees(who *tenant.Identity, k *tenant.Key) bool {
	return who.IsAdmin() || who.Key == k.ID || (who.User != "" && who.User == k.User)
}

// ownKey finds a key in the caller's project.
func (s *Service) ownKey(who *tenant.Identity, kid tenant.KeyID) (*keyEntry, error) {
	e := s.snap.Load().keys[kid]
	if e == nil || e.key.Project != who.Project {
		return nil, fault.New(fault.NotFound, "Key not found in database")
	}
	return e, nil
}

// shown fills in what budgets count.
func (s *Service) shown(k tenant.Key) tenant.Key {
	if s.Spend != nil {
		k.Spend = s.Spend.Spent(tenant.ScopeKey, string(k.ID), k.Budget)
		k.Budget.ResetAt = s.Spend.ResetAt(k.Budget)
	}
	return k
}

// prepare validates a key and fills in what follows from other fields. It runs under the change lock.
func (s *Service) prepare(k *tenant.Key, oldPeriod string) error {
	snap := s.snap.Load()
	if t, ok := snap.teams[k.Team]; k.Team != "" && (!ok || t.Project != k.Project) {
		return fault.Bad("team_id", "Team=%s doesn't exist in db. Create team via `/team/new` call.", clip.To(string(k.Team), 100))
	}
	for _, e := range snap.keys {
		if k.Alias != "" && e.key.Alias == k.Alias && e.key.Project == k.Project && e.key.ID != k.ID {
			return &fault.Error{Kind: fault.Conflict, Field: "key_alias", Msg: "Key with alias '" + k.Alias + "' already exists. Unique key aliases across all keys are required."}
		}
	}
	if e := snap.logins[strings.ToLower(k.Email)]; k.Email != "" && k.User == "" && e != nil {
		k.User = e.user.ID
	}
	if e := snap.users[k.User]; k.Email == "" && e != nil {
		k.Email = e.user.Email
	}
	return checkKey(k, oldPeriod)
}

func checkKey(k *tenant.Key, oldPeriod string) error {
	switch {
	case len(k.Alias) > 256:
		return fault.Bad("key_alias", "key_alias is longer than 256 bytes")
	case k.RPM < 0:
		return fault.Bad("rpm_limit", "rpm_limit must not be negative")
	case k.TPM < 0:
		return fault.Bad("tpm_limit", "tpm_limit must not be negative")
	case slices.Contains(k.Models, ""):
		return fault.Bad("models", "models must not hold an empty name")
	case len(k.Metadata) > 64<<10:
		return fault.Bad("metadata", "metadata is larger than 64 KiB")
	}
	if len(k.Metadata) > 0 {
		var m map[string]jsonx.Raw
		if jsonx.Unmarshal(k.Metadata, &m) != nil {
			return fault.Bad("metadata", "metadata must be an object")
		}
	}
	return checkBudget(&k.Budget, k.Created, k.Updated, oldPeriod)
}

// checkBudget validates a budget and anchors its windows: at the creation, or where the period changes later, there.
func checkBudget(b *tenant.Budget, created, updated time.Time, oldPeriod string) error {
	if b.Max != nil && *b.Max < 0 {
		return fault.Bad("max_budget", "max_budget cannot be negative")
	}
	if b.Soft != nil && *b.Soft < 0 {
		return fault.Bad("soft_budget", "soft_budget cannot be negative")
	}
	if _, err := budget.ParsePeriod(b.Period); err != nil {
		return fault.Bad("budget_duration", "budget_duration: %s", err.Error())
	}
	switch {
	case b.Period == oldPeriod && oldPeriod != "":
	case oldPeriod == "":
		b.ResetAt = budget.Anchor(b.Period, created)
	default:
		b.ResetAt = budget.Anchor(b.Period, updated)
	}
	return nil
}

func adminOnly(who *tenant.Identity) error {
	if who.IsAdmin() {
		return nil
	}
	return fault.New(fault.Forbidden, "Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. "+
		"Your role=%s", who.Role)
}

func fromAPI(o tenant.Origin, what string) error {
	if o != tenant.FromFile {
		return nil
	}
	return fault.New(fault.Forbidden, "this %s comes from the configuration file and can only be changed there", what)
}

func author(who *tenant.Identity) string {
	switch {
	case who.Email != "":
		return who.Email
	case who.User != "":
		return string(who.User)
	}
	return string(who.Means)
}

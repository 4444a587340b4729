package litellm

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/tenant"
)

// keyRow is LiteLLM's row of a key. Fields without a meaning here are present and empty, since clients index them.
type keyRow struct {
	Key            string    `json:"key,omitempty"` // the secret, in the answer to generate only
	Token          string    `json:"token,omitempty"`
	TokenID        string    `json:"token_id,omitempty"`
	KeyName        string    `json:"key_name"`
	KeyAlias       *string   `json:"key_alias"`
	Spend          float64   `json:"spend"`
	Expires        *string   `json:"expires"`
	Models         []string  `json:"models"`
	Aliases        struct{}  `json:"aliases"`
	Config         struct{}  `json:"config"`
	UserID         *string   `json:"user_id"`
	UserEmail      *string   `json:"user_email,omitempty"`
	TeamID         *string   `json:"team_id"`
	OrganizationID *string   `json:"organization_id"`
	ProjectID      string    `json:"project_id"`
	Permissions    struct{}  `json:"permissions"`
	ModelSpend     struct{}  `json:"model_spend"`
	ModelMaxBudget struct{}  `json:"model_max_budget"`
	MaxParallel    *int64    `json:"max_parallel_requests"`
	Metadata       jsonx.Raw `json:"metadata"`
	Tags           []string  `json:"tags"`
	TPMLimit       *int64    `json:"tpm_limit"`
	RPMLimit       *int64    `json:"rpm_limit"`
	MaxBudget      *float64  `json:"max_budget"`
	SoftBudget     *float64  `json:"soft_budget"`
	BudgetDuration *string   `json:"budget_duration"`
	BudgetResetAt  *string   `json:"budget_reset_at"`
	Blocked        *bool     `json:"blocked"`
	CreatedAt      *string   `json:"created_at"`
	CreatedBy      *string   `json:"created_by"`
	UpdatedAt      *string   `json:"updated_at"`
	LastActive     *string   `json:"last_active"`
	LitellmBudget  *struct{} `json:"litellm_budget_table"`
	ObjectPerms    *struct{} `json:"object_permission"`
	Origin         string    `json:"origin"`
}

func rowOf(k tenant.Key) keyRow {
	r := keyRow{
		Token: string(k.ID), KeyName: k.Name, KeyAlias: textOrNil(k.Alias), Spend: k.Spend.USD(), Expires: stamp(k.Expires),
		Models: nonNil(k.Models), UserID: textOrNil(string(k.User)), UserEmail: textOrNil(k.Email), TeamID: textOrNil(string(k.Team)),
		OrganizationID: textOrNil(string(k.Org)), ProjectID: string(k.Project), Metadata: k.Metadata, Tags: nonNil(k.Tags),
		TPMLimit: limitOrNil(k.TPM), RPMLimit: limitOrNil(k.RPM), MaxBudget: usd(k.Budget.Max), SoftBudget: usd(k.Budget.Soft),
		BudgetDuration: textOrNil(k.Budget.Period), BudgetResetAt: stamp(k.Budget.ResetAt), CreatedAt: stamp(k.Created),
		CreatedBy: textOrNil(k.Author), UpdatedAt: stamp(k.Updated), LastActive: stamp(k.LastUsed), Origin: string(k.Origin),
	}
	if k.Blocked {
		r.Blocked = &k.Blocked
	}
	if len(r.Metadata) == 0 {
		r.Metadata = jsonx.Raw("{}")
	}
	return r
}

func (s *Surface) generateKey(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	var k tenant.Key
	b.keyFields(&k, time.Now())
	secret := b.text("key")
	if err := b.err(); err != nil {
		return err
	}
	s.warnIgnored(w, r, b)
	k, secret, err = s.Tenants.GenerateKey(r.Context(), edge.Who(r.Context()), k, secret)
	if err != nil {
		return err
	}
	row := rowOf(k)
	row.Key, row.TokenID = secret, row.Token
	return writeJSON(w, http.StatusOK, row)
}

// keyFields applies the fields that were sent.
func (b *body) keyFields(k *tenant.Key, now time.Time) {
	if b.has("key_alias") {
		k.Alias = b.text("key_alias")
	}
	if b.has("duration") {
		k.Expires = b.until("duration", now)
	}
	if b.has("models") {
		k.Models = b.models()
	}
	if b.has("user_id") {
		k.User = tenant.UserID(b.text("user_id"))
		k.Email = ""
	}
	if b.has("user_email") {
		k.Email = b.text("user_email")
	}
	if b.has("team_id") {
		k.Team = tenant.TeamID(b.text("team_id"))
	}
	if b.has("metadata") {
		k.Metadata = b.object("metadata")
	}
	if b.has("tags") {
		k.Tags = b.texts("tags")
	}
	if b.has("tpm_limit") {
		k.TPM = b.integer("tpm_limit")
	}
	if b.has("rpm_limit") {
		k.RPM = b.integer("rpm_limit")
	}
	if b.has("blocked") {
		k.Blocked = b.flag("blocked", false)
	}
	b.budgetFields(&k.Budget)
}

func (b *body) budgetFields(t *tenant.Budget) {
	if b.has("max_budget") {
		t.Max = b.dollars("max_budget")
	}
	if b.has("soft_budget") {
		t.Soft = b.dollars("soft_budget")
	}
	if b.has("budget_duration") {
		t.Period = b.text("budget_duration")
	}
}

// models leaves out LiteLLM's words for "whatever the team may use", which is what an empty list means here.
func (b *body) models() []string {
	var out []string
	for _, m := range b.texts("models") {
		if m != "all-team-models" {
			out = append(out, m)
		}
	}
	return out
}

// warnIgnored names what was asked for and will not happen: a caller may believe that a field restricts the key.
func (s *Surface) warnIgnored(w http.ResponseWriter, r *http.Request, b *body) {
	if names := b.ignored(); len(names) > 0 {
		w.Header().Set("X-Weir-Ignored-Fields", headerSafe(strings.Join(names, ", ")))
		s.Log.WarnContext(r.Context(), "fields of a management call are ignored", slog.Any("fields", names), slog.String("path", r.URL.Path))
	}
}

func headerSafe(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s)
	return s[:min(len(s), 500)]
}

func (s *Surface) keyInfo(w http.ResponseWriter, r *http.Request) error {
	who := edge.Who(r.Context())
	asked := r.URL.Query().Get("key")
	id := idOf(asked)
	if asked == "" {
		if asked, id = string(who.Key), who.Key; id == "" || id == tenant.MasterKey {
			return fault.Bad("key", "this caller has no virtual key; pass ?key=")
		}
	}
	k, err := s.Tenants.Key(who, id)
	if err != nil {
		return err
	}
	row := rowOf(k)
	row.Token = ""
	return writeJSON(w, http.StatusOK, map[string]any{"key": asked, "info": row})
}

// idOf takes a secret or its hash.
func idOf(s string) tenant.KeyID {
	if strings.HasPrefix(s, "sk-") {
		return tenant.HashKey(s)
	}
	return tenant.KeyID(s)
}

func (s *Surface) listKeys(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	page, size, err := pageOf(q, "size", 10, 100)
	if err != nil {
		return err
	}
	keys, total := s.Tenants.Keys(edge.Who(r.Context()), auth.KeyQuery{
		Team: tenant.TeamID(q.Get("team_id")), User: tenant.UserID(q.Get("user_id")), Alias: q.Get("key_alias"), Search: q.Get("key_hash"),
		Offset: (page - 1) * size, Limit: size,
	})
	out := make([]any, 0, len(keys))
	for _, k := range keys {
		if q.Get("return_full_object") == "true" || q.Get("return_full_object") == "True" {
			out = append(out, rowOf(k))
		} else {
			out = append(out, k.ID)
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"keys": out, "total_count": total, "current_page": page, "total_pages": pages(total, size)})
}

func (s *Surface) updateKey(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	key := b.required("key")
	b.keyFields(&tenant.Key{}, time.Now()) // all problems before anything changes
	if err := b.err(); err != nil {
		return err
	}
	s.warnIgnored(w, r, b)
	k, err := s.Tenants.UpdateKey(r.Context(), edge.Who(r.Context()), idOf(key), func(k *tenant.Key) error {
		b.keyFields(k, time.Now())
		return b.err()
	})
	if err != nil {
		return err
	}
	row := rowOf(k)
	row.Key = key
	return writeJSON(w, http.StatusOK, row)
}

func (s *Surface) deleteKeys(w http.ResponseWriter, r *http.Request) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	keys, aliases := b.texts("keys"), b.texts("key_aliases")
	if err := b.err(); err != nil {
		return err
	}
	who := edge.Who(r.Context())
	ids, err := s.find(who, keys, aliases)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.Tenants.DeleteKey(r.Context(), who, id); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"deleted_keys": nonNil(append(keys, aliases...))})
}

// find resolves what is to be deleted, so that a typing error deletes nothing.
func (s *Surface) find(who *tenant.Identity, keys, aliases []string) ([]tenant.KeyID, error) {
	if len(keys)+len(aliases) == 0 {
		return nil, fault.Bad("keys", "Either 'keys' or 'key_aliases' must be given")
	}
	var ids []tenant.KeyID
	for _, k := range keys {
		found, err := s.Tenants.Key(who, idOf(k))
		if err != nil {
			return nil, err
		}
		ids = append(ids, found.ID)
	}
	for _, a := range aliases {
		found, _ := s.Tenants.Keys(who, auth.KeyQuery{Alias: a, Limit: 1})
		if a == "" || len(found) == 0 {
			return nil, fault.New(fault.NotFound, "no key has the alias %q", a)
		}
		ids = append(ids, found[0].ID)
	}
	return ids, nil
}

func (s *Surface) blockKey(blocked bool) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		b, err := decode(r)
		if err != nil {
			return err
		}
		key := b.required("key")
		if err := b.err(); err != nil {
			return err
		}
		k, err := s.Tenants.UpdateKey(r.Context(), edge.Who(r.Context()), idOf(key), func(k *tenant.Key) error {
			k.Blocked = blocked
			return nil
		})
		if err != nil {
			return err
		}
		row := rowOf(k)
		row.Blocked = &k.Blocked
		return writeJSON(w, http.StatusOK, row)
	}
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func limitOrNil(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	return &s
}

func usd(n *money.Nano) *float64 {
	if n == nil {
		return nil
	}
	f := n.USD()
	return &f
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

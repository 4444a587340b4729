package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/money"
	"weir/internal/tenant"
)

// KeyInfo is a virtual key, without its secret.
type KeyInfo struct {
	ID            string    `json:"id"`
	Name          string    `json:"name" doc:"abbreviated secret"`
	Alias         string    `json:"alias"`
	User          string    `json:"user"`
	Email         string    `json:"email"`
	Team          string    `json:"team"`
	TeamAlias     string    `json:"team_alias"`
	Models        []string  `json:"models" nullable:"false" doc:"allowed names or patterns; empty = all"`
	Expires       string    `json:"expires" doc:"RFC 3339, empty = never"`
	Expired       bool      `json:"expired"`
	Blocked       bool      `json:"blocked"`
	MaxBudgetUSD  *float64  `json:"max_budget_usd" nullable:"true"`
	BudgetPeriod  string    `json:"budget_period"`
	BudgetResetAt string    `json:"budget_reset_at"`
	SpendUSD      float64   `json:"spend_usd"`
	RPM           int64     `json:"rpm" doc:"0 = unlimited"`
	TPM           int64     `json:"tpm" doc:"0 = unlimited"`
	Tags          []string  `json:"tags" nullable:"false"`
	Metadata      jsonx.Raw `json:"metadata"`
	Created       string    `json:"created"`
	LastUsed      string    `json:"last_used" doc:"empty = never"`
	Origin        string    `json:"origin" enum:"api,file" doc:"keys from a file are read-only"`
}

// KeyList is a page of keys.
type KeyList struct {
	Items      []KeyInfo `json:"items" nullable:"false"`
	Total      int       `json:"total"`
	NextCursor string    `json:"next_cursor"`
}

// NewKey is a key just made; the secret cannot be had again.
type NewKey struct {
	KeyInfo
	Secret string `json:"key"`
}

func (s *Surface) keys() {
	register(s, op{method: http.MethodGet, path: "/keys", id: "listKeys", doc: "Keys the caller may see, newest first"}, s.listKeys)
	register(s, op{method: http.MethodPost, path: "/keys", id: "createKey", doc: "Make a key", access: edge.Admin, status: http.StatusCreated}, s.createKey)
	register(s, op{method: http.MethodGet, path: "/keys/{id}", id: "getKey", doc: "One key"}, s.getKey)
	register(s, op{method: http.MethodPatch, path: "/keys/{id}", id: "updateKey", doc: "Change the fields given", access: edge.Admin}, s.updateKey)
	register(s, op{method: http.MethodDelete, path: "/keys/{id}", id: "deleteKey", doc: "Delete a key", access: edge.Admin, status: http.StatusNoContent}, s.deleteKey)
	register(s, op{method: http.MethodPost, path: "/keys/{id}/block", id: "blockKey", doc: "Refuse calls with a key", access: edge.Admin}, s.blockKey(true))
	register(s, op{method: http.MethodPost, path: "/keys/{id}/unblock", id: "unblockKey", doc: "Allow calls again", access: edge.Admin}, s.blockKey(false))
}

// OffsetPaging pages through what is small enough to be held in memory.
type OffsetPaging struct {
	Search string `query:"search" maxLength:"200"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	Cursor string `query:"cursor" maxLength:"20"`
}

func (p OffsetPaging) offset() (int, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(p.Cursor)
	if err != nil || n < 0 {
		return 0, fault.Bad("cursor", "cursor is malformed; take next_cursor of the page before")
	}
	return n, nil
}

// next is the cursor behind a page.
func next(offset, got, total int) string {
	if got == 0 || offset+got >= total {
		return ""
	}
	return strconv.Itoa(offset + got)
}

type listKeysInput struct {
	OffsetPaging
	Team string `query:"team" maxLength:"200"`
	User string `query:"user" maxLength:"200"`
}

func (s *Surface) listKeys(ctx context.Context, in *listKeysInput) (*body[KeyList], error) {
	offset, err := in.offset()
	if err != nil {
		return nil, err
	}
	who := edge.Who(ctx)
	keys, total := s.Accounts.Keys(who, auth.KeyQuery{
		Search: in.Search, Team: tenant.TeamID(in.Team), User: tenant.UserID(in.User), Offset: offset, Limit: in.Limit,
	})
	out := KeyList{Items: make([]KeyInfo, len(keys)), Total: total, NextCursor: next(offset, len(keys), total)}
	teams := s.teamAliases(who)
	for i, k := range keys {
		out.Items[i] = s.keyInfo(k, teams)
	}
	return reply(out)
}

func (s *Surface) teamAliases(who *tenant.Identity) map[tenant.TeamID]string {
	teams, _ := s.Accounts.Teams(who, "", 0, tenant.MaxPage)
	out := make(map[tenant.TeamID]string, len(teams))
	for _, t := range teams {
		out[t.ID] = t.Alias
	}
	return out
}

func (s *Surface) keyInfo(k tenant.Key, teams map[tenant.TeamID]string) KeyInfo {
	return KeyInfo{
		ID: string(k.ID), Name: k.Name, Alias: k.Alias, User: string(k.User), Email: k.Email, Team: string(k.Team), TeamAlias: teams[k.Team],
		Models: list(k.Models), Expires: stamp(k.Expires), Expired: !k.Expires.IsZero() && !k.Expires.After(s.Now()), Blocked: k.Blocked,
		MaxBudgetUSD: usdOf(k.Budget.Max), BudgetPeriod: k.Budget.Period, BudgetResetAt: stamp(k.Budget.ResetAt), SpendUSD: k.Spend.USD(),
		RPM: k.RPM, TPM: k.TPM, Tags: list(k.Tags), Metadata: object(k.Metadata), Created: stamp(k.Created), LastUsed: stamp(k.LastUsed),
		Origin: string(k.Origin),
	}
}

func (s *Surface) keyReply(ctx context.Context, k tenant.Key, err error) (*body[KeyInfo], error) {
	if err != nil {
		return nil, err
	}
	return reply(s.keyInfo(k, s.teamAliases(edge.Who(ctx))))
}

// keyFields are what of a key can be set. On a change, what is left out stays as it is; null and "" clear.
type keyFields struct {
	Alias        *string      `json:"alias,omitempty" maxLength:"256"`
	UserID       *string      `json:"user_id,omitempty" maxLength:"200"`
	Email        *string      `json:"email,omitempty" maxLength:"320"`
	TeamID       *string      `json:"team_id,omitempty" maxLength:"200"`
	Models       *[]string    `json:"models,omitempty" maxItems:"500"`
	Expires      *string      `json:"expires,omitempty" doc:"RFC 3339, or a duration from now such as 30d; empty = never"`
	MaxBudgetUSD opt[float64] `json:"max_budget_usd,omitempty"`
	BudgetPeriod *string      `json:"budget_period,omitempty" maxLength:"20" doc:"30s, 1h, 1d, 7d, 30d, 1mo; empty = the whole life"`
	RPM          *int64       `json:"rpm,omitempty" minimum:"0"`
	TPM          *int64       `json:"tpm,omitempty" minimum:"0"`
	Tags         *[]string    `json:"tags,omitempty" maxItems:"50"`
	Metadata     *jsonx.Raw   `json:"metadata,omitempty" doc:"an object"`
	_            struct{}     `additionalProperties:"false"`
}

func (f *keyFields) apply(k *tenant.Key, now time.Time) error {
	set(&k.Alias, f.Alias)
	set((*string)(&k.User), f.UserID)
	set(&k.Email, f.Email)
	set((*string)(&k.Team), f.TeamID)
	set(&k.Models, f.Models)
	set(&k.Budget.Period, f.BudgetPeriod)
	set(&k.RPM, f.RPM)
	set(&k.TPM, f.TPM)
	set(&k.Tags, f.Tags)
	set(&k.Metadata, f.Metadata)
	if string(k.Metadata) == "null" {
		k.Metadata = nil
	}
	if f.MaxBudgetUSD.set {
		max, err := f.MaxBudgetUSD.money("max_budget_usd")
		if err != nil {
			return err
		}
		k.Budget.Max = max
	}
	if f.Expires == nil {
		return nil
	}
	var err error
	k.Expires, err = parseExpiry(*f.Expires, now)
	return err
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (o opt[T]) money(field string) (*money.Nano, error) {
	usd, ok := any(o.value).(*float64)
	if !ok || usd == nil {
		return nil, nil
	}
	if *usd < 0 {
		return nil, fault.Bad(field, "%s must not be negative", field)
	}
	n := money.FromUSD(*usd)
	return &n, nil
}

func parseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.UTC(), nil
	}
	if n := len(s) - 1; s[n] == 'd' {
		if days, err := strconv.Atoi(s[:n]); err == nil && days > 0 && days < 36500 {
			return now.UTC().AddDate(0, 0, days), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.UTC().Add(d), nil
	}
	return time.Time{}, fault.Bad("expires", "expires must be a time such as 2026-12-31T00:00:00Z, or a duration such as 30d")
}

type createKeyInput struct{ Body keyFields }

func (s *Surface) createKey(ctx context.Context, in *createKeyInput) (*body[NewKey], error) {
	var k tenant.Key
	if err := in.Body.apply(&k, s.Now()); err != nil {
		return nil, err
	}
	if !k.Expires.IsZero() && !k.Expires.After(s.Now()) {
		return nil, fault.Bad("expires", "expires must be in the future")
	}
	who := edge.Who(ctx)
	made, secret, err := s.Accounts.GenerateKey(ctx, who, k, "")
	if err != nil {
		return nil, err
	}
	return reply(NewKey{KeyInfo: s.keyInfo(made, s.teamAliases(who)), Secret: secret})
}

// KeyInput names a key.
type KeyInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (s *Surface) getKey(ctx context.Context, in *KeyInput) (*body[KeyInfo], error) {
	k, err := s.Accounts.Key(edge.Who(ctx), tenant.KeyID(in.ID))
	return s.keyReply(ctx, k, err)
}

type updateKeyInput struct {
	KeyInput
	Body keyFields
}

func (s *Surface) updateKey(ctx context.Context, in *updateKeyInput) (*body[KeyInfo], error) {
	k, err := s.Accounts.UpdateKey(ctx, edge.Who(ctx), tenant.KeyID(in.ID), func(k *tenant.Key) error {
		return in.Body.apply(k, s.Now())
	})
	return s.keyReply(ctx, k, err)
}

func (s *Surface) deleteKey(ctx context.Context, in *KeyInput) (*none, error) {
	if err := s.Accounts.DeleteKey(ctx, edge.Who(ctx), tenant.KeyID(in.ID)); err != nil {
		return nil, err
	}
	return &none{}, nil
}

func (s *Surface) blockKey(blocked bool) func(context.Context, *KeyInput) (*body[KeyInfo], error) {
	return func(ctx context.Context, in *KeyInput) (*body[KeyInfo], error) {
		k, err := s.Accounts.BlockKey(ctx, edge.Who(ctx), tenant.KeyID(in.ID), blocked)
		return s.keyReply(ctx, k, err)
	}
}

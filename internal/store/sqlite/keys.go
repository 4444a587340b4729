package sqlite

import (
	"context"
	"database/sql"
	"time"

	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// CreateKey implements tenant.Keys.
func (w writer) CreateKey(ctx context.Context, k tenant.Key) error {
	return w.exec(ctx, "key, or its alias,", `INSERT INTO keys (alias, team, user, email, models, expires, blocked, budget_max, budget_soft,
		budget_period, budget_reset, rpm, tpm, tags, metadata, origin, updated, author, project, id, org, name, created, last_used)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(keyValues(k), k.Project, k.ID, k.Org, k.Name, nanos(k.Created), nanos(k.LastUsed))...)
}

func keyValues(k tenant.Key) []any {
	v := []any{absent(k.Alias), absent(k.Team), k.User, k.Email, list(k.Models), nanos(k.Expires), k.Blocked}
	v = append(v, budgetValues(k.Budget)...)
	return append(v, k.RPM, k.TPM, list(k.Tags), string(k.Metadata), k.Origin, nanos(k.Updated), k.Author)
}

const keyColumns = `SELECT id, name, coalesce(alias, ''), org, project, coalesce(team, ''), user, email, models, expires, blocked,
	budget_max, budget_soft, budget_period, budget_reset, rpm, tpm, tags, metadata, origin, created, updated, last_used, author FROM keys`

func scanKey(r scanner) (k tenant.Key, err error) {
	var models, tags, metadata string
	var expires, created, updated, used int64
	var b budgetRow
	err = r.Scan(&k.ID, &k.Name, &k.Alias, &k.Org, &k.Project, &k.Team, &k.User, &k.Email, &models, &expires, &k.Blocked,
		&b.max, &b.soft, &b.period, &b.reset, &k.RPM, &k.TPM, &tags, &metadata, &k.Origin, &created, &updated, &used, &k.Author)
	if err != nil {
		return k, err
	}
	k.Expires, k.Created, k.Updated, k.LastUsed = instant(expires), instant(created), instant(updated), instant(used)
	k.Budget = b.budget()
	if metadata != "" {
		k.Metadata = jsonx.Raw(metadata)
	}
	if err := unlist(models, &k.Models); err != nil {
		return k, err
	}
	return k, unlist(tags, &k.Tags)
}

// Key implements tenant.Keys.
func (s *Store) Key(ctx context.Context, p tenant.ProjectID, id tenant.KeyID) (tenant.Key, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, keyColumns+" WHERE project = ? AND id = ?", p, id))
	return k, failed(err, "key")
}

// Keys implements tenant.Keys.
func (s *Store) Keys(ctx context.Context, f tenant.KeyFilter, p tenant.Page) ([]tenant.Key, string, error) {
	var w where
	if f.Project != "" {
		w.add("project = ?", f.Project)
	}
	if f.Team != "" {
		w.add("team = ?", f.Team)
	}
	if f.User != "" {
		w.add("user = ?", f.User)
	}
	if f.Origin != "" {
		w.add("origin = ?", f.Origin)
	}
	if f.Search != "" {
		q := likes(f.Search)
		w.add(`(alias LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\' OR user LIKE ? ESCAPE '\')`, q, q, q, q)
	}
	return page(ctx, s.read, p, w, keyColumns, scanKey, func(k tenant.Key) (time.Time, string) { return k.Created, string(k.ID) })
}

// UpdateKey implements tenant.Keys.
func (w writer) UpdateKey(ctx context.Context, k tenant.Key) error {
	return w.exec(ctx, "key", `UPDATE keys SET alias = ?, team = ?, user = ?, email = ?, models = ?, expires = ?, blocked = ?, budget_max = ?,
		budget_soft = ?, budget_period = ?, budget_reset = ?, rpm = ?, tpm = ?, tags = ?, metadata = ?, origin = ?, updated = ?, author = ?
		WHERE project = ? AND id = ?`, append(keyValues(k), k.Project, k.ID)...)
}

// DeleteKey implements tenant.Keys.
func (w writer) DeleteKey(ctx context.Context, p tenant.ProjectID, id tenant.KeyID) error {
	return w.exec(ctx, "key", "DELETE FROM keys WHERE project = ? AND id = ?", p, id)
}

// MarkUsed implements tenant.Keys.
func (s *Store) MarkUsed(ctx context.Context, at map[tenant.KeyID]time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for id, t := range at {
			if _, err := tx.ExecContext(ctx, "UPDATE keys SET last_used = max(last_used, ?) WHERE id = ?", nanos(t), id); err != nil {
				return failed(err, "key")
			}
		}
		return nil
	})
}

package sqlite

import (
	"context"
	"database/sql"

	"weir/internal/export"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

var _ export.Store = (*Store)(nil)

const exportColumns = `SELECT project, id, name, filter, every, bodies, enabled, target, owner, created, updated, last_run FROM exports`

func scanExport(r scanner) (x export.Schedule, err error) {
	var target, last string
	var created, updated int64
	err = r.Scan(&x.Project, &x.ID, &x.Name, &x.Filter, &x.Every, &x.Bodies, &x.Enabled, &target, &x.Owner, &created, &updated, &last)
	if err != nil {
		return x, err
	}
	x.Created, x.Updated = instant(created), instant(updated)
	if err := jsonx.Unmarshal([]byte(target), &x.Target); err != nil {
		return x, err
	}
	return x, jsonx.Unmarshal([]byte(last), &x.Last)
}

func exportValues(x export.Schedule) []any {
	t := x.Target
	t.Secret = "" // only its seal is kept
	return []any{x.Name, x.Filter, x.Every, x.Bodies, x.Enabled, string(jsonx.MustMarshal(t)), nanos(x.Updated)}
}

// CreateExport implements export.Store.
func (s *Store) CreateExport(ctx context.Context, x export.Schedule) error {
	return s.exec(ctx, "export", `INSERT INTO exports (name, filter, every, bodies, enabled, target, updated, project, id, owner, created, last_run)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(exportValues(x), x.Project, x.ID, x.Owner, nanos(x.Created), string(jsonx.MustMarshal(x.Last)))...)
}

// Export implements export.Store.
func (s *Store) Export(ctx context.Context, p tenant.ProjectID, id string) (export.Schedule, error) {
	x, err := scanExport(s.read.QueryRowContext(ctx, exportColumns+" WHERE project = ? AND id = ?", p, id))
	return x, failed(err, "export")
}

// Exports implements export.Store.
func (s *Store) Exports(ctx context.Context, p tenant.ProjectID) ([]export.Schedule, error) {
	var w where
	if p != "" {
		w.add("project = ?", p)
	}
	return query(ctx, s.read, scanExport, exportColumns+w.String()+" ORDER BY name, id", w.args...)
}

// UpdateExport implements export.Store.
func (s *Store) UpdateExport(ctx context.Context, x export.Schedule) error {
	return s.exec(ctx, "export", `UPDATE exports SET name = ?, filter = ?, every = ?, bodies = ?, enabled = ?, target = ?, updated = ? WHERE project = ? AND id = ?`,
		append(exportValues(x), x.Project, x.ID)...)
}

// DeleteExport implements export.Store.
func (s *Store) DeleteExport(ctx context.Context, p tenant.ProjectID, id string) error {
	return s.exec(ctx, "export", "DELETE FROM exports WHERE project = ? AND id = ?", p, id)
}

// SetExportRun implements export.Store.
func (s *Store) SetExportRun(ctx context.Context, p tenant.ProjectID, id string, r export.Run) error {
	return s.exec(ctx, "export", "UPDATE exports SET last_run = ? WHERE project = ? AND id = ?", string(jsonx.MustMarshal(r)), p, id)
}

// Parts implements export.Store.
func (s *Store) Parts(ctx context.Context, p tenant.ProjectID, id string) ([]export.Part, error) {
	return query(ctx, s.read, func(r scanner) (x export.Part, err error) {
		var hour int64
		err = r.Scan(&hour, &x.Print, &x.Rows, &x.Bytes)
		x.Hour = instant(hour)
		return x, err
	}, `SELECT hour, print, spans, bytes FROM export_parts WHERE export = (SELECT id FROM exports WHERE project = ? AND id = ?) ORDER BY hour`, p, id)
}

// PutPart implements export.Store.
func (s *Store) PutPart(ctx context.Context, p tenant.ProjectID, id string, x export.Part) error {
	return s.exec(ctx, "export", `INSERT INTO export_parts (export, hour, print, spans, bytes) SELECT id, ?, ?, ?, ? FROM exports WHERE project = ? AND id = ?
		ON CONFLICT (export, hour) DO UPDATE SET print = excluded.print, spans = excluded.spans, bytes = excluded.bytes`,
		nanos(x.Hour), x.Print, x.Rows, x.Bytes, p, id)
}

// ForgetParts implements export.Store.
func (s *Store) ForgetParts(ctx context.Context, p tenant.ProjectID, id string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM export_parts WHERE export = (SELECT id FROM exports WHERE project = ? AND id = ?)", p, id)
		return failed(err, "export")
	})
}

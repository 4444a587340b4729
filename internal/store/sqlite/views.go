package sqlite

import (
	"context"

	"weir/internal/jsonx"
	"weir/internal/tenant"
	"weir/internal/view"
)

var _ view.Store = (*Store)(nil)

const viewColumns = `SELECT project, id, name, page, search, shared, owner, created, updated FROM views`

func scanView(r scanner) (v view.View, err error) {
	var search string
	var created, updated int64
	err = r.Scan(&v.Project, &v.ID, &v.Name, &v.Page, &search, &v.Shared, &v.Owner, &created, &updated)
	v.Search, v.Created, v.Updated = jsonx.Raw(search), instant(created), instant(updated)
	return v, err
}

// CreateView implements view.Store.
func (s *Store) CreateView(ctx context.Context, v view.View) error {
	return s.exec(ctx, "view", `INSERT INTO views (project, id, name, page, search, shared, owner, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Project, v.ID, v.Name, v.Page, string(v.Search), v.Shared, v.Owner, nanos(v.Created), nanos(v.Updated))
}

// View implements view.Store.
func (s *Store) View(ctx context.Context, p tenant.ProjectID, id string) (view.View, error) {
	v, err := scanView(s.read.QueryRowContext(ctx, viewColumns+" WHERE project = ? AND id = ?", p, id))
	return v, failed(err, "view")
}

// Views implements view.Store.
func (s *Store) Views(ctx context.Context, p tenant.ProjectID, owner, page string) ([]view.View, error) {
	var w where
	w.add("project = ?", p)
	w.add("(shared OR owner = ?)", owner)
	if page != "" {
		w.add("page = ?", page)
	}
	return query(ctx, s.read, scanView, viewColumns+w.String()+" ORDER BY name, id", w.args...)
}

// UpdateView implements view.Store.
func (s *Store) UpdateView(ctx context.Context, v view.View) error {
	return s.exec(ctx, "view", `UPDATE views SET name = ?, page = ?, search = ?, shared = ?, updated = ? WHERE project = ? AND id = ?`,
		v.Name, v.Page, string(v.Search), v.Shared, nanos(v.Updated), v.Project, v.ID)
}

// DeleteView implements view.Store.
func (s *Store) DeleteView(ctx context.Context, p tenant.ProjectID, id string) error {
	return s.exec(ctx, "view", "DELETE FROM views WHERE project = ? AND id = ?", p, id)
}

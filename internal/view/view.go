// Package view keeps saved views: a page of the interface with its search, under a name, for its owner or for everyone in
// the project.
package view

import (
	"context"
	"slices"
	"time"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// View is a page with its search parameters.
type View struct {
	Project tenant.ProjectID
	ID      string
	Name    string
	Page    string    // of the interface: "traces"
	Search  jsonx.Raw // the page's search parameters, an object
	Shared  bool      // seen by everyone in the project
	Owner   string    // see tenant.Identity.Owner
	Created time.Time
	Updated time.Time
}

// Store keeps views. Every call names a project; a view of another one is fault.NotFound.
type Store interface {
	CreateView(ctx context.Context, v View) error
	View(ctx context.Context, p tenant.ProjectID, id string) (View, error)
	// Views returns those of an owner and the shared ones, by name; page "" is all pages.
	Views(ctx context.Context, p tenant.ProjectID, owner, page string) ([]View, error)
	UpdateView(ctx context.Context, v View) error
	DeleteView(ctx context.Context, p tenant.ProjectID, id string) error
}

// Bounds of a view.
const (
	maxName   = 200
	maxSearch = 32 << 10
	maxViews  = 500 // that one caller sees
)

var pages = []string{"home", "traces", "trace", "sessions", "session", "errors", "users", "live", "models", "keys", "alerts", "sql", "diff"}

// Book is what callers may do with views.
type Book struct {
	Store Store
	Now   func() time.Time
}

// List returns the caller's views and the shared ones.
func (b Book) List(ctx context.Context, who *tenant.Identity, page string) ([]View, error) {
	return b.Store.Views(ctx, who.Project, who.Owner(), page)
}

// Get returns a view that the caller may see.
func (b Book) Get(ctx context.Context, who *tenant.Identity, id string) (View, error) {
	v, err := b.Store.View(ctx, who.Project, id)
	if err == nil && !v.Shared && v.Owner != who.Owner() && !who.IsAdmin() {
		return View{}, fault.New(fault.NotFound, "view not found")
	}
	return v, err
}

// Create saves a view for the caller.
func (b Book) Create(ctx context.Context, who *tenant.Identity, v View) (View, error) {
	if err := who.MayWrite(); err != nil {
		return v, err
	}
	have, err := b.List(ctx, who, "")
	if err != nil {
		return v, err
	}
	if len(have) >= maxViews {
		return v, fault.New(fault.Conflict, "there are %d views already; delete some first", len(have))
	}
	now := b.Now().UTC()
	v.Project, v.ID, v.Owner, v.Created, v.Updated = who.Project, id.New(), who.Owner(), now, now
	if err := v.check(); err != nil {
		return v, err
	}
	return v, b.Store.CreateView(ctx, v)
}

// Update changes a view of the caller; administrators change any.
func (b Book) Update(ctx context.Context, who *tenant.Identity, id string, edit func(*View)) (View, error) {
	v, err := b.own(ctx, who, id)
	if err != nil {
		return v, err
	}
	edit(&v)
	v.Updated = b.Now().UTC()
	if err := v.check(); err != nil {
		return v, err
	}
	return v, b.Store.UpdateView(ctx, v)
}

// Delete removes a view of the caller; administrators remove any.
func (b Book) Delete(ctx context.Context, who *tenant.Identity, id string) error {
	if _, err := b.own(ctx, who, id); err != nil {
		return err
	}
	return b.Store.DeleteView(ctx, who.Project, id)
}

func (b Book) own(ctx context.Context, who *tenant.Identity, id string) (View, error) {
	v, err := b.Get(ctx, who, id)
	if err != nil {
		return v, err
	}
	if err := who.MayWrite(); err != nil {
		return v, err
	}
	if v.Owner != who.Owner() && !who.IsAdmin() {
		return v, fault.New(fault.Forbidden, "only its owner or an administrator may change this view")
	}
	return v, nil
}

func (v *View) check() error {
	switch {
	case v.Name == "" || len(v.Name) > maxName:
		return fault.Bad("name", "name must have 1 to %d bytes", maxName)
	case !slices.Contains(pages, v.Page):
		return fault.Bad("page", "there is no page %q", v.Page)
	case len(v.Search) > maxSearch:
		return fault.Bad("search", "search is larger than %d bytes", maxSearch)
	}
	if len(v.Search) == 0 {
		v.Search = jsonx.Raw("{}")
	}
	var object map[string]jsonx.Raw
	if jsonx.Unmarshal(v.Search, &object) != nil || object == nil {
		return fault.Bad("search", "search must be an object")
	}
	return nil
}

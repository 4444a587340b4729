package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/jsonx"
	"weir/internal/view"
)

// View is a saved view: a page of the interface with its search.
type View struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Page    string    `json:"page" example:"traces"`
	Search  jsonx.Raw `json:"search" doc:"search parameters of the page, an object"`
	Shared  bool      `json:"shared" doc:"seen by everyone in the project"`
	Owner   string    `json:"owner"`
	Mine    bool      `json:"mine" doc:"the caller may change it"`
	Created string    `json:"created" format:"date-time"`
	Updated string    `json:"updated" format:"date-time"`
}

// ViewList holds the caller's views and the shared ones, by name.
type ViewList struct {
	Items []View `json:"items" nullable:"false"`
}

type viewFields struct {
	Name   *string    `json:"name,omitempty" maxLength:"200"`
	Page   *string    `json:"page,omitempty" maxLength:"40"`
	Search *jsonx.Raw `json:"search,omitempty"`
	Shared *bool      `json:"shared,omitempty"`
	_      struct{}   `additionalProperties:"false"`
}

func (f *viewFields) apply(v *view.View) {
	set(&v.Name, f.Name)
	set(&v.Page, f.Page)
	set(&v.Search, f.Search)
	set(&v.Shared, f.Shared)
}

func (s *Surface) views() {
	register(s, op{method: http.MethodGet, path: "/views", id: "listViews", doc: "Saved views: the caller's own and the shared ones"}, s.listViews)
	register(s, op{method: http.MethodPost, path: "/views", id: "createView", doc: "Save a view", status: http.StatusCreated}, s.createView)
	register(s, op{method: http.MethodGet, path: "/views/{id}", id: "getView", doc: "One saved view"}, s.getView)
	register(s, op{method: http.MethodPatch, path: "/views/{id}", id: "updateView", doc: "Change the fields given"}, s.updateView)
	register(s, op{method: http.MethodDelete, path: "/views/{id}", id: "deleteView", doc: "Delete a saved view", status: http.StatusNoContent}, s.deleteView)
}

func viewOf(ctx context.Context, v view.View) View {
	who := edge.Who(ctx)
	return View{
		ID: v.ID, Name: v.Name, Page: v.Page, Search: object(v.Search), Shared: v.Shared, Owner: v.Owner,
		Mine: v.Owner == who.Owner() || who.IsAdmin(), Created: stamp(v.Created), Updated: stamp(v.Updated),
	}
}

func viewReply(ctx context.Context, v view.View, err error) (*body[View], error) {
	if err != nil {
		return nil, err
	}
	return reply(viewOf(ctx, v))
}

type listViewsInput struct {
	Page string `query:"page" maxLength:"40" doc:"only of this page"`
}

func (s *Surface) listViews(ctx context.Context, in *listViewsInput) (*body[ViewList], error) {
	all, err := s.Views.List(ctx, edge.Who(ctx), in.Page)
	if err != nil {
		return nil, err
	}
	out := ViewList{Items: make([]View, len(all))}
	for i, v := range all {
		out.Items[i] = viewOf(ctx, v)
	}
	return reply(out)
}

type createViewInput struct{ Body viewFields }

func (s *Surface) createView(ctx context.Context, in *createViewInput) (*body[View], error) {
	var v view.View
	in.Body.apply(&v)
	v, err := s.Views.Create(ctx, edge.Who(ctx), v)
	return viewReply(ctx, v, err)
}

// IDInput names a thing by its id.
type IDInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (s *Surface) getView(ctx context.Context, in *IDInput) (*body[View], error) {
	v, err := s.Views.Get(ctx, edge.Who(ctx), in.ID)
	return viewReply(ctx, v, err)
}

type updateViewInput struct {
	IDInput
	Body viewFields
}

func (s *Surface) updateView(ctx context.Context, in *updateViewInput) (*body[View], error) {
	v, err := s.Views.Update(ctx, edge.Who(ctx), in.ID, in.Body.apply)
	return viewReply(ctx, v, err)
}

func (s *Surface) deleteView(ctx context.Context, in *IDInput) (*none, error) {
	if err := s.Views.Delete(ctx, edge.Who(ctx), in.ID); err != nil {
		return nil, err
	}
	return &none{}, nil
}

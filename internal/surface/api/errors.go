package api

import (
	"context"
	"strings"

	"weir/internal/query"
)

// ErrorList is groups of errors, the most frequent first.
type ErrorList struct {
	Items   []ErrorGroup `json:"items" nullable:"false"`
	Total   int64        `json:"total" doc:"spans that failed"`
	More    bool         `json:"more" doc:"there are more groups"`
	Partial bool         `json:"partial"`
}

// ErrorGroup is errors alike. What they are not grouped by is empty.
type ErrorGroup struct {
	ID       string     `json:"id"`
	Class    string     `json:"class" doc:"type of the error"`
	Provider string     `json:"provider"`
	Model    string     `json:"model"`
	HTTP     int        `json:"http"`
	Shape    string     `json:"shape" doc:"the message without its numbers, ids, quotes, addresses and paths"`
	Filter   string     `json:"filter" doc:"selects these errors"`
	Count    int64      `json:"count"`
	Share    float64    `json:"share" doc:"of all errors, 0 to 1"`
	First    string     `json:"first" format:"date-time"`
	Last     string     `json:"last" format:"date-time"`
	Users    int64      `json:"users"`
	Sessions int64      `json:"sessions"`
	Spark    []int64    `json:"spark" nullable:"false" doc:"counts over 24 equal parts of the time"`
	Examples []TraceRow `json:"examples" nullable:"false" doc:"the latest, at most three"`
}

// sparkPoints is how many counts over time a group has.
const sparkPoints = 24

type listErrorsInput struct {
	Selection
	Group string `query:"group" maxLength:"100" doc:"class, provider, model, http, shape: some of them, with commas between; empty = all" example:"class,provider"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Surface) listErrors(ctx context.Context, in *listErrorsInput) (*body[ErrorList], error) {
	q := query.ErrorQuery{Limit: in.Limit, Spark: sparkPoints}
	var err error
	if q.Query, err = in.query(ctx); err != nil {
		return nil, err
	}
	for _, k := range strings.Split(in.Group, ",") {
		if k = strings.TrimSpace(k); k == "class" {
			k = "error_type"
		}
		if k != "" {
			q.By = append(q.By, k)
		}
	}
	got, err := s.Query.ErrorGroups(ctx, q)
	if err != nil {
		return nil, err
	}
	out := ErrorList{Items: make([]ErrorGroup, len(got.Rows)), Total: got.Total, More: got.More, Partial: got.Partial}
	for i, r := range got.Rows {
		out.Items[i] = errorGroup(r, got.Total)
		out.Items[i].Filter = r.Selects(q.By)
	}
	return reply(out)
}

func errorGroup(r query.ErrorRow, total int64) ErrorGroup {
	g := ErrorGroup{
		ID: r.ID(), Class: r.Class, Provider: r.Provider, Model: r.Model, HTTP: r.HTTP, Shape: r.Message, Count: r.Count, Share: float64(r.Count) / float64(max(total, 1)),
		First: stamp(r.First), Last: stamp(r.Last), Users: r.Users, Sessions: r.Sessions, Spark: list(r.Spark), Examples: make([]TraceRow, len(r.Spans)),
	}
	for i, sp := range r.Spans {
		g.Examples[i] = rowOf(sp)
	}
	return g
}

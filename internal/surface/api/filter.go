package api

import (
	"context"
	"errors"

	"weir/internal/fault"
	"weir/internal/query"
)

// PathList is the paths of a field that has them, most frequent first.
type PathList struct {
	Paths   []PathCount `json:"paths" nullable:"false"`
	Partial bool        `json:"partial"`
}

// PathCount is a path and how many spans have it.
type PathCount struct {
	Path  string `json:"path"`
	Count int64  `json:"count"`
}

type fieldPathsInput struct {
	Selection
	Field  string `query:"field" required:"true" enum:"metadata,attributes,resource,score"`
	Prefix string `query:"prefix" maxLength:"200" doc:"beginning of the path, in any case"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (s *Surface) fieldPaths(ctx context.Context, in *fieldPathsInput) (*body[PathList], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	got, partial, err := s.Query.Paths(ctx, query.FacetQuery{Query: q, Field: query.FieldNamed(in.Field), Prefix: in.Prefix, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := PathList{Paths: make([]PathCount, len(got)), Partial: partial}
	for i, p := range got {
		out.Paths[i] = PathCount{Path: p.Value, Count: p.Count}
	}
	return reply(out)
}

// FilterCheck tells whether a filter can be read.
type FilterCheck struct {
	OK     bool         `json:"ok"`
	Normal string       `json:"normal" doc:"the filter, fully parenthesised"`
	Error  *FilterError `json:"error" doc:"null if it is ok"`
}

// FilterError is what is wrong with a filter, and at which byte.
type FilterError struct {
	Message  string `json:"message"`
	Position int    `json:"position"`
}

type checkFilterInput struct {
	Body struct {
		Filter string `json:"filter" maxLength:"8192"`
	}
}

func (s *Surface) checkFilter(_ context.Context, in *checkFilterInput) (*body[FilterCheck], error) {
	e, err := query.ParseAt(in.Body.Filter, s.Now())
	if p := (*query.ParseError)(nil); errors.As(err, &p) && fault.Is(err, fault.Invalid) {
		return reply(FilterCheck{Error: &FilterError{Message: p.Msg, Position: p.Pos}})
	}
	if err != nil {
		return nil, err
	}
	out := FilterCheck{OK: true}
	if e != nil {
		out.Normal = e.String()
	}
	return reply(out)
}

package api

import (
	"context"
	"net/http"
	"time"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/query"
)

// SQLAnswer is what a statement returned.
type SQLAnswer struct {
	Columns   []SQLColumn `json:"columns" nullable:"false"`
	Rows      [][]any     `json:"rows" nullable:"false" doc:"times are RFC 3339; integers beyond 2^53 and decimals are strings"`
	Truncated bool        `json:"truncated" doc:"there were more rows than the limit, or more than 16 MiB of values"`
	Partial   bool        `json:"partial" doc:"the index lags: the newest spans may be missing"`
	TookMS    float64     `json:"took_ms"`
}

// SQLColumn is a column of an answer.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type" doc:"of DuckDB"`
}

// SQLSchema is what statements may read.
type SQLSchema struct {
	Tables []SQLTable `json:"tables" nullable:"false"`
}

// SQLTable is a table that statements may read.
type SQLTable struct {
	Name    string         `json:"name"`
	Doc     string         `json:"doc"`
	Columns []SQLTableItem `json:"columns" nullable:"false"`
}

// SQLTableItem is a column of a table.
type SQLTableItem struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc"`
}

func (s *Surface) sql() {
	register(s, op{method: http.MethodGet, path: "/sql", id: "getSQL", doc: "Run one SELECT over the project's spans"}, s.getSQL)
	register(s, op{method: http.MethodPost, path: "/sql", id: "runSQL", doc: "Run one SELECT over the project's spans"}, s.runSQL)
	register(s, op{method: http.MethodGet, path: "/sql/schema", id: "sqlSchema", doc: "Tables and columns that SQL may read"}, s.sqlSchema)
}

type sqlFields struct {
	Query     string   `json:"query" maxLength:"16384" example:"SELECT model, count(*) AS n FROM spans GROUP BY model ORDER BY n DESC"`
	Limit     int      `json:"limit,omitempty" minimum:"1" maximum:"10000" default:"1000"`
	TimeoutMS int      `json:"timeout_ms,omitempty" minimum:"1" maximum:"10000" default:"10000"`
	_         struct{} `additionalProperties:"false"`
}

type runSQLInput struct{ Body sqlFields }

type getSQLInput struct {
	Query     string `query:"q" required:"true" maxLength:"16384"`
	Limit     int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
	TimeoutMS int    `query:"timeout_ms" minimum:"1" maximum:"10000" default:"10000"`
}

func (s *Surface) getSQL(ctx context.Context, in *getSQLInput) (*body[SQLAnswer], error) {
	return s.runSQL(ctx, &runSQLInput{Body: sqlFields{Query: in.Query, Limit: in.Limit, TimeoutMS: in.TimeoutMS}})
}

func (s *Surface) runSQL(ctx context.Context, in *runSQLInput) (*body[SQLAnswer], error) {
	began := time.Now()
	got, partial, err := s.Query.SQL(ctx, query.SQLQuery{
		Project: edge.Who(ctx).Project, Text: in.Body.Query, Limit: in.Body.Limit, Timeout: time.Duration(in.Body.TimeoutMS) * time.Millisecond,
	})
	if fault.Is(err, fault.Timeout) {
		return nil, fault.Wrap(fault.Timeout, err, "the statement was stopped at its timeout; narrow it, for example by start_time")
	}
	if err != nil {
		return nil, err
	}
	out := SQLAnswer{Columns: make([]SQLColumn, len(got.Columns)), Rows: list(got.Rows), Truncated: got.Truncated, Partial: partial, TookMS: millis(time.Since(began))}
	for i, c := range got.Columns {
		out.Columns[i] = SQLColumn{Name: c.Name, Type: c.Type}
	}
	return reply(out)
}

func (s *Surface) sqlSchema(ctx context.Context, _ *struct{}) (*body[SQLSchema], error) {
	tables, err := s.Query.SQLTables(ctx)
	if err != nil {
		return nil, err
	}
	out := SQLSchema{Tables: make([]SQLTable, len(tables))}
	for i, t := range tables {
		out.Tables[i] = SQLTable{Name: t.Name, Doc: t.Doc, Columns: make([]SQLTableItem, len(t.Columns))}
		for j, c := range t.Columns {
			out.Tables[i].Columns[j] = SQLTableItem(c)
		}
	}
	return reply(out)
}

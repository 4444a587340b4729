package duckdb

import (
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"weir/internal/query"
	"weir/internal/span"
)

// version changes whenever columns or their meaning do; an index of another version is rebuilt.
const version = 1

// column is one of the table of spans. There are no keys, indexes or constraints: they cost more than scans save, and
// are where the engine's bugs are.
type column struct {
	name, kind string
	value      func(*span.Span) any
}

// columns are the fields of the filter language, and what figures need beyond them.
var columns = makeColumns()

func makeColumns() []column {
	out := []column{
		{"project", "VARCHAR", func(s *span.Span) any { return query.Cut(string(s.Project)) }},
		{"day", "UINTEGER", func(s *span.Span) any { return uint32(s.Day) }},
		{"u_input", "BIGINT", func(s *span.Span) any { return s.Usage.Input }},
		{"u_write_1h", "BIGINT", func(s *span.Span) any { return s.Usage.CacheWrite1h }},
		{"u_reasoning", "BIGINT", func(s *span.Span) any { return s.Usage.Reasoning }},
	}
	for _, f := range query.Fields {
		out = append(out, fieldColumn(f))
	}
	return out
}

func fieldColumn(f *query.Field) column {
	switch f.Type {
	case query.Text, query.Enum:
		return column{f.Name, "VARCHAR", func(s *span.Span) any { return f.TextOf(s) }}
	case query.List:
		return column{f.Name, "VARCHAR[]", func(s *span.Span) any { return query.Tags(s) }}
	case query.Map:
		return column{f.Name, "MAP(VARCHAR, VARCHAR)", func(s *span.Span) any { return metadata(s) }}
	}
	return column{f.Name, "BIGINT", func(s *span.Span) any { return f.NumberOf(s) }}
}

func metadata(s *span.Span) duck.Map {
	flat := query.Flatten(s.Metadata)
	m := make(duck.Map, len(flat))
	for k, v := range flat {
		m[k] = v
	}
	return m
}

func createSpans() string {
	defs := make([]string, len(columns))
	for i, c := range columns {
		defs[i] = `"` + c.name + `" ` + c.kind
	}
	return "CREATE TABLE spans (" + strings.Join(defs, ", ") + ")"
}

// createReplaced makes the list of spans that a transaction replaces.
const createReplaced = `CREATE TEMP TABLE replaced (project VARCHAR, day UINTEGER, trace VARCHAR, id VARCHAR)`

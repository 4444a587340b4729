package duckdb

import (
	"strings"

	"weir/internal/query"
	"weir/internal/span"
)

// version changes whenever columns, their meaning or their storage do; an index of another version is rebuilt.
const version = 4

// column is one of a table of spans, with the one of the four that makes its value. There are no keys, indexes or
// constraints: they cost more than scans save, and are where the engine's bugs are. No value is NULL.
type column struct {
	name, kind string
	text       func(*span.Span) string
	number     func(*span.Span) int64
	list       func(*span.Span) []string
	pairs      func(*span.Span) []query.Pair
}

// computed are fields made from others where they are read.
var computed = map[string]string{
	"tokens":       `("u_input" + "cache_read" + "cache_write" + "output_tokens")`,
	"input_tokens": `("u_input" + "cache_read" + "cache_write")`,
	"root":         `("parent" = '')::UTINYINT`,
}

// columns are the fields of the filter language, and what figures need beyond them.
var columns = makeColumns()

func makeColumns() []column {
	out := []column{
		textColumn("project", func(s *span.Span) string { return query.Cut(string(s.Project)) }),
		{name: "day", kind: "UINTEGER", number: func(s *span.Span) int64 { return int64(s.Day) }},
		numberColumn("u_input", query.Counted(func(s *span.Span) int64 { return query.TokenCount(s.Usage.Input) })),
		numberColumn("u_write_1h", query.Counted(func(s *span.Span) int64 { return query.TokenCount(s.Usage.CacheWrite1h) })),
		numberColumn("u_reasoning", query.Counted(func(s *span.Span) int64 { return query.TokenCount(s.Usage.Reasoning) })),
	}
	for _, f := range query.Fields {
		if f.Indexed() && computed[f.Name] == "" {
			out = append(out, fieldColumn(f))
		}
	}
	return out
}

func textColumn(name string, f func(*span.Span) string) column {
	return column{name: name, kind: "VARCHAR", text: f}
}

func numberColumn(name string, f func(*span.Span) int64) column {
	return column{name: name, kind: "BIGINT", number: f}
}

func fieldColumn(f *query.Field) column {
	switch f.Type {
	case query.Text, query.Enum:
		return textColumn(f.Name, f.TextOf)
	case query.List:
		return column{name: f.Name, kind: "VARCHAR[]", list: query.Tags}
	case query.Map:
		return column{name: f.Name, kind: "MAP(VARCHAR, VARCHAR)", pairs: f.PairsOf}
	case query.Bool:
		return column{name: f.Name, kind: "UTINYINT", number: f.NumberOf}
	}
	return numberColumn(f.Name, f.NumberOf)
}

func create(table string, columns []column) string {
	defs := make([]string, len(columns))
	for i, c := range columns {
		defs[i] = `"` + c.name + `" ` + c.kind
	}
	return "CREATE " + table + " (" + strings.Join(defs, ", ") + ")"
}

// replacedColumns name spans that a transaction replaces.
var replacedColumns = []column{
	textColumn("project", func(s *span.Span) string { return query.Cut(string(s.Project)) }),
	{name: "day", kind: "UINTEGER", number: func(s *span.Span) int64 { return int64(s.Day) }},
	textColumn("trace", func(s *span.Span) string { return query.Cut(s.Trace) }),
	textColumn("id", func(s *span.Span) string { return query.Cut(s.ID) }),
}

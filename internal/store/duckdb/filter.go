package duckdb

import (
	"fmt"
	"strings"

	"weir/internal/query"
)

// statement is SQL under construction; values travel as parameters.
type statement struct {
	strings.Builder
	args []any
}

func (s *statement) add(sql string, args ...any) *statement {
	s.WriteString(sql)
	s.args = append(s.args, args...)
	return s
}

// col quotes a column: some have the name of a keyword.
func col(f *query.Field) string { return `"` + f.Name + `"` }

// where writes the condition of a selection.
func (s *statement) where(q query.Query) *statement {
	s.add(`project = ?`, query.Cut(string(q.Project)))
	if !q.From.IsZero() {
		s.add(` AND "start" >= ?`, query.Nanos(q.From))
	}
	if !q.To.IsZero() {
		s.add(` AND "start" < ?`, query.Nanos(q.To))
	}
	if q.Filter != nil {
		s.add(` AND `).expr(q.Filter)
	}
	return s
}

func (s *statement) expr(e query.Expr) {
	switch e := e.(type) {
	case query.And:
		s.join(e, " AND ", "true")
	case query.Or:
		s.join(e, " OR ", "false")
	case query.Not:
		s.add("(NOT ").expr(e.X)
		s.add(")")
	case query.Word:
		s.word(strings.ToLower(string(e)))
	case *query.Compare:
		op, negated := e.Op.Positive()
		if negated {
			s.add("(NOT ")
		}
		s.compare(e, op)
		if negated {
			s.add(")")
		}
	default:
		panic(fmt.Sprintf("duckdb: unknown filter %T", e)) // the AST is closed; see query.Expr
	}
}

func (s *statement) join(parts []query.Expr, sep, none string) {
	if len(parts) == 0 {
		s.add(none)
		return
	}
	s.add("(")
	for i, p := range parts {
		if i > 0 {
			s.add(sep)
		}
		s.expr(p)
	}
	s.add(")")
}

// word looks for lower-case text in the searched fields. Ids are lower case already.
func (s *statement) word(w string) {
	s.add("(false")
	for _, f := range query.Searched() {
		switch {
		case f.Type == query.List:
			s.add(` OR len(list_filter(` + col(f) + `, lambda x: contains(lower(x), ` + literal(w) + `))) > 0`)
		case f.Name == "trace" || f.Name == "id":
			s.add(` OR contains(`+col(f)+`, ?)`, w)
		default:
			s.add(` OR contains(lower(`+col(f)+`), ?)`, w)
		}
	}
	s.add(")")
}

func (s *statement) compare(c *query.Compare, op query.Op) {
	switch c.Field.Type {
	case query.Text, query.Enum:
		s.text(col(c.Field), nil, op, c.Values)
	case query.Map:
		s.metadata(c, op)
	case query.List:
		s.list(col(c.Field), op, c.Values)
	default:
		s.number(c, op)
	}
}

// text compares an expression whose value is never NULL; the empty text is unset and equals nothing.
func (s *statement) text(x string, args []any, op query.Op, vals []query.Value) {
	s.add("(").add(x, args...).add(" <> ''")
	switch op {
	case query.Eq, query.In:
		s.add(" AND ").add(x, args...).add(" IN (")
		for i, v := range vals {
			if i > 0 {
				s.add(", ")
			}
			s.add("?", v.Text)
		}
		s.add(")")
	case query.Like:
		s.add(" AND ").add(x, args...).add(" LIKE ?", vals[0].Text)
	case query.ILike:
		s.add(" AND ").add(x, args...).add(" ILIKE ?", vals[0].Text)
	}
	s.add(")")
}

const metadataValue = `map_extract_value("metadata", ?)`

func (s *statement) metadata(c *query.Compare, op query.Op) {
	switch op {
	case query.Lt, query.Le, query.Gt, query.Ge:
		number := `TRY_CAST(` + metadataValue + ` AS DOUBLE)`
		s.add(`coalesce(isfinite(`+number+`) AND `+number+` `+string(op)+` ?, false)`, c.Path, c.Path, c.Values[0].Float)
	default:
		s.text(`coalesce(`+metadataValue+`, '')`, []any{c.Path}, op, c.Values)
	}
}

func (s *statement) list(x string, op query.Op, vals []query.Value) {
	switch op {
	case query.Exists:
		s.add("len(" + x + ") > 0")
	case query.Like:
		s.add("len(list_filter(" + x + ", lambda x: x LIKE " + literal(vals[0].Text) + ")) > 0")
	case query.ILike:
		s.add("len(list_filter(" + x + ", lambda x: x ILIKE " + literal(vals[0].Text) + ")) > 0")
	default:
		s.add("list_has_any(" + x + ", [")
		for i, v := range vals {
			if i > 0 {
				s.add(", ")
			}
			s.add("?::VARCHAR", v.Text)
		}
		s.add("])")
	}
}

func (s *statement) number(c *query.Compare, op query.Op) {
	x := col(c.Field)
	s.add("(true")
	if c.Field.Optional {
		s.add(" AND " + x + " <> 0")
	}
	switch op {
	case query.Exists:
	case query.Eq, query.In:
		s.add(" AND " + x + " IN (")
		for i, v := range c.Values {
			if i > 0 {
				s.add(", ")
			}
			s.add("?", v.Number)
		}
		s.add(")")
	default:
		s.add(" AND "+x+" "+string(op)+" ?", c.Values[0].Number)
	}
	s.add(")")
}

// literal quotes text inside lambdas, which take no parameters. In DuckDB a doubled quote is the only escape.
func literal(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", "''") + "'"
}

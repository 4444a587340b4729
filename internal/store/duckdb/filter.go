package duckdb

import (
	"fmt"
	"math"
	"strings"

	"weir/internal/query"
	"weir/internal/span"
)

// statement is SQL under construction; values travel as parameters.
type statement struct {
	strings.Builder
	args  []any
	found map[query.Needle][]span.Key // of the condition being written
}

// add writes SQL. Numbers take the place of their question marks, so that the engine plans with them: it skips blocks and
// computes faster. Texts stay parameters.
func (s *statement) add(sql string, args ...any) *statement {
	quoted, done := false, 0
	for i := 0; i < len(sql) && len(args) > 0; i++ {
		switch {
		case sql[i] == '\'':
			quoted = !quoted
		case sql[i] == '?' && !quoted:
			s.WriteString(sql[done:i])
			s.value(args[0])
			args, done = args[1:], i+1
		}
	}
	s.WriteString(sql[done:])
	return s
}

func (s *statement) value(v any) {
	switch v := v.(type) {
	case int64:
		fmt.Fprintf(s, "(%d)::BIGINT", v)
	case uint32:
		fmt.Fprintf(s, "%d", v)
	default:
		s.WriteByte('?')
		s.args = append(s.args, v)
	}
}

// col is the expression of a field: a quoted column, since some have the name of a keyword, or what is made of others.
func col(f *query.Field) string {
	if x := computed[f.Name]; x != "" {
		return x
	}
	return `"` + f.Name + `"`
}

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
		s.found = q.Found
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
		s.add("(").word(strings.ToLower(string(e)))
		s.add(" OR ").among(s.found[e.Needle()])
		s.add(")")
	case query.Find:
		s.among(s.found[e.Needle])
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
func (s *statement) word(w string) *statement {
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
	return s.add(")")
}

// among writes whether a span is one of those named. The keys travel as two parameters, however many they are.
func (s *statement) among(keys []span.Key) {
	var traces, ids strings.Builder
	first, last := span.Day(math.MaxUint32), span.Day(0)
	for _, k := range keys {
		if strings.Contains(k.Trace+k.Span, separator) {
			continue // no client's id has one
		}
		if traces.Len() > 0 {
			traces.WriteString(separator)
			ids.WriteString(separator)
		}
		traces.WriteString(query.Cut(k.Trace))
		ids.WriteString(query.Cut(k.Span))
		first, last = min(first, k.Day), max(last, k.Day)
	}
	if traces.Len() == 0 {
		s.add("false")
		return
	}
	if first > 0 {
		s.add(`("day" BETWEEN ? AND ? AND `, uint32(first), uint32(last))
	} else {
		s.add(`(`)
	}
	s.add(`("trace", "id") IN (SELECT unnest(string_split(?, chr(31))), unnest(string_split(?, chr(31)))))`, traces.String(), ids.String())
}

const separator = "\x1f"

func (s *statement) compare(c *query.Compare, op query.Op) {
	switch c.Field.Type {
	case query.Text, query.Enum:
		s.text(col(c.Field), nil, op, c)
	case query.Map:
		s.entry(c, op)
	case query.List:
		s.list(col(c.Field), op, c.Values)
	default:
		s.number(c, op)
	}
}

// text compares an expression whose value is never NULL; the empty text is unset and equals nothing.
func (s *statement) text(x string, args []any, op query.Op, c *query.Compare) {
	s.add("(").add(x, args...).add(" <> ''")
	switch op {
	case query.Eq, query.In:
		s.add(" AND (").add(x, args...).add(" IN (")
		for i, v := range c.Values {
			if i > 0 {
				s.add(", ")
			}
			s.add("?", v.Text)
		}
		s.add(")")
		for _, v := range c.Values {
			if n, ok := c.NumberFor(v); ok {
				s.add(` OR coalesce(TRY_CAST(`).add(x, args...).add(` AS DOUBLE) = ?, false)`, n)
			}
		}
		s.add(")")
	case query.Like:
		s.add(" AND ").add(x, args...).add(" LIKE ?", c.Values[0].Text)
	case query.ILike:
		s.add(" AND ").add(x, args...).add(" ILIKE ?", c.Values[0].Text)
	case query.RLike:
		s.add(" AND regexp_matches(").add(x, args...).add(", " + literal(c.Values[0].Text) + ")")
	case query.Contains:
		s.add(" AND contains(lower(").add(x, args...).add("), ?)", strings.ToLower(c.Values[0].Text))
	}
	s.add(")")
}

// entryOf is the value of a map's entry, NULL where there is none; its parameter is the path.
func entryOf(f *query.Field) string { return `map_extract_value(` + col(f) + `, ?)` }

func (s *statement) entry(c *query.Compare, op query.Op) {
	x := entryOf(c.Field)
	switch op {
	case query.Lt, query.Le, query.Gt, query.Ge:
		number := `TRY_CAST(` + x + ` AS DOUBLE)`
		s.add(`coalesce(isfinite(`+number+`) AND `+number+` `+string(op)+` ?, false)`, c.Path, c.Path, c.Values[0].Float)
	case query.Exists:
		s.add(`(`+x+` IS NOT NULL)`, c.Path)
	case query.Eq, query.In:
		if c.Field.Numeric {
			s.text(`coalesce(`+x+`, '')`, []any{c.Path}, op, c)
			return
		}
		s.add(`coalesce(`+x+` IN (NULL`, c.Path) // no entry is empty, so the empty text equals none
		for _, v := range c.Values {
			s.add(", ?", v.Text)
		}
		s.add(`), false)`)
	default:
		s.text(`coalesce(`+x+`, '')`, []any{c.Path}, op, c)
	}
}

func (s *statement) list(x string, op query.Op, vals []query.Value) {
	some := func(condition string) {
		s.add("len(list_filter(" + x + ", lambda x: " + condition + ")) > 0")
	}
	switch op {
	case query.Exists:
		s.add("len(" + x + ") > 0")
	case query.Like:
		some("x LIKE " + literal(vals[0].Text))
	case query.ILike:
		some("x ILIKE " + literal(vals[0].Text))
	case query.RLike:
		some("regexp_matches(x, " + literal(vals[0].Text) + ")")
	case query.Contains:
		some("contains(lower(x), " + literal(strings.ToLower(vals[0].Text)) + ")")
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

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"weir/internal/query"
	"weir/internal/tenant"
)

var _ query.SQLIndex = (*Index)(nil)

// sealed is what Open sets once the file is attached, so that no statement reaches a file, the network or a setting.
// Statements of users are checked before they come this far; this is the second wall. Spilling is bounded, since a
// statement may sort or join more than the disk holds.
const sealed = `SET max_temp_directory_size = '4GB'; SET enable_external_access = false; SET lock_configuration = true`

// SQLTables implements query.SQLIndex.
func (x *Index) SQLTables() []query.SQLTable {
	out := make([]query.SQLTable, len(sqlViews))
	for i, v := range sqlViews {
		out[i] = query.SQLTable{Name: v.name, Doc: v.doc}
		for _, c := range v.columns {
			out[i].Columns = append(out[i].Columns, query.SQLColumn{Name: c.name, Type: c.kind, Doc: c.doc})
		}
	}
	return out
}

// SQL implements query.SQLIndex. The statement runs on a connection of its own, whose temporary views are all it can
// name.
func (x *Index) SQL(ctx context.Context, q query.SQLQuery) (out query.SQLAnswer, err error) {
	done, err := x.reading(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	c, err := x.db.Conn(ctx)
	if err != nil {
		return out, readFailed(ctx, err)
	}
	defer discard(c)
	if err := checkOn(ctx, c, q.Text, x.SQLTables()); err != nil {
		return out, err
	}
	if _, err := c.ExecContext(ctx, `USE memory; `+createViews(q.Project)); err != nil {
		return out, readFailed(ctx, err)
	}
	return answerSQL(ctx, c, q)
}

// discard closes a connection for good: its views must not meet another statement.
func discard(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn }) // that is what it is for
	_ = c.Close()
}

func checkOn(ctx context.Context, c *sql.Conn, text string, tables []query.SQLTable) error {
	if strings.ContainsRune(text, 0) {
		return refuse(strings.IndexByte(text, 0), "the statement holds a NUL byte")
	}
	if pos := tooDeep(text); pos >= 0 {
		return refuse(pos, "the statement is nested too deeply")
	}
	var tree string
	err := c.QueryRowContext(ctx, `SELECT json_serialize_sql(?::VARCHAR, skip_null := true, skip_empty := true)::VARCHAR`, text).Scan(&tree)
	if err != nil {
		return statementFailed(ctx, text, err)
	}
	return checkSQL([]byte(tree), tables)
}

// tooDeep finds where brackets are nested deeper than the engine's parser, which recurses, is trusted with; -1 is nowhere.
// Brackets within texts count, which is close enough.
func tooDeep(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '[', '{':
			if depth++; depth > maxSQLDepth {
				return i
			}
		case ')', ']', '}':
			depth--
		}
	}
	return -1
}

const maxSQLDepth = 60

func answerSQL(ctx context.Context, c *sql.Conn, q query.SQLQuery) (out query.SQLAnswer, err error) {
	s, err := c.PrepareContext(ctx, q.Text) // by itself, so that places in messages are right
	if err != nil {
		return out, statementFailed(ctx, q.Text, err)
	}
	if err := s.Close(); err != nil {
		return out, readFailed(ctx, err)
	}
	text := strings.TrimRight(q.Text, "; \t\r\n")
	rows, err := c.QueryContext(ctx, fmt.Sprintf("SELECT * FROM (\n%s\n) LIMIT %d", text, q.Rows()+1))
	if err != nil {
		return out, statementFailed(ctx, q.Text, err)
	}
	defer func() { _ = rows.Close() }() // its error is Err's
	if err := scanSQL(&out, rows, q.Rows()); err != nil {
		return out, statementFailed(ctx, q.Text, err)
	}
	return out, nil
}

// marked finds the line and the mark in the engine's messages.
var marked = regexp.MustCompile(`(?s)\n\nLINE (\d+): (.*?)\n( *)\^`)

// statementFailed tells a mistake in the statement, or one over its limits, from trouble of the index.
func statementFailed(ctx context.Context, text string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(failed(err), query.ErrLost):
		return failed(err)
	}
	msg := err.Error()
	if e, ok := errors.AsType[*duck.Error](err); ok {
		msg = e.Msg
		switch e.Type {
		case duck.ErrorTypeOutOfMemory:
			return refuse(-1, "the statement needs more memory than it may have; narrow it, for example by start_time")
		case duck.ErrorTypeIO:
			return failed(err)
		}
	}
	pos := -1
	if m := marked.FindStringSubmatchIndex(msg); m != nil {
		pos = offset(text, msg[m[2]:m[3]], msg[m[4]:m[5]], m[7]-m[6])
		msg = msg[:m[0]]
	}
	return refuse(pos, "%s", msg)
}

// offset is the place in a text that a message marks: a line, as much of it as is shown, and the column of the mark below
// the shown part, which "LINE n: " indents.
func offset(text, line, shown string, mark int) int {
	n, err := strconv.Atoi(line)
	lines := strings.SplitAfter(text, "\n")
	if err != nil || n < 1 || n > len(lines) {
		return -1
	}
	mark -= len("LINE : ") + len(line)
	if cut, ok := strings.CutPrefix(shown, "..."); ok {
		shown, mark = cut, mark-len("...")
	}
	at := strings.Index(lines[n-1], strings.TrimSuffix(shown, "..."))
	if at < 0 || mark < 0 {
		return -1
	}
	return len(strings.Join(lines[:n-1], "")) + at + mark
}

// createViews defines what a project's statements read.
func createViews(p tenant.ProjectID) string {
	var b strings.Builder
	for _, v := range sqlViews {
		fmt.Fprintf(&b, "CREATE TEMP VIEW %s AS %s;\n", v.name, v.body(p))
	}
	return b.String()
}

package query

import (
	"context"
	"time"

	"weir/internal/fault"
	"weir/internal/tenant"
)

// SQLQuery is one SELECT over the tables of a project. Rows beyond Limit are left out.
type SQLQuery struct {
	Project tenant.ProjectID
	Text    string
	Limit   int           // ≤ 0 means DefaultSQLRows; at most MaxSQLRows
	Timeout time.Duration // ≤ 0 means MaxSQLTime, which is also the most
}

// Bounds of a statement and its answer.
const (
	DefaultSQLRows = 1000
	MaxSQLRows     = 10_000
	MaxSQLTime     = 10 * time.Second
	MaxSQLText     = 16 << 10 // bytes of a statement
	MaxSQLAnswer   = 16 << 20 // bytes of values, roughly
)

// Rows is the limit in force.
func (q SQLQuery) Rows() int {
	if q.Limit <= 0 {
		return DefaultSQLRows
	}
	return min(q.Limit, MaxSQLRows)
}

// Time is the timeout in force.
func (q SQLQuery) Time() time.Duration {
	if q.Timeout <= 0 {
		return MaxSQLTime
	}
	return min(q.Timeout, MaxSQLTime)
}

// SQLAnswer is what a statement returned. Values are what encoding/json writes: nil, bool, numbers, strings (times in RFC
// 3339, integers beyond 2⁵³ and decimals by their digits), []any and map[string]any.
type SQLAnswer struct {
	Columns   []SQLColumn
	Rows      [][]any
	Truncated bool // there were more rows, or more bytes, than the limits allow
}

// SQLColumn is a column of an answer or a table. Type is the engine's name.
type SQLColumn struct{ Name, Type, Doc string }

// SQLTable is what statements may read.
type SQLTable struct {
	Name, Doc string
	Columns   []SQLColumn
}

// SQLIndex is an Index that answers SQL. What is wrong with a statement is fault.Invalid about the field "query", and
// wraps a *ParseError where the place is known.
type SQLIndex interface {
	SQL(ctx context.Context, q SQLQuery) (SQLAnswer, error)
	SQLTables() []SQLTable
}

// SQL runs a statement that can read the project's rows and nothing else.
func (e *Engine) SQL(ctx context.Context, q SQLQuery) (out SQLAnswer, partial bool, err error) {
	if len(q.Text) > MaxSQLText {
		return out, false, fault.Bad("query", "the statement is longer than %d bytes", MaxSQLText)
	}
	ctx, cancel := context.WithTimeout(ctx, q.Time())
	defer cancel()
	partial = !e.settle(ctx)
	found, err := e.indexer.use(ctx, func(ctx context.Context, x Index) error {
		s, err := asSQL(x)
		if err == nil {
			out, err = s.SQL(ctx, q)
		}
		return err
	})
	if err == nil && !found {
		err = &fault.Error{Kind: fault.Unavailable, Msg: "the index is being opened", RetryAfter: time.Second}
	}
	return out, partial, err
}

// SQLTables describes what statements may read.
func (e *Engine) SQLTables(ctx context.Context) (out []SQLTable, err error) {
	_, err = e.indexer.use(ctx, func(_ context.Context, x Index) error {
		s, err := asSQL(x)
		if err == nil {
			out = s.SQLTables()
		}
		return err
	})
	return out, err
}

func asSQL(x Index) (SQLIndex, error) {
	if s, ok := x.(SQLIndex); ok {
		return s, nil
	}
	return nil, fault.New(fault.Invalid, "this index takes no SQL")
}

// Package sqlite keeps the rows of an embedded installation: tenants, sessions, settings, spend and daily roll-ups.
// One connection writes, a few read; a write that returned survives power loss (WAL, synchronous=FULL).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"weir/internal/auth"
	"weir/internal/budget"
	"weir/internal/fault"
	"weir/internal/tenant"
)

// Store implements the row interfaces. It is safe for concurrent use, by several processes too.
type Store struct {
	writer
	write *sql.DB // one connection, so that writers queue in Go rather than on SQLite's lock
	read  *sql.DB
}

// writer makes single changes: of their own, or as part of a transaction.
type writer struct {
	to interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
}

var (
	_ tenant.Store      = (*Store)(nil)
	_ auth.SessionStore = (*Store)(nil)
	_ budget.Rows       = (*Store)(nil)
)

const (
	readers  = 4
	patience = 10 * time.Second // with the locks of others
)

// Open opens or creates the database at path and brings its schema up to date.
func Open(path string) (*Store, error) {
	s := &Store{}
	// SQLite would create it readable by others; its companions take over the mode of an existing file.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err = errors.Join(err, closeFile(f)); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if s.write, err = connect(path, 1, "journal_mode(WAL)", "synchronous(FULL)"); err != nil {
		return nil, err
	}
	s.writer = writer{s.write}
	if err := patiently(func() error { return s.migrate(context.Background(), path) }); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: migrate %s: %w", path, err), s.write.Close())
	}
	if s.read, err = connect(path, readers, "query_only(1)"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	return s, nil
}

// patiently repeats what finds the database locked. SQLite waits for most locks by itself, but not for the one that
// changes a new file to write-ahead logging: of two processes that create it, one is refused at once.
func patiently(do func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		err := do()
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || e.Code()&0xff != codes.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
	}
}

func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// connect opens a pool. A transaction takes the write lock at its start: one that upgrades later can fail at once
// instead of waiting for the busy timeout.
func connect(path string, conns int, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	wait := fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds())
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{wait, "foreign_keys(1)"}, pragmas...)}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Close ends all connections. Writes that returned are safe.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Check reports whether rows answer, for readiness.
func (s *Store) Check(ctx context.Context) error {
	var n int
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM ledger_position").Scan(&n); err != nil {
		return failed(err, "rows do not answer")
	}
	return nil
}

// failed turns an error of the driver into a fault; what names the object for the message.
func failed(err error, what string) error {
	var e *driver.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fault.New(fault.NotFound, "%s not found", what)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &e):
		switch e.Code() {
		case codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_UNIQUE:
			return fault.Wrap(fault.Conflict, err, "%s exists already", what)
		case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
			return fault.Wrap(fault.Conflict, err, "%s refers to something that does not exist, or is still in use", what)
		case codes.SQLITE_FULL, codes.SQLITE_BUSY:
			return fault.Wrap(fault.Unavailable, err, "the database cannot take writes now")
		}
	}
	return fault.Wrap(fault.Internal, err, "internal error")
}

// exec runs a write that must touch a row.
func (w writer) exec(ctx context.Context, what, query string, args ...any) error {
	res, err := w.to.ExecContext(ctx, query, args...)
	if err != nil {
		return failed(err, what)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fault.Wrap(fault.NotFound, err, "%s not found", what)
	}
	return nil
}

// inTx runs do in one write transaction.
func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return failed(err, "transaction")
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return failed(tx.Commit(), "transaction")
}

// Together implements tenant.Store.
func (s *Store) Together(ctx context.Context, do func(tenant.Changes) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return do(writer{tx}) })
}

// scanner is what sql.Row and sql.Rows share.
type scanner interface{ Scan(dest ...any) error }

// query collects the rows of a query.
func query[T any](ctx context.Context, db *sql.DB, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, failed(err, "rows")
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, failed(err, "row")
		}
		out = append(out, v)
	}
	return out, failed(rows.Err(), "rows")
}

// where builds the conditions of a query: text holds one "?" for each value.
type where struct {
	text []string
	args []any
}

func (w *where) add(text string, args ...any) {
	w.text = append(w.text, text)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.text) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.text, " AND ")
}

// page lists newest first, with a cursor that names the last row given out.
func page[T any](ctx context.Context, db *sql.DB, p tenant.Page, w where, text string, scan func(scanner) (T, error),
	at func(T) (time.Time, string)) ([]T, string, error) {
	if p.Cursor != "" {
		created, id, err := parseCursor(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.add("(created, id) < (?, ?)", created, id)
	}
	n := p.Size()
	items, err := query(ctx, db, scan, text+w.String()+" ORDER BY created DESC, id DESC LIMIT ?", append(w.args, n+1)...)
	if err != nil || len(items) <= n {
		return items, "", err
	}
	created, id := at(items[n-1])
	return items[:n], fmt.Sprintf("%d_%s", nanos(created), id), nil
}

func parseCursor(c string) (created int64, id string, err error) {
	at, id, ok := strings.Cut(c, "_")
	if _, scanErr := fmt.Sscanf(at, "%d", &created); !ok || scanErr != nil {
		return 0, "", fault.Bad("cursor", "cursor is not one that was given out")
	}
	return created, id, nil
}

// nanos stores a time; the zero time is 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// likes is the pattern of a case-insensitive search for text.
func likes(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// DataVersion changes whenever another process commits: the one writing connection of this one sees only others.
func (s *Store) DataVersion(ctx context.Context) (v int64, err error) {
	err = s.write.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, failed(err, "data version")
}

// Package duckdb is the embedded query.Index: one narrow columnar table in one DuckDB file, without text, keys or
// secondary indexes. It can be rebuilt from the span store at any time, so its failures cost a rebuild and no data.
package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Options tune an Index; the zero value is the default.
type Options struct {
	MemoryLimit string // for queries and what the engine keeps of the file, "256MB"
	Threads     int    // the number of cores, at most 4
	Queries     int    // at once; twice the number of cores. Others wait.
}

func (o *Options) defaults() {
	if o.MemoryLimit == "" {
		o.MemoryLimit = "256MB"
	}
	if o.Threads == 0 {
		o.Threads = min(runtime.NumCPU(), 4)
	}
	if o.Queries == 0 {
		o.Queries = 2 * runtime.NumCPU()
	}
}

// Index implements query.Index. One process may have a file open.
type Index struct {
	db      *sql.DB
	slots   chan struct{} // queries under way
	workers *workers
	top     atomic.Int64 // no span starts later, in nanoseconds

	write   sync.Mutex // one writer
	writer  *sql.Conn
	unsaved int // rows since the last checkpoint

	changed changes
	kept    kept
}

var _ query.Index = (*Index)(nil)

// Open opens or creates the index in a file. It is query.ErrCorrupt if the file must be removed, see Remove.
func Open(ctx context.Context, path string, o Options) (*Index, error) {
	o.defaults()
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("duckdb: %w", err)
	}
	if strings.Contains(path, "?") { // the engine cuts the name of its log there
		return nil, fmt.Errorf("duckdb: the path of the data folder must not contain a question mark: %s", path)
	}
	// The settings that keep the engine from reaching for the network. The file is attached to an engine instance of its
	// own in memory: opened by name, it would go through the driver's cache of instances, where an opening waits for
	// ever for an earlier instance that some canceled statement still holds.
	c, err := duck.NewConnector(fmt.Sprintf(":memory:?memory_limit=%s&threads=%[2]d&external_threads=%[2]d&autoinstall_known_extensions=false&autoload_known_extensions=false",
		o.MemoryLimit, o.Threads), onEachConnection(path))
	if err != nil {
		return nil, fmt.Errorf("duckdb: %w", err)
	}
	lent, err := newWorkers(c, o.Threads)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	x := &Index{db: sql.OpenDB(c), slots: make(chan struct{}, o.Queries), workers: lent}
	x.db.SetMaxIdleConns(2)
	if err := x.prepare(ctx); err != nil {
		return nil, errors.Join(openError(path, err), x.Close())
	}
	return x, nil
}

// onEachConnection makes the file the default database of a connection; the first one attaches it.
func onEachConnection(path string) func(driver.ExecerContext) error {
	var once sync.Mutex
	attached := false
	return func(e driver.ExecerContext) error {
		once.Lock()
		defer once.Unlock()
		if !attached {
			_, err := e.ExecContext(context.Background(), fmt.Sprintf(attach, literal(path+".tmp"), literal(path), attachedAs, rowGroup), nil)
			if err != nil {
				return err
			}
			if _, err := e.ExecContext(context.Background(), sealed, nil); err != nil {
				return err
			}
			attached = true
		}
		_, err := e.ExecContext(context.Background(), `USE `+attachedAs, nil)
		return err
	}
}

// attachedAs is the engine's name for the file.
const attachedAs = "file"

// attach leaves it to save when the file is brought up to date: a checkpoint that the engine begins by itself is followed by
// a row group that is not full, and later written again with the next one. The newer storage compresses texts so that
// filters need not decode every row. Blocks of the usual 256 KiB are not filled by the columns of a row group.
const attach = `SET temp_directory = %s; SET checkpoint_threshold = '1TB';
	ATTACH %s AS %s (RECOVERY_MODE NO_WAL_WRITES, STORAGE_VERSION 'v1.5.0', BLOCK_SIZE 65536, ROW_GROUP_SIZE %d)`

// rowGroup is how many rows the engine compresses together. It is also how many wait in memory, and the writer in turn
// waits while they are written. Three times as many would take a twentieth less room.
const rowGroup = 20 * chunkRows

// Remove deletes the index and its log, which must go together.
func Remove(path string) error {
	var errs []error
	for _, p := range []string{path, path + ".wal", path + ".tmp"} {
		errs = append(errs, os.RemoveAll(p))
	}
	return errors.Join(errs...)
}

// prepare creates the tables of a new file and checks the version of an old one.
func (x *Index) prepare(ctx context.Context) (err error) {
	if x.writer, err = x.db.Conn(ctx); err != nil {
		return err
	}
	var tables int
	if err := x.writer.QueryRowContext(ctx, `SELECT count(*) FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database()`).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		if err := x.create(ctx); err != nil {
			return err
		}
	}
	var v int
	if err := x.writer.QueryRowContext(ctx, `SELECT version FROM meta`).Scan(&v); err != nil || v != version {
		return fmt.Errorf("%w: version %d, want %d (%v)", query.ErrCorrupt, v, version, err)
	}
	var top int64
	if err := x.writer.QueryRowContext(ctx, `SELECT coalesce(max("start"), 0) FROM spans`).Scan(&top); err != nil {
		return err
	}
	x.top.Store(top)
	_, err = x.writer.ExecContext(ctx, create("TEMP TABLE replaced", replacedColumns))
	return err
}

// create checkpoints after the definitions: a log that mixes them with data is what replay has failed on.
func (x *Index) create(ctx context.Context) error {
	for _, q := range []string{
		create("TABLE spans", columns),
		`CREATE TABLE meta (version INTEGER, position UBIGINT, complete BOOLEAN)`,
		fmt.Sprintf(`INSERT INTO meta VALUES (%d, 0, false)`, version),
		`CHECKPOINT ` + attachedAs,
	} {
		if _, err := x.writer.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Close checkpoints and closes the file. It is detached first: a connection that a canceled statement still holds then
// no longer keeps the file.
func (x *Index) Close() error {
	x.workers.stop()
	var err error
	if x.writer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		err = x.saved(ctx)
		if _, detach := x.writer.ExecContext(ctx, `USE memory; DETACH `+attachedAs); detach != nil {
			err = errors.Join(err, fmt.Errorf("duckdb: detach: %w", detach))
		}
		if err != nil {
			err = fmt.Errorf("duckdb: close: %w", err)
		}
		err = errors.Join(err, x.writer.Close())
	}
	return errors.Join(err, x.db.Close())
}

// closeTime bounds the last checkpoint.
const closeTime = 30 * time.Second

// Apply implements query.Index.
func (x *Index) Apply(ctx context.Context, rows []*span.Span, upto uint64) error {
	return x.change(ctx, len(rows), func(c *sql.Conn) error {
		if err := x.replace(ctx, c, rows); err != nil {
			return err
		}
		if err := x.appendSpans(c, rows); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, `UPDATE meta SET position = ?, complete = true`, upto)
		return err
	})
}

// Load implements query.Index.
func (x *Index) Load(ctx context.Context, rows []*span.Span) error {
	return x.change(ctx, len(rows), func(c *sql.Conn) error { return x.appendSpans(c, rows) })
}

// replace deletes earlier versions of spans. A trace keeps its home day, so only the days concerned are scanned. Nothing
// is looked for where there can be no earlier version: that is nearly every call.
func (x *Index) replace(ctx context.Context, c *sql.Conn, rows []*span.Span) error {
	rows = slices.DeleteFunc(slices.Clone(rows), func(s *span.Span) bool { return s.First })
	if len(rows) == 0 {
		return nil
	}
	if _, err := c.ExecContext(ctx, `DELETE FROM replaced`); err != nil {
		return err
	}
	first, last := rows[0].Day, rows[0].Day
	for _, s := range rows {
		first, last = min(first, s.Day), max(last, s.Day)
	}
	err := appendTo(c, "temp", "replaced", replacedColumns, rows)
	if err != nil {
		return err
	}
	return x.changed.remove(ctx, c, `SELECT spans.rowid, spans.project, spans."start" FROM spans JOIN replaced r ON spans.day BETWEEN ? AND ?
		AND spans.id = r.id AND spans.trace = r.trace AND spans.day = r.day AND spans.project = r.project`, uint32(first), uint32(last))
}

func (x *Index) appendSpans(c *sql.Conn, rows []*span.Span) error {
	for _, s := range rows { // the one writer is the only one to raise it
		x.top.Store(max(x.top.Load(), query.Nanos(s.Start)))
		x.changed.note(s)
	}
	return appendTo(c, "", "spans", columns, rows)
}

// change runs a transaction of the one writer.
func (x *Index) change(ctx context.Context, rows int, f func(c *sql.Conn) error) error {
	x.write.Lock()
	defer x.write.Unlock()
	defer x.changed.publish()
	x.makeRoom(ctx, rows)
	if _, err := x.writer.ExecContext(ctx, `BEGIN`); err != nil {
		return failed(err)
	}
	err := f(x.writer)
	if err == nil {
		_, err = x.writer.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, back := x.writer.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		if back != nil && !strings.Contains(back.Error(), "no transaction is active") {
			err = errors.Join(err, back)
		}
		return failed(err)
	}
	x.unsaved += max(rows, 1)
	x.makeRoom(ctx, rows) // for the next ones, while nobody waits for these
	return nil
}

// makeRoom saves what would share its row group with a part of a transaction only: the engine begins a new row group after
// each checkpoint, and writes those again that are too small. It keeps no log: a crash takes the index back to the last
// checkpoint, and the changes since are read from the store's queue again.
func (x *Index) makeRoom(ctx context.Context, rows int) {
	if x.unsaved+rows > rowGroup {
		_ = x.save(ctx) // what was asked for is done: whoever tried it again would do it twice. Checkpoint will tell.
	}
}

// save brings the file up to date without lent threads: there are too few tasks for two.
func (x *Index) save(ctx context.Context) error {
	if x.unsaved == 0 {
		return nil
	}
	_, err := x.writer.ExecContext(ctx, `CHECKPOINT `+attachedAs)
	if err == nil {
		x.unsaved = 0
	}
	return err
}

// Position implements query.Index.
func (x *Index) Position(ctx context.Context) (upto uint64, ok bool, err error) {
	x.write.Lock()
	defer x.write.Unlock()
	err = x.writer.QueryRowContext(ctx, `SELECT position, complete FROM meta`).Scan(&upto, &ok)
	return upto, ok, failed(err)
}

// Checkpoint implements query.Index.
func (x *Index) Checkpoint(ctx context.Context) (uint64, error) {
	upto, _, err := x.Position(ctx) // what is written after this is not held
	if err != nil {
		return 0, err
	}
	return upto, x.saved(ctx)
}

// saved brings the file up to date.
func (x *Index) saved(ctx context.Context) error {
	x.write.Lock()
	defer x.write.Unlock()
	return failed(x.save(ctx))
}

// DropDay implements query.Index.
func (x *Index) DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	err := x.change(ctx, 1, func(c *sql.Conn) error {
		x.changed.noteAll(p)
		_, err := c.ExecContext(ctx, `DELETE FROM spans WHERE project = ? AND day = ?`, query.Cut(string(p)), uint32(day))
		return err
	})
	if err != nil {
		return err
	}
	return x.saved(ctx) // nobody does it again after a crash
}

// Reset implements query.Index.
func (x *Index) Reset(ctx context.Context) error {
	return x.change(ctx, 1, func(c *sql.Conn) error {
		x.changed.noteAll("")
		if _, err := c.ExecContext(ctx, `DELETE FROM spans`); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, `UPDATE meta SET position = 0, complete = false`)
		return err
	})
}

// reading waits for a slot and lends the engine threads until done is called.
func (x *Index) reading(ctx context.Context) (done func(), err error) {
	select {
	case x.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	x.workers.enter()
	return func() {
		x.workers.leave()
		<-x.slots
	}, nil
}

// rows runs a query when there is a slot for it and calls scan for each row.
func (x *Index) rows(ctx context.Context, s *statement, scan func(*sql.Rows) error) error {
	done, err := x.reading(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := x.db.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return readFailed(ctx, err)
	}
	defer func() { _ = r.Close() }() // its error is Err's
	for r.Next() {
		if err := scan(r); err != nil {
			return readFailed(ctx, err)
		}
	}
	return readFailed(ctx, r.Err())
}

// readFailed prefers the reason of an interrupted query to the engine's word for it.
func readFailed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return failed(err)
}

// failed recognises an engine that has given up: after a fatal error it refuses everything until it is opened again.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*duck.Error](err); ok && (e.Type == duck.ErrorTypeFatal || e.Type == duck.ErrorTypeInternal) {
		return fmt.Errorf("%w: %w", query.ErrLost, err)
	}
	if strings.Contains(err.Error(), "database has been invalidated") {
		return fmt.Errorf("%w: %w", query.ErrLost, err)
	}
	return fmt.Errorf("duckdb: %w", err)
}

// passing are troubles of the machine rather than of the file.
var passing = []string{"lock on file", "Permission denied", "No space left", "Too many open files", "Out of Memory", "INTERRUPT", "context"}

// openError tells a damaged file from one that cannot be opened now.
func openError(path string, err error) error {
	if errors.Is(err, query.ErrCorrupt) {
		return err
	}
	if _, missing := os.Stat(path); missing != nil {
		return fmt.Errorf("duckdb: %w", err)
	}
	for _, p := range passing {
		if strings.Contains(err.Error(), p) {
			return fmt.Errorf("duckdb: %w", err)
		}
	}
	return fmt.Errorf("%w: %w", query.ErrCorrupt, err)
}

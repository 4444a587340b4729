package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. user_version repeats goose's own record, so that the usual start, with nothing
// to do, is one read.
func (s *Store) migrate(ctx context.Context, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	newest, err := newestMigration(files)
	if err != nil {
		return err
	}
	var have int64
	if err := s.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch {
	case have == newest:
		return nil
	case have > newest:
		return fmt.Errorf("schema version %d is newer than this program's %d", have, newest)
	}
	unlock, err := lock(ctx, path+".migrate")
	if err != nil {
		return err
	}
	return errors.Join(s.up(ctx, files, newest), unlock())
}

func (s *Store) up(ctx context.Context, files fs.FS, newest int64) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write, files)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	_, err = s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", newest))
	return err
}

// lock holds a lock between processes for as long as migrations run: an exclusive transaction in a database of its
// own, which works alike on every platform and ends with the process.
func lock(ctx context.Context, path string) (unlock func() error, err error) {
	db, err := connect(path, 1)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, conn.Close(), db.Close())
	}, nil
}

func newestMigration(files fs.FS) (newest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	for _, n := range names {
		number, _, _ := strings.Cut(n, "_")
		v, perr := strconv.ParseInt(number, 10, 64)
		if perr != nil {
			return 0, fmt.Errorf("migration %s has no number", n)
		}
		newest = max(newest, v)
	}
	return newest, err
}

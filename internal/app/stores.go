package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"weir/internal/logging"
	"weir/internal/store/pebble"
	"weir/internal/store/sqlite"
)

// Places of the stores below the data folder.
const (
	truthDir = "truth"
	indexDir = "index"
	rowsFile = "rows.db"
)

// stores are the open engines that calls depend on. The index is not among them: it may lag or be rebuilt.
type stores struct {
	truth *pebble.Store
	rows  *sqlite.Store
}

// openStores opens both at once: each waits for the disk, and the start must be fast.
func openStores(dir string, log *logging.Root) (*stores, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	var s stores
	var g errgroup.Group
	g.Go(func() (err error) {
		s.truth, err = pebble.Open(filepath.Join(dir, truthDir), pebble.Options{Log: log.For("store")})
		return err
	})
	g.Go(func() (err error) {
		s.rows, err = sqlite.Open(filepath.Join(dir, rowsFile))
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, s.close(), inUse(dir))
	}
	return &s, nil
}

// inUse explains the usual reason why a store cannot be opened.
func inUse(dir string) error {
	return fmt.Errorf("is another weir using %s?", dir)
}

func (s *stores) close() error {
	var errs []error
	if s.truth != nil {
		errs = append(errs, s.truth.Close())
	}
	if s.rows != nil {
		errs = append(errs, s.rows.Close())
	}
	return errors.Join(errs...)
}

func (s *stores) service() service {
	return funcs{
		start: func(context.Context) error { return nil },
		stop:  func() { _ = s.close() }, // each logs what went wrong
	}
}

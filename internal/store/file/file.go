// Package file keeps finished files in folders of this machine, below those that the configuration names.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"weir/internal/export"
	"weir/internal/fault"
)

// Folder is one such folder.
type Folder struct{ base, below string }

var _ export.Sink = Folder{}

// Open admits a folder that is one of allowed or lies below one.
func Open(allowed []string, folder string) (Folder, error) {
	for _, base := range allowed {
		base, err := filepath.Abs(base)
		if err != nil {
			return Folder{}, fmt.Errorf("file: %w", err)
		}
		rel, err := filepath.Rel(base, filepath.Clean(folder))
		if err == nil && filepath.IsLocal(rel) {
			return Folder{base: base, below: rel}, nil
		}
	}
	if len(allowed) == 0 {
		return Folder{}, fault.Bad("target.path", "files cannot be exported to this machine: the setting export.folders names no folder")
	}
	return Folder{}, fault.Bad("target.path", "target.path must lie in a folder that the setting export.folders names")
}

// Put implements export.Sink. The file is synced before it takes its name. No link leads out of the folder.
func (d Folder) Put(_ context.Context, name string, f io.ReadSeeker, _ int64) error {
	if err := os.MkdirAll(d.base, 0o700); err != nil {
		return failed(err)
	}
	root, err := os.OpenRoot(d.base)
	if err != nil {
		return failed(err)
	}
	return errors.Join(failed(put(root, path.Join(filepath.ToSlash(d.below), name), f)), failed(root.Close()))
}

func put(root *os.Root, name string, f io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	tmp := path.Join(path.Dir(name), "."+path.Base(name)+".tmp") // readers skip names with a dot in front
	out, err := root.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	return nil
}

// failed tells people what the disk said, without the path of a folder they did not name.
func failed(err error) error {
	if err == nil {
		return nil
	}
	why := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		why = p.Err
	}
	return fault.Wrap(fault.Unavailable, err, "the file cannot be written: %s", strings.TrimSpace(why.Error()))
}

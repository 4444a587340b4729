package points

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/erase"
	"weir/internal/tenant"
)

var _ erase.Points = (*Store)(nil)

// making is the suffix of a file that will replace the one without it.
const making = ".new"

// ErasePoints implements erase.Points. Files that hold such points are written anew, each while nothing is added.
func (s *Store) ErasePoints(ctx context.Context, p tenant.ProjectID, value string) (n int64, err error) {
	entries, err := os.ReadDir(s.of(p))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, broken(err)
	}
	for _, e := range entries {
		if _, ok := dayOf(e.Name()); !ok {
			continue
		}
		gone, err := s.eraseFrom(ctx, filepath.Join(s.of(p), e.Name()), value)
		if err != nil {
			return n, err
		}
		n += gone
	}
	return n, nil
}

func (s *Store) eraseFrom(ctx context.Context, path, value string) (gone int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // its days are over
		return 0, nil
	}
	if err != nil {
		return 0, broken(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(path+making, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, broken(err)
	}
	gone, err = keep(ctx, in, out, value)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil || gone == 0 {
		return 0, errors.Join(err, os.Remove(path+making))
	}
	if err := os.Rename(path+making, path); err != nil {
		return 0, broken(err)
	}
	return gone, syncDir(filepath.Dir(path))
}

// keep copies the points without the value, and leaves out the others, and lines that a crash cut.
func keep(ctx context.Context, in io.Reader, out io.Writer, value string) (gone int64, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	w := bufio.NewWriterSize(out, 1<<20)
	for lines.Scan() {
		line := lines.Bytes()
		if !gjson.ValidBytes(line) || names(gjson.GetBytes(line, "attributes"), value) || names(gjson.GetBytes(line, "resource"), value) {
			gone++
			continue
		}
		if err := errors.Join(write(w, line), ctx.Err()); err != nil {
			return 0, err
		}
	}
	if err := errors.Join(lines.Err(), w.Flush()); err != nil {
		return 0, broken(err)
	}
	return gone, nil
}

func write(w *bufio.Writer, line []byte) error {
	if _, err := w.Write(line); err != nil {
		return broken(err)
	}
	if err := w.WriteByte('\n'); err != nil {
		return broken(err)
	}
	return nil
}

// names reports whether a text of a value is exactly this one.
func names(v gjson.Result, text string) (found bool) {
	if v.Type == gjson.String {
		return v.Str == text
	}
	if v.Type == gjson.JSON {
		v.ForEach(func(_, e gjson.Result) bool {
			found = names(e, text)
			return !found
		})
	}
	return found
}

// isMaking reports that a crash has left a file that would have replaced another.
func isMaking(name string) bool { return strings.HasSuffix(name, suffix+making) }

// syncDir makes a rename survive power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return broken(err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return broken(err)
	}
	return nil
}

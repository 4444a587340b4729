package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/klauspost/compress/zstd"
)

// Erased fails if any of gone is in a file below dir, with tables and logs of the key-value engine decoded entry by
// entry, old versions and deletions included, and all other files as they are. Each of kept must be somewhere, or else
// the search is blind.
func Erased(t *testing.T, dir string, gone, kept []string) {
	t.Helper()
	files := decodeAll(t, dir)
	missing := map[string]bool{}
	for _, k := range kept {
		missing[k] = true
	}
	for path, text := range files {
		for _, g := range gone {
			if i := bytes.Index(text, []byte(g)); i >= 0 {
				t.Errorf("%q is still in %s: …%q…", g, strings.TrimPrefix(path, dir), text[max(0, i-60):min(len(text), i+len(g)+60)])
			}
		}
		for k := range missing {
			if bytes.Contains(text, []byte(k)) {
				delete(missing, k)
			}
		}
	}
	for k := range missing {
		t.Errorf("%q is nowhere: the search is blind, or too much was erased", k)
	}
}

// decodeTime is how long an engine may go on writing and deleting files while they are read.
const decodeTime = 20 * time.Second

// decodeAll reads all files below dir. A file that the engine is writing or deleting at the moment makes it start over.
func decodeAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	for deadline := time.Now().Add(decodeTime); ; {
		files := map[string][]byte{}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files[path], err = decode(path)
			return err
		})
		if err == nil {
			return files
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// decode is what a file holds without compression, and as it is.
func decode(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch filepath.Ext(path) {
	case ".sst":
		text, err := decodeTable(path)
		return append(unpacked(text), raw...), err
	case ".log":
		return append(unpacked(decodeLog(path, raw)), raw...), nil
	}
	return raw, nil
}

// frame is what a text packed by itself begins with, inside of an entry.
var frame = []byte{0x28, 0xB5, 0x2F, 0xFD}

// unpacked appends the texts that are packed inside of entries. What only looks like one is passed over.
func unpacked(text []byte) []byte {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic(err) // of constants
	}
	defer d.Close()
	for rest := text[:len(text):len(text)]; ; rest = rest[len(frame):] {
		i := bytes.Index(rest, frame)
		if i < 0 {
			return text
		}
		rest = rest[i:]
		out, _ := d.DecodeAll(rest, nil) // behind the frame there are other entries
		text = append(append(text, out...), '\n')
	}
}

func decodeTable(path string) (text []byte, err error) {
	f, err := vfs.Default.Open(path)
	if err != nil {
		return nil, err
	}
	file, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r, err := sstable.NewReader(context.Background(), file, sstable.ReaderOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err) // it has closed the file
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	it, err := r.NewCompactionIter(sstable.NoTransforms, sstable.NoReadEnv, sstable.MakeTrivialReaderProvider(r), sstable.AssertNoBlobHandles)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for kv := it.First(); kv != nil; kv = it.Next() {
		v, _, err := kv.Value(nil)
		if err != nil {
			return nil, err
		}
		text = append(append(append(append(text, kv.K.UserKey...), '\n'), v...), '\n')
	}
	return text, it.Error()
}

// decodeLog joins the records of a write-ahead log, which are cut at the ends of blocks and bear the number of
// the log. Its last one may be torn.
func decodeLog(path string, raw []byte) []byte {
	var b bytes.Buffer
	n, _ := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".log"), 10, 64)
	rr := numbered(record.NewReader, bytes.NewReader(raw), n)
	for {
		one, err := rr.Next()
		if err != nil {
			return b.Bytes()
		}
		if _, err := io.Copy(&b, one); err != nil {
			return b.Bytes()
		}
	}
}

// numbered calls a reader's constructor, whose type of a log's number has no public name.
func numbered[N ~uint64](open func(io.Reader, N) *record.Reader, raw io.Reader, n uint64) *record.Reader {
	return open(raw, N(n))
}

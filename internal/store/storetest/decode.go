package storetest

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Erased fails if any of gone is in a file below dir, with tables and logs of the key-value engine decoded entry by
// entry, old versions and deletions included, and all other files as they are. Each of kept must be somewhere, or else
// the search is blind.
func Erased(t *testing.T, dir string, gone, kept []string) {
	t.Helper()
	missing := map[string]bool{}
	for _, k := range kept {
		missing[k] = true
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text := decode(t, path)
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
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := range missing {
		t.Errorf("%q is nowhere: the search is blind, or too much was erased", k)
	}
}

// decode is what a file holds without compression.
func decode(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch filepath.Ext(path) {
	case ".sst":
		return append(decodeTable(t, path), raw...)
	case ".log":
		if filepath.Base(filepath.Dir(path)) != "truth" && !strings.Contains(filepath.Base(path), "00") {
			return raw
		}
		return append(decodeLog(raw), raw...)
	}
	return raw
}

func decodeTable(t *testing.T, path string) []byte {
	t.Helper()
	f, err := vfs.Default.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := sstable.NewSimpleReadable(f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sstable.NewReader(t.Context(), file, sstable.ReaderOptions{})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = r.Close() }()
	it, err := r.NewCompactionIter(sstable.NoTransforms, sstable.NoReadEnv, sstable.MakeTrivialReaderProvider(r), sstable.AssertNoBlobHandles)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = it.Close() }()
	var b bytes.Buffer
	entries := 0
	for kv := it.First(); kv != nil; kv = it.Next() {
		v, _, err := kv.Value(nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		b.Write(kv.K.UserKey)
		b.WriteByte('\n')
		b.Write(v)
		b.WriteByte('\n')
		entries++
	}
	if err := it.Error(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b.Bytes()
}

// decodeLog joins the records of a write-ahead log, which are cut at the ends of blocks. Its last one may be torn.
func decodeLog(raw []byte) []byte {
	var b bytes.Buffer
	rr := record.NewReader(bytes.NewReader(raw), 0)
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

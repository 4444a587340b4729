package file

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"weir/internal/fault"
)

func TestPut(t *testing.T) {
	base := t.TempDir()
	d, err := Open([]string{"/nowhere", base}, filepath.Join(base, "below"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} { // the second replaces the first
		if err := d.Put(t.Context(), "project=p/date=2026-03-01/part-00.parquet", bytes.NewReader([]byte(text)), 3); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(base, "below", "project=p", "date=2026-03-01")
		got, err := os.ReadFile(filepath.Join(dir, "part-00.parquet"))
		if err != nil || string(got) != text {
			t.Errorf("%s %v", got, err)
		}
		if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
			t.Errorf("%v %v", all, err)
		}
	}
}

func TestOnlyConfiguredFolders(t *testing.T) {
	base := t.TempDir()
	for path, ok := range map[string]bool{
		base: true, base + "/a/b": true, base + "/../x": false, base + "x": false, "/": false, "/etc": false, filepath.Dir(base): false, base + "/a/../../y": false,
	} {
		_, err := Open([]string{base}, path)
		if ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(nil, base); !fault.Is(err, fault.Invalid) {
		t.Errorf("without folders: %v", err)
	}
}

// A link in the folder leads nowhere else.
func TestLinksStayInside(t *testing.T) {
	base, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(base, "link")); err != nil {
		t.Skip(err)
	}
	d, err := Open([]string{base}, filepath.Join(base, "link"))
	if err == nil {
		err = d.Put(t.Context(), "x.parquet", bytes.NewReader([]byte("x")), 1)
	}
	if err == nil {
		t.Error("written through a link")
	}
	if all, err := os.ReadDir(outside); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

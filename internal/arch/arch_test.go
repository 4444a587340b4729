package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// ring1 is the vocabulary, ring2 the engine. Everything else under internal is an adapter (ring 3), except app.
var (
	ring1 = set("clip", "fault", "id", "money", "jsonx", "llm", "span", "tenant")
	ring2 = set("gateway", "fulltext", "catalog", "pricing", "budget", "ingest", "query", "retention", "replay", "tracediff", "auth", "audit", "share", "erase", "edge", "config", "logging", "alert", "export", "view", "job")
)

// Tests may import adapters of any kind: they try parts together. grants are imports between adapters that the rings allow, with the reason.
var grants = []struct{ from, to, why string }{
	{"surface/", "wire/", "surfaces share wire structs with providers"},
	{"provider/", "wire/", "providers share wire structs with surfaces"},
	{"fakeupstream", "wire/", "the fake speaks the same wire"},
	{"wire/", "wire/sse", "framing is shared by dialects"},
	{"store/pebble", "store/pebble/record", "the codec is a part of the store"},
	{"provider/providertest", "fakeupstream", "the suite runs against the fake"},
	{"surface/surfacetest", "store/", "tests of surfaces run over the real stores"},
}

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

func ringOf(pkg string) int {
	pkg = engineOf(pkg)
	switch {
	case ring1[pkg]:
		return 1
	case ring2[pkg]:
		return 2
	case pkg == "app", pkg == "demo", pkg == "benchfill":
		return 4
	}
	return 3
}

// edges are the imports of weir/internal packages among each other, by package folder below internal.
func edges(t *testing.T) (out [][3]string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, i := range f.Imports {
			if to, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "weir/internal/"); ok && to != from {
				out = append(out, [3]string{from, to, path})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d imports found: the walk is broken", len(out))
	}
	return out
}

func TestImportsPointInwards(t *testing.T) {
	for _, e := range edges(t) {
		from, to, file := e[0], e[1], e[2]
		test := strings.HasSuffix(file, "_test.go")
		a, b := ringOf(from), ringOf(to)
		switch {
		case a == 3 && b == 3 && !test && !granted(from, to):
			t.Errorf("%s: adapter %s imports adapter %s; adapters meet in the engine: put what they share there", file, from, to)
		case b > a && !(test && b == 3):
			t.Errorf("%s: %s (ring %d) imports %s (ring %d); declare a small interface in the inner ring and have app wire it", file, from, a, to, b)
		}
	}
}

func granted(from, to string) bool {
	for _, g := range grants {
		if strings.HasPrefix(from, g.from) && strings.HasPrefix(to, g.to) {
			return true
		}
	}
	return false
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	docs := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		docs[dir] = docs[dir] || f.Doc != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range docs {
		if !ok {
			t.Errorf("%s has no package comment saying what it is for", dir)
		}
	}
}

func TestNoGrabBags(t *testing.T) {
	for _, e := range edges(t) {
		for _, part := range strings.Split(e[0], "/") {
			switch part {
			case "util", "utils", "common", "helpers", "types", "models", "misc":
				t.Errorf("package %s: name it for what it provides", e[0])
			}
		}
	}
}

// engineOf is the package a sub-package of the engine belongs to: the same ring holds for both.
func engineOf(pkg string) string {
	if root, _, _ := strings.Cut(pkg, "/"); ring2[root] {
		return root
	}
	return pkg
}

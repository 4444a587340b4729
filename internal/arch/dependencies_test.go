package arch

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
)

const root = "../../"

// A dependency without a reason is not wanted, and a page that names an old version misleads.
func TestDependenciesAreExplained(t *testing.T) {
	listed := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+) \| (v?[0-9]\S*) \| [^|]+ \| [^|]+ \|$`).FindAllStringSubmatch(read(t, "docs/adr/dependencies.md"), -1) {
		listed[m[1]] = m[2]
	}
	used := goDependencies(t)
	for name, version := range npmDependencies(t) {
		used[name] = version
	}
	for name, version := range used {
		if listed[name] != version {
			t.Errorf("docs/adr/dependencies.md: %s is %q, in use is %s", name, listed[name], version)
		}
	}
	for name := range listed {
		if used[name] == "" {
			t.Errorf("docs/adr/dependencies.md: %s is no direct dependency any more", name)
		}
	}
}

func goDependencies(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) (v\S+)$`).FindAllStringSubmatch(read(t, "go.mod"), -1) { // indirect ones end in a comment
		out[m[1]] = m[2]
	}
	if len(out) < 10 {
		t.Fatalf("only %d modules found in go.mod", len(out))
	}
	return out
}

func npmDependencies(t *testing.T) map[string]string {
	t.Helper()
	var p struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal([]byte(read(t, "ui/package.json")), &p); err != nil {
		t.Fatal(err)
	}
	out := p.Dependencies
	for name, version := range p.DevDependencies {
		out[name] = version
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(root + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

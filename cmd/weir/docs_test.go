package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"weir/internal/config"
	"weir/internal/config/reference"
)

// The documentation must not promise a command, flag, setting, variable or page that is not there. The roadmap may: it
// is about what is not there yet.

const root = "../../"

type page struct{ path, text string }

func pages(t *testing.T) []page {
	t.Helper()
	var out []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "examples/*", "deploy/*"} {
		files, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if filepath.Base(f) == "roadmap.md" {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, page{strings.TrimPrefix(f, root), string(b)})
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d pages found", len(out))
	}
	return out
}

// flagsByCommand is the command line as the program has it: "admin reset-password" → its flags.
func flagsByCommand(t *testing.T) map[string][]string {
	t.Helper()
	k, err := kong.New(&cli{}, kong.Name("weir"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, leaf := range k.Model.Leaves(false) {
		flags := []string{"--help"}
		for _, group := range leaf.AllFlags(true) {
			for _, f := range group {
				flags = append(flags, "--"+f.Name)
			}
		}
		out[strings.TrimPrefix(leaf.Path(), "weir ")] = flags
	}
	return out
}

var (
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	command = regexp.MustCompile(`(?m)(?:^|[\s/` + "`" + `"])weir ([a-z][a-z-]*(?: reset-password)?)([^\n` + "`" + `|;#]*)`)
	flag    = regexp.MustCompile(`(?:^|[\s` + "`" + `"])(--[a-z][a-z-]*)`)
)

func TestCommandsAndFlagsExist(t *testing.T) {
	commands := flagsByCommand(t)
	seen := 0
	for _, p := range pages(t) {
		text := p.text
		if strings.HasSuffix(p.path, ".md") {
			text = strings.Join(code.FindAllString(text, -1), "\n")
		}
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			flags, ok := commands[m[1]]
			if !ok && !strings.HasPrefix(p.path, "deploy/") {
				t.Errorf("%s: there is no command weir %s", p.path, m[1])
				continue
			}
			for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
				seen++
				if ok && !slices.Contains(flags, f[1]) {
					t.Errorf("%s: weir %s has no flag %s", p.path, m[1], f[1])
				}
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d flags found: the search is broken", seen)
	}
}

func TestBareFlagsExist(t *testing.T) {
	foreign := []string{"--thinking"} // Cline's
	var all []string
	for _, flags := range flagsByCommand(t) {
		all = append(all, flags...)
	}
	bare := regexp.MustCompile("`(--[a-z-]+)[^`\n]*`")
	for _, p := range pages(t) {
		for _, m := range bare.FindAllStringSubmatch(p.text, -1) {
			if !slices.Contains(all, m[1]) && !slices.Contains(foreign, m[1]) {
				t.Errorf("%s: no command has a flag %s", p.path, m[1])
			}
		}
	}
}

func TestReferenceIsComplete(t *testing.T) {
	b, err := os.ReadFile(root + "docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for command, flags := range flagsByCommand(t) {
		if !strings.Contains(text, "| `weir "+command+"` |") {
			t.Errorf("docs/configuration.md does not list weir %s", command)
		}
		for _, f := range flags {
			if f != "--help" && !strings.Contains(text, "`"+f+"`") {
				t.Errorf("docs/configuration.md does not list %s of weir %s", f, command)
			}
		}
	}
	for name := range variables(t) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/configuration.md does not list %s", name)
		}
	}
}

// variables are those of Weir's own that its sources read.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range []string{"internal/config/env.go", "cmd/weir/commands.go"} {
		b, err := os.ReadFile(root + f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(WEIR_[A-Z_]+)"`).FindAllStringSubmatch(string(b), -1) {
			out[m[1]] = true
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d variables found", len(out))
	}
	return out
}

func TestVariablesExist(t *testing.T) {
	known := variables(t)
	known["WEIR_KEY"] = true // the reader's own, in examples
	for _, p := range pages(t) {
		for _, name := range regexp.MustCompile(`WEIR_[A-Z_]+`).FindAllString(p.text, -1) {
			if !known[name] {
				t.Errorf("%s: nothing reads %s", p.path, name)
			}
		}
	}
}

func TestSettingsExist(t *testing.T) {
	dotted := regexp.MustCompile("`((?:server|log|admin|models|routing|recording|ingest|network|index|email|export|telemetry|teams|keys)(?:\\[\\])?(?:\\.[a-z_0-9]+)+)")
	seen := 0
	for _, p := range pages(t) {
		for _, m := range dotted.FindAllStringSubmatch(p.text, -1) {
			seen++
			if !reference.Known(m[1]) {
				t.Errorf("%s: there is no setting %s", p.path, m[1])
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d settings found: the search is broken", seen)
	}
}

// named is an environment in which every variable that a document refers to is set, and no other.
func named(document string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		return "sk-from-environment", strings.Contains(document, "${"+name+"}") || strings.Contains(document, "os.environ/"+name)
	}
}

func TestYAMLIsAccepted(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	seen := 0
	for _, p := range pages(t) {
		for _, m := range block.FindAllStringSubmatch(p.text, -1) {
			if strings.HasPrefix(m[1], "# prometheus.yml") {
				continue
			}
			seen++
			if _, _, err := config.Parse(p.path, []byte(m[1]), named(m[1])); err != nil {
				t.Errorf("%s: %v\n%s", p.path, err, m[1])
			}
		}
	}
	if seen < 4 {
		t.Fatalf("only %d blocks found: the search is broken", seen)
	}
}

func TestExamplesAreAccepted(t *testing.T) {
	files, _ := filepath.Glob(root + "examples/*.yaml")
	if len(files) < 2 {
		t.Fatalf("examples: %v", files)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c, warnings, err := config.Parse(f, b, named(string(b)))
		if err != nil || len(warnings) > 0 || len(c.Models) == 0 {
			t.Errorf("%s: %d models, warnings %v, error %v", f, len(c.Models), warnings, err)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, p := range pages(t) {
		if !strings.HasSuffix(p.path, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(m[1], "://") || strings.Contains(m[1], "docs/images/") {
				continue
			}
			target, anchor, _ := strings.Cut(m[1], "#")
			file := filepath.Join(root, filepath.Dir(p.path), target)
			if target == "" {
				file = root + p.path
			}
			b, err := os.ReadFile(file)
			if i, statErr := os.Stat(file); statErr == nil && i.IsDir() {
				continue
			}
			if err != nil {
				t.Errorf("%s: link to %s: %v", p.path, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(string(b)), anchor) {
				t.Errorf("%s: %s has no heading %s", p.path, target, anchor)
			}
		}
	}
}

// anchors are what a heading is called in a link.
func anchors(text string) (out []string) {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

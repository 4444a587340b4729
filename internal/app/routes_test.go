package app

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"weir/internal/config"
	"weir/internal/edge"
)

var update = flag.Bool("update", false, "rewrite docs/routes.md")

const routesPage = "../../docs/routes.md"

const routesHead = `# Routes

All routes of one port, by surface: the client dialect that decodes, and writes errors. This table is generated from the program; a test fails when it is stale.

- *Who*: **public** needs no credential; **member** any valid key or session; **admin** the master key or an administrator's session.
- *If*: a route marked **shared** is taken only when the request speaks that dialect; otherwise the unmarked route of the same path answers.
- Every path is also served below ` + "`server.base_path`" + `. Doubled slashes count as one. Any other path is a plain-text 404.
`

// bare is enough of an App to list routes: surfaces only keep what they are given.
func bare() *App {
	a := &App{query: &queries{}, log: nopLog()}
	a.metrics = a.newMetrics()
	return a
}

func routes(c *config.Config) (out []listed) {
	for _, s := range bare().surfaces(c) {
		name := strings.TrimPrefix(strings.SplitN(fmt.Sprintf("%T", s), ".", 2)[0], "*")
		for _, r := range s.Routes() {
			out = append(out, listed{name, r})
		}
	}
	return out
}

type listed struct {
	surface string
	edge.Route
}

func TestRoutesAreCommitted(t *testing.T) {
	c := config.Default()
	var b bytes.Buffer
	b.WriteString(routesHead)
	last := ""
	for _, r := range routes(&c) {
		if r.surface != last {
			fmt.Fprintf(&b, "\n## %s\n\n| Method | Path | Who | If | What |\n|---|---|---|---|---|\n", r.surface)
			last = r.surface
		}
		method, path, _ := strings.Cut(r.Pattern, " ")
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", method, strings.ReplaceAll(path, "{$}", ""), access(r.Access), condition(r), r.Doc)
	}
	b.WriteString("\n## ui\n\n| Method | Path | Who | If | What |\n|---|---|---|---|---|\n| GET | `/ui/` | public | | the interface; its data needs a session |\n| GET | `/` | public | | a page that leads to it |\n")
	if *update {
		if err := os.WriteFile(routesPage, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(routesPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, b.Bytes()) {
		t.Error("docs/routes.md is stale; run go test ./internal/app -run TestRoutesAreCommitted -update")
	}
}

func access(a edge.Access) string {
	return map[edge.Access]string{edge.Member: "member", edge.Public: "public", edge.Admin: "admin"}[a]
}

func condition(r listed) string {
	if r.When != nil {
		return "shared"
	}
	return ""
}

func TestEveryRouteIsExplainedAndCanFail(t *testing.T) {
	c := config.Default()
	all := routes(&c)
	if len(all) < 60 {
		t.Fatalf("only %d routes found", len(all))
	}
	for _, r := range all {
		if r.Doc == "" {
			t.Errorf("%s of %s has no Doc", r.Pattern, r.surface)
		}
		if r.Fail == nil {
			t.Errorf("%s of %s has no error envelope", r.Pattern, r.surface)
		}
	}
}

// A collision panics here, not at a user's start.
func TestRoutesDoNotCollide(t *testing.T) {
	c := config.Default()
	mux := edge.NewMux(edge.Deps{}, bare().surfaces(&c)...)
	mux.Handle("GET /ui/", http.NotFoundHandler())
	mux.Handle("GET /{$}", http.NotFoundHandler())
}

package reference

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"weir/internal/config"
)

var update = flag.Bool("update", false, "rewrite the committed references")

const (
	page   = "../../../docs/configuration.md"
	schema = "../../../docs/config.schema.json"
	begin  = "<!-- generated: settings -->\n"
	end    = "<!-- end -->"
)

func TestSchemaIsCommitted(t *testing.T) {
	got, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, schema, got)
}

func TestTablesAreCommitted(t *testing.T) {
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := bytes.Cut(old, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		t.Fatalf("%s has lost its marks %q and %q", page, begin, end)
	}
	compare(t, page, bytes.Join([][]byte{head, []byte(begin), Markdown(), []byte(end), tail}, nil))
}

func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is stale; run go test ./internal/config/reference -update", path)
	}
}

func TestEverySettingIsExplained(t *testing.T) {
	all := Settings()
	if len(all) < 80 {
		t.Fatalf("only %d settings found: the walk is broken", len(all))
	}
	for _, s := range all {
		if s.Doc == "" {
			t.Errorf("%s has no doc tag", s.Path)
		}
	}
}

func TestSettings(t *testing.T) {
	for path, want := range map[string]Setting{
		"server.max_body":         {Type: "size", Default: "32MiB"},
		"routing.hold":            {Type: "duration", Default: "10s"},
		"server.listen":           {Type: "list of text", Default: `["127.0.0.1:4000"]`},
		"models[].aws.role_arn":   {Type: "text"},
		"models[].prices":         {Type: "section", Nested: true},
		"keys[].expires":          {Type: "time"},
		"routing.fallbacks":       {Type: "mapping to list of text"},
		"admin.master_key":        {Type: "secret"},
		"keys[].max_budget_usd":   {Type: "decimal"},
		"models[].cache_points":   {Type: "true or false"},
		"recording.bodies":        {Type: "true or false", Default: "true"},
		"models[].prices.input":   {Type: "decimal"},
		"recording.min_free_disk": {Type: "size", Default: "256MiB"},
	} {
		var got *Setting
		for _, s := range Settings() {
			if s.Path == path {
				got = &s
			}
		}
		if got == nil || got.Type != want.Type || got.Default != want.Default || got.Nested != want.Nested {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	if !Known("models.aws.region") || !Known("log.level") || Known("server.port") {
		t.Error("Known knows too little or too much")
	}
}

// What the schema says of durations and sizes is what the program takes.
func TestPatternsAgreeWithParsers(t *testing.T) {
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Properties map[string]struct {
			Properties map[string]struct{ Pattern string }
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	try := func(pattern, value string, err error) {
		t.Helper()
		if matched := regexp.MustCompile(pattern).MatchString(value); matched != (err == nil) {
			t.Errorf("%q: schema takes it: %v, program: %v", value, matched, err)
		}
	}
	for _, v := range []string{"30s", "1h30m", "90", "1.5s", "soon", "", "10 m", "-1s"} {
		var d config.Duration
		try(doc.Properties["routing"].Properties["deadline"].Pattern, v, d.UnmarshalText([]byte(v)))
	}
	for _, v := range []string{"32MiB", "512MB", "1024", "1 GiB", "big", "", "-1"} {
		var s config.Size
		try(doc.Properties["server"].Properties["max_body"].Pattern, v, s.UnmarshalText([]byte(v)))
	}
}

func TestNothingIsWrittenInParts(t *testing.T) {
	md := string(Markdown())
	for _, s := range Settings() {
		name := s.Path[strings.LastIndexByte(s.Path, '.')+1:]
		if !strings.Contains(md, "| `"+name+"` |") {
			t.Errorf("%s is missing from the tables", s.Path)
		}
	}
}

package query

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"  \n ":                       "",
		"timeout":                     `"timeout"`,
		"status = error":              `status = "error"`,
		"status:ERROR":                `status = "error"`,
		`session:"a b"`:               `session = "a b"`,
		"model = anthropic.claude:0":  `model = "anthropic.claude:0"`,
		"http://x":                    `"http://x"`,
		"duration > 2s":               "duration > 2000000000ns",
		"duration > 300":              "duration > 300000000ns",
		"cost >= 0.05":                "cost >= $0.05",
		"cost < $1":                   "cost < $1",
		"tokens>10k":                  "tokens > 10000",
		"input_tokens <= 1.5M":        "input_tokens <= 1500000",
		"start >= 2026-03-01":         "start >= 2026-03-01T00:00:00Z",
		"stream = yes":                "stream = true",
		"user in (a, 'b c')":          `user in ("a", "b c")`,
		"user NOT IN (a)":             `user not in ("a")`,
		`model like "gpt-%"`:          `model like "gpt-%"`,
		"name not ilike x":            `name not ilike "x"`,
		"metadata.a.b = 1":            `metadata.a.b = "1"`,
		"metadata.a.b > 1.50":         "metadata.a.b > 1.5",
		"`metadata.odd key` exists":   "`metadata.odd key` exists",
		"not not user exists":         "user exists",
		"not user exists":             "not user exists",
		"a b or c and not (d e)":      `(("a" and "b") or ("c" and not ("d" and "e")))`,
		"made in japan":               `("made" and "in" and "japan")`,
		"user == x":                   `user = "x"`,
		`user = "a\"b\\c"`:            `user = "a\"b\\c"`,
		"ttft exists tag = prod":      `(ttft exists and tag = "prod")`,
		`key_alias ~ "x"`:             `key_alias rlike "x"`,
		`key_alias~x`:                 `key_alias rlike "x"`,
		`model !~ "^gpt-\\d"`:         `model not rlike "^gpt-\\d"`,
		`model not rlike a`:           `model not rlike "a"`,
		`model contains GPT`:          `model contains "GPT"`,
		`model not contains GPT`:      `model not contains "GPT"`,
		`this contains that`:          `("this" and "contains" and "that")`,
		`input contains "a b"`:        `input contains "a b"`,
		`output not contains x`:       `not output contains "x"`,
		`text:"it's"`:                 `text contains "it's"`,
		"user not exists":             "not user exists",
		"stream exists":               "stream exists",
		"start > -1h":                 "start > now-1h",
		"start > NOW-2d start <= now": "(start > now-2d and start <= now)",
		"start < +1.5w":               "start < now+1.5w",
		"attributes.http.route = /a":  `attributes.http.route = "/a"`,
		"attributes.`a b` exists":     "`attributes.a b` exists",
		"score.quality > 0.5":         "score.quality > 0.5",
		"kind = guardrail":            `kind = "guardrail"`,
		"source = gateway":            `source = "gateway"`,
		"http in (429, 500) cost > 0": "(http in (429, 500) and cost > $0)",
	} {
		e, err := Parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		got := ""
		if e != nil {
			got = e.String()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestParseErrorsNameThePlace(t *testing.T) {
	for in, want := range map[string]struct {
		pos int
		msg string
	}{
		"status = ":                           {9, "expected a value"},
		"status = bad":                        {9, "status is one of ok"},
		"nope = 1":                            {0, `unknown field "nope"`},
		"modle = x":                           {0, "did you mean model?"},
		"a atributes.x.y = 1":                 {2, "did you mean attributes.x.y?"},
		"a key_alais ~ x":                     {2, "did you mean key_alias?"},
		"key_alais contains x":                {0, "did you mean key_alias?"},
		"metadata = 1":                        {0, "a path must follow it"},
		"zzzzzzzzzz = 1":                      {0, "fields are status"},
		`model ~ "("`:                         {8, "the pattern is not valid: missing closing )"},
		"model ~ " + `"(?P<a>x)"`:             {8, "must not name groups"},
		`model ~ "(\\pL{500}){2}"`:            {8, "too large"},
		"model ~ " + strings.Repeat("a", 501): {8, "longer than 500"},
		"cost ~ 1":                            {5, "cost takes"},
		"text = x":                            {5, "text takes contains"},
		"text contains":                       {13, "expected a value"},
		`input contains " "`:                  {15, "empty"},
		"start > -1y":                         {8, "not a time"},
		"start > now-":                        {8, "not a time"},
		"start > -9999999d":                   {8, "not a time"},
		"~ x":                                 {0, "expected a term"},
		"a and":                               {5, "ends where a term"},
		"(a or b":                             {7, `expected ")"`},
		"a )":                                 {2, `unexpected ")"`},
		`user = "x`:                           {7, "not closed"},
		"duration > soon":                     {11, "not a duration"},
		"tokens > 1.5":                        {9, "not a whole number"},
		"cost > much":                         {7, "not an amount"},
		"cost > 1e300":                        {7, "not an amount"},
		"start > yesterday":                   {8, "not a time"},
		"stream = maybe":                      {9, "not true or false"},
		"user > a":                            {5, "user takes"},
		"cost like x":                         {5, "cost takes"},
		"user in a":                           {8, "expected \"(\""},
		"user not in (a b)":                   {15, `expected ","`},
		"user in ()":                          {9, "expected a value"},
		"metadata exists":                     {0, `unknown field "metadata"`},
		"metadata.a > x":                      {13, "not a number"},
		"!a":                                  {0, "alone"},
		`"x" = y`:                             {0, "a field must stand before"},
		`""`:                                  {0, "empty"},
		"and":                                 {0, "expected a term"},
		"or a":                                {0, "expected a term"},
		"\xff":                                {0, "UTF-8"},
		"name = a\x00b":                       {8, "NUL"},
		strings.Repeat("(", 60):               {50, "nested"},
	} {
		_, err := Parse(in)
		var p *ParseError
		var f *fault.Error
		if !errors.As(err, &p) || !errors.As(err, &f) || f.Kind != fault.Invalid || f.Field != "filter" {
			t.Errorf("%q: error %v", in, err)
			continue
		}
		if p.Pos != want.pos || !strings.Contains(p.Msg, want.msg) {
			t.Errorf("%q: %v, want position %d: …%s…", in, p, want.pos, want.msg)
		}
	}
	for _, long := range []string{strings.Repeat("a", MaxFilter+1), strings.Repeat("a ", maxTokens+1)} {
		if _, err := Parse(long); err == nil {
			t.Errorf("a filter of %d bytes is taken", len(long))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"status = error and (duration > 2s or cost >= 0.05)", `metadata.a.b not in (x, "y z") tag like '%a_'`, "`metadata.a b` exists", "start > 2026-01-01 user:x", "not not a",
		`model ~ "^a.*\\d$" and attributes.` + "`x y`" + ` !~ b`, `input contains "x" or not output not contains y`, "start > -1h score.q >= 0.5 user not exists", `text:"a b"`,
	} {
		f.Add(s)
	}
	sp := &span.Span{Start: time.Unix(0, 0), Group: "m", Tags: []string{"x"}, Metadata: []byte(`{"a":{"b":"c"}}`)}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil || e == nil {
			return
		}
		again, err := Parse(e.String())
		if err != nil {
			if len(e.String()) > MaxFilter || strings.Contains(err.Error(), "nested") || strings.Contains(err.Error(), "more than") {
				return // printing adds quotes and parentheses
			}
			t.Fatalf("%q prints as %q, which is refused: %v", s, e, err)
		}
		if again.String() != e.String() || Match(again, sp) != Match(e, sp) || May(again, sp) != May(e, sp) || Match(e, sp) && !May(e, sp) {
			t.Fatalf("%q: %s became %s", s, e, again)
		}
	})
}

func TestMatch(t *testing.T) {
	sp := &span.Span{
		Status: span.Error, Group: "claude", User: "Ada", Tags: []string{"prod", "eu"}, HTTP: 429, Metadata: []byte(`{"team":{"name":"x","size":12},"on":true}`),
		Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), End: time.Date(2026, 3, 1, 12, 0, 2, 0, time.UTC),
	}
	sp.Attributes, sp.Scores, sp.Input.Preview = []byte(`{"http.route":"/a/{id}","n":3}`), []span.Mark{{Name: "q", Value: 0.5, Text: "0.5"}, {Name: "ok", Value: 1, Text: "true"}}, "Fix the Parser"
	for filter, want := range map[string]bool{
		"attributes.http.route ~ ^/a": true, "attributes.n >= 3": true, "attributes.n > 3": false, "score.q = 0.50": true, "score.q = .5 score.ok = true": true, "score.ok > 0": false,
		"model contains LAU": true, "model not contains lau": false, "model ~ A": false, `model ~ "(?i)A"`: true, "tag !~ ^e": false, "root = true": true, "covered = true": false,
		"source = gateway": true, "parser": true, "input contains PARSER": true, "output contains parser": false, "output not contains parser": true, "start < now": true, "start > -1h": false,
		"": true, "status = error": true, "user = ada": false, "user ilike ADA": true, "email = x": false, "email != x": true, "email exists": false,
		"tag = eu": true, "tag != eu": false, "tag not in (us)": true, "duration >= 2s": true, "duration > 2s": false, "ttft < 1s": false, "ttft != 1s": true,
		"metadata.team.size > 9": true, "metadata.team.size = 12": true, "metadata.on = true": true, "metadata.off != true": true, "CLAU": true, "429": false,
		"model like c%e": true, "model like c%x": false, "model like _laude": true, "model like %": true, "start < 2026-03-01T12:00:01Z": true, "http in (429)": true,
	} {
		e, err := Parse(filter)
		if err != nil {
			t.Fatal(err)
		}
		if Match(e, sp) != want {
			t.Errorf("%s: %v", filter, !want)
		}
	}
}

func TestFlattenIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"long":"` + strings.Repeat("é", 150) + `","deep":` + strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20))
	for range 100 {
		b.WriteString(`,"k` + strings.Repeat("x", b.Len()%7) + time.Duration(b.Len()).String() + `":1`)
	}
	got := flattened([]byte(b.String()+"}"), maxEntries, 200)
	if i := slices.IndexFunc(got, func(p Pair) bool { return p.Path == "long" }); len(got) != maxEntries || i < 0 || len(got[i].Value) != 200 {
		t.Errorf("%d entries: %v", len(got), got)
	}
	for _, none := range []string{`{"a":`, `"x"`, ""} {
		if got := flattened([]byte(none), maxEntries, 200); len(got) != 0 {
			t.Errorf("%q has entries %v", none, got)
		}
	}
}

func TestFlattenCopies(t *testing.T) {
	object := []byte(`{"a":{"b":["x",true]},"a.b.1":"again","e":"\u00e9","cut":"` + strings.Repeat(`\u6c34`, 40) + `"}`)
	got := flattened(object, maxEntries, 10)
	for i := range object {
		object[i] = '#'
	}
	want := []Pair{{"a.b.0", "x"}, {"a.b.1", "again"}, {"e", "é"}, {"cut", "水水水"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What only bodies can tell may be, and is asked for no more than it must.
func TestMay(t *testing.T) {
	sp := &span.Span{Status: span.Error, Group: "claude"}
	for filter, want := range map[string]bool{
		"text contains x": true, "not text contains x": true, "status = ok text contains x": false, "status = ok or text contains x": true, "status = error or text contains x": true,
		"not (status = error or text contains x)": false, "x": true, "not claude": false, "status = ok": false,
	} {
		e, err := Parse(filter)
		if err != nil {
			t.Fatal(err)
		}
		if May(e, sp) != want {
			t.Errorf("%s: %v", filter, !want)
		}
	}
}

func TestShape(t *testing.T) {
	for message, want := range map[string]string{
		"":                     "",
		"boom":                 "boom",
		"took 3.5 s, limit 10": "took <n> s, limit <n>",
		"took 17 s, limit 9":   "took <n> s, limit <n>",
		`model "gpt-4o" not found at https://api.example.com/v1/chat?x=1`:       "model <text> not found at <url>",
		"can't open '/tmp/a b' and it's gone":                                   "can't open <text> and it's gone",
		"request 6f9619ff-8b86-d011-b42d-00c04fc964ff failed":                   "request <id> failed",
		"trace 4bf92f3577b34da6a3ce929d0e0e4736 (req_011CSHoEeqs5C35K2UUqR7Fy)": "trace <id> (<id>)",
		"open /var/lib/data/x.db: no such file":                                 "open <path>: no such file",
		"dial tcp 192.0.2.7:443: connection refused":                            "dial tcp <ip>: connection refused",
		"deadbeef is a word, decade too":                                        "deadbeef is a word, decade too",
		"line 1\n\n  line 2":                                                    "line <n> line <n>",
	} {
		if got := Shape(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
	long := strings.Repeat("é", 5000)
	if got := Shape(long); len(got) > maxShape || !strings.HasPrefix(got, "é") {
		t.Errorf("%d bytes", len(got))
	}
	if a, b := ShapeOf(&span.Span{ErrorText: "took 3 s"}), ShapeOf(&span.Span{ErrorText: "took 44 s"}); a != b || len(a) != 12 {
		t.Errorf("%q %q", a, b)
	}
	if ShapeOf(&span.Span{}) != "" {
		t.Error("no error has a shape")
	}
}

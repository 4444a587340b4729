package mapping

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
)

// Fixtures are what real SDKs exported (test/otel/capture.sh makes them). Beside each stands what became of it; -update
// rewrites those.
var update = flag.Bool("update", false, "rewrite golden files")

type golden struct {
	Span   any          `json:"span"`
	Input  jsonx.Raw    `json:"input"`
	Output jsonx.Raw    `json:"output"`
	View   Conversation `json:"view"`
}

func fixtures(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(all) == 0 {
		t.Fatal("no fixtures", err)
	}
	var out []string
	for _, f := range all {
		if !strings.HasSuffix(f, ".golden.json") {
			out = append(out, f)
		}
	}
	return out
}

func TestFixtures(t *testing.T) {
	for _, path := range fixtures(t) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(path, "testdata/"), ".json"), func(t *testing.T) {
			var got []golden
			for _, r := range rawsOf(t, path) {
				m := Map(r)
				checkRestored(t, r, m)
				got = append(got, golden{Span: m.Span, Input: m.Input, Output: m.Output, View: View(m.Span, m.Input, m.Output)})
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(got); err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(path, ".json")+".golden.json", b.Bytes())
		})
	}
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and look at the difference", path)
	}
}

// checkRestored makes sure that no attribute is lost, changed, or stored twice.
func checkRestored(t *testing.T, r *Raw, m Mapped) {
	t.Helper()
	if m.Input != nil && !jsonx.Valid(m.Input) || m.Output != nil && !jsonx.Valid(m.Output) || m.Span.Attributes != nil && !jsonx.Valid(m.Span.Attributes) {
		t.Fatalf("%s: not JSON:\n%s\n%s\n%s", r.Name, m.Input, m.Output, m.Span.Attributes)
	}
	restored := Restore(m.Span.Attributes, m.Input, m.Output)
	if restored != nil && !jsonx.Valid(restored) {
		t.Fatalf("%s: restored %s", r.Name, restored)
	}
	back := map[string]jsonx.Raw{}
	gjson.ParseBytes(restored).ForEach(func(k, v gjson.Result) bool {
		back[k.Str] = jsonx.Raw(v.Raw)
		return true
	})
	for _, a := range r.Attributes {
		want := string(appendValue(nil, a.Value, 0))
		got, ok := back[a.Key]
		if !ok {
			t.Errorf("%s: %s is lost", r.Name, a.Key)
		} else if string(got) != want && !sameJSON(string(got), want) {
			t.Errorf("%s: %s was\n%s\nand is\n%s", r.Name, a.Key, want, got)
		}
		delete(back, a.Key)
	}
	for k := range back {
		t.Errorf("%s: %s is new", r.Name, k)
	}
	for i := range r.Events {
		checkEvent(t, &r.Events[i], Restore(m.Span.Events[i].Attributes, m.Input, m.Output))
	}
}

func checkEvent(t *testing.T, e *Event, got jsonx.Raw) {
	t.Helper()
	if got != nil && !jsonx.Valid(got) {
		t.Fatalf("event %s: %s", e.Name, got)
	}
	if gjson.GetBytes(got, "as").Str == asEvents { // all of it is a message
		return
	}
	all := e.Attributes
	if e.Body != nil {
		all = append(slices.Clone(all), Attribute{"body", e.Body})
	}
	for _, a := range all {
		want := string(appendValue(nil, a.Value, 0))
		if v := gjson.GetBytes(got, gjson.Escape(a.Key)).Raw; v != want && !sameJSON(v, want) {
			t.Errorf("event %s: %s was\n%s\nand is\n%s", e.Name, a.Key, want, v)
		}
	}
}

// sameJSON forgives how text is escaped.
func sameJSON(a, b string) bool {
	x, y := gjson.Parse(a), gjson.Parse(b)
	return x.Type == gjson.String && x.Type == y.Type && x.Str == y.Str
}

// rawsOf reads an export in OTLP's JSON.
func rawsOf(t testing.TB, path string) []*Raw {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*Raw
	gjson.GetBytes(b, "resourceSpans").ForEach(func(_, rs gjson.Result) bool {
		resource := attributesOf(rs.Get("resource.attributes"))
		rs.Get("scopeSpans").ForEach(func(_, ss gjson.Result) bool {
			ss.Get("spans").ForEach(func(_, s gjson.Result) bool {
				r := rawOf(s)
				r.Resource, r.Scope, r.ScopeVersion = resource, ss.Get("scope.name").Str, ss.Get("scope.version").Str
				out = append(out, r)
				return true
			})
			return true
		})
		return true
	})
	gjson.GetBytes(b, "resourceLogs.#.scopeLogs.#.logRecords|@flatten|@flatten").ForEach(func(_, l gjson.Result) bool {
		for _, r := range out {
			if r.ID == l.Get("spanId").Str {
				r.Events = append(r.Events, Event{
					Name: l.Get("eventName").Str, Time: nanos(l.Get("observedTimeUnixNano")), Attributes: attributesOf(l.Get("attributes")), Body: anyOf(l.Get("body")),
				})
			}
		}
		return true
	})
	return out
}

func rawOf(s gjson.Result) *Raw {
	r := &Raw{
		Trace: s.Get("traceId").Str, ID: s.Get("spanId").Str, Parent: s.Get("parentSpanId").Str, Name: s.Get("name").Str,
		Start: nanos(s.Get("startTimeUnixNano")), End: nanos(s.Get("endTimeUnixNano")),
		Failed:     s.Get("status.code").Str == "STATUS_CODE_ERROR" || s.Get("status.code").Int() == 2,
		StatusText: s.Get("status.message").Str, Attributes: attributesOf(s.Get("attributes")),
	}
	s.Get("events").ForEach(func(_, e gjson.Result) bool {
		r.Events = append(r.Events, Event{Name: e.Get("name").Str, Time: nanos(e.Get("timeUnixNano")), Attributes: attributesOf(e.Get("attributes"))})
		return true
	})
	return r
}

func nanos(v gjson.Result) time.Time {
	n, err := strconv.ParseInt(v.String(), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func attributesOf(list gjson.Result) (out []Attribute) {
	list.ForEach(func(_, a gjson.Result) bool {
		out = append(out, Attribute{a.Get("key").Str, anyOf(a.Get("value"))})
		return true
	})
	return out
}

func anyOf(v gjson.Result) (out any) {
	v.ForEach(func(k, e gjson.Result) bool {
		switch k.Str {
		case "stringValue":
			out = e.Str
		case "boolValue":
			out = e.Bool()
		case "intValue":
			out = int64(e.Int())
		case "doubleValue":
			out = e.Float()
		case "bytesValue":
			out, _ = base64.StdEncoding.DecodeString(e.Str)
		case "arrayValue":
			list := []any{}
			e.Get("values").ForEach(func(_, e gjson.Result) bool { list = append(list, anyOf(e)); return true })
			out = list
		case "kvlistValue":
			m := map[string]any{}
			for _, a := range attributesOf(e.Get("values")) {
				m[a.Key] = a.Value
			}
			out = m
		}
		return false
	})
	return out
}

package record

import (
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
)

var update = flag.Bool("update", false, "write the golden records anew")

// key are the fields that a record's key tells; First is not stored.
var key = map[string]bool{"Project": true, "Day": true, "Trace": true, "ID": true, "First": true}

// filled is a span with something in each field, at all depths.
func filled() *span.Span {
	s, n := new(span.Span), 0
	fill(reflect.ValueOf(s).Elem(), &n)
	s.First, s.End = false, s.Start.Add(90*time.Second+123)
	s.Parent = "00f067aa0ba902b7"
	return s
}

func fill(v reflect.Value, n *int) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 3, 1, 12, 0, *n, 123456789, time.UTC)
		return
	case *jsonx.Raw:
		*x = jsonx.MustMarshal(map[string]int{"値 " + v.Type().Name(): *n})
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("é", *n%3) + strconv.Itoa(*n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) * 1e6 * int64(1-*n%2*2)) // some below zero
	case reflect.Uint32:
		v.SetUint(uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 251))
	case reflect.Float64:
		v.SetFloat(float64(*n) + .25)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("a span has a field of a kind that this test cannot fill: " + v.Type().String())
	}
}

func mustAppend(t testing.TB, s *span.Span) []byte {
	t.Helper()
	b, err := Append(nil, s, Excerpts{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read decodes a record behind the key of want.
func read(t testing.TB, v []byte, want *span.Span) *span.Span {
	t.Helper()
	got := &span.Span{Project: want.Project, Day: want.Day, Trace: want.Trace, ID: want.ID}
	if _, err := Decode(bytes.Clone(v), got); err != nil {
		t.Fatal(err)
	}
	return got
}

func wantSame(t testing.TB, want *span.Span) {
	t.Helper()
	if diff := cmp.Diff(want, read(t, mustAppend(t, want), want)); diff != "" {
		t.Errorf("a span came back changed (-want +got):\n%s", diff)
	}
}

func TestEveryFieldSurvives(t *testing.T) {
	s := filled()
	wantSame(t, s)
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		one := new(span.Span) // also alone, so that no field leans on another
		reflect.ValueOf(one).Elem().Field(i).Set(v.Field(i))
		wantSame(t, one)
		if v.Field(i).IsZero() && !key[f.Name] {
			t.Errorf("the test does not fill %s", f.Name)
		}
		if same := bytes.Equal(mustAppend(t, one), mustAppend(t, new(span.Span))); same != key[f.Name] {
			t.Errorf("%s: in the record: %v", f.Name, !same)
		}
	}
}

func TestTimesSurvive(t *testing.T) {
	start := time.Date(2026, 3, 1, 23, 59, 59, 999999999, time.UTC)
	for name, s := range map[string]*span.Span{
		"no end":             {Start: start},
		"only an end":        {End: start},
		"at once":            {Start: start, End: start},
		"backwards":          {Start: start, End: start.Add(-time.Hour)},
		"further than spans": {Start: time.Date(1, 2, 3, 4, 5, 6, 7, time.UTC), End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"before 1970":        {Start: time.Date(1969, 1, 1, 0, 0, 0, 5, time.UTC), End: time.Date(1969, 1, 1, 0, 0, 0, 6, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, s) })
	}
	zone := &span.Span{Start: start.In(time.FixedZone("", 3600))}
	if got := read(t, mustAppend(t, zone), zone); got.Start != start {
		t.Errorf("another zone: %v", got.Start)
	}
	now := &span.Span{Start: time.Now()}
	now.End = now.Start.Add(time.Second)
	if got := read(t, mustAppend(t, now), now); !got.Start.Equal(now.Start) || got.Duration() != time.Second {
		t.Errorf("the clock's own time: %v", got)
	}
}

func TestOddTexts(t *testing.T) {
	for name, s := range map[string]*span.Span{
		"ids that are no hex":       {Parent: "Ü-parent"},
		"ids in upper case":         {Parent: "00F067AA0BA902B7"},
		"long ids":                  {Parent: "4bf92f3577b34da6a3ce929d0e0e4736"},
		"an empty tag":              {Tags: []string{"", "a"}},
		"a long preview":            {Input: span.Ref{Form: span.FormRaw, Preview: strings.Repeat("長い", 70)}},
		"a large record":            {ErrorBody: strings.Repeat("x", 60<<10), Attributes: jsonx.Raw(`{"a":"` + strings.Repeat("y", 1<<20) + `"}`)},
		"numbers at their ends":     {FirstToken: math.MaxInt64, HTTP: math.MinInt64, Usage: llm.Usage{Input: math.MinInt64, Estimated: true}, Cost: span.Cost{Total: math.MaxInt64}},
		"JSON that is no object":    {Params: jsonx.Raw(`null`), Metadata: jsonx.Raw(`[1, 2]`)},
		"a mark below zero":         {Scores: []span.Mark{{Name: "n", Value: -.5, Text: "-0.5"}}},
		"an event without anything": {Events: []span.Moment{{}}, Links: []span.Link{{}}, Tries: []span.Try{{}}},
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, s) })
	}
	bad := &span.Span{Name: "a\xffb", Tags: []string{"\xff"}, Input: span.Ref{Preview: "\xff"}}
	got := read(t, mustAppend(t, bad), bad)
	if got.Name != "a\uFFFDb" || got.Tags[0] != "\uFFFD" || got.Input.Preview != "\uFFFD" {
		t.Errorf("texts that are not UTF-8: %+v", got)
	}
}

func TestRefusesWhatIsNoJSON(t *testing.T) {
	for name, s := range map[string]*span.Span{
		"attributes": {Attributes: jsonx.Raw(`{"a"`)},
		"metadata":   {Metadata: jsonx.Raw("\"\xff\"")},
		"an event":   {Events: []span.Moment{{Attributes: jsonx.Raw(`x`)}}},
		"a link":     {Links: []span.Link{{Attributes: jsonx.Raw(`{}}`)}}},
	} {
		if _, err := Append(nil, s, Excerpts{}); !errors.Is(err, errInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lines := &span.Span{Params: jsonx.Raw("{\n\t\"a\": \"b c\"\n}")}
	if got := read(t, mustAppend(t, lines), lines); string(got.Params) != `{"a":"b c"}` {
		t.Errorf("JSON over lines: %s", got.Params)
	}
}

// A field that a newer program has added is passed over, at each depth.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	want := filled()
	b := mustAppend(t, want)
	b = appendInt(appendPacked(b, 900, "new"), 901, -7)
	b, at := begin(b, fieldUsage)
	b = end(appendInt(appendPacked(b, 70, "new"), 71, 5), at)
	if diff := cmp.Diff(want, read(t, b, want)); diff != "" {
		t.Error(diff)
	}
}

func TestExcerpts(t *testing.T) {
	whole := filled()
	for _, ex := range []Excerpts{
		{Input: Excerpt{Own: true, N: 1 << 40, At: 12, Size: 140}},
		{Output: Excerpt{Session: 0xdeadbeef, N: 7, Size: 1, Escaped: true}},
		{Input: Excerpt{Session: 0, At: 1<<31 - 1, Size: 9}, Output: Excerpt{Own: true, Size: 3}},
	} {
		v, err := Append(nil, whole, ex)
		if err != nil {
			t.Fatal(err)
		}
		want, got := *whole, span.Span{Project: whole.Project, Day: whole.Day, Trace: whole.Trace, ID: whole.ID}
		if ex.Input.Size > 0 {
			want.Input.Preview = ""
		}
		if ex.Output.Size > 0 {
			want.Output.Preview = ""
		}
		back, err := Decode(v, &got)
		if err != nil || back != ex {
			t.Errorf("excerpts %+v came back as %+v (%v)", ex, back, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// What was stored stays readable: the same span in the first form, JSON, and in version 1. Both files
// were written once; a change that they do not survive needs another version.
func TestGolden(t *testing.T) {
	if *update {
		for name, v := range map[string][]byte{"v1.bin": mustAppend(t, filled()), "v0.json": jsonx.MustMarshal(filled())} {
			if err := os.WriteFile(filepath.Join("testdata", name), v, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden := func(name string, want *span.Span) *span.Span {
		v, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return read(t, v, want)
	}
	want := golden("v0.json", new(span.Span))
	if want.Events[1].Attributes == nil || want.Output.Preview == "" {
		t.Fatal("the golden record is not whole")
	}
	if diff := cmp.Diff(want, golden("v1.bin", want)); diff != "" {
		t.Errorf("a stored record reads differently (-want +got):\n%s", diff)
	}
}

func TestDamagedRecords(t *testing.T) {
	whole := mustAppend(t, filled())
	for name, v := range map[string][]byte{"empty": {}, "another version": {9}, "no JSON": []byte("{")} {
		if _, err := Decode(v, new(span.Span)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	for n := range whole {
		_, _ = Decode(bytes.Clone(whole[:n]), new(span.Span)) // must not panic
	}
	for _, v := range [][]byte{{version, 0xff}, {version, fieldStart<<1 | packed, 9, 1}, {version, fieldParent<<1 | packed, 1, 0}, {version, fieldInput<<1 | packed, 3, 5<<1 | packed, 1, 0}} {
		if _, err := Decode(v, new(span.Span)); !errors.Is(err, errDamaged) {
			t.Errorf("%x: %v", v, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(mustAppend(f, filled()))
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, v []byte) {
		if len(v) > 0 && v[0] == legacyJSON {
			return
		}
		var s, again span.Span
		ex, err := Decode(bytes.Clone(v), &s)
		if err != nil {
			return
		}
		b, err := Append(nil, &s, ex)
		if err != nil {
			return // JSON that is none
		}
		if _, err := Decode(b, &again); err != nil {
			t.Fatal(err)
		}
	})
}

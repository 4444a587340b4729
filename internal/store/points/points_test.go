package points

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func point(name string, at time.Time, v float64) ingest.Point {
	return ingest.Point{Name: name, Kind: "gauge", Time: at, Value: v, Attributes: []byte(`{"a":1}`)}
}

func TestKeepsPoints(t *testing.T) {
	clock := noon
	dir := t.TempDir()
	s := Open(dir, Options{Now: func() time.Time { return clock }, Days: 2})
	const p, other = "p/../x", "y"
	put := func(points ...ingest.Point) {
		t.Helper()
		if err := s.AddPoints(t.Context(), p, points); err != nil {
			t.Fatal(err)
		}
	}
	get := func(project string, q ingest.PointQuery) ([]ingest.Point, []ingest.Series, bool) {
		t.Helper()
		s := Open(dir, Options{})
		points, series, truncated, err := s.Points(t.Context(), "p/../x", q)
		if project == other {
			points, series, truncated, err = s.Points(t.Context(), other, q)
		}
		if err != nil {
			t.Fatal(err)
		}
		return points, series, truncated
	}
	put(point("a", noon, 1), point("b", noon, 2), point("a", noon.Add(time.Minute), 3))
	points, series, truncated := get(p, ingest.PointQuery{Name: "a", Limit: 10})
	if len(points) != 2 || points[1].Value != 3 || string(points[0].Attributes) != `{"a":1}` || len(series) != 2 || series[0].Points != 2 || truncated {
		t.Fatalf("%+v %+v", points, series)
	}
	if points, _, _ := get(p, ingest.PointQuery{Name: "a", Limit: 10, From: noon.Add(time.Second), To: noon.Add(time.Hour)}); len(points) != 1 {
		t.Fatalf("of the hour: %+v", points)
	}
	if _, _, truncated := get(p, ingest.PointQuery{Name: "a", Limit: 1}); !truncated {
		t.Fatal("a limit tells that it left some out")
	}
	if points, series, _ := get(other, ingest.PointQuery{Name: "a", Limit: 10}); len(points)+len(series) != 0 {
		t.Fatal("projects are apart")
	}
	file := filepath.Join(s.of(p), fileOf(span.DayOf(noon)))
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"name":"a","va`)
	_ = f.Close()
	put(point("a", noon, 4))
	if points, _, _ := get(p, ingest.PointQuery{Name: "a", Limit: 10}); len(points) != 3 || points[2].Value != 4 {
		t.Fatalf("after a torn line: %+v", points)
	}
	clock = clock.Add(72 * time.Hour)
	put(point("a", clock, 5))
	if points, _, _ := get(p, ingest.PointQuery{Name: "a", Limit: 10}); len(points) != 1 || points[0].Value != 5 {
		t.Fatalf("after three days: %+v", points)
	}
}

func TestADayIsBounded(t *testing.T) {
	s := Open(t.TempDir(), Options{DayBytes: 200, Now: func() time.Time { return noon }})
	if err := s.AddPoints(t.Context(), "p", []ingest.Point{point("a", noon, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPoints(t.Context(), "p", []ingest.Point{point("a", noon, 1), point("a", noon, 1)}); !fault.Is(err, fault.RateLimited) {
		t.Fatalf("a full day: %v", err)
	}
}

func TestErasesPoints(t *testing.T) {
	clock := noon
	s := Open(t.TempDir(), Options{Now: func() time.Time { return clock }})
	named := func(attributes, resource string) ingest.Point {
		p := point("a", noon, 1)
		p.Attributes, p.Resource = jsonx.Raw(attributes), jsonx.Raw(resource)
		return p
	}
	const gone = `{"user.id":"ann"}`
	add := func(p tenant.ProjectID, points ...ingest.Point) {
		t.Helper()
		if err := s.AddPoints(t.Context(), p, points); err != nil {
			t.Fatal(err)
		}
	}
	add("p", named(gone, ""), named(`{"user.id":"anna","n":1}`, ""), named("", `{"deep":[{"x":"\u0061nn"}]}`), named(`{"ann":"key"}`, ""))
	add("other", named(gone, ""))
	clock = clock.Add(24 * time.Hour)
	add("p", named(`{"n":2}`, ""))
	before, err := os.Stat(filepath.Join(s.of("p"), fileOf(span.DayOf(clock))))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{2, 0} {
		if n, err := s.ErasePoints(t.Context(), "p", "ann"); err != nil || n != want {
			t.Errorf("%d erased, want %d (%v)", n, want, err)
		}
	}
	if after, err := os.Stat(filepath.Join(s.of("p"), fileOf(span.DayOf(clock)))); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file without such points was written anew (%v)", err)
	}
	if text, err := os.ReadFile(filepath.Join(s.of("p"), fileOf(span.DayOf(noon)))); err != nil || bytes.Contains(text, []byte(`"ann"}`)) {
		t.Errorf("left: %s (%v)", text, err)
	}
	add("p", named(`{"n":3}`, ""))
	for p, want := range map[tenant.ProjectID]int{"p": 4, "other": 1, "none": 0} {
		if got, _, _, err := s.Points(t.Context(), p, ingest.PointQuery{Name: "a", Limit: 10}); err != nil || len(got) != want {
			t.Errorf("%s: %d left, want %d (%v)", p, len(got), want, err)
		}
	}
	if n, err := s.ErasePoints(t.Context(), "none", "ann"); n != 0 || err != nil {
		t.Errorf("of a project without points: %d %v", n, err)
	}
	left := filepath.Join(s.of("p"), fileOf(span.DayOf(clock))+making)
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(24 * time.Hour)
	add("p", named(`{"n":4}`, ""))
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what a crash left half-made is there (%v)", err)
	}
}

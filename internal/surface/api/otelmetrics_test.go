package api

import (
	"context"
	"testing"

	"weir/internal/ingest"
	pointstore "weir/internal/store/points"
	"weir/internal/tenant"
)

func TestOTelMetrics(t *testing.T) {
	s := newServer(t)
	if res := s.send("sk-member", "GET", "/otel/metrics", "", nil); res.StatusCode != 404 {
		t.Fatalf("nothing is kept: %d", res.StatusCode)
	}
	kept := pointstore.Open(t.TempDir(), pointstore.Options{})
	s.surface.Metrics = kept
	put := func(p tenant.ProjectID, name string, v float64) {
		t.Helper()
		if err := kept.AddPoints(context.Background(), p, []ingest.Point{{Name: name, Kind: "gauge", Time: now, Value: v}}); err != nil {
			t.Fatal(err)
		}
	}
	put("one", "gen_ai.a", 1)
	put("one", "gen_ai.b", 2)
	put("two", "gen_ai.a", 3)
	var got OTelMetrics
	for _, token := range []string{"sk-member", "sk-viewer"} {
		if res := s.send(token, "GET", "/otel/metrics?name=gen_ai.a", "", &got); res.StatusCode != 200 || len(got.Series) != 2 || len(got.Points) != 1 || got.Points[0].Value != 1 {
			t.Fatalf("%s: %d %+v", token, res.StatusCode, got)
		}
	}
	if res := s.send("sk-other", "GET", "/otel/metrics?name=gen_ai.a", "", &got); res.StatusCode != 200 || len(got.Series) != 1 || got.Points[0].Value != 3 {
		t.Fatalf("another tenant: %d %+v", res.StatusCode, got)
	}
	for query, want := range map[string]int{
		"?from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z": 0, "?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z": 2, "": 2,
	} {
		if res := s.send("sk-member", "GET", "/otel/metrics"+query, "", &got); res.StatusCode != 200 || len(got.Series) != want || len(got.Points) != 0 {
			t.Errorf("%s: %d %+v", query, res.StatusCode, got)
		}
	}
	for _, bad := range []string{"?from=yesterday", "?limit=0", "?limit=1000000"} {
		if res := s.send("sk-member", "GET", "/otel/metrics"+bad, "", nil); res.StatusCode != 400 {
			t.Errorf("%s: %d", bad, res.StatusCode)
		}
	}
}

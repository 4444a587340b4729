package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/selftrace"
	"weir/internal/surface/api"
)

func TestMeter(t *testing.T) {
	var m meter
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		at   time.Duration
		n    int64
		want float64
	}{
		{time.Second, 50, 0},                           // too short to tell
		{10 * time.Second, 100, 10},                    // since the start
		{11 * time.Second, 500, 10},                    // too soon: as before
		{20 * time.Second, 300, 20},                    // since the last
		{30 * time.Second, 300, 0},                     // nothing came
		{30*time.Second + time.Millisecond, 301, 0},    // too soon
		{40 * time.Second, 400, 10},                    // the one of before counts
		{40*time.Second + 2*time.Second + 1, 400, 0.0}, // nothing again
	} {
		if got := m.perSecond(c.n, start.Add(c.at), start); got != c.want {
			t.Errorf("after %v with %d: %g a second, want %g", c.at, c.n, got, c.want)
		}
	}
}

// What Weir tells of itself: metrics, the state of the system, and spans of its own, which a replayed call makes like
// any other.
func TestOwnTelemetry(t *testing.T) {
	var exports, marked atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		exports.Add(1)
		if r.Header.Get(selftrace.Marker) != "" {
			marked.Add(1)
		}
	}))
	defer receiver.Close()
	r := start(t, t.TempDir(), "telemetry: {endpoint: '"+receiver.URL+"'}\n"+oneModel("m", fake(t)))
	_, header, _ := r.chat(t, "m")
	trace := header.Get("X-Weir-Trace-Id")
	status, _, body := r.do(t, http.MethodPost, "/api/v1/replay", `{"trace":"`+trace+`","unchanged":true}`)
	var again api.Replayed
	if err := json.Unmarshal([]byte(body), &again); err != nil || status != http.StatusOK || again.Status != "ok" || !strings.HasPrefix(again.Replays, trace) {
		t.Fatalf("replay: %d %s", status, body)
	}
	var diff api.TraceDiff
	_, _, body = r.do(t, http.MethodGet, strings.ReplaceAll(again.DiffURL, "%2F", "/"), "")
	if err := json.Unmarshal([]byte(body), &diff); err != nil || diff.Counts["same"] != 1 {
		t.Errorf("a call and its unchanged replay differ: %s", body)
	}
	if err := r.query.indexer.Wait(t.Context(), r.stores.truth.Committed()); err != nil {
		t.Fatal(err)
	}
	_, _, metrics := r.do(t, http.MethodGet, "/metrics", "")
	for _, want := range []string{"weir_recorded_calls_total 2", "weir_index_lag ", "weir_fulltext_lag ", `weir_store_bytes{store="truth"}`, `weir_truth_bytes{part="bodies"}`, `weir_errors_total{component="edge"} 0`, "weir_ingest_accepted_spans_total 0", "weir_alert_evaluations_total 0", "weir_export_runs_total 0", `route="POST /api/v1/replay"`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%s is missing in the metrics", want)
		}
	}
	var system api.SystemState
	_, _, body = r.do(t, http.MethodGet, "/api/v1/system", "")
	if err := json.Unmarshal([]byte(body), &system); err != nil || system.Ingest.Calls != 2 || !system.Telemetry.Exporting || len(system.Errors) == 0 || system.Index.Rows != 2 {
		t.Errorf("system: %s", body)
	}
	r.tracer.Stop()
	if sent, failed := r.tracer.Stats(); sent < 6 || failed != 0 || exports.Load() == 0 || exports.Load() != marked.Load() {
		t.Errorf("%d spans sent, %d exports failed, %d of %d marked", sent, failed, marked.Load(), exports.Load())
	}
}

package selftrace

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is an OTLP receiver that keeps what it gets.
type collector struct {
	mu     sync.Mutex
	spans  []*tracepb.Span
	header http.Header
	fail   bool
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var in coltrace.ExportTraceServiceRequest
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = r.Header
	if err := proto.Unmarshal(b, &in); err != nil || c.fail || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, rs := range in.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			c.spans = append(c.spans, ss.Spans...)
		}
	}
}

func newTracer(t *testing.T, endpoint string, ratio float64) *Tracer {
	t.Helper()
	tr, err := New(t.Context(), Options{Endpoint: endpoint, Headers: map[string]string{"Authorization": "Bearer x"}, Ratio: ratio, Service: "weir", Log: slog.New(slog.DiscardHandler), Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Stop)
	return tr
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestRequestAndTries(t *testing.T) {
	var c collector
	receiver := httptest.NewServer(&c)
	defer receiver.Close()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			t.Error("the upstream is told the operator's trace")
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer upstream.Close()
	tr := newTracer(t, receiver.URL, 1)
	client := tr.Client(upstream.Client())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{what}", func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, upstream.URL+"/secret?key=sk-secret", nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
		}
		w.Header().Set("X-Weir-Trace-Id", "abc")
		w.WriteHeader(http.StatusBadGateway)
	})
	h := tr.Handler(mux)
	for _, mark := range []string{"", "1"} { // the second is an export: no spans of it
		r := httptest.NewRequest(http.MethodPost, "/v1/chat", nil)
		r.Header.Set("Traceparent", parent)
		if mark != "" {
			r.Header.Set(Marker, mark)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/health/readiness", nil))
	tr.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) != 3 || c.header.Get("Authorization") != "Bearer x" || c.header.Get(Marker) == "" {
		t.Fatalf("%d spans, headers %v", len(c.spans), c.header)
	}
	server := c.spans[2]
	if server.Name != "POST /v1/{what}" || hex(server.TraceId) != "0af7651916cd43dd8448eb211c80319c" || hex(server.ParentSpanId) != "b7ad6b7169203331" || server.Status.Code != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("server span %v", server)
	}
	for _, s := range c.spans[:2] {
		if hex(s.ParentSpanId) != hex(server.SpanId) || s.Kind != tracepb.Span_SPAN_KIND_CLIENT || strings.Contains(s.String(), "secret") {
			t.Errorf("try %v", s)
		}
	}
	if sent, failed := tr.Stats(); sent != 3 || failed != 0 {
		t.Errorf("sent %d, failed %d", sent, failed)
	}
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var out strings.Builder
	for _, x := range b {
		out.WriteByte(digits[x>>4])
		out.WriteByte(digits[x&15])
	}
	return out.String()
}

// The caller's decision wins over the ratio.
func TestSampling(t *testing.T) {
	var c collector
	receiver := httptest.NewServer(&c)
	defer receiver.Close()
	tr := newTracer(t, receiver.URL, 0)
	h := tr.Handler(http.NewServeMux())
	for _, p := range []string{"", parent, strings.TrimSuffix(parent, "01") + "00"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if p != "" {
			r.Header.Set("Traceparent", p)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	tr.Stop()
	if sent, _ := tr.Stats(); sent != 1 {
		t.Errorf("%d spans, expected the one its caller wants", sent)
	}
}

func TestReceiverAway(t *testing.T) {
	c := collector{fail: true}
	receiver := httptest.NewServer(&c)
	defer receiver.Close()
	tr := newTracer(t, receiver.URL+"/v1/traces", 1)
	tr.Handler(http.NewServeMux()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	tr.Stop()
	if sent, failed := tr.Stats(); sent != 0 || failed != 1 {
		t.Errorf("sent %d, failed %d", sent, failed)
	}
}

func TestNoTracer(t *testing.T) {
	var tr *Tracer
	client := &http.Client{}
	if tr.Client(client) != client {
		t.Error("the client is wrapped although nothing is traced")
	}
	tr.Stop()
	for _, bad := range []string{"", "collector:4318", "ftp://x"} {
		if _, err := New(t.Context(), Options{Endpoint: bad}); err == nil {
			t.Errorf("endpoint %q is accepted", bad)
		}
	}
}

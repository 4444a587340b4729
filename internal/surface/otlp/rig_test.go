package otlp

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

const project = tenant.DefaultProject

// door knows two keys.
type door struct{}

func (door) Authenticate(r *http.Request) (*tenant.Identity, error) {
	switch r.Header.Get("Authorization") {
	case "Bearer sk-good":
		return &tenant.Identity{Role: tenant.RoleMember, Project: project}, nil
	case "Bearer sk-reader":
		return &tenant.Identity{Role: tenant.RoleViewer, Project: project}, nil
	}
	return nil, fault.New(fault.Unauthenticated, "no such key")
}

// rig is a surface over a real store, behind a real server.
type rig struct {
	*Surface
	store  *pebble.Store
	taker  *ingest.Taker
	server *httptest.Server
}

func newRig(t testing.TB, change func(*Deps, *ingest.TakerOptions)) *rig {
	t.Helper()
	s, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d, o := Deps{}, ingest.TakerOptions{Store: s}
	if change != nil {
		change(&d, &o)
	}
	taker := ingest.NewTaker(o)
	if err := taker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(taker.Stop)
	if d.Intake == nil {
		d.Intake = taker
	}
	r := &rig{Surface: New(d), store: s, taker: taker}
	r.server = httptest.NewServer(edge.NewMux(edge.Deps{Auth: door{}, Log: r.Log}, r.Surface))
	t.Cleanup(func() { r.server.Close(); http.DefaultClient.CloseIdleConnections() })
	return r
}

// post sends a body and returns status, answer and headers.
func (r *rig) post(t testing.TB, path string, body []byte, header ...string) (int, []byte, http.Header) {
	t.Helper()
	rec := r.do(t, path, body, header...)
	return rec.Code, rec.Body.Bytes(), rec.Header()
}

func (r *rig) do(t testing.TB, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(string(body)))
	req.Header.Set("Authorization", "Bearer sk-good")
	req.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	edge.NewMux(edge.Deps{Auth: door{}, Log: r.Log}, r.Surface).ServeHTTP(w, req)
	return w
}

func (r *rig) span(t testing.TB, trace, id string) *span.Span {
	t.Helper()
	got, err := r.store.Spans(t.Context(), project, []span.Key{{Trace: trace, Span: id}})
	if err != nil || len(got) != 1 {
		t.Fatalf("span %s/%s: %d found, %v", trace, id, len(got), err)
	}
	return got[0]
}

func str(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func kv(k string, v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: k, Value: v} }

func num(n int64) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
}

func ids(trace, n int) (t, s []byte) {
	t, _ = hex.DecodeString(fmt.Sprintf("%032x", 1+trace))
	s, _ = hex.DecodeString(fmt.Sprintf("%016x", 1+n))
	return t, s
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// chat is a span of a model call as GenAI conventions have it.
func chat(trace, n int, extra ...*common.KeyValue) *tracepb.Span {
	t, s := ids(trace, n)
	at := uint64(start.Add(time.Duration(n) * time.Second).UnixNano())
	return &tracepb.Span{
		TraceId: t, SpanId: s, Name: "chat gpt-4o", Kind: tracepb.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: at, EndTimeUnixNano: at + 5e8,
		Attributes: append([]*common.KeyValue{
			kv("gen_ai.operation.name", str("chat")), kv("gen_ai.system", str("openai")), kv("gen_ai.request.model", str("gpt-4o")),
			kv("gen_ai.response.model", str("gpt-4o-2024-08-06")), kv("gen_ai.usage.input_tokens", num(120)), kv("gen_ai.usage.output_tokens", num(40)),
		}, extra...),
	}
}

func request(spans ...*tracepb.Span) *coltrace.ExportTraceServiceRequest {
	return &coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resource.Resource{Attributes: []*common.KeyValue{kv("service.name", str("shop")), kv("deployment.environment.name", str("test"))}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "example", Version: "1.2"}, Spans: spans}},
	}}}
}

func logRequest(records ...*logspb.LogRecord) *collogs.ExportLogsServiceRequest {
	return &collogs.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: records}}}}}
}

func metricRequest(metrics ...*metricspb.Metric) *colmetrics.ExportMetricsServiceRequest {
	return &colmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: metrics}}}}}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

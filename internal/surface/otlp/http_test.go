package otlp

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/span"
	"weir/internal/tenant"
)

const traceA = "00000000000000000000000000000001"

func spanID(n int) string { return fmt.Sprintf("%016x", n+1) }

func packed(t *testing.T, encoding string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "zstd":
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	default:
		return b
	}
	_, err := w.Write(b)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hexIDs is protojson with ids as OTLP's JSON has them.
func hexIDs(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for tr := range 4 {
		for n := range 4 {
			ti, si := ids(tr, n)
			s = strings.ReplaceAll(s, `"`+base64.StdEncoding.EncodeToString(ti)+`"`, `"`+fmt.Sprintf("%x", ti)+`"`)
			s = strings.ReplaceAll(s, `"`+base64.StdEncoding.EncodeToString(si)+`"`, `"`+fmt.Sprintf("%X", si)+`"`)
		}
	}
	return []byte(s)
}

func TestTracesOverHTTP(t *testing.T) {
	for _, path := range []string{"/v1/traces", "/api/public/otel/v1/traces", "/otel/v1/traces"} {
		for _, encoding := range []string{"", "gzip", "zstd", "deflate"} {
			for _, asJSON := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s json=%v", path, encoding, asJSON), func(t *testing.T) {
					r := newRig(t, nil)
					m := request(chat(0, 0), chat(0, 1))
					body, media := marshal(t, m), "application/x-protobuf"
					if asJSON {
						body, media = hexIDs(t, m), "application/json; charset=utf-8"
					}
					status, answer, h := r.post(t, path, packed(t, encoding, body), "Content-Encoding", encoding, "Content-Type", media, "x-mlflow-experiment-id", "7")
					wantAnswer := ""
					if asJSON {
						wantAnswer = "{}"
					}
					if status != 200 || string(answer) != wantAnswer || !strings.HasPrefix(h.Get("Content-Type"), strings.Split(media, ";")[0]) {
						t.Fatalf("%d %q %q", status, answer, h.Get("Content-Type"))
					}
					sp := r.span(t, traceA, spanID(1))
					if sp.Experiment != "7" || sp.Source != "otlp" || sp.Project != project || !sp.Start.Equal(start.Add(time.Second)) || sp.Usage.Output != 40 {
						t.Fatalf("stored %+v", sp)
					}
				})
			}
		}
	}
}

func TestAnswersPartially(t *testing.T) {
	bad := chat(0, 1)
	bad.SpanId = []byte{1, 2}
	empty := chat(0, 2)
	empty.TraceId = make([]byte, 16)
	deep := str("bottom")
	for range 100 {
		deep = &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{deep}}}}
	}
	huge := chat(0, 3, kv("my.attribute", str(strings.Repeat("x", 10<<20))))
	r := newRig(t, nil)
	status, answer, _ := r.post(t, "/v1/traces", marshal(t, request(chat(0, 0), bad, empty, chat(0, 4, kv("nested", deep)), huge)))
	var got coltrace.ExportTraceServiceResponse
	if err := proto.Unmarshal(answer, &got); err != nil || status != 200 {
		t.Fatalf("%d %q: %v", status, answer, err)
	}
	if p := got.GetPartialSuccess(); p.GetRejectedSpans() != 4 || p.GetErrorMessage() == "" {
		t.Fatalf("partial success is %v", p)
	}
	r.span(t, traceA, spanID(0))
	status, answer, _ = r.post(t, "/v1/traces", hexIDs(t, request(chat(0, 1), empty)), "Content-Type", "application/json")
	if status != 200 || !strings.Contains(string(answer), `"rejectedSpans":"1"`) {
		t.Fatalf("%d %s", status, answer)
	}
	if st := r.Stats(); st.Spans != 2 || st.Rejected != 5 || st.Requests != 2 {
		t.Fatalf("counted %+v", st)
	}
}

func TestRefusals(t *testing.T) {
	good := marshal(t, request(chat(0, 0)))
	for name, c := range map[string]struct {
		body   []byte
		header []string
		status int
		code   int32
	}{
		"no key":            {good, []string{"Authorization", ""}, 401, 16},
		"a key that reads":  {good, []string{"Authorization", "Bearer sk-reader"}, 403, 7},
		"truncated":         {good[:len(good)-3], nil, 400, 3},
		"no protobuf":       {[]byte("hello"), nil, 400, 3},
		"JSON as protobuf":  {[]byte(`{"resourceSpans":[]}`), nil, 400, 3},
		"no JSON":           {[]byte(`{"resourceSpans":`), []string{"Content-Type", "application/json"}, 400, 3},
		"wrong types":       {[]byte(`{"resourceSpans":5}`), []string{"Content-Type", "application/json"}, 400, 3},
		"wrong value":       {[]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x","attributes":[{"key":"a","value":{"intValue":"many"}}]}]}]}]}`), []string{"Content-Type", "application/json"}, 400, 3},
		"deep JSON":         {[]byte(`{"resourceSpans":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}`), []string{"Content-Type", "application/json"}, 400, 3},
		"other media":       {good, []string{"Content-Type", "text/plain"}, 415, 3},
		"other compression": {good, []string{"Content-Encoding", "br"}, 400, 3},
		"damaged gzip":      {good, []string{"Content-Encoding", "gzip"}, 400, 3},
		"cut gzip":          {packed(t, "gzip", good)[:40], []string{"Content-Encoding", "gzip"}, 400, 3},
		"gzip bomb":         {packed(t, "gzip", make([]byte, 200<<20)), []string{"Content-Encoding", "gzip"}, 413, 3},
		"zstd bomb":         {packed(t, "zstd", make([]byte, 200<<20)), []string{"Content-Encoding", "zstd"}, 413, 3},
		"deflate bomb":      {packed(t, "deflate", make([]byte, 200<<20)), []string{"Content-Encoding", "deflate"}, 413, 3},
		"too large":         {make([]byte, 9<<20), nil, 413, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(d *Deps, _ *ingest.TakerOptions) { d.MaxBody = 8 << 20 })
			status, answer, h := r.post(t, "/v1/traces", c.body, c.header...)
			if status != c.status {
				t.Fatalf("status %d %q, want %d", status, answer, c.status)
			}
			var st rpc.Status
			var err error
			if strings.Contains(h.Get("Content-Type"), "json") {
				err = protojson.Unmarshal(answer, &st)
			} else {
				err = proto.Unmarshal(answer, &st)
			}
			if err != nil || st.Code != c.code || st.Message == "" {
				t.Fatalf("answer %q: code %d, want %d, %v", answer, st.Code, c.code, err)
			}
			if n := r.inflate.used.Load(); n != 0 {
				t.Fatalf("%d bytes stay counted", n)
			}
			if c.status != 401 && c.status != 403 && c.status != 415 && r.Stats().Refused != 1 {
				t.Fatalf("counted %+v", r.Stats())
			}
		})
	}
}

// refusing is an intake that is full.
type refusing struct{ err error }

func (f refusing) Accept(context.Context, []ingest.Incoming) ([]ingest.Rejected, error) {
	return nil, f.err
}

func TestFullQueueSaysWhenToComeBack(t *testing.T) {
	full := &fault.Error{Kind: fault.RateLimited, Msg: "full", RetryAfter: 3 * time.Second}
	r := newRig(t, func(d *Deps, _ *ingest.TakerOptions) { d.Intake = refusing{full} })
	status, _, h := r.post(t, "/v1/traces", marshal(t, request(chat(0, 0))))
	if status != http.StatusTooManyRequests || h.Get("Retry-After") != "3" {
		t.Fatalf("%d, Retry-After %q", status, h.Get("Retry-After"))
	}
	if st := r.Stats(); st.Refused != 1 || st.Spans != 0 {
		t.Fatalf("counted %+v", st)
	}
}

func TestManySpansAreTakenInSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 spans")
	}
	largest := 0
	r := newRig(t, nil)
	r.Intake = stepping{r.taker, &largest}
	spans := make([]*tracepb.Span, 0, 100_000)
	for i := range 100_000 {
		spans = append(spans, chat(0, i))
	}
	if status, answer, _ := r.post(t, "/v1/traces", marshal(t, request(spans...))); status != 200 || len(answer) > 0 {
		t.Fatalf("%d %q", status, answer)
	}
	if n := r.taker.Stats().Accepted; n != 100_000 || largest > stepSpans {
		t.Fatalf("%d spans, the largest step has %d", n, largest)
	}
}

type stepping struct {
	ingest.Intake
	largest *int
}

func (s stepping) Accept(ctx context.Context, in []ingest.Incoming) ([]ingest.Rejected, error) {
	*s.largest = max(*s.largest, len(in))
	return s.Intake.Accept(ctx, in)
}

func event(trace, n int, name string, attributes ...*common.KeyValue) *logspb.LogRecord {
	t, s := ids(trace, n)
	return &logspb.LogRecord{TraceId: t, SpanId: s, EventName: name, TimeUnixNano: uint64(start.UnixNano()), Attributes: attributes}
}

func TestLogsAddToSpans(t *testing.T) {
	details := event(0, 0, "gen_ai.client.inference.operation.details",
		kv("gen_ai.input.messages", str(`[{"role":"user","parts":[{"type":"text","content":"what is it?"}]}]`)),
		kv("gen_ai.output.messages", str(`[{"role":"assistant","parts":[{"type":"text","content":"a weir"}]}]`)))
	for _, logsFirst := range []bool{true, false} {
		for _, asJSON := range []bool{true, false} {
			t.Run(fmt.Sprintf("logs first %v, JSON %v", logsFirst, asJSON), func(t *testing.T) {
				r := newRig(t, nil)
				send := func(path string, m proto.Message) []byte {
					body, media := marshal(t, m), "application/x-protobuf"
					if asJSON {
						body, media = hexIDs(t, m), "application/json"
					}
					status, answer, _ := r.post(t, path, body, "Content-Type", media)
					if status != 200 {
						t.Fatalf("%s: %d %s", path, status, answer)
					}
					return answer
				}
				steps := []func(){
					func() { send("/v1/logs", logRequest(details)) },
					func() { send("/v1/traces", request(chat(0, 0))) },
				}
				if !logsFirst {
					steps[0], steps[1] = steps[1], steps[0]
				}
				for _, f := range steps {
					f()
				}
				sp := r.span(t, traceA, spanID(0))
				if sp.Status != span.OK || sp.Usage.Output != 40 || !sp.Start.Equal(start) || sp.Duration() != 500*time.Millisecond {
					t.Fatalf("stored %+v", sp)
				}
				in, err := ingest.Body(t.Context(), r.store, sp, sp.Input)
				if err != nil || !strings.Contains(string(in), "what is it?") {
					t.Fatalf("input is %s, %v", in, err)
				}
				if sp.Output.Preview != "a weir" {
					t.Fatalf("output preview is %q", sp.Output.Preview)
				}
			})
		}
	}
}

// notes keeps scores in memory.
type notes struct{ got []span.Score }

func (n *notes) PutScore(_ context.Context, s *span.Score) error {
	n.got = append(n.got, *s)
	return nil
}

func TestLogsOfOtherKinds(t *testing.T) {
	n := &notes{}
	r := newRig(t, func(d *Deps, _ *ingest.TakerOptions) { d.Scores = n })
	score := kv("gen_ai.evaluation.score.value", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 0.5}})
	lost := event(0, 0, "gen_ai.user.message")
	lost.SpanId = nil
	named := event(0, 1, "", kv("event.name", str("gen_ai.evaluation.result")), kv("gen_ai.evaluation.name", str("tone")), kv("gen_ai.evaluation.score.label", str("kind")))
	status, answer, _ := r.post(t, "/v1/logs", marshal(t, logRequest(
		event(0, 0, "gen_ai.evaluation.result", kv("gen_ai.evaluation.name", str("relevance")), score, kv("gen_ai.evaluation.explanation", str("why"))),
		named, event(0, 0, "gen_ai.evaluation.result"), lost, event(0, 0, "http.request"), event(0, 0, ""))))
	var got collogs.ExportLogsServiceResponse
	if err := proto.Unmarshal(answer, &got); err != nil || status != 200 || got.GetPartialSuccess().GetRejectedLogRecords() != 4 {
		t.Fatalf("%d %v, %v", status, &got, err)
	}
	if len(n.got) != 2 || n.got[0].Name != "relevance" || n.got[0].Value != 0.5 || n.got[0].Type != span.Numeric || n.got[0].Comment != "why" ||
		n.got[0].Source != span.ByJudge || n.got[1].Text != "kind" || n.got[1].Type != span.Categorical || n.got[1].Target.Span != spanID(1) || n.got[0].ID == n.got[1].ID {
		t.Fatalf("scores are %+v", n.got)
	}
	if st := r.Stats(); st.Logs != 6 || st.OtherLogs != 2 || st.Scores != 2 {
		t.Fatalf("counted %+v", st)
	}
}

// points keeps data points in memory.
type pointList struct{ got []ingest.Point }

func (p *pointList) AddPoints(_ context.Context, _ tenant.ProjectID, points []ingest.Point) error {
	p.got = append(p.got, points...)
	return nil
}

func TestMetrics(t *testing.T) {
	min, max, sum := 1.0, 9.0, 12.0
	m := metricRequest(
		&metricspb.Metric{Name: "gen_ai.client.token.usage", Unit: "{token}", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{DataPoints: []*metricspb.HistogramDataPoint{{
			TimeUnixNano: uint64(start.UnixNano()), Count: 3, Sum: &sum, Min: &min, Max: &max, BucketCounts: []uint64{1, 2}, ExplicitBounds: []float64{5},
			Attributes: []*common.KeyValue{kv("gen_ai.request.model", str("m"))},
		}}}}},
		&metricspb.Metric{Name: "gen_ai.active", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{{TimeUnixNano: uint64(start.UnixNano()), Value: &metricspb.NumberDataPoint_AsInt{AsInt: 4}}}}}},
		&metricspb.Metric{Name: "http.server.duration", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{DataPoints: []*metricspb.NumberDataPoint{{}, {}}}}},
	)
	for _, asJSON := range []bool{false, true} {
		list := &pointList{}
		r := newRig(t, func(d *Deps, _ *ingest.TakerOptions) { d.Points = list })
		body, media := marshal(t, m), "application/x-protobuf"
		if asJSON {
			body, media = hexIDs(t, m), "application/json"
		}
		if status, answer, _ := r.post(t, "/v1/metrics", body, "Content-Type", media); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		if len(list.got) != 2 {
			t.Fatalf("kept %+v", list.got)
		}
		h, g := list.got[0], list.got[1]
		if h.Kind != "histogram" || h.Count != 3 || h.Sum != 12 || h.Min != 1 || h.Max != 9 || len(h.Buckets) != 2 || h.Bounds[0] != 5 ||
			string(h.Attributes) != `{"gen_ai.request.model":"m"}` || !h.Time.Equal(start) || h.Unit != "{token}" || g.Value != 4 || g.Kind != "gauge" {
			t.Fatalf("JSON %v: points are %+v and %+v", asJSON, h, g)
		}
		if st := r.Stats(); st.Points != 2 || st.OtherPoints != 2 {
			t.Fatalf("counted %+v", st)
		}
	}
}

package otlp

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"weir/internal/ingest"
	"weir/internal/ingest/mapping"
)

func str(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func kv(k string, v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: k, Value: v} }

func full() *coltrace.ExportTraceServiceRequest {
	t, _ := hex.DecodeString("0af7651916cd43dd8448eb211c80319c")
	s, _ := hex.DecodeString("b7ad6b7169203331")
	p, _ := hex.DecodeString("00f067aa0ba902b7")
	values := []*common.KeyValue{
		kv("text", str("こんにちは")), kv("yes", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}),
		kv("int", &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: math.MinInt64}}),
		kv("double", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 0.25}}),
		kv("bytes", &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{1, 2}}}),
		kv("list", &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{str("a"), {}}}}}),
		kv("object", &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{kv("k", str("v"))}}}}),
		kv("empty", &common.AnyValue{}), kv("nothing", nil),
		kv("nan", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: math.NaN()}}),
	}
	return &coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{kv("service.name", str("shop"))}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "lib", Version: "2"}, Spans: []*tracepb.Span{{
			TraceId: t, SpanId: s, ParentSpanId: p, Name: "work", Kind: tracepb.Span_SPAN_KIND_SERVER,
			StartTimeUnixNano: 1_700_000_000_000_000_001, EndTimeUnixNano: 1_700_000_001_000_000_002, Attributes: values,
			Events: []*tracepb.Span_Event{{Name: "exception", TimeUnixNano: 1_700_000_000_500_000_000, Attributes: []*common.KeyValue{kv("exception.type", str("X"))}}},
			Links:  []*tracepb.Span_Link{{TraceId: t, SpanId: p, Attributes: []*common.KeyValue{kv("why", str("retry"))}}},
			Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "broken"},
		}}}},
	}}}
}

// copyOf is a span that outlives the decoder.
func copyOf(r *mapping.Raw) mapping.Raw {
	b, _ := json.Marshal(r)
	var out mapping.Raw
	_ = json.Unmarshal(b, &out)
	return out
}

func TestReadsEveryField(t *testing.T) {
	body, err := proto.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var got mapping.Raw
	if err := Spans(body, func(r *mapping.Raw, bad error) error { got = *r; return bad }); err != nil {
		t.Fatal(err)
	}
	want := mapping.Raw{
		Trace: "0af7651916cd43dd8448eb211c80319c", ID: "b7ad6b7169203331", Parent: "00f067aa0ba902b7", Name: "work", Kind: "server",
		Start: time.Unix(1_700_000_000, 1).UTC(), End: time.Unix(1_700_000_001, 2).UTC(), Failed: true, StatusText: "broken",
		Attributes: []mapping.Attribute{
			{Key: "text", Value: "こんにちは"}, {Key: "yes", Value: true}, {Key: "int", Value: int64(math.MinInt64)}, {Key: "double", Value: 0.25},
			{Key: "bytes", Value: []byte{1, 2}}, {Key: "list", Value: []any{"a", nil}}, {Key: "object", Value: map[string]any{"k": "v"}},
			{Key: "empty"}, {Key: "nothing"}, {Key: "nan", Value: "NaN"},
		},
		Events:   []mapping.Event{{Name: "exception", Time: time.Unix(1_700_000_000, 500_000_000).UTC(), Attributes: []mapping.Attribute{{Key: "exception.type", Value: "X"}}}},
		Links:    got.Links,
		Resource: []mapping.Attribute{{Key: "service.name", Value: "shop"}}, Scope: "lib", ScopeVersion: "2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if l := got.Links; len(l) != 1 || l[0].Trace != want.Trace || l[0].Span != want.Parent || string(l[0].Attributes) != `{"why":"retry"}` {
		t.Fatalf("links are %+v", l)
	}
}

// Clients write JSON in several ways; all mean the same span.
func TestReadsJSONOfAllClients(t *testing.T) {
	const common = `"name":"n","attributes":[{"key":"i","value":{"intValue":%s}},{"key":"d","value":{"doubleValue":%s}},{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}}]`
	forms := []string{
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"b7ad6b7169203331","parentSpanId":"","kind":3,"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000001000000000","status":{"code":2},` + fmt.Sprintf(common, `"7"`, `1.5`) + `}]}]}]}`,
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"0000000000000000","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":1700000000000000001,"endTimeUnixNano":1700000001000000000,"status":{"code":"STATUS_CODE_ERROR"},` + fmt.Sprintf(common, `7`, `"1.5"`) + `}]}]}]}`,
		`{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","parent_span_id":null,"kind":3,"start_time_unix_nano":"1700000000000000001","end_time_unix_nano":1700000001000000000,"unknown":{"a":[1]},"status":{"code":2},` + fmt.Sprintf(common, `7`, `1.5`) + `}]}]}]}`,
	}
	var first mapping.Raw
	for i, f := range forms {
		var got mapping.Raw
		if err := SpansJSON([]byte(f), func(r *mapping.Raw, bad error) error { got = copyOf(r); return bad }); err != nil {
			t.Fatalf("form %d: %v", i, err)
		}
		if i == 0 {
			first = got
			if got.Kind != "client" || !got.Failed || got.Parent != "" || got.Start.UnixNano() != 1700000000000000001 || len(got.Attributes) != 3 {
				t.Fatalf("read %+v", got)
			}
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("form %d: %s", i, diff)
		}
	}
}

func nested(depth int) *common.AnyValue {
	v := str("bottom")
	for i := range depth {
		if i%2 == 0 {
			v = &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{v}}}}
		} else {
			v = &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{kv("k", v)}}}}
		}
	}
	return v
}

func TestDepthIsBounded(t *testing.T) {
	for depth, wantBad := range map[int]bool{10: false, maxDepth - 1: false, maxDepth + 1: true, 5000: true} {
		m := full()
		m.ResourceSpans[0].ScopeSpans[0].Spans[0].Attributes = []*common.KeyValue{kv("deep", nested(depth))}
		m.ResourceSpans[0].Resource.Attributes = append(m.ResourceSpans[0].Resource.Attributes, kv("deep", nested(depth)))
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		err = Spans(body, func(_ *mapping.Raw, bad error) error {
			seen++
			if (bad != nil) != wantBad {
				t.Errorf("depth %d: %v", depth, bad)
			}
			return nil
		})
		if err != nil || seen != 1 {
			t.Errorf("depth %d: %d spans, %v", depth, seen, err)
		}
	}
}

// Protobuf nests with a few bytes a level, far deeper than a stack of calls could follow.
func TestDepthOfHandMadeProtobuf(t *testing.T) {
	inner := []byte{}
	for len(inner) < 4<<20 {
		inner = prefixed(1, inner)
		inner = prefixed(5, inner)
		if len(inner) > 1<<12 { // grow by copies of the chain instead of one level at a time
			break
		}
	}
	key := append([]byte{0x0a, 1, 'k'}, prefixed(2, inner)...)
	span := append(append(prefixed(1, make16(1)), prefixed(2, make8(1))...), prefixed(9, key)...)
	body := prefixed(1, prefixed(2, prefixed(2, span)))
	bads := 0
	if err := Spans(body, func(_ *mapping.Raw, bad error) error {
		if bad != nil {
			bads++
		}
		return nil
	}); err != nil || bads != 1 {
		t.Fatalf("%d refused, %v", bads, err)
	}
}

func make16(b byte) []byte { return []byte(strings.Repeat(string(rune(b)), 16)) }
func make8(b byte) []byte  { return []byte(strings.Repeat(string(rune(b)), 8)) }

func prefixed(field byte, b []byte) []byte {
	out := []byte{field<<3 | 2}
	n := len(b)
	for n >= 0x80 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(append(out, byte(n)), b...)
}

func FuzzSpans(f *testing.F) {
	body, _ := proto.Marshal(full())
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		err := Spans(b, func(r *mapping.Raw, bad error) error {
			n++
			if bad == nil && (len(r.Trace) != 32 || len(r.ID) != 16) {
				t.Fatalf("ids %q %q", r.Trace, r.ID)
			}
			return nil
		})
		// What the official decoder takes, this one takes as well, with as many spans.
		var m coltrace.ExportTraceServiceRequest
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		want := 0
		for _, r := range m.GetResourceSpans() {
			for _, s := range r.GetScopeSpans() {
				want += len(s.GetSpans())
			}
		}
		if err == nil && n != want {
			t.Fatalf("%d spans, the official decoder has %d", n, want)
		}
	})
}

func FuzzSpansJSON(f *testing.F) {
	f.Add([]byte(`{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"scopeSpans":[{"scope":{"name":"x"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","startTimeUnixNano":1.7e18,"events":[{"name":"e","timeUnixNano":"1"}],"links":[{"traceId":"00"}],"attributes":[{"key":"k","value":{"kvlistValue":{"values":[{"key":"x","value":{"intValue":"1"}}]}}}]}]}]}]}`))
	f.Add([]byte(`{"resourceSpans":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = SpansJSON(b, func(r *mapping.Raw, bad error) error {
			if bad == nil && (len(r.Trace) != 32 || len(r.ID) != 16) {
				t.Fatalf("ids %q %q", r.Trace, r.ID)
			}
			return nil
		})
	})
}

func FuzzLogs(f *testing.F) {
	f.Add([]byte(prefixed(1, prefixed(2, prefixed(2, prefixed(9, make16(1)))))), false)
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"e","body":{"stringValue":"x"},"timeUnixNano":"1","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}]}`), true)
	f.Fuzz(func(t *testing.T, b []byte, asJSON bool) {
		read := Logs
		if asJSON {
			read = LogsJSON
		}
		_ = read(b, func(l *Log, _ error) error {
			if l.Trace != "" && len(l.Trace) != 32 || l.Span != "" && len(l.Span) != 16 {
				t.Fatalf("ids %q %q", l.Trace, l.Span)
			}
			return nil
		})
	})
}

func FuzzPoints(f *testing.F) {
	f.Add([]byte(prefixed(1, prefixed(2, prefixed(2, append(prefixed(1, []byte("gen_ai.x")), prefixed(9, prefixed(1, prefixed(6, make8(1))))...))))), false)
	f.Add([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.x","histogram":{"dataPoints":[{"count":"3","sum":1,"bucketCounts":["1"],"explicitBounds":[1],"timeUnixNano":"1"}]}}]}]}]}`), true)
	f.Fuzz(func(t *testing.T, b []byte, asJSON bool) {
		read := Points
		if asJSON {
			read = PointsJSON
		}
		_, _ = read(b, func(string) bool { return true }, func(p ingest.Point) error {
			if _, err := json.Marshal(p); err != nil {
				t.Fatalf("a point cannot be written: %v", err)
			}
			return nil
		})
	})
}

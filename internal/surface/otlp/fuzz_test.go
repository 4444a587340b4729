package otlp

import (
	"context"
	"testing"

	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/span"
	wire "weir/internal/wire/otlp"
)

// strict is an intake that looks at what it is given.
type strict struct{ t *testing.T }

func (s strict) Accept(_ context.Context, in []ingest.Incoming) ([]ingest.Rejected, error) {
	for i := range in {
		sp := in[i].Span
		for name, b := range map[string][]byte{
			"input": in[i].Input, "output": in[i].Output, "attributes": sp.Attributes, "resource": sp.Resource, "metadata": sp.Metadata, "params": sp.Params,
		} {
			if len(b) > 0 && !jsonx.Valid(b) {
				s.t.Fatalf("%s is no JSON: %q", name, b)
			}
		}
		if len(sp.Trace) != 32 || len(sp.ID) != 16 || sp.Usage.Input < 0 || sp.Usage.Output < 0 {
			s.t.Fatalf("ids %q %q, usage %+v", sp.Trace, sp.ID, sp.Usage)
		}
		if _, err := jsonx.Marshal(sp); err != nil {
			s.t.Fatalf("the span cannot be stored: %v", err)
		}
	}
	return nil, nil
}

func (s strict) PutScore(context.Context, *span.Score) error { return nil }

// FuzzTake is the whole way of a request up to the intake.
func FuzzTake(f *testing.F) {
	f.Add(marshal(f, request(chat(0, 0), chat(0, 0, kv("llm.input_messages.0.message.content", str("x")), kv("openinference.span.kind", str("LLM"))))), uint8(0), false)
	f.Add(marshal(f, logRequest(event(0, 0, "gen_ai.client.inference.operation.details", kv("gen_ai.input.messages", str("[{]"))))), uint8(1), false)
	f.Add(marshal(f, metricRequest()), uint8(2), false)
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"ai"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","attributes":[{"key":"ai.prompt.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"-5"}},{"key":"langfuse.observation.usage_details","value":{"stringValue":"{\"input\":1e300}"}}]}]}]}]}`), uint8(0), true)
	f.Fuzz(func(t *testing.T, body []byte, signal uint8, asJSON bool) {
		s := New(Deps{Intake: strict{t}, Scores: strict{t}})
		signals := []wire.Signal{wire.Traces, wire.LogRecords, wire.Metrics}
		_, _ = s.take(t.Context(), signals[int(signal)%len(signals)], &call{project: project, json: asJSON, body: body})
	})
}

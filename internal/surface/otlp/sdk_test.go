package otlp

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"

	"weir/internal/span"
)

// The official SDK is the one client that can run here without more than Go.
func TestOfficialSDK(t *testing.T) {
	r := newRig(t, nil)
	exporter, err := otlptracehttp.New(t.Context(),
		otlptracehttp.WithEndpoint(strings.TrimPrefix(r.server.URL, "http://")), otlptracehttp.WithInsecure(),
		otlptracehttp.WithHeaders(map[string]string{"Authorization": "Bearer sk-good"}), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	tracer := provider.Tracer("shop")
	ctx, root := tracer.Start(t.Context(), "answer")
	_, call := tracer.Start(ctx, "chat gpt-4o")
	call.SetAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", "gpt-4o"),
		attribute.Int("gen_ai.usage.input_tokens", 7), attribute.Int("gen_ai.usage.output_tokens", 3))
	call.SetStatus(codes.Error, "cut")
	call.End()
	root.End()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := call.SpanContext()
	sp := r.span(t, at.TraceID().String(), at.SpanID().String())
	if sp.Parent != root.SpanContext().SpanID().String() || sp.Status != span.Error || sp.ErrorText != "cut" || sp.Usage.Input != 7 || sp.Kind != span.Generation {
		t.Fatalf("stored %+v", sp)
	}
	r.span(t, at.TraceID().String(), root.SpanContext().SpanID().String())
}

// Package selftrace makes spans of Weir's own work, a request and each call of an upstream, and sends them by OTLP to
// where the operator wants them. They are about the gateway as a program; what passes through it is recorded elsewhere.
package selftrace

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Marker is a header on every export. Requests that carry it make no spans, so that a Weir that exports to itself, or
// two that export to each other, do not make spans of sending spans for ever.
const Marker = "X-Weir-Telemetry"

// Options says where spans go. Endpoint is the URL of an OTLP/HTTP receiver; without a path, /v1/traces is meant.
type Options struct {
	Endpoint string
	Headers  map[string]string
	Ratio    float64 // of requests that bring no decision of their own
	Service  string
	Version  string
	Log      *slog.Logger
	// Every is how often spans are sent; 0 = 5 s.
	Every time.Duration
}

// Tracer makes and exports spans. A nil Tracer does nothing. Spans wait in a queue of 2048; when the receiver is away
// for so long that it is full, further ones are dropped: telemetry must not hold up calls.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	exporter *reporter
}

// New returns a Tracer, which must be stopped. It does not touch the network.
func New(ctx context.Context, o Options) (*Tracer, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("telemetry.endpoint must be a URL such as http://collector.example.com:4318")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	headers := map[string]string{Marker: "1"}
	for k, v := range o.Headers {
		headers[k] = v
	}
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithHeaders(headers), otlptracehttp.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	r := &reporter{SpanExporter: exp, log: o.Log}
	batch := []sdk.BatchSpanProcessorOption{sdk.WithMaxQueueSize(2048)}
	if o.Every > 0 {
		batch = append(batch, sdk.WithBatchTimeout(o.Every))
	}
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(r, batch...), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", o.Service), attribute.String("service.version", o.Version))),
	)
	return &Tracer{provider: p, tracer: p.Tracer("weir"), exporter: r}, nil
}

// stopTime bounds the last export.
const stopTime = 3 * time.Second

// Stop sends what waits and ends the Tracer.
func (t *Tracer) Stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the reporter has logged why
}

// Stats counts spans that were sent, and exports that failed.
func (t *Tracer) Stats() (sent, failed int64) {
	if t == nil {
		return 0, 0
	}
	return t.exporter.sent.Load(), t.exporter.failed.Load()
}

// reporter logs that exports fail when they begin to, rather than each time, and in place of the SDK's global handler.
type reporter struct {
	sdk.SpanExporter
	log    *slog.Logger
	sent   atomic.Int64
	failed atomic.Int64
	broken atomic.Bool
}

func (r *reporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		r.sent.Add(int64(len(spans)))
		if r.broken.CompareAndSwap(true, false) {
			r.log.Info("telemetry is exported again")
		}
		return nil
	}
	r.failed.Add(1)
	if r.broken.CompareAndSwap(false, true) {
		r.log.Warn("telemetry could not be exported", "error", err)
	}
	return nil
}

// Handler makes a span of each request, as a child of the caller's where it sends a traceparent. next must set the
// request's Pattern, as http.ServeMux does.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(Marker) != "" || strings.HasPrefix(r.URL.Path, "/health") {
			next.ServeHTTP(w, r)
			return
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", r.Method), attribute.String("url.scheme", scheme(r)), attribute.String("server.address", r.Host),
		))
		defer span.End()
		r = r.WithContext(ctx)
		seen := &status{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if r.Pattern != "" {
			_, route, _ := strings.Cut(r.Pattern, " ")
			span.SetName(r.Pattern)
			span.SetAttributes(attribute.String("http.route", route))
		}
		finish(span, seen.code(), seen.code() >= 500)
		if id := seen.Header().Get("X-Weir-Trace-Id"); id != "" {
			span.SetAttributes(attribute.String("weir.trace_id", id))
		}
	})
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func finish(span trace.Span, code int, failed bool) {
	span.SetAttributes(attribute.Int("http.response.status_code", code))
	if failed {
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(code)))
		span.SetStatus(codes.Error, "")
	}
}

// status remembers the status and passes everything else through by Unwrap.
type status struct {
	http.ResponseWriter
	written int
}

func (s *status) WriteHeader(code int) {
	if s.written == 0 && code >= 200 {
		s.written = code
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) code() int { return max(s.written, http.StatusOK) }

// Unwrap is for http.ResponseController.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Client makes a span of each request that c sends while a span of Handler's is open: one per try of an upstream. It
// ends with the body of the answer. Nothing is added to what is sent: the trace of an operator is not a provider's
// business.
func (t *Tracer) Client(c *http.Client) *http.Client {
	if t == nil {
		return c
	}
	out := *c
	if out.Transport == nil {
		out.Transport = http.DefaultTransport
	}
	out.Transport = &tripper{RoundTripper: out.Transport, tracer: t.tracer}
	return &out
}

type tripper struct {
	http.RoundTripper
	tracer trace.Tracer
}

// Plain is for clients that need the transport's settings for one of their own.
func (t *tripper) Plain() *http.Transport {
	switch inner := t.RoundTripper.(type) {
	case *http.Transport:
		return inner
	case interface{ Plain() *http.Transport }:
		return inner.Plain()
	}
	return http.DefaultTransport.(*http.Transport)
}

// CloseIdleConnections is for http.Client.
func (t *tripper) CloseIdleConnections() {
	if c, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if !trace.SpanFromContext(r.Context()).IsRecording() {
		return t.RoundTripper.RoundTrip(r)
	}
	// Neither path nor query: they name models and accounts, and with some providers carry the key.
	_, span := t.tracer.Start(r.Context(), "upstream "+r.URL.Hostname(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()),
	))
	resp, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", fmt.Sprintf("%T", err)))
		span.End()
		return nil, err
	}
	finish(span, resp.StatusCode, resp.StatusCode >= 400)
	span.AddEvent("response headers")
	resp.Body = &body{ReadCloser: resp.Body, span: span}
	return resp, nil
}

// body ends its span when it is read to the end or closed.
type body struct {
	io.ReadCloser
	span trace.Span
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.span.End() // again is harmless
	}
	return n, err
}

func (b *body) Close() error {
	b.span.End()
	return b.ReadCloser.Close()
}

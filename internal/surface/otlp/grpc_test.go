package otlp

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"weir/internal/fault"
	"weir/internal/ingest"
)

func (r *rig) grpc(t *testing.T) *grpc.ClientConn {
	t.Helper()
	g := NewGRPC(r.Surface, door{}, "127.0.0.1:0", time.Second)
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	conn, err := grpc.NewClient(g.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func with(ctx context.Context, kv ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, kv...)
}

func TestGRPC(t *testing.T) {
	for _, compressor := range []string{"", "gzip", "zstd"} {
		t.Run("compressor "+compressor, func(t *testing.T) {
			r := newRig(t, nil)
			conn := r.grpc(t)
			var opts []grpc.CallOption
			if compressor != "" {
				opts = append(opts, grpc.UseCompressor(compressor))
			}
			ctx := with(t.Context(), "authorization", "Bearer sk-good", "x-mlflow-experiment-id", "9")
			bad := chat(0, 1)
			bad.SpanId = nil
			got, err := coltrace.NewTraceServiceClient(conn).Export(ctx, request(chat(0, 0), bad), opts...)
			if err != nil || got.GetPartialSuccess().GetRejectedSpans() != 1 {
				t.Fatalf("%v, %v", got, err)
			}
			if sp := r.span(t, traceA, spanID(0)); sp.Experiment != "9" || sp.Usage.Output != 40 {
				t.Fatalf("stored %+v", sp)
			}
			if _, err := collogs.NewLogsServiceClient(conn).Export(ctx, logRequest(event(0, 0, "other")), opts...); err != nil {
				t.Fatal(err)
			}
			if _, err := colmetrics.NewMetricsServiceClient(conn).Export(ctx, metricRequest(), opts...); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestGRPCRefusals(t *testing.T) {
	full := &fault.Error{Kind: fault.RateLimited, Msg: "full", RetryAfter: 3 * time.Second}
	r := newRig(t, func(d *Deps, _ *ingest.TakerOptions) { d.Intake, d.MaxBody = refusing{full}, 1<<20 })
	client := coltrace.NewTraceServiceClient(r.grpc(t))
	for name, c := range map[string]struct {
		ctx  context.Context
		req  *coltrace.ExportTraceServiceRequest
		code codes.Code
	}{
		"no key":           {t.Context(), request(chat(0, 0)), codes.Unauthenticated},
		"a key that reads": {with(t.Context(), "authorization", "Bearer sk-reader"), request(chat(0, 0)), codes.PermissionDenied},
		"too large":        {with(t.Context(), "authorization", "Bearer sk-good"), request(chat(0, 0, kv("a", str(strings.Repeat("x", 2<<20))))), codes.ResourceExhausted},
		"full":             {with(t.Context(), "authorization", "Bearer sk-good"), request(chat(0, 0)), codes.ResourceExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Export(c.ctx, c.req)
			st := status.Convert(err)
			if st.Code() != c.code {
				t.Fatalf("%v, want %v", err, c.code)
			}
			if name == "full" {
				info, ok := st.Details()[0].(*errdetails.RetryInfo)
				if !ok || info.GetRetryDelay().AsDuration() != 3*time.Second {
					t.Fatalf("details are %v", st.Details())
				}
			}
		})
	}
}

func TestGRPCOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	r := newRig(t, nil)
	for _, addr := range []string{l.Addr().String(), ""} {
		g := NewGRPC(r.Surface, door{}, addr, time.Second)
		if err := g.Start(t.Context()); err != nil || g.Addr() != "" {
			t.Fatalf("%q: %v, %s", addr, err, g.Addr())
		}
		g.Stop()
	}
}

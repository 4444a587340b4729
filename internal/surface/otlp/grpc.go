package otlp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // lets clients compress
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"weir/internal/edge"
	"weir/internal/fault"
	wire "weir/internal/wire/otlp"
)

// GRPC serves the protocol's three services on an address of its own. It is a service with Start and Stop.
type GRPC struct {
	surface *Surface
	auth    edge.Authenticator
	addr    string
	drain   time.Duration
	log     *slog.Logger
	server  *grpc.Server
	lis     net.Listener
	loop    sync.WaitGroup
}

// Bounds of connections. A client may ping as often as its libraries do by default.
const (
	maxStreams = 256
	idleTime   = 15 * time.Minute
	minPing    = 10 * time.Second
	callTime   = 60 * time.Second
)

// NewGRPC returns a server for Start to bring up. Stop waits up to drain for calls that are being handled.
func NewGRPC(s *Surface, auth edge.Authenticator, addr string, drain time.Duration) *GRPC {
	return &GRPC{surface: s, auth: auth, addr: addr, drain: drain, log: s.Log}
}

// Start serves in the background. An address that is taken is a warning, not an error: HTTP remains, and several
// programs of one machine have a collector's port in mind.
func (g *GRPC) Start(context.Context) error {
	if g.addr == "" {
		return nil
	}
	lis, err := net.Listen("tcp", g.addr)
	if err != nil {
		g.log.Warn("OTLP over gRPC is off: its address cannot be used", slog.String("address", g.addr), slog.Any("error", err))
		return nil
	}
	compressors.Do(func() { encoding.RegisterCompressor(&zstdCompressor{limit: g.surface.MaxBody}) })
	g.lis = lis
	g.server = grpc.NewServer(
		grpc.ForceServerCodecV2(bytesCodec{}), grpc.MaxRecvMsgSize(int(g.surface.MaxBody)), grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(20*time.Second), grpc.InTapHandle(g.admit),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTime, Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
	)
	for service, signal := range map[string]wire.Signal{
		"opentelemetry.proto.collector.trace.v1.TraceService":     wire.Traces,
		"opentelemetry.proto.collector.logs.v1.LogsService":       wire.LogRecords,
		"opentelemetry.proto.collector.metrics.v1.MetricsService": wire.Metrics,
	} {
		g.server.RegisterService(&grpc.ServiceDesc{
			ServiceName: service, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: g.export(signal)}},
		}, g)
	}
	g.loop.Go(func() {
		if err := g.server.Serve(lis); err != nil {
			g.log.Error("OTLP over gRPC ended", slog.Any("error", err))
		}
	})
	return nil
}

// Addr is where it listens, or "".
func (g *GRPC) Addr() string {
	if g.lis == nil {
		return ""
	}
	return g.lis.Addr().String()
}

// Stop takes no more calls and waits for those that run.
func (g *GRPC) Stop() {
	if g.server == nil {
		return
	}
	cut := time.AfterFunc(g.drain, g.server.Stop)
	g.server.GracefulStop()
	cut.Stop()
	g.loop.Wait()
}

// export is one service's only method.
func (g *GRPC) export(signal wire.Signal) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		var body []byte
		if err := decode(&body); err != nil {
			return nil, err
		}
		answer, err := g.serve(ctx, signal, body)
		if err != nil {
			g.refused("gRPC "+string(signal), err)
			return nil, statusOf(err)
		}
		return answer, nil
	}
}

func (g *GRPC) serve(ctx context.Context, signal wire.Signal, body []byte) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("handler panicked", slog.String("pattern", "gRPC "+string(signal)), slog.Any("panic", p))
			err = fault.New(fault.Internal, "internal error")
		}
	}()
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		return nil, fault.New(fault.Internal, "a call was not admitted")
	}
	body, release, err := g.surface.inflate.counted(body)
	if err != nil {
		g.surface.unread()
		return nil, err
	}
	defer release()
	c.body = body
	partial, err := g.surface.take(ctx, signal, &c)
	return partial.Proto(), err
}

type callKey struct{}

// admit verifies the caller when only the headers of a call have been read: nobody else may fill the memory.
func (g *GRPC) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	r := g.request(ctx, info.Header)
	who, err := g.auth.Authenticate(r)
	if err == nil {
		err = who.MayWrite()
	}
	if err != nil {
		g.refused("gRPC", err)
		return nil, statusOf(err)
	}
	return context.WithValue(ctx, callKey{}, call{project: who.Project, experiment: r.Header.Get("X-Mlflow-Experiment-Id")}), nil
}

func (g *GRPC) refused(pattern string, err error) {
	g.log.Info("request failed", slog.String("pattern", pattern), slog.String("kind", string(fault.KindOf(err))), slog.Any("error", err))
}

// request is what a call's metadata would be over HTTP, for those who read credentials.
func (g *GRPC) request(ctx context.Context, md metadata.MD) *http.Request {
	r := &http.Request{Method: http.MethodPost, Header: http.Header{}, Proto: "HTTP/2.0", ProtoMajor: 2}
	for k, vs := range md {
		if k == ":authority" {
			r.Host = vs[0]
		} else if !strings.HasPrefix(k, ":") && !strings.HasSuffix(k, "-bin") {
			r.Header[http.CanonicalHeaderKey(k)] = vs
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		r.RemoteAddr = p.Addr.String()
	}
	return r.WithContext(context.WithValue(ctx, http.LocalAddrContextKey, g.lis.Addr()))
}

// statusOf tells clients what to do: they send again what is UNAVAILABLE, and RESOURCE_EXHAUSTED if it says when.
func statusOf(err error) error {
	st := status.New(codes.Code(codeOf(err)), messageOf(err))
	var f *fault.Error
	if errors.As(err, &f) && (f.Kind == fault.RateLimited || f.Kind == fault.Unavailable) {
		wait := durationpb.New(max(f.RetryAfter, time.Second))
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: wait}); err == nil {
			st = with
		}
	}
	return st.Err()
}

// bytesCodec leaves messages as they are: they are decoded in place, with bounds that the generated code lacks.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fault.New(fault.Internal, "an answer is not bytes")
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fault.New(fault.Internal, "a request is not read into bytes")
	}
	*b = data.Materialize() // a copy, since the texts of spans point into it
	return nil
}

// compressors is done once: the library keeps compressors for the whole process.
var compressors sync.Once

// zstdCompressor is zstd for gRPC.
type zstdCompressor struct {
	limit   int64
	readers sync.Pool
}

func (*zstdCompressor) Name() string { return "zstd" }

func (*zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
}

// Decompress returns a reader that the library reads up to its limit on messages.
func (c *zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	z, _ := c.readers.Get().(*zstd.Decoder)
	if z == nil {
		fresh, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		z = fresh
	}
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return &pooled{z: z, pool: &c.readers}, nil
}

// pooled gives its decoder back at the end of the message.
type pooled struct {
	z    *zstd.Decoder
	pool *sync.Pool
}

func (p *pooled) Read(b []byte) (int, error) {
	if p.z == nil {
		return 0, io.EOF
	}
	n, err := p.z.Read(b)
	if err != nil {
		_ = p.z.Reset(nil)
		p.pool.Put(p.z)
		p.z = nil
	}
	return n, err
}

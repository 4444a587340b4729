// Package otlp receives what programs tell about themselves by OpenTelemetry's protocol, over HTTP and gRPC: spans of any
// dialect, logs that carry GenAI events, and metrics. What is answered with success survives power loss; a part that
// cannot be taken is named in a partial success, and a refused request may be sent again.
package otlp

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/span"
	"weir/internal/tenant"
	wire "weir/internal/wire/otlp"
)

// Points keeps data points of metrics.
type Points interface {
	// AddPoints returns once the points survive power loss.
	AddPoints(ctx context.Context, p tenant.ProjectID, points []ingest.Point) error
}

// Deps of a Surface. Intake is required.
type Deps struct {
	Intake ingest.Intake
	Scores Scores // nil refuses evaluation results
	Points Points // nil counts data points only
	// MaxBody bounds a request after decompression; 0 = 64 MiB. MaxInFlight bounds all of them together; 0 = twice as
	// much.
	MaxBody, MaxInFlight int64
	Log                  *slog.Logger
	Now                  func() time.Time
}

// Scores takes judgements; span.Notes does.
type Scores interface {
	PutScore(ctx context.Context, s *span.Score) error
}

// Surface serves the HTTP routes, and is what a GRPC server hands requests to.
type Surface struct {
	Deps
	inflate *inflater
	rooms   rooms // of bodies
	stats   counters
}

var _ edge.Surface = (*Surface)(nil)

type counters struct {
	requests, spans, rejected       atomic.Int64
	logs, events, scores, otherLogs atomic.Int64
	points, otherPoints, refused    atomic.Int64
}

// Stats are counts since the start.
type Stats struct {
	Requests, Refused       int64 // requests by either transport
	Spans, Rejected         int64 // spans taken, and refused singly
	Logs, Events, OtherLogs int64 // log records: all, GenAI events among them, and the rest, which is not kept
	Scores                  int64 // evaluation results
	Points, OtherPoints     int64 // data points kept, and others
}

// New returns a Surface.
func New(d Deps) *Surface {
	d.MaxBody = cmp.Or(d.MaxBody, 64<<20)
	d.MaxInFlight = cmp.Or(d.MaxInFlight, 2*d.MaxBody)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Surface{Deps: d, inflate: newInflater(d.MaxBody, d.MaxInFlight)}
}

// Stats reads the counters.
func (s *Surface) Stats() Stats {
	c := &s.stats
	return Stats{
		Requests: c.requests.Load(), Refused: c.refused.Load(), Spans: c.spans.Load(), Rejected: c.rejected.Load(),
		Logs: c.logs.Load(), Events: c.events.Load(), OtherLogs: c.otherLogs.Load(), Scores: c.scores.Load(),
		Points: c.points.Load(), OtherPoints: c.otherPoints.Load(),
	}
}

// prefixes are where clients of Weir, Langfuse and MLflow look for the protocol.
var prefixes = []string{"/v1", "/api/public/otel/v1", "/otel/v1"}

// Routes implements edge.Surface.
func (s *Surface) Routes() []edge.Route {
	var out []edge.Route
	for _, p := range prefixes {
		for _, x := range []struct {
			signal wire.Signal
			doc    string
		}{{wire.Traces, "spans by OTLP"}, {wire.LogRecords, "GenAI events by OTLP"}, {wire.Metrics, "gen_ai metrics by OTLP"}} {
			out = append(out, edge.Route{
				Pattern: "POST " + p + "/" + string(x.signal), Access: edge.Member, Handle: s.handle(x.signal), Fail: fail, Doc: x.doc,
			})
		}
	}
	return out
}

// call is one request, whatever brought it.
type call struct {
	project    tenant.ProjectID
	experiment string
	json       bool
	body       []byte
}

// handle reads a request, takes it and answers in its encoding.
func (s *Surface) handle(signal wire.Signal) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		asJSON, err := isJSON(r.Header.Get("Content-Type"))
		if err != nil {
			return err
		}
		who := edge.Who(r.Context())
		if err := who.MayWrite(); err != nil {
			return err
		}
		body, release, err := s.inflate.read(r, signal == wire.Traces) // spans keep nothing of it
		if err != nil {
			s.unread()
			return err
		}
		defer release()
		c := call{project: who.Project, experiment: r.Header.Get("X-Mlflow-Experiment-Id"), json: asJSON, body: body}
		partial, err := s.take(r.Context(), signal, &c)
		if err != nil {
			return err
		}
		if asJSON {
			w.Header().Set("Content-Type", "application/json")
			_, err = w.Write(partial.JSON(signal))
		} else {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, err = w.Write(partial.Proto())
		}
		return err
	}
}

// unread counts a request that was refused before it was looked at.
func (s *Surface) unread() {
	s.stats.requests.Add(1)
	s.stats.refused.Add(1)
}

// take is the way of a request of either transport.
func (s *Surface) take(ctx context.Context, signal wire.Signal, c *call) (p wire.Partial, err error) {
	s.stats.requests.Add(1)
	switch signal {
	case wire.Traces:
		p, err = s.spans(ctx, c)
	case wire.LogRecords:
		p, err = s.logs(ctx, c)
	default:
		p, err = s.points(ctx, c)
	}
	if err != nil {
		s.stats.refused.Add(1)
	}
	return p, err
}

func isJSON(contentType string) (bool, error) {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/x-protobuf", "application/protobuf", "application/octet-stream", "":
		return false, nil
	case "application/json":
		return true, nil
	}
	return false, errMedia
}

var errMedia = fault.New(fault.Invalid, "send application/x-protobuf or application/json")

// fail answers with a google.rpc.Status in the request's encoding.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code, msg := edge.Status(err), codeOf(err), messageOf(err)
	if err == errMedia {
		status = http.StatusUnsupportedMediaType
	}
	if asJSON, _ := isJSON(r.Header.Get("Content-Type")); asJSON || err == errMedia {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(wire.StatusJSON(code, msg)) // nobody left to tell
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(status)
	_, _ = w.Write(wire.StatusProto(code, msg))
}

func messageOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Msg
	}
	return "internal error"
}

// codeOf is gRPC's code. Clients send again what is UNAVAILABLE, and RESOURCE_EXHAUSTED with a time to wait.
func codeOf(err error) int32 {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.TooLarge:
		return 3
	case fault.Timeout:
		return 4
	case fault.NotFound:
		return 5
	case fault.Forbidden:
		return 7
	case fault.RateLimited:
		return 8
	case fault.Unavailable:
		return 14
	case fault.Unauthenticated, fault.Expired:
		return 16
	case fault.Canceled:
		return 1
	}
	return 13
}

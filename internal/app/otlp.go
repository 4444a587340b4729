package app

import (
	"context"
	"path/filepath"

	"weir/internal/catalog"
	"weir/internal/config"
	"weir/internal/ingest"
	"weir/internal/store/points"
	"weir/internal/surface/otlp"
)

// openIngest starts what takes spans from outside.
func (a *App) openIngest(ctx context.Context, c *config.Config) error {
	a.taker = ingest.NewTaker(ingest.TakerOptions{
		Store: a.stores.truth, Log: a.log.For("ingest"), Refusing: a.recorder.Unfit,
		Bodies: func() bool { return a.config.Load().Recording.Bodies }, Model: a.priced,
		Spans: c.Ingest.MaxSpans, Bytes: int(c.Ingest.MaxBytes), Behind: a.query.behind,
	})
	a.points = points.Open(filepath.Join(c.Data, metricsDir), points.Options{Days: c.Ingest.MetricDays})
	return a.services.start(ctx, "ingest", a.taker)
}

// metricsDir is the folder of data points below the data folder.
const metricsDir = "metrics"

// priced is what is known of an upstream's model: prices of the configuration come before the catalog's.
func (a *App) priced(provider, model string) catalog.Model {
	for _, d := range a.gateway.Deployments() {
		if d.Target.Model == model && (provider == "" || d.Target.Provider == provider) {
			return d.Model
		}
	}
	return catalog.Lookup(provider, model)
}

// newOTLP is the surface; a.taker is nil where only its routes are asked for.
func (a *App) newOTLP(c *config.Config) *otlp.Surface {
	d := otlp.Deps{Intake: a.taker, Points: a.points, MaxBody: int64(c.Ingest.MaxRequest), Log: a.log.For("edge")}
	if a.stores != nil {
		d.Scores = a.stores.truth
	}
	a.otlp = otlp.New(d)
	return a.otlp
}

// serveGRPC opens OTLP's own port.
func (a *App) serveGRPC(ctx context.Context, c *config.Config) error {
	return a.services.start(ctx, "otlp grpc", otlp.NewGRPC(a.otlp, a.auth, c.Server.OTLPGRPC, c.Server.Drain.D()))
}

// otlpMetrics are the surface's counts; what the intake counts is told beside the recorder's.
func (a *App) otlpMetrics(counter register) {
	count := func(of func(otlp.Stats) int64) func() float64 {
		return func() float64 {
			if a.otlp == nil {
				return 0
			}
			return float64(of(a.otlp.Stats()))
		}
	}
	counter("weir_otlp_requests_total", "OTLP requests by either transport.", count(func(s otlp.Stats) int64 { return s.Requests }))
	counter("weir_otlp_refused_requests_total", "Those among them that were refused as a whole.", count(func(s otlp.Stats) int64 { return s.Refused }))
	counter("weir_otlp_rejected_spans_total", "Spans refused singly, unreadable ones included.", count(func(s otlp.Stats) int64 { return s.Rejected }))
	counter("weir_otlp_log_records_total", "Log records received.", count(func(s otlp.Stats) int64 { return s.Logs }))
	counter("weir_otlp_log_events_total", "GenAI events among them.", count(func(s otlp.Stats) int64 { return s.Events }))
	counter("weir_otlp_scores_total", "Evaluation results among them.", count(func(s otlp.Stats) int64 { return s.Scores }))
	counter("weir_otlp_points_total", "Data points of metrics kept.", count(func(s otlp.Stats) int64 { return s.Points }))
	counter("weir_otlp_other_points_total", "Data points of metrics counted only.", count(func(s otlp.Stats) int64 { return s.OtherPoints }))
}

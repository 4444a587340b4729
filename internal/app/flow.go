package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weir/internal/ingest"
	"weir/internal/surface/api"
)

// meter turns a count that is looked at now and then into a rate.
type meter struct {
	mu   sync.Mutex
	at   time.Time
	n    int64
	rate float64
}

// meterSpan is the shortest time a rate is taken over.
const meterSpan = 2 * time.Second

// perSecond is the rate since it was last asked for, at least meterSpan ago; the first answer is over the time since
// from.
func (m *meter) perSecond(n int64, now, from time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at.IsZero() {
		m.at = from
	}
	if took := now.Sub(m.at); took >= meterSpan {
		m.rate, m.at, m.n = float64(n-m.n)/took.Seconds(), now, n
	}
	return m.rate
}

// taken is what applications sent; zero before the intake is there.
func (a *App) taken() ingest.TakerStats {
	if a.taker == nil {
		return ingest.TakerStats{}
	}
	return a.taker.Stats()
}

// addFlow tells what comes in and how far behind it the indexes are.
func (a *App) addFlow(out *api.SystemState) {
	calls, spans := a.recorder.Stats(), a.taken()
	out.Ingest = api.IngestState{
		SpansPerS: a.flow.perSecond(calls.Recorded+spans.Accepted, time.Now(), a.started), Calls: calls.Recorded, Accepted: spans.Accepted,
		Rejected: spans.Rejected, Refused: calls.Refused + spans.Refused, InFlight: spans.Spans, Capacity: spans.SpansLimit,
	}
	text := a.query.texts.Status()
	out.Fulltext = api.TextState{Ready: text.Ready, Lag: text.Lag(), Held: text.Held, Error: text.Err}
	out.Errors = a.log.Errors()
	sent, failed := a.tracer.Stats()
	out.Telemetry = api.TelemetryState{Exporting: a.tracer != nil, Sent: sent, Failed: failed}
}

type register func(name, help string, f func() float64)

func (a *App) flowMetrics(gauge, counter register) {
	taken := func(of func(ingest.TakerStats) int64) func() float64 {
		return func() float64 { return float64(of(a.taken())) }
	}
	counter("weir_ingest_accepted_spans_total", "Spans of applications that were stored.", taken(func(s ingest.TakerStats) int64 { return s.Accepted }))
	counter("weir_ingest_rejected_spans_total", "Spans of applications that were malformed.", taken(func(s ingest.TakerStats) int64 { return s.Rejected }))
	counter("weir_ingest_updated_spans_total", "Accepted spans that added to one stored before.", taken(func(s ingest.TakerStats) int64 { return s.Updated }))
	counter("weir_ingest_refused_requests_total", "Requests sent away because the queue was full or the disk low.", taken(func(s ingest.TakerStats) int64 { return s.Refused }))
	gauge("weir_ingest_spans_in_flight", "Spans of applications on their way to the disk.", taken(func(s ingest.TakerStats) int64 { return s.Spans }))
	gauge("weir_ingest_bytes_in_flight", "Their size.", taken(func(s ingest.TakerStats) int64 { return s.Bytes }))
	gauge("weir_index_lag", "Changes that the index does not hold yet.", func() float64 { return float64(a.query.State().Lag()) })
	gauge("weir_index_rows", "Spans in the index.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), checkTime)
		defer cancel()
		return float64(a.query.Rows(ctx))
	})
	gauge("weir_fulltext_lag", "Changes that a search for text does not find yet.", func() float64 { return float64(a.query.texts.Status().Lag()) })
	gauge("weir_disk_free_bytes", "Free space of the data folder.", func() float64 {
		free, _ := a.disk()
		return float64(free)
	})
	counter("weir_telemetry_sent_spans_total", "Spans of Weir's own work that were exported.", func() float64 {
		sent, _ := a.tracer.Stats()
		return float64(sent)
	})
	counter("weir_telemetry_failed_exports_total", "Exports that failed.", func() float64 {
		_, failed := a.tracer.Stats()
		return float64(failed)
	})
}

var (
	storeDesc = prometheus.NewDesc("weir_store_bytes", "Size of a store on disk.", []string{"store"}, nil)
	partDesc  = prometheus.NewDesc("weir_truth_bytes", "Size on disk of a part of the truth, without its log.", []string{"part"}, nil)
	errorDesc = prometheus.NewDesc("weir_errors_total", "Errors logged, by component.", []string{"component"}, nil)
)

// labelled collects figures of which there are several.
type labelled struct{ a *App }

// Describe implements prometheus.Collector.
func (l *labelled) Describe(ch chan<- *prometheus.Desc) {
	ch <- storeDesc
	ch <- partDesc
	ch <- errorDesc
}

// Collect implements prometheus.Collector.
func (l *labelled) Collect(ch chan<- prometheus.Metric) {
	for name, size := range l.a.storeSizes() {
		ch <- prometheus.MustNewConstMetric(storeDesc, prometheus.GaugeValue, float64(size), name)
	}
	parts, err := l.a.stores.truth.Parts()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(partDesc, err)
	}
	for name, size := range parts {
		ch <- prometheus.MustNewConstMetric(partDesc, prometheus.GaugeValue, float64(size), name)
	}
	for component, n := range l.a.log.Errors() {
		ch <- prometheus.MustNewConstMetric(errorDesc, prometheus.CounterValue, float64(n), component)
	}
}

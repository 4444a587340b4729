package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"weir/internal/edge"
)

// metrics is Weir's view of itself for Prometheus, on a registry of its own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func (a *App) newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "weir_http_request_duration_seconds", Help: "Duration of HTTP requests, streams to their end.",
		Buckets: []float64{.001, .005, .02, .1, .5, 1, 2.5, 5, 10, 30, 60, 300},
	}, []string{"route", "status"})}
	gauge := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	counter := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge("weir_calls_in_flight", "Model calls between admission and the end of their answer.", func() float64 { return float64(a.gateway.InFlight()) })
	gauge("weir_recorder_queue_depth", "Finished calls waiting to be written.", func() float64 { return float64(a.recorder.Stats().Depth) })
	counter("weir_recorded_calls_total", "Calls written to the store.", func() float64 { return float64(a.recorder.Stats().Recorded) })
	counter("weir_refused_calls_total", "Calls refused because their record was at risk.", func() float64 { return float64(a.recorder.Stats().Refused) })
	counter("weir_interrupted_calls_total", "Calls a crash interrupted, found at start.", func() float64 { return float64(a.recorder.Stats().Interrupted) })
	counter("weir_record_retries_total", "Commits that had to be repeated.", func() float64 { return float64(a.recorder.Stats().Retries) })
	a.flowMetrics(gauge, counter)
	a.otlpMetrics(counter)
	a.watchMetrics(gauge, counter)
	m.registry.MustRegister(&labelled{a: a})
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Routes serves /metrics to administrators.
func (m *metrics) Routes() []edge.Route {
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return []edge.Route{{
		Pattern: "GET /metrics", Access: edge.Admin, Doc: "Prometheus metrics", Fail: plainFail,
		Handle: func(w http.ResponseWriter, r *http.Request) error { h.ServeHTTP(w, r); return nil },
	}}
}

// plainFail is the envelope of routes that belong to no dialect.
func plainFail(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, http.StatusText(edge.Status(err)), edge.Status(err))
}

package api

import (
	"context"
	"net/http"
	"time"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/ingest"
	"weir/internal/jsonx"
)

// OTelMetrics is the gen_ai metrics that programs have sent, and the data points of one of them.
type OTelMetrics struct {
	Series    []OTelSeries `json:"series" nullable:"false" doc:"metrics with points in the time asked for"`
	Points    []OTelPoint  `json:"points" nullable:"false" doc:"of the metric asked for, in order of arrival"`
	Truncated bool         `json:"truncated" doc:"the limit left some out"`
}

// OTelSeries is one metric.
type OTelSeries struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Kind   string `json:"kind" doc:"gauge, sum, histogram, exponential_histogram or summary"`
	Points int    `json:"points"`
	First  string `json:"first" format:"date-time"`
	Last   string `json:"last" format:"date-time"`
}

// OTelPoint is one data point. Value is of gauges and sums, the others are of histograms and summaries.
type OTelPoint struct {
	Time       string    `json:"t" format:"date-time"`
	Attributes jsonx.Raw `json:"attributes"`
	Resource   jsonx.Raw `json:"resource"`
	Value      float64   `json:"value"`
	Count      uint64    `json:"count"`
	Sum        float64   `json:"sum"`
	Min        float64   `json:"min"`
	Max        float64   `json:"max"`
	Buckets    []uint64  `json:"buckets" nullable:"false"`
	Bounds     []float64 `json:"bounds" nullable:"false" doc:"upper bounds of all buckets but the last"`
}

func (s *Surface) otelMetrics() {
	register(s, op{method: http.MethodGet, path: "/otel/metrics", id: "otelMetrics", doc: "gen_ai metrics that programs sent by OTLP"}, s.listOTelMetrics)
}

type otelMetricsInput struct {
	Name  string    `query:"name" maxLength:"256" doc:"metric whose points are wanted; empty = only the series" example:"gen_ai.client.token.usage"`
	From  time.Time `query:"from"`
	To    time.Time `query:"to"`
	Limit int       `query:"limit" minimum:"1" maximum:"100000" default:"10000"`
}

func (s *Surface) listOTelMetrics(ctx context.Context, in *otelMetricsInput) (*body[OTelMetrics], error) {
	if s.Metrics == nil {
		return nil, fault.New(fault.NotFound, "metrics are not kept")
	}
	points, series, truncated, err := s.Metrics.Points(ctx, edge.Who(ctx).Project, ingest.PointQuery{Name: in.Name, From: in.From, To: in.To, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	m := OTelMetrics{Series: []OTelSeries{}, Points: make([]OTelPoint, 0, len(points)), Truncated: truncated}
	for _, x := range series {
		m.Series = append(m.Series, OTelSeries{Name: x.Name, Unit: x.Unit, Kind: x.Kind, Points: x.Points, First: stamp(x.First), Last: stamp(x.Last)})
	}
	for i := range points {
		m.Points = append(m.Points, otelPoint(&points[i]))
	}
	return &body[OTelMetrics]{m}, nil
}

func otelPoint(p *ingest.Point) OTelPoint {
	o := OTelPoint{
		Time: stamp(p.Time), Attributes: p.Attributes, Resource: p.Resource, Value: p.Value, Count: p.Count, Sum: p.Sum,
		Min: p.Min, Max: p.Max, Buckets: p.Buckets, Bounds: p.Bounds,
	}
	for _, object := range []*jsonx.Raw{&o.Attributes, &o.Resource} {
		if len(*object) == 0 {
			*object = jsonx.Raw("{}")
		}
	}
	if o.Buckets == nil {
		o.Buckets = []uint64{}
	}
	if o.Bounds == nil {
		o.Bounds = []float64{}
	}
	return o
}

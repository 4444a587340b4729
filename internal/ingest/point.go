package ingest

import (
	"context"
	"time"

	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// Point is one data point of a metric. Value is of gauges and sums, Count and what follows of histograms and summaries.
type Point struct {
	Name       string    `json:"name"`
	Unit       string    `json:"unit,omitempty"`
	Kind       string    `json:"kind"` // "gauge", "sum", "histogram", "exponential_histogram" or "summary"
	Start      time.Time `json:"start,omitzero"`
	Time       time.Time `json:"time"`
	Attributes jsonx.Raw `json:"attributes,omitempty"` // object
	Resource   jsonx.Raw `json:"resource,omitempty"`   // object
	Value      float64   `json:"value,omitempty"`
	Count      uint64    `json:"count,omitempty"`
	Sum        float64   `json:"sum,omitempty"`
	Min        float64   `json:"min,omitempty"`
	Max        float64   `json:"max,omitempty"`
	Buckets    []uint64  `json:"buckets,omitempty"`
	Bounds     []float64 `json:"bounds,omitempty"`
}

// Series is a metric as far as points of it are kept.
type Series struct {
	Name, Unit, Kind string
	Points           int
	First, Last      time.Time
}

// PointQuery selects points by their time, From inclusive and To exclusive. Without a name only the series are told.
type PointQuery struct {
	Name     string
	From, To time.Time
	Limit    int
}

// Points keeps data points of metrics for some days.
type Points interface {
	// AddPoints returns once the points survive power loss. fault.RateLimited means that the day is full.
	AddPoints(ctx context.Context, p tenant.ProjectID, points []Point) error
	// Points returns the selected points in order of arrival, and the series there are, by name. Truncated says that the
	// limit left some out.
	Points(ctx context.Context, p tenant.ProjectID, q PointQuery) (points []Point, series []Series, truncated bool, err error)
}

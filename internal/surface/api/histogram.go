package api

import (
	"context"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/query"
)

// Histogram is how the values of a field are spread.
type Histogram struct {
	Field   string            `json:"field"`
	Unit    string            `json:"unit" enum:"ms,usd,count"`
	Log     bool              `json:"log" doc:"buckets are of equal width on a logarithmic scale"`
	Count   int64             `json:"count" doc:"spans with a value"`
	Buckets []HistogramBucket `json:"buckets" nullable:"false"`
	P50     *float64          `json:"p50" nullable:"true"`
	P90     *float64          `json:"p90" nullable:"true"`
	P95     *float64          `json:"p95" nullable:"true"`
	P99     *float64          `json:"p99" nullable:"true"`
	Partial bool              `json:"partial"`
}

// HistogramBucket counts the values from one edge up to the next.
type HistogramBucket struct {
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Count  int64   `json:"count"`
	Errors int64   `json:"errors"`
}

// Heatmap is how the values of a field are spread, per interval.
type Heatmap struct {
	Field      string    `json:"field"`
	Unit       string    `json:"unit" enum:"ms,usd,count"`
	IntervalMS int64     `json:"interval_ms"`
	Intervals  []string  `json:"intervals" nullable:"false" doc:"starts"`
	Edges      []float64 `json:"edges" nullable:"false" doc:"one more than there are counts in a row"`
	Counts     [][]int64 `json:"counts" nullable:"false" doc:"a row per interval"`
	Partial    bool      `json:"partial"`
}

// Spread asks how the values of a field are spread over model calls, unless the filter chooses kinds itself.
type Spread struct {
	Selection
	Field   string `query:"field" default:"duration" maxLength:"40" doc:"duration, ttft, cost, tokens or another number"`
	Buckets int    `query:"buckets" minimum:"1" maximum:"200" default:"40"`
}

func (in *Spread) read(ctx context.Context) (h query.HistogramQuery, err error) {
	if h.Query, err = in.query(ctx); err != nil {
		return h, err
	}
	h.Filter = query.CallsOnly(h.Filter)
	h.Buckets = in.Buckets
	h.Field = query.FieldNamed(in.Field)
	if h.Field == nil || !h.Field.Sortable() || h.Field.Type == query.Time {
		return h, fault.Bad("field", "field: there is no histogram of %q", clip.To(in.Field, 60))
	}
	return h, nil
}

// unitOf is what values are given in, and what the field's own are divided by.
func unitOf(f *query.Field) (unit string, divisor float64) {
	switch f.Type {
	case query.Duration:
		return "ms", 1e6
	case query.Money:
		return "usd", 1e9
	}
	return "count", 1
}

func (s *Surface) histogram(ctx context.Context, in *Spread) (*body[Histogram], error) {
	h, err := in.read(ctx)
	if err != nil {
		return nil, err
	}
	got, partial, err := s.Query.Histogram(ctx, h)
	if err != nil {
		return nil, err
	}
	unit, by := unitOf(h.Field)
	out := Histogram{Field: h.Field.Name, Unit: unit, Log: true, Count: got.Count, Partial: partial, Buckets: []HistogramBucket{}}
	if len(got.Intervals) == 0 {
		return reply(out)
	}
	out.P50, out.P90, out.P95, out.P99 = new(got.P50/by), new(got.P90/by), new(got.P95/by), new(got.P99/by)
	for i, n := range got.Intervals[0].Counts {
		out.Buckets = append(out.Buckets, HistogramBucket{From: got.Edges[i] / by, To: got.Edges[i+1] / by, Count: n, Errors: got.Intervals[0].Errors[i]})
	}
	return reply(out)
}

type heatmapInput struct {
	Spread
	Interval string `query:"interval" default:"auto" enum:"auto,1m,5m,15m,1h,6h,1d"`
}

func (s *Surface) heatmap(ctx context.Context, in *heatmapInput) (*body[Heatmap], error) {
	h, err := in.read(ctx)
	if err != nil {
		return nil, err
	}
	if h.From, h.To, err = period(h.From, h.To, s.Now().UTC()); err != nil {
		return nil, err
	}
	h.Interval = interval(in.Interval, h.To.Sub(h.From))
	if h.To.Sub(h.From)/h.Interval > maxPoints {
		return nil, fault.Bad("interval", "more than %d intervals; choose a longer interval or a shorter time", maxPoints)
	}
	got, partial, err := s.Query.Histogram(ctx, h)
	if err != nil {
		return nil, err
	}
	unit, by := unitOf(h.Field)
	out := Heatmap{
		Field: h.Field.Name, Unit: unit, IntervalMS: h.Interval.Milliseconds(), Intervals: []string{}, Edges: make([]float64, len(got.Edges)), Counts: [][]int64{}, Partial: partial,
	}
	for i, e := range got.Edges {
		out.Edges[i] = e / by
	}
	have := got.Intervals
	for t := query.Bucket(h.From, h.Interval); t.Before(h.To); t = t.Add(h.Interval) {
		row := make([]int64, max(len(got.Edges)-1, 0))
		if len(have) > 0 && !have[0].Time.After(t) {
			row, have = have[0].Counts, have[1:]
		}
		out.Intervals, out.Counts = append(out.Intervals, stamp(t)), append(out.Counts, row)
	}
	return reply(out)
}

// period is the time asked for; the last day if none is.
func period(from, to, now time.Time) (time.Time, time.Time, error) {
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) {
		return from, to, fault.Bad("from", "from must be earlier than to, which is now if not given")
	}
	return from, to, nil
}

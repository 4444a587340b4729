package otlp

import (
	"context"
	"strings"

	"weir/internal/ingest"
	wire "weir/internal/wire/otlp"
)

// kept reports whether data points of a metric are stored.
func kept(metric string) bool { return strings.HasPrefix(metric, "gen_ai.") }

// points takes a metrics request: gen_ai metrics are kept, the others counted.
func (s *Surface) points(ctx context.Context, c *call) (wire.Partial, error) {
	var keep []ingest.Point
	read := wire.Points
	if c.json {
		read = wire.PointsJSON
	}
	want := kept
	if s.Points == nil {
		want = func(string) bool { return false }
	}
	others, err := read(c.body, want, func(p ingest.Point) error { keep = append(keep, p); return nil })
	if err != nil {
		return wire.Partial{}, err
	}
	if len(keep) > 0 {
		if err := s.Points.AddPoints(ctx, c.project, keep); err != nil {
			return wire.Partial{}, err
		}
	}
	s.stats.points.Add(int64(len(keep)))
	s.stats.otherPoints.Add(int64(others))
	return wire.Partial{}, nil
}

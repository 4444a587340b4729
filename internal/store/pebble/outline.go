package pebble

import (
	"context"
	"slices"
	"strings"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

var _ query.Outliner = (*Store)(nil)

// Outline implements query.Outliner.
func (s *Store) Outline(ctx context.Context, p tenant.ProjectID, trace string) (out []span.Outline, err error) {
	day, err := s.storedHome(traceKey(p, trace))
	if err != nil {
		return nil, err
	}
	if day != nil {
		lower := spansOf(p, *day, trace)
		var sp span.Span // of one turn only
		err = s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
			if _, err := decodeInto(&sp, k, v); err != nil {
				return false, err
			}
			out = append(out, owned(span.OutlineOf(&sp)))
			return true, nil
		})
	}
	if err == nil && len(out) == 0 {
		return nil, fault.New(fault.NotFound, "trace %s not found", trace)
	}
	slices.SortStableFunc(out, func(a, b span.Outline) int { return a.Start.Compare(b.Start) })
	return out, err
}

// owned is an outline that outlives the record it was read from.
func owned(o span.Outline) span.Outline {
	for _, t := range [...]*string{&o.ID, &o.Parent, &o.Name, (*string)(&o.Kind), (*string)(&o.Status), &o.Model, &o.Error} {
		*t = strings.Clone(*t)
	}
	return o
}

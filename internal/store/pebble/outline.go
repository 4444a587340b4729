package pebble

import (
	"context"
	"slices"
	"time"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

var _ query.Outliner = (*Store)(nil)

// outlined is the part of a stored span that its outline needs; the decoder passes over the rest.
type outlined struct {
	ID        string      `json:"id"`
	Parent    string      `json:"parent"`
	Name      string      `json:"name"`
	Kind      span.Kind   `json:"kind"`
	Start     time.Time   `json:"start"`
	End       time.Time   `json:"end"`
	Status    span.Status `json:"status"`
	ErrorType string      `json:"error_type"`
	ErrorText string      `json:"error_text"`
	Group     string      `json:"group"`
	Usage     llm.Usage   `json:"usage"`
	Cost      struct {
		Total money.Nano `json:"total"`
	} `json:"cost"`
	Covered    bool          `json:"covered"`
	FirstToken time.Duration `json:"first_token"`
}

// Outline implements query.Outliner.
func (s *Store) Outline(ctx context.Context, p tenant.ProjectID, trace string) (out []span.Outline, err error) {
	day, err := s.storedHome(traceKey(p, trace))
	if err != nil {
		return nil, err
	}
	if day != nil {
		lower := spansOf(p, *day, trace)
		err = s.each(ctx, lower, after(lower), func(_, v []byte) (bool, error) {
			var o outlined
			if err := jsonx.Unmarshal(v, &o); err != nil {
				return false, fault.Wrap(fault.Internal, err, "a stored span cannot be read")
			}
			out = append(out, span.OutlineOf(&span.Span{
				ID: o.ID, Parent: o.Parent, Name: o.Name, Kind: o.Kind, Start: o.Start, End: o.End, Status: o.Status, ErrorType: o.ErrorType,
				ErrorText: o.ErrorText, Group: o.Group, Usage: o.Usage, Cost: span.Cost{Total: o.Cost.Total}, Covered: o.Covered, FirstToken: o.FirstToken,
			}))
			return true, nil
		})
	}
	if err == nil && len(out) == 0 {
		return nil, fault.New(fault.NotFound, "trace %s not found", trace)
	}
	slices.SortStableFunc(out, func(a, b span.Outline) int { return a.Start.Compare(b.Start) })
	return out, err
}

package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/tenant"
)

// Retention tells and sets how long projects keep traces.
type Retention interface {
	// Retention is the setting of the caller's project, and what 0 stands for.
	Retention(who *tenant.Identity) (days, standard int, err error)
	// SetRetention is for administrators.
	SetRetention(ctx context.Context, who *tenant.Identity, days int) error
}

// RetentionInfo is how long a project keeps traces.
type RetentionInfo struct {
	Days        int `json:"days" doc:"days that traces are kept; 0 = as long as default_days, -1 = for ever"`
	DefaultDays int `json:"default_days" doc:"of the configuration; 0 = for ever"`
}

type setRetentionInput struct {
	Body struct {
		Days int `json:"days" minimum:"-1" maximum:"36500" doc:"0 = as long as the configuration says, -1 = for ever"`
	}
}

func (s *Surface) retaining() {
	register(s, op{method: http.MethodGet, path: "/retention", id: "getRetention", doc: "How long the project keeps traces", access: edge.Admin}, s.getRetention)
	register(s, op{method: http.MethodPut, path: "/retention", id: "setRetention", doc: "Set how long the project keeps traces", access: edge.Admin}, s.setRetention)
}

func (s *Surface) getRetention(ctx context.Context, _ *none) (*body[RetentionInfo], error) {
	days, standard, err := s.Retention.Retention(edge.Who(ctx))
	if err != nil {
		return nil, err
	}
	return reply(RetentionInfo{Days: days, DefaultDays: standard})
}

func (s *Surface) setRetention(ctx context.Context, in *setRetentionInput) (*body[RetentionInfo], error) {
	who := edge.Who(ctx)
	was, _, err := s.Retention.Retention(who)
	if err != nil {
		return nil, err
	}
	if err := s.Retention.SetRetention(ctx, who, in.Body.Days); err != nil {
		return nil, err
	}
	s.noted(ctx, "retention.change", string(who.Project), map[string]any{"days": in.Body.Days, "was": was})
	return s.getRetention(ctx, nil)
}

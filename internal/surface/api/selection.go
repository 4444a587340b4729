package api

import (
	"context"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/query"
)

// Selection is how lists are narrowed.
type Selection struct {
	Filter string `query:"filter" maxLength:"8192" doc:"filter language, e.g. status = error and duration > 2s" example:"model like \"claude%\" and cost > 0.05"`
	From   string `query:"from" format:"date-time" doc:"start at or after"`
	To     string `query:"to" format:"date-time" doc:"start before"`
}

// Paging asks for a page.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

// query reads a selection for the caller's project.
func (in Selection) query(ctx context.Context) (q query.Query, err error) {
	q.Project = edge.Who(ctx).Project
	if q.Filter, err = query.Parse(in.Filter); err != nil {
		return q, err
	}
	if q.From, err = parseTime("from", in.From); err != nil {
		return q, err
	}
	if q.To, err = parseTime("to", in.To); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, fault.Bad("to", "to must be later than from")
	}
	return q, nil
}

func parseTime(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fault.Bad(field, "%s must be a time such as 2026-03-01T12:00:00Z", field)
	}
	return t.UTC(), nil
}

// fieldNamed reads a field to group by, with the path of metadata.
func fieldNamed(param, name string) (f *query.Field, path string, err error) {
	if whole, quoted := strings.CutPrefix(name, "`"); quoted {
		name = strings.TrimSuffix(whole, "`")
	}
	f, path = query.Lookup(name)
	if f == nil || !f.Groupable() {
		return nil, "", fault.Bad(param, "%s: there are no groups by %q", param, clip.To(name, 60))
	}
	return f, path, nil
}

package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
)

// UserUsage sums up what one user caused. Calls, cost and usage leave out covered spans.
type UserUsage struct {
	User      string      `json:"user" doc:"empty where only the client names who it is for"`
	EndUser   string      `json:"end_user" doc:"whom the client named, where no user is known"`
	Email     string      `json:"email"`
	Calls     int64       `json:"calls"`
	Errors    int64       `json:"errors"`
	Spans     int64       `json:"spans"`
	Sessions  int64       `json:"sessions"`
	Traces    int64       `json:"traces"`
	CostUSD   float64     `json:"cost_usd"`
	Usage     Usage       `json:"usage"`
	FirstSeen string      `json:"first_seen" format:"date-time"`
	LastSeen  string      `json:"last_seen" format:"date-time"`
	Models    []string    `json:"models" nullable:"false"`
	Scores    []ScoreMean `json:"scores" nullable:"false"`
}

// UserUsageList is a page of users.
type UserUsageList struct {
	Items      []UserUsage `json:"items" nullable:"false"`
	NextCursor string      `json:"next_cursor"`
	Partial    bool        `json:"partial"`
}

// Activity is calls by day.
type Activity struct {
	Days    []ActiveDay `json:"days" nullable:"false" doc:"UTC, in order; days without calls are left out"`
	Partial bool        `json:"partial"`
}

// ActiveDay is one of them.
type ActiveDay struct {
	Day     string  `json:"day" format:"date"`
	Calls   int64   `json:"calls"`
	Errors  int64   `json:"errors"`
	Tokens  int64   `json:"tokens"`
	CostUSD float64 `json:"cost_usd"`
}

func (s *Surface) usage() {
	register(s, op{method: http.MethodGet, path: "/usage/users", id: "userUsage", doc: "Who caused the selected spans"}, s.userUsage)
	register(s, op{method: http.MethodGet, path: "/users-activity", id: "userActivity", doc: "Calls of a user by day"}, s.userActivity)
}

type userUsageInput struct {
	Selection
	Paging
	Sort string `query:"sort" default:"-cost" enum:"-cost,-calls,-errors,-tokens,-last_seen"`
}

func (s *Surface) userUsage(ctx context.Context, in *userUsageInput) (*body[UserUsageList], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	rows, cursor, partial, err := s.Query.Users(ctx, query.UserQuery{Query: q, By: strings.TrimPrefix(in.Sort, "-"), Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := UserUsageList{Items: make([]UserUsage, len(rows)), NextCursor: cursor, Partial: partial}
	for i, r := range rows {
		out.Items[i] = UserUsage{
			User: string(r.User), EndUser: r.EndUser, Email: r.Email, Calls: r.Calls, Errors: r.Errors, Spans: r.Spans, Sessions: r.Sessions, Traces: r.Traces,
			CostUSD: r.Cost.USD(), Usage: usageOf(r.Usage), FirstSeen: stamp(r.First), LastSeen: stamp(r.Last), Models: list(r.Models), Scores: meansOf(r.Scores),
		}
	}
	return reply(out)
}

type activityInput struct{ Selection }

func (s *Surface) activity(ctx context.Context, in *activityInput) (*body[Activity], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	return s.days(ctx, q)
}

type userActivityInput struct {
	Selection
	User string `query:"user" maxLength:"256" doc:"user, or the end user that clients name"`
}

func (s *Surface) userActivity(ctx context.Context, in *userActivityInput) (*body[Activity], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	if in.User == "" {
		return nil, fault.Bad("user", "user is missing")
	}
	q.Filter = query.All(q.Filter, query.Or{query.Is(query.FieldNamed("user"), in.User), query.Is(query.FieldNamed("end_user"), in.User)})
	return s.days(ctx, q)
}

// activeDays is how far back activity is looked at, unless a time is given.
const activeDays = 371 // a year of whole weeks

func (s *Surface) days(ctx context.Context, q query.Query) (*body[Activity], error) {
	if q.From.IsZero() {
		q.From = s.Now().UTC().AddDate(0, 0, -activeDays)
	}
	q.Filter = query.CallsOnly(q.Filter)
	got, partial, err := s.Query.Aggregate(ctx, query.Aggregate{Query: q, Interval: 24 * time.Hour, Lean: true})
	if err != nil {
		return nil, err
	}
	out := Activity{Days: []ActiveDay{}, Partial: partial}
	for _, x := range got.Series {
		for _, p := range x.Points {
			out.Days = append(out.Days, ActiveDay{
				Day: p.Time.Format(time.DateOnly), Calls: p.Calls, Errors: p.Errors, Tokens: p.Usage.Total(), CostUSD: p.Cost.USD(),
			})
		}
	}
	return reply(out)
}

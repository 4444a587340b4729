package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"weir/internal/alert"
	"weir/internal/edge"
	"weir/internal/fault"
)

// Alert is a rule with how it stands.
type Alert struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Enabled      bool           `json:"enabled"`
	Filter       string         `json:"filter"`
	Measure      string         `json:"measure"`
	GroupBy      string         `json:"group_by"`
	Op           string         `json:"op" enum:">,<"`
	Threshold    float64        `json:"threshold" doc:"durations in ms, cost in dollars, rates as fractions of 1"`
	Window       string         `json:"window" example:"5m"`
	Every        string         `json:"every" example:"1m"`
	MinCalls     int64          `json:"min_calls"`
	NoData       string         `json:"no_data" enum:"ok,alert"`
	Cooldown     string         `json:"cooldown" example:"1h"`
	Channels     []AlertChannel `json:"channels" nullable:"false"`
	State        string         `json:"state" enum:"ok,firing,no_data,error"`
	Reason       string         `json:"reason" doc:"of no_data and error"`
	Since        string         `json:"since"`
	Value        *float64       `json:"value" nullable:"true" doc:"of the group that stands worst"`
	LastChecked  string         `json:"last_checked"`
	LastNotified string         `json:"last_notified"`
	SnoozedUntil string         `json:"snoozed_until" doc:"empty = not snoozed"`
	Groups       []AlertGroup   `json:"groups" nullable:"false"`
	Owner        string         `json:"owner"`
	Created      string         `json:"created" format:"date-time"`
	Updated      string         `json:"updated" format:"date-time"`
}

// AlertGroup is how one group of a rule stands.
type AlertGroup struct {
	Group  string   `json:"group"`
	State  string   `json:"state"`
	Reason string   `json:"reason"`
	Since  string   `json:"since"`
	Value  *float64 `json:"value" nullable:"true"`
}

// AlertChannel is where notifications go.
type AlertChannel struct {
	ID     string `json:"id" doc:"send it back to keep the URL and the secret"`
	Kind   string `json:"kind" enum:"webhook,slack,email"`
	URL    string `json:"url" doc:"shortened, since it may hold a secret"`
	To     string `json:"to"`
	Signed bool   `json:"signed" doc:"a secret is set, with which messages are signed"`
}

// AlertList holds the project's rules, by name.
type AlertList struct {
	Items []Alert `json:"items" nullable:"false"`
}

// AlertDelivery is how telling a channel went.
type AlertDelivery struct {
	Channel string `json:"channel"`
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
}

// AlertTest is how telling all channels went.
type AlertTest struct {
	Results []AlertDelivery `json:"results" nullable:"false"`
}

// AlertEvent is a change of state, or a notification.
type AlertEvent struct {
	Time     string          `json:"time" format:"date-time"`
	Group    string          `json:"group"`
	State    string          `json:"state"`
	Reason   string          `json:"reason"`
	Value    *float64        `json:"value" nullable:"true"`
	Notified []AlertDelivery `json:"notified" nullable:"false"`
}

// AlertHistory holds events, newest first.
type AlertHistory struct {
	Items []AlertEvent `json:"items" nullable:"false"`
}

// AlertPreview is what a rule sees now and would have seen.
type AlertPreview struct {
	Value     *float64            `json:"value" nullable:"true"`
	Group     string              `json:"group"`
	State     string              `json:"state"`
	Reason    string              `json:"reason"`
	WouldFire bool                `json:"would_fire"`
	Points    []AlertPreviewPoint `json:"points" nullable:"false" doc:"of the latest windows, all groups together"`
}

// AlertPreviewPoint is a window, by its end.
type AlertPreviewPoint struct {
	T     string   `json:"t" format:"date-time"`
	Value *float64 `json:"value" nullable:"true"`
}

func (s *Surface) alerts() {
	register(s, op{method: http.MethodGet, path: "/alerts", id: "listAlerts", doc: "Alert rules and how they stand"}, s.listAlerts)
	register(s, op{method: http.MethodPost, path: "/alerts", id: "createAlert", doc: "Add an alert rule", status: http.StatusCreated}, s.createAlert)
	register(s, op{method: http.MethodPost, path: "/alerts/preview", id: "previewAlert", doc: "What a rule would see, without saving it"}, s.previewAlert)
	register(s, op{method: http.MethodGet, path: "/alerts/{id}", id: "getAlert", doc: "One alert rule"}, s.getAlert)
	register(s, op{method: http.MethodPatch, path: "/alerts/{id}", id: "updateAlert", doc: "Change the fields given"}, s.updateAlert)
	register(s, op{method: http.MethodDelete, path: "/alerts/{id}", id: "deleteAlert", doc: "Delete an alert rule and its history", status: http.StatusNoContent}, s.deleteAlert)
	register(s, op{method: http.MethodPost, path: "/alerts/{id}/test", id: "testAlert", doc: "Send a test message to the rule's channels"}, s.testAlert)
	register(s, op{method: http.MethodPost, path: "/alerts/{id}/snooze", id: "snoozeAlert", doc: "Tell nobody until a time"}, s.snoozeAlert)
	register(s, op{method: http.MethodGet, path: "/alerts/{id}/history", id: "alertHistory", doc: "Changes of state and notifications, newest first"}, s.alertHistory)
}

type alertFields struct {
	Name         *string              `json:"name,omitempty" maxLength:"200"`
	Enabled      *bool                `json:"enabled,omitempty"`
	Filter       *string              `json:"filter,omitempty" maxLength:"8192"`
	Measure      *string              `json:"measure,omitempty" maxLength:"220" example:"error_rate"`
	GroupBy      *string              `json:"group_by,omitempty" maxLength:"220"`
	Op           *string              `json:"op,omitempty" enum:">,<"`
	Threshold    *float64             `json:"threshold,omitempty"`
	Window       *string              `json:"window,omitempty" maxLength:"20"`
	Every        *string              `json:"every,omitempty" maxLength:"20"`
	MinCalls     *int64               `json:"min_calls,omitempty" minimum:"0"`
	NoData       *string              `json:"no_data,omitempty" enum:"ok,alert"`
	Cooldown     *string              `json:"cooldown,omitempty" maxLength:"20"`
	Channels     *[]alertChannelField `json:"channels,omitempty" maxItems:"10"`
	SnoozedUntil *string              `json:"snoozed_until,omitempty" maxLength:"40"`
	_            struct{}             `additionalProperties:"false"`
}

type alertChannelField struct {
	ID     string   `json:"id,omitempty" maxLength:"200"`
	Kind   string   `json:"kind" enum:"webhook,slack,email"`
	URL    string   `json:"url,omitempty" maxLength:"2000"`
	To     string   `json:"to,omitempty" maxLength:"2000"`
	Secret string   `json:"secret,omitempty" maxLength:"500" doc:"signs messages: X-Weir-Signature is sha256= and the HMAC of the body; write-only"`
	Signed bool     `json:"signed,omitempty" doc:"ignored"`
	_      struct{} `additionalProperties:"false"`
}

// newRule is what a rule is where nothing else is said.
func newRule() alert.Rule {
	return alert.Rule{Enabled: true, Measure: "error_rate", Op: ">", Window: 5 * time.Minute, Every: time.Minute, Cooldown: time.Hour, NoData: "ok"}
}

func (f *alertFields) apply(r *alert.Rule) error {
	set(&r.Name, f.Name)
	set(&r.Enabled, f.Enabled)
	set(&r.Filter, f.Filter)
	set(&r.Measure, f.Measure)
	set(&r.GroupBy, f.GroupBy)
	set(&r.Op, f.Op)
	set(&r.Threshold, f.Threshold)
	set(&r.MinCalls, f.MinCalls)
	set(&r.NoData, f.NoData)
	if f.Channels != nil {
		r.Channels = make([]alert.Channel, len(*f.Channels))
		for i, c := range *f.Channels {
			r.Channels[i] = alert.Channel{ID: c.ID, Kind: alert.Kind(c.Kind), URL: strings.TrimSpace(c.URL), To: c.To, Secret: c.Secret}
		}
	}
	return f.applyTimes(r)
}

func (f *alertFields) applyTimes(r *alert.Rule) (err error) {
	for _, x := range []struct {
		name string
		from *string
		to   *time.Duration
	}{{"window", f.Window, &r.Window}, {"every", f.Every, &r.Every}, {"cooldown", f.Cooldown, &r.Cooldown}} {
		if x.from == nil {
			continue
		}
		if *x.to, err = alert.ParseSpan(*x.from); err != nil {
			return fault.Bad(x.name, "%s must be a duration such as 5m, 1h or 1d", x.name)
		}
	}
	if f.SnoozedUntil != nil {
		r.Snoozed, err = parseTime("snoozed_until", *f.SnoozedUntil)
	}
	return err
}

func (s *Surface) alertOf(a alert.Status) Alert {
	out := Alert{
		ID: a.ID, Name: a.Name, Enabled: a.Enabled, Filter: a.Filter, Measure: a.Measure, GroupBy: a.GroupBy, Op: a.Op, Threshold: a.Threshold,
		Window: alert.Span(a.Window), Every: alert.Span(a.Every), MinCalls: a.MinCalls, NoData: a.NoData, Cooldown: alert.Span(a.Cooldown),
		Channels: make([]AlertChannel, len(a.Channels)), State: string(a.State), Reason: a.Reason, Since: stamp(a.Since), Value: a.Value,
		LastChecked: stamp(a.Checked), LastNotified: stamp(a.Notified), Groups: make([]AlertGroup, len(a.Groups)), Owner: a.Owner,
		Created: stamp(a.Created), Updated: stamp(a.Updated),
	}
	if a.Snoozed.After(s.Now()) {
		out.SnoozedUntil = stamp(a.Snoozed)
	}
	for i, c := range a.Channels {
		out.Channels[i] = AlertChannel{ID: c.ID, Kind: string(c.Kind), URL: c.Shown, To: c.To, Signed: c.Signed}
	}
	for i, g := range a.Groups {
		out.Groups[i] = AlertGroup{Group: g.Group, State: string(g.State), Reason: g.Reason, Since: stamp(g.Since), Value: g.Value}
	}
	return out
}

func (s *Surface) alertReply(a alert.Status, err error) (*body[Alert], error) {
	if err != nil {
		return nil, err
	}
	return reply(s.alertOf(a))
}

func (s *Surface) listAlerts(ctx context.Context, _ *struct{}) (*body[AlertList], error) {
	all, err := s.Alerts.List(ctx, edge.Who(ctx))
	if err != nil {
		return nil, err
	}
	out := AlertList{Items: make([]Alert, len(all))}
	for i, a := range all {
		out.Items[i] = s.alertOf(a)
	}
	return reply(out)
}

type alertInput struct{ Body alertFields }

func (s *Surface) createAlert(ctx context.Context, in *alertInput) (*body[Alert], error) {
	r := newRule()
	if err := in.Body.apply(&r); err != nil {
		return nil, err
	}
	a, err := s.Alerts.Create(ctx, edge.Who(ctx), r)
	if err == nil {
		s.noted(ctx, "alert.create", a.ID, map[string]any{"name": a.Name})
	}
	return s.alertReply(a, err)
}

func (s *Surface) getAlert(ctx context.Context, in *IDInput) (*body[Alert], error) {
	a, err := s.Alerts.Get(ctx, edge.Who(ctx), in.ID)
	return s.alertReply(a, err)
}

type updateAlertInput struct {
	IDInput
	Body alertFields
}

func (s *Surface) updateAlert(ctx context.Context, in *updateAlertInput) (*body[Alert], error) {
	a, err := s.Alerts.Update(ctx, edge.Who(ctx), in.ID, in.Body.apply)
	if err == nil {
		s.noted(ctx, "alert.update", a.ID, map[string]any{"name": a.Name, "enabled": a.Enabled})
	}
	return s.alertReply(a, err)
}

func (s *Surface) deleteAlert(ctx context.Context, in *IDInput) (*none, error) {
	if err := s.Alerts.Delete(ctx, edge.Who(ctx), in.ID); err != nil {
		return nil, err
	}
	s.noted(ctx, "alert.delete", in.ID, nil)
	return &none{}, nil
}

func deliveriesOf(all []alert.Delivery) []AlertDelivery {
	out := make([]AlertDelivery, len(all))
	for i, d := range all {
		out[i] = AlertDelivery(d)
	}
	return out
}

func (s *Surface) testAlert(ctx context.Context, in *IDInput) (*body[AlertTest], error) {
	got, err := s.Alerts.Test(ctx, edge.Who(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(AlertTest{Results: deliveriesOf(got)})
}

type snoozeInput struct {
	IDInput
	Body struct {
		Until string   `json:"until" maxLength:"40" doc:"a time, or a duration from now such as 2h; empty ends it"`
		_     struct{} `additionalProperties:"false"`
	}
}

func (s *Surface) snoozeAlert(ctx context.Context, in *snoozeInput) (*body[Alert], error) {
	until, err := s.snoozeUntil(in.Body.Until)
	if err != nil {
		return nil, err
	}
	a, err := s.Alerts.Snooze(ctx, edge.Who(ctx), in.ID, until)
	if err == nil {
		s.noted(ctx, "alert.snooze", a.ID, map[string]any{"until": stamp(until)})
	}
	return s.alertReply(a, err)
}

func (s *Surface) snoozeUntil(v string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	if d, err := alert.ParseSpan(v); err == nil && d > 0 {
		return s.Now().Add(d), nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, fault.Bad("until", "until must be a time such as 2026-03-01T12:00:00Z, or a duration such as 2h")
	}
	return t, nil
}

type alertHistoryInput struct {
	IDInput
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (s *Surface) alertHistory(ctx context.Context, in *alertHistoryInput) (*body[AlertHistory], error) {
	all, err := s.Alerts.History(ctx, edge.Who(ctx), in.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := AlertHistory{Items: make([]AlertEvent, len(all))}
	for i, e := range all {
		out.Items[i] = AlertEvent{Time: stamp(e.Time), Group: e.Group, State: string(e.State), Reason: e.Reason, Value: e.Value, Notified: deliveriesOf(e.Notified)}
	}
	return reply(out)
}

func (s *Surface) previewAlert(ctx context.Context, in *alertInput) (*body[AlertPreview], error) {
	r := newRule()
	if err := in.Body.apply(&r); err != nil {
		return nil, err
	}
	got, err := s.Alerts.Preview(ctx, edge.Who(ctx), r)
	if err != nil {
		return nil, err
	}
	out := AlertPreview{
		Value: got.Value, Group: got.Group, State: string(got.State), Reason: got.Reason, WouldFire: got.WouldFire, Points: make([]AlertPreviewPoint, len(got.Points)),
	}
	for i, p := range got.Points {
		out.Points[i] = AlertPreviewPoint{T: stamp(p.Time), Value: p.Value}
	}
	return reply(out)
}

package storetest

import (
	"fmt"
	"testing"
	"time"

	"weir/internal/alert"
	"weir/internal/export"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/tenant"
	"weir/internal/view"
)

// WatchStore is what a backend for rows must provide for saved views, alerts and exports.
type WatchStore interface {
	tenant.Store
	view.Store
	alert.Store
	export.Store
}

// Watching is the suite for them. open returns an empty store that the test owns.
func Watching(t *testing.T, open func(*testing.T) WatchStore) {
	for name, run := range map[string]func(*testing.T, WatchStore){
		"Views": watchViews, "Alerts": watchAlerts, "Evaluated": watchEvaluated, "Events": watchEvents, "Exports": watchExports, "Parts": watchParts,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			ctx := t.Context()
			rowsOK(t, s.CreateOrg(ctx, tenant.Org{ID: "o", Name: "Org", Created: rowsAt}))
			rowsOK(t, s.CreateProject(ctx, tenant.Project{ID: "p", Org: "o", Name: "One", Created: rowsAt}))
			rowsOK(t, s.CreateProject(ctx, tenant.Project{ID: "q", Org: "o", Name: "Two", Created: rowsAt}))
			run(t, s)
		})
	}
}

func watchViews(t *testing.T, s WatchStore) {
	ctx := t.Context()
	v := view.View{Project: "p", ID: "v1", Name: "b", Page: "traces", Search: jsonx.Raw(`{"q":"status = error"}`), Owner: "u", Created: rowsAt, Updated: rowsAt}
	rowsOK(t, s.CreateView(ctx, v))
	rowsFail(t, s.CreateView(ctx, v), fault.Conflict)
	rowsFail(t, s.CreateView(ctx, view.View{Project: "nowhere", ID: "x", Search: v.Search}), fault.Conflict)
	shared := v
	shared.ID, shared.Name, shared.Owner, shared.Shared, shared.Page = "v2", "a", "other", true, "errors"
	rowsOK(t, s.CreateView(ctx, shared))
	hidden := v
	hidden.ID, hidden.Owner = "v3", "other"
	rowsOK(t, s.CreateView(ctx, hidden))
	got, err := s.View(ctx, "p", "v1")
	rowsOK(t, err)
	rowsSame(t, got, v)
	_, err = s.View(ctx, "q", "v1")
	rowsFail(t, err, fault.NotFound)
	all, err := s.Views(ctx, "p", "u", "")
	rowsOK(t, err)
	rowsSame(t, all, []view.View{shared, v})
	all, err = s.Views(ctx, "p", "u", "traces")
	rowsOK(t, err)
	rowsSame(t, all, []view.View{v})
	all, err = s.Views(ctx, "q", "u", "")
	rowsOK(t, err)
	rowsSame(t, len(all), 0)
	v.Name, v.Shared, v.Search, v.Updated = "c", true, jsonx.Raw(`{}`), rowsAt.Add(time.Second)
	rowsOK(t, s.UpdateView(ctx, v))
	got, err = s.View(ctx, "p", "v1")
	rowsOK(t, err)
	rowsSame(t, got, v)
	v.Project = "q"
	rowsFail(t, s.UpdateView(ctx, v), fault.NotFound)
	rowsFail(t, s.DeleteView(ctx, "q", "v1"), fault.NotFound)
	rowsOK(t, s.DeleteView(ctx, "p", "v1"))
	rowsFail(t, s.DeleteView(ctx, "p", "v1"), fault.NotFound)
}

func watchRule(id string) alert.Rule {
	return alert.Rule{
		Project: "p", ID: id, Name: "rule " + id, Enabled: true, Filter: "status = error", Measure: "error_rate", GroupBy: "model", Op: ">", Threshold: 0.05,
		Window: 5 * time.Minute, Every: time.Minute, Cooldown: time.Hour, MinCalls: 10, NoData: "alert", Owner: "u", Created: rowsAt, Updated: rowsAt,
		Snoozed:  rowsAt.Add(time.Hour),
		Channels: []alert.Channel{{ID: "c", Kind: alert.Webhook, Shown: "https://hooks.example.com/…", Signed: true, Sealed: "v1:x"}, {ID: "d", Kind: alert.Email, To: "a@example.com"}},
	}
}

func watchAlerts(t *testing.T, s WatchStore) {
	ctx := t.Context()
	r := watchRule("a")
	rowsOK(t, s.CreateAlert(ctx, r))
	rowsFail(t, s.CreateAlert(ctx, r), fault.Conflict)
	got, err := s.Alert(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, r)
	_, err = s.Alert(ctx, "q", "a")
	rowsFail(t, err, fault.NotFound)
	other := watchRule("b")
	other.Project = "q"
	rowsOK(t, s.CreateAlert(ctx, other))
	for p, want := range map[tenant.ProjectID]int{"p": 1, "q": 1, "": 2, "nowhere": 0} {
		all, err := s.Alerts(ctx, p)
		rowsOK(t, err)
		rowsSame(t, len(all), want)
	}
	// A secret in the clear is not kept, whoever forgot to seal it.
	r.Channels[0].URL, r.Channels[0].Secret = "https://hooks.example.com/token", "secret"
	r.Threshold, r.Enabled, r.Channels[0].Shown = 0.5, false, "shown"
	rowsOK(t, s.UpdateAlert(ctx, r))
	r.Channels[0].URL, r.Channels[0].Secret = "", ""
	got, err = s.Alert(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, r)
	r.Project = "q"
	rowsFail(t, s.UpdateAlert(ctx, r), fault.NotFound)
	rowsFail(t, s.DeleteAlert(ctx, "q", "a"), fault.NotFound)
	rowsOK(t, s.DeleteAlert(ctx, "p", "a"))
	rowsFail(t, s.DeleteAlert(ctx, "p", "a"), fault.NotFound)
}

func watchEvaluated(t *testing.T, s WatchStore) {
	ctx := t.Context()
	rowsOK(t, s.CreateAlert(ctx, watchRule("a")))
	all := []alert.Standing{
		{Group: "", State: alert.NoData, Reason: "none", Since: rowsAt, Seen: rowsAt},
		{Group: "gpt \"5\"", State: alert.Firing, Since: rowsAt, Value: new(0.25), Told: true, Notified: rowsAt.Add(1), Seen: rowsAt.Add(2)},
	}
	events := []alert.Event{{Time: rowsAt, Group: "g", State: alert.Firing, Reason: "r", Value: new(1.5), Notified: []alert.Delivery{{Channel: "slack", OK: true}, {Channel: "email", Error: "no"}}}}
	rowsOK(t, s.Evaluated(ctx, "p", "a", rowsAt, all, events))
	rowsFail(t, s.Evaluated(ctx, "q", "a", rowsAt, nil, events), fault.NotFound)
	rowsFail(t, s.Evaluated(ctx, "p", "gone", rowsAt, all, events), fault.NotFound)
	got, err := s.Standings(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, all)
	got, err = s.Standings(ctx, "q", "a")
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
	old, err := s.Events(ctx, "p", "a", 10)
	rowsOK(t, err)
	rowsSame(t, old, events)
	old, err = s.Events(ctx, "q", "a", 10)
	rowsOK(t, err)
	rowsSame(t, len(old), 0)
	r, err := s.Alert(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, r.Checked, rowsAt)
	rowsOK(t, s.UpdateAlert(ctx, watchRule("a")))
	r, err = s.Alert(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, r.Checked, rowsAt)
	rowsOK(t, s.Evaluated(ctx, "p", "a", time.Time{}, all[:1], nil))
	got, err = s.Standings(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, all[:1])
	rowsOK(t, s.DeleteAlert(ctx, "p", "a"))
	rowsOK(t, s.CreateAlert(ctx, watchRule("a")))
	old, err = s.Events(ctx, "p", "a", 10)
	rowsOK(t, err)
	rowsSame(t, len(old), 0)
}

// Only the newest events are kept, newest first.
func watchEvents(t *testing.T, s WatchStore) {
	ctx := t.Context()
	rowsOK(t, s.CreateAlert(ctx, watchRule("a")))
	rowsOK(t, s.CreateAlert(ctx, watchRule("b")))
	var events []alert.Event
	for i := range alert.MaxEvents + 7 {
		events = append(events, alert.Event{Time: rowsAt.Add(time.Duration(i)), Group: fmt.Sprint(i), State: alert.OK})
	}
	rowsOK(t, s.Evaluated(ctx, "p", "a", rowsAt, nil, events))
	rowsOK(t, s.Evaluated(ctx, "p", "b", rowsAt, nil, events[:3]))
	got, err := s.Events(ctx, "p", "a", 2*alert.MaxEvents)
	rowsOK(t, err)
	rowsSame(t, []any{len(got), got[0].Group, got[len(got)-1].Group}, []any{alert.MaxEvents, fmt.Sprint(alert.MaxEvents + 6), "7"})
	got, err = s.Events(ctx, "p", "b", 2)
	rowsOK(t, err)
	rowsSame(t, []any{len(got), got[0].Group}, []any{2, "2"})
}

func watchSchedule(id string) export.Schedule {
	return export.Schedule{
		Project: "p", ID: id, Name: "nightly " + id, Filter: "cost > 1", Every: export.Daily, Bodies: true, Enabled: true, Owner: "u", Created: rowsAt, Updated: rowsAt,
		Target: export.Target{Kind: export.S3, Bucket: "b", Prefix: "a/b", Region: "r", Endpoint: "https://s3.example.com", PathStyle: true, AccessKeyID: "k", Sealed: "v1:x"},
	}
}

func watchExports(t *testing.T, s WatchStore) {
	ctx := t.Context()
	x := watchSchedule("a")
	x.Target.Secret = "in the clear"
	rowsOK(t, s.CreateExport(ctx, x))
	rowsFail(t, s.CreateExport(ctx, x), fault.Conflict)
	x.Target.Secret = ""
	got, err := s.Export(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, x)
	_, err = s.Export(ctx, "q", "a")
	rowsFail(t, err, fault.NotFound)
	run := export.Run{Time: rowsAt, Took: time.Second, Error: "no", Rows: 1, Bytes: 2, Files: 3}
	rowsOK(t, s.SetExportRun(ctx, "p", "a", run))
	rowsFail(t, s.SetExportRun(ctx, "q", "a", run), fault.NotFound)
	x.Name, x.Every, x.Bodies, x.Target = "z", export.Hourly, false, export.Target{Kind: export.Disk, Path: "/exports"}
	rowsOK(t, s.UpdateExport(ctx, x))
	x.Last = run
	got, err = s.Export(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, x)
	for p, want := range map[tenant.ProjectID]int{"p": 1, "q": 0, "": 1} {
		all, err := s.Exports(ctx, p)
		rowsOK(t, err)
		rowsSame(t, len(all), want)
	}
	x.Project = "q"
	rowsFail(t, s.UpdateExport(ctx, x), fault.NotFound)
	rowsFail(t, s.DeleteExport(ctx, "q", "a"), fault.NotFound)
	rowsOK(t, s.DeleteExport(ctx, "p", "a"))
	rowsFail(t, s.DeleteExport(ctx, "p", "a"), fault.NotFound)
}

func watchParts(t *testing.T, s WatchStore) {
	ctx := t.Context()
	rowsOK(t, s.CreateExport(ctx, watchSchedule("a")))
	hour := rowsAt.Truncate(time.Hour)
	one, two := export.Part{Hour: hour, Print: "x", Rows: 3, Bytes: 4}, export.Part{Hour: hour.Add(time.Hour), Print: "y", Rows: 5}
	rowsOK(t, s.PutPart(ctx, "p", "a", two))
	rowsOK(t, s.PutPart(ctx, "p", "a", one))
	rowsFail(t, s.PutPart(ctx, "q", "a", one), fault.NotFound)
	rowsFail(t, s.PutPart(ctx, "p", "gone", one), fault.NotFound)
	one.Print, one.Rows = "z", 9
	rowsOK(t, s.PutPart(ctx, "p", "a", one))
	got, err := s.Parts(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, got, []export.Part{one, two})
	got, err = s.Parts(ctx, "q", "a")
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
	rowsOK(t, s.ForgetParts(ctx, "q", "a"))
	got, err = s.Parts(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, len(got), 2)
	rowsOK(t, s.ForgetParts(ctx, "p", "a"))
	got, err = s.Parts(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
	rowsOK(t, s.PutPart(ctx, "p", "a", one))
	rowsOK(t, s.DeleteExport(ctx, "p", "a"))
	rowsOK(t, s.CreateExport(ctx, watchSchedule("a")))
	got, err = s.Parts(ctx, "p", "a")
	rowsOK(t, err)
	rowsSame(t, len(got), 0)
}

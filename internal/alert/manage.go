package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/tenant"
)

// Status is a rule with how it stands.
type Status struct {
	Rule
	State    State
	Reason   string
	Since    time.Time
	Value    *float64 // of the group that stands worst
	Notified time.Time
	Groups   []Standing
}

// List returns the project's rules with how they stand.
func (w *Watcher) List(ctx context.Context, who *tenant.Identity) ([]Status, error) {
	rules, err := w.Store.Alerts(ctx, who.Project)
	if err != nil {
		return nil, err
	}
	out := make([]Status, len(rules))
	for i, r := range rules {
		if out[i], err = w.status(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Get returns one rule.
func (w *Watcher) Get(ctx context.Context, who *tenant.Identity, id string) (Status, error) {
	r, err := w.Store.Alert(ctx, who.Project, id)
	if err != nil {
		return Status{}, err
	}
	return w.status(ctx, r)
}

func (w *Watcher) status(ctx context.Context, r Rule) (Status, error) {
	all, err := w.Store.Standings(ctx, r.Project, r.ID)
	s := Status{Rule: r, Groups: all}
	s.State, s.Reason = worst(all)
	for _, g := range all {
		if g.Notified.After(s.Notified) && !g.Notified.After(w.Now()) {
			s.Notified = g.Notified
		}
		if g.State == s.State && (s.Since.IsZero() || g.Since.Before(s.Since)) {
			s.Since, s.Value = g.Since, g.Value
		}
	}
	return s, err
}

// Create adds a rule.
func (w *Watcher) Create(ctx context.Context, who *tenant.Identity, r Rule) (Status, error) {
	if err := who.MayWrite(); err != nil {
		return Status{}, err
	}
	now := w.Now().UTC()
	r.Project, r.ID, r.Owner, r.Created, r.Updated, r.Checked = who.Project, id.New(), who.Owner(), now, now, time.Time{}
	if err := w.admit(&r, nil); err != nil {
		return Status{}, err
	}
	if err := w.Store.CreateAlert(ctx, r); err != nil {
		return Status{}, err
	}
	w.loop.Wake()
	return w.status(ctx, r)
}

// Update changes a rule. Channels that keep their id keep what of them is not given: their URL and secret.
func (w *Watcher) Update(ctx context.Context, who *tenant.Identity, id string, edit func(*Rule) error) (Status, error) {
	if err := who.MayWrite(); err != nil {
		return Status{}, err
	}
	old, err := w.Store.Alert(ctx, who.Project, id)
	if err != nil {
		return Status{}, err
	}
	r := old
	r.Channels = slices.Clone(old.Channels)
	if err := edit(&r); err != nil {
		return Status{}, err
	}
	r.Updated = w.Now().UTC()
	if err := w.admit(&r, old.Channels); err != nil {
		return Status{}, err
	}
	if err := w.Store.UpdateAlert(ctx, r); err != nil {
		return Status{}, err
	}
	if !r.Enabled || r.differs(&old) { // how it stood says nothing of what it asks now
		if err := w.Store.Evaluated(ctx, r.Project, r.ID, time.Time{}, nil, nil); err != nil {
			return Status{}, err
		}
		w.loop.Wake()
	}
	return w.status(ctx, r)
}

// differs reports that two versions of a rule ask for different things.
func (r *Rule) differs(old *Rule) bool {
	return r.Filter != old.Filter || r.Measure != old.Measure || r.GroupBy != old.GroupBy || r.Op != old.Op || r.Window != old.Window
}

// Snooze silences a rule until a time; a time in the past ends it.
func (w *Watcher) Snooze(ctx context.Context, who *tenant.Identity, id string, until time.Time) (Status, error) {
	return w.Update(ctx, who, id, func(r *Rule) error { r.Snoozed = until.UTC(); return nil })
}

// Delete removes a rule and its history.
func (w *Watcher) Delete(ctx context.Context, who *tenant.Identity, id string) error {
	if err := who.MayWrite(); err != nil {
		return err
	}
	return w.Store.DeleteAlert(ctx, who.Project, id)
}

// History returns what happened to a rule, newest first.
func (w *Watcher) History(ctx context.Context, who *tenant.Identity, id string, limit int) ([]Event, error) {
	if _, err := w.Store.Alert(ctx, who.Project, id); err != nil {
		return nil, err
	}
	return w.Store.Events(ctx, who.Project, id, limit)
}

// Test sends a message marked as a test to the rule's channels, once each, and tells how that went.
func (w *Watcher) Test(ctx context.Context, who *tenant.Identity, id string) ([]Delivery, error) {
	if err := who.MayWrite(); err != nil {
		return nil, err
	}
	r, err := w.Store.Alert(ctx, who.Project, id)
	if err != nil {
		return nil, err
	}
	now := w.Now()
	found, err := w.readings(ctx, &r, now)
	if err != nil {
		return nil, err
	}
	is := Standing{}
	for _, g := range groupsOf(found) {
		if g != allGroups {
			is.Group = g
			is.State, is.Reason, is.Value = r.stateOf(found[g])
			break
		}
	}
	out, _ := w.tell(ctx, &r, r.message(w.Base, now, is, testNotice), 1)
	return out, nil
}

// Preview is what a rule would have seen.
type Preview struct {
	Value     *float64 // of the group that would fire, or else of the first
	Group     string
	WouldFire bool
	State     State
	Reason    string
	Points    []PreviewPoint // over the latest windows, of all groups together
}

// PreviewPoint is one window by its end; Value is nil where there is none.
type PreviewPoint struct {
	Time  time.Time
	Value *float64
}

// previewWindows is how many windows a preview shows.
const previewWindows = 48

// Preview evaluates a rule without saving it or telling anyone.
func (w *Watcher) Preview(ctx context.Context, who *tenant.Identity, r Rule) (out Preview, err error) {
	r.Project = who.Project
	if r.Name == "" {
		r.Name = "preview"
	}
	r.Channels = nil
	if err := r.check(); err != nil {
		return out, err
	}
	now := w.Now()
	found, err := w.readings(ctx, &r, now)
	if err != nil {
		return out, err
	}
	for i, g := range groupsOf(found) {
		if g == allGroups {
			continue
		}
		state, reason, value := r.stateOf(found[g])
		if fire := r.alarms(state, found[g]); i == 0 || out.State == "" || fire && !out.WouldFire {
			out.Value, out.Group, out.State, out.Reason, out.WouldFire = value, g, state, reason, fire
		}
	}
	out.Points, err = w.points(ctx, &r, now)
	return out, err
}

func (w *Watcher) points(ctx context.Context, r *Rule, now time.Time) ([]PreviewPoint, error) {
	a, err := r.figure(now)
	if err != nil {
		return nil, err
	}
	a.GroupBy, a.Interval = nil, r.Window
	a.To = query.Bucket(now, r.Window)
	a.From = a.To.Add(-previewWindows * r.Window)
	got, _, err := w.aggregate(ctx, a)
	if err != nil {
		return nil, err
	}
	at := map[int64]query.Figures{}
	for _, s := range got.Series {
		for _, p := range s.Points {
			at[p.Time.UnixNano()] = p.Figures
		}
	}
	var out []PreviewPoint
	for t := a.From; t.Before(a.To); t = t.Add(r.Window) {
		p := PreviewPoint{Time: t.Add(r.Window)}
		if f, ok := at[t.UnixNano()]; ok {
			p.Value = r.read(f, a.Measure).value
		} else {
			p.Value = r.nothing(a.Measure).value
		}
		out = append(out, p)
	}
	return out, nil
}

// admit checks a rule and seals what is new of its channels; before are the channels it had.
func (w *Watcher) admit(r *Rule, before []Channel) error {
	if err := r.check(); err != nil {
		return err
	}
	for i := range r.Channels {
		if err := w.admitChannel(r, &r.Channels[i], fmt.Sprintf("channels[%d]", i), before); err != nil {
			return err
		}
	}
	return nil
}

// sealed is what of a channel is stored encrypted.
type sealed struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitempty"`
}

func sealedFor(r *Rule, c *Channel) string { return "alert:" + r.ID + ":" + c.ID }

func (w *Watcher) admitChannel(r *Rule, c *Channel, path string, before []Channel) error {
	i := slices.IndexFunc(before, func(b Channel) bool { return b.ID == c.ID && b.Kind == c.Kind })
	if i < 0 {
		c.ID = id.New()
	} else if c.URL == "" || c.URL == before[i].Shown {
		kept := before[i]
		kept.URL = ""
		if err := w.reveal(r, &kept); err != nil {
			return err
		}
		c.URL = kept.URL
		if c.Secret == "" {
			c.Secret = kept.Secret
		}
	}
	if strings.Contains(c.URL, "…") {
		return fault.Bad(path+".url", "%s.url is shortened; give it whole", path)
	}
	if err := c.check(path); err != nil {
		return err
	}
	if c.Kind == Email {
		*c = Channel{ID: c.ID, Kind: c.Kind, To: c.To}
		return nil
	}
	body := string(jsonx.MustMarshal(sealed{c.URL, c.Secret}))
	*c = Channel{ID: c.ID, Kind: c.Kind, Shown: shown(c.URL), Signed: c.Secret != "", Sealed: w.Sealer.Seal(body, sealedFor(r, c))}
	return nil
}

// reveal opens what of a channel is sealed.
func (w *Watcher) reveal(r *Rule, c *Channel) error {
	if c.Sealed == "" {
		return nil
	}
	text, err := w.Sealer.Open(c.Sealed, sealedFor(r, c))
	if err != nil {
		return err
	}
	var s sealed
	if err := jsonx.Unmarshal([]byte(text), &s); err != nil {
		return fault.Wrap(fault.Internal, err, "a stored channel is damaged")
	}
	c.URL, c.Secret = s.URL, s.Secret
	return nil
}

package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memory is a Store.
type memory struct {
	mu        sync.Mutex
	rules     map[string]Rule
	standings map[string][]Standing
	events    map[string][]Event
}

func newMemory() *memory {
	return &memory{rules: map[string]Rule{}, standings: map[string][]Standing{}, events: map[string][]Event{}}
}

func (m *memory) CreateAlert(_ context.Context, r Rule) error { return m.UpdateAlert(nil, r) }
func (m *memory) Alert(_ context.Context, p tenant.ProjectID, id string) (Rule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.rules[id]; ok && r.Project == p {
		return r, nil
	}
	return Rule{}, fault.New(fault.NotFound, "alert not found")
}
func (m *memory) Alerts(context.Context, tenant.ProjectID) (out []Rule, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rules {
		out = append(out, r)
	}
	return out, nil
}
func (m *memory) UpdateAlert(_ context.Context, r Rule) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.rules[r.ID]; ok {
		r.Checked = old.Checked
	}
	m.rules[r.ID] = r
	return nil
}
func (m *memory) DeleteAlert(_ context.Context, _ tenant.ProjectID, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rules, id)
	return nil
}
func (m *memory) Standings(_ context.Context, _ tenant.ProjectID, id string) ([]Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.standings[id]), nil
}
func (m *memory) Evaluated(_ context.Context, _ tenant.ProjectID, id string, at time.Time, all []Standing, events []Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rules[id]
	r.Checked = at
	m.rules[id] = r
	m.standings[id] = slices.Clone(all)
	m.events[id] = append(m.events[id], events...)
	return nil
}
func (m *memory) Events(_ context.Context, _ tenant.ProjectID, id string, limit int) ([]Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.events[id])
	slices.Reverse(out)
	return out[:min(len(out), limit)], nil
}

// plain seals by marking, so that tests see what is sealed.
type plain struct{}

func (plain) Seal(text, context string) string { return "sealed(" + context + ")" + text }
func (plain) Open(sealed, context string) (string, error) {
	text, ok := strings.CutPrefix(sealed, "sealed("+context+")")
	if !ok {
		return "", fault.New(fault.Internal, "a stored secret is damaged")
	}
	return text, nil
}

// rig is a Watcher whose clock, figures and channels are the test's.
type rig struct {
	*Watcher
	t     *testing.T
	store *memory
	now   time.Time

	mu      sync.Mutex
	figures func(a query.Aggregate) (query.Aggregation, bool, error)
	sent    []Message
	to      []Channel
	fail    func(Channel) error
	rests   []time.Duration
}

func (r *rig) Aggregate(_ context.Context, a query.Aggregate) (query.Aggregation, bool, error) {
	return r.figures(a)
}

func (r *rig) Send(_ context.Context, c Channel, m Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		if err := r.fail(c); err != nil {
			return err
		}
	}
	r.sent, r.to = append(r.sent, m), append(r.to, c)
	return nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, store: newMemory(), now: noon}
	r.Watcher = New(Options{
		Store: r.store, Figures: r, Sender: r, Sealer: plain{}, Base: "https://weir.example.com", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return r.now },
		Pause: func(_ context.Context, d time.Duration) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.rests = append(r.rests, d)
			return nil
		},
	})
	r.started = noon.Add(-24 * time.Hour)
	return r
}

func (r *rig) create(edit func(*Rule)) Rule {
	r.t.Helper()
	rule := Rule{
		Name: "errors", Enabled: true, Filter: "environment = prod", Measure: "error_rate", Op: ">", Threshold: 0.1, Window: 5 * time.Minute, Every: time.Minute,
		Cooldown: time.Hour, NoData: "ok", Channels: []Channel{{Kind: Webhook, URL: "https://hooks.example.com/services/token", Secret: "shh"}},
	}
	edit(&rule)
	s, err := r.Create(r.t.Context(), member, rule)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Rule
}

// pass lets time go by and evaluates what is due.
func (r *rig) pass(d time.Duration) {
	r.now = r.now.Add(d)
	r.look(r.t.Context())
	r.work.Wait()
}

// spans makes figures of n spans, failed of them errors, in one group.
func spans(n, failed int64) func(query.Aggregate) (query.Aggregation, bool, error) {
	return groups(map[string][2]int64{"": {n, failed}})
}

func groups(of map[string][2]int64) func(query.Aggregate) (query.Aggregation, bool, error) {
	return func(query.Aggregate) (out query.Aggregation, partial bool, err error) {
		for g, n := range of {
			if n[0] > 0 {
				out.Series = append(out.Series, query.Series{Group: g, Totals: query.Figures{Calls: n[0], Errors: n[1]}})
			}
		}
		return out, false, nil
	}
}

func (r *rig) states() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.sent {
		s := m.State
		if m.Group != "" {
			s += " " + m.Group
		}
		out = append(out, s)
	}
	r.sent = nil
	slices.Sort(out)
	return out
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	if got := r.states(); !slices.Equal(got, want) {
		r.t.Fatalf("at %s: told %q, want %q", r.now.Format(time.TimeOnly), got, want)
	}
}

var member = &tenant.Identity{Project: "p", User: "u", Role: tenant.RoleMember}

func TestFiresOnceAndRecovers(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(*Rule) {})
	r.figures = spans(100, 5)
	r.pass(time.Minute)
	r.expect()
	r.figures = spans(100, 20)
	r.pass(time.Minute)
	if m := r.sent[0]; m.Alert != rule.ID || m.Project != "p" || *m.Value != 0.2 || m.Threshold != 0.1 || m.Window != "5m" || !strings.Contains(m.Text, "20.0 %") {
		t.Errorf("%+v", m)
	}
	if c := r.to[0]; c.URL != "https://hooks.example.com/services/token" || c.Secret != "shh" {
		t.Errorf("the channel was not opened: %+v", c)
	}
	r.expect("firing")
	r.pass(time.Minute)
	r.expect()
	r.pass(time.Hour)
	r.expect("firing") // a reminder, once the cooldown is over
	r.figures = spans(100, 1)
	r.pass(time.Minute)
	r.expect("recovered")
	r.pass(time.Minute)
	r.expect()
	events, err := r.History(t.Context(), member, rule.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	var states []State
	for _, e := range events {
		states = append(states, e.State)
	}
	if want := []State{OK, Firing, Firing, OK}; !slices.Equal(states, want) {
		t.Errorf("history %v, want %v", states, want)
	}
	if n := events[0].Notified; len(n) != 1 || !n[0].OK || strings.Contains(n[0].Channel, "token") {
		t.Errorf("%+v", n)
	}
}

// A figure that swings about its threshold is told of once in a cooldown.
func TestFlappingIsQuiet(t *testing.T) {
	r := newRig(t)
	r.create(func(*Rule) {})
	var told []string
	for i := range 50 {
		r.figures = spans(100, int64(20*(i%2)))
		r.pass(time.Minute)
		told = append(told, r.states()...)
	}
	if want := []string{"firing", "recovered"}; !slices.Equal(told, want) {
		t.Fatalf("told %v", told)
	}
	r.figures = spans(100, 20)
	r.pass(time.Hour)
	r.expect("firing")
}

func TestNoCooldownTellsEachTimeOnce(t *testing.T) {
	r := newRig(t)
	r.create(func(x *Rule) { x.Cooldown = 0 })
	for range 3 {
		r.figures = spans(10, 5)
		r.pass(time.Minute)
		r.pass(time.Minute)
		r.expect("firing")
		r.figures = spans(10, 0)
		r.pass(time.Minute)
		r.pass(time.Minute)
		r.expect("recovered")
	}
}

func TestGroupsStandForThemselves(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(x *Rule) { x.GroupBy = "model" })
	r.figures = groups(map[string][2]int64{"a": {10, 9}, "b": {10, 0}, "": {10, 8}})
	r.pass(time.Minute)
	if got := r.sent; len(got) != 2 {
		t.Fatalf("%v", got)
	}
	for _, m := range r.sent {
		u, err := url.Parse(m.URL)
		if err != nil || u.Host != "weir.example.com" || u.Path != "/ui/traces" || u.Query().Get("from") != "2026-03-01T11:56:00Z" || u.Query().Get("to") != "2026-03-01T12:01:00Z" {
			t.Errorf("link %s: %v", m.URL, err)
		}
		want := `(environment = prod) and model = "a"`
		if m.Group == "" {
			want = `(environment = prod) and not model exists`
		}
		if q := u.Query().Get("q"); q != want {
			t.Errorf("filter %q, want %q", q, want)
		} else if _, err := query.Parse(q); err != nil {
			t.Errorf("%q: %v", q, err)
		}
	}
	r.expect("firing", "firing a")
	r.figures = groups(map[string][2]int64{"a": {10, 0}, "b": {10, 9}, "": {10, 8}})
	r.pass(time.Minute)
	r.expect("firing b", "recovered a")
	r.figures = groups(map[string][2]int64{"": {10, 8}})
	r.pass(time.Minute)
	r.expect("recovered b")
	s, err := r.Get(t.Context(), member, rule.ID)
	if err != nil || s.State != Firing || len(s.Groups) != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	r.pass(25 * time.Hour)
	if s, err = r.Get(t.Context(), member, rule.ID); err != nil || len(s.Groups) != 1 {
		t.Errorf("groups that are gone are kept: %+v, %v", s.Groups, err)
	}
}

func TestFewCallsSayNothing(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(x *Rule) { x.MinCalls = 20 })
	r.figures = spans(19, 19)
	r.pass(time.Minute)
	r.expect()
	if s, _ := r.Get(t.Context(), member, rule.ID); s.State != NoData || s.Reason == "" {
		t.Errorf("%+v", s)
	}
	r.figures = spans(20, 19)
	r.pass(time.Minute)
	r.expect("firing")
}

func TestSilence(t *testing.T) {
	for noData, want := range map[string][]string{"ok": nil, "alert": {"firing"}} {
		r := newRig(t)
		r.create(func(x *Rule) { x.NoData = noData })
		r.figures = spans(0, 0)
		r.pass(time.Minute)
		if want != nil && !strings.Contains(r.sent[0].Text, "is firing: no spans in the window (") {
			t.Error(r.sent[0].Text)
		}
		r.expect(want...)
		r.figures = spans(5, 0)
		r.pass(time.Minute)
		if want != nil {
			want = []string{"recovered"}
		}
		r.expect(want...)
	}
}

// Sums of nothing are zero, so that a rule can ask for too little.
func TestTooFewCalls(t *testing.T) {
	r := newRig(t)
	r.create(func(x *Rule) { x.Measure, x.Op, x.Threshold = "calls", "<", 3 })
	r.figures = spans(0, 0)
	r.pass(time.Minute)
	r.expect("firing")
}

func TestSnooze(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(*Rule) {})
	if _, err := r.Snooze(t.Context(), member, rule.ID, r.now.Add(30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.figures = spans(10, 9)
	for range 29 {
		r.pass(time.Minute)
	}
	r.expect()
	if s, _ := r.Get(t.Context(), member, rule.ID); s.State != Firing {
		t.Errorf("state %s while snoozed", s.State)
	}
	r.pass(2 * time.Minute)
	r.expect("firing")
}

func TestFiguresThatCannotBeHad(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(*Rule) {})
	r.figures = spans(10, 9)
	r.pass(time.Minute)
	r.expect("firing")
	for _, bad := range []func(query.Aggregate) (query.Aggregation, bool, error){
		func(query.Aggregate) (query.Aggregation, bool, error) {
			return query.Aggregation{}, false, errors.New("secret details")
		},
		func(query.Aggregate) (query.Aggregation, bool, error) { return query.Aggregation{}, true, nil },
	} {
		r.figures = bad
		r.pass(time.Minute)
		r.expect() // neither over nor again
		if s, _ := r.Get(t.Context(), member, rule.ID); s.State != Failed || s.Reason == "" || strings.Contains(s.Reason, "secret") {
			t.Errorf("%+v", s)
		}
	}
	r.figures = spans(10, 0)
	r.pass(time.Minute)
	r.expect("recovered")
	if s := r.Stats(); s != (Stats{Evaluated: 4, Blind: 2, Delivered: 2}) {
		t.Errorf("%+v", s)
	}
}

func TestDelivery(t *testing.T) {
	r := newRig(t)
	r.create(func(x *Rule) {
		x.Channels = append(x.Channels, Channel{Kind: Email, To: "a@example.com"}, Channel{Kind: Slack, URL: "https://slack.example.com/x"})
	})
	tries := map[Kind]int{}
	r.fail = func(c Channel) error {
		tries[c.Kind]++
		switch {
		case c.Kind == Webhook && tries[c.Kind] < 3:
			return fault.New(fault.Unavailable, "answered 502")
		case c.Kind == Email:
			return fault.New(fault.Invalid, "mailbox unknown")
		case c.Kind == Slack:
			return fault.New(fault.Unavailable, "no answer")
		}
		return nil
	}
	r.figures = spans(10, 9)
	r.pass(time.Minute)
	r.expect("firing")
	if want := map[Kind]int{Webhook: 3, Email: 1, Slack: 3}; !cmp.Equal(tries, want) {
		t.Errorf("tries %v, want %v", tries, want)
	}
	if len(r.rests) != 4 {
		t.Errorf("rests %v", r.rests)
	}
	if s := r.Stats(); s != (Stats{Evaluated: 1, Delivered: 1, Undelivered: 2}) {
		t.Errorf("%+v", s)
	}
	for id := range r.store.rules {
		e, _ := r.History(t.Context(), member, id, 1)
		want := []Delivery{{Channel: "webhook https://hooks.example.com/…", OK: true}, {Channel: "email a@example.com", Error: "mailbox unknown"}, {Channel: "slack https://slack.example.com/…", Error: "no answer"}}
		if d := cmp.Diff(want, e[0].Notified); d != "" {
			t.Error(d)
		}
	}
}

// Whoever could not be reached is told later, though not at every evaluation.
func TestUnreachedIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.create(func(*Rule) {})
	asked := 0
	r.fail = func(Channel) error { asked++; return fault.New(fault.Invalid, "answered 404") }
	r.figures = spans(10, 9)
	for range 11 {
		r.pass(time.Minute)
	}
	if asked != 3 {
		t.Errorf("asked %d times in ten minutes", asked)
	}
	r.fail = nil
	r.pass(5 * time.Minute)
	r.expect("firing")
	r.figures = spans(10, 0)
	r.pass(time.Minute)
	r.expect("recovered")
}

// Windows that passed while Weir was down are looked at; silence in them may be its own.
func TestDowntime(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(x *Rule) { x.NoData = "alert" })
	r.figures = spans(10, 0)
	r.pass(time.Minute)
	r.expect()
	downFrom := r.now
	bad := downFrom.Add(17 * time.Minute)
	r.figures = func(a query.Aggregate) (query.Aggregation, bool, error) {
		if bad.After(a.From) && !bad.After(a.To) {
			return spans(10, 9)(a)
		}
		return spans(0, 0)(a)
	}
	r.started = downFrom.Add(30 * time.Minute)
	r.pass(30*time.Minute + 5*time.Second)
	r.expect("firing")
	if s, _ := r.Get(t.Context(), member, rule.ID); s.State != Firing || s.Since.After(bad.Add(5*time.Minute)) {
		t.Errorf("%+v", s)
	}
	r.pass(4 * time.Minute)
	r.expect() // no data, but Weir has not been up for a window
	r.figures = spans(0, 0)
	r.pass(6 * time.Minute)
	if s, _ := r.Get(t.Context(), member, rule.ID); s.State != NoData {
		t.Errorf("%+v", s)
	}
	r.pass(2 * time.Hour)
	r.expect("firing")
}

func TestRulesAreDueEvery(t *testing.T) {
	r := newRig(t)
	n := 0
	r.create(func(x *Rule) { x.Every = 10 * time.Minute })
	r.create(func(x *Rule) { x.Enabled = false })
	r.figures = func(a query.Aggregate) (query.Aggregation, bool, error) { n++; return spans(1, 0)(a) }
	for range 20 {
		r.pass(time.Minute)
	}
	if n != 2 {
		t.Errorf("%d evaluations in twenty minutes", n)
	}
}

func TestSecretsStaySealed(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(*Rule) {})
	all, err := r.List(t.Context(), member)
	if err != nil {
		t.Fatal(err)
	}
	c := all[0].Channels[0]
	if c.URL != "" || c.Secret != "" || !c.Signed || c.Shown != "https://hooks.example.com/…" || !strings.Contains(c.Sealed, "token") {
		t.Fatalf("%+v", c)
	}
	edit := func(chs ...Channel) Channel {
		t.Helper()
		s, err := r.Update(t.Context(), member, rule.ID, func(x *Rule) error { x.Channels = chs; return nil })
		if err != nil {
			t.Fatal(err)
		}
		got := s.Channels[0]
		if err := r.reveal(&s.Rule, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := edit(Channel{ID: c.ID, Kind: Webhook, URL: c.Shown}); got.URL != "https://hooks.example.com/services/token" || got.Secret != "shh" {
		t.Errorf("not kept: %+v", got)
	}
	if got := edit(Channel{ID: c.ID, Kind: Webhook, Secret: "new"}); got.URL != "https://hooks.example.com/services/token" || got.Secret != "new" {
		t.Errorf("secret not replaced: %+v", got)
	}
	// A secret does not follow to another place.
	if got := edit(Channel{ID: c.ID, Kind: Webhook, URL: "https://elsewhere.example.com/"}); got.URL != "https://elsewhere.example.com/" || got.Secret != "" || got.Signed {
		t.Errorf("secret kept for another URL: %+v", got)
	}
	_, err = r.Update(t.Context(), member, rule.ID, func(x *Rule) error {
		x.Channels = []Channel{{ID: "other", Kind: Webhook, URL: c.Shown}}
		return nil
	})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a shortened URL was taken: %v", err)
	}
}

func TestCheck(t *testing.T) {
	r := newRig(t)
	for field, spoil := range map[string]func(*Rule){
		"name":      func(x *Rule) { x.Name = "" },
		"op":        func(x *Rule) { x.Op = "=" },
		"window":    func(x *Rule) { x.Window = time.Second },
		"every":     func(x *Rule) { x.Every = 29 * time.Second },
		"cooldown":  func(x *Rule) { x.Cooldown = -1 },
		"min_calls": func(x *Rule) { x.MinCalls = -1 },
		"no_data":   func(x *Rule) { x.NoData = "perhaps" },
		"filter":    func(x *Rule) { x.Filter = "status = " },
		"measure":   func(x *Rule) { x.Measure = "speed" },
		"group_by":  func(x *Rule) { x.GroupBy = "cost" },
		"channels":  func(x *Rule) { x.Channels = make([]Channel, 11) },

		"channels[0].url":  func(x *Rule) { x.Channels[0].URL = "ftp://example.com" },
		"channels[0].to":   func(x *Rule) { x.Channels[0] = Channel{Kind: Email, To: "nobody"} },
		"channels[0].kind": func(x *Rule) { x.Channels[0].Kind = "pigeon" },
	} {
		rule := Rule{
			Name: "n", Measure: "calls", Op: ">", Window: time.Minute, Every: time.Minute, NoData: "ok", Channels: []Channel{{Kind: Webhook, URL: "https://example.com/"}},
		}
		spoil(&rule)
		_, err := r.Create(t.Context(), member, rule)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != field || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", field, err)
		}
	}
	viewer := &tenant.Identity{Project: "p", Role: tenant.RoleViewer}
	if _, err := r.Create(t.Context(), viewer, Rule{}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("viewer: %v", err)
	}
	other := &tenant.Identity{Project: "q", Role: tenant.RoleAdmin}
	rule := r.create(func(*Rule) {})
	for name, err := range map[string]error{
		"get":     second(r.Get(t.Context(), other, rule.ID)),
		"update":  second(r.Update(t.Context(), other, rule.ID, func(*Rule) error { return nil })),
		"history": second(r.History(t.Context(), other, rule.ID, 1)),
		"test":    second(r.Test(t.Context(), other, rule.ID)),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of another project: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTestAndPreview(t *testing.T) {
	r := newRig(t)
	rule := r.create(func(*Rule) {})
	r.figures = spans(10, 9)
	got, err := r.Test(t.Context(), member, rule.ID)
	if err != nil || len(got) != 1 || !got[0].OK {
		t.Fatalf("%v %v", got, err)
	}
	r.expect("test")
	r.fail = func(Channel) error { return fault.New(fault.Unavailable, "answered 500") }
	if got, err = r.Test(t.Context(), member, rule.ID); err != nil || got[0].OK || got[0].Error != "answered 500" || len(r.rests) != 0 {
		t.Errorf("%v %v, rests %v", got, err, r.rests)
	}
	r.figures = func(a query.Aggregate) (query.Aggregation, bool, error) {
		if a.Interval == 0 {
			return spans(10, 9)(a)
		}
		f := query.Figures{Calls: 4, Errors: 1}
		return query.Aggregation{Series: []query.Series{{Points: []query.Point{{Time: a.From.Add(a.Interval), Figures: f}}}}}, false, nil
	}
	p, err := r.Preview(t.Context(), member, Rule{Measure: "error_rate", Op: ">", Threshold: 0.5, Window: 5 * time.Minute, Every: time.Minute, NoData: "ok"})
	if err != nil || !p.WouldFire || *p.Value != 0.9 || len(p.Points) != previewWindows || *p.Points[1].Value != 0.25 || p.Points[0].Value != nil {
		t.Errorf("%+v %v", p, err)
	}
	if n := len(r.states()); n != 0 {
		t.Errorf("a preview told %d", n)
	}
}

func TestQuantities(t *testing.T) {
	for _, c := range []struct {
		measure string
		v       float64
		want    string
	}{{"p95", 1500, "1.5s"}, {"cost", 0.25, "$0.25"}, {"error_rate", 0.031, "3.1 %"}, {"calls", 12, "12"}, {"avg:score.quality", 0.5, "0.5"}} {
		if got := Quantity(c.measure, c.v); got != c.want {
			t.Errorf("%s %v is %q, want %q", c.measure, c.v, got, c.want)
		}
	}
	d := time.Second
	if v, ok := valueOf(query.Figures{Calls: 1, P95: &d}, query.P95, time.Minute); !ok || v != 1000 {
		t.Errorf("p95 is %v", v)
	}
	if v, ok := valueOf(query.Figures{Calls: 1, Cost: money.FromUSD(2)}, query.CostUSD, time.Minute); !ok || v != 2 {
		t.Errorf("cost is %v", v)
	}
	for text, want := range map[string]time.Duration{"5m": 5 * time.Minute, "1h": time.Hour, "2d": 48 * time.Hour, "90s": 90 * time.Second} {
		d, err := ParseSpan(text)
		if err != nil || d != want || Span(d) != text {
			t.Errorf("%s: %v %v, back %s", text, d, err, Span(d))
		}
	}
	if _, err := ParseSpan("xd"); err == nil {
		t.Error("xd was read")
	}
}

// The service works by itself and ends its work when it is stopped.
func TestWatcherRuns(t *testing.T) {
	r := newRig(t)
	reached := make(chan struct{})
	var once sync.Once
	r.fail = func(Channel) error { once.Do(func() { close(reached) }); return nil }
	r.figures = spans(10, 9)
	r.create(func(*Rule) {})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-reached
	r.Stop()
	if len(r.states()) != 1 {
		t.Error("not told once")
	}
}

func ExampleQuantity() {
	fmt.Println(Quantity("p95", 250))
	// Output: 250ms
}

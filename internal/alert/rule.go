// Package alert watches figures of recorded spans against thresholds and tells people when one is crossed, and when it is
// over. A rule may watch groups, each of which stands for itself.
package alert

import (
	"context"
	"math"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/tenant"
)

// State is how a rule, or one of its groups, stands.
type State string

const (
	OK     State = "ok"
	Firing State = "firing"
	NoData State = "no_data"
	Failed State = "error" // the figure cannot be had: Reason tells why
)

// Rule compares a figure over the latest window of time with a threshold.
type Rule struct {
	Project   tenant.ProjectID
	ID        string
	Name      string
	Enabled   bool
	Filter    string
	Measure   string // see query.ParseMeasure
	GroupBy   string // a groupable field, or a path of one; "" = one group
	Op        string // ">" or "<"
	Threshold float64
	Window    time.Duration
	Every     time.Duration // between evaluations
	Cooldown  time.Duration // least time between two notifications that one group fires
	MinCalls  int64         // windows with fewer spans say nothing
	// NoData is what a window without any span means: "ok" nothing, "alert" that somebody should know.
	NoData   string
	Channels []Channel
	Snoozed  time.Time // until when nobody is told
	Owner    string
	Created  time.Time
	Updated  time.Time
	Checked  time.Time // latest evaluation
}

// Kind is a way to reach people.
type Kind string

const (
	Webhook Kind = "webhook"
	Slack   Kind = "slack"
	Email   Kind = "email"
)

// Channel is where notifications go. URL and Secret are in the clear only between a caller and the seal: what is stored
// and listed has Shown instead.
type Channel struct {
	ID     string `json:"id"`
	Kind   Kind   `json:"kind"`
	To     string `json:"to,omitempty"`    // of e-mail: addresses, separated by commas
	Shown  string `json:"shown,omitempty"` // the URL, with what could be a secret left out
	Signed bool   `json:"signed,omitempty"`
	Sealed string `json:"sealed,omitempty"`

	URL    string `json:"-"`
	Secret string `json:"-"`
}

// Name is the channel for people.
func (c Channel) Name() string {
	if c.Kind == Email {
		return "email " + c.To
	}
	return string(c.Kind) + " " + c.Shown
}

// Standing is how one group of a rule stands.
type Standing struct {
	Group    string
	State    State
	Reason   string // of Failed and NoData
	Since    time.Time
	Value    *float64
	Told     bool      // people know that it fires, and not yet that it is over
	Notified time.Time // latest notification that it fires
	Seen     time.Time // when it last had data
}

// Event is a change of state, or a notification.
type Event struct {
	Time     time.Time
	Group    string
	State    State
	Reason   string
	Value    *float64
	Notified []Delivery
}

// Delivery is how telling one channel went.
type Delivery struct {
	Channel string `json:"channel"`
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
}

// Store keeps rules, how they stand, and what happened. Every call names a project; a rule of another one is
// fault.NotFound.
type Store interface {
	CreateAlert(ctx context.Context, r Rule) error
	Alert(ctx context.Context, p tenant.ProjectID, id string) (Rule, error)
	// Alerts returns those of a project by name; "" is all projects.
	Alerts(ctx context.Context, p tenant.ProjectID) ([]Rule, error)
	// UpdateAlert leaves Checked as it is.
	UpdateAlert(ctx context.Context, r Rule) error
	DeleteAlert(ctx context.Context, p tenant.ProjectID, id string) error
	// Standings are how the groups of a rule stand, by group.
	Standings(ctx context.Context, p tenant.ProjectID, id string) ([]Standing, error)
	// Evaluated stores one evaluation: when it was, how all groups stand after it, and what happened. Groups left out are
	// forgotten, and so are all but the newest MaxEvents events. The zero time makes the rule one that was never
	// evaluated. It is fault.NotFound if the rule is gone.
	Evaluated(ctx context.Context, p tenant.ProjectID, id string, at time.Time, all []Standing, events []Event) error
	// Events are the newest ones of a rule, newest first.
	Events(ctx context.Context, p tenant.ProjectID, id string, limit int) ([]Event, error)
}

// MaxEvents is how many events of a rule are kept.
const MaxEvents = 1000

// Bounds of a rule.
const (
	MinEvery    = 30 * time.Second
	minWindow   = time.Minute
	maxWindow   = 31 * 24 * time.Hour
	maxCooldown = 31 * 24 * time.Hour
	maxName     = 200
	maxChannels = 10
	maxGroups   = 50 // watched by one rule
)

// check finds what is wrong with a rule and fills in what was left out.
func (r *Rule) check() error {
	switch {
	case r.Name == "" || len(r.Name) > maxName:
		return fault.Bad("name", "name must have 1 to %d bytes", maxName)
	case r.Op != ">" && r.Op != "<":
		return fault.Bad("op", "op is > or <")
	case math.IsNaN(r.Threshold) || math.IsInf(r.Threshold, 0):
		return fault.Bad("threshold", "threshold must be a number")
	case r.Window < minWindow || r.Window > maxWindow:
		return fault.Bad("window", "window is between 1m and 31d")
	case r.Every < MinEvery || r.Every > 24*time.Hour:
		return fault.Bad("every", "every is between 30s and 1d")
	case r.Cooldown < 0 || r.Cooldown > maxCooldown:
		return fault.Bad("cooldown", "cooldown is between 0 and 31d")
	case r.MinCalls < 0:
		return fault.Bad("min_calls", "min_calls must not be negative")
	case r.NoData != "ok" && r.NoData != "alert":
		return fault.Bad("no_data", "no_data is ok or alert")
	case len(r.Channels) > maxChannels:
		return fault.Bad("channels", "there can be %d channels at most", maxChannels)
	}
	_, err := r.figure(time.Time{})
	return err
}

// check finds what is wrong with a channel whose URL is in the clear.
func (c *Channel) check(path string) error {
	switch c.Kind {
	case Email:
		list, err := mail.ParseAddressList(c.To)
		if err != nil || len(list) > 20 {
			return fault.Bad(path+".to", "%s.to must be e-mail addresses, separated by commas", path)
		}
		c.URL, c.Secret = "", ""
		return nil
	case Webhook, Slack:
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(c.URL) > 2000 {
			return fault.Bad(path+".url", "%s.url must be a URL such as https://hooks.example.com/weir", path)
		}
		c.To = ""
		return nil
	}
	return fault.Bad(path+".kind", "%s.kind is webhook, slack or email", path)
}

// shown is a URL without what could be a secret, which is everything behind the host.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	out := u.Scheme + "://" + u.Host + "/"
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		out += "…"
	}
	return out
}

// figure is what the rule asks for at a time.
func (r *Rule) figure(at time.Time) (a query.Aggregate, err error) {
	a = query.Aggregate{Limit: maxGroups}
	a.Project, a.From, a.To = r.Project, at.Add(-r.Window), at
	if a.Filter, err = query.Parse(r.Filter); err != nil {
		return a, err
	}
	if a.Measure, a.Score, err = query.ParseMeasure(r.Measure); err != nil {
		return a, err
	}
	a.Lean = !slices.Contains(quantiles, a.Measure)
	if r.GroupBy == "" {
		return a, nil
	}
	a.GroupBy, a.Path = query.Lookup(r.GroupBy)
	if a.GroupBy == nil || !a.GroupBy.Groupable() {
		return a, fault.Bad("group_by", "there are no groups by %q", r.GroupBy[:min(len(r.GroupBy), 60)])
	}
	return a, nil
}

// durations are the measures given in milliseconds.
var (
	durations = []query.Measure{query.AvgDuration, query.P50, query.P75, query.P90, query.P95, query.P99, query.FirstP50, query.FirstP95}
	quantiles = durations
	// sums say something of no spans too: zero.
	sums = []query.Measure{query.Calls, query.Errors, query.Rate, query.CostUSD, query.Tokens, query.InputTokens, query.OutputTokens}
)

// valueOf is a figure in the unit of thresholds: durations are milliseconds.
func valueOf(f query.Figures, m query.Measure, window time.Duration) (float64, bool) {
	v, ok := f.Value(m, window)
	if ok && slices.Contains(durations, m) {
		v /= float64(time.Millisecond)
	}
	return v, ok
}

package alert

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/query"
)

// Message is what a channel carries; webhooks get it as JSON.
type Message struct {
	Alert     string   `json:"alert"` // id
	Name      string   `json:"name"`
	Project   string   `json:"project"`
	State     string   `json:"state"` // firing, recovered or test
	Reason    string   `json:"reason,omitempty"`
	Measure   string   `json:"measure"`
	Value     *float64 `json:"value"`
	Op        string   `json:"op"`
	Threshold float64  `json:"threshold"`
	Window    string   `json:"window"`
	Group     string   `json:"group,omitempty"`
	Filter    string   `json:"filter"`
	URL       string   `json:"url"` // of the list of spans that the figure is made of
	Time      string   `json:"time"`
	Text      string   `json:"text"` // the message in one line
}

// Sender reaches people. An error's message names no secret; fault.Invalid is one that a repeat will not mend.
type Sender interface {
	Send(ctx context.Context, c Channel, m Message) error
}

const testNotice notice = "test"

func (r *Rule) message(base string, now time.Time, is Standing, n notice) Message {
	m := Message{
		Alert: r.ID, Name: r.Name, Project: string(r.Project), State: string(n), Reason: is.Reason, Measure: r.Measure, Value: is.Value, Op: r.Op,
		Threshold: r.Threshold, Window: Span(r.Window), Group: is.Group, Filter: r.Filter, Time: now.UTC().Format("2006-01-02T15:04:05.000Z"),
		URL: r.link(base, now, is.Group),
	}
	m.Text = m.line()
	return m
}

func (m Message) line() string {
	what := m.Name
	if m.Group != "" {
		what += " (" + m.Group + ")"
	}
	figure := fmt.Sprintf("%s over %s is %s", m.Measure, m.Window, m.amount())
	if m.Reason != "" { // there is no figure
		figure = fmt.Sprintf("%s (%s over %s)", m.Reason, m.Measure, m.Window)
	}
	switch m.State {
	case string(fires):
		return fmt.Sprintf("%s is firing: %s, threshold %s %s", what, figure, m.Op, Quantity(m.Measure, m.Threshold))
	case string(recovered):
		return fmt.Sprintf("%s has recovered: %s", what, figure)
	}
	return fmt.Sprintf("%s: this is a test; %s", what, figure)
}

func (m Message) amount() string {
	if m.Value == nil {
		return "not known"
	}
	return Quantity(m.Measure, *m.Value)
}

// Quantity is a value in the measure's unit.
func Quantity(measure string, v float64) string {
	m, _, err := query.ParseMeasure(measure)
	n := strconv.FormatFloat(v, 'g', 6, 64)
	switch {
	case err != nil:
	case slices.Contains(durations, m):
		return time.Duration(v * float64(time.Millisecond)).Round(time.Microsecond).String()
	case m == query.CostUSD:
		return "$" + strconv.FormatFloat(v, 'f', -1, 64)
	case m == query.ErrorRate || m == query.CacheHitRate:
		return strconv.FormatFloat(v*100, 'f', 1, 64) + " %"
	}
	return n
}

// Span is a duration as rules write it: 5m, 1h, 1d.
func Span(d time.Duration) string {
	for _, u := range units {
		if d >= u.d && d%u.d == 0 {
			return strconv.FormatInt(int64(d/u.d), 10) + u.name
		}
	}
	return d.String()
}

var units = []struct {
	name string
	d    time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// ParseSpan reads what Span writes, and whatever time.ParseDuration takes.
func ParseSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 12)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// link is the interface's list of what a group's figure is made of.
func (r *Rule) link(base string, now time.Time, group string) string {
	filter := r.Filter
	if r.GroupBy != "" {
		filter = r.ofGroup(group)
	}
	v := url.Values{"from": {now.Add(-r.Window).UTC().Format(time.RFC3339)}, "to": {now.UTC().Format(time.RFC3339)}}
	if filter != "" {
		v.Set("q", filter)
	}
	return strings.TrimRight(base, "/") + "/ui/traces?" + v.Encode()
}

func (r *Rule) ofGroup(group string) string {
	a, err := r.figure(time.Time{})
	if err != nil || a.GroupBy == nil {
		return r.Filter
	}
	var is query.Expr = &query.Compare{Field: a.GroupBy, Path: a.Path, Op: query.Eq, Values: []query.Value{{Text: group}}}
	if group == "" {
		is = query.Not{X: &query.Compare{Field: a.GroupBy, Path: a.Path, Op: query.Exists}}
	}
	if r.Filter == "" {
		return is.String()
	}
	return "(" + r.Filter + ") and " + is.String()
}

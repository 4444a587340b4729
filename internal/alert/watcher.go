package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/internal/fault"
	"weir/internal/job"
	"weir/internal/query"
)

// Figures computes what rules watch; query.Engine is one.
type Figures interface {
	Aggregate(ctx context.Context, a query.Aggregate) (query.Aggregation, bool, error)
}

// Sealer encrypts secrets for storage; auth.Sealer is one.
type Sealer interface {
	Seal(text, context string) string
	Open(sealed, context string) (string, error)
}

// Options are what a Watcher works with.
type Options struct {
	Store   Store
	Figures Figures
	Sender  Sender
	Sealer  Sealer
	// Base is the URL of the interface for links, without /ui and without a slash at the end.
	Base string
	Log  *slog.Logger
	Now  func() time.Time
	// Pause waits between two tries of a delivery; nil waits by the clock.
	Pause func(ctx context.Context, d time.Duration) error
}

// Watcher evaluates rules when they are due, several at a time, and lets people manage them. A rule is evaluated by one
// at a time; what is slow to reach delays its own rule only.
type Watcher struct {
	Options
	loop    *job.Loop
	started time.Time
	slots   chan struct{} // figures computed at once
	stats   counters

	mu   sync.Mutex
	busy map[string]bool // rules under evaluation, by id
	work sync.WaitGroup
}

type counters struct{ evaluated, blind, failed, delivered, undelivered atomic.Int64 }

// Stats are counts since the start. Evaluated are windows looked at, Blind those among them whose figure could not be had,
// Failed those to be looked at again. Delivered and Undelivered are messages to a channel, after all tries.
type Stats struct{ Evaluated, Blind, Failed, Delivered, Undelivered int64 }

// Stats reads the counters.
func (w *Watcher) Stats() Stats {
	c := &w.stats
	return Stats{c.evaluated.Load(), c.blind.Load(), c.failed.Load(), c.delivered.Load(), c.undelivered.Load()}
}

// Bounds of the work.
const (
	lookEvery = 5 * time.Second // between looks for what is due
	atOnce    = 2               // figures
	maxBusy   = 64              // rules, most of them waiting for a channel; others wait for the next look
	missed    = 12              // windows evaluated of the time that Weir was down
)

// New returns a Watcher that Start sets to work.
func New(o Options) *Watcher {
	if o.Pause == nil {
		o.Pause = pause
	}
	w := &Watcher{Options: o, slots: make(chan struct{}, atOnce), busy: map[string]bool{}}
	w.loop = job.New(lookEvery, w.look)
	return w
}

// Start begins to evaluate.
func (w *Watcher) Start(ctx context.Context) error {
	w.started = w.Now()
	return w.loop.Start(ctx)
}

// Stop cuts evaluations and deliveries short; they are due again after the next start.
func (w *Watcher) Stop() {
	w.loop.Stop()
	w.work.Wait()
}

// look begins the evaluation of every rule that is due. The context ends with the loop.
func (w *Watcher) look(ctx context.Context) {
	rules, err := w.Store.Alerts(ctx, "")
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Warn("alerts are looked at again later", "error", err)
		}
		return
	}
	now := w.Now()
	for _, r := range rules {
		if !r.Enabled || now.Before(r.Checked.Add(r.Every)) || !w.begin(r.ID) {
			continue
		}
		w.work.Go(func() {
			defer w.end(r.ID)
			w.catchUp(ctx, r, now)
		})
	}
}

func (w *Watcher) begin(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[id] || len(w.busy) >= maxBusy {
		return false
	}
	w.busy[id] = true
	return true
}

func (w *Watcher) end(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, id)
}

// catchUp evaluates a rule for now, and before that for windows which nobody looked at while Weir was down: spans of that
// time may have come in since.
func (w *Watcher) catchUp(ctx context.Context, r Rule, now time.Time) {
	for _, at := range r.moments(now) {
		if err := w.evaluate(ctx, r, at, at.Equal(now)); err != nil {
			if ctx.Err() == nil && !fault.Is(err, fault.NotFound) {
				w.stats.failed.Add(1)
				w.Log.Warn("an alert was not evaluated; it is tried again", "alert", r.ID, "project", string(r.Project), "error", err)
			}
			return
		}
		w.stats.evaluated.Add(1)
		r.Checked = at
	}
}

// moments are the ends of the windows to evaluate, oldest first, the last of them now.
func (r *Rule) moments(now time.Time) []time.Time {
	step := max(r.Window, r.Every)
	out := []time.Time{now}
	for at := now.Add(-step); !r.Checked.IsZero() && at.After(r.Checked) && len(out) <= missed; at = at.Add(-step) {
		out = append(out, at)
	}
	slices.Reverse(out)
	return out
}

// evaluate looks at the window that ends at a time. Of a window in the past, only figures count: that there were none
// may be because Weir was down.
func (w *Watcher) evaluate(ctx context.Context, r Rule, at time.Time, current bool) error {
	before, err := w.Store.Standings(ctx, r.Project, r.ID)
	if err != nil {
		return err
	}
	found, err := w.readings(ctx, &r, at)
	if err != nil {
		return err
	}
	was := map[string]Standing{}
	for _, s := range before {
		was[s.Group] = s
		if _, ok := found[s.Group]; !ok {
			found[s.Group] = found[allGroups]
		}
	}
	delete(found, allGroups)
	var all []Standing
	var events []Event
	for _, group := range groupsOf(found) {
		got, old := found[group], was[group]
		old.Group = group
		if got.spans == 0 && got.err == "" && (!current || w.silenceIsOurs(&r, at)) {
			all = keep(all, old)
			continue
		}
		is, n := r.judge(at, old, got)
		event := Event{Time: at, Group: group, State: is.State, Reason: is.Reason, Value: is.Value}
		if n != silent {
			var reached bool
			event.Notified, reached = w.tell(ctx, &r, r.message(w.Base, at, is, n), tries)
			is.tell(n, at, reached, r.Cooldown)
		}
		if is.State != old.State || n != silent {
			events = append(events, event)
		}
		if !is.forgotten(at) {
			all = append(all, is)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.Store.Evaluated(ctx, r.Project, r.ID, at, all, events)
}

func keep(all []Standing, s Standing) []Standing {
	if s.State == "" {
		return all
	}
	return append(all, s)
}

// forgetAfter is how long a group without spans is kept in mind.
const forgetAfter = 24 * time.Hour

func (s *Standing) forgotten(now time.Time) bool {
	return s.Group != "" && !s.Told && s.State != Firing && now.Sub(s.Seen) > forgetAfter
}

// silenceIsOurs reports that a window without spans reaches into a time when Weir was down.
func (w *Watcher) silenceIsOurs(r *Rule, at time.Time) bool {
	down := w.started.Sub(r.Checked)
	return !r.Checked.IsZero() && down > r.Window/4 && at.Sub(w.started) < r.Window
}

// allGroups stands for every group that is known and has no spans now.
const allGroups = "\x00"

func groupsOf(found map[string]reading) []string {
	out := make([]string, 0, len(found))
	for g := range found {
		out = append(out, g)
	}
	slices.Sort(out)
	return out
}

// readings are what each group has, and what those have that are not among them. A figure that cannot be had is a
// reading too.
func (w *Watcher) readings(ctx context.Context, r *Rule, at time.Time) (map[string]reading, error) {
	a, err := r.figure(at)
	if err != nil { // a filter of an earlier version
		return w.blind(r, shownError(err)), nil
	}
	out := map[string]reading{allGroups: r.nothing(a.Measure)}
	if r.GroupBy == "" {
		out[""] = out[allGroups]
	}
	got, partial, err := w.aggregate(ctx, a)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return w.blind(r, shownError(err)), nil
	case partial:
		return w.blind(r, "the index lags behind, so the newest spans may be missing"), nil
	}
	for _, s := range got.Series {
		if !s.Other {
			out[s.Group] = r.read(s.Totals, a.Measure)
		}
	}
	return out, nil
}

func (w *Watcher) blind(r *Rule, why string) map[string]reading {
	w.stats.blind.Add(1)
	out := map[string]reading{allGroups: {err: why}}
	if r.GroupBy == "" {
		out[""] = out[allGroups]
	}
	return out
}

func shownError(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Msg
	}
	if fault.Is(err, fault.Timeout) {
		return "the figure took too long to compute"
	}
	return "internal error; see the log"
}

func (w *Watcher) aggregate(ctx context.Context, a query.Aggregate) (query.Aggregation, bool, error) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return query.Aggregation{}, false, ctx.Err()
	}
	return w.Figures.Aggregate(ctx, a)
}

// Tries of a delivery, and their deadline and rests.
const (
	tries   = 3
	sendFor = 10 * time.Second
)

var rests = [tries - 1]time.Duration{time.Second, 5 * time.Second}

// tell sends a message to all channels at once and reports how that went. Without channels everyone knows.
func (w *Watcher) tell(ctx context.Context, r *Rule, m Message, tries int) (out []Delivery, reached bool) {
	out = make([]Delivery, len(r.Channels))
	var g errgroup.Group
	for i, c := range r.Channels {
		g.Go(func() error {
			out[i] = Delivery{Channel: c.Name(), OK: true}
			if err := w.deliver(ctx, r, c, m, tries); err != nil {
				w.stats.undelivered.Add(1)
				out[i].OK, out[i].Error = false, shownError(err)
				w.Log.Warn("a notification was not delivered", "alert", r.ID, "project", string(r.Project), "channel", string(c.Kind), "error", shownError(err))
				return nil
			}
			w.stats.delivered.Add(1)
			return nil
		})
	}
	_ = g.Wait() // failures are in out
	return out, len(out) == 0 || slices.ContainsFunc(out, func(d Delivery) bool { return d.OK })
}

func (w *Watcher) deliver(ctx context.Context, r *Rule, c Channel, m Message, tries int) error {
	if err := w.reveal(r, &c); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := w.send(ctx, c, m)
		if err == nil || try == tries-1 || fault.Is(err, fault.Invalid) || ctx.Err() != nil {
			return err
		}
		if err := w.Pause(ctx, rests[try]); err != nil {
			return err
		}
	}
}

func (w *Watcher) send(ctx context.Context, c Channel, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	return w.Sender.Send(ctx, c, m)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("alert: %w", ctx.Err())
	}
}

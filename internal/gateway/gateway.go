package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Limiter holds budgets and rates. Reserve refuses with fault.BudgetExceeded or fault.RateLimited; otherwise settle
// must be called exactly once with what the call really cost (zero releases the reservation). Count admits a request that
// only counts tokens, or refuses with fault.RateLimited.
type Limiter interface {
	Reserve(who *tenant.Identity, cost money.Nano, tokens int64) (settle func(cost money.Nano, tokens int64), err error)
	Count(who *tenant.Identity) error
}

// Deps is what a Gateway works with. All are required but Limiter and KV.
type Deps struct {
	Recorder Recorder
	Limiter  Limiter // nil = no budgets
	KV       span.KV // nil = thinking signatures are not remembered
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
	// Resolve builds the deployment a pattern stands for, on first use: same target with the model filled in.
	Resolve func(pattern *Deployment, model string) (*Deployment, error)
	// Bodies says whether request and response bodies are recorded. nil = yes.
	Bodies func() bool
}

// Gateway routes calls. Its table can be swapped while calls run.
type Gateway struct {
	deps     Deps
	table    atomic.Pointer[Table]
	health   sync.Map // Deployment.ID → *health
	tracked  atomic.Int64
	thinking *thinkingStore
	inflight atomic.Int64
}

// New returns a Gateway without deployments; Swap gives it some.
func New(d Deps) *Gateway {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Bodies == nil {
		d.Bodies = func() bool { return true }
	}
	g := &Gateway{deps: d, thinking: newThinkingStore(d.KV)}
	g.table.Store(NewTable(nil, DefaultPolicy()))
	return g
}

// Swap puts a new table in force for calls that start from now on.
func (g *Gateway) Swap(t *Table) {
	for _, d := range t.all {
		g.health.LoadOrStore(d.ID, &health{})
	}
	g.table.Store(t)
}

// Table is the one in force.
func (g *Gateway) Table() *Table { return g.table.Load() }

// Deployments are those of the table in force.
func (g *Gateway) Deployments() []*Deployment { return g.table.Load().all }

// InFlight counts calls between admission and the end of their answer.
func (g *Gateway) InFlight() int64 { return g.inflight.Load() }

// Bounds of what is kept about deployments made from patterns, since clients choose the names.
const (
	maxResolved = 1000
	maxTracked  = 4000
)

// find returns the deployments that answer to a model name, each for a concrete model. Those that cannot be made are
// left out, unless it is all of them.
func (g *Gateway) find(t *Table, model string) ([]*Deployment, error) {
	ds, err := t.Find(model)
	if err != nil || g.deps.Resolve == nil || !strings.Contains(ds[0].Group, "*") {
		return ds, err
	}
	var out []*Deployment
	for _, pattern := range ds {
		d, resolveErr := g.resolve(t, pattern, t.Name(model))
		if resolveErr != nil {
			err = resolveErr
			continue
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// resolve turns a pattern's deployment into the one for a concrete model.
func (g *Gateway) resolve(t *Table, d *Deployment, model string) (*Deployment, error) {
	star, _ := matchPattern(d.Group, model)
	key := d.ID + "\x00" + star
	if r, ok := t.resolved.Load(key); ok {
		return r.(*Deployment), nil
	}
	r, err := g.deps.Resolve(d, star)
	if err != nil {
		return nil, err
	}
	if t.made.Add(1) <= maxResolved {
		t.resolved.Store(key, r)
	}
	return r, nil
}

// healthOf is where recent calls of a deployment are noted. Configured ones always have theirs.
func (g *Gateway) healthOf(d *Deployment) *health {
	if h, ok := g.health.Load(d.ID); ok {
		return h.(*health)
	}
	if g.tracked.Load() >= maxTracked {
		return &health{}
	}
	h, known := g.health.LoadOrStore(d.ID, &health{})
	if !known {
		g.tracked.Add(1)
	}
	return h.(*health)
}

// HealthState is what recent calls tell about a deployment.
type HealthState struct {
	State     string // "ok", "failing", "cooldown", "unknown"
	LastError string
	LastOK    time.Time
}

// Health reports on a deployment.
func (g *Gateway) Health(d *Deployment) HealthState {
	h, now := g.healthOf(d), g.deps.Now()
	s := HealthState{State: "unknown"}
	if t := h.lastOK.Load(); t > 0 {
		s.State, s.LastOK = "ok", time.Unix(0, t).UTC()
	}
	if p := h.lastErr.Load(); p != nil {
		s.LastError = *p
	}
	switch {
	case h.cooling(now):
		s.State = "cooldown"
	case h.fails.Load() > 0:
		s.State = "failing"
	}
	return s
}

// Do makes a call: admitted, authorised for the model, reserved, routed with retries and fallbacks, recorded. The
// error is always a *CallError. An Answer with a Stream must be read to its end or closed.
func (g *Gateway) Do(ctx context.Context, c *Call) (*Answer, error) {
	x := g.newExchange(c)
	returned := false
	defer func() {
		if !returned { // a panic on its way to the edge: the reservation and the intent must not stay open
			x.finish(nil, nil, fault.New(fault.Internal, "internal error"))
		}
	}()
	a, err := x.run(ctx)
	returned = true
	if err != nil {
		x.finish(nil, nil, err)
		return nil, &CallError{Trace: x.span.Trace, Err: err}
	}
	return a, nil
}

// CountTokens counts the input tokens of a call without running it. Where the upstream cannot count (no such
// operation, not in this region, down), the estimate is one token per 3.5 bytes of body. Counting costs nothing and is not
// recorded, so neither budgets nor the recorder's room bound it: only a rate of its own does, as at the provider.
func (g *Gateway) CountTokens(ctx context.Context, c *Call) (int64, error) {
	t := g.table.Load()
	if err := t.allows(c.Who, c.Model); err != nil {
		return 0, err
	}
	ds, err := g.find(t, c.Model)
	if err != nil {
		return 0, err
	}
	if g.deps.Limiter != nil {
		if err := g.deps.Limiter.Count(c.Who); err != nil {
			return 0, err
		}
	}
	d := g.pick(ds, nil, g.deps.Now())
	estimate := int64(len(c.Body)*2+6) / 7
	counter, ok := d.Upstream.(TokenCounter)
	if !ok {
		return estimate, nil
	}
	x := &exchange{g: g, call: c, table: t}
	a, err := x.attempt(ctx, d)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	n, err := counter.CountTokens(ctx, a)
	var up *llm.Error
	if errors.As(err, &up) && up.Status != http.StatusBadRequest && up.Status != http.StatusRequestEntityTooLarge {
		return estimate, nil // not every region and profile counts; an agent that asks wants a number, not a reason
	}
	return n, err
}

// CallError is a failed call. The trace it was recorded under is told to the client.
type CallError struct {
	Trace string
	Err   error
}

func (e *CallError) Error() string { return e.Err.Error() }
func (e *CallError) Unwrap() error { return e.Err }

func (g *Gateway) newExchange(c *Call) *exchange {
	trace := c.Facts.Trace
	if trace == "" {
		trace = id.Trace()
	}
	now := g.deps.Now().UTC()
	w := c.Who
	x := &exchange{g: g, call: c, table: g.table.Load(), start: now}
	x.span = &span.Span{
		Project: w.Project, Experiment: span.DefaultExperiment, Trace: trace, ID: cmp.Or(c.Facts.Span, id.Span()), Parent: c.Facts.Parent, Replays: c.Facts.Replays, Attributes: keptHeaders(c.Header), Kind: span.Generation,
		Name: c.Facts.TraceName, Start: now, Operation: "chat", Dialect: string(c.Dialect), Group: clip.To(c.Model, maxModelName), Stream: c.Stream,
		Key: w.Key, KeyAlias: w.KeyAlias, User: w.User, Email: w.Email, Team: w.Team, TeamAlias: w.TeamAlias,
		EndUser: c.Facts.EndUser, Session: c.Facts.Session, Tags: mergeTags(w.Tags, c.Facts.Tags), Metadata: c.Facts.Metadata,
		Params: c.Facts.Params, Client: c.Facts.Client, ClientVersion: c.Facts.ClientVersion, UserAgent: c.Facts.UserAgent,
		IP: c.Facts.IP, RequestID: c.Facts.RequestID,
	}
	if x.span.Session != "" {
		x.span.SessionSource = "client"
	}
	if x.span.Name == "" {
		x.span.Name = x.span.Group
	}
	return x
}

func mergeTags(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	out := append([]string(nil), a...)
	for _, t := range b {
		found := false
		for _, o := range a {
			found = found || o == t
		}
		if !found {
			out = append(out, t)
		}
	}
	return out
}

// asFault gives errors that are neither *fault.Error nor *llm.Error a kind, so that every recorded call has one.
func asFault(err error) error {
	switch err.(type) {
	case *fault.Error, *llm.Error:
		return err
	}
	switch k := fault.KindOf(err); k {
	case fault.Canceled:
		return fault.Wrap(k, err, "client closed the connection")
	case fault.Timeout:
		return &llm.Error{Provider: "weir", Type: llm.TypeTimeout, Message: "the upstream did not answer in time", Err: err}
	case fault.Internal:
		return fault.Wrap(k, err, "internal error")
	}
	return err
}

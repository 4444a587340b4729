package gateway

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/catalog"
	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/tenant"
)

// Policy is how calls are retried and where they fall back to.
type Policy struct {
	Retries     int           // further tries after the first, over all deployments of a group
	Deadline    time.Duration // for all tries of a call together, until the answer (or a stream's first content)
	Hold        time.Duration // how long the status of a stream waits for its first content
	MaxWait     time.Duration // longest Retry-After that is waited for
	FailsToCool int           // failures within a minute that put a deployment into cooldown
	Cooldown    time.Duration
	// Fallbacks name the groups to try, in order, after a group failed; Default applies to groups without an entry.
	Fallbacks        map[string][]string
	ContextFallbacks map[string][]string // when the prompt was too long
	ContentFallbacks map[string][]string // when content was refused by a filter
	DefaultFallbacks []string
	Aliases          map[string]string // model_group_alias
	Drop             bool              // drop_params for all calls
	ReserveOutput    int               // tokens reserved where max_tokens is not given
}

// DefaultPolicy is what applies without configuration.
func DefaultPolicy() Policy {
	return Policy{
		Retries: 2, Deadline: 10 * time.Minute, Hold: 10 * time.Second, MaxWait: 30 * time.Second,
		FailsToCool: 3, Cooldown: 5 * time.Second, ReserveOutput: 8192,
	}
}

// Table is one configuration of deployments. It is immutable, but for what it remembers of its patterns, and swapped
// whole on reload.
type Table struct {
	Policy   Policy
	all      []*Deployment
	exact    map[string][]*Deployment
	patterns []*Deployment // groups with "*", most specific first
	resolved sync.Map      // pattern ID + model → *Deployment
	made     atomic.Int64  // deployments ever made from patterns
}

// NewTable indexes deployments by group.
func NewTable(deployments []*Deployment, p Policy) *Table {
	t := &Table{Policy: p, all: deployments, exact: map[string][]*Deployment{}}
	for _, d := range deployments {
		if strings.Contains(d.Group, "*") {
			t.patterns = append(t.patterns, d)
			continue
		}
		t.exact[d.Group] = append(t.exact[d.Group], d)
	}
	slices.SortStableFunc(t.patterns, func(a, b *Deployment) int { return len(b.Group) - len(a.Group) })
	return t
}

// Deployments are all configured, in order.
func (t *Table) Deployments() []*Deployment { return t.all }

// Groups are the exact model names clients can use, in order of configuration.
func (t *Table) Groups() []string {
	var out []string
	for _, d := range t.all {
		if !strings.Contains(d.Group, "*") && !slices.Contains(out, d.Group) {
			out = append(out, d.Group)
		}
	}
	return out
}

// Name is the group, or the name below a pattern, that a model name stands for: itself, an alias's target, the group
// of an upstream model that a client read from the catalog ("bedrock/…", as new Cline offers both) or knows by heart
// ("us.anthropic.claude-…", as Claude Code does). A name that stands for nothing is returned as it is.
func (t *Table) Name(model string) string {
	if to, ok := t.Policy.Aliases[model]; ok {
		model = to
	}
	if len(t.exact[model]) > 0 {
		return model
	}
	if g := t.groupOf(func(d *Deployment) bool { return d.QualifiedModel() == model }); g != "" {
		return g
	}
	if len(t.matching(model)) > 0 {
		return model
	}
	if g := t.groupOf(func(d *Deployment) bool { return d.Target.Model == model }); g != "" {
		return g
	}
	for _, d := range t.patterns {
		if d.Group == d.Target.Provider+"/*" && catalog.Serves(d.Target.Provider, model) {
			return d.Target.Provider + "/" + model
		}
	}
	return model
}

// allows checks a name against a key's models, both as it was written and as what it stands for.
func (t *Table) allows(who *tenant.Identity, model string) error {
	if who.Role == tenant.RoleViewer {
		return fault.New(fault.Forbidden, "a viewer may read, but not call models")
	}
	err := who.MayCall(model)
	if err == nil || who.MayCall(t.Name(model)) == nil {
		return nil
	}
	return err
}

func (p Policy) hasFallbacks(model string) bool {
	return len(p.Fallbacks[model])+len(p.ContextFallbacks[model])+len(p.ContentFallbacks[model]) > 0
}

// those narrows a group to the deployments of an upstream model, if model names one of the group's.
func those(ds []*Deployment, model string) []*Deployment {
	var out []*Deployment
	for _, d := range ds {
		if d.Group != model && (d.QualifiedModel() == model || d.Target.Model == model) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		return ds
	}
	return out
}

func (t *Table) groupOf(is func(*Deployment) bool) string {
	for _, d := range t.all {
		if !strings.Contains(d.Group, "*") && is(d) {
			return d.Group
		}
	}
	return ""
}

// matching are the deployments of the most specific pattern that matches.
func (t *Table) matching(model string) []*Deployment {
	var best []*Deployment
	for _, d := range t.patterns {
		if len(best) > 0 && len(best[0].Group) != len(d.Group) {
			break
		}
		if _, ok := matchPattern(d.Group, model); ok {
			best = append(best, d)
		}
	}
	return best
}

// Find returns the deployments that answer to a model name, as Name understands it. Deployments of a pattern carry "*"
// in their Target.Model; resolve fills it.
func (t *Table) Find(model string) ([]*Deployment, error) {
	name := t.Name(model)
	if ds := t.exact[name]; len(ds) > 0 {
		return those(ds, model), nil
	}
	if ds := t.matching(name); len(ds) > 0 {
		return ds, nil
	}
	return nil, fault.New(fault.ModelNotFound, "The model `%s` does not exist or is not configured; GET /v1/models lists what is", clip.To(model, 200))
}

// matchPattern matches one "*" of a pattern, which may span slashes, and returns what it stood for.
func matchPattern(pattern, model string) (string, bool) {
	pre, post, ok := strings.Cut(pattern, "*")
	if !ok {
		return "", pattern == model
	}
	if len(model) < len(pre)+len(post) || !strings.HasPrefix(model, pre) || !strings.HasSuffix(model, post) {
		return "", false
	}
	return model[len(pre) : len(model)-len(post)], true
}

// QualifiedModel is "provider/model", LiteLLM's way of writing litellm_params.model.
func (d *Deployment) QualifiedModel() string { return d.Target.Provider + "/" + d.Target.Model }

// health is what recent calls tell about a deployment. It outlives reloads, keyed by Deployment.ID.
type health struct {
	fails    atomic.Int32 // in a row
	lastFail atomic.Int64 // unix nano
	coolTill atomic.Int64 // unix nano
	lastOK   atomic.Int64
	lastErr  atomic.Pointer[string]
}

func (h *health) ok(now time.Time) {
	h.fails.Store(0)
	h.coolTill.Store(0)
	h.lastOK.Store(now.UnixNano())
}

func (h *health) failed(now time.Time, p Policy, retryAfter time.Duration, msg string) {
	msg = clip.To(msg, 300)
	h.lastErr.Store(&msg)
	if now.UnixNano()-h.lastFail.Swap(now.UnixNano()) > int64(time.Minute) {
		h.fails.Store(0)
	}
	n := h.fails.Add(1)
	switch {
	case retryAfter > 0:
		h.coolTill.Store(now.Add(min(retryAfter, time.Minute)).UnixNano())
	case p.Cooldown > 0 && int(n) >= p.FailsToCool:
		h.coolTill.Store(now.Add(p.Cooldown).UnixNano())
	}
}

func (h *health) cooling(now time.Time) bool { return h.coolTill.Load() > now.UnixNano() }

// pick chooses among candidates by weight, leaving out tried ones and, while others remain, those in cooldown. When
// all were tried it starts over: a lone deployment is retried rather than given up.
func (g *Gateway) pick(candidates []*Deployment, tried map[*Deployment]int, now time.Time) *Deployment {
	least := slices.MinFunc(candidates, func(a, b *Deployment) int { return tried[a] - tried[b] })
	var fresh, warm []*Deployment
	for _, d := range candidates {
		if tried[d] > tried[least] {
			continue
		}
		fresh = append(fresh, d)
		if !g.healthOf(d).cooling(now) {
			warm = append(warm, d)
		}
	}
	if len(warm) == 0 {
		warm = fresh
	}
	return weighted(warm)
}

func weighted(ds []*Deployment) *Deployment {
	if len(ds) == 1 {
		return ds[0]
	}
	var sum float64
	for _, d := range ds {
		sum += d.weight()
	}
	at := rand.Float64() * sum
	for _, d := range ds {
		if at -= d.weight(); at < 0 {
			return d
		}
	}
	return ds[len(ds)-1]
}

func (d *Deployment) weight() float64 {
	if d.Weight > 0 {
		return d.Weight
	}
	return 1
}

package share

import (
	"context"
	"strconv"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// View is a store that holds nothing but the trace of a share, without what tells who made the calls: users, keys,
// teams, sessions and addresses. Without bodies, whatever may repeat a prompt is left out too.
func View(s span.Store, of Share) span.Store { return &view{s, of} }

// view embeds nothing but reads: whatever else is asked of it is refused.
type view struct {
	store span.Store
	of    Share
}

var (
	_ span.Store     = (*view)(nil)
	_ query.Outliner = (*view)(nil)
)

func hidden() error { return fault.New(fault.NotFound, "not part of what is shared") }

func (v *view) Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	if p != v.of.Project || trace != v.of.Trace {
		return nil, hidden()
	}
	spans, err := v.store.Trace(ctx, p, trace)
	for i, s := range spans {
		spans[i] = v.shown(s)
	}
	return spans, err
}

func (v *view) Spans(ctx context.Context, p tenant.ProjectID, keys []span.Key) ([]*span.Span, error) {
	var own []span.Key
	for _, k := range keys {
		if p == v.of.Project && k.Trace == v.of.Trace {
			own = append(own, k)
		}
	}
	spans, err := v.store.Spans(ctx, p, own)
	for i, s := range spans {
		spans[i] = v.shown(s)
	}
	return spans, err
}

// Outline implements query.Outliner.
func (v *view) Outline(ctx context.Context, p tenant.ProjectID, trace string) ([]span.Outline, error) {
	if p != v.of.Project || trace != v.of.Trace {
		return nil, hidden()
	}
	all, err := query.OutlineFrom(ctx, v.store, p, trace)
	if !v.of.Bodies {
		for i := range all {
			if all[i].Error != "" {
				all[i].Error = "error" // it may be a text
			}
		}
	}
	return all, err
}

// shown is a copy without what is not shared.
func (v *view) shown(s *span.Span) *span.Span {
	c := *s
	c.Key, c.KeyAlias, c.User, c.Email, c.Team, c.TeamAlias, c.EndUser, c.IP, c.UserAgent = "", "", "", "", "", "", "", "", ""
	c.Session, c.SessionSource, c.RequestID, c.Upstream, c.Replays, c.Experiment, c.Deployment = "", "", "", "", "", "", ""
	c.Tries, c.Resource = nil, nil
	if v.of.Bodies {
		w := whoOf(s)
		c.Params, c.Metadata, c.Attributes = w.without(s.Params), w.without(s.Metadata), w.without(s.Attributes)
		c.Tags, c.Events, c.Links = w.withoutTags(s.Tags), w.withoutEvents(s.Events), w.withoutLinks(s.Links)
		return &c
	}
	c.Input, c.Output = withoutContent(c.Input), withoutContent(c.Output)
	c.Params, c.Metadata, c.Attributes, c.Events, c.Links, c.Tags = nil, nil, nil, nil, nil, nil
	c.ErrorText, c.ErrorBody = "", ""
	c.Scores = onlyFigures(s.Scores)
	return &c
}

func withoutContent(r span.Ref) span.Ref { return span.Ref{Size: r.Size} }

// onlyFigures leaves out marks whose text somebody wrote.
func onlyFigures(marks []span.Mark) (out []span.Mark) {
	for _, m := range marks {
		_, number := strconv.ParseFloat(m.Text, 64)
		_, truth := strconv.ParseBool(m.Text)
		if number == nil || truth == nil {
			out = append(out, m)
		}
	}
	return out
}

// Blob and Chain are reached through references of the spans shown; without bodies there are none.
func (v *view) Blob(ctx context.Context, p tenant.ProjectID, day span.Day, h span.Hash) ([]byte, error) {
	if p != v.of.Project || !v.of.Bodies {
		return nil, hidden()
	}
	return v.store.Blob(ctx, p, day, h)
}

func (v *view) Chain(ctx context.Context, p tenant.ProjectID, day span.Day, leaf span.Hash) ([]span.Node, error) {
	if p != v.of.Project || !v.of.Bodies {
		return nil, hidden()
	}
	return v.store.Chain(ctx, p, day, leaf)
}

func (v *view) Committed() uint64 { return v.store.Committed() }

func (v *view) Home(context.Context, tenant.ProjectID, string, span.Day) (span.Day, error) {
	return 0, hidden()
}

func (v *view) HasNode(context.Context, tenant.ProjectID, span.Day, span.Hash) (bool, error) {
	return false, hidden()
}
func (v *view) Append(context.Context, bool, ...*span.Batch) error                { return hidden() }
func (v *view) Ledger(context.Context, uint64, func(span.LedgerEntry) bool) error { return hidden() }
func (v *view) DropDay(context.Context, tenant.ProjectID, span.Day) error         { return hidden() }
func (v *view) Changes(context.Context, uint64, func(uint64, *span.Span) bool) error {
	return hidden()
}
func (v *view) Trim(context.Context, uint64) error                          { return hidden() }
func (v *view) Scan(context.Context, func(*span.Span) bool) (uint64, error) { return 0, hidden() }

package ingest

import (
	"context"
	"log/slog"
	"time"

	"weir/internal/gateway"
	"weir/internal/span"
)

// recover makes an interrupted span of each call that a killed process had begun and not recorded, settled at what had
// been reserved for it: the provider may well have answered and billed.
func (r *Recorder) recover(ctx context.Context) error {
	left, last, err := r.intents.leftovers()
	if err != nil {
		return err
	}
	var batches []*span.Batch
	for _, i := range left {
		stored, err := r.o.Store.Spans(ctx, i.Project, []span.Key{{Trace: i.Trace, Span: i.Span}})
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			continue
		}
		day, err := r.o.Store.Home(ctx, i.Project, i.Trace, span.DayOf(i.Start))
		if err != nil {
			return err
		}
		b := interrupted(&i, day, last)
		if r.o.Name != nil {
			r.o.Name(b.Span)
		}
		batches = append(batches, b)
	}
	for rest := batches; len(rest) > 0; {
		n := min(len(rest), commitCalls)
		if err := r.o.Store.Append(ctx, true, rest[:n]...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	r.stats.interrupted.Add(int64(len(batches)))
	if len(batches) > 0 {
		r.o.Log.Warn("calls in flight were interrupted by the last stop", slog.Int("calls", len(batches)))
	}
	return nil
}

// interrupted ends a call at the last sign of life of its process.
func interrupted(i *gateway.Intent, day span.Day, last time.Time) *span.Batch {
	s := &span.Span{
		Project: i.Project, Experiment: span.DefaultExperiment, Trace: i.Trace, ID: i.Span, Day: day, Name: "chat", Kind: span.Generation,
		Start: i.Start, End: i.Start, Status: span.Interrupted, ErrorType: "interrupted",
		ErrorText: "the gateway stopped during the call; its cost is what was reserved", Operation: "chat",
		Group: i.Group, Deployment: i.Deployment, Key: i.Key, User: i.User, Team: i.Team,
		Cost: span.Cost{Total: i.Reserved, Source: span.CostEstimated},
	}
	if last.After(s.End) {
		s.End = last.UTC()
	}
	return &span.Batch{Span: s, Ledger: entryOf(s)}
}

package ingest

import (
	"context"
	"log/slog"
	"time"

	"weir/internal/gateway"
	"weir/internal/span"
)

// applier is a store that takes batches in two steps, so that the writer prepares the next ones while the disk works: see
// Apply of the store that has it.
type applier interface {
	Apply(ctx context.Context, batches ...*span.Batch) (wait func() error, err error)
}

// landing is a commit whose sync is under way. It belongs to the writer.
type landing struct {
	records []*gateway.Record
	batches []*span.Batch
	wait    func() error
}

// land waits for the commit under way, if there is one, and tells those who wait for it. Should it fail, its records are
// stored anew, and what was prepared since relies on content that is not there: then it is false.
func (r *Recorder) land() (ok bool) {
	for ok = true; r.landing != nil; ok = false {
		l := r.landing
		r.landing = nil
		err := l.wait()
		if err == nil {
			r.tell(l.batches)
			return ok
		}
		r.bodies.known.reset()
		if r.ctx.Err() != nil {
			r.lose(len(l.records))
			return false
		}
		r.fails(l.records, err, 20*time.Millisecond)
		r.persist(l.records)
	}
	return ok
}

// fails notes that records could not be stored, and waits before the next try.
func (r *Recorder) fails(records []*gateway.Record, err error, wait time.Duration) {
	r.failing.Store(true)
	r.stats.retries.Add(1)
	r.o.Log.Error("calls are not recorded yet", slog.Int("calls", len(records)), slog.Any("error", err))
	r.pause(wait)
}

// tell is told of what survives power loss from now on.
func (r *Recorder) tell(batches []*span.Batch) {
	r.failing.Store(false)
	charged := false
	for _, b := range batches {
		charged = charged || b.Ledger != nil
		r.intents.done(b.Span.Trace, b.Span.ID)
		if r.o.OnSpan != nil {
			r.o.OnSpan(b.Span)
		}
	}
	r.stats.recorded.Add(int64(len(batches)))
	r.announce()
	if charged && r.o.OnCharge != nil {
		r.o.OnCharge()
	}
}

package ingest

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/span"
	"weir/internal/tenant"
)

// write is the writer's loop; it ends when the queue is closed and empty, or when Stop gives up.
func (r *Recorder) write() {
	for {
		if n, _ := r.queue.depth(); n == 0 {
			r.land()
		}
		records := r.queue.take(commitCalls, commitBytes, r.o.Gather)
		if records == nil {
			r.land()
			return
		}
		r.persist(records)
	}
}

// persist stores records, trying until it succeeds or Stop gives up. A record that the store calls invalid would block
// all others for ever; it is reported and left to its intent.
func (r *Recorder) persist(records []*gateway.Record) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := r.runOnce(r.ctx, records)
		if err == nil {
			return
		}
		r.bodies.known.reset() // it counts what the failed commit would have stored
		switch {
		case r.ctx.Err() != nil:
			r.lose(len(records))
			return
		case fault.Is(err, fault.Conflict): // a day was dropped between the look-up and the commit
			r.pause(wait) // the next try finds another day; were it not so, it must not spin
			continue
		case fault.Is(err, fault.Invalid):
			r.persistEach(records, err)
			return
		}
		r.fails(records, err, wait)
	}
}

func (r *Recorder) persistEach(records []*gateway.Record, err error) {
	if len(records) == 1 {
		if rec := records[0]; rec.Request != nil || rec.Response != nil { // a call without its bodies is better than none
			r.o.Log.Error("the bodies of a call cannot be recorded", slog.Any("error", err))
			rec.Request, rec.Response = nil, nil
			rec.Span.Input, rec.Span.Output = span.Ref{}, span.Ref{}
			r.persist(records)
			return
		}
		r.o.Log.Error("a call cannot be recorded", slog.Any("error", err))
		r.lose(1)
		r.announce()
		return
	}
	for i := range records {
		r.persist(records[i : i+1])
	}
}

func (r *Recorder) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	}
}

// runOnce prepares records while the commit before is synced, and commits them. Those who wait are told when they have
// landed.
func (r *Recorder) runOnce(ctx context.Context, records []*gateway.Record) error {
	batches, err := r.prepareAll(ctx, records)
	if !r.land() {
		batches, err = r.prepareAll(ctx, records)
	}
	if err != nil {
		return err
	}
	if s, ok := r.o.Store.(applier); ok {
		wait, err := s.Apply(ctx, batches...)
		if err == nil {
			r.landing = &landing{records, batches, wait}
		}
		return err
	}
	if err := r.o.Store.Append(ctx, true, batches...); err != nil {
		return err
	}
	r.tell(batches)
	return nil
}

func (r *Recorder) prepareAll(ctx context.Context, records []*gateway.Record) ([]*span.Batch, error) {
	r.forgetIfAsked()
	batches := make([]*span.Batch, len(records))
	for i, rec := range records {
		b, err := r.prepare(ctx, rec)
		if err != nil {
			return nil, err
		}
		batches[i] = b
	}
	return batches, nil
}

func (r *Recorder) announce() {
	next := make(chan struct{})
	close(*r.commits.Swap(&next))
}

// prepare turns a record into a batch. It may run again for the same record. A panic over a body becomes an error, since
// on the writer's goroutine it would end the process, again and again for a client that repeats itself.
func (r *Recorder) prepare(ctx context.Context, rec *gateway.Record) (b *span.Batch, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.o.Log.Error("preparing a record panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			b, err = nil, fault.New(fault.Invalid, "a call cannot be prepared for recording")
		}
	}()
	return r.batch(ctx, rec)
}

func (r *Recorder) batch(ctx context.Context, rec *gateway.Record) (*span.Batch, error) {
	s := rec.Span
	b := &span.Batch{Span: s, Covers: covers(s)}
	if rec.Charge {
		b.Ledger = entryOf(s)
	}
	day, err := r.home(ctx, rec)
	if err != nil {
		return nil, err
	}
	s.Day = day
	if s.Session != "" && s.SessionSource == "" {
		s.SessionSource = fromClient
	}
	var answer gjson.Result
	if rec.Response != nil {
		response := r.redact(rec.Response)
		answer = answerOf(response)
		s.Output = r.bodies.raw(b, response)
		s.Output.Preview = outputPreview(answer)
	}
	if rec.Request == nil {
		return b, nil
	}
	return b, r.request(ctx, b, rec, answer)
}

// newHomes is a store that need not search for a trace whose id was made a moment ago.
type newHomes interface {
	NewHome(p tenant.ProjectID, trace string, day span.Day) span.Day
}

// aMoment is too short for a store to forget a trace: somebody else may have added to it, who was told the id.
const aMoment = 5 * time.Second

func (r *Recorder) home(ctx context.Context, rec *gateway.Record) (span.Day, error) {
	s := rec.Span
	if store, ok := r.o.Store.(newHomes); ok && rec.NewTrace {
		if age := r.o.Now().Sub(s.Start); 0 <= age && age < aMoment {
			return store.NewHome(s.Project, s.Trace, span.DayOf(s.Start)), nil
		}
	}
	return r.o.Store.Home(ctx, s.Project, s.Trace, span.DayOf(s.Start))
}

func (r *Recorder) request(ctx context.Context, b *span.Batch, rec *gateway.Record, answer gjson.Result) error {
	body := r.redact(rec.Request)
	conv, err := r.bodies.request(ctx, b, body)
	if err != nil {
		return err
	}
	if conv == nil {
		b.Span.Input.Preview = rawPreview(body)
		return nil
	}
	b.Span.Input.Preview = inputPreview(conv)
	if b.Span.Operation == countTokens {
		return nil
	}
	if err := r.threads.assign(ctx, b.Span, conv, answer); err != nil {
		r.o.Log.Warn("a session could not be looked up or kept", slog.Any("error", err))
	}
	return nil
}

// countTokens is the operation of calls that ask about a conversation without being part of it.
const countTokens = "count_tokens"

func (r *Recorder) redact(body []byte) []byte {
	if r.o.Redact == nil || body == nil {
		return body
	}
	return r.o.Redact(body)
}

// entryOf is the charge of a call.
func entryOf(s *span.Span) *span.LedgerEntry {
	return &span.LedgerEntry{
		Time: s.End, Call: span.CallID(s.Trace, s.ID), Project: s.Project, Key: s.Key, User: s.User, Team: s.Team,
		Model: s.Group, Tags: s.Tags, Usage: s.Usage, Cost: s.Cost.Total,
		Failed: s.Status == span.Error || s.Status == span.Interrupted,
	}
}

package otlp

import (
	"context"

	"weir/internal/ingest"
	"weir/internal/ingest/mapping"
	wire "weir/internal/wire/otlp"
)

// A request is handed on in steps of this size, so that what is mapped stays small beside it. If a later step is refused
// the whole request is; sending it again is harmless.
const (
	stepSpans = 4096
	stepBytes = 16 << 20
)

// source is what spans from here are marked with.
const sourceName = "otlp"

// spans takes a trace request.
func (s *Surface) spans(ctx context.Context, c *call) (wire.Partial, error) {
	b := batch{surface: s, ctx: ctx}
	room := s.rooms.get(len(c.body) + len(c.body)/8)
	mapper := mapping.Mapper{Room: room}
	read := wire.Spans
	if c.json {
		read = wire.SpansJSON
	}
	err := read(c.body, func(r *mapping.Raw, bad error) error {
		if bad != nil {
			b.refuse(1, bad)
			return nil
		}
		m := mapper.Map(r)
		if c.experiment != "" {
			m.Span.Experiment = c.experiment
		}
		m.Span.Project, m.Span.Source = c.project, sourceName
		return b.add(ingest.Incoming{Span: m.Span, Input: m.Input, Output: m.Output})
	})
	if err == nil {
		err = b.flush()
	}
	if err != nil {
		return wire.Partial{}, err
	}
	s.rooms.put(room) // the bodies are stored; had the intake failed it might still be reading them
	s.stats.spans.Add(b.taken)
	s.stats.rejected.Add(b.partial.Rejected)
	return b.partial, nil
}

// batch gathers spans for the intake.
type batch struct {
	surface *Surface
	ctx     context.Context
	spans   []ingest.Incoming
	bytes   int
	taken   int64
	partial wire.Partial
}

func (b *batch) add(in ingest.Incoming) error {
	b.spans = append(b.spans, in)
	b.bytes += len(in.Input) + len(in.Output)
	if len(b.spans) < stepSpans && b.bytes < stepBytes {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	if len(b.spans) == 0 {
		return nil
	}
	rejected, err := b.surface.Intake.Accept(b.ctx, b.spans)
	if err != nil {
		return err
	}
	b.taken += int64(len(b.spans) - len(rejected))
	for _, r := range rejected {
		b.refuse(1, r.Err)
	}
	b.spans, b.bytes = nil, 0
	return nil
}

// refuse counts; the first reason stands for all.
func (b *batch) refuse(n int64, why error) {
	b.partial.Rejected += n
	if b.partial.Message == "" {
		b.partial.Message = messageOf(why)
	}
}

package logging

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// leveled puts a level in front of a shared handler, and counts the errors that pass.
type leveled struct {
	slog.Handler
	level  slog.Leveler
	errors *atomic.Int64
}

func (h *leveled) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.errors.Add(1)
	}
	return h.Handler.Handle(ctx, r)
}

func (h *leveled) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *leveled) WithAttrs(a []slog.Attr) slog.Handler {
	return &leveled{h.Handler.WithAttrs(a), h.level, h.errors}
}

func (h *leveled) WithGroup(name string) slog.Handler {
	return &leveled{h.Handler.WithGroup(name), h.level, h.errors}
}

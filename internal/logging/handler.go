package logging

import (
	"context"
	"log/slog"
)

// leveled puts a level in front of a shared handler.
type leveled struct {
	slog.Handler
	level slog.Leveler
}

func (h *leveled) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *leveled) WithAttrs(a []slog.Attr) slog.Handler {
	return &leveled{h.Handler.WithAttrs(a), h.level}
}

func (h *leveled) WithGroup(name string) slog.Handler {
	return &leveled{h.Handler.WithGroup(name), h.level}
}

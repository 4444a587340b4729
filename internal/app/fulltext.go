package app

import (
	"context"

	"weir/internal/fulltext"
	"weir/internal/logging"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/surface/litellm"
	"weir/internal/tenant"
)

// textStore is the truth with the call in it that was just answered; see fresh.
type textStore struct {
	*pebble.Store
	fresh fresh
}

func (t textStore) Committed() uint64 { return t.fresh.Committed() }

func newTexts(truth *pebble.Store, f fresh, log *logging.Root) *fulltext.Service {
	return fulltext.New(textStore{truth, f}, fulltext.Options{Log: log.For("index")})
}

// DropDay takes the day's texts along that are in memory.
func (f fresh) DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	return f.texts.DropDay(ctx, p, day, func() error { return f.Store.DropDay(ctx, p, day) })
}

// textsCheck is part of the readiness: searching is possible while the text index is built, but finds only a part.
func textsCheck(s fulltext.Status) litellm.Check {
	c := litellm.Check{Name: "texts", OK: s.Ready && s.Err == "", Detail: s.Err}
	if !s.Ready && s.Err == "" {
		c.Detail = "building"
	}
	return c
}

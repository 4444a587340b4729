package fulltext

import (
	"context"

	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// RunOnce is what the loop does.
func (s *Service) RunOnce(ctx context.Context) error { return s.runOnce(ctx) }

// Flush writes what is in memory.
func (s *Service) Flush(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.flush(ctx)
}

// Candidates counts the stored blocks of a day that a needle would have searched, of all, and the sets they are in.
func (s *Service) Candidates(ctx context.Context, p tenant.ProjectID, day span.Day, needleText string) (pass, all, sets int, err error) {
	at := home{p, day}
	headers, err := headersOf(ctx, s.store, at)
	if err != nil {
		return 0, 0, 0, err
	}
	f := needleOf(needleText)
	r := &run{s: s, at: at}
	parts, err := r.parts(ctx, headers, &needle{Needle: query.Needle{}, text: f, rows: needleRows(f)})
	for i, h := range headers {
		all += h.blocks
		if i == 0 || h.set != headers[i-1].set {
			sets++
		}
	}
	return blocksOf(parts), all, sets, err
}

// Fold is what texts are compared by.
func Fold(s string) string { return string(needleOf(s)) }

// Version of the layout.
const Version = version

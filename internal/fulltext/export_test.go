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
	n := newNeedle(query.Needle{Text: needleText})
	r := &run{s: s, at: at, workers: 1}
	parts, err := r.parts(ctx, setsOf(headers), &n)
	for _, h := range headers {
		all += h.blocks
	}
	return blocksOf(parts), all, len(setsOf(headers)), err
}

// Fold is what texts are compared by.
func Fold(s string) string { return string(needleOf(s)) }

// Version of the layout.
const Version = version

// Cells counts the stored cells of a day that a needle would have searched, of all.
func (s *Service) Cells(ctx context.Context, p tenant.ProjectID, day span.Day, needleText string) (pass, all int, err error) {
	at := home{p, day}
	headers, err := headersOf(ctx, s.store, at)
	if err != nil {
		return 0, 0, err
	}
	n := newNeedle(query.Needle{Text: needleText})
	r := &run{s: s, at: at, workers: 1}
	parts, err := r.parts(ctx, setsOf(headers), &n)
	for _, h := range headers {
		for _, cells := range h.cellsOfBlocks() {
			all += cells
		}
	}
	for _, p := range parts {
		for _, c := range p.candidates {
			pass += min(c.load(), c.n)
		}
	}
	return pass, all, err
}

// Coded counts the segments of a day whose seams are kept as a code, of all.
func (s *Service) Coded(ctx context.Context, p tenant.ProjectID, day span.Day) (n, all int, err error) {
	headers, err := headersOf(ctx, s.store, home{p, day})
	for _, h := range headers {
		if all++; seamShape.coded(h.set, h.cells) {
			n++
		}
	}
	return n, all, err
}

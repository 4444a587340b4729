package fulltext

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"weir/internal/span"
)

// ahead are places that were looked up for many spans at once, in the order of the store: one by one each would be read from
// another end of it.
type ahead map[blob]found

// blob is content of a project's day.
type blob struct {
	at home
	h  span.Hash
}

type found struct {
	place Place
	ok    bool
}

// compare orders blobs as the store does, but for the days of different projects.
func (b blob) compare(c blob) int {
	return cmp.Or(cmp.Compare(b.at.project, c.at.project), cmp.Compare(b.at.day, c.at.day), bytes.Compare(b.h[:], c.h[:]))
}

// lookAhead finds the places of whole bodies of spans. Messages are known only once their nodes have been read.
func (s *Service) lookAhead(ctx context.Context, spans []*span.Span, hands int) (ahead, error) {
	var blobs []blob
	for _, sp := range spans {
		for _, h := range []span.Hash{sp.Input.Skeleton, sp.Output.Skeleton} {
			if !h.IsZero() {
				blobs = append(blobs, blob{home{sp.Project, sp.Day}, h})
			}
		}
	}
	slices.SortFunc(blobs, blob.compare)
	blobs = slices.Compact(blobs)
	places := make([]found, len(blobs))
	g, ctx := errgroup.WithContext(ctx)
	for from, per := 0, len(blobs)/hands+1; from < len(blobs); from += per {
		g.Go(func() error {
			for i := from; i < min(from+per, len(blobs)); i++ {
				place, ok, err := s.store.Place(ctx, blobs[i].at.project, blobs[i].at.day, blobs[i].h)
				if err != nil {
					return err
				}
				places[i] = found{place, ok}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(ahead, len(blobs))
	for i, b := range blobs {
		out[b] = places[i]
	}
	return out, nil
}

func (s *Service) placeOf(ctx context.Context, at home, h span.Hash) (Place, bool, error) {
	if f, ok := s.ahead[blob{at, h}]; ok {
		return f.place, f.ok, nil
	}
	return s.store.Place(ctx, at.project, at.day, h)
}

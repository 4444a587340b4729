package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/ingest/mapping"
	"weir/internal/span"
)

func (s *Surface) messages() {
	register(s, op{
		method: http.MethodGet, path: "/traces/{trace}/spans/{span}/messages", id: "getMessages",
		doc: "What went into a span and came out as a conversation, in one form for all dialects",
	}, s.getMessages)
}

func (s *Surface) getMessages(ctx context.Context, in *SpanInput) (*body[mapping.Conversation], error) {
	sp, err := s.Query.Span(ctx, edge.Who(ctx).Project, in.Trace, in.Span)
	if err != nil {
		return nil, err
	}
	c, err := s.conversation(ctx, sp)
	if err != nil {
		return nil, err
	}
	return reply(c)
}

// conversation reads the bodies of a span; one that was not recorded, or is gone, leaves its side empty.
func (s *Surface) conversation(ctx context.Context, sp *span.Span) (mapping.Conversation, error) {
	var sides [2][]byte
	for i, ref := range []span.Ref{sp.Input, sp.Output} {
		b, err := s.bodyOf(ctx, sp, ref)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return mapping.Conversation{}, err
		}
		sides[i] = b
	}
	return mapping.View(sp, sides[0], sides[1]), nil
}

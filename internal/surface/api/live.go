package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"weir/internal/edge"
	"weir/internal/jsonx"
	"weir/internal/query"
)

// liveQueue is how many spans may wait for one reader before it is cut off.
const liveQueue = 256

type liveInput struct {
	Filter string `query:"filter" maxLength:"8192"`
}

func (s *Surface) live(ctx context.Context, in *liveInput) (*huma.StreamResponse, error) {
	filter, err := query.Parse(in.Filter)
	if err != nil {
		return nil, err
	}
	a := answerOf(ctx)
	a.direct = true
	return &huma.StreamResponse{Body: func(huma.Context) {
		tail := s.Query.Live(edge.Who(ctx).Project, filter, liveQueue)
		defer tail.Close()
		a.err = s.follow(ctx, a.w, tail)
	}}, nil
}

// follow writes a tail until the reader leaves, falls behind, or the server stops.
func (s *Surface) follow(ctx context.Context, w http.ResponseWriter, tail *query.Tail) error {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := &events{w: w, rc: http.NewResponseController(w)}
	beat := time.NewTicker(s.Heartbeat)
	defer beat.Stop()
	err := out.write(": live\n\n")
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			err = out.write(": still here\n\n")
		case sp, ok := <-tail.Spans:
			if !ok {
				return out.end(tail.Lagged())
			}
			err = out.write("event: span\ndata: " + string(jsonx.MustMarshal(rowOf(sp))) + "\n\n")
		}
	}
	return err
}

type events struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// writeTime is how long a reader may take for one event.
const writeTime = 10 * time.Second

func (e *events) write(s string) error {
	if err := e.rc.SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(s)); err != nil {
		return err
	}
	return e.rc.Flush()
}

func (e *events) end(lagged bool) error {
	if !lagged {
		return nil
	}
	return e.write("event: lagged\ndata: {\"message\":\"this reader fell behind; connect again\"}\n\n")
}

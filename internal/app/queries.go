package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"weir/internal/config"
	"weir/internal/fulltext"
	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/logging"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/duckdb"
	"weir/internal/tenant"
)

// queries is reading: the index beside the truth, and the service that keeps it up to date.
type queries struct {
	*query.Engine
	indexer *query.Indexer
	texts   *fulltext.Service
	bodies
}

func newQueries(s *stores, r *ingest.Recorder, c *config.Config, log *logging.Root) *queries {
	dir := filepath.Join(c.Data, indexDir)
	f := fresh{Store: s.truth, recorder: r}
	f.texts = newTexts(s.truth, f, log)
	x := query.NewIndexer(s.truth, query.Backend{
		Open: func(ctx context.Context) (query.Index, error) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, err
			}
			return duckdb.Open(ctx, filepath.Join(dir, "index.duckdb"), duckdb.Options{MemoryLimit: fmt.Sprintf("%dMiB", c.Index.MemoryLimit>>20), Threads: runtime.NumCPU()})
		},
		Remove: func() error { return os.RemoveAll(dir) },
	}, query.IndexerOptions{Log: log.For("index"), Floor: f.texts.Floor})
	return &queries{Engine: query.NewEngine(f, x, f.texts), indexer: x, texts: f.texts, bodies: bodies{s.truth}}
}

func (q *queries) Start(ctx context.Context) error {
	return errors.Join(q.texts.Start(ctx), q.indexer.Start(ctx)) // neither fails
}

// behind is how far those who read what is stored are behind, those left out that read all of it anew.
func (q *queries) behind() uint64 {
	committed := q.store.Committed()
	least := committed
	if pos, ready := q.texts.Position(); ready {
		least = min(least, pos)
	}
	if s := q.indexer.State(); s.Open && !s.Rebuilding {
		least = min(least, s.Position)
	}
	return committed - least
}

func (q *queries) Stop() {
	q.indexer.Stop()
	q.texts.Stop()
}

// fresh is the truth as the one who just got an answer expects it: with the call in it. Ends of calls are committed up
// to 10 ms after the answer; a read waits for those of calls that ended before it.
type fresh struct {
	span.Store
	recorder *ingest.Recorder
	texts    *fulltext.Service
}

// settleTime bounds the wait; a store in trouble must not hold up reads.
const settleTime = 200 * time.Millisecond

func (f fresh) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	_ = f.recorder.Flush(ctx) // late is only late
}

func (f fresh) Committed() uint64 {
	f.settle(context.Background())
	return f.Store.Committed()
}

func (f fresh) Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	f.settle(ctx)
	return f.Store.Trace(ctx, p, trace)
}

func (f fresh) Spans(ctx context.Context, p tenant.ProjectID, keys []span.Key) ([]*span.Span, error) {
	f.settle(ctx)
	return f.Store.Spans(ctx, p, keys)
}

// Outline implements query.Outliner.
func (f fresh) Outline(ctx context.Context, p tenant.ProjectID, trace string) ([]span.Outline, error) {
	f.settle(ctx)
	return query.OutlineFrom(ctx, f.Store, p, trace)
}

// bodies binds ingest's readers to the store.
type bodies struct{ store span.Store }

func (b bodies) Body(ctx context.Context, s *span.Span, ref span.Ref) ([]byte, error) {
	return ingest.Body(ctx, b.store, s, ref)
}

func (b bodies) NewMessages(ctx context.Context, s *span.Span) ([]jsonx.Raw, error) {
	return ingest.NewMessages(ctx, b.store, s)
}

func (b bodies) Skeleton(ctx context.Context, s *span.Span) ([]byte, error) {
	return ingest.Skeleton(ctx, b.store, s)
}

package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"weir/internal/config"
	"weir/internal/ingest"
	"weir/internal/jsonx"
	"weir/internal/logging"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/duckdb"
)

// queries is reading: the index beside the truth, and the service that keeps it up to date.
type queries struct {
	*query.Engine
	indexer *query.Indexer
	bodies
}

func newQueries(s *stores, c *config.Config, log *logging.Root) *queries {
	dir := filepath.Join(c.Data, indexDir)
	x := query.NewIndexer(s.truth, query.Backend{
		Open: func(ctx context.Context) (query.Index, error) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, err
			}
			return duckdb.Open(ctx, filepath.Join(dir, "spans.duckdb"), duckdb.Options{MemoryLimit: fmt.Sprintf("%dMiB", c.Index.MemoryLimit>>20), Threads: runtime.NumCPU()})
		},
		Remove: func() error { return os.RemoveAll(dir) },
	}, query.IndexerOptions{Log: log.For("index")})
	return &queries{Engine: query.NewEngine(s.truth, x), indexer: x, bodies: bodies{s.truth}}
}

func (q *queries) Start(ctx context.Context) error { return q.indexer.Start(ctx) }
func (q *queries) Stop()                           { q.indexer.Stop() }

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

// Package surfacetest is what tests of surfaces share that read what was recorded: callers by bearer token, and the real
// stores with an index over them.
package surfacetest

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/duckdb"
	"weir/internal/store/pebble"
	"weir/internal/tenant"
)

// Callers are who calls, by bearer token. The token "sk-expired" has expired.
type Callers map[string]*tenant.Identity

// Authenticate implements edge's authenticator.
func (c Callers) Authenticate(r *http.Request) (*tenant.Identity, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "sk-expired" {
		return nil, fault.New(fault.Expired, "key has expired")
	}
	if who := c[token]; who != nil {
		return who, nil
	}
	return nil, fault.New(fault.Unauthenticated, "no credential, or an unknown one")
}

// Stores are a truth and its index, which is complete.
type Stores struct {
	Truth *pebble.Store
	Index *query.Indexer
	t     *testing.T
}

// Open returns empty stores, which end with the test.
func Open(t *testing.T) *Stores {
	t.Helper()
	dir := t.TempDir()
	truth, err := pebble.Open(filepath.Join(dir, "truth"), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := truth.Close(); err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(dir, "index.duckdb")
	x := query.NewIndexer(truth, query.Backend{
		Open:   func(ctx context.Context) (query.Index, error) { return duckdb.Open(ctx, file, duckdb.Options{}) },
		Remove: func() error { return duckdb.Remove(file) },
	}, query.IndexerOptions{})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Stop)
	s := &Stores{Truth: truth, Index: x, t: t}
	s.Wait()
	return s
}

// Wait returns when the index holds all there is. A read waits by itself, but not as long as a busy machine may take.
func (s *Stores) Wait() {
	s.t.Helper()
	if err := s.Index.Wait(s.t.Context(), s.Truth.Committed()); err != nil {
		s.t.Fatal(err)
	}
}

// Record stores a span with its bodies, of which an empty one is none, and waits for the index.
func (s *Stores) Record(sp *span.Span, input, output string) {
	s.t.Helper()
	b := &span.Batch{Span: sp, Blobs: map[span.Hash][]byte{}}
	for _, x := range []struct {
		ref  *span.Ref
		body string
	}{{&sp.Input, input}, {&sp.Output, output}} {
		if x.body != "" {
			h := span.HashOf([]byte(x.body))
			b.Blobs[h] = []byte(x.body)
			x.ref.Form, x.ref.Skeleton, x.ref.Size = span.FormRaw, h, len(x.body)
		}
	}
	day, err := s.Truth.Home(s.t.Context(), sp.Project, sp.Trace, span.DayOf(sp.Start))
	if err != nil {
		s.t.Fatal(err)
	}
	sp.Day = day
	if err := s.Truth.Append(s.t.Context(), true, b); err != nil {
		s.t.Fatal(err)
	}
	s.Wait()
}

// Body reads a body that Record stored.
func (s *Stores) Body(ctx context.Context, sp *span.Span, r span.Ref) ([]byte, error) {
	return s.Truth.Blob(ctx, sp.Project, sp.Day, r.Skeleton)
}

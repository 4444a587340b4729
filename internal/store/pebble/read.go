package pebble

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/pebble/record"
	"weir/internal/tenant"
)

// view calls f with a stored value, which is valid only inside; found is false where there is none.
func (s *Store) view(key []byte, f func(v []byte) error) (found bool, err error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, broken(err)
	}
	defer func() { _ = closer.Close() }()
	return true, f(v)
}

// seek is view for keys that are probably not stored: it asks the filters of the last level too, which a plain look-up
// passes over, reading and decompressing a block instead.
func (s *Store) seek(key []byte, f func(v []byte) error) (found bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: key, UpperBound: append(bytes.Clone(key), 0), UseL6Filters: true})
	if err != nil {
		return false, broken(err)
	}
	if found = it.SeekPrefixGE(key); found && f != nil {
		err = f(it.Value())
	}
	if closeErr := errors.Join(it.Error(), it.Close()); err == nil && closeErr != nil {
		err = broken(closeErr)
	}
	return found, err
}

// get is a copy of a stored value, or nil. An empty value is not nil.
func (s *Store) get(key []byte) (value []byte, err error) {
	_, err = s.view(key, func(v []byte) error {
		value = append([]byte{}, v...)
		return nil
	})
	return value, err
}

func (s *Store) has(key []byte) (bool, error) {
	return s.view(key, func([]byte) error { return nil })
}

// each calls f with the pairs from lower up to upper until it returns false. Slices are valid only inside.
func (s *Store) each(ctx context.Context, lower, upper []byte, f func(key, value []byte) (bool, error)) error {
	return eachOf(ctx, s.db, lower, upper, f)
}

func eachOf(ctx context.Context, r pebble.Reader, lower, upper []byte, f func(key, value []byte) (bool, error)) error {
	it, err := r.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return broken(err)
	}
	more, err := true, error(nil)
	for ok := it.First(); ok && more && err == nil; ok = more && err == nil && it.Next() {
		if err = ctx.Err(); err == nil {
			more, err = f(it.Key(), it.Value())
		}
	}
	if closeErr := it.Close(); closeErr != nil && err == nil {
		err = broken(closeErr)
	}
	return err
}

// decode reads the span of a stored pair, with one allocation for all its texts. Previews that are excerpts are missing.
func decode(k, v []byte) (*span.Span, record.Excerpts, error) {
	sp := new(span.Span)
	if !record.Shares(v) {
		ex, err := decodeInto(sp, bytes.Clone(k), v)
		return sp, ex, err
	}
	own := append(append(make([]byte, 0, len(k)+len(v)), k...), v...)
	ex, err := decodeInto(sp, own[:len(k):len(k)], own[len(k):])
	return sp, ex, err
}

// decodeInto reads a stored pair into a span that is good as long as the pair is.
func decodeInto(sp *span.Span, k, v []byte) (ex record.Excerpts, err error) {
	*sp = span.Span{}
	if err = readSpanKey(k, sp); err == nil {
		ex, err = record.Decode(v, sp)
	}
	if err != nil {
		return ex, fault.Wrap(fault.Internal, err, "a stored span cannot be read")
	}
	return ex, nil
}

// span is a stored span with its previews, or nil.
func (s *Store) span(key []byte) (sp *span.Span, err error) {
	var ex record.Excerpts
	_, err = s.view(key, func(v []byte) error {
		sp, ex, err = decode(key, v)
		return err
	})
	if err == nil && sp != nil {
		err = s.complete(sp, ex)
	}
	return sp, err
}

// HasNode implements span.Store.
func (s *Store) HasNode(_ context.Context, p tenant.ProjectID, day span.Day, n span.Hash) (bool, error) {
	return s.hasContent(hashKey(prefixNode, p, day, n))
}

// Trace implements span.Store.
func (s *Store) Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error) {
	day, err := s.storedHome(traceKey(p, trace))
	if err != nil {
		return nil, err
	}
	var spans []*span.Span
	if day != nil {
		lower := spansOf(p, *day, trace)
		err = s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
			sp, ex, err := decode(k, v)
			if err == nil {
				err = s.complete(sp, ex)
			}
			spans = append(spans, sp)
			return true, err
		})
	}
	if err == nil && len(spans) == 0 {
		return nil, fault.New(fault.NotFound, "trace %s not found", trace)
	}
	if err == nil {
		err = s.markTrace(ctx, p, *day, trace, spans)
	}
	slices.SortStableFunc(spans, func(a, b *span.Span) int { return a.Start.Compare(b.Start) })
	return spans, err
}

// Spans implements span.Store.
func (s *Store) Spans(ctx context.Context, p tenant.ProjectID, keys []span.Key) ([]*span.Span, error) {
	spans, marks := make([]*span.Span, 0, len(keys)), s.marker(s.db)
	for _, k := range keys {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k.Day == 0 {
			day, err := s.storedHome(traceKey(p, k.Trace))
			if err != nil {
				return nil, err
			}
			if day == nil {
				continue
			}
			k.Day = *day
		}
		sp, err := s.span(spanKey(p, k.Day, k.Trace, k.Span))
		if err != nil {
			return nil, err
		}
		if sp == nil {
			continue
		}
		if sp, err = marks.mark(ctx, sp); err != nil {
			return nil, err
		}
		spans = append(spans, sp)
	}
	return spans, nil
}

// Blob implements span.Store.
func (s *Store) Blob(_ context.Context, p tenant.ProjectID, day span.Day, h span.Hash) ([]byte, error) {
	place, err := s.get(hashKey(prefixBlob, p, day, h))
	if err != nil {
		return nil, err
	}
	var b []byte
	if place != nil {
		b, err = s.get(placeKey(p, day, place))
	}
	if err == nil && b == nil {
		err = fault.New(fault.NotFound, "body %s not found", h)
	}
	return b, err
}

// Chain implements span.Store.
func (s *Store) Chain(ctx context.Context, p tenant.ProjectID, day span.Day, leaf span.Hash) ([]span.Node, error) {
	var chain []span.Node
	for id := leaf; !id.IsZero(); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := s.Node(ctx, p, day, id)
		if err != nil {
			return nil, err
		}
		chain = append(chain, n)
		id = n.Parent
	}
	slices.Reverse(chain)
	return chain, nil
}

// Scan implements span.Store.
func (s *Store) Scan(ctx context.Context, yield func(*span.Span) bool) (uint64, error) {
	s.scans.RLock()
	defer s.scans.RUnlock()
	var seq uint64
	var snap *pebble.Snapshot
	// Position and content must be of one moment: what the queue holds after it has not been seen here.
	if err := s.exclusive(ctx, func() error { seq, snap = s.seq, s.db.NewSnapshot(); return nil }); err != nil {
		return 0, err
	}
	defer func() { _ = snap.Close() }()
	marks := s.marker(snap)
	err := eachOf(ctx, snap, []byte{prefixSpan}, []byte{prefixSpan + 1}, func(k, v []byte) (bool, error) {
		sp, _, err := decode(k, v)
		if err == nil {
			sp, err = marks.mark(ctx, sp)
		}
		return err == nil && yield(sp), err
	})
	if err != nil {
		return seq, err
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil { // what was seen must be on disk before an index holds it
		return seq, broken(err)
	}
	return seq, nil
}

// raise sets v to n unless it is higher already.
func raise(v *atomic.Uint64, n uint64) {
	for {
		old := v.Load()
		if old >= n || v.CompareAndSwap(old, n) {
			return
		}
	}
}

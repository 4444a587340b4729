package pebble

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/fulltext"
	"weir/internal/span"
	"weir/internal/tenant"
)

var _ fulltext.Store = (*Store)(nil)

// metaTexts is the state of the text index.
var metaTexts = []byte("mtexts")

func textKey(p tenant.ProjectID, d span.Day, key []byte) []byte {
	return append(dayKey(prefixText, p, d, len(key)), key...)
}

// Node implements fulltext.Store.
func (s *Store) Node(_ context.Context, p tenant.ProjectID, day span.Day, id span.Hash) (span.Node, error) {
	n, found, err := s.node(p, day, id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "conversation node %s not found", id)
	}
	return n, err
}

// Place implements fulltext.Store.
func (s *Store) Place(_ context.Context, p tenant.ProjectID, day span.Day, h span.Hash) (place fulltext.Place, ok bool, err error) {
	read := func(v []byte) error {
		if len(v) != placeSize {
			return fault.New(fault.Internal, "the place of a stored body is damaged")
		}
		place = placeOf(v)
		return nil
	}
	key := hashKey(prefixBlob, p, day, h)
	if v := s.written.get(key); v != nil {
		ok, err = true, read(v)
	} else {
		since := s.written.now()
		ok, err = s.view(key, func(v []byte) error {
			s.written.remember(since, pair{string(key), bytes.Clone(v)}) // what many spans share is asked for by each of them
			return read(v)
		})
	}
	return place, ok && err == nil, err
}

// Content implements fulltext.Store.
func (s *Store) Content(_ context.Context, p tenant.ProjectID, day span.Day, place fulltext.Place) ([]byte, error) {
	key := place.AppendKey(dayKey(prefixData, p, day, 4+placeSize))
	if b := s.written.get(key); b != nil {
		return b, nil
	}
	b, err := s.get(key)
	if err == nil && b == nil {
		err = fault.New(fault.NotFound, "body not found")
	}
	return b, err
}

// nearby is how many steps an iterator takes before it seeks: the next place is often one of the next few.
const nearby = 3

// Contents implements fulltext.Store.
func (s *Store) Contents(ctx context.Context, p tenant.ProjectID, day span.Day, places []fulltext.Place, yield func(int, []byte) bool) error {
	if len(places) == 0 {
		return nil
	}
	lower := dayKey(prefixData, p, day, placeSize)
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return broken(err)
	}
	err = contents(ctx, it, lower, places, yield)
	if closeErr := it.Close(); closeErr != nil && err == nil {
		err = broken(closeErr)
	}
	return err
}

func contents(ctx context.Context, it *pebble.Iterator, prefix []byte, places []fulltext.Place, yield func(int, []byte) bool) error {
	key := make([]byte, len(prefix), len(prefix)+4+placeSize)
	copy(key, prefix)
	for i, pl := range places {
		key = pl.AppendKey(key[:len(prefix)])
		if err := ctx.Err(); err != nil {
			return err
		}
		if !advance(it, key) {
			if err := it.Error(); err != nil {
				return broken(err)
			}
			continue
		}
		if !yield(i, it.Value()) {
			break
		}
	}
	return nil
}

// advance moves an iterator forward to a key and reports whether it is there.
func advance(it *pebble.Iterator, key []byte) bool {
	for range nearby {
		if !it.Valid() {
			break
		}
		if c := compare(it.Key(), key); c >= 0 {
			return c == 0
		}
		it.Next()
	}
	if it.Valid() && compare(it.Key(), key) >= 0 {
		return compare(it.Key(), key) == 0
	}
	return it.SeekGE(key) && compare(it.Key(), key) == 0
}

func compare(a, b []byte) int { return pebble.DefaultComparer.Compare(a, b) }

// TextState implements fulltext.Store.
func (s *Store) TextState(ctx context.Context) (st fulltext.State, ok bool, err error) {
	v, err := s.get(metaTexts)
	if err != nil || len(v) != 24 {
		return st, false, err
	}
	st = fulltext.State{
		Version: binary.BigEndian.Uint64(v), Upto: binary.BigEndian.Uint64(v[8:]), Segment: binary.BigEndian.Uint64(v[16:]),
	}
	err = s.exclusive(ctx, func() error {
		ok = st.Upto <= s.seq && st.Upto >= s.trimmed
		return nil
	})
	return st, ok, err
}

// WriteTexts implements fulltext.Store.
func (s *Store) WriteTexts(ctx context.Context, values []fulltext.Value, st *fulltext.State) error {
	b := s.db.NewBatch()
	for _, v := range values {
		key, err := textKey(v.Project, v.Day, v.K), error(nil)
		if v.V == nil {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, v.V, nil)
		}
		if err != nil {
			_ = b.Close()
			return broken(err)
		}
	}
	if st != nil {
		v := binary.BigEndian.AppendUint64(nil, st.Version)
		v = binary.BigEndian.AppendUint64(v, st.Upto)
		if err := b.Set(metaTexts, binary.BigEndian.AppendUint64(v, st.Segment), nil); err != nil {
			_ = b.Close()
			return broken(err)
		}
	}
	return s.applyTexts(ctx, b)
}

// applyTexts runs in the gate, so that it neither races with Close nor hangs for ever on a full disk.
func (s *Store) applyTexts(ctx context.Context, b *pebble.Batch) error {
	return s.exclusive(ctx, func() error {
		defer func() { _ = b.Close() }()
		if err := s.db.Apply(b, pebble.NoSync); err != nil {
			return broken(err)
		}
		return nil
	})
}

// Text implements fulltext.Store.
func (s *Store) Text(_ context.Context, p tenant.ProjectID, day span.Day, key []byte, f func([]byte) error) (bool, error) {
	return s.view(textKey(p, day, key), f)
}

// TextRange implements fulltext.Store.
func (s *Store) TextRange(ctx context.Context, p tenant.ProjectID, day span.Day, from, to []byte, yield func(k, v []byte) (bool, error)) error {
	prefix := dayKey(prefixText, p, day, 0)
	return s.each(ctx, textKey(p, day, from), textKey(p, day, to), func(k, v []byte) (bool, error) { return yield(k[len(prefix):], v) })
}

// TextDays implements fulltext.Store.
func (s *Store) TextDays(ctx context.Context, p tenant.ProjectID) ([]span.Day, error) {
	prefix := appendString([]byte{prefixText}, string(p))
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, broken(err)
	}
	var days []span.Day
	for ok := it.Last(); ok; {
		d := it.Key()[len(prefix) : len(prefix)+4]
		day := span.Day(binary.BigEndian.Uint32(d))
		days = append(days, day)
		ok = it.SeekLT(dayKey(prefixText, p, day, 0))
	}
	if err := it.Close(); err != nil {
		return nil, broken(err)
	}
	return days, nil
}

// DropTexts implements fulltext.Store.
func (s *Store) DropTexts(ctx context.Context, p tenant.ProjectID, day span.Day) error {
	b := s.db.NewBatch()
	lower := dayKey(prefixText, p, day, 0)
	if err := b.DeleteRange(lower, after(lower), nil); err != nil {
		_ = b.Close()
		return broken(err)
	}
	return s.applyTexts(ctx, b)
}

// ResetTexts implements fulltext.Store.
func (s *Store) ResetTexts(ctx context.Context) error {
	b := s.db.NewBatch()
	err := b.DeleteRange([]byte{prefixText}, []byte{prefixText + 1}, nil)
	if err == nil {
		err = b.Delete(metaTexts, nil)
	}
	if err != nil {
		_ = b.Close()
		return broken(err)
	}
	return s.applyTexts(ctx, b)
}

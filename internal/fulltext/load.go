package fulltext

import (
	"context"
	"encoding/binary"
)

// headersOf are the segments of a day, the oldest first.
func headersOf(ctx context.Context, store Store, at home) (out []header, err error) {
	err = store.TextRange(ctx, at.project, at.day, []byte{kindHeader}, []byte{kindHeader + 1}, func(k, v []byte) (bool, error) {
		h, err := readHeader(k, v)
		out = append(out, h)
		return true, err
	})
	return out, err
}

// namesIn are all spans of a segment.
func namesIn(ctx context.Context, store Store, at home, h header) (out []name, err error) {
	err = store.TextRange(ctx, at.project, at.day, key(kindSpans, h.id, 0), key(kindSpans, h.id+1, 0), func(_, v []byte) (bool, error) {
		names, err := readNames(v)
		out = append(out, names...)
		return true, err
	})
	return out, err
}

// loadBlock is a block with its texts; one that is gone is empty.
func loadBlock(ctx context.Context, store Store, at home, h header, block int) (docs []doc, err error) {
	_, err = store.Text(ctx, at.project, at.day, key(kindBlock, h.id, block), func(v []byte) error {
		docs, err = readBlock(v, new([]byte))
		return err
	})
	return docs, err
}

func loadFilters(ctx context.Context, store Store, at home, h header) (*filters, error) {
	f := newFilters(h.cols, h.cells)
	if err := f.grams.load(ctx, store, at, h.set); err != nil {
		return nil, err
	}
	return f, f.seams.load(ctx, store, at, h.set)
}

func (f *filterSet) load(ctx context.Context, store Store, at home, set uint64) error {
	size := f.chunkRows(f.cols) * f.cols / 8
	return store.TextRange(ctx, at.project, at.day, key(f.kind, set, 0), key(f.kind, set+1, 0), func(k, v []byte) (bool, error) {
		chunk := int(binary.BigEndian.Uint32(k[9:]))
		if (chunk+1)*size > len(f.bits) {
			return false, errDamaged
		}
		return true, f.readChunk(set, f.cols, f.bits[chunk*size:][:size], v)
	})
}

// pass takes from some columns of a set those that have not all of rows.
func (s shape) pass(ctx context.Context, store Store, at home, set uint64, rows []uint16, some columns) error {
	per, buf := s.chunkRows(len(some)*8), make([]byte, len(some))
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := byte(0)
		found, err := store.Text(ctx, at.project, at.day, key(s.kind, set, int(row)/per), func(v []byte) error {
			bits, err := s.rowOf(set, buf, v, int(row)%per, per)
			for i, b := range bits {
				some[i] &= b
				left |= some[i]
			}
			return err
		})
		if err != nil {
			return err
		}
		if !found || left == 0 { // not found: joined meanwhile, so that all the others pass
			return nil
		}
	}
	return nil
}

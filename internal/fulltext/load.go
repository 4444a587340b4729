package fulltext

import (
	"context"
	"encoding/binary"
	"slices"
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

// loadBlock is a block with copies of its texts; one that is gone is empty.
func loadBlock(ctx context.Context, store Store, at home, h header, block int) (docs []doc, err error) {
	_, err = store.Text(ctx, at.project, at.day, key(kindBlock, h.id, block), func(v []byte) error {
		docs, err = readBlock(slices.Clone(v))
		return err
	})
	return docs, err
}

func loadSet(ctx context.Context, store Store, at home, h header) (*filterSet, error) {
	f := newFilterSet(h.cols)
	size := chunkRows(h.cols) * h.cols / 8
	err := store.TextRange(ctx, at.project, at.day, key(kindFilter, h.set, 0), key(kindFilter, h.set+1, 0), func(k, v []byte) (bool, error) {
		chunk := int(binary.BigEndian.Uint32(k[9:]))
		if len(v) != size || (chunk+1)*size > len(f.bits) {
			return false, errDamaged
		}
		copy(f.bits[chunk*size:], v)
		return true, nil
	})
	return f, err
}

// columns are the blocks of a set, as bits.
type columns []byte

func (c columns) has(i int) bool { return c[i/8]&(1<<(i%8)) != 0 }

// passing are the blocks of h's set whose text may hold n-grams of all rows.
func passing(ctx context.Context, store Store, at home, h header, rows []uint16) (columns, error) {
	width := h.cols / 8
	out := make(columns, width)
	for i := range out {
		out[i] = 0xff
	}
	per := chunkRows(h.cols)
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		left := byte(0)
		found, err := store.Text(ctx, at.project, at.day, key(kindFilter, h.set, int(row)/per), func(v []byte) error {
			from := int(row) % per * width
			if from+width > len(v) {
				return errDamaged
			}
			for i, b := range v[from : from+width] {
				out[i] &= b
				left |= out[i]
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if found && left == 0 { // not found: joined meanwhile, so that all blocks pass
			break
		}
	}
	return out, nil
}

package fulltext

import (
	"context"
	"encoding/binary"

	"weir/internal/span"
)

// seen remembers which blobs are indexed, as which part: a bit for each place ever given out. Changes stay in memory
// until they are written with the segments that made them.
type seen struct {
	store  Store
	chunks map[chunkKey]*chunk
}

type chunkKey struct {
	at   home
	kind docKind
	n    uint64
}

const chunkBits = 1 << 14

type chunk struct {
	bits  [chunkBits / 64]uint64
	dirty bool
}

// cachedChunks bounds what is kept of bits that have been written: 2 KB each.
const cachedChunks = 512

// take marks a blob and reports whether it was not marked before.
func (s *seen) take(ctx context.Context, at home, kind docKind, p Place) (fresh bool, err error) {
	c, err := s.chunk(ctx, chunkKey{at, kind, p.N / chunkBits})
	if err != nil {
		return false, err
	}
	w, bit := &c.bits[p.N%chunkBits/64], uint64(1)<<(p.N%64)
	if *w&bit != 0 {
		return false, nil
	}
	*w |= bit
	c.dirty = true
	return true, nil
}

func (s *seen) clear(ctx context.Context, at home, kind docKind, p Place) error {
	c, err := s.chunk(ctx, chunkKey{at, kind, p.N / chunkBits})
	if err != nil {
		return err
	}
	c.bits[p.N%chunkBits/64] &^= 1 << (p.N % 64)
	c.dirty = true
	return nil
}

func (s *seen) chunk(ctx context.Context, k chunkKey) (*chunk, error) {
	if c := s.chunks[k]; c != nil {
		return c, nil
	}
	c := new(chunk)
	_, err := s.store.Text(ctx, k.at.project, k.at.day, k.key(), func(v []byte) error {
		if len(v) != len(c.bits)*8 {
			return errDamaged
		}
		for i := range c.bits {
			c.bits[i] = binary.LittleEndian.Uint64(v[8*i:])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.chunks[k] = c
	return c, nil
}

func (k chunkKey) key() []byte {
	return append(key(kindSeen, k.n, 0), byte(k.kind))
}

// values are the changes.
func (s *seen) values() (out []Value) {
	for k, c := range s.chunks {
		if !c.dirty {
			continue
		}
		v := make([]byte, 0, len(c.bits)*8)
		for _, w := range c.bits {
			v = binary.LittleEndian.AppendUint64(v, w)
		}
		out = append(out, k.at.value(k.key(), v))
	}
	return out
}

// written says that the changes have been stored.
func (s *seen) written() {
	if len(s.chunks) > cachedChunks {
		clear(s.chunks)
		return
	}
	for _, c := range s.chunks {
		c.dirty = false
	}
}

// drop forgets a day.
func (s *seen) drop(at home) {
	for k := range s.chunks {
		if k.at == at {
			delete(s.chunks, k)
		}
	}
}

// walked are message nodes whose ancestors are known to be indexed.
type walked struct{ cur, old map[node]bool }

type node struct {
	at   home
	kind docKind
	id   span.Hash
}

const walkedPerGeneration = 1 << 15

func (w *walked) has(n node) bool { return w.cur[n] || w.old[n] }

func (w *walked) add(n node) {
	if w.cur == nil || len(w.cur) >= walkedPerGeneration {
		w.cur, w.old = make(map[node]bool), w.cur
	}
	w.cur[n] = true
}

package pebble

import (
	"context"
	"encoding/binary"
	"sync"

	"weir/internal/span"
)

// absences answer "is this content stored?" with no, in memory, for days that began under this process: most content of
// most spans is new, and to find nothing costs the engine a look into each of its files. A day that had content before is
// not known, and the engine is asked.
type absences struct {
	mu   sync.Mutex
	days map[string]*sieve // by the key of prefix and day; nil = not known
}

// sieve is a chain of Bloom filters, each twice as large as the one before. Content is named by its hash, whose bits
// serve as they are.
type sieve struct {
	parts [][]uint64
	used  int // entries in the last part
}

const (
	firstSieve = 1 << 12 // words: 32 KiB, for 16,000 entries at 16 bits each
	lastSieve  = 1 << 22 // words: 32 MiB, for 16 million more; beyond it the sieve just fills up
	maxSieves  = 256     // days and projects
)

func (v *sieve) maybe(h span.Hash) bool {
	for _, p := range v.parts {
		if inPart(p, h) {
			return true
		}
	}
	return false
}

func inPart(p []uint64, h span.Hash) bool {
	mask := uint32(len(p)*64 - 1)
	for i := 0; i < len(h); i += 4 {
		bit := binary.LittleEndian.Uint32(h[i:]) & mask
		if p[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

func (v *sieve) add(h span.Hash) {
	last := len(v.parts) - 1
	if last < 0 || v.used >= len(v.parts[last])*4 && len(v.parts[last]) < lastSieve {
		size := firstSieve
		if last >= 0 {
			size = 2 * len(v.parts[last])
		}
		v.parts, v.used = append(v.parts, make([]uint64, size)), 0
		last++
	}
	p := v.parts[last]
	mask := uint32(len(p)*64 - 1)
	for i := 0; i < len(h); i += 4 {
		bit := binary.LittleEndian.Uint32(h[i:]) & mask
		p[bit/64] |= 1 << (bit % 64)
	}
	v.used++
}

// sieve finds or makes the one of a day, by its key; the lock is held.
func (s *Store) sieve(key []byte) (*sieve, error) {
	a := &s.absent
	if v, ok := a.days[string(key)]; ok {
		return v, nil
	}
	empty := true
	if err := s.each(context.Background(), key, after(key), func(_, _ []byte) (bool, error) { empty = false; return false, nil }); err != nil {
		return nil, err
	}
	if a.days == nil || len(a.days) >= maxSieves {
		a.days = map[string]*sieve{}
	}
	var v *sieve
	if empty {
		v = &sieve{}
	}
	a.days[string(key)] = v
	return v, nil
}

// hasContent is has for keys made of a hash, which the key ends with.
func (s *Store) hasContent(key []byte) (bool, error) {
	return s.known(key, false)
}

// bring is hasContent for content that the caller stores if it is not there: from now on it may be.
func (s *Store) bring(key []byte) (stored bool, err error) {
	return s.known(key, true)
}

func (s *Store) known(key []byte, bring bool) (bool, error) {
	h := span.Hash(key[len(key)-len(span.Hash{}):])
	s.absent.mu.Lock()
	v, err := s.sieve(key[:len(key)-len(h)])
	absent := v != nil && !v.maybe(h)
	if absent && bring {
		v.add(h)
	}
	s.absent.mu.Unlock()
	if err != nil || absent {
		return false, err
	}
	if s.written.get(key) != nil {
		return true, nil
	}
	return s.seek(key, nil)
}

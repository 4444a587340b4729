package ingest

import (
	"weir/internal/span"
	"weir/internal/tenant"
)

// known is a bounded set of nodes and blobs that are stored or on their way, in two generations: the older one is
// forgotten when the newer is full. Forgetting costs a look-up in the store, nothing else.
type known struct {
	cur, old map[knownKey]struct{}
	places   numbers[place]
}

// knownKey has no pointers, which matters to a map that is asked this often.
type knownKey struct {
	hash  span.Hash
	place uint64 // twice its number; one more for nodes, since nodes and blobs must not answer for each other
}

// place is where contents are shared.
type place struct {
	project tenant.ProjectID
	day     span.Day
}

// knownPerGeneration bounds memory to some 10 MB.
const knownPerGeneration = 1 << 16

func (k *known) key(s *span.Span, h span.Hash, node bool) knownKey {
	key := knownKey{h, 2 * k.places.number(place{s.Project, s.Day})}
	if node {
		key.place++
	}
	return key
}

func (k *known) has(key knownKey) bool {
	if _, ok := k.cur[key]; ok {
		return true
	}
	_, ok := k.old[key]
	if ok {
		k.add(key)
	}
	return ok
}

func (k *known) add(key knownKey) {
	if k.cur == nil || len(k.cur) >= knownPerGeneration {
		k.cur, k.old = make(map[knownKey]struct{}), k.cur
	}
	k.cur[key] = struct{}{}
}

func (k *known) reset() { k.cur, k.old = nil, nil }

// numbers stand for values that are many bytes long but few. A number is never given twice; a value gets another one
// when there have been many others.
type numbers[K comparable] struct {
	of   map[K]uint64
	next uint64
	last K // most calls repeat the one before
	was  uint64
}

const maxNumbers = 1 << 14

func (n *numbers[K]) number(k K) uint64 {
	if k == n.last && n.next > 0 {
		return n.was
	}
	i, ok := n.of[k]
	if !ok {
		if len(n.of) >= maxNumbers || n.of == nil {
			n.of = map[K]uint64{}
		}
		i = n.next
		n.of[k] = i
		n.next++
	}
	n.last, n.was = k, i
	return i
}

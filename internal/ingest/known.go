package ingest

import (
	"weir/internal/span"
	"weir/internal/tenant"
)

// known is a bounded set of nodes and blobs that are stored or on their way, in two generations: the older one is
// forgotten when the newer is full. Forgetting costs a look-up in the store, nothing else.
type known struct{ cur, old map[knownKey]struct{} }

type knownKey struct {
	project tenant.ProjectID
	day     span.Day
	node    bool // nodes and blobs must not answer for each other
	hash    span.Hash
}

// knownPerGeneration bounds memory to some 10 MB.
const knownPerGeneration = 1 << 16

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

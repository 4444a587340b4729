package pebble

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// A node's id is the hash of its parent and its body, so that the value needs no more of these two than finds them again:
// the first bytes of each, with which few keys of the day begin, and the id tells which is meant. Hashes do not compress:
// in full they were half of what a message took besides its words.
const (
	hashStart = 4
	hashSize  = len(span.Hash{})
)

// nodeValue is how a node is stored: parent and body, or what they begin with; the parent is missing from a first
// message. It is in full where the id does not tell them.
func nodeValue(n span.Node, bodied bool) []byte {
	if !bodied || span.HashOf(n.Parent[:], n.Body[:]) != n.ID {
		return append(append(make([]byte, 0, 2*hashSize), n.Parent[:]...), n.Body[:]...)
	}
	v := make([]byte, 0, 2*hashStart)
	if !n.Parent.IsZero() {
		v = append(v, n.Parent[:hashStart]...)
	}
	return append(v, n.Body[:hashStart]...)
}

// node reads a stored one; found is false where there is none.
func (s *Store) node(p tenant.ProjectID, day span.Day, id span.Hash) (n span.Node, found bool, err error) {
	key := hashKey(prefixNode, p, day, id)
	v := s.written.get(key)
	if v == nil {
		if v, err = s.get(key); err != nil || v == nil {
			return n, false, err
		}
	}
	n.ID = id
	switch len(v) {
	case 2 * hashSize:
		copy(n.Parent[:], v)
		copy(n.Body[:], v[hashSize:])
		return n, true, nil
	case hashStart, 2 * hashStart:
		err = s.unravel(p, day, &n, v)
		return n, err == nil, err
	}
	return n, false, errNode
}

var errNode = fault.New(fault.Internal, "a stored conversation node is damaged")

// unravel finds the parent and the body of a node by what they begin with.
func (s *Store) unravel(p tenant.ProjectID, day span.Day, n *span.Node, v []byte) (err error) {
	parents := []span.Hash{{}}
	if len(v) > hashStart {
		if parents, err = s.starting(prefixNode, p, day, v[:hashStart]); err != nil {
			return err
		}
	}
	bodies, err := s.starting(prefixBlob, p, day, v[len(v)-hashStart:])
	if err != nil {
		return err
	}
	for _, parent := range parents {
		for _, body := range bodies {
			if span.HashOf(parent[:], body[:]) == n.ID {
				n.Parent, n.Body = parent, body
				return nil
			}
		}
	}
	return errNode
}

// starting lists the stored hashes that begin with some bytes: as a rule there is one.
func (s *Store) starting(prefix byte, p tenant.ProjectID, day span.Day, start []byte) (out []span.Hash, err error) {
	lower := append(dayKey(prefix, p, day, hashStart), start...)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return nil, broken(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		var h span.Hash
		if k := it.Key(); len(k) == len(lower)-hashStart+hashSize && bytes.HasPrefix(k, lower) {
			copy(h[:], k[len(k)-hashSize:])
			out = append(out, h)
		}
	}
	if err := it.Close(); err != nil {
		return nil, broken(err)
	}
	return out, nil
}

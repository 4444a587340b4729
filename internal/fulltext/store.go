package fulltext

import (
	"bytes"
	"context"
	"encoding/binary"

	"weir/internal/span"
	"weir/internal/tenant"
)

// Place is where the bytes of a blob are. N is unique among all blobs and grows.
type Place struct {
	Session uint32
	N       uint64
}

const (
	// FirstEra is the least number of a place that belongs to an era. Smaller ones, of earlier versions, lie by their session
	// alone.
	FirstEra = 1 << 40
	eraBits  = 17 // some 20 MB of blobs
)

// AppendKey appends what blobs lie by: their era, so that a store that grows leaves what it has where it is, and within an
// era their session, whose blobs are alike.
func (a Place) AppendKey(b []byte) []byte {
	if a.N >= FirstEra {
		b = binary.BigEndian.AppendUint32(b, uint32((a.N-FirstEra)>>eraBits))
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, a.Session), a.N)
}

// Compare orders places as they lie.
func (a Place) Compare(b Place) int {
	return bytes.Compare(a.AppendKey(make([]byte, 0, 16)), b.AppendKey(make([]byte, 0, 16)))
}

// Store is the truth, and a place for the text index that goes with its days.
type Store interface {
	Committed() uint64
	Changes(ctx context.Context, after uint64, yield func(seq uint64, s *span.Span) bool) error
	Scan(ctx context.Context, yield func(s *span.Span) bool) (seq uint64, err error)
	Spans(ctx context.Context, p tenant.ProjectID, keys []span.Key) ([]*span.Span, error)
	Blob(ctx context.Context, p tenant.ProjectID, day span.Day, h span.Hash) ([]byte, error)
	// Node returns one message of a conversation, or fault.NotFound.
	Node(ctx context.Context, p tenant.ProjectID, day span.Day, id span.Hash) (span.Node, error)
	// Place tells where a blob is; it is not ok for one that is not stored.
	Place(ctx context.Context, p tenant.ProjectID, day span.Day, h span.Hash) (place Place, ok bool, err error)
	// Content returns the bytes at a place, or fault.NotFound.
	Content(ctx context.Context, p tenant.ProjectID, day span.Day, place Place) ([]byte, error)
	// Contents calls yield with the bytes at places, which must ascend, until it returns false. Those that are gone are
	// left out; the bytes are valid only inside.
	Contents(ctx context.Context, p tenant.ProjectID, day span.Day, places []Place, yield func(i int, b []byte) bool) error

	// TextState is the state written last. It is not ok if there is none, or if the queue no longer continues it: the
	// index must be reset and built anew.
	TextState(ctx context.Context) (s State, ok bool, err error)
	// WriteTexts stores values and the state (unless nil) in one atomic write. It need not survive power loss before
	// what is written later does.
	WriteTexts(ctx context.Context, values []Value, s *State) error
	// Text calls f with a value, which is valid only inside; found is false where there is none.
	Text(ctx context.Context, p tenant.ProjectID, day span.Day, key []byte, f func(v []byte) error) (found bool, err error)
	// TextRange calls yield with the values from one key up to another, in order, until it returns false.
	TextRange(ctx context.Context, p tenant.ProjectID, day span.Day, from, to []byte, yield func(key, v []byte) (bool, error)) error
	// TextDays are the days of a project that have values, the newest first.
	TextDays(ctx context.Context, p tenant.ProjectID) ([]span.Day, error)
	// DropTexts removes all values of a day.
	DropTexts(ctx context.Context, p tenant.ProjectID, day span.Day) error
	// ResetTexts removes all values and the state.
	ResetTexts(ctx context.Context) error
}

// State is how far the text index has come.
type State struct {
	Version uint64 // of the layout and of the rules that make text of content
	Upto    uint64 // position of the queue whose texts are stored
	Segment uint64 // newest number given to a segment
}

// Value is one entry of the text index; nil V removes it.
type Value struct {
	Project tenant.ProjectID
	Day     span.Day
	K, V    []byte
}

package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
)

// bodies turns request and response bytes into refs, and collects what of them the store lacks.
type bodies struct {
	store span.Store
	known known
	// lately holds the latest conversation of each trace in the commit under way: calls of one run come together and
	// repeat each other. Nil keeps none.
	lately map[string]*conversation
}

// conversation is a request that was cut, with the Merkle ids of its messages.
type conversation struct {
	head, tail []byte // what stands around the messages
	segments   [][]byte
	hashes     []span.Hash // of the segments
	ids        []span.Hash // ids[i] names the prefix that ends with segments[i]
	frame      []byte      // the skeleton
	skeleton   span.Hash
}

func hash(b []byte) (h span.Hash) {
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

func nodeID(parent, body span.Hash) span.Hash {
	var b [32]byte
	copy(b[:16], parent[:])
	copy(b[16:], body[:])
	return hash(b[:])
}

// request stores a request body for b's span. The conversation is nil if the body is not one.
func (c *bodies) request(ctx context.Context, b *span.Batch, body []byte) (*conversation, error) {
	conv := cutAfter(c.lately[b.Span.Trace], body)
	if conv == nil {
		b.Span.Input = c.raw(b, body)
		return nil, nil
	}
	if c.lately != nil {
		c.lately[b.Span.Trace] = conv
	}
	if err := c.nodes(ctx, b, conv); err != nil {
		return nil, err
	}
	c.keepSkeleton(b, conv)
	n := len(conv.ids)
	b.Span.Input = span.Ref{
		Form: span.FormConversation, Skeleton: conv.skeleton, Node: conv.ids[n-1], Messages: n, New: n, Size: len(body),
	}
	return conv, nil
}

// cutAfter cuts a body, or returns nil if it is no conversation. What an earlier one, if any, has in common with it is
// compared instead of hashed.
func cutAfter(earlier *conversation, body []byte) *conversation {
	var c conversation
	n, ok := 0, false
	if earlier != nil {
		n, ok = c.like(earlier, body)
	}
	if !ok {
		if c.head, c.tail, c.segments, ok = cut(body); !ok {
			return nil
		}
	}
	sums := make([]span.Hash, 2*len(c.segments))
	c.hashes, c.ids = sums[:len(c.segments)], sums[len(c.segments):]
	var parent span.Hash
	if n > 0 {
		copy(c.hashes, earlier.hashes[:n])
		copy(c.ids, earlier.ids[:n])
		parent = c.ids[n-1]
	}
	for i := n; i < len(c.segments); i++ {
		c.hashes[i] = hash(c.segments[i])
		parent = nodeID(parent, c.hashes[i])
		c.ids[i] = parent
	}
	if earlier != nil && bytes.Equal(c.head, earlier.head) && bytes.Equal(c.tail, earlier.tail) {
		c.frame, c.skeleton = earlier.frame, earlier.skeleton
	}
	return &c
}

// like cuts a body that begins as an earlier one: the same bytes are cut the same way. n is the number of segments they
// share.
func (c *conversation) like(earlier *conversation, body []byte) (n int, ok bool) {
	if !bytes.HasPrefix(body, earlier.head) {
		return 0, false
	}
	at := len(earlier.head)
	for ; n < len(earlier.segments); n++ {
		s := earlier.segments[n]
		end := at + len(s)
		if end >= len(body) || body[end] != ',' || !bytes.Equal(body[at:end], s) {
			break
		}
		at = end + 1
	}
	if n == 0 {
		return 0, false
	}
	c.head = earlier.head
	c.tail, c.segments, ok = cutRest(body, at, append(make([][]byte, 0, n+4), earlier.segments[:n]...))
	return n, ok
}

// keepSkeleton stores what is not messages.
func (c *bodies) keepSkeleton(b *span.Batch, conv *conversation) {
	if conv.frame == nil {
		conv.frame = skeletonOf(conv.head, conv.tail)
		conv.skeleton = hash(conv.frame)
	}
	c.put(b, conv.skeleton, conv.frame)
}

// nodes adds the messages that are not stored yet.
func (c *bodies) nodes(ctx context.Context, b *span.Batch, conv *conversation) error {
	first, err := c.stored(ctx, b.Span, conv.ids)
	if err != nil {
		return err
	}
	b.Nodes = make([]span.Node, 0, len(conv.ids)-first)
	for i := first; i < len(conv.ids); i++ {
		n := span.Node{ID: conv.ids[i], Body: conv.hashes[i]}
		if i > 0 {
			n.Parent = conv.ids[i-1]
		}
		c.put(b, n.Body, conv.segments[i])
		b.Nodes = append(b.Nodes, n)
	}
	for _, n := range b.Nodes {
		c.known.add(c.known.key(b.Span, n.ID, true))
	}
	return nil
}

// stored is how many nodes are stored. A stored node implies its ancestors, and one that is not stored has no
// descendants: mostly one look into the store tells.
func (c *bodies) stored(ctx context.Context, s *span.Span, ids []span.Hash) (n int, err error) {
	for n = len(ids); n > 0 && !c.known.has(c.known.key(s, ids[n-1], true)); n-- {
	}
	if n == len(ids) {
		return n, nil
	}
	if more, err := c.hasNode(ctx, s, ids[n]); err != nil || !more {
		return n, err
	}
	for last := len(ids); last > n+1; last-- {
		if more, err := c.hasNode(ctx, s, ids[last-1]); err != nil || more {
			return last, err
		}
	}
	return n + 1, nil
}

func (c *bodies) hasNode(ctx context.Context, s *span.Span, id span.Hash) (bool, error) {
	stored, err := c.store.HasNode(ctx, s.Project, s.Day, id)
	if stored {
		c.known.add(c.known.key(s, id, true))
	}
	return stored, err
}

// raw stores a body as one blob.
func (c *bodies) raw(b *span.Batch, body []byte) span.Ref {
	return span.Ref{Form: span.FormRaw, Skeleton: c.blob(b, body), Size: len(body)}
}

func (c *bodies) blob(b *span.Batch, body []byte) span.Hash {
	h := hash(body)
	c.put(b, h, body)
	return h
}

func (c *bodies) put(b *span.Batch, h span.Hash, body []byte) {
	key := c.known.key(b.Span, h, false)
	if c.known.has(key) {
		return
	}
	c.known.add(key)
	if b.Blobs == nil {
		b.Blobs = make(map[span.Hash][]byte, 4)
	}
	b.Blobs[h] = body
}

// Body is a recorded body, byte for byte: ref is s.Input or s.Output. It is nil where nothing was recorded.
func Body(ctx context.Context, store span.Store, s *span.Span, ref span.Ref) ([]byte, error) {
	if ref.Form == span.FormNone {
		return nil, nil
	}
	skeleton, err := store.Blob(ctx, s.Project, s.Day, ref.Skeleton)
	if err != nil || ref.Form != span.FormConversation {
		return skeleton, err
	}
	segments, err := messages(ctx, store, s, ref, ref.Messages)
	if err != nil {
		return nil, err
	}
	body, err := join(skeleton, segments)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a recorded body cannot be put together")
	}
	return body, nil
}

// NewMessages are the raw messages of a call that the call it continues did not have. It is nil for bodies that are
// not conversations.
func NewMessages(ctx context.Context, store span.Store, s *span.Span) ([]jsonx.Raw, error) {
	if s.Input.Form != span.FormConversation {
		return nil, nil
	}
	segments, err := messages(ctx, store, s, s.Input, s.Input.New)
	if err != nil {
		return nil, err
	}
	out := make([]jsonx.Raw, len(segments))
	for i, m := range segments {
		out[i] = bytes.TrimSpace(m)
	}
	return out, nil
}

// Skeleton is a recorded request without its messages: valid JSON with an empty "messages" array, or the whole body
// if it is no conversation.
func Skeleton(ctx context.Context, store span.Store, s *span.Span) ([]byte, error) {
	if s.Input.Form == span.FormNone {
		return nil, nil
	}
	b, err := store.Blob(ctx, s.Project, s.Day, s.Input.Skeleton)
	if err != nil || s.Input.Form != span.FormConversation {
		return b, err
	}
	return join(b, nil)
}

// messages are the last n messages of a conversation.
func messages(ctx context.Context, store span.Store, s *span.Span, ref span.Ref, n int) ([][]byte, error) {
	chain, err := store.Chain(ctx, s.Project, s.Day, ref.Node)
	if err != nil {
		return nil, err
	}
	chain = slices.Clone(chain[max(0, len(chain)-n):])
	out := make([][]byte, len(chain))
	for i, node := range chain {
		if out[i], err = store.Blob(ctx, s.Project, s.Day, node.Body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

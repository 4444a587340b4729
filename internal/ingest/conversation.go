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
}

// conversation is a request that was cut, with the Merkle ids of its messages.
type conversation struct {
	segments [][]byte
	ids      []span.Hash // ids[i] names the prefix that ends with segments[i]
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
	head, tail, segments, ok := cut(body)
	if !ok {
		b.Span.Input = c.raw(b, body)
		return nil, nil
	}
	conv := &conversation{segments: segments, ids: make([]span.Hash, len(segments))}
	hashes := make([]span.Hash, len(segments))
	var parent span.Hash
	for i, s := range segments {
		hashes[i] = hash(s)
		parent = nodeID(parent, hashes[i])
		conv.ids[i] = parent
	}
	if err := c.nodes(ctx, b, conv, hashes); err != nil {
		return nil, err
	}
	b.Span.Input = span.Ref{
		Form: span.FormConversation, Skeleton: c.blob(b, skeletonOf(head, tail)), Node: parent,
		Messages: len(segments), New: len(segments), Size: len(body),
	}
	return conv, nil
}

// nodes adds the messages that are not stored yet. A stored node implies its ancestors, so it looks from the leaf back.
func (c *bodies) nodes(ctx context.Context, b *span.Batch, conv *conversation, hashes []span.Hash) error {
	first := len(conv.ids)
	for ; first > 0; first-- {
		stored, err := c.hasNode(ctx, b.Span, conv.ids[first-1])
		if err != nil {
			return err
		}
		if stored {
			break
		}
	}
	b.Nodes = make([]span.Node, 0, len(conv.ids)-first)
	for i := first; i < len(conv.ids); i++ {
		n := span.Node{ID: conv.ids[i], Body: hashes[i]}
		if i > 0 {
			n.Parent = conv.ids[i-1]
		}
		c.put(b, hashes[i], conv.segments[i])
		b.Nodes = append(b.Nodes, n)
	}
	for _, n := range b.Nodes {
		c.known.add(keyOf(b.Span, n.ID, true))
	}
	return nil
}

func keyOf(s *span.Span, h span.Hash, node bool) knownKey {
	return knownKey{s.Project, s.Day, node, h}
}

func (c *bodies) hasNode(ctx context.Context, s *span.Span, id span.Hash) (bool, error) {
	key := keyOf(s, id, true)
	if c.known.has(key) {
		return true, nil
	}
	stored, err := c.store.HasNode(ctx, s.Project, s.Day, id)
	if stored {
		c.known.add(key)
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
	key := keyOf(b.Span, h, false)
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

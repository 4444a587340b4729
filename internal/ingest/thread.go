package ingest

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/span"
)

// threads finds the session of a call by its content: a call whose messages begin with an earlier call's messages and
// its answer continues it. Messages are compared in canonical form, within one project, key and end user.
type threads struct {
	kv     span.KV
	links  lru[span.Hash, chainLink] // by node id, so that only new messages are parsed
	ends   lru[span.Hash, string]    // by end key: sessions of recent calls
	buffer []byte
}

// chainLink is the canonical hash of a prefix of messages.
type chainLink struct {
	hash   span.Hash
	answer bool // the prefix ends with an assistant message
}

// threadTTL is how long a conversation may rest and still be continued.
const threadTTL = 7 * 24 * time.Hour

// SessionSource values.
const (
	fromClient = "client"
	threaded   = "threaded"
)

func newThreads(kv span.KV) *threads {
	t := &threads{kv: kv}
	t.links.limit, t.ends.limit = 1<<15, 1<<15
	return t
}

// assign sets Session, SessionSource and Input.New of a call, and remembers its end for the next one.
func (t *threads) assign(ctx context.Context, s *span.Span, c *conversation, answer gjson.Result) error {
	chain := t.chain(c)
	scope := scopeOf(s)
	found, at, err := t.find(ctx, scope, chain)
	if err != nil {
		return err
	}
	s.Input.New = len(chain) - at
	switch {
	case s.Session != "":
		if s.SessionSource == "" {
			s.SessionSource = fromClient
		}
	case found != "":
		s.Session, s.SessionSource = found, threaded
	default:
		s.Session, s.SessionSource = "thread-"+s.Trace, threaded
	}
	if !answer.Exists() {
		return nil
	}
	message := canonicalAnswer(t.buffer[:0], answer)
	t.reuse(message)
	end := endKey(scope, link(chain[len(chain)-1].hash, message))
	if known, ok := t.ends.get(end); ok && known == s.Session {
		return nil
	}
	t.ends.put(end, s.Session)
	return t.kv.Put(ctx, kvKey(end), []byte(s.Session), threadTTL)
}

// chain is the canonical chain of a conversation. Messages whose prefix was seen before are not parsed again.
func (t *threads) chain(c *conversation) []chainLink {
	chain := make([]chainLink, len(c.ids))
	from := len(c.ids)
	for from > 0 {
		l, ok := t.links.get(c.ids[from-1])
		if ok {
			chain[from-1] = l
			break
		}
		from--
	}
	for i := from - 2; i >= 0; i-- { // earlier links are needed too; they are in memory unless pushed out
		l, ok := t.links.get(c.ids[i])
		if !ok {
			from = 0
			break
		}
		chain[i] = l
	}
	for i := from; i < len(c.ids); i++ {
		var parent span.Hash
		if i > 0 {
			parent = chain[i-1].hash
		}
		chain[i] = t.linkTo(parent, c.segments[i])
		t.links.put(c.ids[i], chain[i])
	}
	return chain
}

func (t *threads) linkTo(parent span.Hash, raw []byte) chainLink {
	message, role := canonicalMessage(t.buffer[:0], raw)
	t.reuse(message)
	if role == "" {
		return chainLink{hash: parent}
	}
	return chainLink{hash: link(parent, message), answer: role == "assistant"}
}

// reuse takes a buffer back. One huge message must not be held for good.
func (t *threads) reuse(b []byte) {
	if t.buffer = b; cap(b) > 1<<20 {
		t.buffer = nil
	}
}

// find returns the session of the longest prefix that ended an earlier call, and its length.
func (t *threads) find(ctx context.Context, scope span.Hash, chain []chainLink) (session string, at int, err error) {
	for i := len(chain) - 1; i > 0; i-- {
		if !chain[i-1].answer {
			continue
		}
		key := endKey(scope, chain[i-1].hash)
		if s, ok := t.ends.get(key); ok {
			return s, i, nil
		}
		v, err := t.kv.Get(ctx, kvKey(key))
		if err != nil {
			return "", 0, err
		}
		if v != nil {
			return string(v), i, nil
		}
	}
	return "", 0, nil
}

func scopeOf(s *span.Span) span.Hash {
	var b []byte
	for _, part := range []string{string(s.Project), string(s.Key), s.EndUser} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return hash(b)
}

func endKey(scope, end span.Hash) span.Hash { return nodeID(scope, end) }

func kvKey(end span.Hash) []byte { return append([]byte("thread/"), end[:]...) }

// lru is a bounded map in two generations: the older one is dropped when the newer is full.
type lru[K comparable, V any] struct {
	cur, old map[K]V
	limit    int // per generation
}

func (l *lru[K, V]) get(k K) (V, bool) {
	if v, ok := l.cur[k]; ok {
		return v, true
	}
	v, ok := l.old[k]
	if ok {
		l.put(k, v)
	}
	return v, ok
}

func (l *lru[K, V]) put(k K, v V) {
	if l.cur == nil || len(l.cur) >= l.limit {
		l.cur, l.old = make(map[K]V), l.cur
	}
	l.cur[k] = v
}

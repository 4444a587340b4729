package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
)

// Append implements span.Store. Batches that charge are always synced, since the ledger must not take back what a
// reader has applied. On fault.Unavailable the outcome is unknown; appending the same again is harmless.
func (s *Store) Append(ctx context.Context, sync bool, batches ...*span.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.CommitTimeout)
	defer cancel()
	w, err := s.ready(ctx, batches)
	if err != nil {
		return err
	}
	w.sync = sync || len(w.charges) > 0
	return s.guard(ctx, func() error { return s.commit(w, func() {}) })
}

// Apply is a synced Append in two steps, for a writer that prepares what comes next while the disk works: it returns when
// the batches are applied, and wait, to be called once, when they survive power loss. If wait fails the outcome is
// unknown, as with Append.
func (s *Store) Apply(ctx context.Context, batches ...*span.Batch) (wait func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.CommitTimeout)
	w, err := s.ready(ctx, batches)
	if err != nil {
		cancel()
		return nil, err
	}
	w.sync = true
	applied, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.commit(w, func() { close(applied) }) }() // ends with the engine's call, as in guard
	select {
	case <-applied:
		return func() error { defer cancel(); return s.await(ctx, done) }, nil
	case err = <-done:
		cancel()
		return func() error { return nil }, err
	case <-ctx.Done():
		defer cancel()
		s.health.timedOut.Add(1)
		return nil, stuck(ctx)
	}
}

// ready prepares a write, and returns with the gate.
func (s *Store) ready(ctx context.Context, batches []*span.Batch) (*write, error) {
	for {
		drops := s.drops.Load()
		w, err := s.prepare(batches)
		if err != nil {
			return nil, err
		}
		if err := s.enter(ctx); err != nil {
			s.discard(w)
			return nil, err
		}
		if s.drops.Load() == drops && s.unread(w) {
			return w, nil
		}
		s.leave() // a day was dropped meanwhile, or a span that was read has changed: what was found may be gone
		s.discard(w)
	}
}

// discard ends a write, committed or not.
func (s *Store) discard(w *write) {
	s.flights.leave(w.placed)
	_ = w.batch.Close()
}

// guard runs a step of the engine that may hang, no longer than ctx lives. The step goes on by itself after that.
func (s *Store) guard(ctx context.Context, step func() error) error {
	done := make(chan error, 1)
	go func() { done <- step() }() // ends with the engine's call; Close waits for its gate
	return s.await(ctx, done)
}

func (s *Store) await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		s.health.timedOut.Add(1)
		return stuck(ctx)
	}
}

// write is an Append on its way: everything but the sequences is in batch.
type write struct {
	batch   *pebble.Batch
	sync    bool
	spans   []queued
	charges []charge
	homes   map[string]span.Day // traces stored for the first time
	edits   edits
	brought content           // to days something was erased from
	bodies  []pair            // stored for the first time
	record  []byte            // room for the record of one span
	placed  map[string]placed // those bodies by the keys of their places
}

// placed is a body with its place.
type placed struct{ place, body []byte }

// queued is an entry of the index queue.
type queued struct {
	key   []byte // of the span
	trace string // key of the trace if this is its first span, as far as is known before the gate; else ""
	fresh bool   // nothing was stored under the span's id when it was read; see unread
	span  *span.Span
	size  int // of its record
}

type charge struct {
	key   []byte
	trace string // key of the trace whose call is charged; "" if the charge is for something else
	entry span.LedgerEntry
}

// isCharged is asked under the gate. A call of a trace that is not stored yet cannot have been charged, which spares
// the look-up for nearly every call.
func (s *Store) isCharged(c *charge) (bool, error) {
	if c.trace != "" && s.homes.isNew(c.trace) {
		return false, nil
	}
	return s.seek(c.key, nil)
}

func (s *Store) prepare(batches []*span.Batch) (*write, error) {
	w := &write{batch: s.db.NewBatchWithSize(sizeOf(batches))}
	s.foresee(w, batches)
	for _, b := range batches {
		if err := s.add(w, b); err != nil {
			s.discard(w)
			return nil, err
		}
	}
	return w, nil
}

// sizeOf is about what batches take in the log: memory that grows by doubling is copied and cleared more than once.
func sizeOf(batches []*span.Batch) int {
	const record, entry = 1 << 10, 120
	n := 0
	for _, b := range batches {
		n += record + entry*len(b.Nodes)
		for _, body := range b.Blobs {
			n += len(body) + entry
		}
	}
	return min(n, 8<<20)
}

func (s *Store) add(w *write, b *span.Batch) error {
	sp := b.Span
	if sp == nil || sp.Project == "" || sp.Trace == "" || sp.ID == "" {
		return fault.New(fault.Invalid, "a span needs a project, a trace id and a span id")
	}
	first, err := s.settle(w, sp)
	if err != nil {
		return err
	}
	if err := s.whole(w, b); err != nil {
		return err
	}
	for h, body := range b.Blobs {
		if err := s.putBlob(w, sp, h, body); err != nil {
			return err
		}
	}
	for _, n := range b.Nodes {
		_, bodied := b.Blobs[n.Body]
		if err := s.putNode(w, sp, n, bodied); err != nil {
			return err
		}
	}
	sp, fresh, err := s.resolve(w, b)
	if err != nil || sp == nil {
		return err
	}
	if len(sp.Scores) > 0 { // they are kept as notes
		c := *sp
		c.Scores = nil
		sp = &c
	}
	key := spanKey(sp.Project, sp.Day, sp.Trace, sp.ID)
	value, err := s.encode(w, key, sp, b.Nodes)
	if err != nil {
		return err
	}
	w.spans = append(w.spans, queued{key: key, trace: first, fresh: fresh, span: sp, size: len(value)})
	if b.Ledger != nil {
		c := charge{key: chargeKey(b.Ledger.Project, b.Ledger.Call), entry: *b.Ledger}
		if b.Ledger.Project == sp.Project && strings.HasPrefix(b.Ledger.Call, sp.Trace+"/") {
			c.trace = string(traceKey(sp.Project, sp.Trace))
		}
		w.charges = append(w.charges, c)
	}
	if err := s.set(w, key, value); err != nil {
		return err
	}
	if b.Covers {
		return s.cover(w, sp)
	}
	return nil
}

// settle gives the span its home day. A span prepared for another day than its trace's is refused: it may rely on nodes
// of a day that has been dropped. first is the key of the trace if nothing of it is stored or in w.
func (s *Store) settle(w *write, sp *span.Span) (first string, err error) {
	wish := sp.Day
	if wish == 0 {
		wish = span.DayOf(s.o.Now())
	}
	key := traceKey(sp.Project, sp.Trace)
	h, err := s.home(sp.Project, string(key), wish)
	if err != nil {
		return "", err
	}
	if sp.Day != 0 && sp.Day != h.day {
		return "", fault.New(fault.Conflict, "the home day of the trace has changed")
	}
	sp.Day = h.day
	if h.stored {
		return "", nil
	}
	if w.homes == nil {
		w.homes = map[string]span.Day{}
	}
	if _, again := w.homes[string(key)]; !again {
		first = string(key)
	}
	w.homes[string(key)] = h.day
	return first, s.set(w, key, binary.BigEndian.AppendUint32(nil, uint32(h.day)))
}

func (s *Store) set(w *write, key, value []byte) error {
	if err := w.batch.Set(key, value, nil); err != nil {
		return broken(err)
	}
	return nil
}

func (s *Store) putNode(w *write, sp *span.Span, n span.Node, bodied bool) error {
	key := hashKey(prefixNode, sp.Project, sp.Day, n.ID)
	if stored, err := s.bring(key); err != nil || stored {
		return err
	}
	v := nodeValue(n, bodied)
	w.bodies = append(w.bodies, pair{string(key), append(append(make([]byte, 0, 2*hashSize), n.Parent[:]...), n.Body[:]...)})
	return s.set(w, key, v)
}

func (s *Store) putBlob(w *write, sp *span.Span, h span.Hash, body []byte) error {
	at := hashKey(prefixBlob, sp.Project, sp.Day, h)
	place, err := s.placeFor(w, sp, at)
	if err != nil || place == nil {
		return err
	}
	body = bytes.Clone(body) // it is a part of a request as a rule, and would keep all of it
	w.placed[string(at)] = placed{place, body}
	data := placeKey(sp.Project, sp.Day, place)
	if err := s.set(w, at, place); err != nil {
		return err
	}
	w.bodies = append(w.bodies, pair{string(at), place}, pair{string(data), body})
	return s.set(w, data, body)
}

// placeFor is where a body goes, or nil if it is stored or in w.
func (s *Store) placeFor(w *write, sp *span.Span, at []byte) ([]byte, error) {
	if _, ok := w.placed[string(at)]; ok {
		return nil, nil
	}
	before := s.applied.Load()
	if stored, err := s.bring(at); err != nil || stored {
		return nil, err
	}
	if w.placed == nil {
		w.placed = map[string]placed{}
	}
	key := string(at)
	place := s.flights.join(key, func() []byte { return s.newPlace(sp) })
	if s.applied.Load() == before {
		return place, nil
	}
	stored, err := s.has(at) // a write may have ended between the look and the join
	if err != nil || stored {
		s.flights.leave(map[string]placed{key: {}})
		return nil, err
	}
	return place, nil
}

// commit numbers and applies a write; it holds the gate on entry and returns it as soon as readers see the write, which it
// tells by applied. The queue shows it when it is on disk: an index must not hold what a crash takes back, since the client sends that again.
func (s *Store) commit(w *write, applied func()) error {
	defer s.discard(w)
	if err := s.reroot(w); err != nil {
		s.leave()
		return err
	}
	seq, charged, err := s.number(w)
	if err == nil {
		err = s.apply(w)
	}
	s.applied.Add(1)
	s.touch(w)
	if watch := s.watch.Load(); watch != nil {
		watch.see(w.spans)
	}
	if err != nil {
		s.leave()
		return broken(err)
	}
	for key, day := range w.homes {
		s.homes.markStored(key, day)
	}
	for i, q := range w.spans {
		latest := *q.span
		latest.First = q.key[0] == prefixFirst
		s.recent.add(s.seq+uint64(i)+1, &latest, inMemory(&latest, q.size))
	}
	s.written.add(w.bodies)
	s.seq, s.charged = seq, charged
	s.leave()
	applied()
	if !w.sync {
		raise(&s.committed, seq)
		return nil
	}
	if err := w.batch.SyncWait(); err != nil {
		return broken(err)
	}
	raise(&s.durable, charged)
	raise(&s.committed, seq)
	return nil
}

func (s *Store) apply(w *write) error {
	if w.sync {
		return s.db.ApplyNoSyncWait(w.batch, pebble.Sync)
	}
	return s.db.Apply(w.batch, pebble.NoSync)
}

// number adds the queue and ledger entries.
func (s *Store) number(w *write) (seq, charged uint64, err error) {
	seq, charged = s.seq, s.charged
	for _, q := range w.spans {
		seq++
		if q.fresh || q.trace != "" && s.homes.isNew(q.trace) { // asked under the gate: another write may have come first
			q.key[0] = prefixFirst
		}
		err = errors.Join(err, w.batch.Set(seqKey(prefixQueue, seq), q.key, nil))
	}
	err = errors.Join(err, w.batch.Set(metaSeq, binary.BigEndian.AppendUint64(nil, seq), nil),
		w.batch.Set(metaPlace, binary.BigEndian.AppendUint64(nil, s.place.Load()), nil))
	seen := map[string]bool{}
	for _, c := range w.charges {
		known, hasErr := s.isCharged(&c)
		if err = errors.Join(err, hasErr); known || seen[string(c.key)] {
			continue
		}
		seen[string(c.key)] = true
		charged++
		c.entry.Seq = charged
		value, encErr := jsonx.Marshal(&c.entry)
		err = errors.Join(err, encErr, w.batch.Set(c.key, nil, nil), w.batch.Set(seqKey(prefixLedger, charged), value, nil))
	}
	return seq, charged, err
}

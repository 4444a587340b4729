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
	for {
		drops := s.drops.Load()
		w, err := s.prepare(batches)
		if err != nil {
			return err
		}
		if err := s.enter(ctx); err != nil {
			_ = w.batch.Close()
			return err
		}
		if s.drops.Load() == drops && s.unread(w) {
			w.sync = sync || len(w.charges) > 0
			return s.guard(ctx, func() error { return s.commit(w) })
		}
		s.leave() // a day was dropped meanwhile, or a span that was read has changed: what was found may be gone
		_ = w.batch.Close()
	}
}

// guard runs a step of the engine that may hang, no longer than ctx lives. The step goes on by itself after that.
func (s *Store) guard(ctx context.Context, step func() error) error {
	done := make(chan error, 1)
	go func() { done <- step() }() // ends with the engine's call; Close waits for its gate
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
	brought content // to days something was erased from
	bodies  []pair  // stored for the first time
}

// queued is an entry of the index queue.
type queued struct {
	key   []byte // of the span
	trace string // key of the trace if this is its first span, as far as is known before the gate; else ""
	fresh bool   // nothing was stored under the span's id when it was read; see unread
	span  *span.Span
	size  int // of the span as stored
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
	w := &write{batch: s.db.NewBatch()}
	s.foresee(w, batches)
	for _, b := range batches {
		if err := s.add(w, b); err != nil {
			_ = w.batch.Close()
			return nil, err
		}
	}
	return w, nil
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
		if err := s.putNode(w, sp, n); err != nil {
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
	value, err := jsonx.Marshal(sp)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "a span cannot be encoded")
	}
	key := spanKey(sp.Project, sp.Day, sp.Trace, sp.ID)
	w.spans = append(w.spans, queued{key: key, trace: first, fresh: fresh, span: sp, size: len(value)})
	if b.Ledger != nil {
		c := charge{key: chargeKey(b.Ledger.Project, b.Ledger.Call), entry: *b.Ledger}
		if b.Ledger.Project == sp.Project && strings.HasPrefix(b.Ledger.Call, sp.Trace+"/") {
			c.trace = string(traceKey(sp.Project, sp.Trace))
		}
		w.charges = append(w.charges, c)
	}
	if b.Covers {
		if err := s.cover(w, sp); err != nil {
			return err
		}
	}
	return s.set(w, key, value)
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

func (s *Store) putNode(w *write, sp *span.Span, n span.Node) error {
	if stored, err := s.hasContent(prefixNode, sp.Project, sp.Day, n.ID); err != nil || stored {
		return err
	}
	if err := s.bring(prefixNode, sp.Project, sp.Day, n.ID); err != nil {
		return err
	}
	v := append(append(make([]byte, 0, 32), n.Parent[:]...), n.Body[:]...)
	return s.set(w, hashKey(prefixNode, sp.Project, sp.Day, n.ID), v)
}

func (s *Store) putBlob(w *write, sp *span.Span, h span.Hash, body []byte) error {
	if stored, err := s.hasContent(prefixBlob, sp.Project, sp.Day, h); err != nil || stored {
		return err
	}
	if err := s.bring(prefixBlob, sp.Project, sp.Day, h); err != nil {
		return err
	}
	place := s.newPlace(sp)
	at, data := hashKey(prefixBlob, sp.Project, sp.Day, h), placeKey(sp.Project, sp.Day, place)
	if err := s.set(w, at, place); err != nil {
		return err
	}
	// A copy, since the body is a part of a request as a rule, and would keep all of it.
	w.bodies = append(w.bodies, pair{string(at), place}, pair{string(data), bytes.Clone(body)})
	return s.set(w, data, body)
}

// commit numbers and applies a write; it holds the gate on entry and returns it as soon as readers see the write. The
// queue shows it when it is on disk: an index must not hold what a crash takes back, since the client sends that again.
func (s *Store) commit(w *write) error {
	defer func() { _ = w.batch.Close() }()
	if err := s.reroot(w); err != nil {
		s.leave()
		return err
	}
	seq, charged, err := s.number(w)
	if err == nil {
		err = s.apply(w)
	}
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
		s.recent.add(s.seq+uint64(i)+1, &latest, q.size)
	}
	s.written.add(w.bodies)
	s.seq, s.charged = seq, charged
	s.leave()
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

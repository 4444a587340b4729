package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/erase"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// prefixErasure holds erasures: their id → job.
const prefixErasure = 'e'

var _ erase.Truth = (*Store)(nil)

// HomeDay implements erase.Truth. A trace that has only notes is there, too.
func (s *Store) HomeDay(_ context.Context, p tenant.ProjectID, trace string) (day span.Day, ok bool, err error) {
	d, err := s.storedHome(traceKey(p, trace))
	if err != nil || d == nil {
		return 0, false, err
	}
	return *d, true, nil
}

// Days implements erase.Truth.
func (s *Store) Days(ctx context.Context, p tenant.ProjectID) (days []span.Day, err error) {
	prefix := appendString([]byte{prefixSpan}, string(p))
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, broken(err)
	}
	for ok := it.First(); ok; {
		d := span.Day(binary.BigEndian.Uint32(it.Key()[len(prefix):]))
		days = append(days, d)
		ok = it.SeekGE(after(dayKey(prefixSpan, p, d, 0)))
	}
	if err := it.Close(); err != nil {
		return nil, broken(err)
	}
	return days, nil
}

// Pick implements erase.Truth.
func (s *Store) Pick(ctx context.Context, p tenant.ProjectID, day span.Day, behind string, limit int, hint string, pick erase.Pick) (traces []string, spans int64, more bool, err error) {
	prefix := dayKey(prefixSpan, p, day, 0)
	lower := prefix
	if behind != "" {
		lower = after(spansOf(p, day, behind))
	}
	marks := s.marker(s.db)
	last, picked, size := "", false, int64(0)
	end := func() {
		if picked {
			traces, spans = append(traces, last), spans+size
		}
		picked, size = false, 0
	}
	err = s.each(ctx, lower, after(prefix), func(k, v []byte) (bool, error) {
		if trace := traceOf(k, len(prefix)); trace != last {
			end()
			if last = trace; len(traces) >= limit {
				more = true
				return false, nil
			}
		}
		if size++; picked || hint != "" && !bytes.Contains(v, []byte(hint)) {
			return true, nil
		}
		sp, _, err := decode(k, v)
		if err == nil {
			sp, err = marks.mark(ctx, sp)
		}
		if err == nil {
			picked, err = pick(ctx, sp)
		}
		return true, err
	})
	if !more {
		end()
	}
	return traces, spans, more, err
}

// EraseTraces implements erase.Truth. What the other spans of the day use is found by reading them all; spans that are
// stored meanwhile are looked at as they come. It holds about 25 bytes for each distinct body and message of the day.
func (s *Store) EraseTraces(ctx context.Context, p tenant.ProjectID, day span.Day, traces []string, save func(erase.Removed) ([]byte, error)) error {
	s.erasing.Lock()
	defer s.erasing.Unlock()
	e := &eraser{s: s, p: p, day: day, doomed: map[string]bool{}, live: map[contentID]struct{}{}, gone: map[contentID]bool{}, sessions: map[string]bool{}}
	for _, t := range traces {
		e.doomed[t] = true
	}
	if err := s.exclusive(ctx, func() error { s.watch.Store(&watch{prefix: dayKey(prefixSpan, p, day, 0)}); return nil }); err != nil {
		return err
	}
	defer s.watch.Store(nil)
	if err := e.mark(ctx); err != nil {
		return err
	}
	if err := e.sweep(ctx); err != nil {
		return err
	}
	return e.remove(ctx, traces, save)
}

// contentID names a body or a node in memory: half a hash is enough to tell those of a day apart, and where it is not,
// something stays that could have gone.
type contentID struct {
	node bool
	half uint64
}

func blobID(h span.Hash) contentID { return contentID{false, binary.BigEndian.Uint64(h[:])} }
func nodeID(h span.Hash) contentID { return contentID{true, binary.BigEndian.Uint64(h[:])} }

// eraser is one step of an erasure.
type eraser struct {
	s        *Store
	p        tenant.ProjectID
	day      span.Day
	doomed   map[string]bool
	live     map[contentID]struct{} // what other spans use
	gone     map[contentID]bool     // what doomed spans use; true once it was found to be live
	sessions map[string]bool        // of doomed spans; true if another span of the day has it
	removed  erase.Removed
	dead     []deadContent
	notes    [][2][]byte
	keys     [][]byte // of histories and ids of notes
}

type deadContent struct {
	node bool
	hash span.Hash
	size int
}

// mark reads all spans of the day: first the doomed ones, then what the others use.
func (e *eraser) mark(ctx context.Context) error {
	for t := range e.doomed {
		if err := e.doom(ctx, t); err != nil {
			return err
		}
	}
	prefix := dayKey(prefixSpan, e.p, e.day, 0)
	var sp span.Span // of one turn only
	return e.s.each(ctx, prefix, after(prefix), func(k, v []byte) (bool, error) {
		trace := traceOf(k, len(prefix))
		if e.doomed[trace] {
			return true, nil
		}
		if _, err := decodeInto(&sp, k, v); err != nil {
			return false, err
		}
		return true, e.keep(&sp)
	})
}

// doom notes what a trace uses, and its notes.
func (e *eraser) doom(ctx context.Context, trace string) error {
	lower := spansOf(e.p, e.day, trace)
	n := e.removed.Spans
	err := e.s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
		sp, _, err := decode(k, v)
		if err != nil {
			return false, err
		}
		e.removed.Spans++
		if sp.Session != "" {
			e.sessions[sp.Session] = false
		}
		for _, r := range []span.Ref{sp.Input, sp.Output} {
			if err := e.walk(r, func(id contentID) bool {
				_, seen := e.gone[id]
				e.gone[id] = false
				return !seen
			}); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	had, err := e.doomNotes(ctx, trace)
	if e.removed.Spans > n || had {
		e.removed.Traces++
	}
	return err
}

// walk calls see with the content of a body: its blob, then message by message back to the first, until see says that
// what comes before a message is known.
func (e *eraser) walk(r span.Ref, see func(contentID) bool) error {
	if !r.Skeleton.IsZero() {
		see(blobID(r.Skeleton))
	}
	for id := r.Node; !id.IsZero() && see(nodeID(id)); {
		n, found, err := e.s.node(e.p, e.day, id)
		if err != nil || !found {
			return err
		}
		id = n.Parent
		see(blobID(n.Body))
	}
	return nil
}

// maxSharers bounds the spans that are told to be searched anew.
const maxSharers = 20_000

// keep marks what a span uses as live.
func (e *eraser) keep(sp *span.Span) error {
	if _, ok := e.sessions[sp.Session]; ok {
		e.sessions[strings.Clone(sp.Session)] = true // the span may be gone with the next one
	}
	shares := false
	for _, r := range []span.Ref{sp.Input, sp.Output} {
		err := e.walk(r, func(id contentID) bool {
			_, known := e.live[id]
			e.live[id] = struct{}{}
			if was, doomed := e.gone[id]; doomed {
				shares = true
				if !was {
					e.gone[id] = true
					e.removed.SharedKept++
				}
			}
			return !known
		})
		if err != nil {
			return err
		}
	}
	if shares && len(e.removed.Sharers) < maxSharers {
		e.removed.Sharers = append(e.removed.Sharers, span.Key{Trace: strings.Clone(sp.Trace), Span: strings.Clone(sp.ID), Day: sp.Day})
	}
	return nil
}

// sweep lists the content of the day that nothing uses: that of the doomed, and what spans that were replaced have left.
func (e *eraser) sweep(ctx context.Context) error {
	for _, prefix := range []byte{prefixBlob, prefixNode} {
		lower := dayKey(prefix, e.p, e.day, 0)
		err := e.s.each(ctx, lower, after(lower), func(k, _ []byte) (bool, error) {
			d := deadContent{node: prefix == prefixNode}
			copy(d.hash[:], k[len(lower):])
			if !e.isLive(d) {
				e.dead = append(e.dead, d)
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) isLive(d deadContent) bool {
	id := blobID(d.hash)
	if d.node {
		id = nodeID(d.hash)
	}
	_, ok := e.live[id]
	return ok
}

// remove deletes everything in one write, between two commits.
func (e *eraser) remove(ctx context.Context, traces []string, save func(erase.Removed) ([]byte, error)) error {
	s := e.s
	if err := e.catchUp(ctx, fewLate); err != nil {
		return err
	}
	b := s.db.NewBatch()
	var upto uint64
	err := s.exclusive(ctx, func() error { // b is closed behind it, or not at all: the step may outlive an impatient caller
		if err := e.catchUp(context.WithoutCancel(ctx), 0); err != nil {
			return err
		}
		if err := e.fill(b, traces, save); err != nil {
			return err
		}
		if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
			return broken(err)
		}
		s.drops.Add(1)
		s.recent.forget()
		s.written.forget()
		s.homes.forget(e.p, e.day, traces)
		upto = s.seq
		return nil
	})
	if err != nil {
		return err
	}
	return s.guard(ctx, func() error { return errors.Join(s.syncWait(b, upto), b.Close()) })
}

// fewLate is how many spans that came meanwhile may be left for the time no commit can go on.
const fewLate = 200

// catchUp marks what spans use that were stored since, until no more than few are left.
func (e *eraser) catchUp(ctx context.Context, few int) error {
	w := e.s.watch.Load()
	for {
		late := w.take(few)
		if len(late) == 0 {
			return nil
		}
		for _, sp := range late {
			if e.doomed[sp.Trace] {
				continue
			}
			if err := e.keep(sp); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// fill puts the deletions and the job into the batch.
func (e *eraser) fill(b *pebble.Batch, traces []string, save func(erase.Removed) ([]byte, error)) error {
	for _, t := range traces {
		for _, lower := range [][]byte{spansOf(e.p, e.day, t), usageOf(e.p, e.day, t), notesOf(e.p, e.day, t), rootKey(e.p, e.day, t)} {
			if err := b.DeleteRange(lower, after(lower), nil); err != nil {
				return broken(err)
			}
		}
		if err := b.Delete(traceKey(e.p, t), nil); err != nil {
			return broken(err)
		}
	}
	for _, k := range e.keys {
		if err := b.Delete(k, nil); err != nil {
			return broken(err)
		}
	}
	for _, d := range e.dead {
		if e.isLive(d) {
			continue
		}
		if err := e.drop(b, d); err != nil {
			return err
		}
	}
	for id, kept := range e.sessions {
		if !kept {
			e.removed.Sessions = append(e.removed.Sessions, id)
		}
	}
	slices.Sort(e.removed.Sessions)
	job, err := save(e.removed)
	if err != nil {
		return err
	}
	if job == nil {
		return nil
	}
	var head struct {
		ID string `json:"id"`
	}
	if err := jsonx.Unmarshal(job, &head); err != nil {
		return fault.Wrap(fault.Internal, err, "an erasure cannot be encoded")
	}
	if err := b.Set(erasureKey(head.ID), job, nil); err != nil {
		return broken(err)
	}
	return nil
}

func usageOf(p tenant.ProjectID, d span.Day, trace string) []byte {
	return appendString(dayKey(prefixUsage, p, d, len(trace)+2), trace)
}

// drop deletes a node, or a blob with its bytes.
func (e *eraser) drop(b *pebble.Batch, d deadContent) error {
	e.removed.Content++
	if d.node {
		if err := b.Delete(hashKey(prefixNode, e.p, e.day, d.hash), nil); err != nil {
			return broken(err)
		}
		return nil
	}
	key := hashKey(prefixBlob, e.p, e.day, d.hash)
	place, err := e.s.get(key)
	if err != nil || place == nil {
		return err
	}
	at := placeKey(e.p, e.day, place)
	if _, err := e.s.view(at, func(v []byte) error { e.removed.Bytes += int64(len(v)); return nil }); err != nil {
		return err
	}
	if err := errors.Join(b.Delete(key, nil), b.Delete(at, nil)); err != nil {
		return broken(err)
	}
	return nil
}

// doomNotes lists what lies outside the trace's own ranges: histories, and what points at notes.
func (e *eraser) doomNotes(ctx context.Context, trace string) (had bool, err error) {
	lower := notesOf(e.p, e.day, trace)
	had, err = e.s.has(rootKey(e.p, e.day, trace))
	if err != nil || !had {
		return had, err
	}
	// A deleted score has no note any more, but a history: that names its target.
	past := dayKey(prefixPast, e.p, e.day, 0)
	err = e.s.each(ctx, past, after(past), func(k, v []byte) (bool, error) {
		var c span.Score
		if err := readNote(v, &c); err != nil {
			return false, err
		}
		if c.Target.Trace == trace {
			e.keys = append(e.keys, slices.Clone(k), noteIDKey(e.p, kindScore, c.ID))
		}
		return true, nil
	})
	if err != nil {
		return true, err
	}
	return true, e.s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
		e.removed.Notes++
		id, err := noteIDOf(v)
		e.keys = append(e.keys, noteIDKey(e.p, k[len(k)-len(span.Hash{})-1], id))
		return true, err
	})
}

func noteIDOf(v []byte) (string, error) {
	var n struct {
		ID string `json:"id"`
	}
	err := readNote(v, &n)
	return n.ID, err
}

// forget makes traces of a day unknown.
func (h *homes) forget(p tenant.ProjectID, d span.Day, traces []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range traces {
		key := string(traceKey(p, t))
		delete(h.cur, key)
		delete(h.old, key)
	}
	if h.erased == nil {
		h.erased = map[string]bool{}
	}
	h.erased[string(dayKey(prefixSpan, p, d, 0))] = true
}

// isErased reports whether something of the day was erased while this process lives: what writers remember to be stored
// may be gone.
func (h *homes) isErased(p tenant.ProjectID, d span.Day) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.erased) > 0 && h.erased[string(dayKey(prefixSpan, p, d, 0))]
}

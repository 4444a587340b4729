package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// EraseSessionNotes implements erase.Truth.
func (s *Store) EraseSessionNotes(ctx context.Context, p tenant.ProjectID, sessions []string) (n int64, err error) {
	s.noting.Lock()
	defer s.noting.Unlock()
	for _, session := range sessions {
		days, err := s.talkDays(ctx, p, session)
		if err != nil {
			return n, err
		}
		for _, d := range days {
			k, err := s.eraseTalk(ctx, p, d, session)
			if n += k; err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *Store) eraseTalk(ctx context.Context, p tenant.ProjectID, day span.Day, session string) (n int64, err error) {
	d := deleter{db: s.db}
	lower := appendString(notesOf(p, day, ""), hashed(session))
	err = s.each(ctx, lower, after(lower), func(k, v []byte) (bool, error) {
		n++
		return true, errors.Join(d.pointers(p, day, k, v), d.add(k))
	})
	past := dayKey(prefixPast, p, day, 0)
	if err == nil {
		err = s.each(ctx, past, after(past), func(k, v []byte) (bool, error) {
			var c span.Score
			if err := readNote(v, &c); err != nil || c.Target.Session != session {
				return err == nil, err
			}
			return true, errors.Join(d.add(k), d.add(noteIDKey(p, kindScore, c.ID)))
		})
	}
	if err == nil {
		err = d.add(binary.BigEndian.AppendUint32(talkKey(p, session), uint32(day)))
	}
	return n, d.finish(err)
}

// ForgetKV implements erase.Truth.
func (s *Store) ForgetKV(ctx context.Context, drop func(key, value []byte) bool) (int64, error) {
	d := deleter{db: s.db}
	n := int64(0)
	err := s.each(ctx, []byte{prefixKV}, []byte{prefixKV + 1}, func(k, v []byte) (bool, error) {
		if len(v) < 8 || !drop(k[1:], v[8:]) {
			return true, nil
		}
		n++
		return true, d.add(k)
	})
	return n, d.finish(err)
}

// EditLedger implements erase.Truth. Only entries that are on disk are edited, as readers see no others.
func (s *Store) EditLedger(ctx context.Context, edit func(*span.LedgerEntry) bool) (n int64, err error) {
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }()
	flush := func() error {
		if err := s.db.Apply(b, pebble.Sync); err != nil {
			return broken(err)
		}
		_ = b.Close()
		b = s.db.NewBatch()
		return nil
	}
	upper := seqKey(prefixLedger, s.durable.Load()+1)
	err = s.each(ctx, []byte{prefixLedger}, upper, func(k, v []byte) (bool, error) {
		var e span.LedgerEntry
		if err := jsonx.Unmarshal(v, &e); err != nil {
			return false, fault.Wrap(fault.Internal, err, "a ledger entry cannot be read")
		}
		if !edit(&e) {
			return true, nil
		}
		n++
		e.Seq = seqOf(k)
		if err := b.Set(k, jsonx.MustMarshal(&e), nil); err != nil {
			return false, broken(err)
		}
		if b.Count() >= deletesPerBatch {
			return true, flush()
		}
		return true, nil
	})
	if err == nil {
		err = flush()
	}
	return n, err
}

func erasureKey(id string) []byte { return append([]byte{prefixErasure}, id...) }

// PutErasure implements erase.Truth.
func (s *Store) PutErasure(_ context.Context, id string, job []byte) error {
	if err := s.db.Set(erasureKey(id), job, pebble.Sync); err != nil {
		return broken(err)
	}
	return nil
}

// Erasures implements erase.Truth.
func (s *Store) Erasures(ctx context.Context, yield func(id string, job []byte) bool) error {
	return s.each(ctx, []byte{prefixErasure}, []byte{prefixErasure + 1}, func(k, v []byte) (bool, error) {
		return yield(string(k[1:]), bytes.Clone(v)), nil
	})
}

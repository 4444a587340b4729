package pebble

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Purge implements erase.Truth. Deleted keys leave the files when these are merged down to the last level, and the files
// leave the disk when no reader has them open any more.
func (s *Store) Purge(ctx context.Context, p tenant.ProjectID, days []span.Day) error {
	// A snapshot would keep what was deleted: wait for those who have one, and let nobody take one.
	s.scans.Lock()
	defer s.scans.Unlock()
	before, err := s.files()
	if err != nil {
		return err
	}
	if err := s.db.Flush(); err != nil { // begins a new write-ahead log as well
		return broken(err)
	}
	for _, r := range purgeRanges(p, days) {
		if err := s.db.Compact(ctx, r[0], r[1], false); err != nil {
			return broken(err)
		}
	}
	return s.awaitDeletion(ctx, before)
}

// purgeRanges are all keys that an erasure touches.
func purgeRanges(p tenant.ProjectID, days []span.Day) (out [][2][]byte) {
	add := func(lower []byte) { out = append(out, [2][]byte{lower, after(lower)}) }
	for _, d := range days {
		for _, prefix := range []byte{prefixSpan, prefixBlob, prefixData, prefixNode, prefixUsage, prefixText} {
			add(dayKey(prefix, p, d, 0))
		}
	}
	for _, prefix := range []byte{prefixTrace, prefixNote, prefixPast, prefixNoteID, prefixRoot, prefixTalk} {
		add(appendString([]byte{prefix}, string(p)))
	}
	for _, prefix := range []byte{prefixKV, prefixQueue, prefixLedger, prefixErasure, prefixMeta} {
		add([]byte{prefix})
	}
	slices.SortFunc(out, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
	return out
}

// files are the logs of the engine's directory.
func (s *Store) files() (logs []string, err error) {
	logs, err = filepath.Glob(filepath.Join(s.dir, "*.log"))
	if err != nil {
		return nil, broken(err)
	}
	return logs, nil
}

// How long deletion may take, and how often it is looked at. Readers hold files for as long as a read may take.
const (
	deletionTime = 2 * time.Minute
	deletionPoll = 20 * time.Millisecond
)

// awaitDeletion waits until no table is kept that is not live, and until the logs of before are gone.
func (s *Store) awaitDeletion(ctx context.Context, logs []string) error {
	ctx, cancel := context.WithTimeout(ctx, deletionTime)
	defer cancel()
	tick := time.NewTicker(deletionPoll)
	defer tick.Stop()
	for {
		m := s.db.Metrics()
		if m.Table.ObsoleteCount == 0 && m.Table.ZombieCount == 0 && !anyExists(logs) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fault.Wrap(fault.Unavailable, ctx.Err(), "old files are still in use; erase again")
		}
	}
}

func anyExists(paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		_, err := os.Stat(p)
		return !errors.Is(err, os.ErrNotExist)
	})
}

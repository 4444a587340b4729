package pebble

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
)

func (s *Store) engineOptions() *pebble.Options {
	o := &pebble.Options{
		FormatMajorVersion:          formatVersion,
		CacheSize:                   s.o.CacheBytes,
		MemTableSize:                s.o.MemTableBytes,
		MemTableStopWritesThreshold: 3,
		Cleaner:                     noReuse{},
		// All prefixes are written all the time, so each compaction rewrites much: have few, of much new data each.
		L0CompactionThreshold:      24,
		L0StopWritesThreshold:      48,
		LBaseMaxBytes:              128 << 20,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		Logger:                     engineLog{log: s.o.Log, exit: s.o.Exit},
		EventListener:              s.health.listener(),
		// WALMinSyncInterval stays 0: the recorder gathers calls itself, and concurrent ingest commits already share
		// a sync; a floor would only delay lone acknowledgements.
	}
	for i := range o.Levels {
		l := &o.Levels[i]
		l.FilterPolicy = bloom.FilterPolicy(10) // "is this body stored already?" is asked for every message
		l.BlockSize = 64 << 10                  // spans and messages are alike; larger blocks compress a third better
	}
	o.ApplyCompressionSettings(s.compression)
	return o
}

// Levels of Zstandard: little on the way down, since blocks are written again soon; more where they come to rest; most
// while there is nothing else to do. The first runs at 430 MB/s here; the others make bodies 4 and 8 % smaller, at 340
// and 100 MB/s. All levels have one format, because the engine moves tables down as they are if nothing overlaps them:
// what a faster format saved there would stay large for ever.
const (
	onTheWay  = 1
	atRest    = 3
	atLeisure = 7
)

// compression is asked for each table that is written.
func (s *Store) compression() pebble.DBCompressionSettings {
	c := pebble.UniformDBCompressionSettings(zstd(onTheWay))
	last := len(c.Levels) - 1
	c.Levels[last] = zstd(atRest)
	if s.applied.Load() < s.leisure.Load() {
		c.Levels[last] = zstd(atLeisure)
	}
	return c
}

// zstd is used for all blocks: the engine's own mixed settings use MinLZ for index blocks, which the pinned format lacks,
// and it would then fall back to Snappy for everything, silently.
func zstd(level uint8) *block.CompressionProfile {
	p := *block.ZstdCompression
	p.DataBlocks.Level, p.ValueBlocks.Level, p.OtherBlocks.Level = level, level, level
	return &p
}

// noReuse deletes write-ahead logs that are no longer needed. By default the engine keeps one more than it has memory
// tables for reuse, at their full size: more than the data of a small installation. It does not while its cleaner is
// kin to the archiving one; here that kinship lies one level deeper than the methods that delete.
type noReuse struct {
	pebble.DeleteCleaner
	archivist
}

type archivist struct{ pebble.ArchiveCleaner }

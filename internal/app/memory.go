package app

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow threefold between collections instead of twofold. What lives is small (keys, prices,
// caches; the stores hold their memory outside the heap), so this costs some ten MiB under load and saves a twentieth
// of the time a call takes. GOGC overrules it.
const gcPercent = 200

// gcLimit is from where on it is collected more often instead: a dozen requests of many megabytes at once would
// otherwise take threefold what they hold. GOMEMLIMIT overrules it.
const gcLimit = 400 << 20

func tuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(gcLimit)
	}
}

package erase

import (
	"bytes"

	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// Keys of what ingest and gateway remember, and how a remembered thought says where it comes from.
var (
	threads  = []byte("thread/")
	thoughts = []byte("think/")
)

// Thought is what the value of a remembered thought begins with: where it comes from.
type Thought struct {
	Project tenant.ProjectID `json:"p"`
	Trace   string           `json:"x"`
}

// Cached reports whether a remembered value belongs to one of the traces or sessions. A thought that does not say where
// it comes from might: losing one costs a client the thinking of one turn.
func Cached(p tenant.ProjectID, key, value []byte, gone map[string]bool) bool {
	switch {
	case bytes.HasPrefix(key, threads):
		return gone[string(value)]
	case bytes.HasPrefix(key, thoughts):
		var t Thought
		if jsonx.Unmarshal(value, &t) != nil || t.Trace == "" {
			return true
		}
		return t.Project == p && gone[t.Trace]
	}
	return false
}

package span

import (
	"context"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/tenant"
)

// Node is one message of a conversation. Its ID is HashOf(Parent, Body), so equal prefixes share nodes, and a node that
// exists implies that all its ancestors do (within its project and day).
type Node struct {
	ID     Hash
	Parent Hash // zero for the first message
	Body   Hash // blob with the message's raw bytes
}

// Batch is committed atomically. Within it everything belongs to one project, and to the home day of its trace.
type Batch struct {
	Span   *Span
	Blobs  map[Hash][]byte // written where absent; their memory is the caller's again once Append has succeeded
	Nodes  []Node          // written where absent, parents first
	Ledger *LedgerEntry    // nil for spans that cost nothing
	// Merge, if set, makes the span to store out of the one stored under its id, which is nil if there is none; nil
	// leaves things as they are. Project, Trace, ID and Day stay those of Span. It may be called more than once, and
	// changes neither its argument nor the batch. Without it Span replaces what is there.
	Merge func(stored *Span) *Span
	// Covers says that the usage of Span shows in its parent as well: a parent with usage or cost is marked Covered,
	// whichever of the two is stored first.
	Covers bool
}

// LedgerEntry is one charge. Entries outlive trace retention. Seq is assigned by the store, dense and increasing.
type LedgerEntry struct {
	Seq     uint64           `json:"seq"`
	Time    time.Time        `json:"time"`
	Call    string           `json:"call"` // CallID of the call; a repeat of a call already charged is ignored
	Project tenant.ProjectID `json:"project"`
	Key     tenant.KeyID     `json:"key,omitempty"`
	User    tenant.UserID    `json:"user,omitempty"`
	Team    tenant.TeamID    `json:"team,omitempty"`
	Model   string           `json:"model,omitempty"` // the group the client asked for
	Tags    []string         `json:"tags,omitempty"`
	Usage   llm.Usage        `json:"usage"`
	Cost    money.Nano       `json:"cost"`
	Failed  bool             `json:"failed,omitempty"`
}

// CallID names a call in the ledger: several calls of a client may join one trace.
func CallID(trace, span string) string { return trace + "/" + span }

// Store is the truth: spans and their bodies.
type Store interface {
	// Home returns the home day of a trace, and sets it to day if the trace is new. The day is kept once a span of the
	// trace is stored.
	Home(ctx context.Context, p tenant.ProjectID, trace string, day Day) (Day, error)
	// HasNode reports whether a conversation node is stored (or part of a batch already queued by this process).
	HasNode(ctx context.Context, p tenant.ProjectID, day Day, n Hash) (bool, error)
	// Append commits batches, in order, in one atomic write. With sync it returns once they survive power loss.
	// A span with an ID that exists replaces the earlier one. It sets Span.Day; a Day set by the caller that is not the
	// trace's home is fault.Conflict: the day was dropped since the caller asked, prepare the batch again.
	// fault.Unavailable leaves the outcome open; appending the same again is harmless. Once it has succeeded, nobody may
	// change the spans.
	Append(ctx context.Context, sync bool, batches ...*Batch) error
	// Trace returns all spans of a trace ordered by start, or fault.NotFound.
	Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*Span, error)
	// Spans returns the given spans of a page; missing ones are left out.
	Spans(ctx context.Context, p tenant.ProjectID, keys []Key) ([]*Span, error)
	// Blob returns one content-addressed blob, or fault.NotFound.
	Blob(ctx context.Context, p tenant.ProjectID, day Day, h Hash) ([]byte, error)
	// Chain returns the nodes from the first message to leaf.
	Chain(ctx context.Context, p tenant.ProjectID, day Day, leaf Hash) ([]Node, error)
	// Ledger calls yield with the entries after seq, in order, until it returns false. Only entries that survive power
	// loss are seen.
	Ledger(ctx context.Context, after uint64, yield func(LedgerEntry) bool) error
	// DropDay removes all traces of a project whose home is the day: spans, heads, bodies and nodes. Ledger stays. The
	// day is nobody's home after that; a trace of it that returns gets a new one.
	DropDay(ctx context.Context, p tenant.ProjectID, day Day) error
	// Changes calls yield with spans appended after position seq in the index queue, in order, until it returns false. The
	// spans may be the ones that were appended, and must not be changed.
	Changes(ctx context.Context, after uint64, yield func(seq uint64, s *Span) bool) error
	// Trim forgets index queue entries up to and including seq.
	Trim(ctx context.Context, seq uint64) error
	// Scan calls yield with every span stored, for a rebuild of the index, and returns the queue position it covers.
	// Previews of bodies may be missing.
	Scan(ctx context.Context, yield func(s *Span) bool) (seq uint64, err error)
	// Committed is the newest queue position that has been committed.
	Committed() uint64
}

// Key addresses one span. Day 0 stands for the trace's home day, at the price of a look-up.
type Key struct {
	Trace, Span string
	Day         Day
}

// KV is a small persistent cache inside the truth, for things keyed by what a client will send again: thinking
// signatures, session threads. Entries expire; a miss is always survivable.
type KV interface {
	// Get returns nil, nil on a miss.
	Get(ctx context.Context, key []byte) ([]byte, error)
	// Put stores without waiting for the disk. ttl is rounded up to days.
	Put(ctx context.Context, key, value []byte, ttl time.Duration) error
}

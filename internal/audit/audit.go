// Package audit is the record of who administered what: an append-only log whose entries are chained by hash, so that a
// change behind its back shows. It never holds secrets, prompts or what was erased.
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/tenant"
)

// Event is something an administrator, a user or the system did. Action is "noun.verb", such as "key.create".
type Event struct {
	// Who did it; nil for the system itself, or for somebody who could not prove who they are.
	Who    *tenant.Identity
	Action string
	Target string         // id of what it was done to
	Detail map[string]any // JSON values; never a secret
	// IP is the caller's address; "" takes the one that WithIP attached to the context.
	IP string
	// Project, if the caller's does not say it.
	Project tenant.ProjectID
}

// Log takes events. A failure to write one is reported by the log itself: what was done cannot be undone for it.
type Log interface {
	Record(ctx context.Context, e Event)
}

// Entry is one line of the log.
type Entry struct {
	Seq     int64            `json:"seq"` // 1, 2, 3 …
	Time    time.Time        `json:"time"`
	Actor   string           `json:"actor"` // e-mail, user id, alias of a key, or "system"
	Means   string           `json:"means"` // how the actor proved who it is
	Action  string           `json:"action"`
	Target  string           `json:"target"`
	Project tenant.ProjectID `json:"project"`
	IP      string           `json:"ip"`
	Detail  string           `json:"detail"` // JSON object
	Hash    string           `json:"-"`      // hex SHA-256 over the previous entry's hash and this entry's canonical form
}

// Query selects entries, newest first. Empty fields do not filter; Search is a part of action, target, actor or detail,
// regardless of case; Action may end with ".*".
type Query struct {
	Search, Action, Actor string
	Project               tenant.ProjectID
	From, To              time.Time
	Before                int64 // only entries with a smaller number; 0 = all
	Limit                 int
}

// Store keeps entries. It offers no way to change them.
type Store interface {
	// AppendAudit stores the entry that next makes of the last one, atomically, other processes included. The last one is
	// zero for an empty log.
	AppendAudit(ctx context.Context, next func(last Entry) Entry) error
	// Audit returns selected entries, newest first.
	Audit(ctx context.Context, q Query) ([]Entry, error)
	// AuditChain calls yield with all entries in order until it returns false, and returns the last number and hash that
	// were written, which are kept apart from the entries.
	AuditChain(ctx context.Context, yield func(Entry) bool) (seq int64, hash string, err error)
}

// Chain is a Log over a Store.
type Chain struct {
	store Store
	log   *slog.Logger
	now   func() time.Time
}

var _ Log = (*Chain)(nil)

// New returns a Chain; now nil means time.Now.
func New(store Store, log *slog.Logger, now func() time.Time) *Chain {
	if now == nil {
		now = time.Now
	}
	return &Chain{store: store, log: log, now: now}
}

// writeTime bounds one entry. It does not end with the request: what was done is recorded although its caller left.
const writeTime = 10 * time.Second

// Record implements Log.
func (c *Chain) Record(ctx context.Context, e Event) {
	ip := e.IP
	if ip == "" {
		ip = ipOf(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	fresh := Entry{Time: c.now().UTC(), Action: e.Action, Target: clip.To(e.Target, maxTarget), Project: e.Project, IP: ip, Detail: detail(e.Detail)}
	fresh.Actor, fresh.Means = actor(e.Who)
	if fresh.Project == "" && e.Who != nil {
		fresh.Project = e.Who.Project
	}
	err := c.store.AppendAudit(ctx, func(last Entry) Entry {
		n := fresh
		n.Seq = last.Seq + 1
		n.Hash = hashAfter(last.Hash, n)
		return n
	})
	if err != nil {
		c.log.Error("an audit entry could not be written", "action", e.Action, "error", err)
	}
}

// Entries returns selected entries, newest first.
func (c *Chain) Entries(ctx context.Context, q Query) ([]Entry, error) { return c.store.Audit(ctx, q) }

// Check is the result of a verification.
type Check struct {
	OK       bool
	Entries  int64  // read before the first broken one
	BrokenAt int64  // number of the first entry that does not fit, or that is missing; 0 if none
	Reason   string // why it does not fit
	Head     string // hash of the last good entry: kept elsewhere, it proves that the log up to it is unchanged
}

// Verify reads the whole log.
func (c *Chain) Verify(ctx context.Context) (Check, error) {
	var k Check
	last := Entry{}
	seq, hash, err := c.store.AuditChain(ctx, func(e Entry) bool {
		switch {
		case e.Seq != last.Seq+1:
			k.BrokenAt, k.Reason = last.Seq+1, "missing"
		case e.Hash != hashAfter(last.Hash, e):
			k.BrokenAt, k.Reason = e.Seq, "changed"
		default:
			k.Entries++
			last = e
			return true
		}
		return false
	})
	if err != nil {
		return k, err
	}
	if k.BrokenAt == 0 && (last.Seq != seq || last.Hash != hash) {
		k.BrokenAt, k.Reason = last.Seq+1, "the end is missing"
		if last.Seq >= seq {
			k.BrokenAt, k.Reason = seq+1, "added behind the log's back"
		}
	}
	k.OK, k.Head = k.BrokenAt == 0, last.Hash
	return k, nil
}

// hashAfter chains an entry to the hash of the one before it.
func hashAfter(last string, e Entry) string {
	h := sha256.New()
	h.Write([]byte(last))
	h.Write(canonical(e))
	return hex.EncodeToString(h.Sum(nil))
}

// canonical is the form of an entry that is hashed: JSON with its fields in the order of the type, times in UTC with
// nanoseconds. The library that encodes it must not change: old entries are verified with it.
func canonical(e Entry) []byte {
	e.Time = e.Time.UTC()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return []byte(err.Error()) // a time beyond year 9999, which no clock gives
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func detail(m map[string]any) string {
	if len(m) == 0 {
		return "{}"
	}
	b, err := json.Marshal(m) // keys in order
	if err != nil {
		return `{"error":"detail cannot be encoded"}`
	}
	return string(b)
}

// actor names who did something for people to read.
func actor(who *tenant.Identity) (name, means string) {
	if who == nil {
		return "system", ""
	}
	for _, n := range []string{who.Email, string(who.User), who.KeyAlias, who.KeyName} {
		if n != "" {
			return n, string(who.Means)
		}
	}
	return string(who.Means), string(who.Means)
}

const maxTarget = 512

type ipKey struct{}

// WithIP attaches the caller's address for events recorded further down.
func WithIP(ctx context.Context, ip string) context.Context {
	return context.WithValue(ctx, ipKey{}, ip)
}

func ipOf(ctx context.Context) string {
	ip, _ := ctx.Value(ipKey{}).(string)
	return ip
}

// Fingerprint stands for an id that must not be readable in the log: the same id always has the same one.
func Fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// MaxPage is the most entries one Query returns.
const MaxPage = 500

// Size is the limit in force.
func (q Query) Size() int {
	if q.Limit <= 0 {
		return 50
	}
	return min(q.Limit, MaxPage)
}

// ErrOrder is returned by stores that are asked to append an entry out of order.
var ErrOrder = fault.New(fault.Internal, "audit entries must follow each other")

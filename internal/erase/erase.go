// Package erase removes what was recorded of somebody or something for good: from the truth with all content that
// nothing else uses, and from everything derived from it. A job survives restarts, and ends with a certificate that
// says what is gone, what was kept and why, and what is out of reach.
package erase

import (
	"context"
	"time"

	"weir/internal/fault"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Selection names what is to be erased: exactly one field is set. Traces are erased whole: one of which any span is
// selected.
type Selection struct {
	Trace   string `json:"trace,omitempty"`
	Filter  string `json:"filter,omitempty"`
	User    string `json:"user,omitempty"` // user id, end user or e-mail
	Session string `json:"session,omitempty"`
}

// Kind is which field is set.
func (s Selection) Kind() string {
	switch {
	case s.Trace != "":
		return "trace"
	case s.Filter != "":
		return "filter"
	case s.User != "":
		return "user"
	}
	return "session"
}

// value is what the field holds.
func (s Selection) value() string { return s.Trace + s.Filter + s.User + s.Session }

// check parses the selection.
func (s Selection) check() (query.Expr, error) {
	n := 0
	for _, v := range []string{s.Trace, s.Filter, s.User, s.Session} {
		if v != "" {
			n++
		}
	}
	if n != 1 {
		return nil, fault.New(fault.Invalid, "name one of trace, filter, user and session")
	}
	if s.Filter == "" {
		return nil, nil
	}
	e, err := query.Parse(s.Filter)
	if err == nil && e == nil {
		return nil, fault.Bad("filter", "an empty filter would erase everything")
	}
	return e, err
}

// State of a job.
type State string

const (
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Counts are what a job has removed so far; of a dry run, what it would remove.
type Counts struct {
	Traces     int64 `json:"traces"`
	Spans      int64 `json:"spans"`
	Bytes      int64 `json:"bytes"`       // of bodies
	Content    int64 `json:"content"`     // bodies and messages
	SharedKept int64 `json:"shared_kept"` // bodies and messages that stay since other traces use them
	Notes      int64 `json:"notes"`       // scores and comments
	Cached     int64 `json:"cached"`      // remembered thinking and session threads
	Shares     int64 `json:"shares"`
	Ledger     int64 `json:"ledger"` // charges whose user was replaced by a pseudonym
	Points     int64 `json:"points"` // data points of metrics
}

func (c *Counts) add(o Counts) {
	c.Traces += o.Traces
	c.Spans += o.Spans
	c.Bytes += o.Bytes
	c.Content += o.Content
	c.SharedKept += o.SharedKept
	c.Notes += o.Notes
	c.Cached += o.Cached
	c.Shares += o.Shares
	c.Ledger += o.Ledger
	c.Points += o.Points
}

// Job is one erasure. What it selects is known only while it runs; after that a fingerprint stands for it.
type Job struct {
	ID          string           `json:"id"`
	Project     tenant.ProjectID `json:"project"`
	Selection   Selection        `json:"selection,omitzero"`
	Kind        string           `json:"kind"`
	Fingerprint string           `json:"fingerprint"` // hex SHA-256 of project, kind and value
	DryRun      bool             `json:"dry_run,omitempty"`
	Reason      string           `json:"reason,omitempty"`
	Actor       string           `json:"actor"`
	State       State            `json:"state"`
	Step        string           `json:"step,omitempty"` // what it is doing
	Error       string           `json:"error,omitempty"`
	Created     time.Time        `json:"created"`
	Finished    time.Time        `json:"finished,omitzero"`
	Counts      Counts           `json:"counts"`
	Days        []span.Day       `json:"days,omitempty"` // from which something was erased
	Certificate *Certificate     `json:"certificate,omitempty"`
}

// Certificate tells what was done; it is also written to the audit log.
type Certificate struct {
	Job         string    `json:"job"`
	Kind        string    `json:"kind"`
	Fingerprint string    `json:"fingerprint"`
	Counts      Counts    `json:"counts"`
	TraceHash   string    `json:"traces_sha256"` // over the ids of the erased traces, in the order of erasure
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished"`
	Removed     []string  `json:"removed"`
	Kept        []string  `json:"kept"`
	NotCovered  []string  `json:"not_covered"`
}

// Removed is what one step of an erasure took away.
type Removed struct {
	Counts
	Sessions []string   // of the erased spans that no span of the day is left of
	Sharers  []span.Key // some spans that use each body and message that was kept
}

// Pick decides whether a span is selected, and its trace with it.
type Pick func(ctx context.Context, s *span.Span) (bool, error)

// Truth is the store of traces, with what erasing needs beyond span.Store.
type Truth interface {
	// HomeDay is the home day of a trace; ok is false for one that is not stored.
	HomeDay(ctx context.Context, p tenant.ProjectID, trace string) (day span.Day, ok bool, err error)
	// Days are the home days of a project that hold spans, ascending.
	Days(ctx context.Context, p tenant.ProjectID) ([]span.Day, error)
	// Pick returns up to limit traces of a day, behind the trace after, with a span that pick takes, and how many spans they
	// have; more is false at the end of the day. It holds one span at a time. A span whose record does not contain hint is
	// not asked about.
	Pick(ctx context.Context, p tenant.ProjectID, day span.Day, after string, limit int, hint string, pick Pick) (traces []string, spans int64, more bool, err error)
	// EraseTraces removes traces of a day with their notes and with all content that nothing else of the day uses, and
	// stores the job, which save encodes, in the same atomic write. What is already gone does not count.
	EraseTraces(ctx context.Context, p tenant.ProjectID, day span.Day, traces []string, save func(Removed) ([]byte, error)) error
	Spans(ctx context.Context, p tenant.ProjectID, keys []span.Key) ([]*span.Span, error)
	// EraseSessionNotes removes scores and comments of sessions.
	EraseSessionNotes(ctx context.Context, p tenant.ProjectID, sessions []string) (int64, error)
	// ForgetKV removes the entries of span.KV that drop takes.
	ForgetKV(ctx context.Context, drop func(key, value []byte) bool) (int64, error)
	// EditLedger replaces entries: edit reports whether it changed one. Sequences and amounts stay.
	EditLedger(ctx context.Context, edit func(*span.LedgerEntry) bool) (int64, error)
	// Purge rewrites all files that held something of the days, and returns when the old ones are deleted.
	Purge(ctx context.Context, p tenant.ProjectID, days []span.Day) error

	PutErasure(ctx context.Context, id string, job []byte) error
	Erasures(ctx context.Context, yield func(id string, job []byte) bool) error
}

// Points keeps data points of metrics, which name users and sessions in their attributes, if at all.
type Points interface {
	// ErasePoints removes those of which some attribute is exactly the value, from the files too, and counts them.
	ErasePoints(ctx context.Context, p tenant.ProjectID, value string) (int64, error)
}

// Rows is what is known of traces and users outside the truth.
type Rows interface {
	DeleteSharesOf(ctx context.Context, p tenant.ProjectID, traces []string) (int, error)
	// RenameSpender moves the daily figures and totals of a user, who has no account, to another id.
	RenameSpender(ctx context.Context, p tenant.ProjectID, user, to tenant.UserID) error
	// Scrub makes deleted rows unreadable in the files.
	Scrub(ctx context.Context) error
}

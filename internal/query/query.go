// Package query answers questions about recorded spans: lists, counts, charts, facets and sessions. It holds Weir's
// filter language, the contract of an index over spans, the service that keeps an index in step with the truth, and
// the engine that joins both, so that lists come from the index and what they show from the truth.
package query

import (
	"context"
	"errors"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Query selects spans of one project by their start, From inclusive and To exclusive. Zero times do not bound, a nil
// Filter selects everything.
type Query struct {
	Project  tenant.ProjectID
	Filter   Expr
	From, To time.Time
}

// Page asks for a part of a list. Cursor is the one returned with the page before; "" is the first page, and the
// cursor of the last page is "". A cursor names a place in the order, so rows that arrive meanwhile neither repeat
// nor hide others.
type Page struct {
	Sort   Sort
	Limit  int // ≤ 0 means DefaultLimit; at most MaxLimit
	Cursor string
}

// Sizes of pages.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Size is the limit in force.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// Index is a columnar view of the spans in a span.Store: rebuildable, and a little behind it. Strings longer than
// MaxText are cut. Any method may return ErrLost, after which only Close may be called.
type Index interface {
	// Apply takes spans in order and notes that the index covers the queue up to a position, in one transaction. A span
	// whose trace and id are there (with the same Day) replaces the earlier one; rows holds each at most once.
	Apply(ctx context.Context, rows []*span.Span, upto uint64) error
	// Load adds spans that are known to be absent, while the index is being rebuilt.
	Load(ctx context.Context, rows []*span.Span) error
	// Position is the newest position applied. It is not ok until the first Apply after a Reset: such an index must be
	// rebuilt.
	Position(ctx context.Context) (upto uint64, ok bool, err error)
	// Checkpoint returns a position that survives whatever happens to the engine's log.
	Checkpoint(ctx context.Context) (upto uint64, err error)
	// Search returns the spans of a page, and the cursor of the next one.
	Search(ctx context.Context, q Query, p Page) (keys []span.Key, cursor string, err error)
	Count(ctx context.Context, q Query) (int64, error)
	Aggregate(ctx context.Context, a Aggregate) (Aggregation, error)
	// Facets returns the most frequent values of a text or list field, most frequent first. Unset ones are left out.
	Facets(ctx context.Context, f FacetQuery) ([]Facet, error)
	// Sessions lists the sessions that have a span selected by q, the latest active first. The figures are those of the
	// whole session.
	Sessions(ctx context.Context, q Query, p Page) (rows []SessionRow, cursor string, err error)
	// DropDay removes the spans of a project whose home day it is.
	DropDay(ctx context.Context, p tenant.ProjectID, day span.Day) error
	// Reset forgets everything.
	Reset(ctx context.Context) error
	Close() error
}

// What an index says about itself.
var (
	// ErrCorrupt: the stored index cannot be opened, or is of another version. It must be removed and rebuilt.
	ErrCorrupt = errors.New("query: the index is damaged or of another version")
	// ErrLost: the engine has given up on this opening of the index; opening it again helps.
	ErrLost = errors.New("query: the index must be opened again")
)

// MaxText bounds the strings an index holds, in bytes.
const MaxText = 256

// Aggregate asks for figures over the selected spans, per group and per interval.
type Aggregate struct {
	Query
	GroupBy  *Field        // nil = one group ""
	Path     string        // of metadata, if GroupBy is it
	Interval time.Duration // 0 = no points; buckets are aligned to multiples since 1970 UTC
	Limit    int           // groups; the rest is Other. ≤ 0 means 8
	Measure  Measure       // what the largest groups are chosen by; "" = calls
}

// DefaultGroups is the limit in force when none is given.
const DefaultGroups = 8

// Measure names a figure.
type Measure string

// The figures that groups can be ordered by.
const (
	Calls    Measure = "calls"
	Errors   Measure = "errors"
	CostUSD  Measure = "cost"
	Tokens   Measure = "tokens"
	P50      Measure = "p50"
	P95      Measure = "p95"
	FirstP50 Measure = "ttft_p50"
	FirstP95 Measure = "ttft_p95"
)

// Measures are all of them.
var Measures = []Measure{Calls, Errors, CostUSD, Tokens, P50, P95, FirstP50, FirstP95}

// Figures are computed over a set of spans. Quantiles interpolate linearly; they are nil over no spans (for the time to
// the first token: over none that streamed).
type Figures struct {
	Calls, Errors      int64
	Cost               money.Nano
	Usage              llm.Usage // the four buckets and reasoning
	P50, P95           *time.Duration
	FirstP50, FirstP95 *time.Duration
}

// Bucket is the start of the interval a time falls into.
func Bucket(t time.Time, interval time.Duration) time.Time {
	n := Nanos(t)
	return time.Unix(0, n-((n%int64(interval))+int64(interval))%int64(interval)).UTC()
}

// Aggregation is the answer to an Aggregate.
type Aggregation struct {
	Series []Series // largest first, Other last
	Totals Figures
}

// Series is one group.
type Series struct {
	Group  string
	Other  bool // everything beyond the limit
	Totals Figures
	Points []Point // ascending; intervals without spans are left out
}

// Point is one interval of a series, by its start.
type Point struct {
	Time time.Time
	Figures
}

// FacetQuery asks for the values of a field. Prefix is matched regardless of case.
type FacetQuery struct {
	Query
	Field  *Field
	Path   string // of metadata
	Prefix string
	Limit  int // ≤ 0 means 20; at most 1000
}

// Size is the limit in force.
func (f FacetQuery) Size() int {
	if f.Limit <= 0 {
		return 20
	}
	return min(f.Limit, 1000)
}

// Facet is a value and how many spans have it.
type Facet struct {
	Value string
	Count int64
}

// Failed reports whether a span counts as an error.
func Failed(s *span.Span) bool { return s.Status == span.Error || s.Status == span.Interrupted }

// IsCall reports whether a span is a model call.
func IsCall(s *span.Span) bool { return s.Kind == span.Generation || s.Kind == span.Embedding }

// SessionRow sums up a session. Client, user, e-mail and key are those of its latest span.
type SessionRow struct {
	Session       string
	Start, End    time.Time
	Calls, Errors int64 // calls are model calls, errors are spans that failed
	Cost          money.Nano
	Usage         llm.Usage
	Models        []string // names clients asked for, sorted, at most 20
	Client        string
	User          tenant.UserID
	Email         string
	KeyAlias      string
	First         span.Key // the earliest model call, or else span
}

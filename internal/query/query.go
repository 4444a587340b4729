// Package query answers questions about recorded spans: lists, counts, charts, facets and sessions. It holds Weir's
// filter language, the contract of an index over spans, the service that keeps an index in step with the truth, and
// the engine that joins both, so that lists come from the index and what they show from the truth.
package query

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
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
	// Found answers the texts that Filter looks for, for an index, which holds none: a span holds a text if it is among
	// the keys. A Word that is not there is looked for in fields only; a Find that is not there is held by no span.
	// Engine fills it in.
	Found map[Needle][]span.Key
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
	// Traces lists the traces that have a span selected by q. The figures are those of the whole trace. The zero Sort is
	// by home day, then by start, the newest first; the others are by the figures of the trace.
	Traces(ctx context.Context, q Query, p Page) (rows []TraceFigures, cursor string, err error)
	// Paths returns the most frequent paths of a Map, most frequent first; Field is the Map, Path is not looked at.
	Paths(ctx context.Context, f FacetQuery) ([]Facet, error)
	// Histogram counts the selected spans by the values of a field, in buckets of equal width on a logarithmic scale.
	Histogram(ctx context.Context, h HistogramQuery) (Histogram, error)
	// ErrorGroups groups the selected spans that failed, the most frequent first.
	ErrorGroups(ctx context.Context, q ErrorQuery) (ErrorGroups, error)
	// Users sums up the selected spans by who caused them.
	Users(ctx context.Context, q UserQuery) (rows []UserRow, cursor string, err error)
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
	GroupBy  *Field // nil = one group ""
	Path     string // of GroupBy, if that is a Map
	ThenBy   *Field // a second level of groups; nil = none
	ThenPath string
	Interval time.Duration // 0 = no points; buckets are aligned to multiples since 1970 UTC
	Limit    int           // groups; the rest is Other. ≤ 0 means 8
	Measure  Measure       // what the largest groups are chosen by; "" = calls
	Score    string        // name of the score to average; "" = none
	Lean     bool          // no quantiles: they are what takes time
	Only     []Measure     // computes no more than these need; nil = all
}

// Wants reports whether any of some measures is to be computed.
func (a Aggregate) Wants(some ...Measure) bool {
	if a.Only == nil || slices.Contains(some, a.Measure) {
		return true
	}
	return slices.ContainsFunc(some, func(m Measure) bool { return slices.Contains(a.Only, m) })
}

// SampleOver is the number of selected spans beyond which quantiles may be off by a hundredth of their value. Those of
// totals and groups may also be of an even sample, of no fewer than a tenth as many, where there are very many groups.
const SampleOver = 200_000

// DefaultGroups is the limit in force when none is given.
const DefaultGroups = 8

// Measure names a figure.
type Measure string

// The figures. A score's average is "avg:score." and its name, see ParseMeasure.
const (
	Calls        Measure = "calls"
	Errors       Measure = "errors"
	ErrorRate    Measure = "error_rate" // errors ÷ calls
	Rate         Measure = "rate"       // calls per minute
	CostUSD      Measure = "cost"
	Tokens       Measure = "tokens"
	InputTokens  Measure = "input_tokens" // cached or not
	OutputTokens Measure = "output_tokens"
	CacheHitRate Measure = "cache_hit_rate" // tokens read from a cache ÷ input tokens
	AvgDuration  Measure = "avg_duration"
	P50          Measure = "p50"
	P75          Measure = "p75"
	P90          Measure = "p90"
	P95          Measure = "p95"
	P99          Measure = "p99"
	FirstP50     Measure = "ttft_p50"
	FirstP95     Measure = "ttft_p95"
	AvgScore     Measure = "avg:score"
)

// Measures are all that have no name behind them.
var Measures = []Measure{
	Calls, Errors, ErrorRate, Rate, CostUSD, Tokens, InputTokens, OutputTokens, CacheHitRate, AvgDuration, P50, P75, P90, P95, P99, FirstP50, FirstP95,
}

// ParseMeasure reads a measure; of "avg:score.helpful" it is AvgScore and "helpful". "" is Calls.
func ParseMeasure(s string) (m Measure, score string, err error) {
	if s == "" {
		return Calls, "", nil
	}
	if name, ok := strings.CutPrefix(s, string(AvgScore)+"."); ok && name != "" && len(name) <= maxPath {
		return AvgScore, name, nil
	}
	if slices.Contains(Measures, Measure(s)) {
		return Measure(s), "", nil
	}
	return "", "", fault.Bad("measure", "measure is one of %v or %s.<name>, not %q", Measures, AvgScore, clip.To(s, 60))
}

// Figures are computed over a set of spans. Sums of cost and tokens leave out covered spans. Quantiles interpolate
// linearly; they are nil over no spans (for the time to the first token: over none that streamed), and the average of a
// score over none that has it.
type Figures struct {
	Calls, Errors           int64
	Cost                    money.Nano
	Usage                   llm.Usage // the four buckets and reasoning
	Duration                *time.Duration
	P50, P75, P90, P95, P99 *time.Duration
	FirstP50, FirstP95      *time.Duration
	Score                   *float64
}

// Value is one of the figures, over a period of time: durations in nanoseconds, cost in dollars. It is not ok where
// nothing says what it is: a quantile or a rate over no spans.
func (f Figures) Value(m Measure, period time.Duration) (v float64, ok bool) {
	of := func(d *time.Duration) (float64, bool) {
		if d == nil {
			return 0, false
		}
		return float64(*d), true
	}
	ratio := func(a, b float64) (float64, bool) {
		if b == 0 {
			return 0, false
		}
		return a / b, true
	}
	switch m {
	case Calls, "":
		return float64(f.Calls), true
	case Errors:
		return float64(f.Errors), true
	case ErrorRate:
		return ratio(float64(f.Errors), float64(f.Calls))
	case Rate:
		return ratio(float64(f.Calls), period.Minutes())
	case CostUSD:
		return f.Cost.USD(), true
	case Tokens:
		return float64(f.Usage.Total()), true
	case InputTokens:
		return float64(f.Usage.Prompt()), true
	case OutputTokens:
		return float64(f.Usage.Output), true
	case CacheHitRate:
		return ratio(float64(f.Usage.CacheRead), float64(f.Usage.Prompt()))
	case AvgScore:
		if f.Score == nil {
			return 0, false
		}
		return *f.Score, true
	}
	return of(map[Measure]*time.Duration{
		AvgDuration: f.Duration, P50: f.P50, P75: f.P75, P90: f.P90, P95: f.P95, P99: f.P99, FirstP50: f.FirstP50, FirstP95: f.FirstP95,
	}[m])
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
	Then   string // of the second level
	Other  bool   // everything beyond the limit
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
	Path   string // of a Map
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

// ScoreMean is the average of a score over the spans that have it; that of a categorical one is left out.
type ScoreMean struct {
	Name  string
	Mean  *float64
	Count int64
}

// SessionRow sums up a session. Client, user, e-mail and key are those of its latest span. Cost, usage and calls leave
// out covered spans.
type SessionRow struct {
	Session       string
	Start, End    time.Time
	Calls, Errors int64 // calls are model calls, errors are spans that failed
	Traces, Spans int64
	Cost          money.Nano
	Usage         llm.Usage
	Models        []string // names clients asked for, sorted, at most 20
	Client        string
	User          tenant.UserID
	Email         string
	KeyAlias      string
	Scores        []ScoreMean // by name
	First         span.Key    // the earliest model call, or else span
}

// TraceFigures sum up a trace. Cost, usage and calls leave out covered spans.
type TraceFigures struct {
	Root                 span.Key // the earliest span without a parent, or else the earliest
	Start, End           time.Time
	Spans, Calls, Errors int64
	Cost                 money.Nano
	Usage                llm.Usage
	Models, Services     []string // sorted, at most 20
	Session              string
	User                 tenant.UserID
}

// HistogramQuery asks how values are spread. Values of zero and below are counted in no bucket.
type HistogramQuery struct {
	Query
	Field    *Field        // of a Number, Duration or Money
	Buckets  int           // at most, 1 to MaxBuckets; beyond SampleOver spans, edges are where counts are exact
	Interval time.Duration // of a heat map: buckets per interval; 0 = all in one
}

// MaxBuckets bounds a histogram.
const MaxBuckets = 200

// Histogram is how values are spread. Edges are one more than the buckets, ascending; there are none if no span has a
// value.
type Histogram struct {
	Edges              []float64 // in the unit of the field: nanoseconds, nano-dollars, or 1
	Intervals          []HistogramInterval
	P50, P90, P95, P99 float64
	Count              int64
}

// HistogramInterval is the counts of one interval, one per bucket.
type HistogramInterval struct {
	Time   time.Time // its start; zero where there are no intervals
	Counts []int64
	Errors []int64
}

// ErrorQuery asks for groups of spans that failed.
type ErrorQuery struct {
	Query
	By    []string // of ErrorKeys; none = all
	Limit int      // groups; ≤ 0 means 50
	Spark int      // intervals of the counts over time; 0 = none
}

// ErrorKeys are what errors can be grouped by.
var ErrorKeys = []string{"error_type", "provider", "model", "http", "shape"}

// ErrorGroups are the groups there are, and figures over all.
type ErrorGroups struct {
	Groups []ErrorGroup
	Total  int64 // spans that failed
	More   bool  // there are more groups
}

// ErrorKey is what errors have in common. What they are not grouped by is "" or 0.
type ErrorKey struct {
	Class, Provider, Model string
	HTTP                   int
	Shape                  string // a ShapeID
}

// ErrorKeyOf is the key of a span's error, as an index groups by some ErrorKeys; none stand for all.
func ErrorKeyOf(s *span.Span, by []string) ErrorKey {
	has := func(k string) bool { return len(by) == 0 || slices.Contains(by, k) }
	text := func(name string) string {
		if !has(name) {
			return ""
		}
		return FieldNamed(name).TextOf(s)
	}
	k := ErrorKey{Class: text("error_type"), Provider: text("provider"), Model: text("model"), Shape: text("shape")}
	if has("http") {
		k.HTTP = s.HTTP
	}
	return k
}

// ErrorGroup is errors alike.
type ErrorGroup struct {
	ErrorKey
	Count, Users, Sessions int64
	First, Last            time.Time
	Spark                  []int64
	Examples               []span.Key // the latest, at most 3
}

// UserQuery asks for users. By is one of UserSorts, "" the first, largest first.
type UserQuery struct {
	Query
	By     string
	Limit  int // as of a Page
	Cursor string
}

// UserSorts are what users can be ordered by.
var UserSorts = []string{"cost", "calls", "errors", "tokens", "last_seen"}

// UserRow sums up what one user caused. Where no user is known, it is the end user whom the client named.
type UserRow struct {
	User             tenant.UserID
	EndUser          string
	Email            string
	Calls, Errors    int64 // calls are model calls
	Spans            int64
	Sessions, Traces int64
	Cost             money.Nano
	Usage            llm.Usage
	First, Last      time.Time
	Models           []string
	Scores           []ScoreMean
}

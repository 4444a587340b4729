package query

import (
	"strings"
	"time"
	"unicode/utf8"

	"weir/internal/span"
)

// Type is what values of a field look like in the filter language.
type Type string

const (
	Text     Type = "text"
	Enum     Type = "enum"     // text of a known set, lower case
	List     Type = "list"     // several texts; a comparison holds if it holds for any of them
	Number   Type = "number"   // 10, 10k, 1.5M
	Duration Type = "duration" // 300ms, 2s, 1m; a bare number is milliseconds
	Money    Type = "money"    // dollars
	Bool     Type = "bool"     // true, false
	Time     Type = "time"     // RFC 3339, or a date
	Map      Type = "map"      // texts addressed by a dotted path
	FullText Type = "fulltext" // what is said in a span; indexes of fields do not hold it
)

// Field is something spans can be selected, grouped or sorted by. Name is also how indexes call it.
type Field struct {
	Name     string
	Type     Type
	Optional bool     // a number of zero means unset, which no comparison but != and "not in" matches
	Numeric  bool     // texts of the Map that are numbers equal as numbers
	Values   []string // of an Enum
	Doc      string

	text   func(*span.Span) string
	number func(*span.Span) int64 // durations and times in ns, money in nano-dollars, booleans as 0 and 1
	pairs  func(*span.Span) []Pair
}

// PairsOf is a span's value of a Map, as indexes hold it: at most as many as the field allows, each path once, cut,
// without empty ones.
func (f *Field) PairsOf(s *span.Span) []Pair { return f.pairs(s) }

// TextOf is a span's value of a Text or Enum field, cut as an index cuts it.
func (f *Field) TextOf(s *span.Span) string { return Cut(f.text(s)) }

// NumberOf is a span's value of any other scalar field: durations and times in nanoseconds, money in nano-dollars,
// booleans as 0 and 1.
func (f *Field) NumberOf(s *span.Span) int64 { return f.number(s) }

// IsText reports whether values are strings.
func (f *Field) IsText() bool { return f.Type == Text || f.Type == Enum }

// Sortable reports whether lists can be ordered by the field.
func (f *Field) Sortable() bool {
	return f.Type == Number || f.Type == Duration || f.Type == Money || f.Type == Time
}

// Groupable reports whether figures and facets can be asked per value.
func (f *Field) Groupable() bool {
	return f.IsText() || f.Type == List || f.Type == Map || f.Type == Bool
}

// Indexed reports whether an index has the field.
func (f *Field) Indexed() bool { return f.Type != FullText }

// Fields are all, in the order shown to people. It must not be changed.
var Fields = []*Field{
	enumField("status", "how the call ended", func(s *span.Span) string { return string(s.Status) },
		string(span.OK), string(span.Error), string(span.Canceled), string(span.Interrupted), string(span.Running)),
	textField("model", "model name the client asked for", func(s *span.Span) string { return s.Group }),
	textField("upstream_model", "the provider's model", func(s *span.Span) string { return s.Model }),
	textField("provider", "", func(s *span.Span) string { return s.Provider }),
	textField("deployment", "", func(s *span.Span) string { return s.Deployment }),
	textField("user", "user id", func(s *span.Span) string { return string(s.User) }),
	textField("email", "", func(s *span.Span) string { return s.Email }),
	textField("key", "key id", func(s *span.Span) string { return string(s.Key) }),
	textField("key_alias", "", func(s *span.Span) string { return s.KeyAlias }),
	textField("team", "team id", func(s *span.Span) string { return string(s.Team) }),
	textField("team_alias", "", func(s *span.Span) string { return s.TeamAlias }),
	textField("end_user", "end user named by the client", func(s *span.Span) string { return s.EndUser }),
	textField("session", "", func(s *span.Span) string { return s.Session }),
	textField("client", "program that called", func(s *span.Span) string { return s.Client }),
	{Name: "tag", Type: List},
	{Name: "metadata", Type: Map, Doc: "metadata.path.to.value", pairs: func(s *span.Span) []Pair { return flattened(s.Metadata, 50, 200) }},
	{Name: "attributes", Type: Map, Doc: "attributes.http.route: raw attributes of spans from applications", pairs: func(s *span.Span) []Pair { return flattened(s.Attributes, 32, 100) }},
	{Name: "resource", Type: Map, Doc: "resource.host.name: attributes of the program that made the span", pairs: func(s *span.Span) []Pair { return flattened(s.Resource, 16, 100) }},
	{Name: "score", Type: Map, Numeric: true, Doc: "score.name: the latest value of a score", pairs: scorePairs},
	enumField("kind", "", func(s *span.Span) string { return string(s.Kind) },
		string(span.Generation), string(span.Agent), string(span.Chain), string(span.Tool), string(span.Retriever), string(span.Reranker),
		string(span.Embedding), string(span.Guardrail), string(span.Evaluator), string(span.Event), string(span.Other)),
	textField("name", "", func(s *span.Span) string { return s.Name }),
	textField("trace_name", "what the client calls the trace", func(s *span.Span) string { return s.TraceName }),
	textField("source", "how the span arrived: gateway, otlp …", sourceOf),
	textField("service", "program that made the span", func(s *span.Span) string { return s.Service }),
	textField("scope", "instrumentation that made the span", func(s *span.Span) string { return s.Scope }),
	textField("environment", "", func(s *span.Span) string { return s.Environment }),
	textField("release", "", func(s *span.Span) string { return s.Release }),
	textField("prompt", "name of the managed prompt", func(s *span.Span) string { return s.Prompt.Name }),
	textField("prompt_version", "", func(s *span.Span) string { return s.Prompt.Version }),
	textField("experiment", "experiment id", func(s *span.Span) string { return s.Experiment }),
	textField("operation", "", func(s *span.Span) string { return s.Operation }),
	textField("dialect", "wire format of the client", func(s *span.Span) string { return s.Dialect }),
	textField("finish", "why the model stopped, in its own word", func(s *span.Span) string { return s.Finish }),
	textField("error_type", "", func(s *span.Span) string { return s.ErrorType }),
	optionalField("http", Number, "status given to the client", func(s *span.Span) int64 { return int64(s.HTTP) }),
	numberField("stream", Bool, "", func(s *span.Span) int64 { return flag(s.Stream) }),
	numberField("cache_hit", Bool, "read from a cache", func(s *span.Span) int64 { return flag(s.CacheHit) }),
	numberField("cost", Money, "dollars", Counted(func(s *span.Span) int64 { return int64(s.Cost.Total) })),
	numberField("tokens", Number, "all tokens", Counted(func(s *span.Span) int64 { return promptTokens(s) + TokenCount(s.Usage.Output) })),
	numberField("input_tokens", Number, "input tokens, cached or not", Counted(promptTokens)),
	numberField("output_tokens", Number, "", Counted(func(s *span.Span) int64 { return TokenCount(s.Usage.Output) })),
	numberField("cache_read", Number, "tokens read from the provider's cache", Counted(func(s *span.Span) int64 { return TokenCount(s.Usage.CacheRead) })),
	numberField("cache_write", Number, "tokens written to the provider's cache", Counted(writtenTokens)),
	numberField("duration", Duration, "", duration),
	optionalField("ttft", Duration, "time to the first token", func(s *span.Span) int64 { return int64(s.FirstToken) }),
	numberField("tries", Number, "attempts at upstreams", func(s *span.Span) int64 { return int64(len(s.Tries)) }),
	numberField("covered", Bool, "a recorded child reports the same usage; cost and tokens of the span count as none", func(s *span.Span) int64 { return flag(s.Covered) }),
	numberField("root", Bool, "has no parent", func(s *span.Span) int64 { return flag(s.Parent == "") }),
	textField("replays", "the call this one repeats", func(s *span.Span) string { return s.Replays }),
	textField("shape", "hash of the error message without its numbers, ids and quotes; see ShapeID", ShapeOf),
	textField("trace", "trace id", func(s *span.Span) string { return s.Trace }),
	textField("id", "span id", func(s *span.Span) string { return s.ID }),
	textField("parent", "id of the parent span", func(s *span.Span) string { return s.Parent }),
	numberField("start", Time, "a time, or one relative to now: -1h, now-2d", func(s *span.Span) int64 { return Nanos(s.Start) }),
	{Name: string(AnyText), Type: FullText, Doc: "anything said in the span"},
	{Name: string(InputText), Type: FullText, Doc: "what went in"},
	{Name: string(OutputText), Type: FullText, Doc: "what came out"},
}

// TokenCount clamps a count, so that sums of a few stay within 64 bits whatever a client claims.
func TokenCount(n int64) int64 { return min(max(n, 0), 1<<48) }

func writtenTokens(s *span.Span) int64 {
	return TokenCount(s.Usage.CacheWrite) + TokenCount(s.Usage.CacheWrite1h)
}

func promptTokens(s *span.Span) int64 {
	return TokenCount(s.Usage.Input) + TokenCount(s.Usage.CacheRead) + writtenTokens(s)
}

// sourceOf names Weir's own gateway, too.
func sourceOf(s *span.Span) string {
	if s.Source == "" {
		return "gateway"
	}
	return s.Source
}

func scorePairs(s *span.Span) []Pair {
	var l pairList
	for _, m := range s.Scores {
		if len(l) < 32 {
			l.add(m.Name, m.Text, 100)
		}
	}
	return l
}

// searched are the fields a bare word is looked for in.
var searched = []string{"trace", "id", "name", "model", "upstream_model", "user", "email", "key_alias", "end_user", "session", "tag", "client", "error_type"}

var searchedFields = named(searched)

func named(names []string) []*Field {
	out := make([]*Field, len(names))
	for i, name := range names {
		out[i] = FieldNamed(name)
	}
	return out
}

// Searched are the fields a bare word is looked for in.
func Searched() []*Field { return searchedFields }

var byName = func() map[string]*Field {
	out := make(map[string]*Field, len(Fields))
	for _, f := range Fields {
		out[f.Name] = f
	}
	return out
}()

// FieldNamed finds a field, or nil.
func FieldNamed(name string) *Field { return byName[name] }

// Operators are those a field takes.
func (f *Field) Operators() []Op {
	switch f.Type {
	case Text, List, Enum:
		return []Op{Eq, Ne, In, NotIn, Like, NotLike, ILike, NotILike, RLike, NotRLike, Contains, NotHolds, Exists}
	case Map:
		return []Op{Eq, Ne, In, NotIn, Like, NotLike, ILike, NotILike, RLike, NotRLike, Contains, NotHolds, Exists, Lt, Le, Gt, Ge}
	case Bool:
		return []Op{Eq, Ne, Exists}
	case Time:
		return []Op{Lt, Le, Gt, Ge, Eq, Ne, Exists}
	case FullText:
		return []Op{Contains, NotHolds}
	}
	return []Op{Eq, Ne, Lt, Le, Gt, Ge, In, NotIn, Exists}
}

func textField(name, doc string, f func(*span.Span) string) *Field {
	return &Field{Name: name, Type: Text, Doc: doc, text: f}
}

func enumField(name, doc string, f func(*span.Span) string, values ...string) *Field {
	return &Field{Name: name, Type: Enum, Doc: doc, Values: values, text: f}
}

func numberField(name string, t Type, doc string, f func(*span.Span) int64) *Field {
	return &Field{Name: name, Type: t, Doc: doc, number: f}
}

func optionalField(name string, t Type, doc string, f func(*span.Span) int64) *Field {
	return &Field{Name: name, Type: t, Doc: doc, Optional: true, number: f}
}

// Counted makes a figure of a span one that can be summed: zero where a child reports the same.
func Counted(f func(*span.Span) int64) func(*span.Span) int64 {
	return func(s *span.Span) int64 {
		if s.Covered {
			return 0
		}
		return f(s)
	}
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// duration is clamped, so that adding it to a start stays within 64 bits whatever a client claims.
func duration(s *span.Span) int64 { return int64(min(max(s.Duration(), 0), 365*24*time.Hour)) }

// Nanos is a time in nanoseconds since 1970, clamped to what 64 bits hold with room to spare (1678–2260), since clients claim any time.
func Nanos(t time.Time) int64 {
	switch {
	case t.Before(minTime):
		return minTime.UnixNano()
	case t.After(maxTime):
		return maxTime.UnixNano()
	}
	return t.UnixNano()
}

var (
	minTime = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Cut bounds a string as indexes do, at a rune's boundary, and makes it valid UTF-8.
func Cut(s string) string {
	s = s[:min(len(s), MaxText)]
	if utf8.ValidString(s) { // much faster
		return s
	}
	return strings.ToValidUTF8(s, "")
}

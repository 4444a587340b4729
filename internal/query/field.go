package query

import (
	"slices"
	"strings"
	"time"

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
	Map      Type = "map"      // metadata: text addressed by a dotted path
)

// Field is something spans can be selected, grouped or sorted by. Name is also how indexes call it.
type Field struct {
	Name     string
	Type     Type
	Optional bool     // a number of zero means unset, which no comparison but != and "not in" matches
	Values   []string // of an Enum
	Doc      string

	text   func(*span.Span) string
	number func(*span.Span) int64 // durations and times in ns, money in nano-dollars, booleans as 0 and 1
}

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
func (f *Field) Groupable() bool { return f.IsText() || f.Type == List || f.Type == Map }

// Fields are all, in the order shown to people. It must not be changed.
var Fields = []*Field{
	enumField("status", "how the call ended", func(s *span.Span) string { return string(s.Status) },
		string(span.OK), string(span.Error), string(span.Canceled), string(span.Interrupted)),
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
	{Name: "metadata", Type: Map, Doc: "metadata.path.to.value"},
	enumField("kind", "", func(s *span.Span) string { return string(s.Kind) },
		string(span.Generation), string(span.Agent), string(span.Chain), string(span.Tool), string(span.Retriever),
		string(span.Embedding), string(span.Event), string(span.Other)),
	textField("name", "", func(s *span.Span) string { return s.Name }),
	textField("operation", "", func(s *span.Span) string { return s.Operation }),
	textField("dialect", "wire format of the client", func(s *span.Span) string { return s.Dialect }),
	textField("finish", "why the model stopped, in its own word", func(s *span.Span) string { return s.Finish }),
	textField("error_type", "", func(s *span.Span) string { return s.ErrorType }),
	optionalField("http", Number, "status given to the client", func(s *span.Span) int64 { return int64(s.HTTP) }),
	numberField("stream", Bool, "", func(s *span.Span) int64 { return flag(s.Stream) }),
	numberField("cache_hit", Bool, "read from a cache", func(s *span.Span) int64 { return flag(s.CacheHit) }),
	numberField("cost", Money, "dollars", func(s *span.Span) int64 { return int64(s.Cost.Total) }),
	numberField("tokens", Number, "all tokens", func(s *span.Span) int64 { return s.Usage.Total() }),
	numberField("input_tokens", Number, "input tokens, cached or not", func(s *span.Span) int64 { return s.Usage.Prompt() }),
	numberField("output_tokens", Number, "", func(s *span.Span) int64 { return s.Usage.Output }),
	numberField("cache_read", Number, "tokens read from the provider's cache", func(s *span.Span) int64 { return s.Usage.CacheRead }),
	numberField("cache_write", Number, "tokens written to the provider's cache", func(s *span.Span) int64 { return s.Usage.CacheWrite + s.Usage.CacheWrite1h }),
	numberField("duration", Duration, "", duration),
	optionalField("ttft", Duration, "time to the first token", func(s *span.Span) int64 { return int64(s.FirstToken) }),
	numberField("tries", Number, "attempts at upstreams", func(s *span.Span) int64 { return int64(len(s.Tries)) }),
	textField("trace", "trace id", func(s *span.Span) string { return s.Trace }),
	textField("id", "span id", func(s *span.Span) string { return s.ID }),
	textField("parent", "id of the parent span", func(s *span.Span) string { return s.Parent }),
	numberField("start", Time, "", func(s *span.Span) int64 { return Nanos(s.Start) }),
}

// searched are the fields a bare word is looked for in.
var searched = []string{"trace", "id", "name", "model", "upstream_model", "user", "email", "key_alias", "end_user", "session", "tag", "client", "error_type"}

// Searched are the fields a bare word is looked for in.
func Searched() []*Field {
	out := make([]*Field, len(searched))
	for i, name := range searched {
		out[i] = FieldNamed(name)
	}
	return out
}

// FieldNamed finds a field, or nil.
func FieldNamed(name string) *Field {
	i := slices.IndexFunc(Fields, func(f *Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return Fields[i]
}

// Operators are those a field takes.
func (f *Field) Operators() []Op {
	switch f.Type {
	case Text, List, Enum:
		return []Op{Eq, Ne, In, NotIn, Like, NotLike, ILike, NotILike, Exists}
	case Map:
		return []Op{Eq, Ne, In, NotIn, Like, NotLike, ILike, NotILike, Exists, Lt, Le, Gt, Ge}
	case Bool:
		return []Op{Eq, Ne}
	case Time:
		return []Op{Lt, Le, Gt, Ge, Eq, Ne}
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
	if len(s) > MaxText {
		return strings.ToValidUTF8(s[:MaxText], "")
	}
	return strings.ToValidUTF8(s, "")
}

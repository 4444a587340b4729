package query

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/money"
)

// Expr is a filter: And, Or, Not, Compare, Word or Find. Logic is two-valued: what is unset equals nothing, and a negated
// operator is the exact complement of the plain one.
type Expr interface {
	// String is the filter in its own language, fully parenthesised; parsing it gives an equal filter.
	String() string
	match(*subject) verdict
}

type (
	// And holds if all of its parts do.
	And []Expr
	// Or holds if any of its parts does.
	Or []Expr
	// Not holds if X does not.
	Not struct{ X Expr }
	// Compare relates a field to values.
	Compare struct {
		Field *Field
		Path  string // of a Map: dotted, not empty
		Op    Op
		// Values are one, but for In and NotIn any number and for Exists none.
		Values []Value
	}
	// Word is found in any of the Searched fields, regardless of case, or in any text of the span.
	Word string
	// Find is found in the texts of a span.
	Find struct{ Needle }
)

// Op is a comparison.
type Op string

const (
	Eq       Op = "="
	Ne       Op = "!="
	Lt       Op = "<"
	Le       Op = "<="
	Gt       Op = ">"
	Ge       Op = ">="
	In       Op = "in"
	NotIn    Op = "not in"
	Like     Op = "like" // % is any text, _ any character
	NotLike  Op = "not like"
	ILike    Op = "ilike"
	NotILike Op = "not ilike"
	RLike    Op = "rlike" // an RE2 pattern found anywhere; "~" for short
	NotRLike Op = "not rlike"
	Contains Op = "contains" // regardless of case
	NotHolds Op = "not contains"
	Exists   Op = "exists"
)

// Positive is the operator without its negation.
func (o Op) Positive() (op Op, negated bool) {
	switch o {
	case Ne:
		return Eq, true
	case NotIn:
		return In, true
	case NotLike:
		return Like, true
	case NotILike:
		return ILike, true
	case NotRLike:
		return RLike, true
	case NotHolds:
		return Contains, true
	}
	return o, false
}

// Value is a literal. Text is set for texts, Number for everything else: durations and times in nanoseconds, money in
// nano-dollars, booleans 0 and 1. For ordered comparisons of a Map it is Float. Of a time given relative to now, Text
// holds what was given and Number the moment it stood for when it was parsed.
type Value struct {
	Text   string
	Number int64
	Float  float64

	pattern *regexp.Regexp // of RLike
}

func (e And) String() string  { return joined(e, " and ") }
func (e Or) String() string   { return joined(e, " or ") }
func (e Not) String() string  { return "not " + e.X.String() }
func (w Word) String() string { return quote(string(w)) }
func (f Find) String() string { return string(f.Part) + " contains " + quote(f.Text) }

// Needle is the text a word stands for.
func (w Word) Needle() Needle { return Needle{AnyText, string(w)} }

func (c *Compare) String() string {
	name := c.Field.Name
	if c.Path != "" {
		name = quotePath(name + "." + c.Path)
	}
	if c.Op == Exists {
		return name + " exists"
	}
	vals := make([]string, len(c.Values))
	for i, v := range c.Values {
		vals[i] = c.literal(v)
	}
	if c.Op == In || c.Op == NotIn {
		return name + " " + string(c.Op) + " (" + strings.Join(vals, ", ") + ")"
	}
	return name + " " + string(c.Op) + " " + vals[0]
}

func (c *Compare) literal(v Value) string {
	switch c.Field.Type {
	case Number:
		return strconv.FormatInt(v.Number, 10)
	case Duration:
		return strconv.FormatInt(v.Number, 10) + "ns"
	case Money:
		return money.Nano(v.Number).String()
	case Bool:
		return strconv.FormatBool(v.Number != 0)
	case Time:
		if v.Text != "" {
			return v.Text
		}
		return time.Unix(0, v.Number).UTC().Format(time.RFC3339Nano)
	case Map:
		if c.ordered() {
			return strconv.FormatFloat(v.Float, 'g', -1, 64)
		}
	}
	return quote(v.Text)
}

func (c *Compare) ordered() bool { return c.Op == Lt || c.Op == Le || c.Op == Gt || c.Op == Ge }

func joined(parts []Expr, sep string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.String()
	}
	return "(" + strings.Join(out, sep) + ")"
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func quotePath(p string) string {
	if isBare(p) {
		return p
	}
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(p) + "`"
}

// All joins filters by and; nil ones are left out.
func All(parts ...Expr) Expr {
	var out And
	for _, p := range parts {
		if p != nil {
			out = append(out, p)
		}
	}
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return out
}

// walk calls f with every part of a filter that has no parts itself.
func walk(e Expr, f func(Expr)) {
	switch e := e.(type) {
	case nil:
	case And:
		for _, p := range e {
			walk(p, f)
		}
	case Or:
		for _, p := range e {
			walk(p, f)
		}
	case Not:
		walk(e.X, f)
	default:
		f(e)
	}
}

// Mentions reports whether a filter compares a field.
func Mentions(e Expr, f *Field) (found bool) {
	walk(e, func(e Expr) {
		c, ok := e.(*Compare)
		found = found || ok && c.Field == f
	})
	return found
}

// Needles are the texts a filter looks for, each once: of Finds and, if words is set, of Words.
func Needles(e Expr, words bool) (out []Needle) {
	walk(e, func(e Expr) {
		n, ok := e.(Find)
		if w, isWord := e.(Word); isWord && words {
			n, ok = Find{w.Needle()}, true
		}
		if ok && !slices.Contains(out, n.Needle) {
			out = append(out, n.Needle)
		}
	})
	return out
}

// Is is field = text.
func Is(f *Field, text string) *Compare {
	return &Compare{Field: f, Op: Eq, Values: []Value{{Text: text}}}
}

// CallsOnly adds to a filter that spans must be model calls, each counted once, unless it chooses kinds itself.
func CallsOnly(e Expr) Expr {
	kind, covered := FieldNamed("kind"), FieldNamed("covered")
	if Mentions(e, kind) {
		return e
	}
	calls := &Compare{Field: kind, Op: In, Values: []Value{{Text: "generation"}, {Text: "embedding"}}}
	if Mentions(e, covered) {
		return All(e, calls)
	}
	return All(e, calls, &Compare{Field: covered, Op: Eq, Values: []Value{{Number: 0}}})
}

package query

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"weir/internal/span"
)

// Match reports whether a span passes a filter, by the same rules as an index. The nil filter passes everything. A text
// is looked for only in what the span itself shows of its bodies; see May and Engine.Holds for the whole.
func Match(e Expr, s *span.Span) bool {
	return e == nil || e.match(&subject{Span: s, hidden: no}) == yes
}

// May reports whether a span could pass a filter, whatever its bodies say: that is all there is to know of a filter
// that looks for texts before they are read.
func May(e Expr, s *span.Span) bool {
	return e == nil || e.match(&subject{Span: s, hidden: maybe}) != no
}

// verdict has a third value for what only the bodies can tell.
type verdict int8

const (
	no verdict = iota - 1
	maybe
	yes
)

func is(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// subject is a span with its maps flattened at most once.
type subject struct {
	*span.Span
	maps   map[*Field][]Pair
	found  map[Needle]bool // what is known of its bodies
	hidden verdict         // what holds of a text that is not found in the span itself, and not known of
}

func (s *subject) pairs(f *Field) []Pair {
	got, ok := s.maps[f]
	if !ok {
		if s.maps == nil {
			s.maps = map[*Field][]Pair{}
		}
		got = f.PairsOf(s.Span)
		s.maps[f] = got
	}
	return got
}

func (e And) match(s *subject) verdict {
	all := yes
	for _, p := range e {
		if all = min(all, p.match(s)); all == no {
			break
		}
	}
	return all
}

func (e Or) match(s *subject) verdict {
	any := no
	for _, p := range e {
		if any = max(any, p.match(s)); any == yes {
			break
		}
	}
	return any
}

func (e Not) match(s *subject) verdict { return -e.X.match(s) }

func (w Word) match(s *subject) verdict {
	low := strings.ToLower(string(w))
	for _, f := range searchedFields {
		if slices.ContainsFunc(texts(f, "", s), func(v string) bool { return strings.Contains(strings.ToLower(v), low) }) {
			return yes
		}
	}
	return Find{w.Needle()}.match(s)
}

func (f Find) match(s *subject) verdict {
	if held, ok := s.found[f.Needle]; ok {
		return is(held)
	}
	low := strings.ToLower(f.Text)
	if slices.ContainsFunc(shown(s.Span, f.Part), func(v string) bool { return strings.Contains(strings.ToLower(v), low) }) {
		return yes
	}
	return s.hidden
}

// shown is what a span's own record holds of a part.
func shown(s *span.Span, p Part) []string {
	switch p {
	case InputText:
		return []string{s.Input.Preview}
	case OutputText:
		return []string{s.Output.Preview}
	}
	return []string{s.Name, s.ErrorText, s.Input.Preview, s.Output.Preview}
}

func (c *Compare) match(s *subject) verdict {
	op, negated := c.Op.Positive()
	return is(c.holds(op, s) != negated)
}

func (c *Compare) holds(op Op, s *subject) bool {
	if c.Field.number != nil {
		return c.numberHolds(op, c.Field.number(s.Span))
	}
	vals := texts(c.Field, c.Path, s)
	if op == Exists {
		return len(vals) > 0
	}
	if c.ordered() {
		return slices.ContainsFunc(vals, func(v string) bool {
			x, ok := numberIn(v)
			return ok && ordered(op, x, c.Values[0].Float)
		})
	}
	return slices.ContainsFunc(vals, func(v string) bool {
		return slices.ContainsFunc(c.Values, func(w Value) bool { return c.textHolds(op, v, w) })
	})
}

func numberIn(s string) (float64, bool) {
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

func (c *Compare) numberHolds(op Op, n int64) bool {
	if c.Field.Optional && n == 0 {
		return false
	}
	if op == Exists {
		return true
	}
	return slices.ContainsFunc(c.Values, func(v Value) bool {
		if op == Eq || op == In {
			return n == v.Number
		}
		return ordered(op, n, v.Number)
	})
}

func ordered[T int64 | float64](op Op, a, b T) bool {
	switch op {
	case Lt:
		return a < b
	case Le:
		return a <= b
	case Gt:
		return a > b
	}
	return a >= b
}

func (c *Compare) textHolds(op Op, v string, want Value) bool {
	switch op {
	case Like:
		return like([]rune(v), []rune(want.Text))
	case ILike:
		return like([]rune(strings.ToLower(v)), []rune(strings.ToLower(want.Text)))
	case Contains:
		return strings.Contains(strings.ToLower(v), strings.ToLower(want.Text))
	case RLike:
		return want.pattern != nil && want.pattern.MatchString(v)
	}
	if v == want.Text {
		return true
	}
	n, ok := want.number(c.Field)
	x, isNumber := numberIn(v)
	return ok && isNumber && n == x
}

// number is what a value is compared as, beside its text, in a field whose texts may be numbers.
func (v Value) number(f *Field) (float64, bool) {
	if !f.Numeric {
		return 0, false
	}
	return numberIn(v.Text)
}

// NumberFor is the number that a text equals too: score.quality = 0.50 holds for "0.5".
func (c *Compare) NumberFor(v Value) (float64, bool) { return v.number(c.Field) }

// like matches % (any text) and _ (any character), backtracking only to the latest %.
func like(s, p []rune) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark, j = j, i, j+1
		case j < len(p) && (p[j] == '_' || p[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}

// texts are the set values of a text, list or map field.
func texts(f *Field, path string, s *subject) []string {
	switch f.Type {
	case List:
		return Tags(s.Span)
	case Map:
		for _, p := range s.pairs(f) {
			if p.Path == path {
				return []string{p.Value}
			}
		}
		return nil
	case FullText:
		return nil
	}
	if v := f.TextOf(s.Span); v != "" {
		return []string{v}
	}
	return nil
}

// Tags are a span's tags as indexes hold them: at most 50, cut, without empty ones and repeats.
func Tags(s *span.Span) []string {
	out := make([]string, 0, len(s.Tags))
	for _, t := range s.Tags {
		if t = Cut(t); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
		if len(out) == maxEntries {
			break
		}
	}
	return out
}

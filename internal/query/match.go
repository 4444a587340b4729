package query

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"weir/internal/span"
)

// Match reports whether a span passes a filter, by the same rules as an index. The nil filter passes everything.
func Match(e Expr, s *span.Span) bool { return e == nil || e.match(&subject{Span: s}) }

// subject is a span with its metadata flattened at most once.
type subject struct {
	*span.Span
	meta map[string]string
}

func (s *subject) metadata() map[string]string {
	if s.meta == nil {
		s.meta = Flatten(s.Metadata)
	}
	return s.meta
}

func (e And) match(s *subject) bool {
	return !slices.ContainsFunc(e, func(p Expr) bool { return !p.match(s) })
}
func (e Or) match(s *subject) bool {
	return slices.ContainsFunc(e, func(p Expr) bool { return p.match(s) })
}
func (e Not) match(s *subject) bool { return !e.X.match(s) }

func (w Word) match(s *subject) bool {
	low := strings.ToLower(string(w))
	return slices.ContainsFunc(Searched(), func(f *Field) bool {
		return slices.ContainsFunc(texts(f, "", s), func(v string) bool { return strings.Contains(strings.ToLower(v), low) })
	})
}

func (c *Compare) match(s *subject) bool {
	op, negated := c.Op.Positive()
	return c.holds(op, s) != negated
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
			x, err := strconv.ParseFloat(v, 64)
			return err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) && ordered(op, x, c.Values[0].Float)
		})
	}
	return slices.ContainsFunc(vals, func(v string) bool {
		return slices.ContainsFunc(c.Values, func(w Value) bool { return textHolds(op, v, w.Text) })
	})
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

func textHolds(op Op, v, want string) bool {
	switch op {
	case Like:
		return like([]rune(v), []rune(want))
	case ILike:
		return like([]rune(strings.ToLower(v)), []rune(strings.ToLower(want)))
	}
	return v == want
}

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
		if v, ok := s.metadata()[path]; ok {
			return []string{v}
		}
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

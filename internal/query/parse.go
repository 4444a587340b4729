package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/fault"
)

// ParseError is what is wrong with a filter, and at which byte.
type ParseError struct {
	Pos int
	Msg string
}

func (e *ParseError) Error() string { return fmt.Sprintf("position %d: %s", e.Pos, e.Msg) }

// syntax is fault.Invalid about the filter; it wraps a *ParseError.
func syntax(pos int, format string, args ...any) error {
	e := &ParseError{Pos: pos, Msg: fmt.Sprintf(format, args...)}
	return &fault.Error{Kind: fault.Invalid, Field: "filter", Msg: "filter: " + e.Msg, Err: e}
}

// Bounds of a filter.
const (
	MaxFilter = 8 << 10 // bytes
	maxTokens = 2000
	maxDepth  = 50
)

// Parse reads a filter:
//
//	status = error and (duration > 2s or cost >= 0.05) not model like "gpt-%" metadata.team.name in (a, b) timeout
//
// Terms side by side are joined by and, which binds closer than or. field:value is short for field = value. Texts that
// hold spaces or any of ()<>=!,"'` are quoted. An empty filter is nil.
func Parse(s string) (Expr, error) {
	if len(s) > MaxFilter {
		return nil, syntax(MaxFilter, "the filter is longer than %d bytes", MaxFilter)
	}
	toks, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	if p.peek().kind == tokEnd {
		return nil, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, syntax(t.pos, "unexpected %q", clip(t.text))
	}
	return e, nil
}

type parser struct {
	toks  []token
	i     int
	depth int
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

// after is the token n behind the current one.
func (p *parser) after(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) or() (Expr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, syntax(p.peek().pos, "the filter is nested more than %d deep", maxDepth)
	}
	var parts Or
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.peek().is("or") {
			break
		}
		p.next()
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) and() (Expr, error) {
	var parts And
	for {
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		switch t := p.peek(); {
		case t.is("and"):
			p.next()
			continue
		case t.kind == tokEnd, t.is("or"), t.kind == tokPunct && t.text != "(":
		default:
			continue
		}
		break
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) not() (Expr, error) {
	negated := false
	for p.peek().is("not") {
		p.next()
		negated = !negated
	}
	e, err := p.term()
	if err != nil || !negated {
		return e, err
	}
	return Not{e}, nil
}

func (p *parser) term() (Expr, error) {
	t := p.next()
	switch {
	case t.punct("("):
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if end := p.next(); !end.punct(")") {
			return nil, syntax(end.pos, "expected \")\" for the \"(\" at %d", t.pos)
		}
		return e, nil
	case t.kind == tokPath:
		return p.comparison(t)
	case t.kind == tokString:
		if n := p.peek(); n.kind == tokOp {
			return nil, syntax(t.pos, "a field must stand before %q, not a quoted text", n.text)
		}
		return p.word(t)
	case t.kind == tokWord && !isKeyword(t):
		return p.wordOrComparison(t)
	case t.kind == tokEnd:
		return nil, syntax(t.pos, "the filter ends where a term was expected")
	}
	return nil, syntax(t.pos, "expected a term, found %q", clip(t.text))
}

func isKeyword(t token) bool { return t.is("and") || t.is("or") || t.is("not") }

func (p *parser) word(t token) (Expr, error) {
	if strings.TrimSpace(t.text) == "" {
		return nil, syntax(t.pos, "the text to search for is empty")
	}
	return Word(t.text), nil
}

func (p *parser) wordOrComparison(t token) (Expr, error) {
	n := p.peek()
	negated := n.is("not") && (p.after(1).is("in") || p.after(1).is("like") || p.after(1).is("ilike"))
	if n.kind == tokOp || negated || n.is("like") || n.is("ilike") || n.is("exists") || n.is("in") && (p.after(1).punct("(") || known(t)) {
		return p.comparison(t)
	}
	name, value, ok := strings.Cut(t.text, ":")
	if f, path := Lookup(name); ok && f != nil && !strings.HasPrefix(value, "//") { // a URL is a word
		v := token{tokWord, value, t.pos + len(name) + 1}
		if value == "" {
			if v = p.next(); v.kind != tokWord && v.kind != tokString {
				return nil, syntax(v.pos, "expected a value for %s", name)
			}
		}
		return p.compare(f, path, Eq, t.pos, v)
	}
	return p.word(t)
}

func known(t token) bool {
	f, _ := Lookup(t.text)
	return f != nil
}

// Lookup finds a field by name, metadata with the path behind it; f is nil if there is none.
func Lookup(name string) (f *Field, path string) {
	if f = FieldNamed(name); f != nil && f.Type != Map {
		return f, ""
	}
	head, path, _ := strings.Cut(name, ".")
	if f = FieldNamed(head); f != nil && f.Type == Map && path != "" {
		return f, path
	}
	return nil, ""
}

func (p *parser) comparison(name token) (Expr, error) {
	f, path := Lookup(name.text)
	if f == nil {
		return nil, syntax(name.pos, "unknown field %q; fields are %s", clip(name.text), fieldNames())
	}
	opTok := p.next()
	op := Op(strings.ToLower(opTok.text))
	if opTok.is("not") {
		op = Op("not " + strings.ToLower(p.next().text))
	}
	if opTok.kind == tokEnd || !slices.Contains(f.Operators(), op) {
		return nil, syntax(opTok.pos, "%s takes %s, not %q", f.Name, listOf(f.Operators()), clip(string(op)))
	}
	switch op {
	case Exists:
		return &Compare{Field: f, Path: path, Op: op}, nil
	case In, NotIn:
		vals, err := p.list()
		if err != nil {
			return nil, err
		}
		return p.compare(f, path, op, name.pos, vals...)
	}
	v := p.next()
	if v.kind != tokWord && v.kind != tokString {
		return nil, syntax(v.pos, "expected a value for %s", name.text)
	}
	return p.compare(f, path, op, name.pos, v)
}

func (p *parser) list() ([]token, error) {
	if t := p.next(); !t.punct("(") {
		return nil, syntax(t.pos, "expected \"(\" and a list of values")
	}
	var vals []token
	for {
		v := p.next()
		if v.kind != tokWord && v.kind != tokString {
			return nil, syntax(v.pos, "expected a value in the list")
		}
		vals = append(vals, v)
		switch t := p.next(); {
		case t.punct(","):
		case t.punct(")"):
			return vals, nil
		default:
			return nil, syntax(t.pos, "expected \",\" or \")\" in the list")
		}
	}
}

func (p *parser) compare(f *Field, path string, op Op, pos int, vals ...token) (Expr, error) {
	if len(path) > 200 {
		return nil, syntax(pos, "the path is longer than 200 bytes")
	}
	c := &Compare{Field: f, Path: path, Op: op}
	for _, t := range vals {
		v, err := c.value(t)
		if err != nil {
			return nil, err
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

// value reads a literal of the field's type.
func (c *Compare) value(t token) (v Value, err error) {
	f := c.Field
	switch f.Type {
	case Enum:
		v.Text = strings.ToLower(t.text)
		if c.Op == Eq || c.Op == Ne || c.Op == In || c.Op == NotIn {
			if !slices.Contains(f.Values, v.Text) {
				return v, syntax(t.pos, "%s is one of %s, not %q", f.Name, strings.Join(f.Values, ", "), clip(t.text))
			}
		}
		return v, nil
	case Map:
		v.Text = t.text
		if c.ordered() {
			if v.Float, err = strconv.ParseFloat(t.text, 64); err != nil || math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
				return v, syntax(t.pos, "%q is not a number", clip(t.text))
			}
			v.Text = ""
		}
		return v, nil
	case Text, List:
		v.Text = t.text
		return v, nil
	}
	if v.Number, err = parseScalar(f.Type, t.text); err != nil {
		return v, syntax(t.pos, "%s: %q is not %s", f.Name, clip(t.text), err)
	}
	return v, nil
}

// parseScalar's error says what was expected.
func parseScalar(t Type, s string) (int64, error) {
	switch t {
	case Number:
		return parseSize(s)
	case Duration:
		return parseDuration(s)
	case Money:
		usd, err := strconv.ParseFloat(strings.TrimPrefix(s, "$"), 64)
		if err != nil || !(math.Abs(usd) <= 1e6) { // beyond it, nano-dollars of a float are no longer exact
			return 0, fmt.Errorf("an amount in dollars, such as 0.05")
		}
		return int64(math.Round(usd * 1e9)), nil
	case Bool:
		switch strings.ToLower(s) {
		case "true", "yes", "1":
			return 1, nil
		case "false", "no", "0":
			return 0, nil
		}
		return 0, fmt.Errorf("true or false")
	}
	return parseTime(s)
}

func parseSize(s string) (int64, error) {
	scale := 1.0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			scale = 1e3
		case 'm', 'M':
			scale = 1e6
		case 'g', 'G':
			scale = 1e9
		}
	}
	if scale == 1 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > -1<<53 && n < 1<<53 {
			return n, nil
		}
		return 0, fmt.Errorf("a whole number, such as 200 or 10k")
	}
	x, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if err != nil || !(math.Abs(x*scale) < 1<<53) {
		return 0, fmt.Errorf("a number, such as 200 or 10k")
	}
	return int64(math.Round(x * scale)), nil
}

func parseDuration(s string) (int64, error) {
	if ms, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(ms) < 1e12 {
		return int64(math.Round(ms * 1e6)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("a duration, such as 300ms or 2s")
	}
	return int64(d), nil
}

func parseTime(s string) (int64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Nanos(t), nil
		}
	}
	return 0, fmt.Errorf("a time, such as 2026-03-01T12:00:00Z or 2026-03-01")
}

func fieldNames() string {
	names := make([]string, len(Fields))
	for i, f := range Fields {
		names[i] = f.Name
		if f.Type == Map {
			names[i] += ".<path>"
		}
	}
	return strings.Join(names, ", ")
}

func listOf(ops []Op) string {
	names := make([]string, len(ops))
	for i, o := range ops {
		names[i] = string(o)
	}
	return strings.Join(names, ", ")
}

package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
)

// ParseError is what is wrong with a filter, and at which byte.
type ParseError struct {
	Pos int
	Msg string
}

func (e *ParseError) Error() string { return fmt.Sprintf("position %d: %s", e.Pos, e.Msg) }

// badFilter is fault.Invalid about the filter; it wraps a *ParseError.
func badFilter(pos int, format string, args ...any) error {
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
// Terms side by side are joined by and, which binds closer than or. field:value is short for field = value, ~ for rlike.
// Texts that hold spaces or any of ()<>=!~,"'` are quoted. Times may be relative to now. An empty filter is nil.
func Parse(s string) (Expr, error) { return ParseAt(s, time.Now()) }

// ParseAt is Parse at another time, for what is relative to now.
func ParseAt(s string, now time.Time) (Expr, error) {
	if len(s) > MaxFilter {
		return nil, badFilter(MaxFilter, "the filter is longer than %d bytes", MaxFilter)
	}
	toks, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks, now: now}
	if p.peek().kind == tokEnd {
		return nil, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, badFilter(t.pos, "unexpected %q", clip.To(t.text, 60))
	}
	return e, nil
}

type parser struct {
	toks  []token
	i     int
	depth int
	now   time.Time
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
		return nil, badFilter(p.peek().pos, "the filter is nested more than %d deep", maxDepth)
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
	if n, ok := e.(Not); ok { // "not user not exists"
		return n.X, nil
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
			return nil, badFilter(end.pos, "expected \")\" for the \"(\" at %d", t.pos)
		}
		return e, nil
	case t.kind == tokPath:
		return p.comparison(t)
	case t.kind == tokString:
		if n := p.peek(); n.kind == tokOp {
			return nil, badFilter(t.pos, "a field must stand before %q, not a quoted text", n.text)
		}
		return p.word(t)
	case t.kind == tokWord && !isKeyword(t):
		return p.wordOrComparison(t)
	case t.kind == tokEnd:
		return nil, badFilter(t.pos, "the filter ends where a term was expected")
	}
	return nil, badFilter(t.pos, "expected a term, found %q", clip.To(t.text, 60))
}

func isKeyword(t token) bool { return t.is("and") || t.is("or") || t.is("not") }

func (p *parser) word(t token) (Expr, error) {
	if strings.TrimSpace(t.text) == "" {
		return nil, badFilter(t.pos, "the text to search for is empty")
	}
	return Word(t.text), nil
}

func (p *parser) wordOrComparison(t token) (Expr, error) {
	n := p.peek()
	word := n
	if n.is("not") {
		word = p.after(1)
	}
	// Words of the language that are words of texts, too, are taken as such behind what is no field.
	named := slices.ContainsFunc(wordOps, word.is) && (known(t) || !word.is("in") && !word.is("contains"))
	if n.kind == tokOp || named || word.is("in") && p.after(1).punct("(") || word.is("contains") && isPath(t) {
		return p.comparison(t)
	}
	name, value, ok := strings.Cut(t.text, ":")
	if f, path := Lookup(name); ok && f != nil && !strings.HasPrefix(value, "//") { // a URL is a word
		v := token{tokWord, value, t.pos + len(name) + 1}
		if value == "" {
			if v = p.next(); v.kind != tokWord && v.kind != tokString {
				return nil, badFilter(v.pos, "expected a value for %s", name)
			}
		}
		return p.compare(f, path, Eq, t.pos, v)
	}
	return p.word(t)
}

// wordOps are the operators that are words.
var wordOps = []string{"exists", "in", "like", "ilike", "rlike", "contains"}

func known(t token) bool {
	f, _ := Lookup(t.text)
	return f != nil
}

// isPath reports whether a word can only be meant as the name of a field.
func isPath(t token) bool { return strings.Contains(t.text, "_") || strings.Contains(t.text, ".") }

// Lookup finds a field by name, metadata with the path behind it, in backquotes or not; f is nil if there is none.
func Lookup(name string) (f *Field, path string) {
	if f = FieldNamed(name); f != nil && f.Type != Map {
		return f, ""
	}
	head, path, _ := strings.Cut(name, ".")
	if n := len(path); n > 2 && path[0] == '`' && path[n-1] == '`' {
		path = path[1 : n-1]
	}
	if f = FieldNamed(head); f != nil && f.Type == Map && path != "" {
		return f, path
	}
	return nil, ""
}

func (p *parser) comparison(name token) (Expr, error) {
	f, path := Lookup(name.text)
	if f == nil {
		return nil, unknownField(name)
	}
	opTok := p.next()
	op := Op(strings.ToLower(opTok.text))
	if opTok.is("not") {
		op = Op("not " + strings.ToLower(p.next().text))
	}
	if op == "not exists" && slices.Contains(f.Operators(), Exists) {
		return Not{&Compare{Field: f, Path: path, Op: Exists}}, nil
	}
	if opTok.kind == tokEnd || !slices.Contains(f.Operators(), op) {
		return nil, badFilter(opTok.pos, "%s takes %s, not %q", f.Name, listOf(f.Operators()), clip.To(string(op), 60))
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
		return nil, badFilter(v.pos, "expected a value for %s", name.text)
	}
	return p.compare(f, path, op, name.pos, v)
}

func (p *parser) list() ([]token, error) {
	if t := p.next(); !t.punct("(") {
		return nil, badFilter(t.pos, "expected \"(\" and a list of values")
	}
	var vals []token
	for {
		v := p.next()
		if v.kind != tokWord && v.kind != tokString {
			return nil, badFilter(v.pos, "expected a value in the list")
		}
		vals = append(vals, v)
		switch t := p.next(); {
		case t.punct(","):
		case t.punct(")"):
			return vals, nil
		default:
			return nil, badFilter(t.pos, "expected \",\" or \")\" in the list")
		}
	}
}

// unknownField suggests the nearest name.
func unknownField(name token) error {
	hint := "fields are " + fieldNames()
	if head, path, ok := strings.Cut(name.text, "."); path == "" && FieldNamed(head) != nil {
		hint = fmt.Sprintf("a path must follow it, as in %s.name", head)
	} else if near := nearest(head); near != "" {
		if f := FieldNamed(near); f.Type == Map && ok {
			near += "." + path
		}
		hint = fmt.Sprintf("did you mean %s?", clip.To(near, 60))
	}
	return badFilter(name.pos, "unknown field %q; %s", clip.To(name.text, 60), hint)
}

func (p *parser) compare(f *Field, path string, op Op, pos int, vals ...token) (Expr, error) {
	if len(path) > maxPath {
		return nil, badFilter(pos, "the path is longer than %d bytes", maxPath)
	}
	if f.Type == FullText {
		if strings.TrimSpace(vals[0].text) == "" {
			return nil, badFilter(vals[0].pos, "the text to search for is empty")
		}
		find := Find{Needle{Part(f.Name), vals[0].text}}
		if op == NotHolds {
			return Not{find}, nil
		}
		return find, nil
	}
	c := &Compare{Field: f, Path: path, Op: op}
	for _, t := range vals {
		v, err := c.value(t, p.now)
		if err != nil {
			return nil, err
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

// value reads a literal of the field's type.
func (c *Compare) value(t token, now time.Time) (v Value, err error) {
	f := c.Field
	if op, _ := c.Op.Positive(); op == RLike {
		v.Text = t.text
		v.pattern, err = compile(t)
		return v, err
	}
	switch f.Type {
	case Enum:
		v.Text = strings.ToLower(t.text)
		if c.Op == Eq || c.Op == Ne || c.Op == In || c.Op == NotIn {
			if !slices.Contains(f.Values, v.Text) {
				return v, badFilter(t.pos, "%s is one of %s, not %q", f.Name, strings.Join(f.Values, ", "), clip.To(t.text, 60))
			}
		}
		return v, nil
	case Map:
		v.Text = t.text
		if c.ordered() {
			if v.Float, err = strconv.ParseFloat(t.text, 64); err != nil || math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
				return v, badFilter(t.pos, "%q is not a number", clip.To(t.text, 60))
			}
			v.Text = ""
		}
		return v, nil
	case Text, List:
		v.Text = t.text
		return v, nil
	case Time:
		if at, rest, ok := relative(t.text, now); ok {
			v.Number, v.Text = Nanos(at), rest
			return v, nil
		}
	}
	if v.Number, err = parseScalar(f.Type, t.text); err != nil {
		return v, badFilter(t.pos, "%s: %q is not %s", f.Name, clip.To(t.text, 60), err)
	}
	return v, nil
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

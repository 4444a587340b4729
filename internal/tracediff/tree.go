package tracediff

import (
	"hash/fnv"
	"math/bits"
	"unicode"
	"unicode/utf8"

	"weir/internal/llm"
	"weir/internal/span"
)

// node is a span among its children, or the invisible root above the roots of a trace.
type node struct {
	span     *span.Span // nil for the invisible root
	parent   *node
	children []*node
	mate     *node // in the other tree
	moved    bool

	key     uint64 // what the step is: kind, and name or tool
	content uint64 // what went in and out, as far as it is known without reading bodies; 0 = nothing
	shape   uint64 // keys of everything below
	kids    uint64 // sketch of the keys directly below
	sketch  uint64 // similarity of previews: alike texts differ in few bits
	changes []Change
	unread  bool
}

// forest builds the tree below s.Root, or of all spans. Spans whose parent is missing, or that are their own ancestor,
// are roots.
func forest(s Side) (*node, bool) {
	byID := make(map[string]*node, len(s.Spans))
	for _, sp := range s.Spans {
		byID[sp.ID] = &node{span: sp}
	}
	root := &node{}
	for _, sp := range s.Spans {
		n := byID[sp.ID]
		p := byID[sp.Parent]
		if p == nil || p.below(n) {
			p = root
		}
		n.parent = p
		p.children = append(p.children, n)
	}
	if s.Root == "" {
		return root, true
	}
	n := byID[s.Root]
	if n == nil {
		return nil, false
	}
	return &node{children: []*node{n}}, true
}

// below reports whether n is o or one of its descendants, as far as parents are set by now.
func (n *node) below(o *node) bool {
	for steps := 0; n != nil; n = n.parent {
		if n == o {
			return true
		}
		if steps++; steps > maxDepth {
			return true
		}
	}
	return false
}

// maxDepth bounds the recursion over a tree that a client made.
const maxDepth = 2000

// cut leaves the first limit spans in depth-first order and returns how many it took away.
func (n *node) cut(limit int) (gone int) {
	left := limit
	var walk func(n *node, depth int)
	walk = func(n *node, depth int) {
		for i, c := range n.children {
			if left == 0 || depth == maxDepth {
				for _, rest := range n.children[i:] {
					gone += rest.count()
				}
				n.children = n.children[:i]
				return
			}
			left--
			walk(c, depth+1)
		}
	}
	walk(n, 0)
	return gone
}

func (n *node) count() int {
	total := 0
	for stack := []*node{n}; len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = append(stack[:len(stack)-1], top.children...)
		total++
	}
	return total
}

// each visits the subtree without n itself, parents first.
func (n *node) each(f func(*node)) {
	for _, c := range n.children {
		f(c)
		c.each(f)
	}
}

// print computes what nodes are compared by.
func (n *node) print() {
	var shape, keys []uint64
	for _, c := range n.children {
		s := c.span
		c.key, c.content = keyOf(s), contentOf(s)
		c.sketch = sketch(s.Input.Preview + "\x00" + s.Output.Preview)
		c.print()
		shape, keys = append(shape, c.key, c.shape), append(keys, c.key)
	}
	n.shape, n.kids = mix(0, shape...), simhash(keys)
}

// keyOf is what a step is. A model call is named by what its program calls it; a gateway's own is named after the
// model, which may differ without being another step.
func keyOf(s *span.Span) uint64 {
	name := s.Name
	if s.Kind == span.Generation && (s.Source == "" || name == s.Group || name == s.Model) {
		name = ""
	}
	return hash(string(s.Kind), name)
}

// contentOf stands for input and output. Bodies are addressed by their content, so equal references are equal bodies.
func contentOf(s *span.Span) uint64 {
	if s.Input.Form == span.FormNone && s.Output.Form == span.FormNone {
		return 0
	}
	return hash(refText(s.Input), refText(s.Output))
}

func refText(r span.Ref) string { return string(r.Form) + string(r.Skeleton[:]) + string(r.Node[:]) }

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

func mix(seed uint64, vs ...uint64) uint64 {
	for _, v := range vs {
		seed = (bits.RotateLeft64(seed, 13) ^ v) * 0x9E3779B97F4A7C15
	}
	return seed
}

// sketch is a simhash over the words of a text.
func sketch(text string) uint64 {
	var words []uint64
	for _, w := range tokens(text) {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLetter(r) || unicode.IsDigit(r) {
			words = append(words, hash(w))
		}
	}
	return simhash(words)
}

// simhash is such that alike bags differ in few bits; 0 for an empty one.
func simhash(bag []uint64) uint64 {
	var sum [64]int
	for _, h := range bag {
		h = mix(1, h)
		for i := range sum {
			sum[i] += int(h>>i&1)*2 - 1
		}
	}
	var out uint64
	for i, s := range sum {
		if s > 0 {
			out |= 1 << i
		}
	}
	return out
}

func (n *node) totals() Totals {
	var t Totals
	var first, last int64
	n.each(func(c *node) {
		s := c.span
		t.Spans++
		if s.Kind == span.Generation || s.Kind == span.Embedding {
			t.Calls++
		}
		if s.Status == span.Error || s.Status == span.Interrupted {
			t.Errors++
		}
		own := figures(s)
		t.Tokens += own.Tokens
		t.Cost += own.Cost
		if from := s.Start.UnixNano(); t.Spans == 1 || from < first {
			first = from
		}
		if to := s.End.UnixNano(); t.Spans == 1 || to > last {
			last = to
		}
	})
	t.DurationNS = max(last-first, 0)
	return t
}

// figures are a span's own. What a child reports as well does not count twice.
func figures(s *span.Span) Delta {
	if s == nil {
		return Delta{}
	}
	d := Delta{DurationNS: max(int64(s.Duration()), 0)}
	if !s.Covered {
		d.Cost, d.Tokens = s.Cost.Total, total(s.Usage)
	}
	return d
}

func total(u llm.Usage) int64 { return u.Total() }

func minus(b, a Delta) Delta {
	return Delta{b.DurationNS - a.DurationNS, b.Cost - a.Cost, b.Tokens - a.Tokens}
}

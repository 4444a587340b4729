package tracediff

import (
	"cmp"
	"math/bits"
	"slices"

	"weir/internal/span"
)

// align pairs the children of two paired nodes, level by level.
func (d *differ) align(a, b *node) {
	for _, p := range pairs(a.children, b.children) {
		p[0].mate, p[1].mate = p[1], p[0]
		d.align(p[0], p[1])
	}
}

// pairs is the heaviest alignment of two lists that keeps their order. Equal ends are taken off first: most traces
// that are compared are alike.
func pairs(a, b []*node) (out [][2]*node) {
	for len(a) > 0 && len(b) > 0 && twins(a[0], b[0]) {
		out, a, b = append(out, [2]*node{a[0], b[0]}), a[1:], b[1:]
	}
	var tail [][2]*node
	for len(a) > 0 && len(b) > 0 && twins(a[len(a)-1], b[len(b)-1]) {
		tail = append(tail, [2]*node{a[len(a)-1], b[len(b)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	i, j := 0, 0
	for _, p := range append(anchors(a, b), [2]int{len(a), len(b)}) {
		out = append(out, stretch(a[i:p[0]], b[j:p[1]])...)
		if p[0] < len(a) {
			out = append(out, [2]*node{a[p[0]], b[p[1]]})
		}
		i, j = p[0]+1, p[1]+1
	}
	return append(out, tail...)
}

func stretch(a, b []*node) (out [][2]*node) {
	for _, p := range heaviest(len(a), len(b), func(i, j int) int32 { return affinity(a[i], b[j]) }) {
		out = append(out, [2]*node{a[p[0]], b[p[1]]})
	}
	return out
}

// anchors are steps whose content is found once on each side, as far as they keep their order: what lies between two of
// them is aligned by itself, which spares most of n·m where traces are alike.
func anchors(a, b []*node) [][2]int {
	type seen struct{ a, b, n, m int }
	at := map[uint64]*seen{}
	for i, n := range a {
		if n.content != 0 {
			k := mix(n.key, n.content)
			if at[k] == nil {
				at[k] = &seen{}
			}
			at[k].a, at[k].n = i, at[k].n+1
		}
	}
	for j, n := range b {
		if s := at[mix(n.key, n.content)]; s != nil {
			s.b, s.m = j, s.m+1
		}
	}
	var once [][2]int
	for i, n := range a {
		if s := at[mix(n.key, n.content)]; s != nil && n.content != 0 && s.n == 1 && s.m == 1 {
			once = append(once, [2]int{i, s.b})
		}
	}
	return rising(once)
}

// rising is the longest part whose second numbers rise, by patience sorting; the first ones do.
func rising(in [][2]int) [][2]int {
	var tops []int // of each pile, by place in in
	back := make([]int, len(in))
	for i, p := range in {
		pile, _ := slices.BinarySearchFunc(tops, p[1], func(top, v int) int { return cmp.Compare(in[top][1], v) })
		back[i] = -1
		if pile > 0 {
			back[i] = tops[pile-1]
		}
		if pile == len(tops) {
			tops = append(tops, i)
		} else {
			tops[pile] = i
		}
	}
	out := make([][2]int, len(tops))
	if len(tops) == 0 {
		return out
	}
	for i, at := len(tops)-1, tops[len(tops)-1]; i >= 0; i-- {
		out[i] = in[at]
		at = back[at]
	}
	return out
}

// twins are as alike as can be told without reading bodies.
func twins(a, b *node) bool {
	return a.content != 0 && affinity(a, b) == maxAffinity
}

// Weights of an alignment. One step that is the very same weighs more than two that are only of the same kind.
const (
	sameKey     = 50
	sameKind    = 20
	sameContent = 120
	sameShape   = 20
	sameParams  = 4
	maxAffinity = sameKey + sameContent + sameShape + sameParams
)

// affinity is how much is gained by pairing two steps; 0 means that they must not be.
func affinity(a, b *node) int32 {
	w := int32(0)
	switch {
	case a.key == b.key:
		w = sameKey
	case a.span.Kind == b.span.Kind && interchangeable(a, b):
		w = sameKind
	default:
		return 0
	}
	switch {
	case a.content == b.content && a.content != 0:
		w += sameContent
	case a.sketch != 0 && b.sketch != 0:
		if far := bits.OnesCount64(a.sketch ^ b.sketch); far < 32 {
			w += int32(32-far) * (sameContent / 2) / 32
		}
	}
	if a.shape == b.shape {
		w += sameShape
	}
	if a.span.Status == b.span.Status {
		w += sameParams
	}
	return w
}

// interchangeable steps are one step under two names: any two model calls, two roots, or what holds the same steps.
// Two tools of different names are two steps.
func interchangeable(a, b *node) bool {
	switch a.span.Kind {
	case span.Tool, span.Retriever, span.Event, span.Guardrail, span.Evaluator:
		return a.content == b.content && a.content != 0
	case span.Generation, span.Embedding:
		return true
	}
	alone := func(n *node) bool { return n.parent != nil && n.parent.span == nil && len(n.parent.children) == 1 }
	return alone(a) && alone(b) || a.kids != 0 && b.kids != 0 && bits.OnesCount64(a.kids^b.kids) <= alike
}

// alike is how many bits two sketches of about the same steps differ in.
const alike = 12

// heaviest is Needleman and Wunsch's alignment without a price for gaps. Time and memory (a byte) are n·m, which
// MaxSpans bounds.
func heaviest(n, m int, weight func(i, j int) int32) [][2]int {
	if n == 0 || m == 0 {
		return nil
	}
	const up, left, both = 1, 2, 3
	came := make([]uint8, n*m)
	prev, cur := make([]int32, m+1), make([]int32, m+1)
	for i := range n {
		row := came[i*m : (i+1)*m]
		for j := range m {
			best, from := prev[j+1], uint8(up)
			if cur[j] > best {
				best, from = cur[j], left
			}
			if w := weight(i, j); w > 0 && prev[j]+w > best {
				best, from = prev[j]+w, both
			}
			cur[j+1], row[j] = best, from
		}
		prev, cur = cur, prev
	}
	var out [][2]int
	for i, j := n-1, m-1; i >= 0 && j >= 0; {
		switch came[i*m+j] {
		case both:
			out = append(out, [2]int{i, j})
			i, j = i-1, j-1
		case up:
			i--
		default:
			j--
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// rematch pairs what the alignment left over: steps that went elsewhere. The same content is found wherever it is; the
// same step without it only if it is the only one left of its kind on both sides.
func (d *differ) rematch(a, b *node) {
	d.move(a, b, func(n *node) uint64 {
		if n.content == 0 {
			return 0
		}
		return mix(n.key, n.content)
	}, false)
	d.move(a, b, func(n *node) uint64 { return n.key }, true)
}

func (d *differ) move(a, b *node, of func(*node) uint64, alone bool) {
	left := map[uint64][]*node{}
	count := map[uint64]int{}
	a.each(func(n *node) {
		if k := of(n); n.mate == nil && k != 0 {
			left[k] = append(left[k], n)
		}
	})
	b.each(func(n *node) {
		if n.mate == nil {
			count[of(n)]++
		}
	})
	b.each(func(n *node) {
		k := of(n)
		from := left[k]
		if n.mate != nil || k == 0 || len(from) == 0 || alone && (len(from) > 1 || count[k] > 1) {
			return
		}
		m := from[0]
		left[k] = from[1:]
		if m.mate != nil { // paired as the child of one that moved
			return
		}
		m.mate, n.mate = n, m
		m.moved, n.moved = true, true
		d.alignLeft(m, n)
	})
}

// alignLeft pairs the children of moved nodes that have no mate yet.
func (d *differ) alignLeft(a, b *node) {
	free := func(ns []*node) (out []*node) {
		for _, n := range ns {
			if n.mate == nil {
				out = append(out, n)
			}
		}
		return out
	}
	for _, p := range pairs(free(a.children), free(b.children)) {
		p[0].mate, p[1].mate = p[1], p[0]
		d.alignLeft(p[0], p[1])
	}
}

package tracediff

import (
	"weir/internal/jsonx"
	"weir/internal/span"
)

// compare finds what differs in each pair.
func (d *differ) compare(b *node) (err error) {
	b.each(func(n *node) {
		if n.mate == nil || err != nil {
			return
		}
		n.changes = fields(n.mate.span, n.span)
		if n.content == n.mate.content {
			return
		}
		if !d.may(n.mate.span, n.span) {
			n.unread = true
			d.unread++
			return
		}
		var more []Change
		more, err = d.bodies(n.mate.span, n.span)
		n.changes = append(n.changes, more...)
	})
	if d.unread > 0 {
		d.note("bodies of %d pairs that differ were not compared: only %d pairs are; compare two spans to see theirs", d.unread, maxPairs)
	}
	return err
}

// may counts a pair in, if there is room for it.
func (d *differ) may(a, b *span.Span) bool {
	size := a.Input.Size + a.Output.Size + b.Input.Size + b.Output.Size
	if d.read >= maxPairs || d.bytes+size > maxBodies {
		return false
	}
	d.read++
	d.bytes += size
	return true
}

func (d *differ) bodies(a, b *span.Span) ([]Change, error) {
	x, err := d.viewer.View(d.ctx, a)
	if err != nil {
		return nil, err
	}
	y, err := d.viewer.View(d.ctx, b)
	if err != nil {
		return nil, err
	}
	in, out := "message", "output"
	if b.Kind == span.Tool || b.Kind == span.Retriever {
		in, out = "arguments", "result"
	}
	all := conversations("input", in, x.Input, y.Input)
	all = append(all, values(in, "input", x.InputValue, y.InputValue)...)
	all = append(all, conversations("output", out, x.Output, y.Output)...)
	return append(all, values(out, "output", x.OutputValue, y.OutputValue)...), nil
}

// fields compares what a span says without its bodies.
func fields(a, b *span.Span) (out []Change) {
	text := func(what, path, x, y string) {
		if x != y {
			out = append(out, Change{What: what, Path: path, Op: between(x, y), Before: quoted(x), After: quoted(y)})
		}
	}
	if a.Kind == span.Generation || a.Kind == span.Embedding {
		text("model", "model", a.Group, b.Group)
		if a.Group == b.Group {
			text("model", "upstream_model", a.Model, b.Model)
		}
	} else {
		text("model", "name", a.Name, b.Name)
	}
	out = append(out, values("params", "params", a.Params, b.Params)...)
	text("status", "status", string(a.Status), string(b.Status))
	text("error", "error_type", a.ErrorType, b.ErrorType)
	if a.ErrorText != b.ErrorText {
		c := Change{What: "error", Path: "error_text", Op: between(a.ErrorText, b.ErrorText), Before: quoted(a.ErrorText), After: quoted(b.ErrorText)}
		if c.Op == Changed {
			c.Words = Words(a.ErrorText, b.ErrorText)
		}
		out = append(out, c)
	}
	return out
}

func between(x, y string) Op {
	switch {
	case x == "":
		return Added
	case y == "":
		return Removed
	}
	return Changed
}

func quoted(s string) jsonx.Raw {
	if s == "" {
		return nil
	}
	return short(s)
}

// rows lists the children of two paired nodes; either may be nil.
func (d *differ) rows(a, b *node, depth int) {
	var as, bs []*node
	if a != nil {
		as = a.children
	}
	if b != nil {
		bs = b.children
	}
	next := 0
	gone := func(upto *node) {
		for ; next < len(as) && as[next] != upto; next++ {
			if as[next].mate == nil {
				d.row(as[next], nil, depth)
			}
		}
	}
	for _, n := range bs {
		if n.mate != nil && !n.moved && n.mate.parent == a {
			gone(n.mate)
			next++
		}
		d.row(n.mate, n, depth)
	}
	gone(nil)
}

func (d *differ) row(a, b *node, depth int) {
	r := Row{Depth: depth}
	if a != nil {
		r.A = a.span
	}
	if b != nil {
		r.B, r.Parts, r.Unread = b.span, b.changes, b.unread
	}
	switch {
	case a == nil:
		r.Op = Added
	case b == nil:
		r.Op = Removed
	case b.moved:
		r.Op = Moved
	case len(b.changes) > 0 || b.unread:
		r.Op = Changed
	default:
		r.Op = Same
	}
	r.Delta = minus(figures(r.B), figures(r.A))
	if sum := below(a, b); sum != nil {
		r.Subtree = sum
	}
	d.out.Counts[r.Op]++
	d.out.Rows = append(d.out.Rows, r)
	d.rows(a, b, depth+1)
}

// below is the gain of a step with all its descendants, or nil if it has none. The time of a step covers that of what
// is below it.
func below(a, b *node) *Delta {
	sum := func(n *node) (Delta, bool) {
		if n == nil {
			return Delta{}, false
		}
		d := figures(n.span)
		n.each(func(c *node) {
			own := figures(c.span)
			own.DurationNS = 0
			d = d.plus(own)
		})
		return d, len(n.children) > 0
	}
	x, deepA := sum(a)
	y, deepB := sum(b)
	if !deepA && !deepB {
		return nil
	}
	d := minus(y, x)
	return &d
}

package mcp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tracediff"
)

type compareIn struct {
	A        string `json:"a" jsonschema:"trace, or trace/span"`
	B        string `json:"b" jsonschema:"trace, or trace/span"`
	MaxChars int    `json:"max_chars,omitempty" jsonschema:"size of the answer, at most 50000; default 8000"`
}

func (c *caller) compare(ctx context.Context, in compareIn) (string, error) {
	a, err := c.side(ctx, "a", in.A)
	if err != nil {
		return "", err
	}
	b, err := c.side(ctx, "b", in.B)
	if err != nil {
		return "", err
	}
	d, err := tracediff.Compare(ctx, a, b, tracediff.Recorded(c.Bodies))
	if err != nil {
		return "", err
	}
	return describe(d, bounded(in.MaxChars, 8000, 50000)), nil
}

func (c *caller) side(ctx context.Context, field, id string) (s tracediff.Side, err error) {
	trace, root, _ := strings.Cut(id, "/")
	if s.Root = root; root == "" {
		s.Spans, s.Total, err = c.Query.FirstSpans(ctx, c.project(), trace, tracediff.MaxSpans)
	} else {
		s.Spans, err = c.Query.Trace(ctx, c.project(), trace)
	}
	return s, notFound(err, field, "no trace "+clip.To(trace, 60)+" in this project")
}

func describe(d *tracediff.Diff, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "a: %s\nb: %s\nsteps: %d same, %d changed, %d added, %d removed, %d moved\n", totals(d.A), totals(d.B),
		d.Counts[tracediff.Same], d.Counts[tracediff.Changed], d.Counts[tracediff.Added], d.Counts[tracediff.Removed], d.Counts[tracediff.Moved])
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	for i := range d.Rows {
		text := rowText(&d.Rows[i])
		if b.Len()+len(text) > limit {
			fmt.Fprintf(&b, "(%d more steps; compare two spans, or raise max_chars)\n", len(d.Rows)-i)
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

func totals(t tracediff.Totals) string {
	return fmt.Sprintf("%d spans, %d calls, %d errors, %d tokens, $%s, %s", t.Spans, t.Calls, t.Errors, t.Tokens, usd(t.Cost.USD()), took(time.Duration(t.DurationNS)))
}

var signs = map[tracediff.Op]string{tracediff.Changed: "~", tracediff.Added: "+", tracediff.Removed: "-", tracediff.Moved: ">"}

// rowText is empty for a step that is the same: what differs is what is asked for.
func rowText(r *tracediff.Row) string {
	sign := signs[r.Op]
	if sign == "" {
		return ""
	}
	s := cmp.Or(r.B, r.A)
	id := s.ID
	if r.A != nil && r.B != nil {
		id = r.A.ID + " → " + r.B.ID
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s %s %s (%s)", strings.Repeat("  ", min(r.Depth, 20)), sign, s.Kind, cell(clip.To(s.Name, 60)), id)
	if r.Delta.Tokens != 0 {
		fmt.Fprintf(&b, " %+d tokens", r.Delta.Tokens)
	}
	if d := time.Duration(r.Delta.DurationNS).Round(time.Millisecond); d != 0 {
		fmt.Fprintf(&b, " %+.3fs", d.Seconds())
	}
	if r.Unread {
		b.WriteString(" (bodies differ; compare the two spans)")
	}
	b.WriteByte('\n')
	for _, c := range r.Parts {
		fmt.Fprintf(&b, "%s    %s %s: %s\n", strings.Repeat("  ", min(r.Depth, 20)), c.What, c.Path, cell(clip.To(changeText(&c), 600)))
	}
	return b.String()
}

func changeText(c *tracediff.Change) string {
	switch {
	case c.Op == tracediff.Added:
		return "added " + string(c.After)
	case c.Op == tracediff.Removed:
		return "removed " + string(c.Before)
	case len(c.Words) == 0:
		return string(c.Before) + " → " + string(c.After)
	}
	var b strings.Builder
	for _, w := range c.Words {
		switch w.Op {
		case tracediff.Insert:
			b.WriteString("{+" + w.Text + "+}")
		case tracediff.Delete:
			b.WriteString("[-" + w.Text + "-]")
		case tracediff.Equal:
			b.WriteString(ends(w.Text))
		default:
			b.WriteString(" … ")
		}
	}
	return b.String()
}

// ends keeps of an equal run what is beside a change.
func ends(s string) string {
	const keep = 30
	r := []rune(s)
	if len(r) <= 2*keep {
		return s
	}
	return string(r[:keep]) + " … " + string(r[len(r)-keep:])
}

type scoreIn struct {
	ID      string `json:"id" jsonschema:"trace/span, or a trace"`
	Name    string `json:"name" jsonschema:"what is judged, e.g. correctness"`
	Value   any    `json:"value" jsonschema:"a number, true or false, or a short text"`
	Comment string `json:"comment,omitempty" jsonschema:"why"`
	Judge   bool   `json:"judge,omitempty" jsonschema:"the value is a model's judgement"`
}

// Bounds of a score.
const (
	maxName    = 200
	maxValue   = 256
	maxComment = 20000
)

func (c *caller) score(ctx context.Context, in scoreIn) (string, error) {
	if err := c.who.MayWrite(); err != nil {
		return "", err
	}
	trace, sp, _ := strings.Cut(in.ID, "/")
	if err := c.exists(ctx, trace, sp); err != nil {
		return "", err
	}
	s := &span.Score{
		Project: c.project(), Target: span.Target{Trace: trace, Span: sp}, Name: strings.TrimSpace(in.Name), Source: span.ByAPI, Comment: in.Comment,
		Author: cmp.Or(c.who.Email, string(c.who.User), c.who.KeyAlias, c.who.KeyName, string(c.who.Means)),
	}
	if in.Judge {
		s.Source = span.ByJudge
	}
	if s.Name == "" || len(s.Name) > maxName || cell(s.Name) != s.Name {
		return "", fault.Bad("name", "name must have 1 to %d printable characters", maxName)
	}
	if len(in.Comment) > maxComment {
		return "", fault.Bad("comment", "comment is longer than %d bytes", maxComment)
	}
	switch v := in.Value.(type) {
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return "", fault.Bad("value", "value must be finite")
		}
		s.Type, s.Value = span.Numeric, v
	case bool:
		if s.Type = span.Boolean; v {
			s.Value = 1
		}
	case string:
		if v == "" || len(v) > maxValue {
			return "", fault.Bad("value", "a text has 1 to %d bytes", maxValue)
		}
		s.Type, s.Text = span.Categorical, v
	default:
		return "", fault.Bad("value", "value must be a number, true or false, or a short text")
	}
	if err := c.Scores.PutScore(ctx, s); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s of %s is now %v\n", s.Name, in.ID, in.Value), nil
}

// exists keeps an agent from judging what it made up.
func (c *caller) exists(ctx context.Context, trace, sp string) error {
	if sp != "" {
		_, err := c.span(ctx, trace+"/"+sp)
		return err
	}
	_, _, err := c.Query.FirstSpans(ctx, c.project(), trace, 1)
	return notFound(err, "id", "no trace "+clip.To(trace, 60)+" in this project")
}

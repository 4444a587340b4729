package record

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
)

func duration(i int64) time.Duration { return time.Duration(i) }

// ints appends numbers as fields 1, 2, …
func ints(b []byte, values ...int64) []byte {
	for i, v := range values {
		b = appendInt(b, i+1, v)
	}
	return b
}

func appendUsage(b []byte, u *llm.Usage) []byte {
	if *u == (llm.Usage{}) {
		return b
	}
	b, at := begin(b, fieldUsage)
	b = ints(b, u.Input, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.Output, u.Reasoning, u.AudioInput, u.AudioOutput)
	return end(appendBool(b, 9, u.Estimated), at)
}

func (r *reader) usage(p []byte, u *llm.Usage) {
	to := [...]*int64{&u.Input, &u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.Output, &u.Reasoning, &u.AudioInput, &u.AudioOutput}
	in := r.in(p)
	for n, i, _, ok := in.next(); ok; n, i, _, ok = in.next() {
		switch {
		case n >= 1 && n <= len(to):
			*to[n-1] = i
		case n == 9:
			u.Estimated = i != 0
		}
	}
	r.done(in)
}

func appendCost(b []byte, c *span.Cost) []byte {
	if *c == (span.Cost{}) {
		return b
	}
	b, at := begin(b, fieldCost)
	b = ints(b, int64(c.Total), int64(c.Input), int64(c.CacheRead), int64(c.CacheWrite), int64(c.Output))
	return end(appendText(appendText(b, 6, string(c.Source)), 7, c.Book), at)
}

func (r *reader) cost(p []byte, c *span.Cost) {
	to := [...]*money.Nano{&c.Total, &c.Input, &c.CacheRead, &c.CacheWrite, &c.Output}
	in := r.in(p)
	for n, i, p, ok := in.next(); ok; n, i, p, ok = in.next() {
		switch {
		case n >= 1 && n <= len(to):
			*to[n-1] = money.Nano(i)
		case n == 6:
			c.Source = span.CostSource(in.text(p))
		case n == 7:
			c.Book = in.text(p)
		}
	}
	r.done(in)
}

func appendRef(b []byte, field int, f *span.Ref, e Excerpt) []byte {
	if *f == (span.Ref{}) {
		return b
	}
	b, at := begin(b, field)
	b = appendText(b, 1, string(f.Form))
	b = appendInt(appendInt(appendInt(b, 2, int64(f.Messages)), 3, int64(f.New)), 4, int64(f.Size))
	b = appendHash(appendHash(b, 5, f.Skeleton), 6, f.Node)
	if e.Size > 0 {
		return end(appendExcerpt(b, 8, e), at)
	}
	return end(appendText(b, 7, f.Preview), at)
}

func appendHash(b []byte, field int, h span.Hash) []byte {
	if h.IsZero() {
		return b
	}
	return appendPacked(b, field, h[:])
}

func (r *reader) ref(p []byte, f *span.Ref, e *Excerpt) {
	in := r.in(p)
	for n, i, p, ok := in.next(); ok; n, i, p, ok = in.next() {
		switch n {
		case 1:
			f.Form = span.Form(in.text(p))
		case 2:
			f.Messages = int(i)
		case 3:
			f.New = int(i)
		case 4:
			f.Size = int(i)
		case 5:
			in.hash(p, &f.Skeleton)
		case 6:
			in.hash(p, &f.Node)
		case 7:
			f.Preview = in.text(p)
		case 8:
			*e = in.excerpt(p)
		}
	}
	r.done(in)
}

func (r *reader) hash(p []byte, h *span.Hash) {
	if len(p) != len(h) {
		r.fail()
		return
	}
	copy(h[:], p)
}

func appendLists(b []byte, s *span.Span) (_ []byte, err error) {
	for _, t := range s.Tags {
		b = appendPacked(b, fieldTag, strings.ToValidUTF8(t, "\uFFFD"))
	}
	for i := range s.Tries {
		b = appendTry(b, &s.Tries[i])
	}
	if p := s.Prompt; p != (span.Prompt{}) {
		in, at := begin(b, fieldPrompt)
		b = end(appendText(appendText(in, 1, p.Name), 2, p.Version), at)
	}
	for i := range s.Events {
		if b, err = appendMoment(b, &s.Events[i]); err != nil {
			return nil, err
		}
	}
	for i := range s.Links {
		if b, err = appendLink(b, &s.Links[i]); err != nil {
			return nil, err
		}
	}
	for i := range s.Scores {
		b = appendMark(b, &s.Scores[i])
	}
	return b, nil
}

func appendTry(b []byte, t *span.Try) []byte {
	b, at := begin(b, fieldTry)
	b = ints(b, int64(t.Start), int64(t.Took), int64(t.HTTP))
	return end(appendText(appendText(appendText(b, 4, t.Deployment), 5, t.Model), 6, t.Error), at)
}

func (r *reader) try(p []byte) (t span.Try) {
	in := r.in(p)
	for n, i, p, ok := in.next(); ok; n, i, p, ok = in.next() {
		switch n {
		case 1:
			t.Start = duration(i)
		case 2:
			t.Took = duration(i)
		case 3:
			t.HTTP = int(i)
		case 4:
			t.Deployment = in.text(p)
		case 5:
			t.Model = in.text(p)
		case 6:
			t.Error = in.text(p)
		}
	}
	r.done(in)
	return t
}

func (r *reader) prompt(p []byte) (out span.Prompt) {
	in := r.in(p)
	for n, _, p, ok := in.next(); ok; n, _, p, ok = in.next() {
		switch n {
		case 1:
			out.Name = in.text(p)
		case 2:
			out.Version = in.text(p)
		}
	}
	r.done(in)
	return out
}

func appendMoment(b []byte, m *span.Moment) ([]byte, error) {
	b, at := begin(b, fieldEvent)
	b, err := appendRaw(appendTime(appendText(b, 1, m.Name), 2, m.Time), 3, m.Attributes)
	if err != nil {
		return nil, err
	}
	return end(b, at), nil
}

func (r *reader) moment(p []byte) (m span.Moment) {
	in := r.in(p)
	for n, _, p, ok := in.next(); ok; n, _, p, ok = in.next() {
		switch n {
		case 1:
			m.Name = in.text(p)
		case 2:
			m.Time = in.time(p)
		case 3:
			m.Attributes = in.raw(p)
		}
	}
	r.done(in)
	return m
}

func appendLink(b []byte, l *span.Link) ([]byte, error) {
	b, at := begin(b, fieldLink)
	b, err := appendRaw(appendText(appendText(b, 1, l.Trace), 2, l.Span), 3, l.Attributes)
	if err != nil {
		return nil, err
	}
	return end(b, at), nil
}

func (r *reader) link(p []byte) (l span.Link) {
	in := r.in(p)
	for n, _, p, ok := in.next(); ok; n, _, p, ok = in.next() {
		switch n {
		case 1:
			l.Trace = in.text(p)
		case 2:
			l.Span = in.text(p)
		case 3:
			l.Attributes = in.raw(p)
		}
	}
	r.done(in)
	return l
}

func appendMark(b []byte, m *span.Mark) []byte {
	b, at := begin(b, fieldScore)
	b = appendText(appendText(b, 1, m.Name), 2, m.Text)
	if m.Value != 0 {
		b = appendPacked(b, 3, binary.LittleEndian.AppendUint64(nil, math.Float64bits(m.Value)))
	}
	return end(b, at)
}

func (r *reader) mark(p []byte) (m span.Mark) {
	in := r.in(p)
	for n, _, p, ok := in.next(); ok; n, _, p, ok = in.next() {
		switch n {
		case 1:
			m.Name = in.text(p)
		case 2:
			m.Text = in.text(p)
		case 3:
			if len(p) != 8 {
				in.fail()
				break
			}
			m.Value = math.Float64frombits(binary.LittleEndian.Uint64(p))
		}
	}
	r.done(in)
	return m
}

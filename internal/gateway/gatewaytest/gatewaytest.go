// Package gatewaytest holds stand-ins for what a gateway works with, for tests of the surfaces in front of it.
package gatewaytest

import (
	"context"
	"io"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// Frames is a source of frames that ends with End, or with io.EOF where that is nil.
type Frames struct {
	Left []gateway.Frame
	End  error
}

// Next implements gateway.Source.
func (f *Frames) Next() (gateway.Frame, error) {
	if len(f.Left) == 0 {
		if f.End != nil {
			return gateway.Frame{}, f.End
		}
		return gateway.Frame{}, io.EOF
	}
	next := f.Left[0]
	f.Left = f.Left[1:]
	return next, nil
}

// Buffered implements gateway.Source.
func (f *Frames) Buffered() bool { return true }

// Close implements gateway.Source.
func (f *Frames) Close() error { return nil }

// Upstream answers every attempt in the same way, and remembers the last one.
type Upstream struct {
	Native bool // speaks every dialect
	Frames []gateway.Frame
	End    error // after the frames
	Whole  *gateway.Result
	Err    error // at once
	Last   *gateway.Attempt
}

var _ gateway.Upstream = (*Upstream)(nil)

// Speaks implements gateway.Upstream.
func (u *Upstream) Speaks(llm.Dialect) bool { return u.Native }

// Chat implements gateway.Upstream.
func (u *Upstream) Chat(_ context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	u.Last = a
	switch {
	case u.Err != nil:
		return nil, u.Err
	case a.Stream:
		return &gateway.Result{Status: 200, Stream: &Frames{Left: u.Frames, End: u.End}}, nil
	}
	return u.Whole, nil
}

// Recorder admits everything and keeps what ended, in memory.
type Recorder struct{ Records []*gateway.Record }

// Admit implements gateway.Recorder.
func (*Recorder) Admit() error { return nil }

// Begin implements gateway.Recorder.
func (*Recorder) Begin(gateway.Intent) error { return nil }

// End implements gateway.Recorder.
func (r *Recorder) End(x *gateway.Record) { r.Records = append(r.Records, x) }

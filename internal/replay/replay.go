// Package replay sends a recorded call again: byte for byte, or with another model, other parameters or another prompt.
// The new call is made as the one who asks for it, counts against their budget, and is recorded as a trace of its own
// that names the one it repeats.
package replay

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/id"
	"weir/internal/ingest/mapping"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Limit is how long a replay may take.
const Limit = 120 * time.Second

// Tag is put on every replay.
const Tag = "replay"

// Request asks for a replay. The zero value of everything after Span sends the call unchanged.
type Request struct {
	Trace, Span string // Span may be "" where the trace has one model call
	Model       string
	Params      map[string]jsonx.Raw // fields of the request by name; null takes one away
	System      *string              // system prompt
	Messages    jsonx.Raw            // all of them, in the call's dialect or in canonical form (with parts)
	Unchanged   bool                 // refuse changes
	UserAgent   string               // of who asks
	IP          string
}

// Result is the new call.
type Result struct {
	Trace, Span string
	Status      span.Status
	ErrorType   string
	ErrorText   string
	Original    span.Key
}

// Dialect makes a call of a body: checked, with Dialect, Model, Stream, Body, Header, Decode and Encode set.
type Dialect func(body []byte, h http.Header) (*gateway.Call, error)

// Spans finds recorded calls; query.Engine does.
type Spans interface {
	Trace(ctx context.Context, p tenant.ProjectID, trace string) ([]*span.Span, error)
	Span(ctx context.Context, p tenant.ProjectID, trace, id string) (*span.Span, error)
}

// Bodies reads what was recorded.
type Bodies interface {
	Body(ctx context.Context, s *span.Span, r span.Ref) ([]byte, error)
}

// Deps is what a Service works with. All are required.
type Deps struct {
	Spans    Spans
	Bodies   Bodies
	Do       func(ctx context.Context, c *gateway.Call) (*gateway.Answer, error)
	Serves   func(model string) error // fault.ModelNotFound if the gateway has no such model
	Dialects map[llm.Dialect]Dialect
}

// Service replays calls.
type Service struct{ deps Deps }

// New returns a Service.
func New(d Deps) *Service { return &Service{deps: d} }

// Do replays a call and waits for the end of its answer. A call that the provider failed is a result; what is refused
// before it is sent, is an error.
func (s *Service) Do(ctx context.Context, who *tenant.Identity, r Request) (*Result, error) {
	if err := who.MayWrite(); err != nil {
		return nil, err
	}
	orig, err := s.original(ctx, who.Project, r)
	if err != nil {
		return nil, err
	}
	call, err := s.call(ctx, orig, r)
	if err != nil {
		return nil, err
	}
	if err := s.deps.Serves(call.Model); err != nil {
		return nil, fault.Bad("model", "the model %q is not served here; name another one with model", clip.To(call.Model, 100))
	}
	call.Who = who
	call.Facts = facts(call, orig, r)
	return s.send(ctx, call, orig)
}

// original finds the call that is meant.
func (s *Service) original(ctx context.Context, p tenant.ProjectID, r Request) (*span.Span, error) {
	if r.Span != "" {
		sp, err := s.deps.Spans.Span(ctx, p, r.Trace, r.Span)
		if err != nil {
			return nil, err
		}
		if sp.Kind != span.Generation {
			return nil, fault.Bad("span", "span %s is not a model call but of kind %s: there is nothing to send", clip.To(r.Span, 100), sp.Kind)
		}
		return sp, nil
	}
	all, err := s.deps.Spans.Trace(ctx, p, r.Trace)
	if err != nil {
		return nil, err
	}
	var found *span.Span
	for _, sp := range all {
		if sp.Kind != span.Generation || sp.Covered {
			continue
		}
		if found != nil {
			return nil, fault.Bad("span", "the trace has several model calls; name the span, such as %s", found.ID)
		}
		found = sp
	}
	if found == nil {
		return nil, fault.Bad("trace", "the trace has no model call")
	}
	return found, nil
}

// call is the recorded request with the changes asked for.
func (s *Service) call(ctx context.Context, orig *span.Span, r Request) (*gateway.Call, error) {
	if r.Unchanged && (r.Model != "" || len(r.Params) > 0 || r.System != nil || len(r.Messages) > 0) {
		return nil, fault.Bad("unchanged", "an unchanged replay takes no other model, params, prompt or messages")
	}
	body, err := s.body(ctx, orig)
	if err != nil {
		return nil, err
	}
	dialect := llm.Dialect(orig.Dialect)
	if orig.Source != "" {
		if dialect = llm.OpenAIChat; r.Unchanged {
			return nil, fault.Bad("unchanged", "the call of an application is built anew from its messages; it cannot be sent unchanged")
		}
		if body, err = build(orig, mapping.View(orig, body, nil), cmp.Or(r.Model, orig.Group, orig.Model)); err != nil {
			return nil, err
		}
	}
	prepare, ok := s.deps.Dialects[dialect]
	if !ok {
		return nil, fault.Bad("span", "calls of the dialect %q cannot be replayed", orig.Dialect)
	}
	if body, err = edit(body, dialect, r); err != nil {
		return nil, err
	}
	return prepare(body, headers(orig))
}

func (s *Service) body(ctx context.Context, orig *span.Span) ([]byte, error) {
	if orig.Input.Form == span.FormNone {
		return nil, fault.Bad("span", "the request of this call was not recorded, so it cannot be sent again")
	}
	body, err := s.deps.Bodies.Body(ctx, orig, orig.Input)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Bad("span", "the request of this call is no longer kept, so it cannot be sent again")
	}
	return body, err
}

// headers are those of the original that shape the answer; see gateway.KeptHeaders.
func headers(orig *span.Span) http.Header {
	h := http.Header{}
	for _, name := range gateway.KeptHeaders {
		for _, v := range gjson.GetBytes(orig.Attributes, gateway.HeaderAttribute(name, true)).Array() {
			h.Add(name, v.Str)
		}
	}
	return h
}

// facts are those of the body, without what would count the replay as a step of the original's conversation or as a
// doing of its user.
func facts(c *gateway.Call, orig *span.Span, r Request) gateway.Facts {
	f := gateway.FactsFrom(c.Header, r.IP, c.Body, c.Dialect)
	f.Trace, f.Parent, f.Span = id.Trace(), "", id.Span()
	f.Replays = span.CallID(orig.Trace, orig.ID)
	f.Session, f.EndUser = "replay-"+orig.Trace, ""
	f.Tags = append(f.Tags, Tag)
	f.Client, f.ClientVersion, f.UserAgent = "Weir", "", r.UserAgent
	if orig.Source != "" {
		f.TraceName = orig.Name
	}
	return f
}

func (s *Service) send(ctx context.Context, c *gateway.Call, orig *span.Span) (*Result, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	out := &Result{Trace: c.Facts.Trace, Span: c.Facts.Span, Status: span.OK, Original: span.Key{Trace: orig.Trace, Span: orig.ID}}
	a, err := s.deps.Do(ctx, c)
	if err == nil && a.Stream != nil {
		err = drain(a.Stream)
	}
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fault.Wrap(fault.Timeout, err, "the replay did not end within %s; what came is recorded as trace %s", Limit, out.Trace)
	}
	var up *llm.Error
	if !errors.As(err, &up) {
		return nil, err
	}
	out.Status, out.ErrorType, out.ErrorText = span.Error, up.Type, up.Message
	return out, nil
}

// drain reads a stream to its end, which records it.
func drain(s *gateway.Stream) error {
	defer s.Close()
	for {
		if _, err := s.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

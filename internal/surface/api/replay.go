package api

import (
	"context"
	"net/http"
	"net/url"

	"weir/internal/edge"
	"weir/internal/jsonx"
	"weir/internal/replay"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Replayer sends recorded calls again; replay.Service is one.
type Replayer interface {
	Do(ctx context.Context, who *tenant.Identity, r replay.Request) (*replay.Result, error)
}

// ReplayBody says which call is sent again, and what is changed. Nothing else than the call sends it byte for byte.
type ReplayBody struct {
	Trace     string               `json:"trace" maxLength:"200"`
	Span      string               `json:"span,omitempty" maxLength:"200" doc:"may be left out where the trace has one model call"`
	Model     string               `json:"model,omitempty" maxLength:"1024"`
	Params    map[string]jsonx.Raw `json:"params,omitempty" doc:"fields of the request by name, such as temperature; null takes one away"`
	Messages  jsonx.Raw            `json:"messages,omitempty" doc:"instead of all messages; in the dialect of the call, or as /messages shows them"`
	Prompt    *ReplayPrompt        `json:"prompt,omitempty"`
	Unchanged bool                 `json:"unchanged,omitempty" doc:"refuse any change"`
}

// ReplayPrompt is what stands before the messages.
type ReplayPrompt struct {
	System *string `json:"system,omitempty" doc:"instead of the system prompt; empty takes it away"`
}

// Replayed is the new call.
type Replayed struct {
	Trace     string `json:"trace"`
	Span      string `json:"span"`
	Status    string `json:"status" enum:"ok,error"`
	ErrorType string `json:"error_type"`
	ErrorText string `json:"error_text"`
	Replays   string `json:"replays" doc:"trace/span of the original"`
	DiffURL   string `json:"diff_url" doc:"path of the comparison with the original"`
}

type replayInput struct{ Body ReplayBody }

func (s *Surface) replaying() {
	register(s, op{
		method: http.MethodPost, path: "/replay", id: "replay",
		doc: "Send a recorded call again, unchanged or with another model, prompt or parameter, and wait up to 120 s for the answer",
	}, s.replay)
}

func (s *Surface) replay(ctx context.Context, in *replayInput) (*body[Replayed], error) {
	b := in.Body
	r := replay.Request{
		Trace: b.Trace, Span: b.Span, Model: b.Model, Params: b.Params, Messages: notNull(b.Messages), Unchanged: b.Unchanged,
		UserAgent: answerOf(ctx).r.UserAgent(), IP: s.clientIP(ctx),
	}
	if b.Prompt != nil {
		r.System = b.Prompt.System
	}
	got, err := s.Replay.Do(ctx, edge.Who(ctx), r)
	if err != nil {
		return nil, err
	}
	orig := got.Original.Trace + "/" + got.Original.Span
	return reply(Replayed{
		Trace: got.Trace, Span: got.Span, Status: string(got.Status), ErrorType: got.ErrorType, ErrorText: got.ErrorText,
		Replays: span.CallID(got.Original.Trace, got.Original.Span),
		DiffURL: "/api/v1/diff?a=" + url.QueryEscape(orig) + "&b=" + url.QueryEscape(got.Trace+"/"+got.Span),
	})
}

func notNull(r jsonx.Raw) jsonx.Raw {
	if string(r) == "null" {
		return nil
	}
	return r
}

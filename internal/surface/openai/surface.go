// Package openai is the OpenAI client dialect: chat completions and the list of models, with the fields that LiteLLM
// added to both. It decodes, calls the gateway, and encodes answers, streams and errors.
package openai

import (
	"context"
	"net/http"
	"strings"
	"time"

	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/llm"
)

// Gateway is what the surface calls.
type Gateway interface {
	// Do makes a call; see gateway.Gateway.
	Do(ctx context.Context, c *gateway.Call) (*gateway.Answer, error)
	// Deployments are those in force.
	Deployments() []*gateway.Deployment
}

var _ Gateway = (*gateway.Gateway)(nil)

// Deps is what a Surface works with. Gateway and MaxBody are required.
type Deps struct {
	Gateway  Gateway
	MaxBody  int64                                // bytes of a request body
	ClientIP func(r *http.Request) string         // nil = the peer's address
	Now      func() time.Time                     // nil = time.Now
	Expand   func(d *gateway.Deployment) []string // model names to list for a pattern such as "openai/*"; nil = the pattern itself
}

// Surface serves the dialect. It has no state.
type Surface struct{ deps Deps }

var _ edge.Surface = (*Surface)(nil)

// New returns a Surface.
func New(d Deps) *Surface {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.ClientIP == nil {
		d.ClientIP = func(r *http.Request) string { return edge.ClientIP(r, nil) }
	}
	return &Surface{deps: d}
}

// Routes implements edge.Surface.
func (s *Surface) Routes() []edge.Route {
	const chat, list, one = "Chat completion, streamed or not", "Models this key may call", "One model"
	return []edge.Route{
		{Pattern: "POST /v1/chat/completions", Handle: s.chat, Fail: fail, Doc: chat},
		{Pattern: "POST /chat/completions", Handle: s.chat, Fail: fail, Doc: chat},
		{Pattern: "GET /v1/models", Handle: s.models, Fail: fail, Doc: list},
		{Pattern: "GET /models", Handle: s.models, Fail: fail, Doc: list},
		{Pattern: "GET /v1/models/{model}", Handle: s.model, Fail: fail, Doc: one}, // shared with Anthropic's dialect
		{Pattern: "GET /v1/models/{model...}", Handle: s.model, Fail: fail, Doc: one},
		{Pattern: "GET /models/{model...}", Handle: s.model, Fail: fail, Doc: one},
	}
}

func (s *Surface) chat(w http.ResponseWriter, r *http.Request) error {
	body, err := edge.ReadBody(r, s.deps.MaxBody)
	if err != nil {
		return err
	}
	h, err := check(body)
	if err != nil {
		return err
	}
	a, err := s.deps.Gateway.Do(r.Context(), s.call(r, body, h))
	if err != nil {
		return err
	}
	if a.Stream != nil {
		return gateway.Relay(w, r, a, newCodec(a.Model, h.includeUsage, s.deps.Now().Unix()))
	}
	gateway.WriteHeaders(w.Header(), a)
	return edge.SendJSON(w, a.Status, a.Body)
}

func (s *Surface) call(r *http.Request, body []byte, h head) *gateway.Call {
	return &gateway.Call{
		Who: edge.Who(r.Context()), Dialect: llm.OpenAIChat, Model: h.model, Stream: h.stream, Body: body, Header: r.Header,
		Decode: func() (*llm.Request, error) {
			req, err := Decode(body)
			if err == nil {
				req.Betas = betas(r.Header)
			}
			return req, err
		},
		Encode: func(res *llm.Response, model string) ([]byte, error) { return Encode(res, model, s.deps.Now()) },
		Facts:  gateway.FactsFrom(r.Header, s.deps.ClientIP(r), body, llm.OpenAIChat),
	}
}

func betas(h http.Header) []string {
	var out []string
	for _, v := range h.Values("Anthropic-Beta") {
		for b := range strings.SplitSeq(v, ",") {
			if b = strings.TrimSpace(b); b != "" {
				out = append(out, b)
			}
		}
	}
	return out
}

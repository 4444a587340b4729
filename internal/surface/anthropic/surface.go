// Package anthropic is the client dialect of Anthropic's Messages API, as its SDKs and Claude Code speak it.
package anthropic

import (
	"context"
	"net/http"
	"strconv"

	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// Engine is the part of the gateway that this surface calls.
type Engine interface {
	Do(ctx context.Context, c *gateway.Call) (*gateway.Answer, error)
	CountTokens(ctx context.Context, c *gateway.Call) (int64, error)
	Deployments() []*gateway.Deployment
}

// Deps is what the surface works with.
type Deps struct {
	Gateway Engine
	MaxBody int64 // bytes; 0 = 32 MiB
	// IP is the address a request came from; nil = the peer's.
	IP func(r *http.Request) string
	// Expand names the models to list for a pattern such as "anthropic/*"; nil = none.
	Expand func(d *gateway.Deployment) []string
}

const defaultMaxBody = 32 << 20

// Surface serves the dialect.
type Surface struct{ deps Deps }

var _ edge.Surface = (*Surface)(nil)

// New returns the surface.
func New(d Deps) *Surface {
	if d.MaxBody <= 0 {
		d.MaxBody = defaultMaxBody
	}
	if d.IP == nil {
		d.IP = func(r *http.Request) string { return edge.ClientIP(r, nil) }
	}
	return &Surface{deps: d}
}

// Routes are the paths of the dialect. The model lists share theirs with the OpenAI dialect.
func (s *Surface) Routes() []edge.Route {
	routes := []edge.Route{
		{Pattern: "HEAD /{$}", Access: edge.Public, Handle: alive, Doc: "Claude Code's check that somebody listens"},
		{Pattern: "GET /v1/models", When: speaksAnthropic, Handle: s.models, Doc: "models, Anthropic's list shape"},
		{Pattern: "GET /v1/models/{model}", When: speaksAnthropic, Handle: s.model, Doc: "one model, Anthropic's shape"},
		{Pattern: "GET /v1/models/{model...}", When: speaksAnthropic, Handle: s.model, Doc: "one model whose name has slashes"},
		{Pattern: "GET /anthropic/v1/models", Handle: s.models, Doc: "alias of /v1/models"},
		{Pattern: "GET /anthropic/v1/models/{model...}", Handle: s.model, Doc: "alias of /v1/models/{model}"},
	}
	for _, prefix := range []string{"", "/anthropic"} {
		routes = append(routes,
			edge.Route{Pattern: "POST " + prefix + "/v1/messages", Handle: s.messages, Doc: "Anthropic Messages"},
			edge.Route{Pattern: "POST " + prefix + "/v1/messages/count_tokens", Handle: s.countTokens, Doc: "Anthropic token counting"},
		)
	}
	for i := range routes {
		routes[i].Fail = fail
	}
	return routes
}

func speaksAnthropic(r *http.Request) bool { return r.Header.Get("Anthropic-Version") != "" }

func alive(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Surface) messages(w http.ResponseWriter, r *http.Request) error {
	call, err := s.call(r, wire.Need{Model: true, MaxTokens: true})
	if err != nil {
		return err
	}
	a, err := s.deps.Gateway.Do(r.Context(), call)
	if err != nil {
		return err
	}
	w.Header().Set("Request-Id", requestID(a.Trace))
	if a.Stream != nil {
		return gateway.Relay(w, r, a, newCodec(a))
	}
	gateway.WriteHeaders(w.Header(), a)
	return respond(w, a.Body)
}

func (s *Surface) countTokens(w http.ResponseWriter, r *http.Request) error {
	call, err := s.call(r, wire.Need{Model: true})
	if err != nil {
		return err
	}
	n, err := s.deps.Gateway.CountTokens(r.Context(), call)
	if err != nil {
		return err
	}
	return respond(w, []byte(`{"input_tokens":`+strconv.FormatInt(n, 10)+`}`))
}

// call reads and checks the request.
func (s *Surface) call(r *http.Request, need wire.Need) (*gateway.Call, error) {
	body, err := edge.ReadBody(r, s.deps.MaxBody)
	if err != nil {
		return nil, err
	}
	head, err := wire.Inspect(body, need)
	if err != nil {
		return nil, err
	}
	return &gateway.Call{
		Who: edge.Who(r.Context()), Dialect: llm.AnthropicMessages, Model: head.Model, Stream: head.Stream, Body: body, Header: r.Header,
		Decode: func() (*llm.Request, error) { return wire.DecodeRequest(body, wire.Betas(r.Header)) },
		Encode: wire.EncodeResponse,
		Facts:  gateway.FactsFrom(r.Header, s.deps.IP(r), body, llm.AnthropicMessages),
	}, nil
}

func respond(w http.ResponseWriter, body []byte) error {
	return edge.SendJSON(w, http.StatusOK, body)
}

func respondJSON(w http.ResponseWriter, v any) error { return respond(w, jsonx.MustMarshal(v)) }

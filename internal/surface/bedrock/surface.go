// Package bedrock is the client dialect of Bedrock's InvokeModel for Anthropic models, as boto3 and Claude Code's Bedrock
// mode speak it. Requests become calls of the Messages dialect; answers get Bedrock's framing back.
package bedrock

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// Engine is the part of the gateway that this surface calls.
type Engine interface {
	Do(ctx context.Context, c *gateway.Call) (*gateway.Answer, error)
}

// Deps is what the surface works with.
type Deps struct {
	Gateway Engine
	MaxBody int64 // bytes; 0 = 32 MiB
	// IP is the address a request came from; nil = the peer's.
	IP func(r *http.Request) string
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

// Routes are the paths of the dialect, plain and below /bedrock. A model id is one escaped segment.
func (s *Surface) Routes() []edge.Route {
	var routes []edge.Route
	for _, prefix := range []string{"", "/bedrock"} {
		routes = append(routes,
			edge.Route{Pattern: "POST " + prefix + "/model/{id}/invoke", Handle: s.invoke, Doc: "Bedrock InvokeModel, Anthropic bodies"},
			edge.Route{Pattern: "POST " + prefix + "/model/{id}/invoke-with-response-stream", Handle: s.invokeStream, Doc: "the same, streamed"},
			edge.Route{Pattern: "GET " + prefix + "/inference-profiles", Handle: profiles, Doc: "Bedrock ListInferenceProfiles; always empty"},
		)
	}
	for i := range routes {
		routes[i].Fail = fail
	}
	return routes
}

// profiles answers Claude Code's look for system-defined profiles: it then takes the model id as configured.
func profiles(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, []byte(`{"inferenceProfileSummaries":[]}`))
}

func (s *Surface) invoke(w http.ResponseWriter, r *http.Request) error {
	start := time.Now()
	a, err := s.do(r, false)
	if err != nil {
		return err
	}
	gateway.WriteHeaders(w.Header(), a)
	h := w.Header()
	h.Set("X-Amzn-Requestid", a.Trace)
	usage := gjson.GetBytes(a.Body, "usage")
	h.Set("X-Amzn-Bedrock-Input-Token-Count", strconv.FormatInt(usage.Get("input_tokens").Int(), 10))
	h.Set("X-Amzn-Bedrock-Output-Token-Count", strconv.FormatInt(usage.Get("output_tokens").Int(), 10))
	h.Set("X-Amzn-Bedrock-Invocation-Latency", strconv.FormatInt(time.Since(start).Milliseconds(), 10))
	return respond(w, a.Body)
}

func (s *Surface) invokeStream(w http.ResponseWriter, r *http.Request) error {
	start := time.Now()
	a, err := s.do(r, true)
	if err != nil {
		return err
	}
	w.Header().Set("X-Amzn-Requestid", a.Trace)
	w.Header().Set("X-Amzn-Bedrock-Content-Type", "application/json")
	return gateway.Relay(w, r, a, newCodec(a.Model, start))
}

func (s *Surface) do(r *http.Request, stream bool) (*gateway.Answer, error) {
	call, err := s.call(r, stream)
	if err != nil {
		return nil, err
	}
	return s.deps.Gateway.Do(r.Context(), call)
}

// call reads the request and turns it into one of the Messages dialect: the model comes from the path, the stream flag
// from the operation, beta flags go into the header.
func (s *Surface) call(r *http.Request, stream bool) (*gateway.Call, error) {
	body, err := edge.ReadBody(r, s.deps.MaxBody)
	if err != nil {
		return nil, err
	}
	if !gjson.GetBytes(body, "anthropic_version").Exists() && jsonx.Valid(body) {
		return nil, fault.Bad("anthropic_version", "anthropic_version: Field required; only bodies of Anthropic models are taken here")
	}
	head, err := wire.Inspect(body, wire.Need{MaxTokens: true})
	if err != nil {
		return nil, err
	}
	model := r.PathValue("id")
	body = wire.PatchNative(body, wire.Patch{
		Set: []wire.Field{wire.String("model", model), {Name: "stream", Raw: jsonx.Raw(strconv.FormatBool(stream))}}, Remove: []string{"anthropic_version", "anthropic_beta"},
	})
	h := headers(r.Header, head.Betas)
	return &gateway.Call{
		Who: edge.Who(r.Context()), Dialect: llm.AnthropicMessages, Model: model, Stream: stream, Body: body, Header: h,
		Decode: func() (*llm.Request, error) { return wire.DecodeRequest(body, wire.Betas(h)) },
		Encode: wire.EncodeResponse,
		Facts:  gateway.FactsFrom(r.Header, s.deps.IP(r), body, llm.AnthropicMessages),
	}, nil
}

func headers(h http.Header, betas []string) http.Header {
	if len(betas) == 0 {
		return h
	}
	h = h.Clone()
	h.Set(wire.BetaHeader, strings.Join(append(wire.Betas(h), betas...), ","))
	return h
}

func respond(w http.ResponseWriter, body []byte) error {
	return edge.SendJSON(w, http.StatusOK, body)
}

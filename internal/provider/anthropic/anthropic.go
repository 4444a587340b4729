// Package anthropic reaches models by Anthropic's Messages API. Clients of the same dialect have their bytes patched and
// passed through; others go by the hub.
package anthropic

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

const (
	provider       = "anthropic"
	publicURL      = "https://api.anthropic.com"
	version        = "2023-06-01"
	defaultTimeout = 10 * time.Minute
	maxAnswer      = 64 << 20
	maxErrorBody   = 64 << 10
)

// Upstream is one model at one Messages endpoint.
type Upstream struct {
	target gateway.Target
	base   string
	http   *http.Client
}

var (
	_ gateway.Upstream     = (*Upstream)(nil)
	_ gateway.TokenCounter = (*Upstream)(nil)
	_ gateway.Factory      = New
)

// Endpoint is where calls go.
func (u *Upstream) Endpoint() string { return u.base }

// New returns an Upstream. The base URL may be given with or without /v1 or /v1/messages.
func New(t gateway.Target, env gateway.Env) (gateway.Upstream, error) {
	base := strings.TrimRight(t.BaseURL, "/")
	base = strings.TrimSuffix(strings.TrimSuffix(base, "/messages"), "/v1")
	if base == "" {
		base = publicURL
	}
	return &Upstream{target: t, base: base, http: env.HTTP}, nil
}

// Speaks is true of Anthropic's own dialect.
func (u *Upstream) Speaks(d llm.Dialect) bool { return d == llm.AnthropicMessages }

// Chat makes one attempt. The timeout covers a whole answer, and each silence of a stream.
func (u *Upstream) Chat(ctx context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	body, undo, err := u.body(a)
	if err != nil {
		return nil, err
	}
	if a.Sent != nil {
		a.Sent(body)
	}
	ctx, alive, cancel := u.deadline(ctx)
	res, err := u.post(ctx, "/v1/messages", body, a)
	if err != nil {
		cancel()
		return nil, err
	}
	if a.Stream {
		res.Body = &living{res.Body, alive}
		return u.stream(ctx, cancel, res, a, undo)
	}
	defer cancel()
	return u.whole(ctx, res, a, undo)
}

// CountTokens asks the API to count.
func (u *Upstream) CountTokens(ctx context.Context, a *gateway.Attempt) (int64, error) {
	body, err := u.countBody(a)
	if err != nil {
		return 0, err
	}
	ctx, _, cancel := u.deadline(ctx)
	defer cancel()
	res, err := u.post(ctx, "/v1/messages/count_tokens", body, a)
	if err != nil {
		return 0, err
	}
	answer, err := u.read(ctx, res)
	if err != nil {
		return 0, err
	}
	n := gjson.GetBytes(answer, "input_tokens")
	if n.Type != gjson.Number {
		return 0, &llm.Error{Provider: provider, Type: llm.TypeMalformed, Message: "the upstream's token count has no input_tokens"}
	}
	return n.Int(), nil
}

// deadline bounds the silence of the upstream: each call of alive starts the time anew, so that a stream that flows may
// take as long as it takes.
func (u *Upstream) deadline(ctx context.Context) (_ context.Context, alive func(), cancel context.CancelFunc) {
	d := u.target.Timeout
	if d <= 0 {
		d = defaultTimeout
	}
	ctx, cancelCause := context.WithCancelCause(ctx)
	t := time.AfterFunc(d, func() { cancelCause(errTimeout) })
	return ctx, func() { t.Reset(d) }, func() { t.Stop(); cancelCause(nil) }
}

// body is what to send: the client's bytes with the model changed, or the hub's request written out.
func (u *Upstream) body(a *gateway.Attempt) ([]byte, wire.Undo, error) {
	if a.Hub != nil {
		req, undo, err := wire.EncodeRequest(a.Hub, u.options(a))
		if err != nil {
			return nil, undo, err
		}
		req.Stream = a.Stream
		body, err := req.Marshal()
		return body, undo, err
	}
	p := wire.Patch{Set: []wire.Field{wire.String("model", u.target.Model)}, Remove: gatewayFields, CachePoints: a.CachePoints}
	if a.Stream {
		p.Set = append(p.Set, wire.Field{Name: "stream", Raw: jsonx.Raw("true")})
	}
	return wire.PatchNative(a.Native, p), wire.Undo{}, nil
}

// gatewayFields are meant for a gateway, and refused by the API as extra inputs.
var gatewayFields = []string{
	"drop_params", "litellm_metadata", "litellm_session_id", "litellm_call_id", "litellm_trace_id", "tags", "fallbacks", "num_retries",
}

func (u *Upstream) countBody(a *gateway.Attempt) ([]byte, error) {
	if a.Hub != nil {
		req, _, err := wire.EncodeRequest(a.Hub, u.options(a))
		if err != nil {
			return nil, err
		}
		return req.Count().Marshal()
	}
	return wire.PatchNative(a.Native, wire.Patch{
		Set:    []wire.Field{wire.String("model", u.target.Model)},
		Remove: append([]string{"stream", "max_tokens"}, gatewayFields...),
	}), nil
}

func (u *Upstream) options(a *gateway.Attempt) wire.Options {
	return wire.Options{Provider: provider, Model: u.target.Model, Known: a.Model, Drop: a.Drop}
}

// whole reads an answer that is not streamed.
func (u *Upstream) whole(ctx context.Context, res *http.Response, a *gateway.Attempt, undo wire.Undo) (*gateway.Result, error) {
	body, err := u.read(ctx, res)
	if err != nil {
		return nil, err
	}
	answer, err := wire.DecodeResponse(provider, body, undo)
	if err != nil {
		return nil, err
	}
	r := &gateway.Result{Status: res.StatusCode, Header: res.Header, Response: answer}
	if a.Native != nil {
		r.Body = wire.PatchNative(body, wire.Patch{Set: []wire.Field{wire.String("model", a.As)}})
	}
	return r, nil
}

func (u *Upstream) read(ctx context.Context, res *http.Response) ([]byte, error) {
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, transportError(ctx, err, llm.TypeCut, "the upstream's answer broke off")
	case len(body) > maxAnswer:
		return nil, &llm.Error{Provider: provider, Type: llm.TypeMalformed, Message: "the upstream's answer is too large"}
	}
	return body, nil
}

package anthropic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"weir/internal/gateway"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// errTimeout is the cause of a deadline of ours, to be told from the caller's.
var errTimeout = errors.New("the upstream did not answer in time")

// post sends a request and returns a 2xx answer, whose body the caller closes.
func (u *Upstream) post(ctx context.Context, path string, body []byte, a *gateway.Attempt) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &llm.Error{Provider: provider, Type: llm.TypeUnreachable, Message: "the upstream's base URL is not valid", Err: err, Final: true}
	}
	if err := u.headers(req.Header, a); err != nil {
		return nil, err
	}
	res, err := u.http.Do(req)
	if err != nil {
		return nil, transportError(ctx, err, llm.TypeUnreachable, "the upstream could not be reached"+llm.WhyUnreachable(err))
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, failure(res)
	}
	return res, nil
}

func (u *Upstream) headers(h http.Header, a *gateway.Attempt) error {
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "weir")
	h.Set("Anthropic-Version", version)
	if v := a.Header.Get("Anthropic-Version"); v != "" {
		h.Set("Anthropic-Version", v)
	}
	for k, v := range u.target.Headers {
		h.Set(k, v)
	}
	betas := append(wire.Betas(a.Header), wire.Betas(h)...)
	if a.Hub != nil {
		betas = append(betas, a.Hub.Betas...)
	}
	betas, err := u.authorize(h, betas)
	if err != nil {
		return err
	}
	h.Del("Anthropic-Beta")
	if len(betas) > 0 {
		slices.Sort(betas)
		h.Set("Anthropic-Beta", strings.Join(slices.Compact(betas), ","))
	}
	return nil
}

// oauthPrefix starts access tokens of a subscription login, which go as Bearer and need a flag.
const oauthPrefix = "sk-ant-oat"

// authorize adds the credential, unless configured headers bring their own.
func (u *Upstream) authorize(h http.Header, betas []string) ([]string, error) {
	key := u.target.APIKey.Reveal()
	switch {
	case h.Get("X-Api-Key") != "" || h.Get("Authorization") != "":
	case strings.HasPrefix(key, oauthPrefix):
		h.Set("Authorization", "Bearer "+key)
		betas = append(betas, "oauth-2025-04-20")
	case key != "":
		h.Set("X-Api-Key", key)
	case u.base == publicURL:
		return nil, &llm.Error{
			Provider: provider, Type: llm.TypeCredentials, Message: "no API key is configured for Anthropic; set ANTHROPIC_API_KEY or api_key",
		}
	}
	return betas, nil
}

// failure reads the answer to a refused request.
func failure(res *http.Response) error {
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // what can be read of it is better than nothing
	e := wire.DecodeFailure(provider, res.StatusCode, body)
	e.RetryAfter = llm.RetryAfter(res.Header, time.Now())
	e.Final = res.Header.Get("X-Should-Retry") == "false"
	return e
}

// transportError tells the caller's cancellation (returned as it is), our timeout, and trouble on the way apart.
func transportError(ctx context.Context, err error, kind, msg string) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // without the URL, which may hold a secret
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		kind, msg = llm.TypeTimeout, errTimeout.Error()
	case ctx.Err() != nil:
		return ctx.Err()
	case kind == llm.TypeUnreachable && errors.As(err, &timeout) && timeout.Timeout():
		kind, msg = llm.TypeTimeout, errTimeout.Error()
	}
	return &llm.Error{Provider: provider, Type: kind, Message: msg, Err: err}
}

// Package openaicompat reaches OpenAI and every server that speaks its chat completions. What the servers differ in is
// data (Rows). Requests of OpenAI clients are patched in place and streamed through, so that unknown fields survive;
// requests of other dialects are translated from the hub.
package openaicompat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/llm"
)

const (
	defaultTimeout = 10 * time.Minute
	maxAnswer      = 64 << 20 // bytes of a whole answer
	maxEvent       = 8 << 20  // bytes of one stream event
	maxErrorBody   = 64 << 10
)

// Upstream is one deployment.
type Upstream struct {
	target gateway.Target
	row    Row
	url    *url.URL // shared by all requests
	header http.Header
	http   *http.Client
}

var _ gateway.Upstream = (*Upstream)(nil)
var _ gateway.Factory = New

// Endpoint is where calls go.
func (u *Upstream) Endpoint() string { return u.url.String() }

// New builds the upstream of a target whose Provider names a row; any other name is taken as the generic row.
func New(t gateway.Target, env gateway.Env) (gateway.Upstream, error) {
	row, ok := RowOf(t.Provider)
	if !ok {
		row, _ = RowOf(Generic)
	}
	base := strings.TrimRight(t.BaseURL, "/")
	if base == "" {
		base = row.BaseURL
	}
	base = strings.TrimSuffix(base, "/chat/completions")
	u, err := url.Parse(base)
	if base == "" || err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.Bad("api_base", "provider %s needs api_base, an http or https URL such as https://llm.example.com/v1", t.Provider)
	}
	if row.Name == "openai" && u.Hostname() != "openai.com" && !strings.HasSuffix(u.Hostname(), ".openai.com") {
		row = elsewhere(row)
	}
	u.Host = strings.TrimSuffix(u.Host, ":")
	u.Path = strings.TrimRight(u.Path, "/") + "/chat/completions"
	client := *env.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a redirect would carry the key away
	return &Upstream{target: t, row: row, url: u, header: headerOf(&t, &row), http: &client}, nil
}

// headerOf is what all requests of a deployment say, whether streamed or not.
func headerOf(t *gateway.Target, row *Row) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if key := t.APIKey.Reveal(); key != "" {
		if row.KeyHeader != "" {
			h.Set(row.KeyHeader, key)
		} else {
			h.Set("Authorization", "Bearer "+key)
		}
	}
	for k, v := range t.Headers {
		h.Set(k, v)
	}
	return h
}

// Speaks implements gateway.Upstream.
func (u *Upstream) Speaks(d llm.Dialect) bool { return d == llm.OpenAIChat }

// Chat implements gateway.Upstream.
func (u *Upstream) Chat(ctx context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	if u.row.KeyNeeded && u.target.APIKey == "" {
		return nil, &llm.Error{Provider: u.target.Provider, Type: llm.TypeCredentials, Message: "no API key is configured for " + u.target.Provider}
	}
	body, plan, err := u.body(a)
	if err != nil {
		return nil, err
	}
	if a.Sent != nil {
		a.Sent(body)
	}
	watch := u.watch(ctx, a)
	resp, err := u.post(watch.ctx, body, a)
	if err != nil {
		defer watch.stop()
		return nil, u.transportError(ctx, watch, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer watch.stop()
		defer resp.Body.Close()
		return nil, u.refusal(resp)
	}
	if a.Stream && !isJSON(resp.Header) {
		return &gateway.Result{Status: resp.StatusCode, Header: resp.Header, Stream: u.newStream(ctx, watch, resp.Body, plan)}, nil
	}
	defer watch.stop()
	defer resp.Body.Close()
	answer, err := readAll(resp, maxAnswer)
	if err != nil {
		return nil, u.transportError(ctx, watch, err)
	}
	return u.whole(resp, answer, a)
}

// watch is none of its own where the caller's deadline comes first and silence is all there is before an answer.
func (u *Upstream) watch(ctx context.Context, a *gateway.Attempt) *watch {
	limit := u.timeout()
	if end, ok := ctx.Deadline(); ok && !a.Stream && time.Until(end) <= limit {
		return &watch{ctx: ctx}
	}
	return newWatch(ctx, limit)
}

func (u *Upstream) timeout() time.Duration {
	if u.target.Timeout > 0 {
		return u.target.Timeout
	}
	return defaultTimeout
}

// body makes the request body, native or translated.
func (u *Upstream) body(a *gateway.Attempt) ([]byte, plan, error) {
	if a.Native != nil {
		return u.patch(a)
	}
	body, err := u.encode(a)
	return body, plan{as: a.As, hideUsage: true}, err
}

// Values of headers, which nobody changes.
var acceptJSON, acceptEvents = []string{"application/json"}, []string{"text/event-stream"}

func (u *Upstream) post(ctx context.Context, body []byte, a *gateway.Attempt) (*http.Response, error) {
	req := (&http.Request{}).WithContext(ctx)
	req.Method, req.URL, req.Host, req.Proto, req.ProtoMajor, req.ProtoMinor = http.MethodPost, u.url, u.url.Host, "HTTP/1.1", 1, 1
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Header = make(http.Header, len(u.header)+1)
	req.Header["Accept"] = acceptJSON
	if a.Stream {
		req.Header["Accept"] = acceptEvents
	}
	maps.Copy(req.Header, u.header)
	if t := u.http.Transport; t != nil && req.URL.User == nil {
		return t.RoundTrip(req) // redirects and cookies, which the client is for, are not wanted; it costs several µs a call
	}
	return u.http.Do(req)
}

// whole reads an answer that is not a stream.
func (u *Upstream) whole(resp *http.Response, answer []byte, a *gateway.Attempt) (*gateway.Result, error) {
	var r *llm.Response
	var model place
	if a.Native != nil && !a.Stream {
		r, model = plainAnswer(answer)
	}
	if r == nil {
		var err error
		if r, err = u.decode(answer); err != nil {
			return nil, err
		}
		model = modelOf(answer)
	}
	res := &gateway.Result{Status: resp.StatusCode, Header: resp.Header, Response: r}
	switch {
	case a.Stream: // asked for a stream, and answered whole
		res.Response, res.Stream = nil, replay(r)
	case a.Native != nil:
		res.Body = restamp(answer, model, a.As)
	}
	return res, nil
}

func isJSON(h http.Header) bool {
	t, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return t == "application/json"
}

var errTooLarge = errors.New("answer too large")

func readAll(resp *http.Response, limit int64) ([]byte, error) {
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= limit {
		b.Grow(int(n) + bytes.MinRead) // the last read finds the end without growing
	}
	_, err := b.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(b.Len()) > limit {
		err = errTooLarge
	}
	return b.Bytes(), err
}

// watch ends an attempt whose upstream is silent for too long. Every sign of life starts the time anew, so a stream
// that flows may take as long as it takes.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil if the watch only stands for its context
	limit  time.Duration
}

var errSilent = errors.New("upstream is silent")

func newWatch(ctx context.Context, limit time.Duration) *watch {
	w := &watch{limit: limit}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(limit, func() { w.cancel(errSilent) })
	return w
}

func (w *watch) alive()         { w.timer.Reset(w.limit) }
func (w *watch) timedOut() bool { return context.Cause(w.ctx) == errSilent }

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.cancel(nil)
	}
}

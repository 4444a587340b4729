package bedrock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

const (
	signingName = "bedrock" // not the host's "bedrock-runtime"
	maxAnswer   = 64 << 20
	maxError    = 64 << 10
)

// exchange is one HTTP exchange under an idle deadline: the answer must begin, and then go on, within it.
type exchange struct {
	ctx    context.Context // the caller's
	res    *http.Response
	idle   time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
	inner  context.Context
	once   sync.Once
}

var errIdle = errors.New("upstream was silent for too long")

// send posts body to /model/{id}/{action} and returns the exchange once a 2xx began. The caller must close it.
func (u *Upstream) send(ctx context.Context, action, accept string, body []byte) (*exchange, error) {
	x := &exchange{ctx: ctx, idle: u.timeout}
	x.inner, x.cancel = context.WithCancelCause(ctx)
	x.timer = time.AfterFunc(x.idle, func() { x.cancel(errIdle) })
	req, err := u.request(x.inner, action, accept, body)
	if err != nil {
		defer x.close()
		if errors.Is(err, context.Canceled) {
			return nil, x.failed(err, llm.TypeTimeout, "")
		}
		return nil, err
	}
	if x.res, err = u.http.Do(req); err != nil {
		defer x.close()
		return nil, x.failed(err, llm.TypeUnreachable, "the upstream could not be reached"+llm.WhyUnreachable(err))
	}
	x.timer.Stop()
	if x.res.StatusCode/100 != 2 {
		defer x.close()
		return nil, u.refused(x)
	}
	return x, nil
}

// refused turns a status other than 2xx into an error.
func (u *Upstream) refused(x *exchange) error {
	body, err := io.ReadAll(io.LimitReader(x, maxError))
	if err != nil && x.ctx.Err() != nil {
		return x.ctx.Err()
	}
	e := errorOf(x.res.StatusCode, x.res.Header, body)
	if u.creds != nil && (e.Type == "ExpiredTokenException" || e.Type == "ExpiredToken") {
		u.creds.forget()
	}
	return e
}

// Read reads the answer's body under the idle deadline. The time the reader itself takes between reads is not counted.
func (x *exchange) Read(p []byte) (int, error) {
	x.timer.Reset(x.idle)
	defer x.timer.Stop()
	return x.res.Body.Read(p)
}

// all reads the whole answer.
func (x *exchange) all() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(x, maxAnswer+1))
	switch {
	case err != nil:
		return nil, x.failed(err, llm.TypeCut, "the answer was cut off")
	case len(b) > maxAnswer:
		return nil, broken(llm.TypeMalformed, "the answer is larger than 64 MiB", nil)
	}
	return b, nil
}

// close cancels what still runs and releases the connection.
func (x *exchange) close() {
	x.once.Do(func() {
		x.timer.Stop()
		x.cancel(nil)
		if x.res != nil {
			_ = x.res.Body.Close()
		}
	})
}

// failed names a transport error: the caller's own cancellation, our deadline, a timeout of the network, or the kind
// of failure given.
func (x *exchange) failed(err error, kind, msg string) error {
	var timeout net.Error
	switch {
	case x.ctx.Err() != nil:
		return x.ctx.Err()
	case errors.Is(context.Cause(x.inner), errIdle), errors.As(err, &timeout) && timeout.Timeout():
		return broken(llm.TypeTimeout, "the upstream did not answer in time", err)
	}
	return broken(kind, msg, err)
}

func broken(kind, msg string, err error) *llm.Error {
	return &llm.Error{Provider: provider, Type: kind, Message: msg, Err: err}
}

func (u *Upstream) request(ctx context.Context, action, accept string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base.String(), bytes.NewReader(body))
	if err != nil {
		return nil, broken(llm.TypeUnreachable, "the upstream's address is not usable", err)
	}
	req.URL = u.url(action)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	for k, v := range u.headers {
		req.Header.Set(k, v)
	}
	if u.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+u.bearer.Reveal())
		return req, nil
	}
	return req, u.sign(ctx, req, body)
}

func (u *Upstream) sign(ctx context.Context, req *http.Request, body []byte) error {
	creds, err := u.creds.get(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	// The signer escapes the already escaped path once more, as the service does when it checks.
	if err := u.signer.SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), signingName, u.region, u.now()); err != nil {
		return broken(llm.TypeCredentials, "the request could not be signed", err)
	}
	return nil
}

// url puts the model id into the path as one escaped segment.
func (u *Upstream) url(action string) *url.URL {
	out := *u.base
	out.Path = strings.TrimSuffix(u.base.Path, "/") + "/model/" + u.model + "/" + action
	out.RawPath = strings.TrimSuffix(u.base.EscapedPath(), "/") + "/model/" + escapeSegment(u.model) + "/" + action
	return &out
}

// escapeSegment escapes all but RFC 3986's unreserved characters: unlike url.PathEscape also ":", as AWS SDKs do.
func escapeSegment(s string) string {
	const upper = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', upper[c>>4], upper[c&15]})
		}
	}
	return b.String()
}

const (
	acceptJSON   = "application/json"
	acceptStream = wire.ContentTypeStream
)

// Package edge is where HTTP meets the engine: routes as data, one adapter that authenticates, runs a handler, writes
// its error in the client's dialect, and logs and counts the outcome exactly once. Surfaces build on it.
package edge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"

	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/tenant"
)

// Handler serves a request or returns an error before having written anything. An error after the first write is
// logged only.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Fail writes an error in a surface's envelope: err is a *fault.Error, an *llm.Error, a context error, or unknown
// (which must be shown as a generic internal error).
type Fail func(w http.ResponseWriter, r *http.Request, err error)

// Access says who may use a route.
type Access uint8

const (
	Member Access = iota // any verified identity
	Public               // no credential is looked at
	Admin                // administrators only
)

// Route is one line of a surface's table.
type Route struct {
	Pattern string // net/http pattern with method, e.g. "POST /v1/chat/completions"
	Access  Access
	Handle  Handler
	Fail    Fail
	// When decides between surfaces that share a pattern; nil is the default, tried last.
	When func(r *http.Request) bool
	// Doc is a short description for the route table in the documentation.
	Doc string
}

// Surface is a client dialect: a list of routes.
type Surface interface{ Routes() []Route }

// Authenticator verifies the credential of a request. It returns fault.Unauthenticated, fault.Expired or
// fault.Forbidden (blocked), or an identity.
type Authenticator interface {
	Authenticate(r *http.Request) (*tenant.Identity, error)
}

type whoKey struct{}

// WithWho attaches the caller.
func WithWho(ctx context.Context, who *tenant.Identity) context.Context {
	return context.WithValue(ctx, whoKey{}, who)
}

// Who is the verified caller of a request behind a Member or Admin route; nil on a Public one.
func Who(ctx context.Context) *tenant.Identity {
	who, _ := ctx.Value(whoKey{}).(*tenant.Identity)
	return who
}

// ReadBody reads the whole body, at most limit bytes. It must be read to its end before a stream is started, or HTTP/1
// cuts the stream.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	n := int64(4096)
	if r.ContentLength > 0 {
		n = r.ContentLength + 1 // one more, so that the end is seen without growing
	}
	return ReadInto(make([]byte, 0, n), r, limit)
}

// ReadInto is ReadBody that appends to memory of the caller.
func ReadInto(buf []byte, r *http.Request, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, tooLarge(limit)
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, bodyError(r, err)
		}
	}
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "request body is larger than the limit of %d bytes", limit)
}

func bodyError(r *http.Request, err error) error {
	var big *http.MaxBytesError
	var own *fault.Error
	switch {
	case errors.As(err, &big):
		return tooLarge(big.Limit)
	case errors.As(err, &own):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.Wrap(fault.Invalid, err, "request body did not arrive in time")
	case r.Context().Err() != nil:
		return fault.Wrap(fault.Canceled, err, "client closed the connection")
	}
	return fault.Wrap(fault.Invalid, err, "request body could not be read")
}

// Status maps a fault kind to HTTP; surfaces use it for the status and choose their own words.
func Status(err error) int {
	var up *llm.Error
	if errors.As(err, &up) {
		return up.HTTPStatus()
	}
	return fault.KindOf(err).HTTPStatus()
}

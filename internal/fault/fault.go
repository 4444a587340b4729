// Package fault is the one error vocabulary of Weir. Everything below the edge returns an *Error (or wraps one);
// each surface has a single table that turns its Kind into a status and the envelope its clients expect.
package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Kind says what went wrong in terms a caller can act on. It is not an HTTP status: surfaces map it to theirs.
type Kind string

const (
	Invalid         Kind = "invalid"         // the request is malformed; Field names the culprit where known
	Unauthenticated Kind = "unauthenticated" // no credential, or an unknown one
	Expired         Kind = "expired"         // a credential that was good once
	Forbidden       Kind = "forbidden"       // a good credential that may not do this
	ModelDenied     Kind = "model_denied"    // the key (or its team) may not call this model
	NotFound        Kind = "not_found"       // no such object, in this project
	ModelNotFound   Kind = "model_not_found" // no deployment answers to this model name
	Conflict        Kind = "conflict"        // the object exists, or has changed meanwhile
	TooLarge        Kind = "too_large"       // body or field over its limit
	BudgetExceeded  Kind = "budget_exceeded" // spend plus reservations reached the budget
	RateLimited     Kind = "rate_limited"    // too many calls; RetryAfter is set
	Unavailable     Kind = "unavailable"     // Weir cannot do this now (overload, disk low); RetryAfter is set
	Timeout         Kind = "timeout"         // a deadline of ours passed
	Canceled        Kind = "canceled"        // the client went away
	Internal        Kind = "internal"        // a bug or a broken store; Msg stays generic
)

// Error is a failure with a message that is safe to show and a cause that is not.
type Error struct {
	Kind       Kind
	Msg        string        // shown to the client; never holds a secret or a stack
	Field      string        // JSON path of the offending field, e.g. "messages[2].content"; empty if none
	RetryAfter time.Duration // 0 = not stated
	Err        error         // private cause, for logs
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// New returns an Error of a kind with a formatted, client-safe message.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error that keeps err as its private cause.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Err: err}
}

// Bad is an Invalid error about one field, given as a JSON path.
func Bad(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// KindOf finds the kind of any error: context errors have theirs, an unknown error is Internal, nil is "".
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// Is reports whether err is of kind k.
func Is(err error, k Kind) bool { return KindOf(err) == k }

// StatusClientClosed is the de-facto status of a call whose client went away. Nobody receives it; records show it.
const StatusClientClosed = 499

// HTTPStatus is the status most surfaces answer with, and the one recorded.
func (k Kind) HTTPStatus() int {
	switch k {
	case Invalid:
		return http.StatusBadRequest
	case Unauthenticated, Expired:
		return http.StatusUnauthorized
	case Forbidden, ModelDenied:
		return http.StatusForbidden
	case NotFound, ModelNotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case BudgetExceeded, RateLimited:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	case Canceled:
		return StatusClientClosed
	}
	return http.StatusInternalServerError
}

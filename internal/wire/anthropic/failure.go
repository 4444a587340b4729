package anthropic

import (
	"net/http"

	"github.com/tidwall/gjson"

	"weir/internal/llm"
)

// statuses are the HTTP statuses of Anthropic's error types, for errors that come within a stream.
// https://docs.anthropic.com/en/api/errors
var statuses = map[string]int{
	"invalid_request_error": http.StatusBadRequest, "authentication_error": http.StatusUnauthorized,
	"billing_error": http.StatusPaymentRequired, "permission_error": http.StatusForbidden, "not_found_error": http.StatusNotFound,
	"request_too_large": http.StatusRequestEntityTooLarge, "rate_limit_error": http.StatusTooManyRequests,
	"api_error": http.StatusInternalServerError, "timeout_error": http.StatusGatewayTimeout, "overloaded_error": StatusOverloaded,
}

// StatusOverloaded is Anthropic's own status for an overloaded service.
const StatusOverloaded = 529

// TypeOfStatus is the error type that goes with a status.
func TypeOfStatus(status int) string {
	for t, s := range statuses {
		if s == status {
			return t
		}
	}
	switch {
	case status == http.StatusServiceUnavailable:
		return "overloaded_error"
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusFailedDependency:
		return "api_error"
	}
	return "invalid_request_error"
}

// IsType reports whether t is one of the API's own error types.
func IsType(t string) bool { return statuses[t] != 0 }

// DecodeFailure reads an error body of whatever shape: Anthropic's envelope, Bedrock's {"message"}, a bare string, or
// nothing of use, in which case the status speaks.
func DecodeFailure(provider string, status int, body []byte) *llm.Error {
	e := &llm.Error{Provider: provider, Status: status, Body: body}
	v := gjson.ParseBytes(body)
	switch inner := v.Get("error"); {
	case inner.IsObject():
		e.Type, e.Message = inner.Get("type").String(), inner.Get("message").String()
	case inner.Type == gjson.String:
		e.Message = inner.Str
	default:
		e.Message = v.Get("message").String()
	}
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	if e.Type == "" {
		e.Type = TypeOfStatus(status)
	}
	return e
}

// failureEvent reads an in-stream error event.
func failureEvent(provider string, v gjson.Result) *llm.Error {
	e := &llm.Error{
		Provider: provider, Type: v.Get("error.type").String(), Message: v.Get("error.message").String(), Body: []byte(v.Raw),
	}
	if e.Status = statuses[e.Type]; e.Status == 0 {
		e.Status = http.StatusInternalServerError
	}
	if e.Message == "" {
		e.Message = "the upstream reported an error in the stream"
	}
	return e
}

package llm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a failure an upstream reported, or the lack of an upstream. Its status and wording reach the client, since
// agents classify failures by them (context overflow, rate limits).
type Error struct {
	Provider   string
	Status     int           // upstream's HTTP status; 0 = no HTTP answer (refused, TLS, garbage, cut)
	Type       string        // upstream's own error class, e.g. "ThrottlingException", "overloaded_error"
	Code       string        // upstream's code, e.g. "context_length_exceeded"
	Param      string        // the field the upstream blames
	Message    string        // upstream's wording
	Body       []byte        // upstream's body, bounded to 64 KiB, for the record
	RetryAfter time.Duration // 0 = not stated
	Final      bool          // must not be retried although the status suggests it (insufficient_quota)
	Err        error         // transport cause
}

func (e *Error) Error() string {
	s := e.Provider + ": "
	if e.Status != 0 {
		s += strconv.Itoa(e.Status) + " "
	}
	s += e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// HTTPStatus is the status to give the client: the upstream's, or 502 (504 for a timeout) where there was none.
func (e *Error) HTTPStatus() int {
	switch {
	case e.Status >= 400 && e.Status < 600:
		return e.Status
	case e.Type == TypeTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// Types of errors that are Weir's own words for the lack of a proper answer.
const (
	TypeUnreachable = "upstream_unreachable" // DNS, connect, TLS
	TypeTimeout     = "upstream_timeout"
	TypeMalformed   = "upstream_malformed" // garbage, half a frame
	TypeCut         = "upstream_cut"       // the stream ended without an end
	TypeEmpty       = "upstream_empty"     // 200 without output
	TypeCredentials = "upstream_credentials"
)

// Retryable reports whether the same request may succeed elsewhere or later: 408, 409, 429 (but not an exhausted
// quota), 5xx, and answers that never came.
func (e *Error) Retryable() bool {
	if e.Final {
		return false
	}
	switch e.Status {
	case 0:
		return e.Type != TypeCredentials
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	case http.StatusFailedDependency: // Bedrock's ModelErrorException
		return true
	}
	return e.Status >= 500
}

// Unsupported is the refusal of a parameter the upstream does not take, when drop_params is off.
func Unsupported(provider, param, why string) *Error {
	return &Error{
		Provider: provider, Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "unsupported_parameter", Param: param, Final: true,
		Message: fmt.Sprintf("%s does not support parameter %q%s; leave it out or set drop_params: true", provider, param, why),
	}
}

// IsContextOverflow reports that the prompt was too long for the model, by code or wording: providers agree on neither.
func (e *Error) IsContextOverflow() bool {
	if e.Code == "context_length_exceeded" {
		return true
	}
	if e.Status != http.StatusBadRequest && e.Status != http.StatusRequestEntityTooLarge && e.Status != http.StatusUnprocessableEntity {
		return false
	}
	return containsAny(e.Message, "prompt is too long", "input is too long", "context window", "context length", "too many tokens", "maximum context")
}

// IsContentRefusal reports that a filter refused the request.
func (e *Error) IsContentRefusal() bool {
	return e.Code == "content_filter" || e.Code == "content_policy_violation" ||
		e.Status == http.StatusBadRequest && containsAny(e.Message, "content management policy", "content filter", "safety system")
}

// Misconfigured reports that the deployment, not the request, is at fault: credentials, access or model id.
func (e *Error) Misconfigured() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return e.Type == TypeCredentials
}

func containsAny(s string, words ...string) bool {
	s = strings.ToLower(s)
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// RetryAfter is what an upstream asks for: Retry-After-Ms, or Retry-After in seconds or as a date; 0 if neither is given.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

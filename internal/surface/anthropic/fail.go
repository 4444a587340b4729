package anthropic

import (
	"errors"
	"net/http"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// types are the API's words for our kinds of trouble.
var types = map[fault.Kind]string{
	fault.Invalid: "invalid_request_error", fault.Conflict: "invalid_request_error", fault.TooLarge: "request_too_large",
	fault.Unauthenticated: "authentication_error", fault.Expired: "authentication_error",
	fault.Forbidden: "permission_error", fault.ModelDenied: "permission_error",
	fault.NotFound: "not_found_error", fault.ModelNotFound: "not_found_error",
	fault.BudgetExceeded: "rate_limit_error", fault.RateLimited: "rate_limit_error",
	fault.Unavailable: "overloaded_error", fault.Timeout: "timeout_error",
}

// describe gives an error its status and its words. An upstream's own words are kept, since agents act on them.
func describe(err error) (int, wire.FailureDetail) {
	status := edge.Status(err)
	var up *llm.Error
	if errors.As(err, &up) {
		t := up.Type
		if !wire.IsType(t) {
			t = wire.TypeOfStatus(status)
		}
		return status, wire.FailureDetail{Type: t, Message: up.Message}
	}
	var f *fault.Error
	if t, ok := types[fault.KindOf(err)]; ok && errors.As(err, &f) {
		return status, wire.FailureDetail{Type: t, Message: f.Msg}
	}
	return status, wire.FailureDetail{Type: "api_error", Message: "Internal server error"}
}

func fail(w http.ResponseWriter, _ *http.Request, err error) {
	status, detail := describe(err)
	h := w.Header()
	rid := requestID(h.Get("X-Weir-Trace-Id"))
	h.Set("Content-Type", "application/json")
	h.Set("Request-Id", rid)
	if fault.KindOf(err) == fault.BudgetExceeded {
		h.Set("X-Should-Retry", "false") // else SDKs repeat a 429 that time does not heal
	}
	w.WriteHeader(status)
	_, _ = w.Write(jsonx.MustMarshal(wire.Failure{Type: "error", Error: detail, RequestID: rid}))
}

// requestID names a request as the API does: by its trace where it has one.
func requestID(trace string) string {
	if trace == "" {
		trace = id.Trace()
	}
	return "req_" + trace
}

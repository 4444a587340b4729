package openai

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/openai"
)

// word is how a kind of failure is put: OpenAI's or LiteLLM's type, and a code. Without a code, the status as text
// stands there, as LiteLLM has it.
type word struct{ kind, code string }

var words = map[fault.Kind]word{
	fault.Invalid:         {"invalid_request_error", "invalid_request"},
	fault.Unauthenticated: {"auth_error", ""},
	fault.Expired:         {"expired_key", ""},
	fault.Forbidden:       {"auth_error", ""},
	fault.ModelDenied:     {"key_model_access_denied", ""},
	fault.NotFound:        {"not_found_error", ""},
	fault.ModelNotFound:   {"invalid_request_error", "model_not_found"},
	fault.Conflict:        {"bad_request_error", ""},
	fault.TooLarge:        {"invalid_request_error", "request_too_large"},
	fault.BudgetExceeded:  {"budget_exceeded", ""},
	fault.RateLimited:     {"rate_limit_error", "rate_limit_exceeded"},
	fault.Unavailable:     {"service_unavailable_error", ""},
	fault.Timeout:         {"timeout_error", ""},
	fault.Canceled:        {"request_canceled", ""},
	fault.Internal:        {"internal_server_error", ""},
}

// fail writes the error envelope. Retry-After has been set where there is one to set.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	status := edge.Status(err)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if fault.Is(err, fault.BudgetExceeded) {
		h.Set("X-Should-Retry", "false") // else SDKs repeat a 429 that time does not heal
	} else if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write(jsonx.MustMarshal(wire.ErrorEnvelope{Error: errorBody(err)}))
}

func errorBody(err error) wire.ErrorBody {
	var up *llm.Error
	if errors.As(err, &up) {
		return upstreamBody(up)
	}
	kind := fault.KindOf(err)
	wd, status := words[kind], kind.HTTPStatus()
	e := wire.ErrorBody{Message: http.StatusText(status), Type: wd.kind, Code: &wd.code}
	if wd.code == "" {
		e.Code = new(strconv.Itoa(status))
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return e
	}
	e.Message = f.Msg
	switch {
	case f.Field != "":
		e.Param = &f.Field
		if kind == fault.Unauthenticated && f.Field == "key" { // auth says so of unknown keys
			e.Type = "token_not_found_in_db"
		}
	case kind == fault.ModelDenied:
		e.Param = new("model")
		if strings.HasPrefix(f.Msg, "team ") {
			e.Type = "team_model_access_denied"
		}
	case kind == fault.ModelNotFound:
		e.Param = new("model")
	}
	return e
}

// upstreamBody keeps the upstream's own words: agents classify failures by them.
func upstreamBody(up *llm.Error) wire.ErrorBody {
	e := wire.ErrorBody{Message: up.Message, Type: up.Type}
	if e.Type == "" {
		e.Type = typeOf(up.HTTPStatus())
	}
	if up.Param != "" {
		e.Param = &up.Param
	}
	switch {
	case up.Code != "":
		e.Code = &up.Code
	case up.IsContextOverflow():
		e.Code = new("context_length_exceeded")
	}
	return e
}

func typeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusNotFound:
		return "not_found_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status < 500:
		return "invalid_request_error"
	}
	return "server_error"
}

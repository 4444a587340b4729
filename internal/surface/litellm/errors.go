package litellm

import (
	"errors"
	"net/http"
	"strconv"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// errorBody is LiteLLM's envelope; code is the status as text.
type errorBody struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	} `json:"error"`
}

// invalidBody is FastAPI's answer to a body or query of the wrong shape.
type invalidBody struct {
	cause  *fault.Error
	Detail []problem
}

func (e *invalidBody) Error() string { return e.cause.Msg }
func (e *invalidBody) Unwrap() error { return e.cause }

type problem struct {
	Type  string    `json:"type"`
	Loc   []any     `json:"loc"`
	Msg   string    `json:"msg"`
	Input jsonx.Raw `json:"input,omitempty"`
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	var bad *invalidBody
	if errors.As(err, &bad) {
		_ = writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": bad.Detail})
		return
	}
	status := statusOf(err)
	var out errorBody
	out.Error.Message, out.Error.Type, out.Error.Code = "Internal Server Error", typeOf(err), strconv.Itoa(status)
	var f *fault.Error
	var up *llm.Error
	switch {
	case errors.As(err, &f):
		if f.Kind != fault.Internal {
			out.Error.Message = f.Msg
		}
		out.Error.Param = paramOf(f)
	case errors.As(err, &up):
		out.Error.Message = up.Message
	}
	_ = writeJSON(w, status, out) // the client may be gone; the adapter logs err itself
}

// paramOf is the field at fault; LiteLLM writes a missing one as the text "None" in errors about credentials.
func paramOf(f *fault.Error) *string {
	none := "None"
	switch {
	case f.Field != "":
		return &f.Field
	case f.Kind == fault.Unauthenticated:
		return &none
	}
	return nil
}

// statusOf is edge.Status, but LiteLLM knows no 409.
func statusOf(err error) int {
	if fault.Is(err, fault.Conflict) {
		return http.StatusBadRequest
	}
	return edge.Status(err)
}

var types = map[fault.Kind]string{
	fault.Invalid: "bad_request_error", fault.Unauthenticated: "auth_error", fault.Expired: "expired_key", fault.Forbidden: "auth_error",
	fault.ModelDenied: "key_model_access_denied", fault.NotFound: "not_found_error", fault.ModelNotFound: "not_found_error",
	fault.Conflict: "bad_request_error", fault.TooLarge: "bad_request_error", fault.BudgetExceeded: "budget_exceeded",
	fault.RateLimited: "throttling_error", fault.Unavailable: "internal_server_error", fault.Timeout: "internal_server_error",
	fault.Canceled: "internal_server_error", fault.Internal: "internal_server_error",
}

func typeOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Unauthenticated && f.Field == "key" { // auth says so of unknown keys
		return "token_not_found_in_db"
	}
	return types[fault.KindOf(err)]
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := jsonx.Marshal(v)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "internal error")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(b)
	return err
}

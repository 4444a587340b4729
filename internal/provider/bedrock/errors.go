package bedrock

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"weir/internal/jsonx"
	"weir/internal/llm"
	wire "weir/internal/wire/bedrock"
)

// statusOf are the statuses of exceptions by name, which is trusted over the HTTP status: AWS documents throttling
// under 400 as well as 429, and exceptions within a stream have no status at all.
var statusOf = map[string]int{
	"AccessDeniedException":       http.StatusForbidden,
	"ExpiredTokenException":       http.StatusForbidden,
	"IncompleteSignature":         http.StatusForbidden,
	"InvalidSignatureException":   http.StatusForbidden,
	"UnrecognizedClientException": http.StatusForbidden,
	"ConflictException":           http.StatusConflict,
	"InternalServerException":     http.StatusInternalServerError,
	"ModelErrorException":         http.StatusFailedDependency,
	"ModelNotReadyException":      http.StatusTooManyRequests,
	"ModelStreamErrorException":   http.StatusFailedDependency,
	"ModelTimeoutException":       http.StatusRequestTimeout,
	"ResourceNotFoundException":   http.StatusNotFound,
	"ServiceUnavailableException": http.StatusServiceUnavailable,
	"ThrottlingException":         http.StatusTooManyRequests,
	"TooManyRequestsException":    http.StatusTooManyRequests,
	"ValidationException":         http.StatusBadRequest,
}

// errorOf reads a failed call.
func errorOf(status int, h http.Header, body []byte) *llm.Error {
	e := exception(h.Get(wire.ErrorTypeHeader), "", body, status)
	e.RetryAfter = llm.RetryAfter(h, time.Now())
	return e
}

// exception builds the error of an exception by name; status is what came with it, 0 in a stream. msg is used where
// the body tells none.
func exception(name, msg string, body []byte, status int) *llm.Error {
	var w wire.Error
	_ = jsonx.Unmarshal(body, &w) // a body that is not JSON is shown as it is
	name = shapeName(name)
	if name == "" {
		name = shapeName(w.Type)
	}
	if s, ok := statusOf[name]; ok {
		status = s
	}
	switch {
	case w.Text() != "":
		msg = w.Text()
	case msg == "" && len(body) > 0:
		msg = strings.ToValidUTF8(string(body[:min(len(body), 500)]), "")
	case msg == "":
		msg = strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
	}
	return &llm.Error{
		Provider: provider, Status: normalStatus(status), Type: name, Message: msg, Body: body[:min(len(body), maxError)],
		Final: name == "ServiceQuotaExceededException",
	}
}

// normalStatus keeps a redirect or the like, which no client of ours could use, from passing as a status of its own;
// an exception of unknown name within a stream counts as the service's fault.
func normalStatus(s int) int {
	switch {
	case s == 0:
		return http.StatusInternalServerError
	case s < 400:
		return http.StatusBadGateway
	}
	return s
}

// shapeName reduces "com.example#Name:http://…" to "Name", and a stream's "name" to "Name".
func shapeName(s string) string {
	s, _, _ = strings.Cut(s, ":")
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		s = s[i+1:]
	}
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

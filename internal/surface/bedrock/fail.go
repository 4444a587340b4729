package bedrock

import (
	"errors"
	"net/http"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
)

// body is Bedrock's error envelope; the type stands in a header.
type body struct {
	Message string `json:"message"`
}

// words are how Bedrock names a failure: as an answer, and as an exception within a stream.
type words struct {
	status   int
	name     string
	inStream string
	message  string
}

// exceptions by status. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
var exceptions = map[int]words{
	http.StatusBadRequest:            {http.StatusBadRequest, "ValidationException", "validationException", ""},
	http.StatusRequestEntityTooLarge: {http.StatusRequestEntityTooLarge, "ValidationException", "validationException", ""},
	http.StatusForbidden:             {http.StatusForbidden, "AccessDeniedException", "validationException", ""},
	http.StatusNotFound:              {http.StatusNotFound, "ResourceNotFoundException", "validationException", ""},
	http.StatusRequestTimeout:        {http.StatusRequestTimeout, "ModelTimeoutException", "modelTimeoutException", ""},
	http.StatusFailedDependency:      {http.StatusFailedDependency, "ModelErrorException", "modelStreamErrorException", ""},
	http.StatusTooManyRequests:       {http.StatusTooManyRequests, "ThrottlingException", "throttlingException", ""},
	http.StatusInternalServerError:   {http.StatusInternalServerError, "InternalServerException", "internalServerException", ""},
	http.StatusServiceUnavailable:    {http.StatusServiceUnavailable, "ServiceUnavailableException", "serviceUnavailableException", ""},
}

// near gives statuses that Bedrock does not use to those that it does.
func near(status int) int {
	switch {
	case exceptions[status].status != 0:
		return status
	case status == http.StatusUnauthorized:
		return http.StatusForbidden
	case status == http.StatusGatewayTimeout:
		return http.StatusRequestTimeout
	case status == http.StatusBadGateway, status == 529: // 529: Anthropic's "overloaded"
		return http.StatusServiceUnavailable
	case status >= 500:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// describe gives an error its words. An upstream's own are kept, since agents act on them.
func describe(err error) words {
	w := exceptions[near(edge.Status(err))]
	var up *llm.Error
	var f *fault.Error
	switch {
	case errors.As(err, &up):
		w.message = up.Message
		if up.Status == 0 && up.Type != llm.TypeTimeout {
			w.inStream = "modelStreamErrorException"
		}
	case errors.As(err, &f):
		w.message = f.Msg
		switch f.Kind {
		case fault.Unauthenticated:
			w.name = "UnrecognizedClientException"
		case fault.Expired:
			w.name = "ExpiredTokenException"
		}
	default:
		w.message = "Internal server error"
	}
	return w
}

func fail(w http.ResponseWriter, _ *http.Request, err error) {
	e, h := describe(err), w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", e.name)
	if id := h.Get("X-Weir-Trace-Id"); id != "" {
		h.Set("X-Amzn-Requestid", id)
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(jsonx.MustMarshal(body{e.message}))
}

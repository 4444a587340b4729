package openaicompat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/sse"
)

// transportError classifies the lack of an answer. The caller's own end comes back as it is.
func (u *Upstream) transportError(ctx context.Context, w *watch, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &llm.Error{Provider: u.target.Provider, Err: err}
	var netErr net.Error
	switch {
	case w.timedOut(), errors.As(err, &netErr) && netErr.Timeout():
		e.Type, e.Message = llm.TypeTimeout, u.target.Provider+" did not answer in time"
	case errors.Is(err, errTooLarge), errors.Is(err, sse.ErrTooLarge):
		e.Type, e.Message = llm.TypeMalformed, u.target.Provider+" answered with more than the limit"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Type, e.Message = llm.TypeCut, u.target.Provider+" closed the connection before the end of its answer"
	default:
		var urlErr *url.Error
		if errors.As(err, &urlErr) {
			e.Err = urlErr.Err // the URL may carry a credential
		}
		e.Type, e.Message = llm.TypeUnreachable, u.target.Provider+" could not be reached"+llm.WhyUnreachable(err)
	}
	return e
}

// refusal reads an answer with a status other than 2xx.
func (u *Upstream) refusal(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what could be read is what is told
	e := parseError(body)
	e.Provider, e.Status, e.Body = u.target.Provider, resp.StatusCode, body
	if resp.StatusCode < 400 {
		// A redirect, or an odd status: not an answer of the API.
		e.Status, e.Type = 0, llm.TypeMalformed
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d %s", u.target.Provider, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	e.RetryAfter = llm.RetryAfter(resp.Header, time.Now())
	if resp.Header.Get("X-Should-Retry") == "false" {
		e.Final = true
	}
	return e
}

// parseError reads the forms errors come in: {"error":{…}}, {"error":"text"}, a flat object (vLLM), {"detail":…}
// (FastAPI), any of them in an array (Google). Anything else, such as HTML, gives an empty Message.
func parseError(body []byte) *llm.Error {
	e := &llm.Error{}
	if !jsonx.Valid(body) {
		return e
	}
	v := gjson.ParseBytes(body)
	if v.IsArray() {
		v = v.Get("0")
	}
	inner := v.Get("error")
	if inner.Type == gjson.String {
		e.Message, e.Type = inner.String(), v.Get("type").String()
		inner = gjson.Result{}
	} else if !inner.IsObject() {
		inner = v
	}
	fillError(e, inner)
	if e.Message == "" {
		e.Message = detail(v.Get("detail"))
	}
	return e
}

func fillError(e *llm.Error, v gjson.Result) {
	if m := v.Get("message"); m.Type == gjson.String {
		e.Message = m.String()
	}
	if t := firstText(v.Get("type"), v.Get("status")); t != "" {
		e.Type = t
	}
	e.Param = firstText(v.Get("param"))
	e.Code = v.Get("code").String()
	if e.Code == "insufficient_quota" || e.Type == "insufficient_quota" {
		e.Final = true
	}
}

func firstText(vs ...gjson.Result) string {
	for _, v := range vs {
		if v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return ""
}

// detail reads FastAPI's: a text, or a list of {"loc","msg"}.
func detail(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.String()
	}
	var parts []string
	for _, d := range v.Array() {
		var at []string
		for _, l := range d.Get("loc").Array() {
			at = append(at, l.String())
		}
		parts = append(parts, strings.Join(at, ".")+": "+d.Get("msg").String())
	}
	return strings.Join(parts, "; ")
}

// inBand is an error object inside a 200: in a stream, or as its body (OpenRouter).
func (u *Upstream) inBand(data []byte) *llm.Error {
	e := parseError(data)
	e.Provider, e.Body = u.target.Provider, append([]byte(nil), data[:min(len(data), maxErrorBody)]...)
	e.Status = statusOf(e.Code, e.Type)
	if e.Message == "" {
		e.Message = u.target.Provider + " reported an error without a message"
	}
	return e
}

// statusOf gives an error without a status of its own the one it would have had; 0 if that cannot be told.
func statusOf(code, kind string) int {
	if n, err := strconv.Atoi(code); err == nil && n >= 400 && n < 600 {
		return n
	}
	for _, word := range []string{code, kind} {
		switch word {
		case "invalid_request_error", "context_length_exceeded", "bad_request_error", "BadRequestError", "content_filter":
			return http.StatusBadRequest
		case "authentication_error", "invalid_api_key":
			return http.StatusUnauthorized
		case "rate_limit_exceeded", "rate_limit_error", "insufficient_quota", "tokens", "requests":
			return http.StatusTooManyRequests
		case "server_error", "internal_server_error", "api_error":
			return http.StatusInternalServerError
		case "overloaded_error", "service_unavailable":
			return http.StatusServiceUnavailable
		}
	}
	return 0
}

func (u *Upstream) malformed(what string, body []byte) *llm.Error {
	return &llm.Error{
		Provider: u.target.Provider, Type: llm.TypeMalformed, Message: u.target.Provider + " answered with " + what,
		Body: append([]byte(nil), body[:min(len(body), maxErrorBody)]...),
	}
}

func (u *Upstream) empty(body []byte) *llm.Error {
	return &llm.Error{
		Provider: u.target.Provider, Type: llm.TypeEmpty, Message: u.target.Provider + " answered without any output",
		Body: append([]byte(nil), body[:min(len(body), maxErrorBody)]...),
	}
}

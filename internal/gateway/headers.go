package gateway

import (
	"net/http"
	"strings"

	"weir/internal/jsonx"
)

// KeptHeaders are request headers that shape an answer beside the body. They are recorded as attributes of the call, so
// that it can be repeated as it was.
var KeptHeaders = []string{"Anthropic-Beta"}

// HeaderAttribute is the attribute that holds the values of a request header, by OpenTelemetry's convention. escaped is
// for paths, in which dots separate names.
func HeaderAttribute(name string, escaped bool) string {
	a := "http.request.header." + strings.ToLower(name)
	if escaped {
		return strings.ReplaceAll(a, ".", `\.`)
	}
	return a
}

// maxKeptHeader bounds what is kept of one header.
const maxKeptHeader = 4 << 10

func keptHeaders(h http.Header) jsonx.Raw {
	var out map[string][]string
	for _, name := range KeptHeaders {
		v := h.Values(name)
		if len(v) == 0 || len(strings.Join(v, ",")) > maxKeptHeader {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[HeaderAttribute(name, false)] = v
	}
	if out == nil {
		return nil
	}
	return jsonx.MustMarshal(out)
}

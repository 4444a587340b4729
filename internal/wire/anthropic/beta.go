package anthropic

import (
	"net/http"
	"strings"
)

// BetaHeader carries the flags of features in beta.
const BetaHeader = "Anthropic-Beta"

// Betas are the flags of a header, which may be repeated and hold lists.
func Betas(h http.Header) []string {
	var out []string
	for _, line := range h.Values(BetaHeader) {
		for f := range strings.SplitSeq(line, ",") {
			if f = strings.TrimSpace(f); f != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

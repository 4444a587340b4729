package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/span"
)

// bodyOf is a recorded body, or fault.NotFound if none was recorded.
func (s *Surface) bodyOf(ctx context.Context, sp *span.Span, r span.Ref) ([]byte, error) {
	if r.Form == span.FormNone {
		return nil, fault.New(fault.NotFound, "no such body was recorded for this call")
	}
	return s.Bodies.Body(ctx, sp, r)
}

func (s *Surface) getCurl(ctx context.Context, in *SpanInput) (*bytesOutput, error) {
	sp, err := s.Query.Span(ctx, edge.Who(ctx).Project, in.Trace, in.Span)
	if err != nil {
		return nil, err
	}
	if sp.Source != "" {
		return nil, fault.New(fault.NotFound, "a program reported this call; the request that it sent is not known")
	}
	b, err := s.bodyOf(ctx, sp, sp.Input)
	if err != nil {
		return nil, err
	}
	cmd := curl(s.baseURL(answerOf(ctx).r), sp, b)
	return &bytesOutput{ContentType: "text/plain; charset=utf-8", Body: []byte(cmd)}, nil
}

// curl writes the command. The body goes through a here-document, so nothing in it needs escaping.
func curl(base string, sp *span.Span, body []byte) string {
	path, headers := endpoint(sp, body)
	var b strings.Builder
	fmt.Fprintf(&b, "curl -sS '%s%s' \\\n", base, path)
	for _, h := range headers {
		fmt.Fprintf(&b, "  -H %s \\\n", h)
	}
	end := "EOF"
	for strings.Contains(string(body), end) {
		end += "F"
	}
	if sp.Stream {
		b.WriteString("  -N \\\n")
	}
	fmt.Fprintf(&b, "  --data-binary @- <<'%s'\n%s\n%s\n", end, body, end)
	return b.String()
}

// endpoint is where a body of a dialect goes. Claude's InvokeModel names its model in the path.
func endpoint(sp *span.Span, body []byte) (path string, headers []string) {
	headers = []string{`"Authorization: Bearer $WEIR_KEY"`, `'Content-Type: application/json'`}
	model := url.PathEscape(sp.Group)
	switch llm.Dialect(sp.Dialect) {
	case llm.AnthropicMessages:
		if !gjson.GetBytes(body, "model").Exists() {
			return "/model/" + model + pick(sp.Stream, "/invoke-with-response-stream", "/invoke"), headers
		}
		if sp.Operation == "count_tokens" {
			return "/v1/messages/count_tokens", append(headers, `'anthropic-version: 2023-06-01'`)
		}
		return "/v1/messages", append(headers, `'anthropic-version: 2023-06-01'`)
	case llm.BedrockConverse:
		return "/model/" + model + pick(sp.Stream, "/converse-stream", "/converse"), headers
	}
	return "/v1/chat/completions", headers
}

func pick(cond bool, a, b string) string {
	if cond {
		return a
	}
	return b
}

// baseURL is how this caller reaches Weir.
func (s *Surface) baseURL(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + quoteless(r.Host) + s.BasePath
}

// quoteless keeps a client's Host header from ending a quoted shell word.
func quoteless(s string) string { return strings.ReplaceAll(s, "'", "") }

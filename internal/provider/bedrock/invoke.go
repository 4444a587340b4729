package bedrock

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/anthropic"
	wire "weir/internal/wire/bedrock"
)

// anthropicVersion is the only one InvokeModel knows.
const anthropicVersion = "bedrock-2023-05-31"

// invoke sends a client's own Anthropic body through InvokeModel.
func (u *Upstream) invoke(ctx context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	body := invokeBody(a, a.CachePoints)
	if a.Sent != nil {
		a.Sent(body)
	}
	if a.Stream {
		return u.invokeStream(ctx, a, body)
	}
	x, err := u.send(ctx, "invoke", acceptJSON, body)
	if err != nil {
		return nil, err
	}
	defer x.close()
	answer, err := x.all()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(answer)) == 0 {
		return nil, broken(llm.TypeEmpty, "the upstream answered 200 without an output", nil)
	}
	r, err := anthropic.DecodeResponse(provider, answer, anthropic.Undo{})
	if err != nil {
		return nil, err
	}
	if a.As != "" {
		answer = anthropic.PatchNative(answer, anthropic.Patch{Set: []anthropic.Field{anthropic.String("model", a.As)}})
	}
	return &gateway.Result{Status: http.StatusOK, Header: x.res.Header, Body: answer, Response: r}, nil
}

func (u *Upstream) invokeStream(ctx context.Context, a *gateway.Attempt, body []byte) (*gateway.Result, error) {
	x, err := u.send(ctx, "invoke-with-response-stream", acceptStream, body)
	if err != nil {
		return nil, err
	}
	s := &invokeStream{frames: newFrames(x), dec: anthropic.NewStreamDecoder(provider, anthropic.Undo{}), as: a.As}
	return &gateway.Result{Status: http.StatusOK, Header: x.res.Header, Stream: s}, nil
}

// invokeBody makes a Messages body one of InvokeModel: model and stream stand in the path, version and betas in the
// body. All else keeps its bytes.
func invokeBody(a *gateway.Attempt, cachePoints bool) []byte {
	betas := allowedBetas(append(headerBetas(a.Header), bodyBetas(a.Native)...), a.Model)
	p := anthropic.Patch{
		Set: []anthropic.Field{anthropic.String("anthropic_version", anthropicVersion)}, Remove: []string{"model", "stream"},
		CachePoints: cachePoints,
	}
	if len(betas) > 0 {
		p.Set = append(p.Set, anthropic.Field{Name: "anthropic_beta", Raw: jsonx.MustMarshal(betas)})
	} else {
		p.Remove = append(p.Remove, "anthropic_beta")
	}
	if !slices.Contains(betas, contextManagement) {
		p.Remove = append(p.Remove, "context_management") // an unknown field without its flag
	}
	return withoutScopes(anthropic.PatchNative(a.Native, p))
}

const contextManagement = "context-management-2025-06-27"

// headerBetas are the flags of the anthropic-beta headers, each of which may list several.
func headerBetas(h http.Header) []string {
	var out []string
	for _, line := range h.Values("Anthropic-Beta") {
		out = append(out, strings.Split(line, ",")...)
	}
	return out
}

// maxScopes bounds the rewriting of a body, each of which copies it. The service refuses more than four cache marks.
const maxScopes = 32

func bodyBetas(body []byte) []string {
	var out []string
	for _, b := range gjson.GetBytes(body, "anthropic_beta").Array() {
		out = append(out, b.String())
	}
	return out
}

// withoutScopes takes "scope" out of cache marks: it belongs to a beta flag that Bedrock refuses
// (prompt-caching-scope-2026-01-05), and with it the field. Scopes elsewhere, as in tool arguments, stay.
func withoutScopes(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"scope"`)) {
		return body
	}
	var paths []string
	collect := func(path string, list gjson.Result) {
		for i, b := range list.Array() {
			if b.Get("cache_control.scope").Exists() {
				paths = append(paths, path+"."+strconv.Itoa(i)+".cache_control.scope")
			}
		}
	}
	root := gjson.ParseBytes(body)
	for _, list := range []string{"tools", "system"} {
		collect(list, root.Get(list))
	}
	for i, m := range root.Get("messages").Array() {
		if c := m.Get("content"); c.IsArray() {
			collect("messages."+strconv.Itoa(i)+".content", c)
		}
	}
	if len(paths) > maxScopes {
		return body
	}
	for _, p := range paths {
		if b, err := sjson.DeleteBytes(body, p); err == nil {
			body = b
		}
	}
	return body
}

// invokeStream is an InvokeModelWithResponseStream: Anthropic events, wrapped.
type invokeStream struct {
	*frames
	dec *anthropic.StreamDecoder
	as  string
}

var _ gateway.FrameReader = (*invokeStream)(nil)

// Next unwraps one event for the client and decodes it for the record.
func (s *invokeStream) Next() (gateway.Frame, error) {
	for {
		f, err := s.next(s.dec.Done())
		if err != nil {
			return gateway.Frame{}, err
		}
		if f.Event != wire.EventChunk {
			continue // kinds of frames yet to come
		}
		var chunk wire.InvokeChunk
		if err := jsonx.Unmarshal(f.Payload, &chunk); err != nil {
			return gateway.Frame{}, broken(llm.TypeMalformed, "the stream holds a frame that is not JSON", err)
		}
		chunks, err := s.dec.Decode(chunk.Bytes)
		if err != nil {
			return gateway.Frame{}, err
		}
		event := gjson.GetBytes(chunk.Bytes, "type").String()
		return gateway.Frame{Event: event, Data: s.forClient(event, chunk.Bytes), Chunks: chunks}, nil
	}
}

// forClient gives the event the form Anthropic's own API has: the name the client asked for, no metrics of Bedrock's.
func (s *invokeStream) forClient(event string, data []byte) []byte {
	out := data
	var err error
	switch event {
	case "message_start":
		if s.as == "" {
			return data
		}
		out, err = sjson.SetBytes(data, "message.model", s.as)
	case "message_stop":
		if bytes.Contains(data, []byte(wire.InvocationMetricsField)) {
			out, err = sjson.DeleteBytes(data, wire.InvocationMetricsField)
		}
	}
	if err != nil {
		return data
	}
	return out
}

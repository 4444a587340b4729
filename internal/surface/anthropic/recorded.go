package anthropic

import (
	"net/http"

	"weir/internal/gateway"
	"weir/internal/llm"
	wire "weir/internal/wire/anthropic"
)

// CallOf makes a call of a body that was recorded, with no request behind it. Who and Facts are left to the caller.
func CallOf(body []byte, h http.Header) (*gateway.Call, error) {
	head, err := wire.Inspect(body, wire.Need{Model: true, MaxTokens: true})
	if err != nil {
		return nil, err
	}
	return &gateway.Call{
		Dialect: llm.AnthropicMessages, Model: head.Model, Stream: head.Stream, Body: body, Header: h,
		Decode: func() (*llm.Request, error) { return wire.DecodeRequest(body, wire.Betas(h)) },
		Encode: wire.EncodeResponse,
	}, nil
}

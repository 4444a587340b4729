package openai

import (
	"net/http"
	"time"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// CallOf makes a call of a body that was recorded, with no request behind it. Who and Facts are left to the caller.
func CallOf(body []byte, h http.Header) (*gateway.Call, error) {
	head, err := check(body)
	if err != nil {
		return nil, err
	}
	return &gateway.Call{
		Dialect: llm.OpenAIChat, Model: head.model, Stream: head.stream, Body: body, Header: h,
		Decode: func() (*llm.Request, error) {
			req, err := Decode(body)
			if err == nil {
				req.Betas = betas(h)
			}
			return req, err
		},
		Encode: func(res *llm.Response, model string) ([]byte, error) { return Encode(res, model, time.Now()) },
	}, nil
}

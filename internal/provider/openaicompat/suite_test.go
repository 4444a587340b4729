package openaicompat

import (
	"fmt"
	"net/http"
	"testing"

	"weir/internal/gateway"
	"weir/internal/llm"
	"weir/internal/provider/providertest"
)

// event frames one event of the stream.
func event(data string) []byte { return []byte("data: " + data + "\n\n") }

// delta is one chunk of a stream.
func delta(choice string) []byte {
	return event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[` + choice + `]}`)
}

func TestSuite(t *testing.T) {
	const usage = `"usage":{"prompt_tokens":70,"completion_tokens":7,"total_tokens":77,"prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":2}}`
	w := providertest.Wire{
		StreamType: "text/event-stream",
		Answer: []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x","choices":[{"index":0,"finish_reason":"tool_calls","message":{
			"role":"assistant","content":"Let me look.","tool_calls":[
			{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},
			{"id":"call_2","type":"function","function":{"name":"get_weather","arguments":"{}"}}]}}],` + usage + `}`),
		Events: [][]byte{
			delta(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"content":"Let me "},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"content":"look."},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]},"finish_reason":null}`),
			delta(`{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},"finish_reason":null}`),
			delta(`{"index":0,"delta":{},"finish_reason":"tool_calls"}`),
			event(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[],` + usage + `}`),
			event("[DONE]"),
		},
		Want: llm.Response{
			Parts: []llm.Part{
				{Kind: llm.Text, Text: "Let me look."},
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "call_1", Name: "get_weather", Args: `{"city":"Oslo"}`}},
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "call_2", Name: "get_weather", Args: `{}`}},
			},
			Finish: llm.FinishToolCalls, RawFinish: "tool_calls",
			Usage: llm.Usage{Input: 10, CacheRead: 60, Output: 7, Reasoning: 2},
		},
		Tail:            2,
		Exception:       event(`{"error":{"message":"` + providertest.FailureText + `","type":"server_error","code":500}}`),
		ExceptionStatus: 500,
	}
	providertest.Exercise(t, providertest.Options{
		New: func(t *testing.T, baseURL string, c *http.Client) gateway.Upstream {
			u, err := New(gateway.Target{Provider: "openai", Model: "gpt-x", BaseURL: baseURL + "/v1", APIKey: "sk-test"}, gateway.Env{HTTP: c})
			if err != nil {
				t.Fatal(err)
			}
			return u
		},
		Hub: w, Native: &w, NativeDialect: llm.OpenAIChat,
		NativeBody: []byte(`{"model":"group","messages":[{"role":"user","content":"Weather in Oslo?"}],"stream_options":{"include_usage":true},"stream":true}`),
		Failure: func(w http.ResponseWriter, status int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"message":"%s (%d)","type":"some_error","param":null,"code":null}}`, providertest.FailureText, status)
		},
	})
}

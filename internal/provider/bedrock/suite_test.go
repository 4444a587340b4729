package bedrock

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"weir/internal/gateway"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/provider/providertest"
	wire "weir/internal/wire/bedrock"
)

// exceptionNames are exceptions that the service sends with a status.
var exceptionNames = map[int]string{
	400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
	408: "ModelTimeoutException", 429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException",
}

func fail(w http.ResponseWriter, status int) {
	if name := exceptionNames[status]; name != "" {
		w.Header().Set(wire.ErrorTypeHeader, name+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":"%s (%d)"}`, providertest.FailureText, status)
}

func TestSuite(t *testing.T) {
	clearAWS(t)
	providertest.Exercise(t, providertest.Options{
		New: func(t *testing.T, baseURL string, c *http.Client) gateway.Upstream {
			u, err := New(gateway.Target{
				Model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", BaseURL: baseURL,
				AWS: gateway.AWS{Region: "us-east-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"},
			}, gateway.Env{HTTP: c})
			if err != nil {
				t.Fatal(err)
			}
			return u
		},
		Failure: fail, Hub: converseWire(), Native: invokeWire(), NativeDialect: llm.AnthropicMessages,
		NativeBody: []byte(`{"model":"claude","max_tokens":256,"messages":[{"role":"user","content":"Weather in Oslo?"}],"stream":true}`),
	})
}

// frame is a frame of the event stream, for tests that need not build payloads.
func frame(event, payload string) []byte { return wire.AppendEvent(nil, event, []byte(payload)) }

func converseWire() providertest.Wire {
	return providertest.Wire{
		StreamType: wire.ContentTypeStream,
		Answer: []byte(`{"output":{"message":{"role":"assistant","content":[
			{"reasoningContent":{"reasoningText":{"text":"Ask the tool.","signature":"c2ln"}}},
			{"reasoningContent":{"redactedContent":"aGlkZGVu"}},
			{"text":"Let me look."},
			{"toolUse":{"toolUseId":"tooluse_1","name":"get_weather","input":{"city":"Oslo"}}},
			{"toolUse":{"toolUseId":"tooluse_2","name":"now","input":{}}}]}},
			"stopReason":"tool_use","metrics":{"latencyMs":12},
			"usage":{"inputTokens":10,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":60,"cacheWriteInputTokens":40,
				"cacheDetails":[{"ttl":"1h","inputTokens":25},{"ttl":"5m","inputTokens":15}]}}`),
		Events: [][]byte{
			frame("messageStart", `{"role":"assistant","p":"abc"}`),
			frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Ask the "}}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"tool."}}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`),
			frame("contentBlockStop", `{"contentBlockIndex":0}`),
			frame("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"aGlkZGVu"}}}`),
			frame("contentBlockStop", `{"contentBlockIndex":1}`),
			frame("contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"Let me "}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"look."}}`),
			frame("contentBlockStop", `{"contentBlockIndex":2}`),
			frame("contentBlockStart", `{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"get_weather"}}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":""}}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"city\":"}}}`),
			frame("contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"Oslo\"}"}}}`),
			frame("contentBlockStop", `{"contentBlockIndex":3}`),
			frame("contentBlockStart", `{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"tooluse_2","name":"now"}}}`),
			frame("contentBlockStop", `{"contentBlockIndex":4}`),
			frame("somethingNew", `{"later":true}`),
			frame("messageStop", `{"stopReason":"tool_use"}`),
			frame("metadata", `{"usage":{"inputTokens":10,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":60,"cacheWriteInputTokens":40,"cacheDetails":[{"ttl":"1h","inputTokens":25},{"ttl":"5m","inputTokens":15}]},"metrics":{"latencyMs":12}}`),
		},
		Tail: 1,
		Want: llm.Response{
			Parts: []llm.Part{
				{Kind: llm.Reasoning, Text: "Ask the tool.", Signature: "c2ln"},
				{Kind: llm.Reasoning, Redacted: "aGlkZGVu"},
				text("Let me look."),
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "tooluse_1", Name: "get_weather", Args: `{"city":"Oslo"}`}},
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "tooluse_2", Name: "now", Args: `{}`}},
			},
			Finish: llm.FinishToolCalls, RawFinish: "tool_use",
			Usage: llm.Usage{Input: 10, Output: 7, CacheRead: 60, CacheWrite: 15, CacheWrite1h: 25},
		},
		Exception:       wire.AppendException(nil, "throttlingException", []byte(`{"message":"`+providertest.FailureText+`"}`)),
		ExceptionStatus: 429,
	}
}

// chunk wraps an Anthropic event as InvokeModelWithResponseStream does.
func chunk(event string) []byte {
	return wire.AppendEvent(nil, wire.EventChunk, jsonx.MustMarshal(map[string]string{
		"bytes": base64.StdEncoding.EncodeToString([]byte(event)), "p": "abcdef",
	}))
}

func invokeWire() *providertest.Wire {
	return &providertest.Wire{
		StreamType: wire.ContentTypeStream,
		Answer: []byte(`{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[
			{"type":"text","text":"Let me look."},{"type":"tool_use","id":"toolu_bdrk_1","name":"get_weather","input":{"city":"Oslo"}}],
			"stop_reason":"tool_use","stop_sequence":null,
			"usage":{"input_tokens":10,"output_tokens":7,"cache_read_input_tokens":60,"cache_creation_input_tokens":40}}`),
		Events: [][]byte{
			chunk(`{"type":"message_start","message":{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1,"cache_read_input_tokens":60,"cache_creation_input_tokens":40}}}`),
			chunk(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`),
			chunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me look."}}`),
			chunk(`{"type":"content_block_stop","index":0}`),
			chunk(`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_bdrk_1","name":"get_weather","input":{}}}`),
			chunk(`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"city\":\"Oslo\"}"}}`),
			chunk(`{"type":"content_block_stop","index":1}`),
			chunk(`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}`),
			chunk(`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":7,"invocationLatency":900,"firstByteLatency":400,"cacheReadInputTokenCount":60,"cacheWriteInputTokenCount":40}}`),
		},
		Want: llm.Response{
			Parts: []llm.Part{
				text("Let me look."),
				{Kind: llm.ToolCall, Call: &llm.Call{ID: "toolu_bdrk_1", Name: "get_weather", Args: `{"city":"Oslo"}`}},
			},
			Finish: llm.FinishToolCalls, RawFinish: "tool_use",
			Usage: llm.Usage{Input: 10, Output: 7, CacheRead: 60, CacheWrite: 40},
		},
		Exception:       wire.AppendException(nil, "modelStreamErrorException", []byte(`{"message":"`+providertest.FailureText+`","originalStatusCode":500}`)),
		ExceptionStatus: 424,
	}
}

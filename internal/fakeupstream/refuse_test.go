package fakeupstream

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// refusal cases are request bodies with the status and the words the real service answers with.
type refusalCase struct {
	name   string
	path   string // default: the dialect's
	body   string
	header []string
	status int // 0 = 400; 200 = accepted
	want   string
}

func (c *client) refusals(path string, cases []refusalCase) {
	for _, tc := range cases {
		c.t.Run(tc.name, func(t *testing.T) {
			if tc.path == "" {
				tc.path = path
			}
			if tc.status == 0 {
				tc.status = 400
			}
			got := c.do(tc.path, tc.body, tc.header...)
			if got.status != tc.status || !strings.Contains(string(got.body), tc.want) {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, tc.status, tc.want)
			}
		})
	}
}

// body puts fields into a template with a %s before the closing brace.
func with(template, fields string) string { return fmt.Sprintf(template, fields) }

var png = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\nrest"))

const (
	cTool = `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`
	cUse  = `{"role":"user","content":[{"text":"go"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]}`
	cRes  = `{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}`
)

func cMsg(content string) string {
	return `{"messages":[{"role":"user","content":[` + content + `]}]}`
}

func cMore(fields string) string {
	return `{"messages":[{"role":"user","content":[{"text":"hi"}]}],` + fields + `}`
}

func cTurns(rest string) string { return `{"messages":[` + cUse + `,` + rest + `]` + cTool + `}` }

func TestConverseRefusals(t *testing.T) {
	point := `{"cachePoint":{"type":"default"}}`
	hour := `{"cachePoint":{"type":"default","ttl":"1h"}}`
	doc := func(name string) string {
		return `{"document":{"format":"txt","name":"` + name + `","source":{"bytes":"aGk="}}}`
	}
	start(t, Options{}).refusals(modelPath+"converse", []refusalCase{
		{name: "plain", body: hello, status: 200},
		{name: "no JSON", body: `{`, want: "not valid JSON"},
		{name: "wrong type", body: `{"messages":"x"}`, want: "Expected list"},
		{name: "no messages", body: `{}`, want: "at 'messages' failed to satisfy constraint"},
		{name: "unknown field", body: cMore(`"foo":1`), want: "extraneous key [foo] is not permitted"},
		{name: "assistant first", body: `{"messages":[{"role":"assistant","content":[{"text":"x"}]}]}`, want: "A conversation must start with a user message."},
		{name: "roles", body: `{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"user","content":[{"text":"y"}]}]}`,
			want: "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."},
		{name: "bad role", body: `{"messages":[{"role":"tool","content":[{"text":"x"}]}]}`, want: "satisfy enum value set: [user, assistant]"},
		{name: "empty content", body: cMsg(``), want: "The content field in the Message object at messages.0 is empty."},
		{name: "blank text", body: cMsg(`{"text":" "}`), want: "The text field in the ContentBlock object at messages.0.content.0 is blank."},
		{name: "blank system", body: cMore(`"system":[{"text":""}]`), want: "SystemContentBlock object at system.0 is blank"},
		{name: "no member", body: cMsg(`{"type":"text"}`), want: "must set one of the following keys"},
		{name: "two members", body: cMsg(`{"text":"x","image":{}}`), want: "exactly one member"},
		{name: "tool history without toolConfig", body: `{"messages":[` + cUse + `,{"role":"user","content":[` + cRes + `]}]}`,
			want: "The toolConfig field must be defined when using toolUse and toolResult content blocks."},
		{name: "tool history", body: cTurns(`{"role":"user","content":[` + cRes + `]}`), status: 200},
		{name: "result missing", body: cTurns(`{"role":"user","content":[{"text":"x"}]}`), want: "Expected toolResult blocks at messages.2.content for the following Ids: a"},
		{name: "too many results", body: cTurns(`{"role":"user","content":[` + cRes + `,` + strings.Replace(cRes, `"a"`, `"b"`, 1) + `]}`),
			want: "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn."},
		{name: "results in a first turn", body: `{"messages":[{"role":"user","content":[` + cRes + `]}]` + cTool + `}`, want: "exceeds the number of toolUse blocks"},
		{name: "cache point in a result", body: cTurns(`{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"x"},` + point + `]}}]}`), want: "ToolResultContentBlock object"},
		{name: "json result no object", body: cTurns(`{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"json":[1]}]}}]}`), want: "Provide a json object"},
		{name: "toolUseId", body: strings.ReplaceAll(cTurns(`{"role":"user","content":[`+cRes+`]}`), `"a"`, `"a.b"`),
			want: "Value 'a.b' at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"},
		{name: "tool name in history", body: strings.Replace(cTurns(`{"role":"user","content":[`+cRes+`]}`), `"name":"f"`, `"name":"f/g"`, 1), want: "toolUse.name"},
		{name: "input no object", body: strings.Replace(cTurns(`{"role":"user","content":[`+cRes+`]}`), `"input":{}`, `"input":"{}"`, 1), want: "toolUse.input is invalid"},
		{name: "tool name", body: cMore(strings.Replace(cTool, `"f"`, `"a b"`, 1)[1:]), want: "at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint"},
		{name: "tool name length", body: cMore(strings.Replace(cTool, `"f"`, `"`+strings.Repeat("x", 65)+`"`, 1)[1:]), want: "length less than or equal to 64"},
		{name: "no tools", body: cMore(`"toolConfig":{"tools":[]}`), want: "at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater"},
		{name: "choice none", body: cMore(strings.Replace(cTool, `]}`, `],"toolChoice":{"none":{}}}`, 1)[1:]), want: "ToolChoice object"},
		{name: "schema type", body: cMore(strings.Replace(cTool, `"object"`, `"string"`, 1)[1:]), want: "inputSchema.json.type must be one of the following: object."},
		{name: "pair", path: converseAt("us.anthropic.claude-opus-4-1-20250805-v1:0"), body: cMore(`"inferenceConfig":{"temperature":0,"topP":0.9}`),
			want: "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model."},
		{name: "pair of an older model", path: converseAt("us.anthropic.claude-3-7-sonnet-20250219-v1:0"), body: cMore(`"inferenceConfig":{"temperature":0,"topP":0.9}`), status: 200},
		{name: "no sampling", path: converseAt(opus47), body: cMore(`"inferenceConfig":{"temperature":1}`), want: "`temperature` is deprecated for this model."},
		{name: "max tokens", body: cMore(`"inferenceConfig":{"maxTokens":64001}`), want: "exceeds the model limit of 64000"},
		{name: "unknown model", path: converseAt("nobody.model"), body: hello, want: "The provided model identifier is invalid."},
		{name: "unescaped ARN", path: "/model/arn:aws:bedrock:us-east-1:1:x/y/converse", body: hello, status: 404},
		{name: "cache points", body: cMore(`"system":[{"text":"a"},` + point + `,{"text":"b"},` + point + `,{"text":"c"},` + point + `,{"text":"d"},` + point + `,{"text":"e"},` + point + `]`),
			want: "A maximum of 4 blocks with cache_control may be provided. Found 5."},
		{name: "ttl order", body: `{"system":[{"text":"a"},` + point + `],"messages":[{"role":"user","content":[{"text":"x"},` + hour + `]}]}`,
			want: "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."},
		{name: "ttl in order", body: `{"system":[{"text":"a"},` + hour + `],"messages":[{"role":"user","content":[{"text":"x"},` + point + `]}]}`, status: 200},
		{name: "ttl value", body: cMsg(`{"text":"x"},{"cachePoint":{"type":"default","ttl":"2h"}}`), want: "cachePoint.ttl"},
		{name: "ttl of an older model", path: converseAt("us.anthropic.claude-3-7-sonnet-20250219-v1:0"), body: cMsg(`{"text":"x"},` + hour), want: "ephemeral.ttl: Extra inputs are not permitted"},
		{name: "leading cache point", body: cMsg(point + `,{"text":"x"}`), want: "messages.0.content.0.type: Field required"},
		{name: "cache point after a text document", body: cMsg(`{"text":"x"},` + doc("d") + `,` + point), want: "messages.0.content.2.type: Field required"},
		{name: "document name", body: cMsg(`{"text":"x"},` + doc("a.txt")), want: "The document file name can only contain alphanumeric characters"},
		{name: "document spaces", body: cMsg(`{"text":"x"},` + doc("a  b")), want: "more than one consecutive whitespace"},
		{name: "same documents", body: cMsg(`{"text":"x"},` + doc("a") + `,` + doc("a")), want: "Messages can't contain duplicate document names."},
		{name: "six documents", body: cMsg(`{"text":"x"},` + doc("1") + `,` + doc("2") + `,` + doc("3") + `,` + doc("4") + `,` + doc("5") + `,` + doc("6")), want: "more than 5 documents"},
		{name: "image", body: cMsg(`{"image":{"format":"png","source":{"bytes":"` + png + `"}}}`), status: 200},
		{name: "image magic", body: cMsg(`{"image":{"format":"jpeg","source":{"bytes":"` + png + `"}}}`), want: "image/jpeg media type"},
		{name: "image base64", body: cMsg(`{"image":{"format":"png","source":{"bytes":"@"}}}`), want: "no base64"},
		{name: "image format", body: cMsg(`{"image":{"format":"bmp","source":{"bytes":"` + png + `"}}}`), want: "[gif, jpeg, png, webp]"},
		{name: "metadata length", body: cMore(`"requestMetadata":{"k":"` + strings.Repeat("v", 257) + `"}`), want: "less than or equal to 256"},
		{name: "metadata charset", body: cMore(`"requestMetadata":{"k":"a!b"}`), want: "satisfy regular expression pattern"},
		{name: "metadata count", body: cMore(`"requestMetadata":{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","i":"1","j":"1","k":"1","l":"1","m":"1","n":"1","o":"1","p":"1","q":"1"}`), want: "less than or equal to 16"},
		{name: "beta flag", body: cMore(`"additionalModelRequestFields":{"anthropic_beta":["made-up-2025-01-01"]}`), want: "invalid beta flag"},
		{name: "additional field", body: cMore(`"additionalModelRequestFields":{"drop_params":true}`), want: "The model returned the following errors: drop_params: Extra inputs are not permitted"},
		{name: "budget too small", body: cMore(`"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1000}}`), want: "greater than or equal to 1024"},
		{name: "thinking and any", body: cMore(`"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}` + strings.Replace(cTool, `]}`, `],"toolChoice":{"any":{}}}`, 1)),
			want: "Thinking may not be enabled when tool_choice forces tool use."},
		{name: "prefill", path: converseAt(opus47), body: `{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"assistant","content":[{"text":"y"}]}]}`, want: "prefill"},
		{name: "overflow", body: cMsg(`{"text":"` + strings.Repeat("word", 200_001) + `"}`), want: "The model returned the following errors: prompt is too long: 20"},
	})
}

const mBody = `{"model":"claude-sonnet-4-5","max_tokens":5000,"messages":[{"role":"user","content":"hi"}]%s}`

func mMsg(messages string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":5000,"messages":[` + messages + `]}`
}

func TestAnthropicRefusals(t *testing.T) {
	think := `,"thinking":{"type":"enabled","budget_tokens":2000}`
	opus := func(s string) string { return strings.Replace(s, "claude-sonnet-4-5", "claude-opus-4-7", 1) }
	mTool := `,"tools":[{"name":"f","input_schema":{"type":"object"}}]`
	use := `{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}`
	result := `{"type":"tool_result","tool_use_id":"a","content":"ok"}`
	block := func(b string) string { return mMsg(`{"role":"user","content":[` + b + `]}`) }
	cc := `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	image := func(mime, data string) string {
		return block(`{"type":"image","source":{"type":"base64","media_type":"` + mime + `","data":"` + data + `"}}`)
	}
	start(t, Options{}).refusals("/v1/messages", []refusalCase{
		{name: "plain", body: with(mBody, ""), status: 200},
		{name: "unknown field", body: with(mBody, `,"foo":1`), want: "foo: Extra inputs are not permitted"},
		{name: "beta field", body: with(mBody, `,"context_management":{}`), want: "context_management: Extra inputs are not permitted"},
		{name: "beta field with its flag", body: with(mBody, `,"context_management":{}`), header: []string{"anthropic-beta", "context-management-2025-06-27"}, status: 200},
		{name: "strange beta", body: with(mBody, ""), header: []string{"anthropic-beta", "nonsense"}, want: "Unexpected value(s) `nonsense` for the `anthropic-beta` header."},
		{name: "no version", body: with(mBody, ""), header: []string{"anthropic-version", ""}, want: "anthropic-version: header is required"},
		{name: "no max_tokens", body: `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`, want: "max_tokens: Field required"},
		{name: "much max_tokens", body: strings.Replace(with(mBody, ""), "5000", "64001", 1), want: "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5"},
		{name: "max_tokens type", body: strings.Replace(with(mBody, ""), "5000", `"5"`, 1), want: "max_tokens: Input should be a valid integer"},
		{name: "unknown model", body: strings.Replace(with(mBody, ""), "sonnet-4-5", "nobody", 1), status: 404, want: "not_found_error"},
		{name: "messages type", body: `{"model":"claude-sonnet-4-5","max_tokens":5,"messages":"x"}`, want: "messages: Input should be a valid list"},
		{name: "no messages", body: mMsg(``), want: "at least one message is required"},
		{name: "assistant first", body: mMsg(`{"role":"assistant","content":"x"}`), want: `first message must use the \"user\" role`},
		{name: "system role", body: mMsg(`{"role":"system","content":"x"}`), want: `Unexpected role \"system\"`},
		{name: "consecutive users", body: mMsg(`{"role":"user","content":"x"},{"role":"user","content":"y"}`), status: 200},
		{name: "empty content", body: mMsg(`{"role":"user","content":[]}`), want: "messages.0: all messages must have non-empty content except for the optional final assistant message"},
		{name: "empty text", body: block(`{"type":"text","text":""}`), want: "messages: text content blocks must be non-empty"},
		{name: "blank text", body: block(`{"type":"text","text":" \n"}`), want: "messages: text content blocks must contain non-whitespace text"},
		{name: "empty cached text", body: block(`{"type":"text","text":"","cache_control":{"type":"ephemeral"}}`), want: "cache_control cannot be set for empty text blocks"},
		{name: "unknown block", body: block(`{"type":"image_url"}`), want: "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags"},
		{name: "unknown block field", body: block(`{"type":"text","text":"x","id":1}`), want: "messages.0.content.0.text.id: Extra inputs are not permitted"},
		{name: "message field", body: mMsg(`{"role":"user","content":"x","name":"n"}`), want: "messages.0.name: Extra inputs are not permitted"},
		{name: "metadata", body: with(mBody, `,"metadata":{"team":"x"}`), want: "metadata.team: Extra inputs are not permitted"},
		{name: "trailing space", body: mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":"y "}`), want: "final assistant content cannot end with trailing whitespace"},
		{name: "prefill", body: opus(mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":"y"}`)), want: "does not support assistant message prefill"},
		{name: "tool name", body: with(mBody, strings.Replace(mTool, `"f"`, `"a b"`, 1)), want: "tools.0.custom.name: String should match pattern"},
		{name: "tool schema", body: with(mBody, `,"tools":[{"name":"f"}]`), want: "tools.0.custom.input_schema: Field required"},
		{name: "same tools", body: with(mBody, `,"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"f","input_schema":{"type":"object"}}]`), want: "Tool names must be unique"},
		{name: "choice without tools", body: with(mBody, `,"tool_choice":{"type":"auto"}`), want: "tool_choice may only be specified while providing tools"},
		{name: "foreign choice", body: with(mBody, mTool+`,"tool_choice":{"type":"tool","name":"g"}`), want: "Tool 'g' not found in provided tools"},
		{name: "tool turn", body: mMsg(use + `,{"role":"user","content":[` + result + `]}`), status: 200},
		{name: "unanswered", body: mMsg(use + `,{"role":"user","content":"x"}`), want: "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a."},
		{name: "text before result", body: mMsg(use + `,{"role":"user","content":[{"type":"text","text":"x"},` + result + `]}`), want: "without `tool_result` blocks immediately after"},
		{name: "foreign result", body: mMsg(`{"role":"user","content":[` + result + `]}`), want: "unexpected `tool_use_id` found in `tool_result` blocks: a"},
		{name: "tool id", body: mMsg(strings.Replace(use, `"a"`, `"a|b"`, 1)), want: "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"},
		{name: "pair", body: with(mBody, `,"temperature":1,"top_p":0.9`), want: "`temperature` and `top_p` cannot both be specified for this model. Please use only one."},
		{name: "hot", body: with(mBody, `,"temperature":1.5`), want: "temperature: range: 0..1"},
		{name: "thinking", body: with(mBody, think), status: 200},
		{name: "thinking budget", body: with(mBody, `,"thinking":{"type":"enabled","budget_tokens":5000}`), want: "`max_tokens` must be greater than `thinking.budget_tokens`."},
		{name: "thinking temperature", body: with(mBody, think+`,"temperature":0`), want: "`temperature` may only be set to 1 when thinking is enabled."},
		{name: "thinking top_k", body: with(mBody, think+`,"top_k":5`), want: "`top_k` must be unset when thinking is enabled."},
		{name: "thinking forced", body: with(mBody, think+mTool+`,"tool_choice":{"type":"any"}`), want: "Thinking may not be enabled when tool_choice forces tool use."},
		{name: "thinking missing", body: mMsg(use + `,{"role":"user","content":[` + result + `]}`)[:len(mMsg(use+`,{"role":"user","content":[`+result+`]}`))-1] + think + `}`,
			want: "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."},
		{name: "enabled where adaptive is needed", body: opus(with(mBody, think)), want: `\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\"`},
		{name: "adaptive", body: opus(with(mBody, `,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}`)), status: 200},
		{name: "adaptive where unknown", body: with(mBody, `,"thinking":{"type":"adaptive"}`), want: "adaptive thinking is not supported on this model"},
		{name: "no thinking at all", body: strings.Replace(strings.Replace(with(mBody, think), "sonnet-4-5", "3-5-haiku-20241022", 1), "5000", "4000", 1), want: "does not support thinking"},
		{name: "effort", body: strings.Replace(with(mBody, `,"output_config":{"effort":"high"}`), "sonnet-4-5", "sonnet-4-0", 1), want: "does not support the effort parameter"},
		{name: "foreign signature", body: mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"AAAA"},{"type":"text","text":"y"}]},{"role":"user","content":"z"}`),
			want: "messages.1.content.0: Invalid `signature` in `thinking` block"},
		{name: "no signature", body: mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t"}]},{"role":"user","content":"z"}`),
			want: "messages.1.content.0.thinking.signature: Field required"},
		{name: "cached thinking", body: mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"z"}`),
			want: "thinking.cache_control: Extra inputs are not permitted"},
		{name: "redacted", body: mMsg(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"AAAA"}]},{"role":"user","content":"z"}`), want: "Invalid `data` in `redacted_thinking` block"},
		{name: "cache points", body: block(cc + `,` + cc + `,` + cc + `,` + cc + `,` + cc), want: "A maximum of 4 blocks with cache_control may be provided. Found 5."},
		{name: "ttl", body: block(strings.Replace(cc, `"ephemeral"`, `"ephemeral","ttl":"2h"`, 1)), want: "cache_control.ephemeral.ttl: Input should be '5m' or '1h'"},
		{name: "ttl order", body: block(cc + `,` + strings.Replace(cc, `"ephemeral"`, `"ephemeral","ttl":"1h"`, 1)), want: "must not come after a ttl='5m' cache_control block"},
		{name: "image", body: image("image/png", png), status: 200},
		{name: "image magic", body: image("image/gif", png), want: "image/gif media type"},
		{name: "image base64", body: image("image/png", "***"), want: "invalid base64 data"},
		{name: "image type", body: image("image/bmp", png), want: "media_type"},
		{name: "overflow", body: mMsg(`{"role":"user","content":"` + strings.Repeat("word", 200_001) + `"}`), want: "prompt is too long: 20"},
		{name: "long context", body: mMsg(`{"role":"user","content":"` + strings.Repeat("word", 200_001) + `"}`), header: []string{"anthropic-beta", "context-1m-2025-08-07"}, status: 200},
		{name: "count", path: "/v1/messages/count_tokens", body: `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`, status: 200, want: `{"input_tokens":`},
		{name: "count with max_tokens", path: "/v1/messages/count_tokens", body: with(mBody, ""), want: "max_tokens: Extra inputs are not permitted"},
	})
}

func TestInvokeRefusals(t *testing.T) {
	const ok = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"hi"}]%s}`
	start(t, Options{}).refusals(modelPath+"invoke", []refusalCase{
		{name: "plain", body: with(ok, ""), status: 200, want: `"type":"message"`},
		{name: "model", body: with(ok, `,"model":"x"`), want: "extraneous key [model] is not permitted"},
		{name: "stream", body: with(ok, `,"stream":true`), want: "extraneous key [stream] is not permitted"},
		{name: "no version", body: `{"max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`, want: "required key [anthropic_version] not found"},
		{name: "no max_tokens", body: `{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"hi"}]}`, want: "required key [max_tokens] not found"},
		{name: "beta", body: with(ok, `,"anthropic_beta":["prompt-caching-2024-07-31"]`), want: "invalid beta flag"},
		{name: "good beta", body: with(ok, `,"anthropic_beta":["interleaved-thinking-2025-05-14"]`), status: 200},
		{name: "context_management", body: with(ok, `,"context_management":{}`), want: "context_management: Extra inputs are not permitted"},
		{name: "cache scope", body: with(ok, `,"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","scope":"global"}}]`), want: "system.0.cache_control.ephemeral.scope: Extra inputs are not permitted"},
		{name: "count", path: modelPath + "count-tokens", body: `{"input":{"converse":` + hello + `}}`, status: 200, want: `{"inputTokens":`},
		{name: "count body", path: modelPath + "count-tokens", status: 200, want: `{"inputTokens":`,
			body: `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(with(ok, ""))) + `"}}}`},
		{name: "count nothing", path: modelPath + "count-tokens", body: `{"input":{}}`, want: "at 'input'"},
	})
}

func TestOpenAIRefusals(t *testing.T) {
	const ok = `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]%s}`
	msg := func(m string) string { return `{"model":"gpt-4o","messages":[` + m + `]}` }
	o3 := func(s string) string { return strings.Replace(s, "gpt-4o", "o3", 1) }
	tool := `,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	call := `{"role":"user","content":"go"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	start(t, Options{}).refusals("/v1/chat/completions", []refusalCase{
		{name: "plain", body: with(ok, ""), status: 200},
		{name: "no JSON", body: "{", want: "We could not parse the JSON body"},
		{name: "no model", body: `{"messages":[]}`, want: "you must provide a model parameter"},
		{name: "unknown model", body: strings.Replace(with(ok, ""), "gpt-4o", "claude", 1), status: 404, want: "The model `claude` does not exist or you do not have access to it."},
		{name: "no messages", body: `{"model":"gpt-4o"}`, want: "Missing required parameter: 'messages'."},
		{name: "messages type", body: `{"model":"gpt-4o","messages":"x"}`, want: "Invalid type for 'messages': expected an array of objects, but got a string instead."},
		{name: "unknown field", body: with(ok, `,"drop_params":true`), want: "Unknown parameter: 'drop_params'."},
		{name: "unknown field of a compatible server", body: strings.Replace(with(ok, `,"top_k":1`), "gpt-4o", "fake", 1), status: 200},
		{name: "cache_control", body: msg(`{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}`), want: "Unknown parameter: 'messages[0].content[0].cache_control'."},
		{name: "stream_options", body: with(ok, `,"stream_options":{"include_usage":true}`), want: "The 'stream_options' parameter is only allowed when 'stream' is enabled."},
		{name: "reasoning max_tokens", body: o3(with(ok, `,"max_tokens":5`)), want: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."},
		{name: "reasoning temperature", body: o3(with(ok, `,"temperature":0.2`)), want: "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."},
		{name: "reasoning default temperature", body: o3(with(ok, `,"temperature":1,"max_completion_tokens":50,"reasoning_effort":"low"`)), status: 200},
		{name: "effort of a plain model", body: with(ok, `,"reasoning_effort":"low"`), want: "'reasoning_effort' is not supported with this model"},
		{name: "many tokens", body: with(ok, `,"max_tokens":16385`), want: "max_tokens is too large: 16385. This model supports at most 16384 completion tokens"},
		{name: "hot", body: with(ok, `,"temperature":3`), want: "Expected a value <= 2, but got 3 instead."},
		{name: "stops", body: with(ok, `,"stop":["a","b","c","d","e"]`), want: "maximum length 4"},
		{name: "role", body: msg(`{"role":"bot","content":"x"}`), want: "Invalid value: 'bot'."},
		{name: "null content", body: msg(`{"role":"user","content":null}`), want: "expected a string, got null"},
		{name: "tool turn", body: msg(call + `,{"role":"tool","tool_call_id":"a","content":"ok"}`), status: 200},
		{name: "tool alone", body: msg(`{"role":"tool","tool_call_id":"a","content":"ok"}`), want: "must be a response to a preceeding message with 'tool_calls'"},
		{name: "unanswered", body: msg(call + `,{"role":"user","content":"x"}`), want: "The following tool_call_ids did not have response messages: a"},
		{name: "unanswered at the end", body: msg(call), want: "did not have response messages: a"},
		{name: "long id", body: strings.ReplaceAll(msg(call+`,{"role":"tool","tool_call_id":"a","content":"ok"}`), `"a"`, `"`+strings.Repeat("a", 41)+`"`), want: "maximum length 40"},
		{name: "arguments type", body: strings.Replace(msg(call), `"{}"`, `{}`, 1), want: "expected a string, but got an object instead"},
		{name: "tool name", body: with(ok, strings.Replace(tool, `"f"`, `"a.b"`, 1)), want: "Invalid 'tools[0].function.name': string does not match pattern."},
		{name: "tool name length", body: with(ok, strings.Replace(tool, `"f"`, `"`+strings.Repeat("x", 65)+`"`, 1)), want: "maximum length 64"},
		{name: "no tools", body: with(ok, `,"tools":[]`), want: "Invalid 'tools': empty array."},
		{name: "choice without tools", body: with(ok, `,"tool_choice":"auto"`), want: "'tool_choice' is only allowed when 'tools' are specified"},
		{name: "parallel without tools", body: with(ok, `,"parallel_tool_calls":true`), want: "'parallel_tool_calls' is only allowed"},
		{name: "json_object", body: with(ok, `,"response_format":{"type":"json_object"}`), want: "'messages' must contain the word 'json' in some form"},
		{name: "image", body: msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png + `"}}]}`), status: 200},
		{name: "image magic", body: msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + png + `"}}]}`), want: "You uploaded an unsupported image."},
		{name: "image url", body: msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}`), want: "Invalid image URL"},
		{name: "overflow", body: msg(`{"role":"user","content":"` + strings.Repeat("word", 128_001) + `"}`), want: "context_length_exceeded"},
	})
}

package mapping

// pydanticRules follow Pydantic AI and Logfire beyond the GenAI conventions. An agent span repeats the conversation of
// the calls below it, and its gen_ai.aggregated_usage.* their totals. https://ai.pydantic.dev/logfire/
var pydanticRules = []rule{
	{key: "logfire.span_type", field: fPending, mark: true},
	{key: "logfire.msg", field: fKind, mark: true},
	{key: "logfire.json_schema", field: fKind, mark: true},
	{key: "logfire.tags", field: fTags, mark: true},
	{key: "gen_ai.aggregated_usage.input_tokens", field: fInputTokens, mark: true},
	{key: "gen_ai.aggregated_usage.output_tokens", field: fOutputTokens, mark: true},
	{key: "gen_ai.aggregated_usage.cache_read.input_tokens", field: fCacheRead},
	{key: "gen_ai.aggregated_usage.details.cache_read_tokens", field: fCacheRead},
	{key: "gen_ai.aggregated_usage.cache_creation.input_tokens", field: fCacheWrite},
	{key: "gen_ai.aggregated_usage.details.cache_write_tokens", field: fCacheWrite},
	{key: "gen_ai.aggregated_usage.details.reasoning_tokens", field: fReasoning},
	{key: "pydantic_ai.all_messages", field: fBody, at: "messages", shape: listed, mark: true},
	{key: "all_messages_events", field: fBody, at: "messages", shape: listed, mark: true},
	{key: "all_messages", field: fBody, at: "messages", shape: listed, mark: true},
	{key: "events", field: fBody, at: "messages", shape: listed},
	{key: "model_request_parameters", field: fBody, at: "model_request_parameters", mark: true},
	{key: "request_data", field: fBody},
	{key: "response_data", field: fBody, output: true},
	{key: "final_result", field: fBody, output: true, mark: true},
	{key: "tool_arguments", field: fBody, mark: true},
	{key: "tool_response", field: fBody, output: true, mark: true},
}

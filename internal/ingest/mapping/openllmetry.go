package mapping

import "weir/internal/span"

// openLLMetryRules follow Traceloop's additions to the GenAI conventions. https://github.com/traceloop/openllmetry
var openLLMetryRules = []rule{
	{key: "traceloop.span.kind", field: fKind, mark: true, kinds: map[string]span.Kind{
		"workflow": span.Chain, "task": span.Chain, "agent": span.Agent, "tool": span.Tool,
	}},
	{key: "llm.request.type", field: fKind, mark: true, kinds: map[string]span.Kind{
		"chat": span.Generation, "completion": span.Generation, "embedding": span.Embedding, "rerank": span.Reranker,
	}},
	{key: "llm.is_streaming", field: fStream, mark: true},
	{key: "gen_ai.is_streaming", field: fStream, mark: true},
	{key: "llm.usage.total_tokens", field: fTotalTokens, mark: true},
	{key: "llm.usage.cache_read_input_tokens", field: fCacheRead},
	{key: "llm.usage.cache_creation_input_tokens", field: fCacheWrite},
	{key: "llm.usage.reasoning_tokens", field: fReasoning},
	{key: "llm.response.model", field: fModel},
	{key: "llm.response.finish_reason", field: fFinish},
	{key: "llm.response.stop_reason", field: fFinish},
	{key: "llm.chat_completions.streaming_time_to_first_token", field: fFirstToken, unit: second},
	{key: "traceloop.association.properties.session_id", field: fSession, mark: true},
	{key: "traceloop.association.properties.thread_id", field: fSession, mark: true},
	{key: "traceloop.association.properties.user_id", field: fEndUser, mark: true},
	{key: "traceloop.association.properties.", prefix: true, field: fMetadata, mark: true},
	{key: "traceloop.workflow.name", field: fTraceName, mark: true},
	{key: "traceloop.prompt.key", field: fPromptName, mark: true},
	{key: "traceloop.prompt.version", field: fPromptVersion, mark: true},
	{key: "traceloop.entity.input", field: fBody, mark: true},
	{key: "traceloop.entity.output", field: fBody, output: true, mark: true},
	{key: "traceloop.entity.name", field: fKind, mark: true},
	{key: "llm.request.functions.", prefix: true, field: fBody, at: "tools", shape: flat, mark: true},
	{key: "llm.top_k", field: fParams, name: "top_k"},
	{key: "llm.frequency_penalty", field: fParams, name: "frequency_penalty"},
	{key: "llm.presence_penalty", field: fParams, name: "presence_penalty"},
	{key: "llm.temperature", field: fParams, name: "temperature"},
}

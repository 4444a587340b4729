package mapping

import "weir/internal/span"

// langfuseRules follow the attributes of Langfuse's SDKs, which send structured values as JSON in text.
// https://langfuse.com/integrations/native/opentelemetry
var langfuseRules = []rule{
	{key: "langfuse.observation.type", field: fKind, mark: true, kinds: map[string]span.Kind{
		"generation": span.Generation, "span": span.Other, "event": span.Event, "agent": span.Agent, "tool": span.Tool, "chain": span.Chain,
		"retriever": span.Retriever, "evaluator": span.Evaluator, "embedding": span.Embedding, "guardrail": span.Guardrail,
	}},
	{key: "langfuse.observation.model.name", field: fModel, mark: true},
	{key: "langfuse.observation.model.parameters", field: fParams, mark: true},
	{key: "langfuse.observation.usage_details", field: fUsage, mark: true},
	{key: "langfuse.observation.cost_details", field: fCosts, mark: true},
	{key: "langfuse.observation.completion_start_time", field: fFirstToken, mark: true},
	{key: "langfuse.observation.prompt.name", field: fPromptName, mark: true},
	{key: "langfuse.observation.prompt.version", field: fPromptVersion, mark: true},
	{key: "langfuse.observation.level", field: fLevel, mark: true},
	{key: "langfuse.observation.status_message", field: fErrorText, mark: true},
	{key: "langfuse.observation.input", field: fBody, mark: true},
	{key: "langfuse.trace.input", field: fBody},
	{key: "langfuse.observation.output", field: fBody, output: true, mark: true},
	{key: "langfuse.trace.output", field: fBody, output: true},
	{key: "langfuse.observation.metadata", field: fMetadata, mark: true},
	{key: "langfuse.observation.metadata.", prefix: true, field: fMetadata},
	{key: "langfuse.trace.metadata", field: fMetadata},
	{key: "langfuse.trace.metadata.", prefix: true, field: fMetadata},
	{key: "langfuse.metadata.", prefix: true, field: fMetadata},
	{key: "langfuse.user.id", field: fEndUser},
	{key: "langfuse.trace.user_id", field: fEndUser},
	{key: "langfuse.session.id", field: fSession},
	{key: "langfuse.trace.session_id", field: fSession},
	{key: "langfuse.trace.tags", field: fTags},
	{key: "langfuse.tags", field: fTags},
	{key: "langfuse.trace.name", field: fTraceName},
	{key: "langfuse.environment", field: fEnvironment},
	{key: "langfuse.release", field: fRelease},
	{key: "langfuse.version", field: fRelease},
	{key: "langfuse.trace.version", field: fRelease},
}

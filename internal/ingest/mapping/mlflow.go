package mapping

import "weir/internal/span"

// mlflowRules follow MLflow's tracing, whose values are plain over OTLP in some versions and JSON in text in others.
// https://mlflow.org/docs/latest/genai/tracing/
var mlflowRules = []rule{
	{key: "mlflow.spanType", field: fKind, mark: true, kinds: map[string]span.Kind{
		"llm": span.Generation, "chat_model": span.Generation, "chain": span.Chain, "agent": span.Agent, "tool": span.Tool, "retriever": span.Retriever,
		"parser": span.Chain, "embedding": span.Embedding, "reranker": span.Reranker, "memory": span.Chain, "workflow": span.Chain, "task": span.Chain,
		"guardrail": span.Guardrail, "evaluator": span.Evaluator, "unknown": span.Other,
	}},
	{key: "mlflow.llm.model", field: fModel},
	{key: "mlflow.llm.provider", field: fProvider},
	{key: "mlflow.chat.tokenUsage", field: fUsage},
	{key: "mlflow.llm.cost", field: fCosts},
	{key: "mlflow.trace.user", field: fEndUser},
	{key: "mlflow.user", field: fEndUser},
	{key: "mlflow.trace.session", field: fSession},
	{key: "mlflow.traceName", field: fTraceName},
	{key: "mlflow.experimentId", field: fExperiment, mark: true},
	{key: "mlflow.traceRequestId", field: fKind, mark: true},
	{key: "mlflow.linkedPrompts", field: fPrompt},
	{key: "mlflow.traceTag.", prefix: true, field: fMetadata},
	{key: "mlflow.spanInputs", field: fBody, mark: true},
	{key: "mlflow.spanOutputs", field: fBody, output: true, mark: true},
	{key: "mlflow.chat.tools", field: fBody, at: "tools", shape: listed},
}

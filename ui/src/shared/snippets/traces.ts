import type { Snippet, Where } from './snippets';

/** What to paste so that a program's own spans arrive here, and so that an agent can read them. */
export function traceSnippets({ base, key, model }: Where): Snippet[] {
  const env = `export OTEL_EXPORTER_OTLP_ENDPOINT=${base}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20${key}'`;
  const host = new URL(base).hostname;
  const setup = `from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\n`;
  const js = `import { NodeSDK } from '@opentelemetry/sdk-node';\nimport { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';\n\nconst sdk = new NodeSDK({\n  serviceName: 'my-app',\n  traceExporter: new OTLPTraceExporter({\n    url: '${base}/v1/traces',\n    headers: { Authorization: 'Bearer ${key}' },\n  }),\n});\nsdk.start();`;
  return [
    {
      id: 'otel-python', name: 'OpenTelemetry · Python',
      files: [
        { title: 'HTTP', text: env },
        { title: 'gRPC', text: `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4317\nexport OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nexport OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20${key}'` },
        { title: 'Python', text: `# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-openai-v2\n# export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true\n${setup}\nfrom opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()` },
      ],
    },
    { id: 'otel-js', name: 'OpenTelemetry · JavaScript', files: [{ title: 'JavaScript', text: js }] },
    {
      id: 'openinference', name: 'OpenInference',
      files: [{ title: 'sh', text: env }, { title: 'Python', text: `# pip install openinference-instrumentation-openai opentelemetry-sdk opentelemetry-exporter-otlp-proto-http\n${setup}\nfrom openinference.instrumentation.openai import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()` }],
    },
    {
      id: 'openllmetry', name: 'OpenLLMetry',
      files: [{ title: 'Python', text: `# pip install traceloop-sdk\nfrom traceloop.sdk import Traceloop\n\nTraceloop.init(\n    app_name="my-app",\n    api_endpoint="${base}",\n    headers={"Authorization": "Bearer ${key}"},\n)` }],
    },
    {
      id: 'vercel', name: 'Vercel AI SDK',
      files: [{ title: 'JavaScript', text: `${js}\n\nimport { generateText } from 'ai';\n\nawait generateText({\n  model,\n  prompt: 'Hello',\n  experimental_telemetry: { isEnabled: true, metadata: { userId: 'u-1', sessionId: 's-1' } },\n});` }],
    },
    {
      id: 'pydantic', name: 'Pydantic AI',
      files: [{ title: 'sh', text: env }, { title: 'Python', text: `${setup}\nfrom pydantic_ai import Agent\n\nAgent.instrument_all()\nagent = Agent('openai:${model}')\nprint(agent.run_sync('Hello').output)` }],
    },
    {
      id: 'langfuse', name: 'Langfuse SDK', note: 'connect.langfuse',
      files: [{ title: 'sh', text: `export LANGFUSE_BASE_URL=${base}\nexport LANGFUSE_PUBLIC_KEY=weir\nexport LANGFUSE_SECRET_KEY='${key}'` }, { title: 'Python', text: `from langfuse import observe\n\n@observe()\ndef answer(question):\n    ...` }],
    },
    {
      id: 'mlflow', name: 'MLflow SDK', note: 'connect.mlflow',
      files: [
        { title: 'sh', text: `export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${base}/v1/traces\nexport OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20${key},x-mlflow-experiment-id=0'` },
        { title: 'Python', text: `import mlflow\n\n@mlflow.trace\ndef answer(question):\n    ...` },
      ],
    },
    {
      id: 'mcp', name: 'MCP', note: 'connect.mcp',
      files: [
        { title: 'Claude Code', text: `claude mcp add --transport http traces ${base}/mcp --header 'Authorization: Bearer ${key}'` },
        { title: 'Cline (cline_mcp_settings.json)', text: JSON.stringify({ mcpServers: { traces: { type: 'streamableHttp', url: `${base}/mcp`, headers: { Authorization: `Bearer ${key}` } } } }, null, 2) },
      ],
    },
  ];
}

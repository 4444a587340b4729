"""OpenTelemetry's own openai instrumentation: GenAI semantic conventions, messages as log events."""

import os

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"

from common import *  # noqa: E402,F403
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

p = provider()
logs = LoggerProvider(resource=p.resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
OpenAIInstrumentor().instrument(tracer_provider=p, logger_provider=logs)
tracer = trace.get_tracer("shop")
c = openai_client()


@case
def simple():
    with tracer.start_as_current_span("GET /hello", attributes={"user.id": "u-17", "session.id": "s-17"}):
        chat(c, ASK, temperature=0.5)


@case
def streaming():
    stream(c, ASK)


@case
def tools():
    with tracer.start_as_current_span("invoke_agent helper", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper", "gen_ai.conversation.id": "conv-1"}):
        tool_loop(c)
        with tracer.start_as_current_span("execute_tool weather", attributes={
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": '{"city":"Kyoto"}', "gen_ai.tool.call.result": '{"sky":"clear"}',
        }):
            pass


@case
def error():
    refused(c)


@case
def embeddings():
    embed()


run(lambda: (p.force_flush(), logs.force_flush()))

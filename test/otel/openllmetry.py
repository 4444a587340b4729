"""OpenLLMetry's (Traceloop's) openai instrumentation."""

from common import *  # noqa: F403
from opentelemetry import context
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

p = provider()
OpenAIInstrumentor().instrument(tracer_provider=p)
c = openai_client()
tracer = trace.get_tracer("traceloop.tracer")
WHO = {"traceloop.association.properties.user_id": "u-17", "traceloop.association.properties.session_id": "s-17", "traceloop.workflow.name": "greeting"}


def work(kind, name, **more):
    return tracer.start_as_current_span(f"{name}.{kind}", attributes={
        "traceloop.span.kind": kind, "traceloop.entity.name": name, **WHO, **{"traceloop.entity." + k: v for k, v in more.items()}})


@case
def simple():
    with work("workflow", "greeting", input='{"args": [], "kwargs": {"who": "Japan"}}', output='"hello"'):
        chat(c, ASK, temperature=0.5)


@case
def streaming():
    stream(c, ASK)


@case
def tools():
    with work("agent", "helper"):
        tool_loop(c)
        with work("tool", "weather", input='{"city": "Kyoto"}', output='{"sky": "clear"}'):
            pass


@case
def error():
    refused(c)


@case
def embeddings():
    embed()


run(p.force_flush)

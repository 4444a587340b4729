"""OpenInference's openai instrumentation, as Phoenix uses it."""

from common import *  # noqa: F403
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor

p = provider()
OpenAIInstrumentor().instrument(tracer_provider=p)
c = openai_client()
tracer = trace.get_tracer("shop")


@case
def simple():
    with using_attributes(session_id="s-17", user_id="u-17", metadata={"plan": "pro", "cart": {"items": 3}}, tags=["shop", "eu"],
                          prompt_template="Say hello to {who}", prompt_template_version="v3", prompt_template_variables={"who": "日本"}):
        chat(c, ASK, temperature=0.5)


@case
def streaming():
    stream(c, ASK)


@case
def tools():
    with tracer.start_as_current_span("helper", attributes={"openinference.span.kind": "AGENT"}):
        tool_loop(c)


@case
def image():
    chat(c, [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}])


@case
def error():
    refused(c)


@case
def embeddings():
    embed()


@case
def retrieval():
    with tracer.start_as_current_span("search", attributes={
        "openinference.span.kind": "RETRIEVER", "input.value": "return policy", "input.mime_type": "text/plain",
        "retrieval.documents.0.document.id": "d1", "retrieval.documents.0.document.content": "Thirty days.", "retrieval.documents.0.document.score": 0.91,
        "retrieval.documents.0.document.metadata": '{"page": 4}',
        "retrieval.documents.1.document.id": "d2", "retrieval.documents.1.document.content": "Keep the box.", "retrieval.documents.1.document.score": 0.4,
    }):
        pass


run(p.force_flush)

"""What the programs share: exporter, tools, questions. Names of the cases to run are arguments.

OPENAI_BASE_URL is the model's address, OTEL_EXPORTER_OTLP_ENDPOINT where spans go. A case that fails on purpose catches its
own error, as an application would. Each case is a trace of its own, and prints {"name", "ok", "error"} on one line.
"""

import json
import os
import sys
import traceback

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

MODEL = "gpt-4o"
BASE = os.environ["OPENAI_BASE_URL"]
EMBED = os.environ.get("EMBED_BASE_URL", BASE)
ASK = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Say hello to 日本"}]
# The fake model calls a tool once per wording, so every program has its own.
WEATHER = f"What is the weather in Kyoto? {os.path.basename(sys.argv[0])[:-3]}{os.environ.get('PYDANTIC_FORMAT', '')} [[fake: tool=weather times=1]]"
TOOL_ASK = [{"role": "user", "content": WEATHER}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": PARAMETERS}}]
BAD = [{"role": "user", "content": 'Fail please [[fake: status=400 message="that was refused"]]'}]
USAGE = {"stream": True, "stream_options": {"include_usage": True}}

cases = {}


def case(f):
    cases[f.__name__] = f
    return f


def exporter():
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def provider(service="shop"):
    p = TracerProvider(resource=Resource.create({"service.name": service, "service.version": "1.4.2", "deployment.environment.name": "staging"}))
    p.add_span_processor((SimpleSpanProcessor if os.environ.get("OTEL_SIMPLE") else BatchSpanProcessor)(exporter()))
    trace.set_tracer_provider(p)
    return p


def openai_client(**more):
    from openai import OpenAI

    return OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "sk-fake"), base_url=BASE, max_retries=0, **more)


def chat(client, messages, **more):
    return client.chat.completions.create(model=MODEL, messages=messages, max_tokens=200, **more)


def stream(client, messages):
    return "".join(c.choices[0].delta.content or "" for c in chat(client, messages, **USAGE) if c.choices)


def tool_loop(client):
    messages = list(TOOL_ASK)
    first = chat(client, messages, tools=TOOLS).choices[0].message
    messages.append({"role": "assistant", "content": first.content, "tool_calls": [t.model_dump(exclude={"index"}, exclude_none=True) for t in first.tool_calls]})
    for t in first.tool_calls:
        messages.append({"role": "tool", "tool_call_id": t.id, "content": json.dumps({"sky": "clear", "degrees": 21})})
    return chat(client, messages, tools=TOOLS)


def refused(client):
    import openai

    try:
        chat(client, BAD)
    except openai.BadRequestError:
        return
    raise AssertionError("the model was meant to refuse")


def embed():
    from openai import OpenAI

    OpenAI(api_key="sk-fake", base_url=EMBED, max_retries=0).embeddings.create(
        model="text-embedding-3-small", input=["one text", "another"], encoding_format="float")


def run(flush):
    for name in sys.argv[1:] or cases:
        out = {"name": name, "ok": True, "error": ""}
        try:
            cases[name]()
        except Exception:
            out.update(ok=False, error=traceback.format_exc())
        flush()
        print(json.dumps(out), flush=True)

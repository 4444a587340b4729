"""Langfuse's SDK: its own spans, and its openai wrapper."""

from common import *  # noqa: F403
import langfuse
from langfuse import Langfuse

lf = Langfuse(public_key=os.environ.get("LANGFUSE_PUBLIC_KEY", "pk-lf-1"), secret_key=os.environ.get("LANGFUSE_SECRET_KEY", "sk-lf-1"),
              base_url=os.environ["LANGFUSE_BASE_URL"], environment="staging", release="1.4.2")


@case
def simple():
    with lf.start_as_current_observation(as_type="span", name="request", input={"q": "hello"}, metadata={"plan": "pro"}) as root:
        with langfuse.propagate_attributes(user_id="u-17", session_id="s-17", tags=["shop", "eu"], metadata={"cart": "3"}, trace_name="greeting"):
            with lf.start_as_current_observation(
                as_type="generation", name="answer", model=MODEL, input=ASK, model_parameters={"temperature": 0.5},
            ) as g:
                g.update(output={"role": "assistant", "content": "Hello!"}, usage_details={"input": 20, "output": 5, "input_cached_tokens": 7, "total": 32},
                         cost_details={"input": 0.002, "output": 0.001, "total": 0.003})
        root.update(output={"a": "Hello!"})


@case
def wrapper():
    from langfuse.openai import OpenAI

    client = OpenAI(api_key="sk-fake", base_url=BASE, max_retries=0)
    chat(client, ASK)
    stream(client, ASK)


@case
def kinds():
    for kind in ("agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail"):
        with lf.start_as_current_observation(as_type=kind, name=kind + " step", input={"n": 1}, output=[1, 2]):
            pass
    lf.create_event(name="clicked", input="x")


@case
def error():
    with lf.start_as_current_observation(as_type="generation", name="answer", model=MODEL, input="hi") as g:
        g.update(level="ERROR", status_message="that was refused")


run(lf.flush)

"""MLflow's tracing SDK, exporting over OTLP."""

from common import *  # noqa: F403
import mlflow
from mlflow.entities import SpanType


@mlflow.trace(span_type=SpanType.CHAT_MODEL, name="answer")
def answer(messages):
    span = mlflow.get_current_active_span()
    span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25, "cache_read_input_tokens": 8})
    span.set_attribute("mlflow.llm.model", MODEL)
    span.set_attribute("mlflow.llm.provider", "openai")
    span.set_attribute("mlflow.llm.cost", {"input_cost": 0.002, "output_cost": 0.001, "total_cost": 0.003})
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello!"}}]}


@mlflow.trace(span_type=SpanType.TOOL)
def weather(city):
    return {"sky": "clear", "degrees": 21}


@mlflow.trace(span_type=SpanType.RETRIEVER)
def search(query):
    from mlflow.entities import Document

    return [Document(page_content="Thirty days.", metadata={"page": 4}, id="d1"), Document(page_content="Keep the box.", id="d2")]


@case
def simple():
    @mlflow.trace(span_type=SpanType.AGENT, name="helper")
    def agent(question):
        weather("Kyoto")
        return answer(ASK)

    agent("Say hello")


@case
def retrieval():
    search("return policy")


@case
def error():
    @mlflow.trace(span_type=SpanType.TOOL)
    def broken():
        raise ValueError("that was refused")

    try:
        broken()
    except ValueError:
        pass


run(lambda: mlflow.flush_trace_async_logging() if hasattr(mlflow, "flush_trace_async_logging") else None)

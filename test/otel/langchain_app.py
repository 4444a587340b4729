"""LangChain, instrumented by OpenInference."""

from common import *  # noqa: F403
from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor

p = provider()
LangChainInstrumentor().instrument(tracer_provider=p)
model = ChatOpenAI(model=MODEL, base_url=BASE, api_key="sk-fake", max_retries=0, max_tokens=200, stream_usage=True)


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(id="d1", page_content="Thirty days.", metadata={"page": 4}), Document(id="d2", page_content="Keep the box.")]


@tool
def weather(city: str) -> dict:
    """Weather of a city"""
    return {"sky": "clear", "degrees": 21}


@case
def simple():
    chain = ChatPromptTemplate.from_messages([("system", "You are brief."), ("user", "Say hello to {who}")]) | model
    chain.invoke({"who": "日本"}, config={"metadata": {"session_id": "s-17", "user_id": "u-17"}, "tags": ["shop"]})


@case
def streaming():
    for _ in model.stream("Say hello"):
        pass


@case
def tools():
    from langchain_core.messages import HumanMessage

    with trace.get_tracer("shop").start_as_current_span("helper", attributes={"openinference.span.kind": "AGENT"}):
        messages = [HumanMessage(WEATHER)]
        bound = model.bind_tools([weather])
        first = bound.invoke(messages)
        messages.append(first)
        for t in first.tool_calls:
            messages.append(weather.invoke(t))
        bound.invoke(messages)


@case
def retrieval():
    Shelf().invoke("return policy")


@case
def error():
    import openai

    try:
        model.invoke(BAD[0]["content"])
    except openai.BadRequestError:
        return
    raise AssertionError("the model was meant to refuse")


run(p.force_flush)

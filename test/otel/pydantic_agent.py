"""Pydantic AI with its own instrumentation. PYDANTIC_FORMAT is the version of its attributes."""

from common import *  # noqa: F403
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

p = provider()
settings = {"tracer_provider": p}
if "PYDANTIC_FORMAT" in os.environ:
    settings["version"] = int(os.environ["PYDANTIC_FORMAT"])
Agent.instrument_all(InstrumentationSettings(**settings))


def agent(**more):
    client = AsyncOpenAI(api_key="sk-fake", base_url=BASE, max_retries=0)
    return Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client)), name="helper", **more)


@case
def simple():
    agent(instructions="You are brief.").run_sync("Say hello to 日本")


@case
def tools():
    a = agent()

    @a.tool_plain
    def weather(city: str) -> dict:
        """Weather of a city."""
        return {"sky": "clear", "degrees": 21}

    a.run_sync(WEATHER)


@case
def error():
    try:
        agent().run_sync(BAD[0]["content"])
    except Exception as e:
        assert "400" in str(e), e
    else:
        raise AssertionError("the model was meant to refuse")


run(p.force_flush)

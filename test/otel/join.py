"""An application calls the model through Weir and hands its trace on: its spans and the gateway's are one trace."""

from common import *  # noqa: F403
from openai import DefaultHttpxClient
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import propagate

p = provider()
OpenAIInstrumentor().instrument(tracer_provider=p)
c = openai_client(http_client=DefaultHttpxClient(event_hooks={"request": [lambda r: propagate.inject(r.headers)]}))


@case
def joined():
    with trace.get_tracer("shop").start_as_current_span("GET /hello", attributes={"session.id": "s-17", "user.id": "u-17"}):
        chat(c, ASK)


run(p.force_flush)

"""The official anthropic package through Weir."""

import json

import anthropic
from anthropic import Anthropic
from scenario import DIRECT, LONG, OPUS, SONNET, URL, WEATHER, last_body, png64, raises, run, scenario, until

TOOLS = [{"name": "weather", "description": "Weather of a city", "input_schema": WEATHER}]
EVERY = (SONNET, DIRECT, "gpt-4o")


def client(key):
    return Anthropic(base_url=URL, api_key=key, max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def text_of(message):
    return "".join(b.text for b in message.content if b.type == "text")


@scenario
def messages(key):
    for model in EVERY:
        m = client(key).messages.create(model=model, max_tokens=300, messages=ask("Say hello"))
        assert m.type == "message" and m.role == "assistant" and m.model == model, m
        assert text_of(m).startswith("You said: Say hello"), m
        assert m.stop_reason == "end_turn" and m.usage.output_tokens > 0, m


@scenario
def bearer(key):
    m = Anthropic(base_url=URL, auth_token=key, api_key=None, max_retries=0).messages.create(model=SONNET, max_tokens=300, messages=ask("Bearer"))
    assert text_of(m), m


@scenario
def stream(key):
    for model in EVERY:
        with client(key).messages.stream(model=model, max_tokens=3000, messages=ask("Tell a story [[fake: chunks=20]]")) as s:
            text = "".join(s.text_stream)
            m = s.get_final_message()
        assert text.startswith("You said: Tell a story") and text == text_of(m), text
        assert m.model == model and m.usage.output_tokens > 0 and m.stop_reason == "end_turn", m


@scenario
def thinking_round_trip(key):
    """Thinking blocks and signatures come back unchanged and are taken again."""
    for model in (SONNET, DIRECT):
        turns = ask(f"What is the weather, {model}? [[fake: parallel=2]]")
        system = [{"type": "text", "text": LONG + model, "cache_control": {"type": "ephemeral"}}]
        more = dict(model=model, max_tokens=8000, tools=TOOLS, system=system, thinking={"type": "enabled", "budget_tokens": 2000})
        first = client(key).messages.create(messages=turns, **more)
        assert [b.type for b in first.content if b.type != "text"] == ["thinking", "tool_use", "tool_use"], first
        assert first.stop_reason == "tool_use" and first.content[0].signature, first
        uses = [b for b in first.content if b.type == "tool_use"]
        turns.append({"role": "assistant", "content": [json.loads(b.model_dump_json(exclude_none=True)) for b in first.content]})
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": u.id, "content": "21 degrees"} for u in uses]})
        with client(key).messages.stream(messages=turns, **more) as s:
            second = s.get_final_message()
        assert second.stop_reason == "end_turn" and text_of(second), second
        assert second.usage.cache_read_input_tokens > 0, second.usage


@scenario
def count_tokens(key):
    for model in (SONNET, DIRECT):
        n = client(key).messages.count_tokens(model=model, messages=ask("How long is this?"))
        assert n.input_tokens > 0, n


@scenario
def image(key):
    for model in EVERY:
        content = [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png64()}},
            {"type": "text", "text": f"What is this picture, {model}?"},
        ]
        m = client(key).messages.create(model=model, max_tokens=300, messages=[{"role": "user", "content": content}])
        assert text_of(m), m
        assert png64() in json.dumps(last_body(f"What is this picture, {model}?")["body"]), "the picture did not reach the upstream"


@scenario
def errors(key):
    e = raises(anthropic.AuthenticationError, lambda: client("sk-nobody-has-this-key").messages.create(model=SONNET, max_tokens=9, messages=ask("x")))
    assert e.body["type"] == "error" and e.body["error"]["type"] == "authentication_error", e.body
    e = raises(anthropic.NotFoundError, lambda: client(key).messages.create(model="no-such-model", max_tokens=9, messages=ask("x")))
    assert e.body["error"]["type"] == "not_found_error" and "no-such-model" in e.body["error"]["message"], e.body
    for model in (SONNET, DIRECT):
        e = raises(anthropic.BadRequestError, lambda m=model: client(key).messages.create(model=m, max_tokens=9, messages=ask("x"), extra_body={"temperature": 7}))
        assert e.body["error"]["type"] == "invalid_request_error" and "temperature" in e.body["error"]["message"], e.body
        e = raises(anthropic.RateLimitError, lambda m=model: client(key).messages.create(model=m, max_tokens=9, messages=ask("[[fake: status=429 retry_after=60]]")))
        assert e.body["error"]["type"] == "rate_limit_error", e.body


@scenario
def cancel(key):
    mark = "Talk for long, anthropic " + anthropic.__version__
    with client(key).messages.stream(model=DIRECT, max_tokens=30000, messages=ask(mark + " [[fake: chunks=2000 chunk_delay=20ms]]")) as s:
        for _, text in zip(range(5), s.text_stream):
            assert text
    until("the upstream sees that the client has gone", lambda: last_body(mark)["disconnected"])


@scenario
def catalogue(key):
    ids = {m.id for m in client(key).models.list(limit=100)}
    assert {SONNET, OPUS, DIRECT} <= ids, ids


if __name__ == "__main__":
    run()

"""The official openai package through Weir."""

import json

import openai
from openai import OpenAI
from scenario import DIRECT, GPT, LONG, OPUS, SONNET, URL, WEATHER, journal, last_body, png64, raises, run, scenario, until

TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": WEATHER}}]


def client(key, **more):
    return OpenAI(base_url=URL + "/v1", api_key=key, max_retries=0, **more)


def ask(text):
    return [{"role": "user", "content": text}]


@scenario
def chat(key):
    for model in (SONNET, OPUS, DIRECT, GPT):
        r = client(key).chat.completions.create(model=model, messages=ask("Say hello"), max_tokens=300)
        assert r.object == "chat.completion" and r.model.startswith(model), r
        assert r.choices[0].message.content.startswith("You said: Say hello"), r
        assert r.choices[0].finish_reason == "stop", r
        assert r.usage.total_tokens == r.usage.prompt_tokens + r.usage.completion_tokens > 0, r.usage


@scenario
def stream(key):
    for model in (SONNET, DIRECT, GPT):
        text, usage, finish = "", None, []
        for chunk in client(key).chat.completions.create(
            model=model, messages=ask("Tell a story [[fake: chunks=20]]"), stream=True, stream_options={"include_usage": True}
        ):
            assert chunk.object == "chat.completion.chunk", chunk
            if chunk.usage:
                usage = chunk.usage
            for c in chunk.choices:
                text += c.delta.content or ""
                finish += [c.finish_reason] if c.finish_reason else []
        assert text.startswith("You said: Tell a story"), text
        assert finish == ["stop"], finish
        assert usage and usage.completion_tokens > 0, usage


@scenario
def stream_without_usage(key):
    for model in (SONNET, GPT):
        chunks = list(client(key).chat.completions.create(model=model, messages=ask("Hello"), stream=True))
        assert all(c.usage is None and c.choices for c in chunks), "usage was not asked for"


@scenario
def tool_loop(key):
    """Two turns with thinking: the client drops the signature, the second turn works all the same."""
    c = client(key)
    messages = [{"role": "system", "content": LONG}] + ask("What is the weather? [[fake: parallel=2]]")
    first = c.chat.completions.create(model=SONNET, messages=messages, tools=TOOLS, reasoning_effort="high", max_tokens=4000)
    msg = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls", first
    assert len(msg.tool_calls) == 2, msg
    assert len({t.id for t in msg.tool_calls}) == 2
    assert all("city" in json.loads(t.function.arguments) for t in msg.tool_calls), msg
    assert getattr(msg, "reasoning_content", None), "no reasoning was shown"
    messages.append(
        {
            "role": "assistant",
            "content": msg.content,
            "tool_calls": [
                {"id": t.id, "type": "function", "function": {"name": t.function.name, "arguments": t.function.arguments}} for t in msg.tool_calls
            ],
        }
    )
    messages += [{"role": "tool", "tool_call_id": t.id, "content": "21 degrees"} for t in msg.tool_calls]
    second = c.chat.completions.create(model=SONNET, messages=messages, tools=TOOLS, reasoning_effort="high", max_tokens=4000)
    assert second.choices[0].finish_reason == "stop", second
    assert second.usage.prompt_tokens_details.cached_tokens > 0, second.usage
    sent = [e for e in journal() if "What is the weather? " in json.dumps(e["body"])][-1]["body"]
    turn = [m for m in sent["messages"] if m["role"] == "assistant"][0]
    assert "signature" in json.dumps(turn["content"][0]), "the thinking block was not put back"


@scenario
def tool_loop_streamed(key):
    c = client(key)
    messages = [{"role": "system", "content": LONG + " Streamed."}] + ask("What is the weather, streamed? [[fake: parallel=2]]")
    for model in (SONNET, OPUS):
        calls, said, turn = {}, "", list(messages)
        for chunk in c.chat.completions.create(
            model=model, messages=turn, tools=TOOLS, reasoning_effort="high", stream=True, stream_options={"include_usage": True}
        ):
            delta = chunk.choices[0].delta if chunk.choices else None
            said += (delta.content or "") if delta else ""
            for d in (delta.tool_calls or []) if delta else []:
                call = calls.setdefault(d.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += d.id or ""
                call["name"] += d.function.name or ""
                call["arguments"] += d.function.arguments or ""
        assert sorted(calls) == [0, 1], f"indexes are not dense from 0: {calls}"
        turn.append(
            {
                "role": "assistant",
                "content": said,
                "tool_calls": [
                    {"id": x["id"], "type": "function", "function": {"name": x["name"], "arguments": x["arguments"]}} for x in calls.values()
                ],
            }
        )
        turn += [{"role": "tool", "tool_call_id": x["id"], "content": "21 degrees"} for x in calls.values()]
        text = ""
        for chunk in c.chat.completions.create(model=model, messages=turn, tools=TOOLS, reasoning_effort="high", stream=True):
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        assert text, "no answer to the tool's result"


@scenario
def image(key):
    for model in (SONNET, DIRECT, GPT):
        content = [
            {"type": "text", "text": f"What is this, {model}?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + png64()}},
        ]
        r = client(key).chat.completions.create(model=model, messages=[{"role": "user", "content": content}], max_tokens=300)
        assert r.choices[0].message.content, r
        assert png64() in json.dumps(last_body(f"What is this, {model}?")["body"]), "the picture did not reach the upstream"


@scenario
def json_schema(key):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    for model in (SONNET, DIRECT, GPT):
        r = client(key).chat.completions.create(model=model, messages=ask("Invent a person"), response_format=form, max_tokens=500)
        got = json.loads(r.choices[0].message.content)
        assert isinstance(got["name"], str) and isinstance(got["age"], int), got
        assert r.choices[0].finish_reason == "stop", r


@scenario
def facts(key):
    """What a client says about itself is in the record."""
    client(key).chat.completions.create(
        model=SONNET,
        messages=ask("Facts"),
        user="end-user-7",
        max_tokens=300,
        extra_body={"litellm_session_id": "session-of-facts", "metadata": {"tags": ["red", "blue"], "deep": {"er": 1}}},
    )


@scenario
def errors(key):
    e = raises(openai.AuthenticationError, lambda: client("sk-nobody-has-this-key").chat.completions.create(model=GPT, messages=ask("x")))
    assert e.status_code == 401 and e.body["message"] and e.code, e.body
    e = raises(openai.NotFoundError, lambda: client(key).chat.completions.create(model="no-such-model", messages=ask("x")))
    assert "no-such-model" in e.body["message"] and e.param == "model", e.body
    e = raises(openai.BadRequestError, lambda: client(key).chat.completions.create(model=SONNET, messages=ask("x"), extra_body={"temperature": "hot"}))
    assert e.status_code == 400 and "temperature" in str(e.body), e.body
    e = raises(openai.BadRequestError, lambda: client(key).chat.completions.create(model=GPT, messages="not a list"))
    assert "messages" in str(e.body), e.body
    e = raises(openai.RateLimitError, lambda: client(key).chat.completions.create(model=GPT, messages=ask("[[fake: status=429 retry_after=60]]")))
    assert e.response.headers["retry-after"] == "60", e.response.headers
    raises(openai.InternalServerError, lambda: client(key).chat.completions.create(model=GPT, messages=ask("[[fake: status=500]]")))
    e = raises(openai.BadRequestError, lambda: client(key).chat.completions.create(model=SONNET, messages=ask("x"), max_tokens=9_000_000))
    assert e.status_code == 400, e.body


@scenario
def retried(key):
    r = client(key).chat.completions.create(model=SONNET, messages=ask("Try again [[fake: status=503 times=1]]"), max_tokens=300)
    assert r.choices[0].message.content, r


@scenario
def error_in_stream(key):
    got = []

    def read():
        for chunk in client(key).chat.completions.create(
            model=SONNET, messages=ask("Break [[fake: chunks=20 error_after=8 kind=modelStreamErrorException message=broken]]"), stream=True
        ):
            got.append(chunk)

    e = raises(openai.APIError, read)
    assert got, "nothing came before the error"
    assert "broken" in str(e), e


@scenario
def cancel(key):
    mark = "Talk for long, openai " + openai.__version__
    s = client(key).chat.completions.create(model=SONNET, messages=ask(mark + " [[fake: chunks=2000 chunk_delay=20ms]]"), stream=True)
    for _, chunk in zip(range(5), s):
        assert chunk.choices is not None
    s.close()
    until("the upstream sees that the client has gone", lambda: last_body(mark)["disconnected"])


@scenario
def catalogue(key):
    ids = {m.id for m in client(key).models.list()}
    assert {SONNET, OPUS, DIRECT, GPT} <= ids, ids
    assert client(key).models.retrieve(SONNET).id == SONNET


if __name__ == "__main__":
    run()

"""boto3's bedrock-runtime through Weir, with the virtual key as a Bedrock API key.

Newer versions send such a key over HTTPS only, so they go through a proxy that ends TLS.
"""

import json
import os

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError
from scenario import DIRECT, LONG, SONNET, SONNET_ID, URL, WEATHER, run, scenario


OLD = tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 40)
BASE = URL if OLD else os.environ["WEIR_TLS_URL"]


def client(key, prefix="/bedrock"):
    os.environ.update(AWS_BEARER_TOKEN_BEDROCK=key, AWS_EC2_METADATA_DISABLED="true")
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    return boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=BASE + prefix, config=config)


def body(text, **more):
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4000, "messages": [{"role": "user", "content": text}], **more})


@scenario
def invoke(key):
    for prefix in ("/bedrock", ""):
        for model in (SONNET, SONNET_ID, DIRECT):
            r = client(key, prefix).invoke_model(modelId=model, body=body("Say hello"))
            m = json.loads(r["body"].read())
            assert m["content"][0]["text"].startswith("You said: Say hello"), m
            h = r["ResponseMetadata"]["HTTPHeaders"]
            assert int(h["x-amzn-bedrock-output-token-count"]) == m["usage"]["output_tokens"] > 0, h


@scenario
def invoke_stream(key):
    for model in (SONNET, SONNET_ID, DIRECT):
        r = client(key).invoke_model_with_response_stream(modelId=model, body=body("Tell a story [[fake: chunks=20]]"))
        events = [json.loads(e["chunk"]["bytes"]) for e in r["body"]]
        kinds = [e["type"] for e in events if e["type"] != "ping"]
        assert kinds[:2] == ["message_start", "content_block_start"] and kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"], kinds
        text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
        assert text.startswith("You said: Tell a story"), text
        metrics = events[-1]["amazon-bedrock-invocationMetrics"]
        assert metrics["inputTokenCount"] > 0 and metrics["outputTokenCount"] > 0, metrics


@scenario
def thinking_round_trip(key):
    tools = [{"name": "weather", "description": "Weather of a city", "input_schema": WEATHER}]
    more = dict(tools=tools, thinking={"type": "enabled", "budget_tokens": 2000})
    more["system"] = [{"type": "text", "text": LONG + "boto3", "cache_control": {"type": "ephemeral"}}]
    turns = [{"role": "user", "content": "What is the weather, boto3? [[fake: parallel=1]]"}]
    first = json.loads(client(key).invoke_model(modelId=SONNET, body=body("", **more, **{"messages": turns}))["body"].read())
    assert first["stop_reason"] == "tool_use" and first["content"][0]["type"] == "thinking", first
    turns.append({"role": "assistant", "content": first["content"]})
    use = [b for b in first["content"] if b["type"] == "tool_use"][0]
    turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": use["id"], "content": "21 degrees"}]})
    second = json.loads(client(key).invoke_model(modelId=SONNET, body=body("", **more, **{"messages": turns}))["body"].read())
    assert second["stop_reason"] == "end_turn", second
    assert second["usage"]["cache_read_input_tokens"] > 0, second["usage"]


@scenario
def errors(key):
    def code(key, model, text):
        e = raises_client(lambda: client(key).invoke_model(modelId=model, body=text))
        return e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]

    assert code("sk-nobody-has-this-key", SONNET, body("x")) in (("AccessDeniedException", 403), ("UnrecognizedClientException", 403), ("UnauthorizedException", 401))
    assert code(key, "no-such-model", body("x")) in (("ResourceNotFoundException", 404), ("ValidationException", 400))
    assert code(key, SONNET, body("x", temperature=7)) == ("ValidationException", 400)
    assert code(key, SONNET, "{}") == ("ValidationException", 400)
    assert code(key, SONNET, body("[[fake: status=429 retry_after=60]]")) == ("ThrottlingException", 429)


def raises_client(f):
    """boto3 makes classes per service model, all of them a ClientError."""
    try:
        f()
    except ClientError as e:
        return e
    raise AssertionError("no ClientError")


if __name__ == "__main__":
    run()

"""Runs scenarios and tells of each on one line of JSON: {"name", "ok", "error"}.

WEIR_URL, FAKE_URL and WEIR_KEYS (scenario name -> virtual key) are in the environment; names to run are arguments.
"""

import base64
import json
import os
import struct
import sys
import time
import traceback
import urllib.request
import zlib

URL = os.environ["WEIR_URL"]
FAKE = os.environ["FAKE_URL"]
KEYS = json.loads(os.environ["WEIR_KEYS"])
SONNET = "claude-sonnet-4-5"
SONNET_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
DIRECT = "anthropic/claude-sonnet-4-5"
OPUS = "claude-opus-4-7"
GPT = "gpt-4o"

# Long enough to be cached: at least 1024 tokens.
LONG = "You are a careful assistant. " * 250

scenarios = {}


def scenario(f):
    scenarios[f.__name__] = f
    return f


def run():
    for name in sys.argv[1:]:
        out = {"name": name, "ok": True, "error": ""}
        try:
            scenarios[name](KEYS[name])
        except BaseException:  # noqa: BLE001 - whatever it was is the answer
            out.update(ok=False, error=traceback.format_exc())
        print(json.dumps(out), flush=True)


def png(width=8, height=8):
    """A plain red picture."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png64():
    return base64.b64encode(png()).decode()


def journal():
    with urllib.request.urlopen(FAKE + "/_fake/journal", timeout=10) as r:
        return json.load(r)


def last_body(mark):
    """The newest request that reached the fake upstream and mentions mark."""
    found = [e for e in journal() if mark in json.dumps(e["body"])]
    assert found, f"nothing that mentions {mark!r} reached the upstream"
    return found[-1]


def until(what, f, limit=15):
    end = time.monotonic() + limit
    while not f():
        assert time.monotonic() < end, f"not in {limit} s: {what}"
        time.sleep(0.05)


def raises(kind, f):
    """The exception of exactly this class that f raises."""
    try:
        f()
    except Exception as e:  # noqa: BLE001
        assert type(e) is kind, f"{type(e).__name__} instead of {kind.__name__}: {e}"
        return e
    raise AssertionError(f"{kind.__name__} was not raised")


WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
    "required": ["city"],
}

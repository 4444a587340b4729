"""Records what SDKs export, as fixtures of the mapping: capture.py FOLDER PORT.

A program posts to /_case/DIALECT/NAME what the spans to come belong to, and to /_save to write them. Whatever tells of the
machine is taken out. /v1/embeddings answers as a model would.
"""

import base64
import gzip
import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

FOLDER = sys.argv[1]
batches, place = [], ""
MACHINE = ("process.", "host.", "os.", "service.instance", "telemetry.distro")
PATHS = re.compile(r'File \\?"[^"]*?([^/"]+\.py)\\?"')
HERE = re.compile(r"127\.0\.0\.1:\d+|localhost:\d+")


def hexed(v):
    return base64.b64decode(v).hex()


def clean(batch):
    for rs in batch.get("resourceSpans", []):
        r = rs.get("resource", {})
        r["attributes"] = [a for a in r.get("attributes", []) if not a["key"].startswith(MACHINE)]
        for ss in rs.get("scopeSpans", []):
            for s in ss["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in s and not re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}|", s[key]):
                        s[key] = hexed(s[key])
                for link in s.get("links", []):
                    for key in ("traceId", "spanId"):
                        if not re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}|", link[key]):
                            link[key] = hexed(link[key])
                for e in s.get("events", []):
                    e["attributes"] = [a for a in e.get("attributes", []) if a["key"] != "exception.stacktrace"]
    for rl in batch.get("resourceLogs", []):
        rl["resource"] = {}
        for sl in rl["scopeLogs"]:
            for r in sl["logRecords"]:
                r["traceId"], r["spanId"] = hexed(r["traceId"]), hexed(r["spanId"])
    return batch


def save():
    if not batches or not place:
        return
    spans = {"resourceSpans": [rs for b in batches for rs in b.get("resourceSpans", [])]}
    if logs := [rl for b in batches for rl in b.get("resourceLogs", [])]:
        spans["resourceLogs"] = logs
    text = HERE.sub("127.0.0.1:4000", PATHS.sub(r'File \\"\1\\"', json.dumps(spans, ensure_ascii=False, indent=1)))
    path = os.path.join(FOLDER, place + ".json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text + "\n")
    batches.clear()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            b = b""
            while size := int(self.rfile.readline(), 16):
                b += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            b = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(b) if self.headers.get("Content-Encoding") == "gzip" else b

    def answer(self, b=b"{}", kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(b)))
        self.end_headers()
        self.wfile.write(b)

    def do_GET(self):
        if self.path == "/version":
            return self.answer(b"3.16.1", "text/plain")
        if self.path.startswith("/api/public/projects"):
            return self.answer(b'{"data":[{"id":"p","name":"p"}]}')
        self.answer()

    def do_POST(self):
        global place
        b = self.body()
        if self.path.startswith("/_case/"):
            save()
            place = self.path[len("/_case/"):]
        elif self.path == "/_save":
            save()
        elif self.path.endswith("/v1/traces"):
            if "json" in self.headers.get("Content-Type", ""):
                batches.append(clean(json.loads(b)))
            else:
                m = ExportTraceServiceRequest()
                m.ParseFromString(b)
                batches.append(clean(MessageToDict(m)))
            if "json" not in self.headers.get("Content-Type", ""):
                return self.answer(b"", "application/x-protobuf")
        elif self.path.endswith("/v1/logs"):
            m = ExportLogsServiceRequest()
            m.ParseFromString(b)
            batches.append(clean(MessageToDict(m)))
            return self.answer(b"", "application/x-protobuf")
        elif self.path.endswith("/embeddings"):
            n = len(json.loads(b)["input"])
            return self.answer(json.dumps({
                "object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 5, "total_tokens": 5},
                "data": [{"object": "embedding", "index": i, "embedding": [0.25, -0.5]} for i in range(n)]}).encode())
        self.answer()


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()

"""A real HTTP server on this machine that draws as image APIs do, and misbehaves as they do."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

KEY = "sk-secret-0123456789"


def png(prompt: str, seed: int, size: int = 32) -> bytes:
    rng = np.random.default_rng([seed, *prompt.encode()])
    file = io.BytesIO()
    image = rng.integers(0, 255, (size, size, 3)).astype(np.uint8)
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


class Plan:
    """What the server does, and what it saw.

    Attributes
    ----------
    faults : list
        Taken from the front, one a request: a function of the handler, or None for a good answer.
    always : callable or None
        Answers every request for a picture in place of the good answer.
    pause : callable
        Seconds before a good answer, from the prompt.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.faults: list = []
        self.always = None
        self.pause = lambda prompt: 0.0
        self.bodies: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.under_way = self.most = 0
        self.drawn: Counter[str] = Counter()
        self.files: dict[str, object] = {}
        self.fetched: list[dict[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    plan: Plan

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        plan = self.plan
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with plan.lock:
            plan.bodies.append(body)
            plan.headers.append(dict(self.headers))
            plan.times.append(time.monotonic())
            plan.under_way += 1
            plan.most = max(plan.most, plan.under_way)
            fault = plan.faults.pop(0) if plan.faults else plan.always
        try:
            if fault is not None:
                fault(self, body)
            else:
                time.sleep(plan.pause(body["prompt"]))
                picture(self, body)
        finally:
            with plan.lock:
                plan.under_way -= 1

    def do_GET(self):
        self.plan.fetched.append(dict(self.headers))
        answer = self.plan.files[self.path]
        if callable(answer):
            answer(self, None)
        else:
            send(self, 200, answer, "image/png")


def send(handler, status, data, kind="application/json", **headers):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(data)


def picture(handler, body, **more):
    with handler.plan.lock:
        handler.plan.drawn[body["prompt"]] += 1
    data = png(body["prompt"], body.get("seed", 0))
    entry = {"b64_json": base64.b64encode(data).decode(), **more}
    usage = {"input_tokens": 10, "output_tokens": 100}
    send(handler, 200, {"created": 1, "data": [entry], "usage": usage})


def status(code, message="try later", field="message", **headers):
    return lambda handler, body: send(handler, code, {"error": {field: message}}, **headers)


def raw(data, code=200):
    return lambda handler, body: send(handler, code, data)


def drop(handler, body):
    """End the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


def half(handler, body):
    """Promise more than is sent, and end the connection."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    handler.close_connection = True


def by_url(url):
    return lambda handler, body: send(handler, 200, {"data": [{"url": url}]})


def redirect(to, code=302):
    return lambda handler, body: send(handler, code, b"", Location=to)


class Server:
    """The server, for the time of a ``with``."""

    def __init__(self) -> None:
        self.plan = Plan()

    def __enter__(self) -> Server:
        handler = type("PlannedHandler", (Handler,), {"plan": self.plan})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.http.server_port}"
        self.url = f"{self.root}/v1"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

"""A real HTTP server that answers questions on pictures by their pixels, as vLLM would send it."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image


def send(handler, status, body):
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def choice(**chances):
    """The first token with its alternatives; an underscore stands for a space."""
    listed = [
        {"token": token.replace("_", " "), "logprob": math.log(chance), "bytes": None}
        for token, chance in chances.items()
    ]
    first = {**listed[0], "top_logprobs": listed}
    return {
        "index": 0, "finish_reason": "length",
        "message": {"role": "assistant", "content": listed[0]["token"]},
        "logprobs": {"content": [first], "refusal": None},
    }  # fmt: skip


def blue_share(body):
    """Share of blue pixels of the picture that was sent."""
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    return float((image[..., 2] > image[..., 0] + 40).mean())


class Chat:
    """The server, for the time of a ``with``.

    Attributes
    ----------
    faults : list of callable
        Taken from the front, one a request: what is done in place of the good answer.
    bodies, headers : list
        What came.
    most : int
        Requests at once, at most.
    """

    def __init__(self):
        self.faults, self.bodies, self.headers = [], [], []
        self.under_way = self.most = 0
        self.lock = threading.Lock()

    def __enter__(self):
        chat = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with chat.lock:
                    chat.bodies.append(body)
                    chat.headers.append(dict(self.headers))
                    chat.under_way += 1
                    chat.most = max(chat.most, chat.under_way)
                    fault = chat.faults.pop(0) if chat.faults else None
                try:
                    if fault is not None:
                        fault(self)
                    else:
                        share = blue_share(body)
                        # The first to come is the last to go.
                        time.sleep(0.02 * (1 - share))
                        yes = 0.05 + 0.9 * share
                        send(self, 200, self.answer(
                            choice(Yes=yes / 2, _yes=yes / 2, No=1 - yes - 0.01, Maybe=0.01)
                        ))  # fmt: skip
                finally:
                    with chat.lock:
                        chat.under_way -= 1

            @staticmethod
            def answer(one):
                return {"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                        "choices": [one]}  # fmt: skip

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.http.shutdown()
        self.http.server_close()

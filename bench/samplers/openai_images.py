"""Image APIs in the OpenAI manner, as a sampler: several requests at once, images in order."""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.protocols import Sampler, SamplerInfo, Usage
from bench.records import Fingerprint, Generation
from bench.remote.addresses import OPENAI, checked_base, key_for
from bench.samplers.options import ApiOptions, chosen, signature_of
from prompts.cells import Sample

#: Where the key is looked for.
KEY = "BENCH_API_KEY"
#: Images that may be ahead of the one that is due, for each request under way.
AHEAD = 4
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|second|m|min|minute|h|hour))?\s*")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
#: Names and values of fields that would put a secret into the record of the run.
_SECRET = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(sk|hf|ghp|xox[bp])[-_]\w{3}|bearer ", re.IGNORECASE)
_COUNTS = ("requests", "retries", "images", "refused", "revised_prompts")
_TOKENS = ("input_tokens", "output_tokens")


class OpenAIImages(Sampler):
    """Draws with a model behind an image API.

    Parameters
    ----------
    model : str
        ``openai-images:NAME`` or the name alone.
    **given
        Fields of `bench.samplers.options.ApiOptions`.

    Raises
    ------
    UsageError
        A URL, size, rate or field that cannot be used, no key for OpenAI, no SDK.
    """

    __signature__ = signature_of(ApiOptions, "model")

    def __init__(self, model: str, **given: Any) -> None:
        try:
            from bench.remote.connection import Connection, Pace
            from bench.samplers.image_api import ImageApi
        except ModuleNotFoundError as error:
            raise UsageError(
                f"an image API needs the library {error.name}: pip install 'binding-bench[api]'"
            ) from error
        options = chosen(ApiOptions, given)
        name = model.removeprefix("openai-images:")
        if not name.strip():
            raise UsageError("openai-images: lacks the model, as in openai-images:gpt-image-1")
        base = checked_base(options.base_url or OPENAI, options.allow_http)
        fields = _fields(options.extra)
        key = key_for(base, KEY)
        self.concurrency = options.concurrency
        self._stop = threading.Event()
        pace = Pace(_interval(options.rate), self._stop)
        self._wire = Connection(base, key, pace, options.timeout, options.concurrency)
        self._api = ImageApi(base, name, self._wire, pace, options.size, fields)
        self._waiting: deque[tuple[Sample, Future[Generation]]] = deque()
        self._jobs: queue.SimpleQueue[tuple[Sample, Future[Generation]] | None] = (
            queue.SimpleQueue()
        )
        self._threads = 0
        record: dict[str, Any] = {"base_url": base, **fields}
        if options.size is not None:
            record["size"] = "x".join(map(str, options.size))
        self.info = SamplerInfo(
            Fingerprint("sampler", f"openai-images:{name}", record), paid=True, price=options.price
        )

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample, in order, while others are asked for.

        Raises
        ------
        BenchError
            A request that cannot be answered, or was not in many tries.
        """
        self._stop.clear()
        todo = iter(samples)
        self._ask(todo)
        while self._waiting:
            # An image leaves the row when the next is asked for: until then it may be in nobody's
            # hands, and `close` gives it again.
            yield self._waiting[0][1].result()
            self._waiting.popleft()
            self._ask(todo)
        self._dismiss()

    def close(self) -> Iterator[Generation]:
        """Stop, and yield what was drawn but not taken, in the order of its samples.

        Requests under way are waited for, since they are paid for; none is begun or tried again.
        The first may be the image that was yielded last.
        """
        self._stop.set()
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            future.cancel()
        under_way = sum(not future.done() for _, future in waiting)
        if under_way:
            print(
                f"waiting for {under_way} requests that are under way (Ctrl-C: do not wait)",
                file=sys.stderr,
                flush=True,
            )
        for _, future in waiting:
            if not future.cancelled() and future.exception() is None:
                yield future.result()
        self._dismiss()

    def usage(self) -> Usage:
        """Tell what was asked and given so far, and what a reader of the scores should know."""
        tally = self._wire.tally
        counts: dict[str, float] = {name: tally[name] for name in (*_COUNTS, *_TOKENS)}
        if self.info.price is not None:
            counts["cost"] = round(self.info.price * tally["images"], 6)
        return Usage(counts, tuple(self._remarks()))

    def _remarks(self) -> list[str]:
        found = []
        if not self._api.takes_seeds:
            found.append("the server takes no seeds: these images cannot be made again")
        if revised := self._wire.tally["revised_prompts"]:
            found.append(f"the server rewrote {revised:,} prompts before it drew them")
        return found

    def _ask(self, todo: Iterator[Sample]) -> None:
        """Keep the row of requests full."""
        while len(self._waiting) < AHEAD * self.concurrency:
            sample = next(todo, None)
            if sample is None:
                return
            future: Future[Generation] = Future()
            self._waiting.append((sample, future))
            self._jobs.put((sample, future))
            if self._threads < self.concurrency:
                self._threads += 1
                # Daemons: a second Ctrl-C does not wait for a server that does not answer.
                threading.Thread(target=self._work, name="bench-api", daemon=True).start()

    def _dismiss(self) -> None:
        """End the threads once they have done what they have in hand."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            sample, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._draw(sample))
            except BaseException as error:
                future.set_exception(error)

    def _draw(self, sample: Sample) -> Generation:
        began = time.monotonic()
        drawn = self._api.draw(sample.cell.text, sample.seed)
        seconds = time.monotonic() - began
        if drawn.image is None:
            blank = np.zeros((64, 64, 3), dtype=np.uint8)
            return Generation(sample, blank, seconds, invalid=drawn.refused)
        return Generation(sample, drawn.image, seconds)


def _interval(rate: str | None) -> float:
    if rate is None:
        return 0.0
    match = _RATE.fullmatch(str(rate).lower())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"--rate {rate!r} is no rate: expected 50/min, 2/s or 1000/h")
    return _SECONDS[(match[2] or "m")[0]] / float(match[1])


def _fields(extra: Sequence[str]) -> dict[str, Any]:
    pairs = dict(map(_pair, extra))
    for name, value in pairs.items():
        if _SECRET.search(name) or _SECRET_VALUE.match(str(value)):
            raise UsageError(
                f"--extra {name}=... is refused: it would be stored; the key is read from {KEY}"
            )
        if name in ("model", "prompt", "n", "size"):
            raise UsageError(f"--extra {name}=... is refused: the run itself sets {name}")
    return pairs


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--extra {text[:60]!r} is no KEY=VALUE")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value

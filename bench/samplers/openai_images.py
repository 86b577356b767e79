"""Image APIs in the OpenAI manner, as a sampler: several requests at once, images in order."""

from __future__ import annotations

import json
import os
import queue
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.protocols import Sampler, SamplerInfo, Usage
from bench.records import Fingerprint, Generation
from bench.samplers.http import BACKOFF, Pace, StoppedError, Transport
from bench.samplers.image_api import ImageApi, checked_base
from prompts.cells import Sample

OPENAI = "https://api.openai.com/v1"
#: Where the key is looked for, in this order.
KEYS = ("BENCH_API_KEY", "OPENAI_API_KEY")
CONCURRENCY = 4
#: Images that may be ahead of the one that is due, for each request under way.
AHEAD = 4
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|second|m|min|minute|h|hour))?\s*")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
#: Names of fields that would put a secret into the record of the run.
_SECRET = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)


class OpenAIImages(Sampler):
    """Draws with a model behind an image API.

    Parameters
    ----------
    model : str
        ``openai-images:NAME`` or the name alone.
    base_url : str, optional
        OpenAI's by default.
    concurrency : int, optional
        Requests under way at once.
    rate : str, optional
        Requests at most: ``50/min``, ``2/s``; a number alone is per minute.
    price : float, optional
        Of one image, in whatever money: counted and recorded.
    size : str, optional
        ``1024x1024`` or ``512``; the server's own where it is omitted.
    extra : mapping or sequence of str, optional
        Further fields of a request: ``quality=high``, the value as JSON where it is JSON.
    timeout, backoff : float
        Seconds for an answer, and before the second try.

    Raises
    ------
    UsageError
        A URL, size, rate or field that cannot be used, or no key for OpenAI.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        concurrency: int | None = None,
        rate: str | None = None,
        price: float | None = None,
        size: str | None = None,
        extra: Mapping[str, Any] | Sequence[str] = (),
        timeout: float = 300.0,
        backoff: float = BACKOFF,
    ) -> None:
        name = model.removeprefix("openai-images:")
        if not name.strip():
            raise UsageError("openai-images: lacks the model, as in openai-images:gpt-image-1")
        base = checked_base(base_url or OPENAI)
        fields = _fields(extra)
        key = _key()
        if key is None and base == OPENAI:
            raise UsageError(f"no key for {OPENAI}: put it into the environment as {KEYS[0]}")
        self.concurrency = concurrency or CONCURRENCY
        self._stop = threading.Event()
        pace = Pace(_interval(rate), self._stop)
        self._transport = Transport(
            key, pace, connections=self.concurrency, timeout=timeout, backoff=backoff
        )
        self._api = ImageApi(base, name, self._transport, _size(size), fields)
        self._waiting: deque[tuple[Sample, Future[Generation]]] = deque()
        self._jobs: queue.SimpleQueue[tuple[Sample, Future[Generation]] | None] = (
            queue.SimpleQueue()
        )
        self._threads = 0
        options: dict[str, Any] = {"base_url": base, **fields}
        if size is not None:
            options["size"] = size
        self.info = SamplerInfo(
            Fingerprint(kind="sampler", name=f"openai-images:{name}", options=options),
            paid=True,
            price=price,
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
            _say(f"waiting for {under_way} requests that are under way (Ctrl-C: do not wait)")
        for _, future in waiting:
            if not future.cancelled() and future.exception() is None:
                yield future.result()
        self._dismiss()

    def usage(self) -> Usage:
        """Tell what was asked and given so far, and what a reader of the scores should know."""
        count = self._api.count
        counts: dict[str, float] = {
            name: count[name]
            for name in (
                "requests",
                "images",
                "refused",
                "revised_prompts",
                "input_tokens",
                "output_tokens",
            )
        }
        counts["retries"] = self._transport.retries
        if self.info.price is not None:
            counts["cost"] = round(self.info.price * count["images"], 6)
        return Usage(counts, tuple(self._remarks()))

    def _remarks(self) -> list[str]:
        found = []
        if not self._api.takes_seeds:
            found.append("the server takes no seeds: these images cannot be made again")
        if revised := self._api.count["revised_prompts"]:
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
        if self._stop.is_set():
            raise StoppedError
        began = time.monotonic()
        drawn = self._api.draw(sample.cell.text, sample.seed)
        seconds = time.monotonic() - began
        if drawn.image is None:
            blank = np.zeros((64, 64, 3), dtype=np.uint8)
            return Generation(sample, blank, seconds, invalid=drawn.refused)
        return Generation(sample, drawn.image, seconds)


def _key() -> str | None:
    for name in KEYS:
        key = os.environ.get(name, "").strip()
        if key:
            if not all("!" <= character <= "~" for character in key):
                raise UsageError(f"{name} holds a character that no key has; set it again")
            return key
    return None


def _interval(rate: str | None) -> float:
    if rate is None:
        return 0.0
    match = _RATE.fullmatch(str(rate).lower())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"--rate {rate!r} is no rate: expected 50/min, 2/s or 1000/h")
    return _SECONDS[(match[2] or "m")[0]] / float(match[1])


def _size(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:[xX](\d{1,5}))?", str(size).strip())
    if match is None:
        raise UsageError(f"--size {size!r} is no size: expected 512 or 1024x768")
    return int(match[1]), int(match[2] or match[1])


def _fields(extra: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    pairs = dict(extra) if isinstance(extra, Mapping) else dict(map(_pair, extra))
    for name in pairs:
        if _SECRET.search(name):
            raise UsageError(
                f"--extra {name}=... is refused: it would be stored; the key is read from {KEYS[0]}"
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


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

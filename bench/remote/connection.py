"""What the ``openai`` SDK sends by: a common pace, bounded answers, no header that is not needed.

The SDK has retries, timeouts and proxies. It is not left to choose the key, and a picture's address
is fetched without it.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import openai

from bench.errors import NotComparableError, UsageError
from bench.remote.addresses import is_openai, require_public

#: Tries of one request, and of one whose answers were nonsense: those may cost money.
TRIES, TRIES_OF_NONSENSE = 12, 3
#: Seconds before nonsense or a picture's address is tried again; each later wait is twice as long.
BACKOFF = 0.5
#: Answers are at most this long (bytes).
MAX_ANSWER = 128 * 2**20
REDIRECTS = 3
#: Headers that a server is sent, whatever the SDK and its environment variables would add.
SENT = {"host", "content-type", "content-length", "accept", "accept-encoding", "connection"}
SENT |= {"user-agent"}
#: What a 429 says that no waiting mends.
SPENT = re.compile(r"insufficient_quota|billing_hard_limit|billing_not_active", re.IGNORECASE)
GO_ON = "what is finished is kept: run the same command again to go on"


class NonsenseError(Exception):
    """The server answered, but not with a picture."""


class StoppedError(openai.OpenAIError):
    """The sampler was told to stop; the SDK does not try again after it."""


class Pace:
    """Lets requests pass one after the other at a rate, whatever thread they come from.

    Parameters
    ----------
    seconds : float
        Between two requests.
    stop : Event
        Ends all waiting.
    """

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self._seconds, self._stop = seconds, stop
        self._lock = threading.Lock()
        self._next = 0.0

    def take(self) -> None:
        """Wait for one's turn; raises `StoppedError` where the sampler was told to stop."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._seconds
        self.wait(turn - time.monotonic())

    def hold(self, seconds: float) -> None:
        """Let nobody pass for a while."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def wait(self, seconds: float) -> None:
        """Wait, or stop."""
        if self._stop.wait(max(seconds, 0.0)):
            raise StoppedError


class Connection(httpx2.Client):
    """What the SDK sends by: bounded answers, a common pace, and no header that is not needed.

    Parameters
    ----------
    base_url : str
        As `checked_base` gives it.
    key : str or None
        Sent as bearer token with the requests of the SDK, never with a picture's address.
    pace : Pace
    timeout : float
        Seconds for one whole answer.
    connections : int

    Attributes
    ----------
    count : Counter
        ``requests`` and ``retries``.
    """

    def __init__(
        self, base_url: str, key: str | None, pace: Pace, timeout: float, connections: int
    ) -> None:
        super().__init__(
            timeout=httpx2.Timeout(timeout, connect=min(30.0, timeout)),
            limits=httpx2.Limits(max_connections=connections),
            follow_redirects=False,
        )
        self._base, self._key, self._pace, self._seconds = base_url, key, pace, timeout
        self._counting = threading.Lock()
        self.tally: Counter[str] = Counter()

    def __del__(self) -> None:
        self.close()

    def add(self, **counts: int) -> None:
        """Count."""
        with self._counting:
            self.tally.update(counts)

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request of the SDK, at the common pace; its answer is whole when it returns."""
        self._pace.take()
        again = request.headers.get("x-stainless-retry-count", "0") != "0"
        self.add(requests=1, retries=again)
        kept = SENT | (
            {"openai-organization", "openai-project"} if is_openai(self._base) else set()
        )
        headers = {key: value for key, value in request.headers.items() if key.lower() in kept}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        answer = self._whole(
            httpx2.Request(
                request.method,
                request.url,
                headers=headers,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        answer.request = request
        if answer.status_code == 425:
            answer.headers["x-should-retry"] = "true"
        if answer.status_code == 429 and SPENT.search(answer.text):
            answer.headers["x-should-retry"] = "false"
        if answer.status_code >= 400 and (wait := retry_after(answer)):
            self._pace.hold(min(wait, 120.0))
        return answer

    def fetch(self, url: str) -> bytes:
        """Fetch a picture, without the key.

        Raises
        ------
        UsageError
            An address that is refused, also after a redirect.
        NotComparableError
            It was never there.
        """
        said = ""
        for number in range(TRIES_OF_NONSENSE + 1):
            if number:
                self.add(retries=1)
                self._pace.wait(BACKOFF * 2 ** (number - 1))
            try:
                return self._followed(url)
            except (httpx2.RequestError, httpx2.InvalidURL, NonsenseError) as error:
                said = str(error) if isinstance(error, NonsenseError) else type(error).__name__
        raise NotComparableError(f"the picture's address failed, last: {said}; {GO_ON}")

    def clean(self, text: str, most: int = 200) -> str:
        """Return a text of others on one short line, without control characters and the key."""
        if self._key:
            text = text.replace(self._key, "***")
        line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
        return line if len(line) <= most else f"{line[: most - 3]}..."

    def _followed(self, url: str) -> bytes:
        for _ in range(REDIRECTS + 1):
            require_public(url, self._base, self.clean)
            answer = self._whole(self.build_request("GET", url, headers={"Accept": "image/*"}))
            if answer.is_redirect:
                before, url = url, urljoin(url, answer.headers["location"])
                if urlsplit(before).scheme == "https" and urlsplit(url).scheme == "http":
                    raise UsageError(
                        f"the picture at {self.clean(before)} is refused: it redirects from https "
                        "to http"
                    )
                continue
            if answer.status_code != 200:
                raise NonsenseError(f"the picture's address answered {answer.status_code}")
            return answer.content
        raise NonsenseError("the picture's address redirects for ever")

    def _whole(self, request: Any) -> Any:
        last = time.monotonic() + self._seconds
        answer = super().send(request, stream=True)
        try:
            data = b"".join(_pieces(answer, last))
        finally:
            answer.close()
        coded = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(k, v) for k, v in answer.headers.items() if k.lower() not in coded]
        return httpx2.Response(answer.status_code, headers=headers, content=data, request=request)


def _pieces(answer: Any, last: float) -> Iterator[bytes]:
    size = 0
    for piece in answer.iter_bytes():
        yield piece
        size += len(piece)
        if size > MAX_ANSWER:
            return
        if time.monotonic() > last:
            raise httpx2.ReadTimeout("no whole answer")


def retry_after(answer: Any) -> float:
    """Seconds that ``Retry-After`` asks for, as a number or as a date; 0 where it says nothing."""
    said = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), 1e6) if seconds == seconds else 0.0

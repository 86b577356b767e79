"""Requests to an image API: bounded answers, a common pace, retries that wait.

One transport serves all threads of a sampler. It knows the key and gives it to nobody but the
server that was named; the key is taken out of every text that an error repeats.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from bench.errors import NotComparableError, UsageError

#: Tries of one request, and of one whose answers were nonsense: those may cost money.
TRIES = 8
TRIES_OF_NONSENSE = 3
#: Seconds before the second try; each later wait is twice as long, up to the longest.
BACKOFF, LONGEST_WAIT = 0.5, 60.0
#: A server that asks to wait longer than this (seconds) is not waited for.
MOST_PATIENCE = 600.0
#: Answers are at most this long (bytes).
MAX_ANSWER = 128 * 2**20
REDIRECTS = 3
#: Statuses that may be another the next time.
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})


class PassingError(Exception):
    """Something that may be well the next time.

    Attributes
    ----------
    wait : float
        Seconds that the server asks to wait, 0 where it says nothing.
    nonsense : bool
        The server answered, but not with what was asked for.
    """

    def __init__(self, message: str, wait: float = 0.0, nonsense: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.nonsense = nonsense


class StoppedError(Exception):
    """The sampler was told to stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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
        self._seconds = seconds
        self._stop = stop
        self._lock = threading.Lock()
        self._next = 0.0

    def take(self) -> None:
        """Wait for one's turn.

        Raises
        ------
        StoppedError
            The sampler was told to stop.
        """
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


class Transport:
    """Talks to one server.

    Parameters
    ----------
    key : str or None
        Sent as bearer token to `post`, never elsewhere.
    pace : Pace
    connections : int
        Kept open at most.
    timeout : float
        Seconds for one answer.
    backoff : float
        Seconds before the second try.
    """

    def __init__(
        self,
        key: str | None,
        pace: Pace,
        *,
        connections: int = 4,
        timeout: float = 300.0,
        backoff: float = BACKOFF,
    ) -> None:
        self._key = key
        self._pace = pace
        self._timeout = timeout
        self._backoff = backoff
        self._connections = connections
        self._pools: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.retries = 0

    def patiently(self, what: str, attempt: Callable[[], Any]) -> Any:
        """Return what an attempt gives, trying again after a `PassingError`.

        Waits grow twofold and are cut by up to a half at random, so that threads do not come back
        together; a wait that the server asks for holds all threads.

        Raises
        ------
        NotComparableError
            It never went well; what was finished before is kept.
        StoppedError
            The sampler was told to stop.
        """
        nonsense = 0
        for number in range(1, TRIES + 1):
            try:
                return attempt()
            except PassingError as error:
                nonsense += error.nonsense
                last = number == TRIES or nonsense == TRIES_OF_NONSENSE
                if last or error.wait > MOST_PATIENCE:
                    asked = f", and asks to wait {error.wait:.0f} s" if error.wait else ""
                    tries = f"{number} times" if number > 1 else "once"
                    raise NotComparableError(
                        f"{what} failed {tries}, last: {self.clean(str(error))}{asked}; what is "
                        "finished is kept: run the same command again to go on"
                    ) from None
                grown = min(self._backoff * 2 ** (number - 1), LONGEST_WAIT)
                wait = max(error.wait, grown * random.uniform(0.5, 1.0))
                with self._lock:
                    self.retries += 1
                if error.wait:
                    self._pace.hold(wait)
                self._pace.wait(wait)
        raise AssertionError("the last try returns or raises")

    def post(self, url: str, body: bytes) -> Answer:
        """Post JSON, at the common pace. Redirects are not followed.

        Raises
        ------
        PassingError
            No answer, or one of `PASSING`.
        """
        self._pace.take()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return self._request("POST", url, headers, body)

    def get(self, url: str) -> bytes:
        """Fetch a file over http or https, without the key.

        Raises
        ------
        UsageError
            Another scheme, also after a redirect; or the step from https down to http.
        PassingError
            No answer, or none with the file.
        """
        for _ in range(REDIRECTS + 1):
            self._require_web(url)
            answer = self._request("GET", url, {"Accept": "image/*"}, None)
            if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
                before, url = url, urljoin(url, answer.headers["location"])
                if urlsplit(before).scheme == "https" and urlsplit(url).scheme == "http":
                    raise UsageError(
                        f"the picture at {self.clean(before)} is refused: it redirects from https "
                        "to http"
                    )
                continue
            if answer.status != 200:
                raise PassingError(f"the picture's address answered {answer.status}")
            return answer.body
        raise PassingError("the picture's address redirects for ever")

    def clean(self, text: str) -> str:
        """Return a text of others on one short line, without control characters and the key."""
        if self._key:
            text = text.replace(self._key, "***")
        line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
        return line if len(line) <= 300 else f"{line[:297]}..."

    def _require_web(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"the server gave the picture's address {self.clean(url)[:120]!r}, which is "
                "refused: only http and https are fetched"
            )

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        deadline = time.monotonic() + self._timeout
        try:
            response = self._pool(url).request(
                method,
                url,
                headers=dict(headers),
                body=body,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(30.0, self._timeout), read=self._timeout),
            )
            try:
                data = self._read(response, deadline)
            except BaseException:
                # A connection with half an answer in it must not be used again.
                response.close()
                raise
            response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PassingError(f"no answer ({_in_words(error)})") from None
        found = {str(key).lower(): str(value) for key, value in response.headers.items()}
        if response.status in PASSING:
            said = f"status {response.status} {self.clean(data.decode(errors='replace'))[:150]}"
            raise Status(response.status, data, said.strip(), _asked_wait(found))
        return Answer(response.status, found, data)

    def _read(self, response: Any, deadline: float) -> bytes:
        pieces, size = [], 0
        # What is there, and no more: a server that drips would never fill a larger piece.
        while piece := response.read1(1 << 16, decode_content=True):
            size += len(piece)
            if size > MAX_ANSWER:
                raise PassingError(f"an answer of more than {MAX_ANSWER >> 20} MB", nonsense=True)
            if time.monotonic() > deadline:
                raise PassingError(f"no whole answer in {self._timeout:.0f} s")
            pieces.append(piece)
        return b"".join(pieces)

    def _pool(self, url: str) -> Any:
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if proxy and proxy_bypass(parts.hostname or ""):
            proxy = None
        with self._lock:
            if (proxy or "") not in self._pools:
                size: dict[str, Any] = {"maxsize": self._connections, "num_pools": 8}
                self._pools[proxy or ""] = (
                    urllib3.ProxyManager(proxy, **size) if proxy else urllib3.PoolManager(**size)
                )
            return self._pools[proxy or ""]


class Status(PassingError):
    """An answer with a status that may be another the next time."""

    def __init__(self, status: int, body: bytes, message: str, wait: float) -> None:
        super().__init__(message, wait)
        self.status = status
        self.body = body


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that ``Retry-After`` asks for, as a number or as a date; 0 where it says nothing."""
    said = headers.get("retry-after", "").strip()
    if not said:
        return 0.0
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _in_words(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__

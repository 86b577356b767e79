"""Image APIs in the OpenAI manner, on the ``openai`` SDK: one picture a request.

The SDK has retries, timeouts and proxies. What is added: a common pace, an answer has a largest
size and a last moment, the key goes to one host, refused prompts are told from requests that
cannot be answered, and a picture's address is fetched from where it may be. Reference:
https://platform.openai.com/docs/api-reference/images.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import openai

from bench.errors import NotComparableError, UsageError
from bench.judge.images import PictureError, as_rgb8
from bench.samplers import connection
from bench.samplers.connection import (
    BACKOFF,
    GO_ON,
    SPENT,
    TRIES,
    TRIES_OF_NONSENSE,
    Connection,
    NonsenseError,
    Pace,
    retry_after,
)

#: Fields that not every server takes; one that is refused by name is left out from then on.
OPTIONAL = ("seed", "response_format")
#: Seeds go into 31 bits: not every server takes more.
SEED_BITS = (1 << 31) - 1
_REFUSED = re.compile(
    r"content[_ -]?policy|content[_ -]?filter|moderation|safety system|safety[_ -]?filter"
    r"|responsible[_ ]?ai",
    re.IGNORECASE,
)
#: A message about a field of the request, and one about something that is not taken.
_ABOUT_A_FIELD = re.compile(
    r"(unknown|unrecogni[sz]ed|unsupported|unexpected|invalid|extra|additional)\W+(\w+\W+)?"
    r"(parameter|field|argument|propert|key|input)",
    re.IGNORECASE,
)
_NOT_TAKEN = re.compile(r"not (supported|permitted|allowed|recogni[sz]ed)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A picture, or why the server refuses to draw it."""

    image: np.ndarray | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a server says of an error: its code, the field that it is about, and the message."""

    code: str
    field: str
    message: str

    @classmethod
    def of(cls, text: str) -> Problem:
        """Read the body of an answer, of OpenAI, Azure or FastAPI, or of none of these."""
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            return cls("", "", text)
        error = told.get("error", told) if isinstance(told, Mapping) else told
        if not isinstance(error, Mapping):
            return cls("", "", str(error))
        inner, detail = error.get("innererror"), error.get("detail")
        code = inner.get("code") if isinstance(inner, Mapping) else error.get("code")
        field = error.get("param") or ""
        if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
            place = detail[0].get("loc")
            field = place[-1] if isinstance(place, list) and place else field
        message = error.get("message") or detail or error
        return cls(str(code or ""), str(field).rpartition(".")[2], str(message))

    @property
    def refused(self) -> str:
        """Why the prompt is refused; empty where the request itself is at fault."""
        if self.field not in ("", "prompt"):
            return ""
        match = _REFUSED.search(self.code)
        if match is None and not _ABOUT_A_FIELD.search(self.message):
            match = _REFUSED.search(self.message)
        return match.group().lower().replace("_", " ") if match else ""

    @property
    def unknown(self) -> str | None:
        """The optional field that the server does not take."""
        if self.field or _REFUSED.search(self.code):
            return self.field if self.field in OPTIONAL else None
        if not (_ABOUT_A_FIELD.search(self.message) or _NOT_TAKEN.search(self.message)):
            return None
        return next((one for one in OPTIONAL if re.search(rf"\b{one}\b", self.message)), None)


class ImageApi:
    """One model of one server.

    Parameters
    ----------
    base_url : str
        As `checked_base` gives it.
    model : str
    wire : Connection
    pace : Pace
    size : tuple of int, optional
        Width and height to ask for, and to insist on.
    extra : mapping, optional
        Further fields of the request.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        wire: Connection,
        pace: Pace,
        size: tuple[int, int] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._host, self._url = urlsplit(base_url).netloc, f"{base_url}/images/generations"
        self._model, self._size, self._extra = model, size, dict(extra or {})
        self._wire, self._pace = wire, pace
        # The connection has the key: the SDK would look for one among the variables.
        self._images = openai.OpenAI(
            api_key="by the connection",
            base_url=base_url,
            http_client=wire,
            max_retries=TRIES - 1,
        ).images.with_raw_response
        self._left_out: set[str] = set()

    @property
    def takes_seeds(self) -> bool:
        """Whether the server has not refused seeds so far."""
        return "seed" not in self._left_out

    def draw(self, prompt: str, seed: int) -> Drawn:
        """Ask for one picture, as often as it needs.

        Raises
        ------
        UsageError
            The server refuses the key, the model or a field.
        NotComparableError
            It never answered with a picture.
        """
        for number in range(1, TRIES_OF_NONSENSE + 1):
            try:
                return self._once(prompt, seed)
            except NonsenseError as error:
                said = self._wire.clean(str(error))
            if number < TRIES_OF_NONSENSE:
                self._wire.add(retries=1)
                self._pace.wait(BACKOFF * 2 ** (number - 1))
        raise self._failed(prompt, TRIES_OF_NONSENSE, said)

    def _once(self, prompt: str, seed: int) -> Drawn:
        while True:
            body = self._fields(seed)
            try:
                answer = self._images.generate(
                    model=self._model, prompt=prompt, n=1, extra_body=body
                )
            except openai.APIStatusError as error:
                problem = Problem.of(error.response.text)
                if error.status_code in (400, 403, 422) and problem.refused:
                    self._wire.add(refused=1)
                    return Drawn(None, f"refused: {problem.refused}")
                if error.status_code in (400, 422) and problem.unknown in body.keys() - self._extra:
                    self._left_out.add(str(problem.unknown))
                    continue
                raise self._final(prompt, error, problem) from None
            except openai.APIConnectionError as error:
                reason = type(error.__cause__ or error).__name__
                raise self._failed(prompt, _tries(error), f"no answer ({reason})") from None
            return self._picture(answer.content)

    def _fields(self, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {"seed": seed & SEED_BITS, "response_format": "b64_json"}
        body = {key: value for key, value in body.items() if key not in self._left_out}
        if self._size is not None:
            body["size"] = f"{self._size[0]}x{self._size[1]}"
        return body | self._extra

    def _failed(self, prompt: str, tries: int, answer: str) -> NotComparableError:
        times = f"{tries} times" if tries > 1 else "once"
        return NotComparableError(
            f"{self._host}, asked for {prompt[:60]!r}, failed {times}, last: {answer}; {GO_ON}"
        )

    def _final(self, prompt: str, error: openai.APIStatusError, problem: Problem) -> Exception:
        """Return the one line for an answer that is final."""
        status, said = error.status_code, self._wire.clean(problem.message) or "nothing"
        if status == 429 and SPENT.search(error.response.text):
            return UsageError(
                f"{self._host}: {said}; what is finished is kept: mend the account and run again"
            )
        if status in (408, 409, 425, 429) or status >= 500:
            wait = retry_after(error.response)
            waits = f", and asks to wait {wait:.0f} s" if wait else ""
            return self._failed(prompt, _tries(error), f"status {status} {said[:150]}{waits}")
        if status in (401, 403):
            return UsageError(
                f"{self._host} refuses the key (status {status}: {said}); it is read from "
                "BENCH_API_KEY, and for OpenAI also from OPENAI_API_KEY"
            )
        if 300 <= status < 400:
            return UsageError(
                f"{self._url} redirects (status {status}), and the key is not sent on; give the "
                "final address as --base-url"
            )
        return UsageError(f"{self._url} answered {status}: {said}")

    def _picture(self, body: bytes) -> Drawn:
        if len(body) > connection.MAX_ANSWER:
            raise NonsenseError(f"an answer of more than {connection.MAX_ANSWER >> 20} MB")
        try:
            told = json.loads(body)
            entry = told["data"][0]
            data = self._bytes(entry)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            said = Problem.of(body.decode(errors="replace")[:4000]).message
            raise NonsenseError(
                f"an answer that is none ({type(error).__name__}): {said}"
            ) from None
        try:
            image = as_rgb8(data)
        except PictureError as error:
            raise NonsenseError(f"no picture: {error}") from None
        found = (image.shape[1], image.shape[0])
        if self._size is not None and found != self._size:
            raise UsageError(
                f"{self._host} gave {found[0]} x {found[1]} pixels where --size asks for "
                f"{self._size[0]} x {self._size[1]}; leave --size out to take what it gives"
            )
        revised = bool(entry.get("revised_prompt"))
        self._wire.add(images=1, revised_prompts=revised, **_tokens(told))
        return Drawn(image)

    def _bytes(self, entry: Mapping[str, Any]) -> bytes:
        encoded = entry.get("b64_json")
        if isinstance(encoded, str) and encoded:
            text = encoded.partition(",")[2] if encoded.startswith("data:") else encoded
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(str(error)) from None
        url = entry["url"]
        if not isinstance(url, str):
            raise TypeError("url")
        return self._wire.fetch(url)


def _tokens(answer: Mapping[str, Any]) -> dict[str, int]:
    usage = answer.get("usage")
    if not isinstance(usage, Mapping):
        return {}
    names = ("input_tokens", "output_tokens")
    return {name: usage[name] for name in names if isinstance(usage.get(name), int)}


def _tries(error: openai.APIError) -> int:
    return 1 + int(error.request.headers.get("x-stainless-retry-count", 0))

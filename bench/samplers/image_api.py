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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import openai

from bench.errors import UsageError
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.remote import connection
from bench.remote.connection import (
    BACKOFF,
    TRIES,
    TRIES_OF_NONSENSE,
    Connection,
    NonsenseError,
    Pace,
)
from bench.remote.problems import Problem, Problems, tries_of

#: Fields that not every server takes; one that is refused by name is left out from then on.
OPTIONAL = ("seed", "response_format")
#: Seeds go into 31 bits: not every server takes more.
SEED_BITS = (1 << 31) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A picture, or why the server refuses to draw it."""

    image: np.ndarray | None
    refused: str = ""


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
        self._problems = Problems(f"{base_url}/images/generations", wire)
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
        raise self._problems.failed(prompt, TRIES_OF_NONSENSE, said)

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
                if (
                    error.status_code in (400, 422)
                    and (unknown := problem.unknown(OPTIONAL)) in body.keys() - self._extra
                ):
                    self._left_out.add(str(unknown))
                    continue
                raise self._problems.final(prompt, error, problem) from None
            except openai.APIConnectionError as error:
                reason = type(error.__cause__ or error).__name__
                raise self._problems.failed(
                    prompt, tries_of(error), f"no answer ({reason})"
                ) from None
            return self._picture(answer.content)

    def _fields(self, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {"seed": seed & SEED_BITS, "response_format": "b64_json"}
        body = {key: value for key, value in body.items() if key not in self._left_out}
        if self._size is not None:
            body["size"] = f"{self._size[0]}x{self._size[1]}"
        return body | self._extra

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
                f"{self._problems.host} gave {found[0]} x {found[1]} pixels where --size asks for "
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

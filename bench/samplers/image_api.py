"""What is asked of an image API in the OpenAI manner, and what it answers.

``POST {base}/images/generations`` with ``model``, ``prompt`` and ``n``; the answer holds a picture
as ``b64_json`` or its ``url``. Reference: https://platform.openai.com/docs/api-reference/images.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from bench.errors import UsageError
from bench.judge.images import PictureError, as_rgb8
from bench.samplers.http import Answer, PassingError, Status, Transport

#: Fields that not every server takes; one that is refused by name is left out from then on.
OPTIONAL = ("seed", "response_format")
#: Seeds go into 31 bits: not every server takes more.
SEED_BITS = (1 << 31) - 1
_REFUSED = re.compile(
    r"content[_ -]?policy|content[_ -]?filter|moderation|safety system|safety[_ -]?filter"
    r"|responsible[_ ]?ai",
    re.IGNORECASE,
)
#: What a 429 says that no waiting mends.
_SPENT = re.compile(r"insufficient_quota|billing_hard_limit|billing_not_active", re.IGNORECASE)


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
        ``https://api.openai.com/v1``; ``/v1`` is added where there is no path.
    model : str
    transport : Transport
    size : tuple of int, optional
        Width and height to ask for, and to insist on.
    extra : mapping, optional
        Further fields of the request.

    Attributes
    ----------
    count : Counter
        ``requests``, ``images``, ``refused``, ``revised_prompts`` and tokens, as the server tells.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        transport: Transport,
        size: tuple[int, int] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.base_url = checked_base(base_url)
        self._url = f"{self.base_url}/images/generations"
        self._host = urlsplit(self.base_url).netloc
        self._model = model
        self._transport = transport
        self._size = size
        self._extra = dict(extra or {})
        self._left_out: set[str] = set()
        self._lock = threading.Lock()
        self.count: Counter[str] = Counter()

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
        drawn: Drawn = self._transport.patiently(
            f"{self._host}, asked for {prompt[:60]!r},", lambda: self._once(prompt, seed)
        )
        return drawn

    def _once(self, prompt: str, seed: int) -> Drawn:
        while True:
            body = self._body(prompt, seed)
            self._add(requests=1)
            try:
                answer = self._transport.post(self._url, json.dumps(body).encode())
            except Status as error:
                if _SPENT.search(error.body.decode(errors="replace")):
                    raise UsageError(
                        f"{self._host}: {self._said(error.body)}; what is finished is kept: mend "
                        "the account and run again"
                    ) from None
                raise
            if answer.status != 200:
                named = self._names(answer, body)
                if named is not None:
                    self._left_out.add(named)
                    continue
                return self._refusal(answer)
            return self._picture(answer)

    def _body(self, prompt: str, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model, "prompt": prompt, "n": 1}
        if self._size is not None:
            body["size"] = f"{self._size[0]}x{self._size[1]}"
        optional = {"seed": seed & SEED_BITS, "response_format": "b64_json"}
        body |= {key: value for key, value in optional.items() if key not in self._left_out}
        return body | self._extra

    def _names(self, answer: Answer, body: Mapping[str, Any]) -> str | None:
        """Name the optional field that an answer refuses."""
        if answer.status not in (400, 422):
            return None
        text = answer.body.decode(errors="replace")
        for field in OPTIONAL:
            given = field in body and field not in self._extra
            if given and re.search(rf"\b{field}\b", text):
                return field
        return None

    def _refusal(self, answer: Answer) -> Drawn:
        """Tell a refused prompt from a request that cannot be answered."""
        text = answer.body.decode(errors="replace")
        if answer.status in (400, 403, 422) and (match := _REFUSED.search(text)):
            self._add(refused=1)
            return Drawn(None, f"refused: {match.group().lower().replace('_', ' ')}")
        said = self._said(answer.body)
        if answer.status in (401, 403):
            raise UsageError(
                f"{self._host} refuses the key (status {answer.status}: {said}); it is read from "
                "BENCH_API_KEY, or else OPENAI_API_KEY"
            )
        if 300 <= answer.status < 400:
            raise UsageError(
                f"{self._url} redirects (status {answer.status}), and the key is not sent on; give "
                "the final address as --base-url"
            )
        raise UsageError(f"{self._url} answered {answer.status}: {said}")

    def _picture(self, answer: Answer) -> Drawn:
        try:
            told = json.loads(answer.body)
            entry = told["data"][0]
            data = self._bytes(entry)
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise PassingError(
                f"an answer that is none ({type(error).__name__}): {self._said(answer.body)}",
                nonsense=True,
            ) from None
        try:
            image = as_rgb8(data)
        except PictureError as error:
            raise PassingError(f"no picture: {error}", nonsense=True) from None
        found = (image.shape[1], image.shape[0])
        if self._size is not None and found != self._size:
            raise UsageError(
                f"{self._host} gave {found[0]} x {found[1]} pixels where --size asks for "
                f"{self._size[0]} x {self._size[1]}; leave --size out to take what it gives"
            )
        self._add(images=1, revised_prompts=bool(entry.get("revised_prompt")), **_tokens(told))
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
        data: bytes = self._transport.patiently(
            f"the picture of {self._host}", lambda: self._transport.get(url)
        )
        return data

    def _said(self, body: bytes) -> str:
        """Return what the server says of an error, in one line."""
        text = body.decode(errors="replace")
        try:
            told = json.loads(text)
            error = told.get("error", told)
            text = str(error.get("message") or error) if isinstance(error, dict) else str(error)
        except (ValueError, AttributeError, RecursionError):
            pass
        return self._transport.clean(text)[:200] or "nothing"

    def _add(self, **counts: int) -> None:
        with self._lock:
            self.count.update(counts)


def _tokens(told: Mapping[str, Any]) -> dict[str, int]:
    usage = told.get("usage")
    if not isinstance(usage, Mapping):
        return {}
    names = ("input_tokens", "output_tokens")
    return {name: usage[name] for name in names if isinstance(usage.get(name), int)}


def checked_base(url: str) -> str:
    """Return a base URL in one form.

    Raises
    ------
    UsageError
        It is no http or https URL, or holds a user, a password or a query, which would be stored.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError("--base-url is no URL; expected https://host/v1") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = url if "@" not in url else "..."
        raise UsageError(f"--base-url {shown!r} is no http or https URL: expected https://host/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "--base-url takes scheme, host, port and path only, since it is stored; the key is "
            "read from BENCH_API_KEY"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/') or '/v1'}"

"""What servers in the OpenAI manner say of an error, and the one line that a user is given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import openai

from bench.errors import NotComparableError, UsageError
from bench.remote.connection import GO_ON, SPENT, Connection, retry_after

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
        if self.field not in ("", "prompt", "messages"):
            return ""
        match = _REFUSED.search(self.code)
        if match is None and not _ABOUT_A_FIELD.search(self.message):
            match = _REFUSED.search(self.message)
        return match.group().lower().replace("_", " ") if match else ""

    def unknown(self, optional: Sequence[str]) -> str | None:
        """Return the field, of some that are optional, that the server does not take."""
        if self.field or _REFUSED.search(self.code):
            return self.field if self.field in optional else None
        if not (_ABOUT_A_FIELD.search(self.message) or _NOT_TAKEN.search(self.message)):
            return None
        return next((one for one in optional if re.search(rf"\b{one}\b", self.message)), None)


class Problems:
    """Errors of one address, in words.

    Parameters
    ----------
    url : str
        What is asked.
    wire : Connection
        Cleans what the server says.
    key, option : str
        Where the key is read from, and the option that names the address.
    """

    def __init__(
        self,
        url: str,
        wire: Connection,
        key: str = "BENCH_API_KEY",
        option: str = "--base-url",
    ) -> None:
        self.host = urlsplit(url).netloc
        self._url, self._wire, self._key, self._option = url, wire, key, option

    def failed(self, subject: str, tries: int, answer: str) -> NotComparableError:
        """Return the error for a request that was never answered as it should be."""
        times = f"{tries} times" if tries > 1 else "once"
        return NotComparableError(
            f"{self.host}, asked for {subject[:60]!r}, failed {times}, last: {answer}; {GO_ON}"
        )

    def final(self, subject: str, error: openai.APIStatusError, problem: Problem) -> Exception:
        """Return the error for an answer that is final."""
        status, message = error.status_code, self._wire.clean(problem.message) or "nothing"
        if status == 429 and SPENT.search(error.response.text):
            return UsageError(
                f"{self.host}: {message}; what is finished is kept: mend the account and run again"
            )
        if status in (408, 409, 425, 429) or status >= 500:
            wait = retry_after(error.response)
            waits = f", and asks to wait {wait:.0f} s" if wait else ""
            return self.failed(subject, tries_of(error), f"status {status} {message[:150]}{waits}")
        if status in (401, 403):
            return UsageError(
                f"{self.host} refuses the key (status {status}: {message}); it is read from "
                f"{self._key}, and for OpenAI also from OPENAI_API_KEY"
            )
        if 300 <= status < 400:
            return UsageError(
                f"{self._url} redirects (status {status}), and the key is not sent on; give the "
                f"final address as {self._option}"
            )
        return UsageError(f"{self._url} answered {status}: {message}")


def tries_of(error: openai.APIError) -> int:
    """Return how often the SDK had tried when it gave up."""
    return 1 + int(error.request.headers.get("x-stainless-retry-count", 0))

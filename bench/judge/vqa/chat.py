"""A vision-language model behind a chat endpoint in the OpenAI manner, as vLLM and SGLang serve it.

One question a request, several requests at once. The probability of a yes is read from
``top_logprobs`` of the first token, so that the same model gives the same number as on this
machine. Reference: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

import base64
import io
import math
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import openai

from bench.errors import UsageError
from bench.judge.vqa.local import answered
from bench.judge.vqa.questions import INSTRUCTION, NO, YES
from bench.records import Fingerprint
from bench.remote.addresses import OPENAI, checked_base, key_for
from bench.remote.connection import TRIES, Connection, Pace
from bench.remote.problems import Problem, Problems, tries_of

#: Where the key is looked for.
KEY = "BENCH_VQA_KEY"
OPTION, ALLOW = "--vqa-url", "--vqa-allow-http"
#: Most alternatives to the first token that servers give (OpenAI, vLLM's default limit).
ALTERNATIVES = 20
#: A yes that is not among them can have as much as the last of them. More than this is not known.
LEAST_KNOWN = 0.001


class ChatVlm:
    """A model of a chat endpoint.

    Parameters
    ----------
    model : str
        Its name there.
    url : str or None
        Base URL such as ``http://127.0.0.1:8000/v1``; OpenAI's own where it is None.
    concurrency : int
        Requests at once.
    allow_http : bool
        Send pictures and key to another machine without encryption.
    timeout : float
        Seconds for an answer.

    Raises
    ------
    UsageError
        An address that may not be used, or no key for OpenAI.
    """

    def __init__(
        self,
        model: str,
        url: str | None = None,
        concurrency: int = 4,
        allow_http: bool = False,
        timeout: float = 300.0,
    ) -> None:
        base = checked_base(url or OPENAI, allow_http, OPTION, KEY, ALLOW)
        self._stop = threading.Event()
        self._wire = Connection(
            base, key_for(base, KEY, OPTION), Pace(0.0, self._stop), timeout, concurrency
        )
        self._problems = Problems(f"{base}/chat/completions", self._wire, KEY, OPTION)
        self._model, self._concurrency = model, concurrency
        # The connection has the key: the SDK would look for one among the variables.
        self._chat = openai.OpenAI(
            api_key="by the connection",
            base_url=base,
            http_client=self._wire,
            max_retries=TRIES - 1,
        ).chat.completions
        self.fingerprint = Fingerprint(kind="vlm", name=model)

    def chances(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> list[tuple[float, str]]:
        """Probability of a yes to each question on its picture, or NaN and the reason.

        Raises
        ------
        UsageError
            The server refuses the key, the model or a field, or gives no log-probabilities.
        NotComparableError
            It never answered.
        """
        coded: dict[int, str] = {}
        for image in images:
            if id(image) not in coded:
                coded[id(image)] = _data_url(image)
        self._stop.clear()
        with ThreadPoolExecutor(self._concurrency, "bench-vqa") as pool:
            asked = [
                pool.submit(self._ask, coded[id(image)], text)
                for image, text in zip(images, texts, strict=True)
            ]
            try:
                ended, _ = wait(asked, return_when=FIRST_EXCEPTION)
                # One that failed is told before the others are tried as often.
                for one in ended:
                    one.result()
                return [one.result() for one in asked]
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask(self, picture: str, text: str) -> tuple[float, str]:
        content: Any = [
            {"type": "image_url", "image_url": {"url": picture}},
            {"type": "text", "text": f"{text} {INSTRUCTION}"},
        ]
        try:
            answer = self._chat.create(
                model=self._model,
                messages=[{"role": "user", "content": content}],
                max_tokens=1,
                temperature=0.0,
                logprobs=True,
                top_logprobs=ALTERNATIVES,
            )
        except openai.APIStatusError as error:
            problem = Problem.of(error.response.text)
            if error.status_code in (400, 403, 422) and problem.refused:
                return math.nan, f"the server refuses to look at it: {problem.refused}"
            raise self._problems.final(text, error, problem) from None
        except openai.APIConnectionError as error:
            reason = type(error.__cause__ or error).__name__
            raise self._problems.failed(text, tries_of(error), f"no answer ({reason})") from None
        except ValueError as error:
            raise self._problems.failed(text, 1, f"no JSON ({type(error).__name__})") from None
        return self._read(answer)

    def _read(self, answer: Any) -> tuple[float, str]:
        try:
            first = answer.choices[0].logprobs.content[0].top_logprobs
            chances = {one.token: math.exp(min(one.logprob, 0.0)) for one in first}
        except (AttributeError, IndexError, TypeError):
            chances = {}
        if not chances:
            raise UsageError(
                f"{self._problems.host} gives no log-probabilities for {self._model}; serve the "
                "model with vLLM or SGLang, which give them, or take an older model of OpenAI "
                "(those from GPT-5 on give none)"
            )
        yes, no = (sum(chances.get(word, 0.0) for word in words) for words in (YES, NO))
        value, reason = answered(yes, no)
        unknown = min(chances.values())
        if not reason and not yes and len(chances) >= ALTERNATIVES and unknown > LEAST_KNOWN:
            return math.nan, f"no yes among the first {ALTERNATIVES} tokens, and others are likely"
        return value, reason


def _data_url(image: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"

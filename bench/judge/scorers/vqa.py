"""The ``vqa``, ``vqa-api`` and ``blipvqa`` scorers: models that answer questions.

They are second opinions, beside the pixels and never in their place: what a picture should show is
in the question, and a model that answers from what it knows of potatoes does not look at this one
(docs/judges.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bench.errors import UsageError
from bench.judge.vqa.questions import METRICS, NO, WORDING, YES, questions_of
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECTS, Subject

_NO_COLOUR = "the prompt asks for no colour"


class Vlm(Protocol):
    """What answers questions on pictures."""

    fingerprint: Fingerprint

    def chances(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> list[tuple[float, str]]:
        """Probability of a yes to each question on its picture, or NaN and the reason."""
        ...


class VqaScorer:
    """Probability of a yes of a vision-language model of transformers.

    ``vqa_presence``: that the subject is in the picture; ``vqa_bind``: that it has the colour;
    ``vqa_leak``: the largest of that another subject, the scenery, a neighbour or the background
    has it, where it should not.

    Parameters
    ----------
    model : str, optional
        Folder or hub id, with ``@revision``.
    device : str
    """

    name = "vqa"

    def __init__(self, model: str | None = None, device: str = "cpu") -> None:
        from bench.judge.vqa.local import DEFAULT, LocalVlm

        self._use(LocalVlm(model or DEFAULT, device))

    def _use(self, vlm: Vlm) -> None:
        self.vlm = vlm
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={
                "model": vlm.fingerprint.name,
                "questions": WORDING,
                "yes": list(YES),
                "no": list(NO),
            },
            weights=vlm.fingerprint.weights,
            versions=vlm.fingerprint.versions,
        )

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """All three metrics of every binding; NaN with a reason where there is no answer."""
        if len(generations) != len(regions):
            raise ValueError(f"{len(generations)} images but {len(regions)} regions")
        wanted: dict[tuple[int, str], None] = {}
        questions = {}
        for i, (generation, region) in enumerate(zip(generations, regions, strict=True)):
            if generation.invalid:
                continue
            for k in range(len(generation.sample.cell.bindings)):
                questions[i, k] = questions_of(generation.sample.cell, k, region)
                wanted.update(((i, one.text), None) for one in questions[i, k])
        given = self.vlm.chances(
            [generations[i].image for i, _ in wanted], [text for _, text in wanted]
        )
        answers = dict(zip(wanted, given, strict=True))
        scores = []
        for i, generation in enumerate(generations):
            void = generation.invalid
            for k, binding in enumerate(generation.sample.cell.bindings):
                for kind, metric in METRICS.items():
                    if void:
                        value, reason = math.nan, f"invalid: {void}"
                    elif binding.colour is None and kind != "presence":
                        value, reason = math.nan, _NO_COLOUR
                    else:
                        texts = [one.text for one in questions[i, k] if one.kind == kind]
                        value, reason = _largest([answers[i, text] for text in texts])
                    scores.append(Score(generation.sample.id, self.name, metric, value, k, reason))
        return scores


class VqaApiScorer(VqaScorer):
    """The same questions to a model behind a chat endpoint, ``vqa-api:MODEL``.

    Parameters
    ----------
    model : str
        Its name there.
    vqa_url, vqa_concurrency, vqa_allow_http
        As the options of ``bench run``.
    """

    name = "vqa-api"

    def __init__(
        self,
        model: str | None = None,
        vqa_url: str | None = None,
        vqa_concurrency: int = 4,
        vqa_allow_http: bool = False,
    ) -> None:
        if not model:
            raise UsageError("vqa-api lacks the model, as in vqa-api:Qwen/Qwen3-VL-8B-Instruct")
        try:
            from bench.judge.vqa.chat import ChatVlm
        except ModuleNotFoundError as error:
            raise UsageError(
                f"a chat endpoint needs the library {error.name}: pip install 'binding-bench[api]'"
            ) from error
        self._use(ChatVlm(model, vqa_url, vqa_concurrency, vqa_allow_http))


class BlipVqaScorer:
    """BLIP-VQA as T2I-CompBench asks it: ``blipvqa``, the probability of yes to "a blue potato?".

    Parameters
    ----------
    model : str, optional
        Folder or hub id, with ``@revision``.
    device : str
    """

    name = "blipvqa"

    def __init__(self, model: str | None = None, device: str = "cpu") -> None:
        from bench.judge.vqa.blip import DEFAULT, BlipVqa

        self.vlm: Vlm = BlipVqa(model or DEFAULT, device)
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={"model": self.vlm.fingerprint.name, "questions": "NOUN PHRASE?"},
            weights=self.vlm.fingerprint.weights,
            versions=self.vlm.fingerprint.versions,
        )

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """``blipvqa`` of every binding; NaN with a reason where there is no answer."""
        wanted = [
            (generation.image, f"{noun_phrase(one.colour, _subject(one.subject))}?")
            for generation in generations
            for one in generation.sample.cell.bindings
            if not generation.invalid
        ]
        given = iter(self.vlm.chances([one for one, _ in wanted], [text for _, text in wanted]))
        scores = []
        for generation in generations:
            for k in range(len(generation.sample.cell.bindings)):
                void = generation.invalid
                value, reason = (math.nan, f"invalid: {void}") if void else next(given)
                scores.append(Score(generation.sample.id, self.name, "blipvqa", value, k, reason))
        return scores


def _largest(answers: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """Return the largest answer; where one is missing the largest is not known."""
    if not answers:
        return math.nan, "there is no other place to ask about"
    missing = next((reason for value, reason in answers if math.isnan(value)), "")
    return (math.nan, missing) if missing else max(answers)


def _subject(noun: str) -> Subject:
    return SUBJECTS.get(noun, Subject(noun))

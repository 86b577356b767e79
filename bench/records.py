"""The values that pass between the stages of a run, each the only way from one to the next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from prompts.cells import Sample

#: Whose predictions the frames of a trajectory are: after guidance, or of the prompt alone.
PREDICTIONS: tuple[str, ...] = ("guided", "conditional")

#: Every binding gets exactly one of these.
VERDICTS: tuple[str, ...] = (
    "bound",
    "spilled",
    "neighbour",
    "background",
    "mixed",
    "prior",
    "swapped",
    "wrong",
    "absent",
    "unjudged",
    "invalid",
)

#: Verdicts that judge nothing: of the judge (no evidence) and of the picture (it says nothing).
NOT_JUDGED: tuple[str, ...] = ("unjudged", "invalid")

#: Verdicts that count as leakage (DESIGN: leakage rate).
LEAKS: tuple[str, ...] = ("spilled", "neighbour", "background", "swapped")

#: What tells that a mask is the subject; the first kinds are evidence, those of `NO_EVIDENCE` none.
EVIDENCE: tuple[str, ...] = (
    "given",
    "name",
    "only_thing",
    "detector",
    "words",
    "stuff",
    "unnamed",
    "ambiguous",
    "uncertain",
)

#: Kinds on which nothing is judged, and the reason in words, of a subject ``{}``.
NO_EVIDENCE: dict[str, str] = {
    "unnamed": "the segmenter has no name for {}, and several things could be it",
    "ambiguous": "two things look alike, and nothing tells which of them is {}",
    "uncertain": "what stands there may be {} or something else",
}


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One image from a sampler.

    Attributes
    ----------
    sample : Sample
    image : ndarray, uint8, (H, W, 3)
        sRGB.
    seconds : float
        Sampling time of the batch divided by its size.
    frames : ndarray or None, uint8, (T, H, W, 3)
        Predicted clean image at T steps, where a trajectory was asked for.
    invalid : str or None
        Why the image says nothing: from a sampler what it knows itself (a safety filter), from
        `bench.judge.validity.examined` on what is decided; None where nothing is against it.
    source : str or None
        Where the image comes from within its set, for one that existed before, else None.
    conditional : ndarray or None, uint8, (T, H, W, 3)
        The frames without guidance, where the sampler guides and can tell the two apart.
    png : bytes or None
        The same image as PNG, where it came so and need not be encoded to be stored.
    """

    sample: Sample
    image: np.ndarray
    seconds: float = 0.0
    frames: np.ndarray | None = None
    invalid: str | None = None
    source: str | None = None
    conditional: np.ndarray | None = None
    png: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PooledFeatures:
    """What a network saw in one image: the means of its features over the image.

    Attributes
    ----------
    network : str
        ``small`` or ``photo``, the two of the bundled segmenter.
    weights : str
        Hash of the layers that the features come from.
    values : ndarray, float32, (F,)
    """

    network: str
    weights: str
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Where things are in one image. Masks are soft, in [0, 1], float32.

    Attributes
    ----------
    subjects : tuple of str, K
    masks : ndarray, float32, (K, H, W)
        One a subject; they do not overlap (sums stay at or below 1).
    found : ndarray, float32, (K,)
        Probability that the subject is in the image at all.
    neighbours : tuple of str, N
        Other objects (named ones such as ``plate``, or ``other``).
    neighbour_masks : ndarray, float32, (N, H, W)
    background : ndarray, float32, (H, W)
        What is left: wall and support together.
    segmenter : str
        Name of the segmenter.
    evidence : tuple of str, K, or empty
        For each subject one of `EVIDENCE`. Empty where the segmenter does not say; its masks are
        then taken as ``given``.
    support : ndarray or None, float32, (H, W)
        The part of ``background`` that things stand on (table, floor); None where the segmenter
        does not tell it from the wall.
    pooled : PooledFeatures or None
        What the bundled network that found the regions saw; None of any other segmenter, and of
        regions that were stored.
    """

    subjects: tuple[str, ...]
    masks: np.ndarray
    found: np.ndarray
    neighbours: tuple[str, ...]
    neighbour_masks: np.ndarray
    background: np.ndarray
    segmenter: str
    evidence: tuple[str, ...] = ()
    support: np.ndarray | None = None
    pooled: PooledFeatures | None = None

    @property
    def wall(self) -> np.ndarray:
        """What is behind: the background without the support, float32 (H, W)."""
        if self.support is None:
            return self.background
        return np.clip(self.background - self.support, 0.0, 1.0)

    def evidence_of(self, place: int) -> str:
        """Kind of evidence for the subject at ``place``."""
        return self.evidence[place] if self.evidence else "given"


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one binding of one image; NaN with a reason where it could not be measured.

    ``binding`` is the index into the cell's bindings.
    """

    sample_id: str
    scorer: str
    metric: str
    value: float
    binding: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one binding: the class, and the rule, value and threshold that gave it.

    ``words`` is the sentence a person reads: ``blue covers 3% of the potato and 71% of the plate``.
    """

    sample_id: str
    binding: int
    verdict: str
    rule: str
    value: float
    threshold: float
    words: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric over a group, with its two intervals (None where there are too few cells).

    ``low`` and ``high`` are for this list of prompts (other noise, the same prompts),
    ``population_low`` and ``population_high`` for prompts like these (other subjects and colours).
    """

    metric: str
    group: str
    value: float
    low: float | None
    high: float | None
    images: int
    scored: int
    cells: int
    population_low: float | None = None
    population_high: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference between two runs in one metric over one group.

    ``detectable`` is the smallest loss that would be called a regression with a chance of 80%;
    ``cells`` is the number of cells in which both runs were measured, ``changed`` of those that
    differ, ``runs`` the number of runs before. ``verdict`` is one of
    `bench.statistics.outcomes.OUTCOMES`, ``label`` the same, or more exact, for a table.
    """

    metric: str
    group: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    p: float
    detectable: float
    cells: int
    verdict: str
    sentence: str
    label: str = ""
    changed: int = 0
    runs: int = 1


@dataclass(frozen=True, slots=True)
class LabelledBinding:
    """What a person saw of one colour and one subject in a picture.

    Attributes
    ----------
    colour, subject : str
        What is asked of the picture, whether or not its prompt asked for it.
    label : str
        One of `VERDICTS`.
    kind : str
        ``prompted``: the pair stood in the prompt; ``counterfactual``: another pair asked of the
        same picture; or as the table says; empty where it does not.
    confidence : str
        Of the person, as the table says it; empty where it does not.
    """

    colour: str
    subject: str
    label: str
    kind: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture with labels by a person.

    Attributes
    ----------
    path : Path
    bindings : tuple of LabelledBinding
        At least one; a colour and a subject together at most once.
    masks : mapping of str to Path
        Masks by hand, by the thing that they show; empty where there are none.
    prompt, model, source : str
        As the table says; empty where it does not.
    """

    path: Path
    bindings: tuple[LabelledBinding, ...]
    masks: Mapping[str, Path]
    prompt: str = ""
    model: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What made an image or a score, so that a run can be repeated and compared."""

    kind: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def json_fields(record: Any) -> dict[str, Any]:
    """Return the fields of a flat record as JSON has them: what is not known is null, never NaN."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in ((one.name, getattr(record, one.name)) for one in fields(record))
    }

"""The certificate on pictures that people labelled: is the asked colour on the subject or not.

What `bench validate --labels FOLDER` adds to the known scenes: pictures of models and photographs,
where nothing is known but what a person says. So it is asked for less: whether a binding is
bound, in balanced accuracy, over what is judged; and how much is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.judge.validity import examined
from bench.judge.verdict import DEFAULT, Thresholds, judge
from bench.protocols import Scorer, Segmenter
from bench.records import Generation, LabelledBinding, LabelledPicture, Regions
from prompts.cells import Binding, Cell, Sample
from prompts.subjects import SUBJECT_NAMES

#: A subject of a smaller share of the picture is small, of a larger one large.
SMALL, LARGE = 0.05, 0.25
_BOUND = ("bound", "spilled")


@dataclass(frozen=True, slots=True)
class Question:
    """One labelled binding and what the judge said.

    Attributes
    ----------
    true, said : str
        Verdicts.
    kind, source : str
        As the labels have them.
    named : bool
        Whether the subject is one of the suite's own nouns.
    share : float
        Of the picture that the measured mask covers.
    """

    true: str
    said: str
    kind: str
    source: str
    named: bool
    share: float


Loaded = tuple[LabelledPicture, np.ndarray, Mapping[str, np.ndarray]]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledQuestion:
    """One labelled binding, measured, before any threshold."""

    cell: Cell
    label: LabelledBinding
    source: str
    metrics: Mapping[str, float]
    share: float

    def judged(self, thresholds: Thresholds = DEFAULT) -> Question:
        """Give the verdict."""
        (verdict,) = judge(self.cell, "", [self.metrics], thresholds=thresholds)
        return Question(
            self.label.label,
            verdict.verdict,
            self.label.kind,
            self.source,
            self.label.subject in SUBJECT_NAMES,
            self.share,
        )


def measure_labelled(
    pictures: Iterable[Loaded], scorer: Scorer, segmenter: Segmenter | None
) -> list[LabelledQuestion]:
    """Put labelled pictures through regions and scorer, binding by binding.

    Parameters
    ----------
    pictures : iterable of (LabelledPicture, ndarray, mapping)
        Each with its pixels, uint8 (H, W, 3), and its masks by hand, bool (H, W), by noun.
    scorer : Scorer
        Must give the metrics of ``segmentation``.
    segmenter : Segmenter or None
        None takes the masks by hand, and only those bindings that have one.
    """
    found = []
    for picture, image, masks in pictures:
        for one in picture.bindings:
            if segmenter is None and one.subject not in masks:
                continue
            cell = _cell(one.colour, one.subject)
            if segmenter is None:
                regions = _by_hand(one.subject, masks)
            else:
                (regions,) = segmenter.segment([image], [cell])
            made = examined(Generation(Sample(cell, 0), image))
            scores = scorer.score([made], [regions])
            metrics = {score.metric: score.value for score in scores}
            share = float(regions.masks[0].mean())
            found.append(LabelledQuestion(cell, one, picture.source, metrics, share))
    return found


def summarise_questions(questions: Sequence[Question]) -> dict[str, Any]:
    """Balanced accuracy of ``bound`` over what is judged, whole and by what the picture is.

    Returns
    -------
    dict
        ``n``, ``judged``, ``unjudged`` (share), ``accuracy``, ``balanced_accuracy``,
        ``bound_found``, ``others_kept_out``, and the same in ``by``: named or not, size of the
        subject, kind of question. None where there is nothing to count.
    """
    groups: dict[str, Callable[[Question], bool]] = {
        "named": lambda one: one.named,
        "unnamed": lambda one: not one.named,
        "small": lambda one: one.share < SMALL,
        "medium": lambda one: SMALL <= one.share <= LARGE,
        "large": lambda one: one.share > LARGE,
    }
    kinds = sorted({one.kind for one in questions if one.kind})
    by = {name: _counted([q for q in questions if test(q)]) for name, test in groups.items()}
    by |= {kind: _counted([q for q in questions if q.kind == kind]) for kind in kinds}
    return {**_counted(questions), "by": by}


def _counted(questions: Sequence[Question]) -> dict[str, Any]:
    judged = [one for one in questions if one.said != "unjudged"]
    right = [(one.true in _BOUND, one.said in _BOUND) for one in judged]
    yes = [said for true, said in right if true]
    no = [not said for true, said in right if not true]
    shares = {"bound_found": _mean(yes), "others_kept_out": _mean(no)}
    both = [value for value in shares.values() if value is not None]
    return {
        "n": len(questions),
        "judged": len(judged),
        "unjudged": _mean([one.said == "unjudged" for one in questions]),
        "accuracy": _mean([true == said for true, said in right]),
        "balanced_accuracy": sum(both) / 2 if len(both) == 2 else None,
        **shares,
    }


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _by_hand(subject: str, masks: Mapping[str, np.ndarray]) -> Regions:
    own = masks[subject].astype(np.float32)
    taken, others = own.copy(), []
    for noun, mask in masks.items():
        if noun != subject:
            others.append(np.clip(mask - taken, 0.0, 1.0).astype(np.float32))
            taken = np.maximum(taken, mask).astype(np.float32)
    return Regions(
        (subject,),
        own[None],
        np.ones(1, np.float32),
        ("other",) * len(others),
        np.stack(others) if others else np.zeros((0, *own.shape), np.float32),
        1.0 - taken,
        "hand",
        ("given",),
    )


def _cell(colour: str, subject: str) -> Cell:
    return Cell(
        f"single/{colour}/{subject}",
        f"a {colour} {subject}",
        (Binding(colour, subject),),
        "single",
        f"control/{subject}",
    )

"""The scorers' certificate: what they say of scenes whose verdict is known.

A benchmark is worth as much as its judge, so the judge is judged first, by the same scorers with
the same options as a run's, and the error is published beside every score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.certificate.conditions import CONTROL_SEED, REPORT_SEED, TRIALS, Trial
from bench.certificate.scenes import Answer, known_answers
from bench.certificate.summary import Judged, summarise
from bench.judge.validity import examined
from bench.judge.verdict import DEFAULT, Thresholds, judge
from bench.protocols import Scorer, Segmenter

#: A run's control passes from this macro-averaged F1 on.
LEAST_F1 = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a scorer measured in a known scene, before any threshold."""

    answer: Answer
    metrics: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a certificate is, when a trial of it begins.

    Attributes
    ----------
    number, trials : int
        Of this trial, from 1, and how many there are.
    title : str
    scenes : int
        Of this trial.
    done : float
        Share of the whole work that is done, in [0, 1).
    """

    number: int
    trials: int
    title: str
    scenes: int
    done: float


def measure_known(
    answers: Sequence[Answer], segmenter: Segmenter | None, scorer: Scorer
) -> list[Measured]:
    """Put known scenes through regions and scorer.

    Parameters
    ----------
    answers : sequence of Answer
    segmenter : Segmenter or None
        None takes the exact masks.
    scorer : Scorer
        Must give the metrics of ``segmentation``.
    """
    answers = [replace(a, generation=examined(a.generation)) for a in answers]
    generations = [a.generation for a in answers]
    if segmenter is None:
        regions = [a.regions for a in answers]
    else:
        cells = [g.sample.cell for g in generations]
        regions = segmenter.segment([g.image for g in generations], cells)
    metrics: dict[str, dict[int, dict[str, float]]] = {}
    for score in scorer.score(generations, regions):
        rows = metrics.setdefault(score.sample_id, {})
        rows.setdefault(score.binding, {})[score.metric] = score.value
    found = []
    for answer in answers:
        sample = answer.generation.sample
        rows = metrics.get(sample.id, {})
        found.append(
            Measured(answer, tuple(rows.get(k, {}) for k in range(len(sample.cell.bindings))))
        )
    return found


def judge_measured(measured: Sequence[Measured], thresholds: Thresholds = DEFAULT) -> list[Judged]:
    """Give the verdicts of scenes that were measured."""
    judged = []
    for one in measured:
        answer, sample = one.answer, one.answer.generation.sample
        verdicts = judge(
            sample.cell,
            sample.id,
            one.metrics,
            invalid=answer.generation.invalid or "",
            thresholds=thresholds,
        )
        for verdict, true, binding, row in zip(
            verdicts, answer.verdicts, sample.cell.bindings, one.metrics, strict=True
        ):
            judged.append(
                Judged(
                    binding.colour or "",
                    binding.subject,
                    true,
                    verdict.verdict,
                    answer.painted if verdict.binding == 0 else math.nan,
                    row.get("bind", math.nan),
                    row.get("presence", math.nan),
                    verdict.words,
                    _share_of(answer, verdict.binding),
                )
            )
    return judged


def _share_of(answer: Answer, binding: int) -> float:
    masks = answer.regions.masks
    share = float((masks[binding] > 0.5).mean()) if binding < len(masks) else 0.0
    return share or math.nan


def judge_known(
    answers: Sequence[Answer],
    segmenter: Segmenter | None,
    scorer: Scorer,
    thresholds: Thresholds = DEFAULT,
) -> list[Judged]:
    """Put known scenes through regions, scorer and verdict; see `measure_known`."""
    return judge_measured(measure_known(answers, segmenter, scorer), thresholds)


def control_of(
    segmenter: Segmenter, scorer: Scorer, scenes: int = 60, seed: int = CONTROL_SEED
) -> dict[str, Any]:
    """A run's own control: a few dozen known scenes through the run's own scorers.

    ``passed`` is False where the macro-averaged F1 is below ``LEAST_F1``.
    """
    judged = judge_known(known_answers(scenes, seed), segmenter, scorer)
    result = summarise(judged, segmenter.fingerprint.name)
    return {**result, "least_f1": LEAST_F1, "passed": result["macro_f1"] >= LEAST_F1}


def certify(
    segmenter: Segmenter,
    scorer: Scorer,
    scenes: int = 330,
    seed: int = REPORT_SEED,
    trials: Mapping[str, Trial] = TRIALS,
    report_stage: Callable[[Stage], None] = lambda stage: None,
) -> dict[str, Any]:
    """The whole certificate: each trial with exact masks and with the segmenter's own.

    Parameters
    ----------
    segmenter, scorer
    scenes : int
        Of a trial; some trials take a share of it.
    seed : int
        Of the first trial; the others count on from it.
    trials : mapping of str to Trial
    report_stage : callable
        Given a `Stage` as each trial begins.

    Returns
    -------
    dict
        ``trials``, by name and then ``exact`` and ``own``, each as `summarise` gives it; ``whole``,
        the same over all trials of the rendered world together; ``bars``, what is asked of it and
        whether it is met.
    """
    name = segmenter.fingerprint.name
    report: dict[str, Any] = {"seed": seed, "segmenter": name, "trials": {}}
    rendered: dict[str, list[Judged]] = {"exact": [], "own": []}
    costs = [trial.cost * trial.count(scenes) for trial in trials.values()]
    for number, (title, trial) in enumerate(trials.items()):
        count = trial.count(scenes)
        report_stage(Stage(number + 1, len(trials), title, count, sum(costs[:number]) / sum(costs)))
        judged: dict[str, list[Judged]] = {"exact": [], "own": []}
        for answers in trial.batches(count, seed + number):
            judged["exact"] += judge_known(answers, None, scorer)
            judged["own"] += judge_known(answers, segmenter, scorer)
        report["trials"][title] = {
            "exact": summarise(judged["exact"], "exact"),
            "own": summarise(judged["own"], name),
        }
        if trial.conditions is not None:
            for masks, rows in judged.items():
                rendered[masks] += rows
    if rendered["exact"]:
        report["whole"] = {
            "exact": summarise(rendered["exact"], "exact"),
            "own": summarise(rendered["own"], name),
        }
    report["bars"] = _bars(report)
    return report


#: Trials that the bars are set for.
PLAIN_TRIALS = ("plain, 64 px", "256 px")


def _bars(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is asked of the scorers on plain scenes of the rendered world."""
    found = []
    for title in PLAIN_TRIALS:
        rows = report["trials"].get(title)
        if rows is None:
            continue
        for masks, least in (("exact", 0.99), ("own", 0.95)):
            row = rows[masks]
            colour = min(row["recall_by_colour"], key=lambda key: row["recall_by_colour"][key])
            for what, value, bar in (
                ("macro F1", row["macro_f1"], least),
                (f"recall of {colour}, the weakest colour", row["recall_by_colour"][colour], 0.9),
            ):
                found.append(
                    {
                        "trial": title,
                        "masks": row["masks"],
                        "what": what,
                        "value": value,
                        "least": bar,
                        "met": value >= bar,
                    }
                )
    return found

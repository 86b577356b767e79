"""The scorers' certificate: what they say of scenes whose verdict is known.

A benchmark is worth as much as its judge, so the judge is judged first, by the same scorers with
the same options as a run's, and the error is published beside every score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import beta

from bench.known import PLAIN, Answer, Conditions, known_answers
from bench.protocols import Scorer, Segmenter
from bench.records import VERDICTS
from bench.validity import why_void
from bench.verdict import DEFAULT, Thresholds, judge
from prompts.colours import COLOUR_NAMES

#: A run's control passes from this macro-averaged F1 on.
LEAST_F1 = 0.8


@dataclass(frozen=True, slots=True)
class Judged:
    """One binding of a known scene: what is true and what was said."""

    colour: str
    subject: str
    true: str
    said: str
    painted: float
    bind: float
    presence: float
    words: str


def judge_known(
    answers: Sequence[Answer],
    segmenter: Segmenter | None,
    scorer: Scorer,
    thresholds: Thresholds = DEFAULT,
) -> list[Judged]:
    """Put known scenes through regions, scorer and verdict.

    Parameters
    ----------
    answers : sequence of Answer
    segmenter : Segmenter or None
        None takes the exact masks.
    scorer : Scorer
        Must give the metrics of ``segmentation``.
    thresholds : Thresholds
    """
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
    judged = []
    for answer in answers:
        sample = answer.generation.sample
        rows = metrics.get(sample.id, {})
        of_bindings = [rows.get(k, {}) for k in range(len(sample.cell.bindings))]
        verdicts = judge(
            sample.cell,
            sample.id,
            of_bindings,
            invalid=why_void(answer.generation),
            thresholds=thresholds,
        )
        for verdict, true, binding, row in zip(
            verdicts, answer.verdicts, sample.cell.bindings, of_bindings, strict=True
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
                )
            )
    return judged


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Counts by true verdict, then by what was said."""
    table = {true: dict.fromkeys(VERDICTS, 0) for true in VERDICTS}
    for one in judged:
        table[one.true][one.said] += 1
    return table


def f1_by_verdict(table: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """F1 = 2 TP / (2 TP + FP + FN) of each verdict that occurs."""
    scores = {}
    for verdict in VERDICTS:
        hit = table[verdict][verdict]
        true = sum(table[verdict].values())
        said = sum(row[verdict] for row in table.values())
        if true:
            scores[verdict] = 2 * hit / (true + said)
    return scores


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def summarise(judged: Sequence[Judged], masks: str) -> dict[str, Any]:
    """The certificate of one set of scenes, as JSON-able values.

    ``bind_error`` is the mean absolute difference of `bind` and the painted share, over the scenes
    whose subject is drawn; ``recall_by_colour`` counts a binding as found where its verdict is
    right, whatever the verdict.
    """
    if not judged:
        raise ValueError("no scene was judged")
    table = confusion(judged)
    f1 = f1_by_verdict(table)
    hits = sum(one.true == one.said for one in judged)
    low, high = clopper_pearson(hits, len(judged))
    binds = [
        abs(one.bind - one.painted)
        for one in judged
        if one.true in ("bound", "spilled", "mixed")
        and not math.isnan(one.bind)
        and not math.isnan(one.painted)
    ]
    seen = [
        ((one.true != "absent") - one.presence) ** 2
        for one in judged
        if one.true != "invalid" and not math.isnan(one.presence)
    ]
    return {
        "masks": masks,
        "scenes": len(judged),
        "accuracy": hits / len(judged),
        "low": low,
        "high": high,
        "macro_f1": sum(f1.values()) / len(f1),
        "f1": f1,
        "recall_by_verdict": {
            verdict: table[verdict][verdict] / sum(table[verdict].values()) for verdict in f1
        },
        "recall_by_colour": _recall_by_colour(judged),
        "bind_error": sum(binds) / len(binds) if binds else None,
        "presence_brier": sum(seen) / len(seen) if seen else None,
        "confusion": {
            true: {said: count for said, count in row.items() if count}
            for true, row in table.items()
            if any(row.values())
        },
    }


def _recall_by_colour(judged: Sequence[Judged]) -> dict[str, float]:
    recalls = {}
    for colour in COLOUR_NAMES:
        rows = [one for one in judged if one.colour == colour and one.true != "invalid"]
        if rows:
            recalls[colour] = sum(one.true == one.said for one in rows) / len(rows)
    return recalls


def control_of(
    segmenter: Segmenter, scorer: Scorer, scenes: int = 60, seed: int = 20_000
) -> dict[str, Any]:
    """A run's own control: a few dozen known scenes through the run's own scorers.

    ``passed`` is False where the macro-averaged F1 is below ``LEAST_F1``.
    """
    judged = judge_known(known_answers(scenes, seed), segmenter, scorer)
    result = summarise(judged, segmenter.fingerprint.name)
    return {**result, "least_f1": LEAST_F1, "passed": result["macro_f1"] >= LEAST_F1}


#: What `bench validate` puts the scorers through, by name.
TRIALS: dict[str, Conditions] = {
    "plain, 64 px": PLAIN,
    "dim and bright light": Conditions(light=(0.8, 1.1)),
    "colour cast": Conditions(cast=0.1),
    "JPEG quality 75": Conditions(jpeg=75),
    "256 px": Conditions(size=256),
}


def certify(
    segmenter: Segmenter,
    scorer: Scorer,
    scenes: int = 330,
    seed: int = 30_000,
    trials: Mapping[str, Conditions] = TRIALS,
) -> dict[str, Any]:
    """The whole certificate: each trial with exact masks and with the segmenter's own."""
    report: dict[str, Any] = {"seed": seed, "segmenter": segmenter.fingerprint.name, "trials": {}}
    for number, (name, conditions) in enumerate(trials.items()):
        answers = known_answers(scenes, seed + number, conditions)
        report["trials"][name] = {
            "exact": summarise(judge_known(answers, None, scorer), "exact"),
            "own": summarise(judge_known(answers, segmenter, scorer), segmenter.fingerprint.name),
        }
    return report

"""Where the thresholds of the verdicts lie, and what they cost elsewhere.

``python -m bench.certificate.threshold_sweep``.

Every threshold is moved while the others stay. The scenes it is set on (seeds from
`bench.certificate.conditions.SET_SEED`, the subjects at even places of
`prompts.subjects.SUBJECT_LIST`) share neither seed nor subject with those that it is
reported on (`REPORT_SEED`, odd places). Exact masks:
what is tuned is the rule, not a segmenter. JSON on stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from bench.certificate.conditions import REPORT_SEED, SET_SEED, TRIALS
from bench.certificate.report import Measured, judge_measured, measure_known
from bench.certificate.summary import summarise
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import DEFAULT, Thresholds
from prompts.subjects import SUBJECT_NAMES

#: How far each threshold is moved.
STEPS = (-0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15)
#: Trials of the rendered world that are cheap enough to sweep over.
SWEPT = ("plain, 64 px", "dim and bright light", "colour cast", "JPEG quality 75", "clutter")
#: Loss of macro F1 against the best value on the set part that a threshold may have.
SLACK = 0.01


def measure_part(seed: int, parity: int, scenes: int) -> list[Measured]:
    """Measure scenes of the swept trials whose first subject stands at an even or odd place."""
    scorer = SegmentationScorer()
    found = []
    for number, title in enumerate(SWEPT):
        for answers in TRIALS[title].batches(scenes, seed + number):
            kept = [
                a
                for a in answers
                if SUBJECT_NAMES.index(a.generation.sample.cell.bindings[0].subject) % 2 == parity
            ]
            found += measure_known(kept, None, scorer)
    return found


def macro_f1(measured: Sequence[Measured], thresholds: Thresholds) -> float:
    """Macro-averaged F1 of the verdicts at these thresholds."""
    return float(summarise(judge_measured(measured, thresholds), "exact")["macro_f1"])


def sweep(measured: Sequence[Measured]) -> dict[str, dict[float, float]]:
    """For each threshold, its values and the macro F1 that each gives, the others at default."""
    curves: dict[str, dict[float, float]] = {}
    for name, value in asdict(DEFAULT).items():
        curves[name] = {}
        for step in STEPS:
            moved = round(value + step, 3)
            if 0.0 < moved < 1.0:
                curves[name][moved] = macro_f1(measured, replace(DEFAULT, **{name: moved}))
    return curves


def report_of(scenes: int) -> dict[str, Any]:
    """Sweep on one part, report on the other.

    Returns
    -------
    dict
        ``set_on`` and ``reported_on`` with scenes, macro F1 at the default thresholds;
        ``thresholds``, for each its value, the best value of the set part and what the default
        loses to it there, and whether that is within `SLACK`; ``curves``.
    """
    set_on = measure_part(SET_SEED, 0, scenes)
    reported_on = measure_part(REPORT_SEED, 1, scenes)
    curves = sweep(set_on)
    return {
        "set_on": {"scenes": len(set_on), "macro_f1": macro_f1(set_on, DEFAULT)},
        "reported_on": {"scenes": len(reported_on), "macro_f1": macro_f1(reported_on, DEFAULT)},
        "thresholds": {name: _row(name, curve) for name, curve in curves.items()},
        "curves": curves,
    }


def _row(name: str, curve: Mapping[float, float]) -> dict[str, Any]:
    value = round(float(asdict(DEFAULT)[name]), 3)
    best = max(curve, key=lambda moved: (curve[moved], -abs(moved - value)))
    loss = curve[best] - curve[value]
    return {"value": value, "best": best, "loss": loss, "within_slack": loss <= SLACK}


def main(arguments: list[str]) -> int:
    """Print the report; exit code 1 where a threshold loses more than `SLACK`."""
    report = report_of(int(arguments[0]) if arguments else 330)
    print(json.dumps(report, indent=1))
    return 0 if all(row["within_slack"] for row in report["thresholds"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

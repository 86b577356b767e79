"""Where ``bound`` and ``mixed`` part: the thresholds fitted jointly, with what each choice costs.

``python -m bench.certificate.fit [SCENES]``, exact masks of known scenes alone; with labelled
pictures by `fit_table` of what `bench.certificate.labelled.measure_labelled` gives of them. Half of
their sources are fitted on, by the hash of the name of the source; the other half is only
reported. JSON on stdout: a row for each pair of ``bound`` and ``margin``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from bench.certificate.conditions import SET_SEED, TRIALS
from bench.certificate.labelled import LabelledQuestion, summarise_questions
from bench.certificate.report import Measured, judge_measured, measure_known, summarise
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import DEFAULT, Thresholds

BOUNDS = (0.3, 0.34, 0.38, 0.42, 0.5)
MARGINS = (0.1, 0.14, 0.18, 0.22, 0.26)
#: Kinds of known pictures, and their trials.
KINDS: dict[str, tuple[str, ...]] = {
    "rendered": ("plain, 64 px", "dim and bright light", "JPEG quality 75", "clutter", "256 px"),
    "composites": ("icons on photographs, 256 px",),
}


def measure_kinds(scenes: int) -> dict[str, list[Measured]]:
    """Measure known pictures of every kind, on the seeds that thresholds are set on."""
    scorer = SegmentationScorer()
    found: dict[str, list[Measured]] = {}
    for kind, titles in KINDS.items():
        rows = found.setdefault(kind, [])
        for number, title in enumerate(titles):
            for answers in TRIALS[title].batches(TRIALS[title].count(scenes), SET_SEED + number):
                rows += measure_known(answers, None, scorer)
    return found


def is_fitted(source: str) -> bool:
    """Whether labelled pictures of a source are fitted on; the others are only reported."""
    return hashlib.sha256(source.encode()).digest()[-1] % 2 == 1


def fit_table(
    known: dict[str, list[Measured]], labelled: Sequence[LabelledQuestion] = ()
) -> list[dict[str, Any]]:
    """For each choice macro-F1 and recall of ``mixed`` by kind, and balanced accuracy."""
    return [
        _row(replace(DEFAULT, bound=bound, margin=margin), known, labelled)
        for bound, margin in product(BOUNDS, MARGINS)
    ]


def _row(
    thresholds: Thresholds, known: dict[str, list[Measured]], labelled: Sequence[LabelledQuestion]
) -> dict[str, Any]:
    row: dict[str, Any] = {"bound": thresholds.bound, "margin": thresholds.margin}
    for kind, measured in known.items():
        found = summarise(judge_measured(measured, thresholds), "exact")
        row[f"{kind}_macro_f1"] = round(found["macro_f1"], 4)
        row[f"{kind}_mixed_recall"] = round(found["recall_by_verdict"]["mixed"], 4)
    for part, fitted in (("fitted", True), ("reported", False)):
        asked = [one.judged(thresholds) for one in labelled if is_fitted(one.source) == fitted]
        row[f"labelled_{part}"] = summarise_questions(asked)["balanced_accuracy"]
    values = [value for key, value in row.items() if key.endswith("_f1") or key.endswith("fitted")]
    row["worst"] = min(value for value in values if value is not None)
    return row


def main(arguments: list[str]) -> int:
    """Print the table, the best choice first: that whose worst kind is best."""
    table = fit_table(measure_kinds(int(arguments[0]) if arguments else 220))
    print(json.dumps(sorted(table, key=lambda row: -row["worst"]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a change does to scores and verdicts: ``python -m benchmarks.equal_scores``.

The segmentation scorer over known scenes with exact masks: the rendered world (64 pixels) and the
photoreal test set (256). `--keep FILE` writes every score and verdict, and the same at another
commit with `--against FILE` tells how many differ, and by how much at most.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.scenes import Answer, known_answers
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.validity import examined
from bench.judge.verdict import judge

SEED = 31_337
#: Scores that differ by no more are the same.
TOLERANCE = 0.002
#: Scores by metric, or the verdict and the right one, of each binding.
Found = dict[str, dict[str, float | str]]


def scored(answers: Sequence[Answer]) -> Found:
    """Scores and verdicts, without a control, of each binding of each scene."""
    parts = [examined(answer.generation) for answer in answers]
    bindings: dict[str, list[dict[str, float]]] = {
        one.sample.id: [{} for _ in one.sample.cell.bindings] for one in parts
    }
    for score in SegmentationScorer().score(parts, [answer.regions for answer in answers]):
        bindings[score.sample_id][score.binding][score.metric] = score.value
    found: Found = {}
    for one, answer in zip(parts, answers, strict=True):
        rows = bindings[one.sample.id]
        for verdict in judge(one.sample.cell, one.sample.id, rows, invalid=one.invalid or ""):
            found[f"{one.sample.id} {verdict.binding}"] = {
                "verdict": verdict.verdict,
                "right": answer.verdicts[verdict.binding],
                **rows[verdict.binding],
            }
    return found


def apart(found: Found, before: Found) -> dict[str, float | dict[str, float]]:
    """Count verdicts and scores that differ, with the greatest difference of each such metric."""
    if found.keys() != before.keys():
        raise SystemExit("other scenes than in the file: nothing to hold against each other")
    most: dict[str, float] = {}
    scores = differ = 0
    for place, rows in before.items():
        for metric, old in rows.items():
            new = found[place].get(metric, math.nan)
            if isinstance(old, str) or isinstance(new, str):
                continue
            by = 0.0 if math.isnan(old) and math.isnan(new) else abs(new - old)
            scores += 1
            if not by <= TOLERANCE:
                differ += 1
                most[metric] = max(most.get(metric, 0.0), math.inf if math.isnan(by) else by)
    return {
        "bindings": len(before),
        "verdicts that differ": sum(
            found[place]["verdict"] != rows["verdict"] for place, rows in before.items()
        ),
        "right before": sum(rows["verdict"] == rows["right"] for rows in before.values()),
        "right": sum(rows["verdict"] == rows["right"] for rows in found.values()),
        "scores": scores,
        "scores that differ": differ,
        "by at most": most,
    }


def main() -> None:
    """Score, and keep or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=1024, metavar="N")
    parser.add_argument("--keep", type=Path, metavar="FILE")
    parser.add_argument("--against", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.images < 1:
        parser.error(f"--images {options.images}: expected 1 or more")
    sets: Mapping[str, Sequence[Answer]] = {
        "rendered": known_answers(options.images, SEED),
        "photoreal": [one for batch in photoreal_batches(options.images) for one in batch],
    }
    found = {name: scored(answers) for name, answers in sets.items()}
    if options.keep:
        options.keep.write_text(json.dumps(found), encoding="utf-8")
    if options.against:
        try:
            before = json.loads(options.against.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            parser.error(f"{options.against}: {error}; expected what --keep wrote")
        if not isinstance(before, dict) or not before.keys() >= found.keys():
            parser.error(f"{options.against} has no scores; expected what --keep wrote")
        print(json.dumps({name: apart(found[name], before[name]) for name in found}, indent=1))


if __name__ == "__main__":
    main()

"""Segmenters compared: ``python -m benchmarks.segmenters``.

Mean intersection over union of the asked subjects' masks, macro-F1 of the verdicts and time, on
scenes of the rendered world and on composed pictures (`bench.certificate.composites`).
`--icons FOLDER` composes from icons of your own; `--fit` prints the weights of presence of the
cutout segmenter, fitted on the rendered world and on composed pictures of another seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.certificate.clip_calibration import logistic_fit
from bench.certificate.composites import compose, read_icons
from bench.certificate.report import judge_known
from bench.certificate.scenes import Answer, known_answers
from bench.certificate.summary import summarise
from bench.judge.regions.assignment import assign, evidence_of, pieces_of
from bench.judge.resolution import sampled_regions
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.run.components import build

SEED = 31_337
FIT_SEED = 70_001


def overlap(answers: Sequence[Answer], segmenter: object) -> tuple[float, float]:
    """Mean intersection over union of the subjects that are there, and milliseconds an image."""
    segmenter.segment([answers[0].generation.image], [answers[0].generation.sample.cell])
    shares = []
    start = time.perf_counter()
    found = segmenter.segment(
        [a.generation.image for a in answers], [a.generation.sample.cell for a in answers]
    )
    seconds = time.perf_counter() - start
    for answer, regions in zip(answers, found, strict=True):
        if answer.verdicts[0] == "invalid":
            continue
        exact, regions = (sampled_regions(one) for one in (answer.regions, regions))
        for k in np.flatnonzero(exact.found > 0.5):
            a, b = regions.masks[k] > 0.5, exact.masks[k] > 0.5
            shares.append((a & b).sum() / max((a | b).sum(), 1))
    return float(np.mean(shares)), 1000 * seconds / len(answers)


def fit(answers: Sequence[Answer]) -> tuple[float, ...]:
    """Weights of presence of the cutout segmenter."""
    segmenter = build("segmenter", "cutout", {})
    measures, there = [], []
    for answer in answers:
        if answer.verdicts[0] == "invalid":
            continue
        pieces = pieces_of(segmenter.see([answer.generation.image])[0])
        subjects = answer.regions.subjects
        for k, place in enumerate(assign(pieces, subjects)):
            if place is not None:
                measures.append(evidence_of(pieces[place], subjects[k]))
                there.append(answer.regions.found[k])
    return logistic_fit(np.array(measures), np.array(there))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=220)
    parser.add_argument("--icons", type=Path, metavar="FOLDER")
    parser.add_argument("--segmenters", nargs="+", default=["cutout", "clip", "saliency"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    icons = read_icons(options.icons) if options.icons else None
    if options.fit:
        pictures = compose(options.scenes, FIT_SEED, icons)
        print(fit([*pictures, *known_answers(options.scenes, FIT_SEED)]))
        return
    sets = {
        "rendered, 64 px": known_answers(options.scenes, SEED),
        "composed, 256 px": compose(options.scenes, SEED, icons),
    }
    scorer = SegmentationScorer()
    rows = []
    for kind, answers in sets.items():
        for name in ("exact", *options.segmenters):
            print(f"{kind}: {name}", file=sys.stderr)
            segmenter = None if name == "exact" else build("segmenter", name, {})
            iou, each = (1.0, 0.0) if segmenter is None else overlap(answers, segmenter)
            judged = summarise(judge_known(answers, segmenter, scorer), name)
            rows.append(
                {"pictures": kind, "segmenter": name, "mean_iou": iou,
                 "macro_f1": judged["macro_f1"], "milliseconds": each}
            )  # fmt: skip
    if options.json:
        print(json.dumps(rows))
        return
    print("| pictures | segmenter | mean IoU | macro-F1 of verdicts | ms an image |")
    print("|---|---|---|---|---|")
    for row in rows:
        each = f"{row['milliseconds']:.1f}" if row["milliseconds"] else ""
        print(
            f"| {row['pictures']} | `{row['segmenter']}` | {row['mean_iou']:.3f} "
            f"| {row['macro_f1']:.3f} | {each} |"
        )


if __name__ == "__main__":
    main()

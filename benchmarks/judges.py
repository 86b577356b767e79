"""Ways of judging compared: ``python -m benchmarks.judges``.

Each says of every picture whether the asked thing has the asked colour. The truth is that of the
rendered world and of composed pictures: yes for ``bound`` and ``spilled``, no for every other
verdict but ``invalid``, which is left out. Bindings of one subject are asked about, with the masks
of the default segmenter for all that need masks.

(a) suite: verdict of this suite.
(b) whole-image CLIP: the picture is likelier "a blue potato" than the potato in any other colour.
(c) CLIP on a masked crop, as GenEval does it: of the crop, the asked colour is the likeliest.
(d) mean colour: the mean of the mask in CIELAB is nearer to the asked colour, by CIEDE2000, than to
    any other of the eleven.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from skimage.color import deltaE_ciede2000 as ciede2000

from bench.certificate.composites import compose
from bench.certificate.scenes import Answer, known_answers
from bench.judge.clip import load_clip
from bench.judge.clip.crop import masked_crop
from bench.judge.colour.spaces import to_lab
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.validity import examined
from bench.judge.verdict import judge
from bench.records import Regions
from bench.run.components import build
from prompts.colours import BASIC, COLOUR_NAMES
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECTS

SEED = 41_414
YES = frozenset({"bound", "spilled"})
Judge = Callable[[Sequence[Answer], Sequence[Regions]], list[bool]]


def suite(answers: Sequence[Answer], regions: Sequence[Regions]) -> list[bool]:
    generations = [examined(a.generation) for a in answers]
    metrics: dict[str, dict[str, float]] = {}
    for score in SegmentationScorer().score(generations, regions):
        metrics.setdefault(score.sample_id, {})[score.metric] = score.value
    said = []
    for one in generations:
        cell, key = one.sample.cell, one.sample.id
        verdict = judge(cell, key, [metrics[key]], invalid=one.invalid or "")[0].verdict
        said.append(verdict in YES)
    return said


def _likeliest(features: np.ndarray, answers: Sequence[Answer]) -> list[bool]:
    clip = load_clip()
    said = []
    for feature, answer in zip(features, answers, strict=True):
        binding = answer.generation.sample.cell.bindings[0]
        subject = SUBJECTS[binding.subject]
        table = clip.text_table(tuple(noun_phrase(colour, subject) for colour in COLOUR_NAMES))
        said.append(COLOUR_NAMES[int((table.numpy() @ feature).argmax())] == binding.colour)
    return said


def whole_clip(answers: Sequence[Answer], regions: Sequence[Regions]) -> list[bool]:
    clip = load_clip()
    batch = clip.preprocess([a.generation.image for a in answers])
    return _likeliest(clip.encode_batch(batch).numpy(), answers)


def crop_clip(answers: Sequence[Answer], regions: Sequence[Regions]) -> list[bool]:
    clip = load_clip()
    crops = [
        masked_crop(a.generation.image, r.masks[0]) if r.found[0] >= 0.5 else None
        for a, r in zip(answers, regions, strict=True)
    ]
    seen = [k for k, crop in enumerate(crops) if crop is not None]
    batch = clip.preprocess([crops[k] for k in seen])
    said = _likeliest(clip.encode_batch(batch).numpy(), [answers[k] for k in seen])
    of_seen = dict(zip(seen, said, strict=True))
    return [of_seen.get(k, False) for k in range(len(answers))]


def mean_colour(answers: Sequence[Answer], regions: Sequence[Regions]) -> list[bool]:
    terms = to_lab(np.array([colour.srgb for colour in BASIC]) / 255)
    said = []
    for answer, region in zip(answers, regions, strict=True):
        inside = region.masks[0] > 0.5
        if region.found[0] < 0.5 or not inside.any():
            said.append(False)
            continue
        mean = to_lab(answer.generation.image[inside] / 255).mean(0)
        nearest = COLOUR_NAMES[int(np.argmin(ciede2000(mean[None], terms)))]
        said.append(nearest == answer.generation.sample.cell.bindings[0].colour)
    return said


JUDGES: dict[str, tuple[Judge, bool]] = {
    "(a) this suite": (suite, True),
    "(b) whole-image CLIP": (whole_clip, False),
    "(c) CLIP on a masked crop": (crop_clip, True),
    "(d) mean colour, CIEDE2000": (mean_colour, True),
}


def measured(answers: Sequence[Answer], exact: bool) -> list[dict[str, object]]:
    """Agreement with the truth and images a second of each way."""
    answers = [
        a
        for a in answers
        if len(a.generation.sample.cell.bindings) == 1 and a.verdicts[0] != "invalid"
    ]
    true = np.array([a.verdicts[0] in YES for a in answers])
    segmenter = build("segmenter", "auto", {})
    images = [a.generation.image for a in answers]
    cells = [a.generation.sample.cell for a in answers]
    segmenter.segment(images[:1], cells[:1])
    start = time.perf_counter()
    own = segmenter.segment(images, cells)
    segmenting = time.perf_counter() - start
    regions = [a.regions for a in answers] if exact else own
    rows = []
    for name, (way, masks) in JUDGES.items():
        way(answers[:8], regions[:8])
        start = time.perf_counter()
        said = np.array(way(answers, regions))
        seconds = time.perf_counter() - start + segmenting * (masks and not exact)
        right = [float((said == true)[true].mean()), float((said == true)[~true].mean())]
        rows.append(
            {"judge": name, "images": len(answers), "agreement": float((said == true).mean()),
             "balanced": sum(right) / 2, "missed": 1 - right[0], "let_through": 1 - right[1],
             "images_a_second": len(answers) / seconds}
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=440)
    parser.add_argument("--exact", action="store_true", help="Exact masks for all.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {}
    for kind, answers in (
        ("rendered, 64 px", known_answers(options.scenes, SEED)),
        ("composed, 256 px", compose(options.scenes, SEED)),
    ):
        print(kind, file=sys.stderr)
        found[kind] = measured(answers, options.exact)
    if options.json:
        print(json.dumps(found))
        return
    print("| pictures | judge | right | balanced | good ones missed | bad ones let through "
          "| images/s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for kind, rows in found.items():
        for row in rows:
            print(
                f"| {kind} | {row['judge']} | {row['agreement']:.1%} | {row['balanced']:.1%} "
                f"| {row['missed']:.1%} | {row['let_through']:.1%} "
                f"| {row['images_a_second']:.0f} |"
            )


if __name__ == "__main__":
    main()

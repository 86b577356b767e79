"""What means nothing to a network: a mirror image, one pixel more, gain and JPEG.

A turned picture is another picture for a CLIP and for a network that cuts things out: neither is
promised to say the same of it. What is promised stands in docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from bench.certificate.scenes import Conditions, known_answers
from bench.judge.regions.auto import AutoSegmenter
from bench.judge.regions.clip import ClipSegmenter
from bench.judge.regions.saliency import SaliencySegmenter
from bench.judge.scorers.clip import ClipScorer
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.judge.verdict import judge
from bench.protocols import Segmenter
from bench.records import Generation
from tests.bench.judge.test_invariance import Pair, gained, jpeg, moved, padded, same

CHANGES: dict[str, Callable[[Pair], Pair]] = {
    "mirror": lambda pair: moved(pair, lambda a: a[:, ::-1]),
    "one pixel more": lambda pair: moved(pair, padded),
    "gain 1.01": lambda pair: moved(pair, same, gained(pair[0])),
    "JPEG 95": lambda pair: moved(pair, same, jpeg(pair[0])),
}
#: Metrics of a CLIP may move by so much; the mirror image is seen by other patches.
CLIP_WITHIN = {"mirror": 0.2, "one pixel more": 0.1, "gain 1.01": 0.05, "JPEG 95": 0.05}


@cache
def answers():
    known = known_answers(24, 5, Conditions(size=128))
    return tuple(answer for answer in known if answer.verdicts[0] != "invalid")


def changed(change: str | None):
    pairs = [(answer.generation.image, answer.regions) for answer in answers()]
    if change:
        pairs = [CHANGES[change](pair) for pair in pairs]
    made = [
        Generation(answer.generation.sample, image)
        for answer, (image, _) in zip(answers(), pairs, strict=True)
    ]
    return made, [regions for _, regions in pairs]


@cache
def by_clip(change: str | None) -> dict[str, np.ndarray]:
    scores = ClipScorer().score(*changed(change))
    return {
        metric: np.array([score.value for score in scores if score.metric == metric])
        for metric in ("clip_bind", "clip_contrast")
    }


@pytest.mark.parametrize("change", CHANGES)
def test_a_clip_says_nearly_the_same(change):
    before, after = by_clip(None), by_clip(change)
    for metric, values in before.items():
        apart = np.abs(after[metric] - values)
        assert np.nanmax(apart) < CLIP_WITHIN[change], metric
    # The side of the second opinion is the same for every subject.
    known = ~np.isnan(before["clip_bind"])
    assert ((after["clip_bind"] > 0.5) == (before["clip_bind"] > 0.5))[known].all()


SEGMENTERS: dict[str, Callable[[], Segmenter]] = {
    "auto": AutoSegmenter,
    "clip": ClipSegmenter,
    "saliency": SaliencySegmenter,
}
#: Least share of verdicts that stay, on rendered scenes of 128 pixels.
LEAST_SAME = {"auto": 1.0, "clip": 0.9, "saliency": 0.9}


@cache
def verdicts(name: str, change: str | None) -> tuple[str, ...]:
    made, _ = changed(change)
    cells = [one.sample.cell for one in made]
    regions = SEGMENTERS[name]().segment([one.image for one in made], cells)
    scores = SegmentationScorer().score(made, regions)
    found: list[str] = []
    for one in made:
        metrics = [
            {s.metric: s.value for s in scores if s.sample_id == one.sample.id and s.binding == k}
            for k in range(len(one.sample.cell.bindings))
        ]
        found += [v.verdict for v in judge(one.sample.cell, one.sample.id, metrics)]
    return tuple(found)


@pytest.mark.parametrize("name", SEGMENTERS)
@pytest.mark.parametrize("change", CHANGES)
def test_verdicts_with_own_masks_stay(change, name):
    before, after = verdicts(name, None), verdicts(name, change)
    alike = np.mean([a == b for a, b in zip(before, after, strict=True)])
    assert alike >= LEAST_SAME[name]

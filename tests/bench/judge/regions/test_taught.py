"""Miniatures that were taught: their masks lie where the pictures have the things.

``tests/data/miniatures`` has what `reference_models.miniatures.teach` wrote: ``sam2``, 2,273 steps
of 64 pictures in 114 seconds of one H200, beside other work; ``owlv2 --by-heart``, 532 steps of 4
pictures. They say nothing of how well such models do; padding, scaling, order and thresholds of the
adapters are held by them, at shapes and sizes other than the models' own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.certificate.scenes import known_answers
from bench.judge.checkpoints import LoadedModel
from bench.judge.regions.detectors import Detector
from bench.judge.regions.word_segmenters import BoxSegmenter
from bench.judge.resolution import working_shape
from bench.run.components import build
from prompts.cells import Binding, Cell
from prompts.subjects import NEIGHBOURS
from reference_models.miniatures.scenes import ByHeart

FOLDER = Path(__file__).parents[3] / "data" / "miniatures"


class KnownBoxes(Detector):
    """Answers with the boxes of what is drawn, in the order of the words."""

    classes = ()
    threshold = 0.5

    def __init__(self):
        self.loaded = LoadedModel(None, None, "known", "")
        self.device = "cpu"
        self.known = {}

    def boxes(self, images, words):
        corners = [[self.known[image.tobytes()].get(w, (0, 0, 1, 1)) for w in own]
                   for image, own in zip(images, words, strict=True)]  # fmt: skip
        scores = [[float(w in self.known[image.tobytes()]) for w in own]
                  for image, own in zip(images, words, strict=True)]  # fmt: skip
        return torch.tensor(scores), torch.tensor(corners, dtype=torch.float32)


@pytest.mark.parametrize(
    ("pad", "scale"), [((0, 0), 1), ((0, 32), 1), ((32, 0), 1), ((32, 0), 5), ((0, 32), 9)]
)
def test_masks_cover_their_things_at_any_shape_and_size(pad, scale):
    detector = KnownBoxes()
    segmenter = BoxSegmenter("x", detector, str(FOLDER / "sam2"))
    images, cells, truth = [], [], []
    for answer in known_answers(30, seed=31_337):
        subjects = answer.regions.subjects
        places = np.flatnonzero(answer.regions.found > 0.5)
        if answer.verdicts[0] == "invalid" or len(places) < len(subjects):
            continue
        image = np.pad(answer.generation.image, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="edge")
        image = image.repeat(scale, 0).repeat(scale, 1)
        masks = np.pad(answer.regions.masks > 0.5, ((0, 0), (0, pad[0]), (0, pad[1])))
        corners = {}
        for subject, mask in zip(subjects, masks, strict=True):
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            corners[subject] = [
                scale * v for v in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            ]
        detector.known[image.tobytes()] = corners
        images.append(image)
        bindings = tuple(Binding("blue", subject) for subject in subjects)
        cells.append(Cell("c", "", bindings, "single", "c"))
        truth.append(masks)
    shares = []
    for image, regions, masks in zip(images, segmenter.segment(images, cells), truth, strict=True):
        shape = working_shape(*image.shape[:2])
        assert regions.masks.shape[1:] == shape
        rows, columns = (
            np.arange(n) * of // n for n, of in zip(shape, masks.shape[1:], strict=True)
        )
        for k, mask in enumerate(masks):
            true, own = mask[rows[:, None], columns], regions.masks[k] > 0.5
            shares.append((true & own).sum() / (true | own).sum())
    assert len(shares) > 20
    assert np.mean(shares) > 0.6


@pytest.mark.parametrize("scale", [1, 4])
def test_words_are_found_where_they_are_and_only_there(scale):
    segmenter = build("segmenter", f"owlv2+sam2:{FOLDER / 'owlv2'},{FOLDER / 'sam2'}", {})
    shares, shapes = [], set()
    for lesson in ByHeart().lessons:
        images = [
            (image.permute(1, 2, 0) * 255).round().byte().numpy().repeat(scale, 0).repeat(scale, 1)
            for image in lesson.image
        ]
        shapes.add(images[0].shape)
        named = [word for word in lesson.words if word not in NEIGHBOURS]
        bindings = tuple(Binding("blue", word) for word in named)
        cells = [Cell("c", "", bindings, "pair", "c")] * len(images)
        for row, regions in enumerate(segmenter.segment(images, cells)):
            for k, word in enumerate(named):
                place = lesson.words.index(word)
                assert (regions.found[k] > 0.5) == bool(lesson.there[row, place]), word
                if lesson.there[row, place]:
                    true = lesson.masks[row, place].numpy() > 0.5
                    rows, columns = (
                        np.arange(n) * of // n
                        for n, of in zip(regions.masks.shape[1:], true.shape, strict=True)
                    )
                    true, own = true[rows[:, None], columns], regions.masks[k] > 0.5
                    shares.append((true & own).sum() / (true | own).sum())
    assert len(shapes) == 3
    assert np.mean(shares) > 0.6

"""A SAM 2 that was taught the rendered world: its masks lie where the pictures have the things.

The checkpoint is of ``python -m reference_models.miniatures.teach sam2``: 2,273 steps of 64
pictures in 114 seconds of one H200, beside other work. Its own scale is a square of 128 pixels.
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
from prompts.cells import Binding, Cell

FOLDER = Path(__file__).parents[3] / "data" / "miniatures" / "sam2"


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
    segmenter = BoxSegmenter("x", detector, str(FOLDER))
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

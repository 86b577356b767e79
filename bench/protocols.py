"""What a sampler, a segmenter and a scorer must offer: one method each, and a fingerprint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Cell, Sample


class Sampler(Protocol):
    """Makes images. The image is a function of the sample alone, whatever the batch.

    One that keeps frames of the trajectory tells their noise levels, in the order of the frames, by
    an attribute ``noise_levels``; without it, or where it is None, no frames are stored.
    """

    fingerprint: Fingerprint

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one Generation a sample, in order, batch by batch."""
        ...


class Segmenter(Protocol):
    """Finds the subjects, the neighbours and the background of images."""

    fingerprint: Fingerprint

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image; images may differ in size."""
        ...


class Scorer(Protocol):
    """Measures images."""

    fingerprint: Fingerprint

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """Scores of every binding of every image; NaN with a reason where none can be given."""
        ...

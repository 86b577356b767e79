"""What a sampler, a segmenter and a scorer must and may have; a run asks for nothing else.

A class that names its protocol as a base (``class Mine(Sampler)``) inherits what is optional.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Cell, Sample
from prompts.manifest import TrainingManifest


@dataclass(frozen=True)
class SamplerInfo:
    """What a run needs to know of a sampler before it draws.

    Attributes
    ----------
    fingerprint : Fingerprint
        What makes the images. Where its ``weights`` are empty nobody can tell whether stored images
        are of the same model, and a run that takes them up says so.
    batch_size : int or None
        Images that are drawn together, as far as it is known; None where there are no batches.
    noise_levels : tuple of float or None
        Noise of each kept frame of the trajectory, in their order, 1 pure noise and 0 clean; None
        where no frames are kept.
    training : TrainingManifest or None
        What the model was trained on; tags prompts as seen or novel.
    paid : bool
        An image costs money, so that nothing is drawn to try the model out.
    price : float or None
        Of one image, in the user's money, where it is known.
    predictions : tuple of str
        Whose predictions are kept, of `bench.records.PREDICTIONS`: those after guidance in
        ``Generation.frames`` and the conditional ones in ``Generation.conditional``; where there is
        no guidance the conditional ones alone, in ``frames``.
    """

    fingerprint: Fingerprint
    batch_size: int | None = None
    noise_levels: tuple[float, ...] | None = None
    training: TrainingManifest | None = None
    paid: bool = False
    price: float | None = None
    predictions: tuple[str, ...] = ("guided",)


@dataclass(frozen=True)
class Usage:
    """What a sampler has used since it was made.

    Attributes
    ----------
    counts : mapping of str to float
        Such as ``requests``, ``retries``, ``images``, ``cost``; summed up in ``run.json``.
    remarks : tuple of str
        What a reader of the scores should know, a sentence each.
    """

    counts: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


class Sampler(Protocol):
    """Draws images. The image is a function of the sample alone, whatever the batch."""

    #: May change while it draws, but for the fingerprint and the noise levels.
    info: SamplerInfo

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one Generation a sample, in order, batch by batch."""
        ...

    def close(self) -> Iterable[Generation]:
        """Stop, and give what was drawn and not handed over; the image yielded last may come again.

        Called when `sample` has ended or was left, in any way; twice does no harm.
        """
        return ()

    def usage(self) -> Usage:
        """Tell what was used since the sampler was made."""
        return Usage()


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
        """Scores of every binding of every image; NaN with a reason where none can be given.

        What is void has its reason in ``invalid`` already (`bench.judge.validity.examined`).
        """
        ...

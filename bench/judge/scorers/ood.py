"""The ``ood`` scorer: whether a picture is like any kind that the judge is certified on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.certified_kinds import (
    identity,
    read_labelled,
    references_hash,
    stale,
    with_labelled,
)
from bench.judge.out_of_distribution import Reference
from bench.judge.readings import DISTANCE
from bench.records import Fingerprint, Generation, PooledFeatures, Regions, Score

if TYPE_CHECKING:
    from bench.judge.regions.cutout import CutoutSegmenter


class OodScorer:
    """Distance of each picture to the certified kinds, in multiples of what is usual in the kind.

    ``ood`` above 1: the certificate does not speak of the picture. The features are those with
    which the bundled segmenter found the regions; where another segmenter found them, its networks
    look at the picture for this alone.

    Parameters
    ----------
    device : str
        Of the networks, where they are needed.
    certificate : path, optional
        What ``bench validate --labels PATH --out FILE`` wrote: its labelled pictures are a kind.
    """

    name = "ood"

    def __init__(self, device: str = "cpu", certificate: str | Path | None = None) -> None:
        self.device = device
        own = read_labelled(Path(certificate)) if certificate else []
        self.references: Mapping[str, Reference] = with_labelled(own)
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={"labelled": identity(own)} if own else {},
            weights=references_hash(),
        )

    @cached_property
    def _networks(self) -> CutoutSegmenter:
        from bench.judge.regions.cutout import CutoutSegmenter

        return CutoutSegmenter(self.device)

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """Metrics of every image, the same of each of its bindings; NaN with a reason."""
        if len(generations) != len(regions):
            raise ValueError(f"{len(generations)} images but {len(regions)} regions")
        pairs = list(zip(generations, regions, strict=True))
        unseen = [g.image for g, r in pairs if r.pooled is None and not g.invalid]
        seen = iter(self._networks.pooled(unseen) if unseen else ())
        found = []
        for generation, own in pairs:
            if generation.invalid:
                rows = {DISTANCE: (math.nan, f"invalid: {generation.invalid}")}
            else:
                rows = self.distances(own.pooled or next(seen))
            found += [
                Score(generation.sample.id, self.name, metric, value, binding, reason)
                for binding in range(len(generation.sample.cell.bindings))
                for metric, (value, reason) in rows.items()
            ]
        return found

    def distances(self, pooled: PooledFeatures) -> dict[str, tuple[float, str]]:
        """Value and reason of each metric of a picture from its features."""
        reference = self.references.get(pooled.network)
        known = "none" if reference is None else reference.weights
        if reference is None or known != pooled.weights:
            return {DISTANCE: (math.nan, stale(pooled.network, known, pooled.weights))}
        apart = {
            f"{DISTANCE}_{kind}": (float(value[0]), "")
            for kind, value in reference.distances(pooled.values[None].astype(np.float64)).items()
        }
        return {DISTANCE: (min(value for value, _ in apart.values()), ""), **apart}

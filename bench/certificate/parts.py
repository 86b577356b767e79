"""Usual parts of things: what keeps its own colour whatever a thing is painted.

Path-traced things are made of a body, which wears the paint, and of details, which do not, and the
masks of training scenes tell them apart. ``python -m bench.cli.fit parts`` makes
``bench/judge/parts.json`` from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.certificate.photoreal import details_of, scenes
from bench.judge.colour.naming import memberships
from prompts.colours import COLOUR_NAMES

#: Of the shares of a part over scenes: a part of a thing seen from where it is large.
QUANTILE = 0.75
#: Least mean share of the thing that a colour of its parts covers: less moves no verdict, and holds
#: what other things throw on the part.
LEAST_MEAN = 0.05
#: Fewer scenes, and things of fewer pixels, say nothing.
LEAST_SCENES, LEAST_PIXELS = 5, 200


def usual_parts(folders: Sequence[Path], quantile: float = QUANTILE) -> dict[str, dict[str, float]]:
    """For each noun the colours of its parts, and the share of the thing that they cover.

    Parameters
    ----------
    folders : sequence of Path
        Training scenes of `reference_models.photoreal`.
    quantile : float
        Of the shares over scenes.
    """
    shares: dict[str, list[np.ndarray]] = {}
    for folder in folders:
        for record in scenes(folder):
            for noun, thing, detail in details_of(record, folder):
                if thing >= LEAST_PIXELS:
                    share = memberships(detail).sum(axis=0) / thing
                    shares.setdefault(noun, []).append(share)
    found = {}
    for noun, rows in sorted(shares.items()):
        mean, part = np.mean(rows, axis=0), np.quantile(rows, quantile, axis=0)
        kept = np.flatnonzero(mean >= LEAST_MEAN).tolist()
        if len(rows) >= LEAST_SCENES and kept:
            found[noun] = {COLOUR_NAMES[term]: round(float(part[term]), 2) for term in kept}
    return found

"""The ``auto`` segmenter, the default: the best that is there for each prompt.

``cutout`` for every prompt whose subjects it can name. For others the ``clip`` segmenter, where
the user has given a CLIP that knows the words; without one ``cutout`` again, which then takes the
thing that nothing else claims. The regions name which it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.judge.regions.clip import ClipSegmenter
from bench.judge.regions.cutout import CutoutSegmenter
from bench.records import Fingerprint, Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES


class AutoSegmenter:
    """Chooses between ``cutout`` and ``clip`` by the subjects of the prompt.

    Parameters
    ----------
    clip : str
        What `bench.judge.clip.load_clip` takes; the bundled one adds nothing to ``cutout``.
    device : str
        Of all networks.
    """

    name = "auto"

    def __init__(self, clip: str = "bundled", device: str = "cpu") -> None:
        self.cutout = CutoutSegmenter(device)
        self.clip = None if clip == "bundled" else ClipSegmenter(clip, device)
        parts = [self.cutout.fingerprint, *([self.clip.fingerprint] if self.clip else [])]
        self.fingerprint = Fingerprint(
            kind="segmenter",
            name=self.name,
            options={part.name: dict(part.options) for part in parts},
            weights=" ".join(part.weights for part in parts),
            versions={key: value for part in parts for key, value in part.versions.items()},
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image; each names the segmenter that found them."""
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        out: list[Regions | None] = [None] * len(images)
        open_ = [index for index, cell in enumerate(cells) if self._takes_clip(cell)]
        rest = sorted(set(range(len(cells))) - set(open_))
        for segmenter, chosen in ((self.clip, open_), (self.cutout, rest)):
            if segmenter is None or not chosen:
                continue
            found = segmenter.segment([images[i] for i in chosen], [cells[i] for i in chosen])
            for index, regions in zip(chosen, found, strict=True):
                out[index] = regions
        return [regions for regions in out if regions is not None]

    def _takes_clip(self, cell: Cell) -> bool:
        if self.clip is None:
            return False
        subjects = [binding.subject for binding in cell.bindings]
        return any(name not in SUBJECT_NAMES for name in subjects)

"""The ``clip`` segmenter: dense CLIP evidence for the words, CIELAB for the outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.classes import Nouns, nouns_of, unknown_nouns
from bench.judge.regions.dense_clip import (
    OPEN,
    EvidenceOptions,
    WordMaps,
    class_chances,
    presence,
    word_maps,
)
from bench.judge.regions.refine import DEFAULT, RefineOptions, refine
from bench.records import Fingerprint, Regions
from prompts.cells import Cell

if TYPE_CHECKING:
    import torch

    from bench.judge.clip.model import Clip

#: Longest side at which outlines are found; masks of larger images are scaled up from there.
WORKING_SIDE = 192
#: Images refined together: few, so that they stay in the cache.
_TOGETHER = 8


class ClipSegmenter:
    """Finds the words of the prompt with CLIP, and their outlines by colour.

    Where the CLIP does not know a subject's word, the image is given to the ``saliency`` segmenter,
    which the regions then name.

    Parameters
    ----------
    clip : str or Clip
        What `bench.judge.clip.load_clip` takes, or a loaded one.
    device : str
    refine_options : RefineOptions
    """

    name = "clip"

    def __init__(
        self,
        clip: str | Clip = "bundled",
        device: str = "cpu",
        refine_options: RefineOptions = DEFAULT,
    ) -> None:
        if isinstance(clip, str):
            from bench.judge.clip import load_clip

            clip = load_clip(clip, device)
        self.clip = clip
        self.refine_options = refine_options
        measured = clip.calibration.get("evidence")
        self.options = (
            EvidenceOptions(**{**measured, "presence": tuple(measured["presence"])})
            if measured
            else OPEN
        )
        self.fingerprint = Fingerprint(
            kind="segmenter",
            name=self.name,
            options={
                "clip": clip.name,
                "working_side": WORKING_SIDE,
                "evidence": asdict(self.options),
            },
            weights=clip.fingerprint.weights,
            versions=clip.fingerprint.versions,
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image; images may differ in size.

        ``found`` is NaN where no pixel or no known word could say it.
        """
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        nouns = [nouns_of(cell, self.clip.closed) for cell in cells]
        out: list[Regions | None] = [None] * len(images)
        known = []
        for index, (image, one) in enumerate(zip(images, nouns, strict=True)):
            if image.size == 0 or not one.subjects:
                out[index] = _nothing(image, one)
            elif unknown_nouns(self.clip, one):
                out[index] = self._salient(image, cells[index])
            else:
                known.append(index)
        seen = word_maps(
            self.clip, [images[i] for i in known], [nouns[i] for i in known], self.options
        )
        groups: dict[tuple[object, ...], list[int]] = {}
        for place, index in enumerate(known):
            key = (images[index].shape, nouns[index].slots, seen[place].words.shape[1:])
            groups.setdefault(key, []).append(place)
        for places in groups.values():
            for start in range(0, len(places), _TOGETHER):
                part = places[start : start + _TOGETHER]
                masks, found = self._grown(
                    [images[known[p]] for p in part],
                    [seen[place] for place in part],
                    nouns[known[part[0]]],
                )
                for place, mask, one in zip(part, masks, found, strict=True):
                    index = known[place]
                    out[index] = _regions(nouns[index], mask, one)
        return [regions for regions in out if regions is not None]

    def _grown(
        self, images: Sequence[np.ndarray], seen: Sequence[WordMaps], nouns: Nouns
    ) -> tuple[np.ndarray, np.ndarray]:
        """Masks (B, C, H, W) and presence (B, K) of alike images."""
        import torch

        with torch.inference_mode():
            words = torch.stack([one.words for one in seen])
            evidence = class_chances(words, nouns, self.options)
            masks = outlines(images, evidence, self.refine_options)
            return masks, presence(seen, self.options)

    def _salient(self, image: np.ndarray, cell: Cell) -> Regions:
        from bench.judge.regions.saliency import SaliencySegmenter

        return SaliencySegmenter().segment([image], [cell])[0]


def outlines(
    images: Sequence[np.ndarray], evidence: torch.Tensor, options: RefineOptions
) -> np.ndarray:
    """Masks (B, C, H, W) of images of one shape from their evidence (B, C, h, w)."""
    import torch
    import torch.nn.functional as F

    from bench.judge.regions.lab import to_lab

    stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    height, width = stack.shape[-2:]
    shrink = WORKING_SIDE / max(height, width)
    with torch.inference_mode():
        if shrink < 1:
            small = (max(1, round(height * shrink)), max(1, round(width * shrink)))
            stack = F.interpolate(stack.float() / 255, small, mode="area")
        masks = refine(to_lab(stack), evidence, options)
        # What has no evidence anywhere is not there: refinement leaves it a trace everywhere.
        masks = masks * (evidence.amax((2, 3)) > 0)[:, :, None, None]
        masks = masks / masks.sum(1, keepdim=True).clamp(min=1e-6)
        if shrink < 1:
            masks = F.interpolate(masks, (height, width), mode="bilinear", align_corners=False)
    return masks.numpy()


def _regions(nouns: Nouns, masks: np.ndarray, found: np.ndarray) -> Regions:
    count = len(nouns.subjects)
    return Regions(
        subjects=nouns.subjects,
        masks=masks[:count],
        found=found,
        neighbours=nouns.neighbours,
        neighbour_masks=masks[count:-1],
        background=masks[-1],
        segmenter="clip",
        evidence=("words",) * count,
    )


def _nothing(image: np.ndarray, nouns: Nouns) -> Regions:
    height, width = image.shape[:2]
    count = len(nouns.subjects)
    return Regions(
        subjects=nouns.subjects,
        masks=np.zeros((count, height, width), np.float32),
        found=np.full(count, np.nan, np.float32),
        neighbours=(),
        neighbour_masks=np.zeros((0, height, width), np.float32),
        background=np.ones((height, width), np.float32),
        segmenter="clip",
    )

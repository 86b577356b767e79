"""The ``exact`` segmenter: the masks that the rendered world drew, for its own images.

An image is known by its content, so that the masks need not travel with it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import UsageError
from bench.records import Fingerprint, Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

if TYPE_CHECKING:
    from reference_models.world.render import Rendered
    from reference_models.world.scene import Scenes

#: Images remembered.
_KEPT = 8192


def to_uint8(rendered: Rendered) -> list[np.ndarray]:
    """Images of the world as the samplers give them: uint8 (H, W, 3)."""
    stack = (rendered.image * 255).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    return list(stack.astype(np.uint8))


def exact_regions(
    scenes: Scenes, rendered: Rendered, cells: Sequence[Cell], label: str = "exact"
) -> list[Regions]:
    """Regions of rendered scenes, asked for by ``cells``.

    A subject that was not drawn has an empty mask and is not found; a subject that was drawn but
    not asked for is the neighbour ``other``.
    """
    subjects = rendered.subjects.numpy()
    scenery = {"plate": rendered.plate.numpy(), "picture frame": rendered.frame.numpy()}
    background = (rendered.wall + rendered.table).numpy()
    drawn = scenes.subject.tolist()
    out = []
    for row, cell in enumerate(cells):
        free = [SUBJECT_NAMES[i] if i >= 0 else "" for i in drawn[row]]
        masks, found = [], []
        for binding in cell.bindings:
            place = free.index(binding.subject) if binding.subject in free else -1
            masks.append(subjects[row, place] if place >= 0 else np.zeros_like(background[row]))
            found.append(float(place >= 0 and bool((masks[-1] > 0.5).any())))
            if place >= 0:
                free[place] = ""
        other = sum(
            (subjects[row, place] for place, name in enumerate(free) if name),
            np.zeros_like(background[row]),
        )
        beside = {name: mask[row] for name, mask in scenery.items() if mask[row].any()}
        if other.any():
            beside["other"] = other
        out.append(
            Regions(
                subjects=tuple(binding.subject for binding in cell.bindings),
                masks=np.stack(masks).astype(np.float32),
                found=np.array(found, np.float32),
                neighbours=tuple(beside),
                neighbour_masks=_stack(list(beside.values()), background[row].shape),
                background=background[row].astype(np.float32),
                segmenter=label,
            )
        )
    return out


def _stack(masks: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(masks).astype(np.float32) if masks else np.zeros((0, *shape), np.float32)


class ExactSegmenter:
    """Gives back the masks of images that were shown to `remember`."""

    name = "exact"

    def __init__(self) -> None:
        self.fingerprint = Fingerprint(kind="segmenter", name=self.name)
        self._known: OrderedDict[tuple[bytes, tuple[str, ...]], Regions] = OrderedDict()

    def remember(self, images: Sequence[np.ndarray], regions: Sequence[Regions]) -> None:
        """Keep the regions of images, for when they are asked about."""
        for image, one in zip(images, regions, strict=True):
            self._known[_key(image), one.subjects] = one
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of rendered images that were shown to `remember`.

        Raises
        ------
        UsageError
            An image that the world did not draw.
        """
        out = []
        for image, cell in zip(images, cells, strict=True):
            subjects = tuple(binding.subject for binding in cell.bindings)
            known = self._known.get((_key(image), subjects))
            if known is None:
                raise UsageError(
                    "the exact segmenter knows the masks of rendered scenes only; "
                    "use --segmenter clip or saliency for other images"
                )
            out.append(known)
        return out


def _key(image: np.ndarray) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16)
    digest.update(repr(image.shape).encode())
    return digest.digest()

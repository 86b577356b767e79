"""The network over photographs: what it sees in a picture, and how it grows a mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.device import to_device
from bench.judge.regions.asked_things import regions_of
from bench.judge.regions.bundled import bundled_photo
from bench.judge.regions.photo_evidence import PhotoSight
from bench.records import Regions
from prompts.cells import Cell

if TYPE_CHECKING:
    import torch

#: Longest side that the network sees, and what sides are multiples of.
SIDE, STRIDE = 256, 32
#: Pictures in one pass on a GPU.
_TOGETHER = 16


class PhotoNetwork:
    """The bundled backbone and decoder in one precision on one device.

    Attributes
    ----------
    together : int
        Pictures in one pass, always: the rounding depends on the shape of a product. One on a
        CPU, where a pass of many is not faster.
    """

    def __init__(self, dtype: str, device: str) -> None:
        self.dtype, self.device = dtype, device
        self.model, self.weights = bundled_photo(dtype, device)
        self.together = 1 if device == "cpu" else _TOGETHER

    def features(self, images: Sequence[np.ndarray]) -> tuple[list[torch.Tensor], list[float]]:
        """Features of at most ``together`` images, and how like the rendered world each is.

        Parameters
        ----------
        images : sequence of ndarray, uint8 (H, W, 3)
            Of one shape.

        Returns
        -------
        features : list of Tensor
            Of ``together`` images; what is beyond those given is of blank ones.
        drawn : list of float
            A logit an image.
        """
        import torch
        import torch.nn.functional as F

        height, width = images[0].shape[:2]
        x = to_device(images, self.device).float()
        size = network_size(height, width)
        if size != (height, width):
            x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
        x = x.clamp(0, 255) / 127.5 - 1
        if len(x) < self.together:
            x = torch.cat([x, x.new_zeros(self.together - len(x), *x.shape[1:])])
        x = x.to(getattr(torch, self.dtype), memory_format=torch.channels_last)
        features, drawn = self.model.features(x)
        return features, drawn[: len(images)].tolist()

    def look(self, features: list[torch.Tensor]) -> list[PhotoSight]:
        """What the network makes of images, from their features; of the suite's names alone."""
        import torch.nn.functional as F

        kinds, names, classes, seen = self.model.predict(features)
        chances = [t.float().softmax(1) for t in (kinds, names, classes)]
        things = F.avg_pool2d(chances[0][:, 1:2], 4)[:, 0]
        arrays = [t.cpu().numpy() for t in (*chances, things)]
        return [
            PhotoSight(
                of_kinds,
                ((of_names, thing), (of_names, thing)),
                of_classes,
                tuple(t[row : row + 1] for t in (kinds, *seen)),
            )
            for row, (of_kinds, of_names, of_classes, thing) in enumerate(zip(*arrays, strict=True))
        ]

    def segment(self, image: np.ndarray, sight: PhotoSight, cell: Cell, segmenter: str) -> Regions:
        """Regions of an image from what the networks make of it."""
        return regions_of(sight, cell, image, self._grower(sight), segmenter, self.device)

    def _grower(self, sight: PhotoSight) -> Callable[[np.ndarray], np.ndarray]:
        import torch

        def grown(seeds: np.ndarray) -> np.ndarray:
            own = torch.from_numpy(seeds).to(self.device)[:, None]
            count = len(own)
            rivals = [
                own[[j for j in range(count) if j != k]].amax(0) if count > 1 else own[0] * 0
                for k in range(count)
            ]
            kinds, *seen = (t.expand(count, *t.shape[1:]) for t in sight.seen)
            dtype = kinds.dtype
            logits = self.model.decoder.query(
                tuple(seen), kinds, own.to(dtype), torch.stack(rivals).to(dtype)
            )
            return np.asarray(logits.float().sigmoid()[:, 0].cpu().numpy())

        return grown


def network_size(height: int, width: int) -> tuple[int, int]:
    """Size at which an image is seen: its shape kept as far as multiples of 32 allow."""
    scale = SIDE / max(height, width)

    def side(length: int) -> int:
        return max(2 * STRIDE, STRIDE * round(length * scale / STRIDE))

    return side(height), side(width)

"""The network over photographs: what it sees in a picture, and how it grows a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.regions.asked_things import regions_of
from bench.judge.regions.bundled import bundled_photo
from bench.judge.regions.photo_evidence import PhotoSight
from bench.records import Regions
from prompts.cells import Cell

if TYPE_CHECKING:
    import torch

#: Longest side that the network sees, and what sides are multiples of.
SIDE, STRIDE = 256, 32


class PhotoNetwork:
    """The bundled backbone and decoder in one precision."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.model, self.weights = bundled_photo(self.dtype)

    def features(self, image: np.ndarray) -> tuple[list[torch.Tensor], float]:
        """Features of a uint8 (H, W, 3) image, and how like the rendered world it is, a logit.

        One image at a time: rounding depends on the shape of a product, and a pass of many is not
        faster.
        """
        import torch
        import torch.nn.functional as F

        x = torch.tensor(image).permute(2, 0, 1)[None]
        height, width = image.shape[:2]
        with torch.inference_mode():
            x = x.float()
            size = network_size(height, width)
            if size != (height, width):
                x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
            x = (x.clamp(0, 255) / 127.5 - 1).to(
                getattr(torch, self.dtype), memory_format=torch.channels_last
            )
            features, drawn = self.model.features(x)
        return features, float(drawn)

    def segment(
        self,
        image: np.ndarray,
        features: list[torch.Tensor],
        cell: Cell,
        segmenter: str,
        small: tuple[np.ndarray, np.ndarray] | None,
    ) -> Regions:
        """Regions of an image from its features.

        ``small`` is what the small network makes of it: names (28, n, m) and things (n, m).
        """
        import torch
        import torch.nn.functional as F

        with torch.inference_mode():
            kinds, names, classes, seen = self.model.predict(features)
            chances = [t[0].float().softmax(0).numpy() for t in (kinds, names, classes)]
            thing = F.avg_pool2d(torch.from_numpy(chances[0][1])[None], 4)[0].numpy()
        own = (chances[1], thing)
        suite = (own, own if small is None else small)
        sight = PhotoSight(chances[0], suite, chances[2], (kinds, *seen))
        return regions_of(sight, cell, image, self._grower(sight), segmenter)

    def _grower(self, sight: PhotoSight) -> Callable[[np.ndarray], np.ndarray]:
        import torch

        def grown(seeds: np.ndarray) -> np.ndarray:
            own = torch.from_numpy(seeds)[:, None]
            count = len(own)
            rivals = [
                own[[j for j in range(count) if j != k]].amax(0) if count > 1 else own[0] * 0
                for k in range(count)
            ]
            with torch.inference_mode():
                kinds, *seen = (t.expand(count, *t.shape[1:]) for t in sight.seen)
                dtype = kinds.dtype
                logits = self.model.decoder.query(
                    tuple(seen), kinds, own.to(dtype), torch.stack(rivals).to(dtype)
                )
                return np.asarray(logits.float().sigmoid()[:, 0].numpy())

        return grown


def network_size(height: int, width: int) -> tuple[int, int]:
    """Size at which an image is seen: its shape kept as far as multiples of 32 allow."""
    scale = SIDE / max(height, width)

    def side(length: int) -> int:
        return max(2 * STRIDE, STRIDE * round(length * scale / STRIDE))

    return side(height), side(width)

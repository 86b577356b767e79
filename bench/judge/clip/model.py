"""A loaded CLIP: both towers, dense features and a cache, behind one frozen value."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.judge.clip.dense import dense_features
from bench.judge.clip.preprocess import to_square
from bench.judge.device import Item, Result, computed, is_cuda, judging
from bench.judge.resolution import SIDE, reduced
from bench.records import Fingerprint

if TYPE_CHECKING:
    import torch

#: Texts in one pass, and images in one pass of a tower in float32 that is not on a CPU.
BATCH = 64
#: Images in one pass of any other tower. In bfloat16 always so many, the last ones blank where
#: there are fewer: the rounding depends on the shape of a product, and no score may on the batch.
CHUNK = 16

#: Pooled features kept of a dense pass, so that it serves the whole-image score as well; tables.
_KEPT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A CLIP ready to use. Every feature that leaves it is a unit vector in float32 on the CPU.

    Attributes
    ----------
    name : str
        What the user asked for.
    model, tokenizer : Any
        Of open_clip.
    size : int
        Side of the square that the image tower sees.
    mean, std : tuple of float
        Of its training set.
    device : str
    tower : Any
        Image tower, ``model.visual`` or a copy of it in another precision.
    pooled_tower : Any
        Image tower of the pooled features: that one, or a smaller one of the same space.
    dtype : str
        Precision of both.
    dense_from : str
        How patches are read: ``tokens`` or ``values`` (see `bench.judge.clip.dense`).
    scale : float
        Learned inverse temperature.
    calibration : Mapping
        Measured constants for this CLIP; empty where none were measured.
    fingerprint : Fingerprint
    unknown_words : Callable
        Words of a text that the tokenizer does not know.
    """

    name: str
    model: Any
    tokenizer: Any
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str
    tower: Any
    pooled_tower: Any
    dtype: str
    dense_from: str
    scale: float
    calibration: Mapping[str, Any]
    fingerprint: Fingerprint
    unknown_words: Callable[[str], tuple[str, ...]]
    _texts: dict[str, torch.Tensor] = field(default_factory=dict)
    _tables: OrderedDict[tuple[str, ...], torch.Tensor] = field(default_factory=OrderedDict)
    _pooled: OrderedDict[bytes, torch.Tensor] = field(default_factory=OrderedDict)

    @property
    def closed(self) -> bool:
        """Whether it knows the bundled world alone."""
        return self.name == "bundled"

    def fitted(self, image: np.ndarray) -> np.ndarray:
        """A picture at no more than four times what the tower sees; then `preprocess` is quick."""
        return reduced(image, max(SIDE, 4 * self.size))

    def preprocess(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Uint8 (H, W, 3) images of any size as the tower's input (B, 3, S, S)."""

        def squared(some: Sequence[np.ndarray]) -> torch.Tensor:
            with judging(self.device):
                return to_square(some, self.size, self.mean, self.std, self.device)

        return self._each(squared, [images])[0]

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (T, D); each distinct text is encoded once in the life of this object."""
        import torch

        # Texts of about one length together: a tower may leave out what is behind the longest.
        new = sorted(
            {text for text in texts if text not in self._texts}, key=lambda text: (len(text), text)
        )

        def encoded(part: list[str]) -> torch.Tensor:
            with judging(self.device):
                features = self.model.encode_text(self.tokenizer(part).to(self.device))
                return torch.nn.functional.normalize(features.float().cpu(), dim=-1)

        parts = [new[start : start + BATCH] for start in range(0, len(new), BATCH)]
        for part, features in zip(parts, self._each(encoded, parts), strict=True):
            self._texts.update(zip(part, features, strict=True))
        return torch.stack([self._texts[text] for text in texts]) if texts else torch.empty(0, 0)

    def text_table(self, texts: tuple[str, ...]) -> torch.Tensor:
        """`encode_text`, remembered for the whole list: prompts ask for the same lists again."""
        table = self._tables.get(texts)
        if table is None:
            table = self._tables[texts] = self.encode_text(texts)
            if len(self._tables) > _KEPT:
                self._tables.popitem(last=False)
        return table

    def encode_image(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Unit vectors (B, D); those of a dense pass where it has seen the image already."""
        import torch

        images = [self.fitted(image) for image in images]
        kept = [self._pooled.get(_key(image)) if self._pooled else None for image in images]
        new = [image for image, feature in zip(images, kept, strict=True) if feature is None]
        fresh = iter(self.encode_batch(self.preprocess(new))) if new else iter(())
        out = [next(fresh) if feature is None else feature for feature in kept]
        return torch.stack(out) if out else torch.empty(0, 0)

    def encode_batch(self, batch: torch.Tensor) -> torch.Tensor:
        """Unit vectors (B, D) of preprocessed input."""
        return self._passed(batch, lambda part: (self.pooled_tower(part),))[0]

    def dense(self, images: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """Unit vectors of every patch (B, h, w, D), and of the whole by the same tower (B, D).

        The latter are kept for `encode_image` where that would take the same tower.
        """
        import torch

        def both(batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return dense_features(self.tower, batch, self.dense_from)

        images = [self.fitted(image) for image in images]
        pooled, patches = self._passed(self.preprocess(images), both)
        if self.pooled_tower is self.tower:
            for image, feature in zip(images, pooled, strict=True):
                self._keep(_key(image), feature)
        return torch.nn.functional.normalize(patches, dim=-1), pooled

    def _passed(
        self,
        batch: torch.Tensor,
        forward: Callable[[torch.Tensor], tuple[torch.Tensor, ...]],
    ) -> tuple[torch.Tensor, ...]:
        """What a forward pass gives for preprocessed input; the first of it normalised."""
        import torch

        dtype = getattr(torch, self.dtype)
        size = BATCH if dtype == torch.float32 and self.device != "cpu" else CHUNK

        def passed(part: torch.Tensor) -> list[torch.Tensor]:
            count = len(part)
            if dtype != torch.float32 and count < size:
                part = torch.cat([part, part.new_zeros(size - count, *part.shape[1:])])
            with judging(self.device):
                return [one[:count].float().cpu() for one in forward(part.to(self.device, dtype))]

        with judging(self.device):
            parts = self._each(passed, batch.split(size))
            first, *rest = (torch.cat(list(of_parts)) for of_parts in zip(*parts, strict=True))
            return torch.nn.functional.normalize(first, dim=-1), *rest

    def _each(self, function: Callable[[Item], Result], parts: Sequence[Item]) -> list[Result]:
        """Apply a function that has torch compute; a large tower has all threads of torch for it.

        Of the bundled one each thread of the judge has a part of its own.
        """
        if self.closed or is_cuda(self.device):
            return computed(self.device, function, parts)
        return [function(part) for part in parts]

    def _keep(self, key: bytes, feature: torch.Tensor) -> None:
        self._pooled[key] = feature
        if len(self._pooled) > _KEPT:
            self._pooled.popitem(last=False)


def _key(image: np.ndarray) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16)
    digest.update(repr(image.shape).encode())
    return digest.digest()

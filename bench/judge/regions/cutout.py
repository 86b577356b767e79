"""The ``cutout`` segmenter: networks that were taught to cut things out of pictures.

Two of them (`reference_models.cutout`). Pictures of 128 pixels and less, and larger ones that look
like the rendered world, go to a small one that learned there and on icons: it cuts out whatever
stands before the rest, and names the suite's subjects. All others go to a decoder over a backbone
that has seen photographs (`bench.judge.regions.photographs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.device import computed, judging, thread_count, to_device
from bench.judge.dtype import recorded_dtype, scoring_dtype
from bench.judge.regions.assignment import Sight, assign_regions, connected
from bench.judge.regions.bundled import (
    bundled_cutout,
    bundled_cutout_dtype,
    feature_weights,
)
from bench.judge.regions.photo_evidence import PhotoSight
from bench.judge.regions.photographs import SIDE as PHOTO_SIDE
from bench.judge.regions.photographs import WORKING_SIDE as PHOTO_WORKING_SIDE
from bench.judge.regions.photographs import PhotoNetwork, chosen
from bench.judge.resolution import reduced_batch, resized_bytes, working_shape
from bench.records import Fingerprint, PooledFeatures, Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

if TYPE_CHECKING:
    import torch

#: Longest side that the small network sees, and the least short one.
SIDE, LEAST = 96, 32
#: The same of pictures of at most so many pixels: 96 would only blow them up further. Over 1,200
#: known scenes of 64 pixels in each of four conditions macro-F1 is 0.000, 0.000, 0.001 and 0.002
#: less than at 96, in 0.7 of the time.
TINY, TINY_SIDE = 64, 80
#: Longest side at which edges are sharpened by colour.
WORKING_SIDE = 192
#: Images in one pass, always.
_TOGETHER = 16
#: Where a pass need not be filled up: so many at least, that calls cost less than arithmetic, at
#: most, as a CPU's cache has room for, and in the passes that all threads have at once.
_LEAST_TOGETHER, _MOST_TOGETHER, _AT_ONCE = 8, 32, 64
#: Pictures of no longer side have nothing for a network that looks at 256 pixels.
SMALL = 128
#: Logit from which on a picture is like those of the rendered world: the highest of 422 others that
#: the regression was fitted with is -0.94.
DRAWN = -0.9


class CutoutSegmenter:
    """Cuts out things, plates and picture frames, and finds the subjects among the things.

    A subject without a name is the thing that no other asked subject claims, where there is one.

    Parameters
    ----------
    device : str
        Of the networks.
    """

    name = "cutout"

    def __init__(self, device: str = "cpu") -> None:
        self.device, dtype = device, scoring_dtype(device)
        small = bundled_cutout_dtype(device)
        self.model, weights = bundled_cutout(small, device)
        self.together = _TOGETHER
        if self.model.same_alone:
            each = _AT_ONCE // thread_count()
            self.together = max(_LEAST_TOGETHER, min(each, _MOST_TOGETHER))
        self.photo = PhotoNetwork(dtype, device)
        self.layers = feature_weights()
        self.fingerprint = Fingerprint(
            kind="segmenter",
            name=self.name,
            options={
                "side": SIDE,
                "tiny_side": TINY_SIDE,
                "photo_side": PHOTO_SIDE,
                "working_side": WORKING_SIDE,
                "photo_working_side": PHOTO_WORKING_SIDE,
            },
            weights=f"{weights} {self.photo.weights}",
            versions={
                "network": recorded_dtype(dtype, device),
                "small_network": recorded_dtype(small, device),
            },
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image, at the judge's resolution.

        ``found`` is NaN where an image has no pixels.
        """
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        out: list[Regions | None] = [
            None if image.size else _nothing(image, cell)
            for image, cell in zip(images, cells, strict=True)
        ]
        parts = list(self._parts(images))

        def one(part: list[int]) -> list[Regions]:
            with judging(self.device):
                picture = reduced_batch([images[i] for i in part], self.device)
                return self._of_one_shape(picture, [cells[i] for i in part])

        for part, of_part in zip(parts, computed(self.device, one, parts), strict=True):
            for index, regions in zip(part, of_part, strict=True):
                out[index] = regions
        return [regions for regions in out if regions is not None]

    def _parts(self, images: Sequence[np.ndarray]) -> Iterator[list[int]]:
        """Indices of images that have pixels, of one shape, as many as a pass takes."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            if image.size:
                groups.setdefault(image.shape, []).append(index)
        for shape, group in groups.items():
            size = self.together if max(shape[:2]) <= SMALL else self.photo.together
            for start in range(0, len(group), size):
                yield group[start : start + size]

    def _of_one_shape(self, picture: torch.Tensor, cells: Sequence[Cell]) -> list[Regions]:
        """Regions of pictures uint8 (N, 3, H, W), by the network that is made for each."""
        if max(picture.shape[-2:]) <= SMALL:
            return self._rendered(picture, cells, self.together)
        found = self._photographs(picture, cells)
        rest = [row for row in range(len(cells)) if row not in found]
        if rest:
            asked = [cells[row] for row in rest]
            rendered = self._rendered(chosen(picture, rest), asked, self.photo.together)
            found |= dict(zip(rest, rendered, strict=True))
        return [found[row] for row in range(len(cells))]

    def _rendered(
        self, picture: torch.Tensor, cells: Sequence[Cell], together: int
    ) -> list[Regions]:
        """Regions of pictures of one shape, by the small network alone."""
        sights = self._sights(picture, together)
        return [
            assign_regions(s, cell, self.name, self._seen("small", s.means))
            for s, cell in zip(sights, cells, strict=True)
        ]

    def _seen(self, network: str, means: np.ndarray) -> PooledFeatures:
        return PooledFeatures(network, self.layers[network], means)

    def drawn(self, images: Sequence[np.ndarray]) -> list[bool]:
        """Whether each uint8 (H, W, 3) image is small, or like those of the rendered world."""
        return [one.network == "small" for one in self._looked_at(images)]

    def pooled(self, images: Sequence[np.ndarray]) -> list[PooledFeatures]:
        """What the network that would find regions sees in each uint8 (H, W, 3) image."""
        return self._looked_at(images, whole=True)

    def _looked_at(self, images: Sequence[np.ndarray], whole: bool = False) -> list[PooledFeatures]:
        """What each image is like; by the small network, no means unless the ``whole`` is asked."""
        nothing = self._seen("small", np.zeros(0, np.float32))
        out = [nothing] * len(images)

        def examine(part: list[int]) -> None:
            with judging(self.device):
                picture = reduced_batch([images[i] for i in part], self.device)
                rest = list(range(len(part)))
                if max(picture.shape[-2:]) > SMALL:
                    _, logits, means = self.photo.features(picture)
                    rest = [row for row in rest if logits[row] >= DRAWN]
                    for row in set(range(len(part))).difference(rest):
                        out[part[row]] = self._seen("photo", means[row])
                if whole and rest:
                    size = self.together if len(rest) == len(part) else self.photo.together
                    means = self._answers(picture[rest], size)[2].cpu().numpy()
                    for row, of_one in zip(rest, means, strict=True):
                        out[part[row]] = self._seen("small", of_one)

        computed(self.device, examine, list(self._parts(images)))
        return out

    def _photographs(self, picture: torch.Tensor, cells: Sequence[Cell]) -> dict[int, Regions]:
        """Regions of pictures of one shape by row, without those like the rendered world."""
        features, logits, means = self.photo.features(picture)
        rows = [row for row, logit in enumerate(logits) if logit < DRAWN]
        if not rows:
            return {}
        seen = self.photo.predict_batch(features)
        sights = {row: seen[row] for row in rows}
        named = [row for row in rows if _in_suite(cells[row])]
        small = self._small(chosen(picture, named)) if named else []
        for row, names in zip(named, small, strict=True):
            sights[row] = replace(sights[row], suite=(sights[row].suite[0], names))
        asked = [cells[row] for row in rows]
        regions = self.photo.segment(chosen(picture, rows), list(sights.values()), asked, self.name)
        found = dict(zip(rows, regions, strict=True))
        # Where one network is uncertain, the other's regions if it is sure of all subjects.
        unsure = [row for row in rows if "uncertain" in found[row].evidence]
        if unsure:
            asked = [cells[row] for row in unsure]
            others = self._rendered(chosen(picture, unsure), asked, self.photo.together)
            for row, one in zip(unsure, others, strict=True):
                support = found[row].support
                if _is_sure(one) and support is not None:
                    # That network tells no table from a wall.
                    support = np.minimum(support, one.background)
                    found[row] = replace(one, support=support)
        return {
            row: replace(one, pooled=self._seen("photo", means[row])) for row, one in found.items()
        }

    def photo_sight(self, image: np.ndarray) -> PhotoSight:
        """What both networks make of one uint8 (H, W, 3) photograph."""
        with judging(self.device):
            picture = reduced_batch([image], self.device)
            sight = self.photo.predict_batch(self.photo.features(picture)[0])[0]
            return replace(sight, suite=(sight.suite[0], *self._small(picture)))

    def see(self, images: Sequence[np.ndarray]) -> list[Sight]:
        """What the small network makes of uint8 (H, W, 3) images of one shape."""
        with judging(self.device):
            return self._sights(to_device(images, self.device), self.together)

    def _sights(self, picture: torch.Tensor, together: int) -> list[Sight]:
        """What the small network makes of pictures uint8 (N, 3, H, W), so many in a pass."""
        import torch.nn.functional as F

        from bench.judge.regions.lab import to_lab
        from bench.judge.regions.refine import DEFAULT, among_neighbours, enlarged

        height, width = picture.shape[-2:]
        kinds, names, means = self._answers(picture, together)
        # What is behind everything is what remains of the rest.
        layers = kinds[:, 1:]
        work = working_shape(height, width, WORKING_SIDE)
        antialias = layers.shape[-2] > work[0] or layers.shape[-1] > work[1]
        layers = F.interpolate(
            layers, work, mode="bilinear", align_corners=False, antialias=antialias
        )
        # What was seen at its own size or larger has its edges already.
        if max(work) > SIDE and min(work) > 2:
            layers = among_neighbours(layers, to_lab(resized_bytes(picture, work)), DEFAULT)
        things = layers[:, 0]
        layers = enlarged(layers, (height, width))
        arrays = [t.cpu().numpy() for t in (layers, things, names, means)]
        arrays.append(connected(arrays[1]))
        return [Sight(*of_one) for of_one in zip(*arrays, strict=True)]

    def _small(self, picture: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
        """Names (28, n, m) and chance of a thing (n, m) by the small network, of each picture."""
        import torch.nn.functional as F

        kinds, names, _ = self._answers(picture, self.photo.together)
        thing = F.avg_pool2d(kinds[:, 1:2], 4)[:, 0]
        return list(zip(names.cpu().numpy(), thing.cpu().numpy(), strict=True))

    def _answers(
        self, picture: torch.Tensor, together: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Chances of kinds and names of pictures uint8 (N, 3, H, W), means of features (N, 264).

        From passes of one size, where the rounding depends on the shape of a product.
        """
        import torch

        x = resized_bytes(picture, network_size(*picture.shape[-2:]))
        count = len(x)
        if count < together and not self.model.same_alone:
            x = torch.cat([x, x.new_zeros(together - count, *x.shape[1:])])
        kinds, names, means = (one[:count] for one in self.model.predict(x))
        return kinds.softmax(1), names.softmax(1), means


def _in_suite(cell: Cell) -> bool:
    return any(binding.subject in SUBJECT_NAMES for binding in cell.bindings)


def _is_sure(regions: Regions) -> bool:
    """Whether all subjects are recognised and there."""
    return set(regions.evidence) <= {"name"} and bool((regions.found > 0.5).all())


def network_size(height: int, width: int) -> tuple[int, int]:
    """Size at which an image is seen: its shape kept as far as multiples of 16 allow."""
    longest = max(height, width)
    scale = (TINY_SIDE if longest <= TINY else SIDE) / longest

    def side(length: int) -> int:
        return max(LEAST, 16 * round(length * scale / 16))

    return side(height), side(width)


def _nothing(image: np.ndarray, cell: Cell) -> Regions:
    height, width = image.shape[:2]
    count = len(cell.bindings)
    return Regions(
        subjects=tuple(binding.subject for binding in cell.bindings),
        masks=np.zeros((count, height, width), np.float32),
        found=np.full(count, np.nan, np.float32),
        neighbours=(),
        neighbour_masks=np.zeros((0, height, width), np.float32),
        background=np.ones((height, width), np.float32),
        segmenter="cutout",
    )

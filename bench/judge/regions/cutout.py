"""The ``cutout`` segmenter: networks that were taught to cut things out of pictures.

Two of them (`reference_models.cutout`). Pictures of 128 pixels and less, and larger ones that look
like the rendered world, go to a small one that learned there and on icons: it cuts out whatever
stands before the rest, and names the suite's subjects. All others go to a decoder over a backbone
that has seen photographs (`bench.judge.regions.photographs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.device import in_threads, is_cuda, judging, to_device
from bench.judge.dtype import recorded_dtype, scoring_dtype
from bench.judge.regions.assignment import Sight, assign_regions
from bench.judge.regions.bundled import bundled_cutout
from bench.judge.regions.photo_evidence import PhotoSight
from bench.judge.regions.photographs import SIDE as PHOTO_SIDE
from bench.judge.regions.photographs import WORKING_SIDE as PHOTO_WORKING_SIDE
from bench.judge.regions.photographs import PhotoNetwork
from bench.judge.resolution import reduced
from bench.records import Fingerprint, Regions
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
#: Images in one pass.
_TOGETHER = 16
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
        self.device, self.dtype = device, scoring_dtype(device)
        self.model, weights = bundled_cutout(self.dtype, device)
        self.photo = PhotoNetwork(self.dtype, device)
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
            versions={"network": recorded_dtype(self.dtype, device)},
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image, at the judge's resolution.

        ``found`` is NaN where an image has no pixels.
        """
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        images = in_threads(reduced, images)
        out: list[Regions | None] = [None] * len(images)
        large: dict[tuple[int, ...], list[int]] = {}
        drawn: dict[tuple[int, ...], list[int]] = {}
        for index, (image, cell) in enumerate(zip(images, cells, strict=True)):
            if not image.size:
                out[index] = _nothing(image, cell)
            else:
                groups = drawn if max(image.shape[:2]) <= SMALL else large
                groups.setdefault(image.shape, []).append(index)

        def regions_by(
            answer: Callable[[list[np.ndarray], list[Cell]], Sequence[Regions | None]],
            parts: list[list[int]],
        ) -> None:
            def one(part: list[int]) -> Sequence[Regions | None]:
                with judging(self.device):
                    return answer([images[i] for i in part], [cells[i] for i in part])

            # A GPU takes one part after the other, and has threads within them.
            found = map(one, parts) if is_cuda(self.device) else in_threads(one, parts)
            for part, of_part in zip(parts, found, strict=True):
                for index, regions in zip(part, of_part, strict=True):
                    out[index] = regions

        regions_by(self._photographs, list(_parts(large, self.photo.together)))
        for group in large.values():
            for index in group:
                if out[index] is None:
                    drawn.setdefault(images[index].shape, []).append(index)
        regions_by(self._rendered, list(_parts(drawn, _TOGETHER)))
        return [regions for regions in out if regions is not None]

    def _rendered(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of images of one shape, by the small network alone."""
        sights = self.see(images)
        return [assign_regions(s, cell, self.name) for s, cell in zip(sights, cells, strict=True)]

    def drawn(self, images: Sequence[np.ndarray]) -> list[bool]:
        """Whether each uint8 (H, W, 3) image is small, or like those of the rendered world."""
        out = [max(image.shape[:2]) <= SMALL for image in images]
        large: dict[tuple[int, ...], list[int]] = {}
        small = in_threads(reduced, images)
        for index, image in enumerate(small):
            if not out[index]:
                large.setdefault(image.shape, []).append(index)
        with judging(self.device):
            for part in _parts(large, self.photo.together):
                _, logits = self.photo.features([small[i] for i in part])
                for index, logit in zip(part, logits, strict=True):
                    out[index] = logit >= DRAWN
        return out

    def _photographs(
        self, images: Sequence[np.ndarray], cells: Sequence[Cell]
    ) -> list[Regions | None]:
        """Regions of a pass of images of one shape; None of those like the rendered world."""
        sights: dict[int, PhotoSight] = {}
        features, logits = self.photo.features(images)
        if min(logits) < DRAWN:
            seen = zip(logits, self.photo.predict_batch(features), strict=False)
            sights = {row: sight for row, (logit, sight) in enumerate(seen) if logit < DRAWN}
        named = [row for row in sights if _in_suite(cells[row])]
        small = self._small([images[row] for row in named]) if named else []
        for row, one in zip(named, small, strict=True):
            sights[row] = replace(sights[row], suite=(sights[row].suite[0], one))
        out: list[Regions | None] = [None] * len(images)
        pictures, asked = [images[row] for row in sights], [cells[row] for row in sights]
        found = self.photo.segment(pictures, list(sights.values()), asked, self.name)
        for row, regions in zip(sights, found, strict=True):
            out[row] = self._surer(regions, images[row], cells[row])
        return out

    def photo_sight(self, image: np.ndarray) -> PhotoSight:
        """What both networks make of one uint8 (H, W, 3) photograph."""
        image = reduced(image)
        with judging(self.device):
            sight = self.photo.predict_batch(self.photo.features([image])[0])[0]
            return replace(sight, suite=(sight.suite[0], *self._small([image])))

    def see(self, images: Sequence[np.ndarray], together: int = _TOGETHER) -> list[Sight]:
        """What the small network makes of images of one shape, so many in a pass."""
        import torch.nn.functional as F

        from bench.judge.regions.lab import to_lab
        from bench.judge.regions.refine import DEFAULT, among_neighbours, enlarged

        height, width = images[0].shape[:2]
        with judging(self.device):
            picture = to_device(images, self.device)
            kinds, names = self._answers(picture, together)
            # What is behind everything is what remains of the rest.
            layers = kinds[:, 1:]
            shrink = min(1.0, WORKING_SIDE / max(height, width))
            work = (max(1, round(height * shrink)), max(1, round(width * shrink)))
            antialias = layers.shape[-2] > work[0] or layers.shape[-1] > work[1]
            layers = F.interpolate(
                layers, work, mode="bilinear", align_corners=False, antialias=antialias
            )
            # What was seen at its own size or larger has its edges already.
            if max(work) > SIDE and min(work) > 2:
                layers = among_neighbours(layers, to_lab(_resized(picture, work)), DEFAULT)
            things = layers[:, 0]
            layers = enlarged(layers, (height, width))
            arrays = [t.cpu().numpy() for t in (layers, things, names)]
        return [Sight(*of_one) for of_one in zip(*arrays, strict=True)]

    def _surer(self, regions: Regions, image: np.ndarray, cell: Cell) -> Regions:
        """Where one network is uncertain, the other's regions if it is sure of all subjects."""
        if "uncertain" not in regions.evidence:
            return regions
        other = assign_regions(self.see([image], self.photo.together)[0], cell, self.name)
        sure = all(e == "name" for e in other.evidence) and bool((other.found > 0.5).all())
        return other if sure else regions

    def _small(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Names (28, n, m) and chance of a thing (n, m) by the small network, of each image."""
        import torch.nn.functional as F

        kinds, names = self._answers(to_device(images, self.device), self.photo.together)
        thing = F.avg_pool2d(kinds[:, 1:2], 4)[:, 0]
        return list(zip(names.cpu().numpy(), thing.cpu().numpy(), strict=True))

    def _answers(self, picture: torch.Tensor, together: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Chances of kinds and names of pictures uint8 (N, 3, H, W).

        From passes of one size, where the rounding depends on the shape of a product.
        """
        import torch

        x = _resized(picture, network_size(*picture.shape[-2:])).float().div_(127.5).sub_(1)
        count = len(x)
        if count < together and not self.model.same_alone:
            x = torch.cat([x, x.new_zeros(together - count, *x.shape[1:])])
        x = x.to(getattr(torch, self.dtype), memory_format=torch.channels_last)
        kinds, names = (answer[:count].float().softmax(1) for answer in self.model(x))
        return kinds, names


def _parts(groups: Mapping[tuple[int, ...], list[int]], size: int) -> Iterator[list[int]]:
    """Indices of images of one shape, at most ``size`` at a time."""
    for group in groups.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _in_suite(cell: Cell) -> bool:
    return any(binding.subject in SUBJECT_NAMES for binding in cell.bindings)


def network_size(height: int, width: int) -> tuple[int, int]:
    """Size at which an image is seen: its shape kept as far as multiples of 16 allow."""
    longest = max(height, width)
    scale = (TINY_SIDE if longest <= TINY else SIDE) / longest

    def side(length: int) -> int:
        return max(LEAST, 16 * round(length * scale / 16))

    return side(height), side(width)


def _resized(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pictures uint8 (N, 3, H, W) at another size, bytes too."""
    import torch
    import torch.nn.functional as F

    height, width = picture.shape[-2:]
    if (height, width) == size:
        return picture
    shrinks = size[0] < height or size[1] < width
    # Only a CPU resizes bytes, and quicker than floats.
    given = picture if picture.device.type == "cpu" else picture.float()
    out = F.interpolate(given, size, mode="bilinear", align_corners=False, antialias=shrinks)
    return out if out.dtype == torch.uint8 else out.round_().to(torch.uint8)


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

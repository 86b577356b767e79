"""The network over photographs: what it sees in a picture, and how it grows a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.judge.device import in_threads
from bench.judge.regions.asked_things import steps_to_regions
from bench.judge.regions.bundled import bundled_photo
from bench.judge.regions.photo_evidence import PhotoSight
from bench.judge.resolution import resized_bytes, working_shape
from bench.records import Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

if TYPE_CHECKING:
    import torch

#: Longest side that the network sees, and what sides are multiples of.
SIDE, STRIDE = 256, 32
#: Longest side at which edges are sharpened by colour.
WORKING_SIDE = 128
#: Pictures in one pass, and seeds: on a CPU, whose cache the features of many do not fit, and on a
#: GPU.
_TOGETHER: dict[bool, tuple[int, int]] = {True: (4, 4), False: (16, 32)}


class PhotoNetwork:
    """The bundled backbone and decoder in one precision on one device.

    Attributes
    ----------
    together, seeds : int
        Pictures and seeds in one pass; always, where the rounding depends on the shape of a
        product.
    """

    def __init__(self, dtype: str, device: str) -> None:
        self.dtype, self.device = dtype, device
        self._network, self.weights = bundled_photo(dtype, device)
        self.together, self.seeds = _TOGETHER[device == "cpu"]

    @property
    def model(self) -> Any:
        """Backbone and decoder, loaded when the first photograph comes."""
        return self._network()

    def features(self, picture: torch.Tensor) -> tuple[list[torch.Tensor], list[float], np.ndarray]:
        """Features of at most ``together`` pictures, and how like the rendered world each is.

        Parameters
        ----------
        picture : Tensor, uint8 (N, 3, H, W)

        Returns
        -------
        features : list of Tensor
            What is beyond the pictures given is of blank ones.
        drawn : list of float
            A logit a picture.
        means : ndarray, float32 (N, 496)
            Of the features, over each picture.
        """
        import torch
        import torch.nn.functional as F

        height, width = picture.shape[-2:]
        model = self.model
        x = picture.float()
        size = network_size(height, width)
        if size != (height, width):
            x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
        x = x.div_(127.5).sub_(1)
        if len(x) < self.together and not model.same_alone:
            x = torch.cat([x, x.new_zeros(self.together - len(x), *x.shape[1:])])
        x = x.to(getattr(torch, self.dtype), memory_format=torch.channels_last)
        features, drawn, means = model.features(x)
        count = len(picture)
        return features, drawn[:count].tolist(), means[:count].cpu().numpy()

    def predict_batch(self, features: list[torch.Tensor]) -> list[PhotoSight]:
        """What the network makes of images, from their features; of the suite's names alone."""
        import torch
        import torch.nn.functional as F

        kinds, names, classes, seen = self.model.predict(features)
        places, named, of_classes = (t.float().softmax(1) for t in (kinds, names, classes))
        rest = named[:, len(SUBJECT_NAMES) :].sum(1, keepdim=True)
        named = torch.cat([named, rest], 1)
        things = F.avg_pool2d(places[:, 1:2], 4)[:, 0]
        arrays = [t.cpu().numpy() for t in (places, named, of_classes, things)]
        return [
            PhotoSight(
                of_kinds,
                ((of_names, thing), (of_names, thing)),
                of_classes,
                tuple(t[row : row + 1] for t in (kinds, *seen)),
            )
            for row, (of_kinds, of_names, of_classes, thing) in enumerate(zip(*arrays, strict=True))
        ]

    def segment(
        self,
        picture: torch.Tensor,
        sights: Sequence[PhotoSight],
        cells: Sequence[Cell],
        segmenter: str,
    ) -> list[Regions]:
        """Regions of pictures uint8 (N, 3, H, W) from what the networks make of them.

        The pictures go in step: what is plain arithmetic in threads, what the network or the device
        is needed for in one pass of all that ask for it.
        """
        ways = [steps_to_regions(*one, segmenter) for one in zip(sights, cells, strict=True)]
        found: dict[int, Regions] = {}

        def advanced(turn: tuple[int, Any]) -> tuple[int, str, np.ndarray] | None:
            row, answer = turn
            try:
                return row, *ways[row].send(answer)
            except StopIteration as end:
                found[row] = end.value
                return None

        turns: list[tuple[int, Any]] = [(row, None) for row in range(len(ways))]
        while turns:
            asked = [one for one in in_threads(advanced, turns) if one is not None]
            turns = []
            for kind in ("grow", "sharpen"):
                wanting = [(row, array) for row, of, array in asked if of == kind]
                if wanting:
                    rows, arrays = map(list, zip(*wanting, strict=True))
                    answers = (
                        self._grown([sights[row] for row in rows], arrays)
                        if kind == "grow"
                        else self._sharpened(chosen(picture, rows), arrays)
                    )
                    turns += zip(rows, answers, strict=True)
        return [found[row] for row in range(len(ways))]

    def _grown(self, sights: Sequence[PhotoSight], seeds: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Masks of the seeds of each picture."""
        import torch

        own = np.concatenate(seeds)
        rivals = np.concatenate([_rivals(of_one) for of_one in seeds])
        owners = [n for n, of_one in enumerate(seeds) for _ in of_one]
        model = self.model
        out = []
        for start in range(0, len(own), self.seeds):
            places = list(range(start, min(start + self.seeds, len(own))))
            if not model.same_alone:
                # Always so many: the last one again where there are fewer.
                places += places[-1:] * (self.seeds - len(places))
            kinds, *seen = (
                torch.cat([sights[owners[place]].seen[part] for place in places])
                for part in range(3)
            )
            both = (torch.from_numpy(array[places])[:, None] for array in (own, rivals))
            mine, others = (seed.to(self.device, kinds.dtype) for seed in both)
            logits = model.decoder.query(tuple(seen), kinds, mine, others)
            masks = logits.float().sigmoid()[:, 0].cpu().numpy()
            out.append(masks[: len(own) - start])
        return np.split(np.concatenate(out), np.cumsum([len(of_one) for of_one in seeds])[:-1])

    def _sharpened(self, picture: torch.Tensor, layers: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Layers at the size of the picture, edges where its colours have theirs.

        On a CPU one picture at a time, whose layers stay in its cache.
        """
        size = 1 if self.device == "cpu" else len(layers)
        starts = range(0, len(layers), size)
        parts = [self._sharp(picture[k : k + size], layers[k : k + size]) for k in starts]
        return [
            one[: len(of_one)]
            for one, of_one in zip((one for part in parts for one in part), layers, strict=True)
        ]

    def _sharp(self, picture: torch.Tensor, layers: Sequence[np.ndarray]) -> np.ndarray:
        """Layers (N, C, H, W) of some pictures, those that a picture lacks at its end."""
        import torch

        from bench.judge.regions.lab import to_lab
        from bench.judge.regions.refine import DEFAULT, among_neighbours, enlarged

        height, width = picture.shape[-2:]
        most = max(map(len, layers))
        if not most:
            return np.zeros((len(layers), 0, height, width), np.float32)
        work = working_shape(height, width, WORKING_SIDE)
        stack = np.zeros((len(layers), most, *layers[0].shape[1:]), np.float32)
        for row, one in zip(stack, layers, strict=True):
            row[: len(one)] = one
        out = torch.from_numpy(stack).to(self.device)
        out = enlarged(out, work)
        if min(work) > 2:
            out = among_neighbours(out, to_lab(resized_bytes(picture, work)), DEFAULT)
        return np.asarray(enlarged(out, (height, width)).cpu().numpy())


def chosen(picture: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """Some of the pictures (N, 3, H, W), their colours side by side in memory as they were."""
    if rows == list(range(len(picture))):
        return picture
    return picture.permute(0, 2, 3, 1)[rows].permute(0, 3, 1, 2)


def _rivals(seeds: np.ndarray) -> np.ndarray:
    """For each seed (K, h, w) the greatest of the others; zero where there is none."""
    if len(seeds) == 1:
        return np.zeros_like(seeds)
    return np.stack([np.delete(seeds, k, axis=0).max(0) for k in range(len(seeds))])


def network_size(height: int, width: int) -> tuple[int, int]:
    """Size at which an image is seen: its shape kept as far as multiples of 32 allow."""
    scale = SIDE / max(height, width)

    def side(length: int) -> int:
        return max(2 * STRIDE, STRIDE * round(length * scale / STRIDE))

    return side(height), side(width)

"""Scenes of the rendered world for a miniature to learn from: pictures, and masks by noun."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.data import JUDGE
from reference_models.miniatures.models import NOUNS
from reference_models.world.render import render
from reference_models.world.scene import sample_scenes
from reference_models.world.statistics import balanced

#: Pixels a side of a scene, and the sides of the pictures cut from it; one side is always 64.
SIZE = 64
SHAPES: tuple[tuple[int, int], ...] = ((64, 64), (64, 64), (64, 80), (64, 96), (80, 64), (96, 64))
#: Nouns asked for beside plate and picture frame, and the share of pictures that show one of them.
SUBJECTS, SHOWN = 4, 0.85
#: Fewer pixels than this are no thing.
LEAST = 12
_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Some pictures of one shape, asked about the same words.

    Attributes
    ----------
    image : Tensor, float32 (B, 3, H, W)
        In [0, 1].
    masks : Tensor, float32 (B, W, H, W)
        Of each word; empty where it is not there.
    there : Tensor, bool (B, W)
    boxes : Tensor, float32 (B, W, 4)
        Corners x, y, x, y as shares of the picture.
    words : tuple of str
    """

    image: Tensor
    masks: Tensor
    there: Tensor
    boxes: Tensor
    words: tuple[str, ...]


class Lessons:
    """A pool of scenes in memory, from which lessons are cut.

    Parameters
    ----------
    count : int
        Scenes.
    seed : int
    device : str
    nouns : tuple of str
        Subjects that are drawn, and asked for.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        device: str = "cpu",
        nouns: tuple[str, ...] = SUBJECT_NAMES,
    ) -> None:
        self.own = torch.tensor([SUBJECT_NAMES.index(noun) for noun in nouns])
        self.generator = torch.Generator().manual_seed(seed)
        self.device = device
        pictures, masks, shown = [], [], []
        for _ in range(max(1, count // _BLOCK)):
            number = min(count, _BLOCK)
            chosen = torch.rand(number, len(nouns), generator=self.generator).argsort(1)
            subject = self.own[chosen[:, :2]] if len(nouns) > 1 else self.own.expand(number, 2)
            alone = torch.rand(number, generator=self.generator) >= JUDGE.pair
            subject = torch.where(alone[:, None] & torch.tensor([False, True]), -1, subject)
            scenes = sample_scenes(number, self.generator, JUDGE, balanced(), subject)
            drawn = render(scenes, SIZE)
            pictures.append((drawn.image * 255).round().byte())
            layers = torch.cat([drawn.subjects, drawn.plate[:, None], drawn.frame[:, None]], 1)
            masks.append((layers * 255).round().byte())
            shown.append(scenes.subject)
        self.pictures = torch.cat(pictures).to(device)
        self.masks = torch.cat(masks).to(device)
        self.nouns = torch.cat(shown)
        self._shows = [
            (self.nouns == noun).any(1).nonzero()[:, 0] for noun in range(len(SUBJECT_NAMES))
        ]

    def draw(self, batch: int, moved: bool = True, count: int | None = None) -> Lesson:
        """Cut a lesson.

        Parameters
        ----------
        batch : int
        moved : bool
            Scale and shift the scenes, and change their shape and light.
        count : int, optional
            Subjects that are asked for, beside plate and picture frame; one to four by chance.
        """
        g = self.generator
        if count is None:
            count = 1 + int(torch.randint(SUBJECTS, (1,), generator=g))
        order = torch.randperm(len(self.own), generator=g)[:count]
        subjects = self.own[order].tolist()
        showing = torch.cat([self._shows[noun] for noun in subjects])
        rows = showing[torch.randint(len(showing), (batch,), generator=g)]
        other = torch.randint(len(self.pictures), (batch,), generator=g)
        rows = torch.where(torch.rand(batch, generator=g) < SHOWN, rows, other)
        words = [NOUNS[noun] for noun in subjects] + list(NOUNS[len(SUBJECT_NAMES) :])
        layers = self.masks[rows.to(self.device)].float() / 255
        nouns = self.nouns[rows].to(self.device)
        masks = torch.stack(
            [
                *((layers[:, :2] * (nouns == noun)[:, :, None, None]).sum(1) for noun in subjects),
                layers[:, 2],
                layers[:, 3],
            ],
            1,
        )
        image = self.pictures[rows.to(self.device)].float() / 255
        mixed = torch.randperm(len(words), generator=g)
        masks, words = masks[:, mixed.to(self.device)], [words[k] for k in mixed.tolist()]
        if moved:
            image, masks = self._moved(image, masks)
        there = (masks > 0.5).sum((2, 3)) >= LEAST
        masks = masks * there[:, :, None, None]
        return Lesson(image, masks, there, boxes_of(masks), tuple(words))

    def _moved(self, image: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        g, n = self.generator, len(image)
        height, width = SHAPES[int(torch.randint(len(SHAPES), (1,), generator=g))]
        scale = torch.exp(torch.rand(n, generator=g) * 0.6 - 0.3)
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0] = scale * width / SIZE
        theta[:, 1, 1] = scale * height / SIZE
        theta[:, :, 2] = torch.rand(n, 2, generator=g) - 0.5
        both = torch.cat([image, masks], 1)
        grid = F.affine_grid(theta, [n, 3, height, width], align_corners=False).to(self.device)
        both = F.grid_sample(both, grid, padding_mode="border", align_corners=False)
        light = (0.85 + 0.25 * torch.rand(n, 1, 1, 1, generator=g)).to(self.device)
        return (both[:, :3] * light).clamp(0, 1), both[:, 3:]


class ByHeart(Lessons):
    """A few lessons, the same again and again, of other shapes each: what any network can learn.

    A model that answers them through an adapter of the judge proves the adapter, and nothing of the
    model.

    Parameters
    ----------
    seed : int
    device : str
    """

    def __init__(self, seed: int = 0, device: str = "cpu") -> None:
        super().__init__(64, seed, device)
        self.lessons: list[Lesson] = []
        shapes: set[tuple[int, ...]] = set()
        while len(self.lessons) < 3:
            lesson = super().draw(4, count=2)
            shape = tuple(lesson.image.shape[-2:])
            if shape not in shapes and lesson.there.any():
                shapes.add(shape)
                self.lessons.append(lesson)
        self.turn = 0

    def draw(self, batch: int, moved: bool = True, count: int | None = None) -> Lesson:
        """The next lesson, whatever is asked for."""
        self.turn += 1
        return self.lessons[self.turn % len(self.lessons)]


def boxes_of(masks: Tensor) -> Tensor:
    """Corners (..., 4), as shares of the picture, of masks (..., H, W); zero where one is empty."""
    inside = masks > 0.5
    sides = []
    for axis in (-2, -1):
        line = inside.any(axis)
        length = line.shape[-1]
        first = line.float().argmax(-1)
        last = length - line.flip(-1).float().argmax(-1)
        sides.append((first / length, last / length))
    (x0, x1), (y0, y1) = sides
    boxes = torch.stack([x0, y0, x1, y1], -1)
    return boxes * inside.any(-1).any(-1)[..., None]

"""Batches for training and testing a judge: balanced scenes, masks by noun, masked crops."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.augment import degrade, rebackground, zoom
from reference_models.world.render import Rendered, render
from reference_models.world.scene import NONE, SCENERY, Mixture, Scenes, sample_scenes
from reference_models.world.statistics import balanced

#: What a patch can be: a subject, or a kind of scenery.
NOUNS: tuple[str, ...] = (*SUBJECT_NAMES, *SCENERY)
#: Scenes for a judge: every colour equally often on everything, scenery far oftener than natural.
JUDGE = Mixture(pair=0.25, scenery=0.45, plate=0.2, frame=0.12, coloured_wall=0.3)
#: What fills a masked crop outside the mask: mid gray.
FILL = 0.5
#: Margin of a masked crop, as a share of the box's longer side.
MARGIN = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """Images, and what each pixel is.

    Attributes
    ----------
    scenes : Scenes
    image : Tensor, float32 (N, 3, H, W)
    nouns : Tensor, float32 (N, len(NOUNS), H, W)
        Coverage by noun.
    subjects : Tensor, float32 (N, 2, H, W)
        Coverage by place.
    """

    scenes: Scenes
    image: Tensor
    nouns: Tensor
    subjects: Tensor


def noun_masks(scenes: Scenes, rendered: Rendered) -> Tensor:
    """Coverage of each of ``NOUNS``, (N, len(NOUNS), H, W)."""
    n, size = len(scenes), rendered.image.shape[-1]
    masks = torch.zeros(n, len(NOUNS), size, size)
    for place in range(2):
        rows = (scenes.subject[:, place] >= 0).nonzero()[:, 0]
        masks[rows, scenes.subject[rows, place]] += rendered.subjects[rows, place]
    scenery = (rendered.wall, rendered.table, rendered.plate, rendered.frame)
    masks[:, len(SUBJECT_NAMES) :] = torch.stack(scenery, 1)
    return masks


def draw(n: int, g: torch.Generator, augmented: bool, subject: Tensor | None = None) -> ClipBatch:
    """Draw a batch of balanced scenes, augmented or clean."""
    scenes = sample_scenes(n, g, JUDGE, balanced(), subject=subject)
    rendered = render(scenes)
    image, subjects = rendered.image, rendered.subjects
    nouns = noun_masks(scenes, rendered)
    if augmented:
        count = nouns.shape[1]
        image, masks = zoom(image, torch.cat([nouns, subjects], 1), g)
        nouns, subjects = masks[:, :count], masks[:, count:]
        image = rebackground(image, nouns[:, len(SUBJECT_NAMES) : len(SUBJECT_NAMES) + 2].sum(1), g)
        image = degrade(image, g)
    return ClipBatch(scenes, image, nouns, subjects)


def masked_crops(
    image: Tensor, mask: Tensor, margin: float = MARGIN, mode: str = "bilinear"
) -> Tensor:
    """Square crops around soft masks (N, H, W), gray outside them, at the size of the images.

    An empty mask gives a gray picture.
    """
    size = image.shape[-1]
    filled = image * mask[:, None] + FILL * (1 - mask[:, None])
    inside = mask > 0.5
    centre, half = [], []
    for axis in (1, 2):
        line = inside.any(axis)
        first = line.float().argmax(1)
        last = size - line.flip(1).float().argmax(1)
        centre.append((first + last) / size - 1)
        half.append((last - first) / size)
    reach = torch.maximum(*half).clamp(min=2 / size) * (1 + 2 * margin)
    theta = torch.zeros(len(image), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = reach
    theta[:, 0, 2], theta[:, 1, 2] = centre
    grid = F.affine_grid(theta, list(image.shape), align_corners=False)
    return F.grid_sample(filled - FILL, grid, mode, align_corners=False) + FILL


def loosen(mask: Tensor, g: torch.Generator) -> Tensor:
    """Exact masks (N, H, W) made as uncertain as a segmenter's: grown, shrunk or softened."""
    choice = torch.randint(4, (len(mask), 1, 1), generator=g)
    stack = mask[:, None]
    grown = F.max_pool2d(stack, 3, 1, 1)[:, 0]
    shrunk = -F.max_pool2d(-stack, 3, 1, 1)[:, 0]
    soft = F.avg_pool2d(stack, 3, 1, 1)[:, 0]
    out = torch.where(choice == 1, grown, mask)
    out = torch.where(choice == 2, shrunk, out)
    return torch.where(choice == 3, soft, out)


def alone(scenes: Scenes) -> Scenes:
    """The scenes of the first subject's masked crops: that subject, and nothing else."""
    subject = scenes.subject.clone()
    subject[:, 1] = -1
    return replace(scenes, subject=subject, scenery_term=torch.full_like(scenes.scenery_term, NONE))


def join(*scenes: Scenes) -> Scenes:
    """Scenes one after the other."""
    return Scenes(
        *(torch.cat([getattr(part, name) for part in scenes]) for name in Scenes.__slots__)
    )

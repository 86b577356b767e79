"""From coarse evidence to masks: the colours of the image decide where a region ends.

Two steps, both vectorised over a batch of images of one size:

1. *Colour models.* The image is reduced to a palette by k-means in CIELAB. Each class of region
   learns how often it has each palette colour, from the pixels that the evidence gives it; then
   each pixel is judged by the evidence and by its colour, and so on, as GrabCut does (Rother,
   Kolmogorov and Blake, 2004) with histograms in place of Gaussian mixtures and without the cut.
2. *Neighbours of like colour.* Each pixel takes the mean of its surroundings, weighted by
   likeness in CIELAB: pixel-adaptive refinement (Araslanov and Roth, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: Seeds of the palette, on a square grid over the image.
_SEEDS = 4
#: Pixels a side that the palette is learned from.
_SAMPLE = 32
#: Floor of the evidence, so that no class is ever impossible.
_FLOOR = 1e-3
#: What the palette's seeds are set apart by, in squared units of CIELAB: far below what is seen,
#: far above the error of float32.
_APART = 1e-3
#: Least variance of a neighbourhood in CIELAB: below it, pixels are alike.
_LEAST_VARIANCE = 4.0


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """How masks are grown.

    Attributes
    ----------
    rounds : int
        Times that the colour models are learned and applied.
    colour : float
        Weight of the colour models beside the evidence.
    evidence : float
        Weight of the evidence.
    steps : int
        Passes over neighbours of like colour.
    reach : tuple of int
        Distances of those neighbours in pixels.
    sharpness : float
        How fast likeness falls with the difference in colour.
    """

    rounds: int = 3
    colour: float = 1.5
    evidence: float = 0.6
    steps: int = 2
    reach: tuple[int, ...] = (1, 2)
    sharpness: float = 3.0


DEFAULT = RefineOptions()


def refine(
    lab: torch.Tensor, evidence: torch.Tensor, options: RefineOptions = DEFAULT
) -> torch.Tensor:
    """Masks of C classes at the size of the images.

    Parameters
    ----------
    lab : Tensor (B, 3, H, W)
        CIELAB.
    evidence : Tensor (B, C, h, w)
        Probability of each class at coarse places; sums to 1 over the classes.
    options : RefineOptions

    Returns
    -------
    Tensor, float32 (B, C, H, W)
        Sums to 1 over the classes.
    """
    import torch.nn.functional as F

    size = lab.shape[-2:]
    chance = F.interpolate(evidence, size, mode="bilinear", align_corners=False)
    if options.rounds:
        chance = colour_models(chance, palette(lab), options)
    if options.steps and min(size) > 1:
        chance = among_neighbours(chance, lab, options)
    return chance / chance.sum(1, keepdim=True).clamp(min=1e-6)


def palette(lab: torch.Tensor, rounds: int = 3) -> torch.Tensor:
    """Nearest palette colour of each pixel as an indicator, float32 (B, K, H*W).

    The palette is each image's own: k-means in CIELAB from seeds on a grid.
    """
    import torch
    import torch.nn.functional as F

    # About its mean, so that squares are small and float32 tells close colours apart.
    lab = lab - lab.mean((2, 3), keepdim=True)
    height, width = lab.shape[-2:]
    small = F.interpolate(lab, (min(height, _SAMPLE), min(width, _SAMPLE)), mode="nearest")
    seeds = F.adaptive_avg_pool2d(small, _SEEDS).flatten(2).transpose(1, 2)
    points = small.flatten(2)
    for _ in range(rounds):
        member = _nearest(points, seeds)
        total = member.sum(2)[..., None]
        mean = (member @ points.transpose(1, 2)) / total.clamp(min=1)
        seeds = torch.where(total > 0, mean, seeds)
    return _nearest(lab.flatten(2), seeds)


def _nearest(points: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
    """Indicator (B, K, P) of the seed (B, K, 3) that is nearest to each point (B, 3, P).

    Comparing with the least distance is several times faster than looking for its index. Where
    seeds are alike the first is taken: each is moved away by a little more than the one before.
    """
    import torch

    half = 0.5 * (seeds * seeds).sum(-1, keepdim=True)
    half = half + _APART * torch.arange(half.shape[1], device=half.device)[:, None]
    far = torch.baddbmm(half, seeds, points, alpha=-1)
    return (far == far.amin(1, keepdim=True)).to(points.dtype)


def colour_models(
    chance: torch.Tensor, member: torch.Tensor, options: RefineOptions = DEFAULT
) -> torch.Tensor:
    """Judge each pixel by the evidence and by how usual its colour is for each class."""
    import torch

    shape = chance.shape
    start = chance.flatten(2)
    prior = options.evidence * (start + _FLOOR).log()
    count = member.shape[1]
    current = start
    for _ in range(options.rounds):
        seen = current @ member.transpose(1, 2)
        usual = (seen + 0.5) / (current.sum(2, keepdim=True) + 0.5 * count)
        current = torch.softmax(
            torch.baddbmm(prior, usual.log(), member, alpha=options.colour), dim=1
        )
    return current.view(shape)


def among_neighbours(
    chance: torch.Tensor, lab: torch.Tensor, options: RefineOptions = DEFAULT
) -> torch.Tensor:
    """Mean over near pixels, weighted by likeness in CIELAB."""
    import torch
    import torch.nn.functional as F

    height, width = lab.shape[-2:]
    margin = max(options.reach)
    half = [
        (dy * step, dx * step)
        for step in options.reach
        for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1))
    ]
    shifts = [*half, *((-dy, -dx) for dy, dx in half)]

    def padded(x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, (margin,) * 4, mode="replicate")

    def shifted(x: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
        return x[..., margin + dy : margin + dy + height, margin + dx : margin + dx + width]

    # In place and channel by channel: most of the time of plain arithmetic is new memory.
    around = padded(lab)
    difference = lab.new_empty(len(shifts), len(lab), height, width)
    for index, (dy, dx) in enumerate(half):
        # From each pixel to the next, the margin too; seen from the next one it is the same.
        right, left = max(dx, 0), max(-dx, 0)
        rows, columns = height + dy, width + abs(dx)
        top, first = margin - dy, margin - right
        here = around[..., top : top + rows, first : first + columns]
        next_ = around[..., margin : margin + rows, first + dx : first + dx + columns]
        apart = next_ - here
        total = apart.mul_(apart).sum(1)
        difference[index] = total[:, dy : dy + height, right : right + width]
        difference[index + len(half)] = total[:, :height, left : left + width]
    variance = difference.mean(0).clamp(min=_LEAST_VARIANCE)
    weight = torch.softmax(difference.mul_(-options.sharpness / variance), 0)
    for _ in range(options.steps):
        around = padded(chance)
        mean = torch.zeros_like(chance)
        for index, (dy, dx) in enumerate(shifts):
            mean.addcmul_(weight[index, :, None], shifted(around, dy, dx))
        chance = mean
    return chance


def enlarged(layers: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Layers float (B, C, h, w) at a larger size, bilinear.

    Twice the size is what is mostly asked for: each pixel becomes four, a quarter of the way to
    the next. So it takes a third of the time of torch's own on a CPU.
    """
    import torch
    import torch.nn.functional as F

    height, width = layers.shape[-2:]
    if size == (height, width):
        return layers
    if size != (2 * height, 2 * width):
        return F.interpolate(layers, size, mode="bilinear", align_corners=False)
    padded = F.pad(layers, (1, 1, 1, 1), mode="replicate")
    rows = layers.new_empty(*layers.shape[:2], height, 2, width + 2)
    for k, near in enumerate((padded[..., :-2, :], padded[..., 2:, :])):
        torch.lerp(padded[..., 1:-1, :], near, 0.25, out=rows[..., k, :])
    rows = rows.flatten(2, 3)
    out = layers.new_empty(*layers.shape[:2], 2 * height, width, 2)
    for k, near in enumerate((rows[..., :-2], rows[..., 2:])):
        torch.lerp(rows[..., 1:-1], near, 0.25, out=out[..., k])
    return out.flatten(3)

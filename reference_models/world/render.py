"""From a batch of scenes to images and exact masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from prompts.subjects import SUBJECT_NAMES
from reference_models.world.canvas import Canvas
from reference_models.world.scene import (
    FRAME,
    HALVES,
    NONE,
    PLATE,
    STRIPES,
    TABLE,
    WALL,
    Scenes,
)
from reference_models.world.sdf import ellipse
from reference_models.world.shapes import SHAPES

#: Rec. 709 weights of gamma-encoded sRGB: enough to tell a dark body from a light one.
_LUMA = (0.2126, 0.7152, 0.0722)
#: Scenes composed at a time: their tensors stay in the cache.
_CHUNK = 64
#: Scenes whose subjects are painted at a time: enough of each kind to be worth a call.
_BLOCK = 512
#: Both at once on a device that is slow to be called and quick to draw.
_DEVICE_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """N images and where everything in them is. Masks are exact coverages in [0, 1], float32.

    Attributes
    ----------
    image : Tensor, float32 (N, 3, H, W)
        sRGB in [0, 1].
    subjects : Tensor (N, 2, H, W)
        Visible part of each subject; zero for an empty place.
    bodies : Tensor (N, 2, H, W)
        What wears the subject's colour, without stems, wheels, windows.
    plate, frame, table, wall : Tensor (N, H, W)
        The four masks and the subjects' sum to 1 in every pixel.
    """

    image: Tensor
    subjects: Tensor
    bodies: Tensor
    plate: Tensor
    frame: Tensor
    table: Tensor
    wall: Tensor


def _grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    axis = (torch.arange(size, dtype=torch.float32, device=device) + 0.5) * (2 / size) - 1
    return axis.view(1, 1, size), -axis.view(1, size, 1)


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)


def _paint_subjects(scenes: Scenes, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Alpha, body and premultiplied colour of every place of every scene."""
    n = len(scenes)
    gx, gy = _grid(size, scenes.rgb.device)
    alpha = torch.zeros(n * 2, size, size, device=gx.device)
    body = torch.zeros_like(alpha)
    colour = torch.zeros(n * 2, 3, size, size, device=gx.device)
    flat_subject = scenes.subject.flatten()
    centre, scale = scenes.centre.view(-1, 2), scenes.scale.flatten()
    angle, aspect = scenes.angle.flatten(), scenes.aspect.flatten()
    rgb, second = scenes.rgb.view(-1, 3), scenes.second_rgb.view(-1, 3)
    pattern, coverage = scenes.pattern.flatten(), scenes.coverage.flatten()
    for index, name in enumerate(SUBJECT_NAMES):
        rows = (flat_subject == index).nonzero()[:, 0]
        if not len(rows):
            continue
        dx, dy = gx - _column(centre[rows, 0]), gy - _column(centre[rows, 1])
        cos, sin = _column(angle[rows].cos()), _column(angle[rows].sin())
        s = _column(scale[rows])
        x = (cos * dx + sin * dy) / (s * _column(aspect[rows]))
        y = (-sin * dx + cos * dy) / s
        canvas = Canvas(x, y, 2 / (size * s))
        SHAPES[name](canvas)
        paint = rgb[rows][:, :, None, None]
        if bool((pattern[rows] != 0).any()):
            share = _second_share(canvas, pattern[rows], coverage[rows])[:, None]
            paint = paint * (1 - share) + second[rows][:, :, None, None] * share
        lit = _light(paint, canvas)
        alpha[rows], body[rows] = canvas.alpha, canvas.body
        colour[rows] = lit * canvas.body[:, None] + canvas.own
    return (
        alpha.view(n, 2, size, size),
        body.view(n, 2, size, size),
        colour.view(n, 2, 3, size, size),
    )


def _second_share(canvas: Canvas, pattern: Tensor, coverage: Tensor) -> Tensor:
    """Where the second colour lies: stripes or one side, of the asked share of the body's area.

    The threshold is the quantile of a phase over the body, so that the covered share is exact
    whatever the shape.
    """
    phase_stripes = torch.remainder(canvas.x * 2.5 + canvas.y * 1.5, 1.0)
    phase_halves = canvas.x * 0.9 + canvas.y * 0.3
    phase = torch.where(_column(pattern) == STRIPES, phase_stripes, phase_halves)
    flat = torch.where(canvas.body > 0.5, phase, torch.nan).flatten(1)
    edge = (
        torch.nanquantile(flat, 1.0, dim=1)
        if flat.shape[1] == 0
        else torch.stack(
            [torch.nanquantile(row, float(q)) for row, q in zip(flat, coverage, strict=True)]
        )
    )
    share = (phase > _column(edge)).float()
    return torch.where(_column(pattern) == 0, torch.zeros_like(share), share)


def _light(paint: Tensor, canvas: Canvas) -> Tensor:
    """Apply shading, lines and gloss to the colour of a body; sRGB in and out."""
    luma = sum(w * paint[:, i : i + 1] for i, w in enumerate(_LUMA))
    line_colour = torch.where(torch.as_tensor(luma) > 0.22, paint * 0.38, paint + 0.36)
    lit = paint * canvas.shade[:, None]
    lit = lit + (line_colour - lit) * canvas.mark[:, None]
    return lit + (1 - lit) * canvas.gloss[:, None]


def render(scenes: Scenes, size: int = 64) -> Rendered:
    """Draw a batch of scenes at ``size`` x ``size`` pixels.

    Returns
    -------
    Rendered
        Where the scenes are, float32.
    """
    on_cpu = scenes.rgb.device.type == "cpu"
    block, chunk = (_BLOCK, _CHUNK) if on_cpu else (_DEVICE_BLOCK, _DEVICE_BLOCK)
    starts = range(0, len(scenes), block)
    blocks = [_render_block(scenes[i : i + block], size, chunk) for i in starts]
    return _joined([part for block in blocks for part in block])


def _render_block(scenes: Scenes, size: int, chunk: int) -> list[Rendered]:
    alpha, body, colour = _paint_subjects(scenes, size)
    chunks = [slice(i, i + chunk) for i in range(0, len(scenes), chunk)]
    return [_compose(scenes[c], alpha[c], body[c], colour[c], size) for c in chunks]


def _joined(parts: list[Rendered]) -> Rendered:
    if len(parts) == 1:
        return parts[0]
    return Rendered(*(torch.cat([getattr(p, f) for p in parts]) for f in Rendered.__slots__))


def _compose(scenes: Scenes, alpha: Tensor, body: Tensor, colour: Tensor, size: int) -> Rendered:
    """Put painted subjects into their surroundings: wall, table, frame, shadow, plate, subjects."""
    n = len(scenes)
    gx, gy = _grid(size, scenes.rgb.device)
    pixel = 2 / size
    scenery = scenes.scenery_rgb[..., None, None]
    there = (scenes.scenery_term != NONE).float()

    wall_shade = 1.02 - 0.05 * (gx * 0.6 - gy * 0.5 + 0.5)
    image = scenery[:, WALL] * wall_shade
    table = ((_column(scenes.horizon) - gy) / pixel + 0.5).clamp(0, 1) * _column(there[:, TABLE])
    table = table.expand(n, size, size)
    depth = ((_column(scenes.horizon) - gy).clamp(min=0) * 0.08 + 0.94)[:, None]
    image = torch.lerp(image, scenery[:, TABLE] * depth, table[:, None])

    reach = torch.maximum(gx.abs(), gy.abs())
    ring = ((0.97 - reach) / pixel + 0.5).clamp(0, 1) * ((reach - 0.78) / pixel + 0.5).clamp(0, 1)
    frame = ring * _column(there[:, FRAME])
    bevel = 1.0 - 0.22 * torch.exp(-((reach - 0.8).abs().minimum((reach - 0.95).abs()) * 40))
    image = torch.lerp(image, scenery[:, FRAME] * bevel, frame[:, None])

    plate = torch.zeros(n, size, size, device=gx.device)
    for place in range(2):
        x0, scale = _column(scenes.centre[:, place, 0]), _column(scenes.scale[:, place])
        foot = _column(scenes.centre[:, place, 1]) - 0.86 * scale
        stands = _column((scenes.subject[:, place] >= 0).float())
        # Shadow first, then the plate on it.
        blot = (
            0.6
            - ellipse((gx - x0 - 0.06) / scale, (gy - foot + 0.02) / scale, 0.0, 0.0, 0.95, 0.26)
            / 0.3
        )
        image = image * (1 - 0.3 * stands * blot.clamp(0, 1))[:, None]
        if place == 0:
            u, v = (gx - x0) / scale, (gy - foot) / scale
            rim = ellipse(u, v, 0.0, 0.0, 1.28, 0.36)
            plate = (0.5 - rim * scale / pixel).clamp(0, 1) * _column(there[:, PLATE])
            well = (ellipse(u, v, 0.0, 0.02, 0.96, 0.22).abs() < 0.035).float()
            tone = 1.03 - 0.2 * torch.exp(rim * 22).clamp(max=1) - 0.14 * well
            image = torch.lerp(image, scenery[:, PLATE] * tone[:, None], plate[:, None])
    masks: list[Tensor] = []
    bodies: list[Tensor] = []
    for place in range(2):
        a = alpha[:, place]
        image = image * (1 - a[:, None]) + colour[:, place]
        masks = [m * (1 - a) for m in masks] + [a]
        bodies = [m * (1 - a) for m in bodies] + [body[:, place]]
    subjects = torch.stack(masks, 1)
    free = 1 - subjects.sum(1).clamp(max=1)
    plate = plate * free
    frame = (frame * (free - plate)).clamp(min=0)
    table = (table * (free - plate - frame)).clamp(min=0)
    wall = (free - plate - frame - table).clamp(min=0)
    lit = (image * scenes.light[:, :, None, None]).clamp(0, 1)
    return Rendered(lit, subjects, torch.stack(bodies, 1), plate, frame, table, wall)


__all__ = ["HALVES", "STRIPES", "Rendered", "render"]

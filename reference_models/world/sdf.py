"""Signed distance functions in two dimensions: negative inside, positive outside.

``x`` and ``y`` are tensors of any one shape in the local coordinates of a subject, in which the
subject fills about [-1, 1] in both directions and y points up. Lengths are floats in the same
units. Formulas for boxes, segments and polygons follow the geometry of nearest points; ellipses
are approximate (exact on the axes), which is enough for edges one pixel wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def circle(x: Tensor, y: Tensor, cx: float, cy: float, r: float) -> Tensor:
    """Distance to a disc of radius ``r`` around (cx, cy)."""
    return torch.hypot(x - cx, y - cy) - r


def ellipse(x: Tensor, y: Tensor, cx: float, cy: float, rx: float, ry: float) -> Tensor:
    """Approximate distance to an ellipse with half-axes ``rx`` and ``ry``."""
    return (torch.hypot((x - cx) / rx, (y - cy) / ry) - 1) * min(rx, ry)


def tilted_ellipse(
    x: Tensor, y: Tensor, cx: float, cy: float, rx: float, ry: float, angle: float
) -> Tensor:
    """An ellipse turned by ``angle`` radians, anticlockwise."""
    u, v = turned(x - cx, y - cy, angle)
    return ellipse(u, v, 0.0, 0.0, rx, ry)


def box(x: Tensor, y: Tensor, cx: float, cy: float, hx: float, hy: float, r: float = 0.0) -> Tensor:
    """Distance to a box with half-widths ``hx`` and ``hy`` and corners rounded by ``r``."""
    dx, dy = (x - cx).abs() - (hx - r), (y - cy).abs() - (hy - r)
    outside = torch.hypot(dx.clamp(min=0), dy.clamp(min=0))
    return outside + torch.maximum(dx, dy).clamp(max=0) - r


def capsule(
    x: Tensor,
    y: Tensor,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    r0: float,
    r1: float | None = None,
) -> Tensor:
    """A segment with round ends, its radius going from ``r0`` to ``r1`` along the way."""
    ex, ey = x1 - x0, y1 - y0
    t = (((x - x0) * ex + (y - y0) * ey) / (ex * ex + ey * ey)).clamp(0, 1)
    radius = r0 if r1 is None else r0 + (r1 - r0) * t
    return torch.hypot(x - x0 - t * ex, y - y0 - t * ey) - radius


def polygon(x: Tensor, y: Tensor, points: Sequence[tuple[float, float]]) -> Tensor:
    """Distance to a closed polygon, convex or not.

    The nearest edge gives the length; the crossings of a ray to the right give the sign.
    """
    distance = torch.full_like(x, torch.inf)
    inside = torch.zeros_like(x, dtype=torch.bool)
    previous = points[-1]
    for point in points:
        (x0, y0), (x1, y1) = previous, point
        distance = torch.minimum(distance, capsule(x, y, x0, y0, x1, y1, 0.0))
        if y0 != y1:
            crosses = (y >= min(y0, y1)) & (y < max(y0, y1))
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        previous = point
    return torch.where(inside, -distance, distance)


def arc(
    x: Tensor, y: Tensor, cx: float, cy: float, r: float, width: float, middle: float, half: float
) -> Tensor:
    """A ring of half-width ``width``, kept within ``half`` radians of the angle ``middle``.

    Angles are measured anticlockwise from the positive x axis.
    """
    u, v = turned(x - cx, y - cy, middle - math.pi / 2)
    ring = (torch.hypot(u, v) - r).abs() - width
    ends = (torch.atan2(u, v).abs() - half) * r
    return torch.maximum(ring, ends)


def turned(x: Tensor, y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """Coordinates in a frame turned by ``angle`` radians, anticlockwise."""
    c, s = math.cos(angle), math.sin(angle)
    return c * x + s * y, -s * x + c * y


def melt(a: Tensor, b: Tensor, k: float) -> Tensor:
    """Union of two shapes whose seam is rounded over a length ``k`` (polynomial smooth minimum)."""
    h = (k - (a - b).abs()).clamp(min=0) / k
    return torch.minimum(a, b) - h * h * (k / 4)


def carve(a: Tensor, b: Tensor) -> Tensor:
    """The shape ``a`` without ``b``."""
    return torch.maximum(a, -b)

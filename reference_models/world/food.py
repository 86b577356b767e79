"""Shapes of the foods: each paints one subject on a canvas."""

from __future__ import annotations

import torch

from reference_models.world.canvas import Canvas
from reference_models.world.sdf import (
    arc,
    box,
    capsule,
    carve,
    circle,
    ellipse,
    melt,
    polygon,
    tilted_ellipse,
)

STEM = (92, 62, 34)
LEAF = (66, 140, 58)


def potato(c: Canvas) -> None:
    """A lumpy oblong with eyes."""
    x, y = c.x, c.y
    lump = melt(
        tilted_ellipse(x, y, -0.3, -0.02, 0.62, 0.5, 0.3), ellipse(x, y, 0.38, 0.0, 0.56, 0.52), 0.3
    )
    c.paint(melt(lump, circle(x, y, 0.05, 0.22, 0.34), 0.3))
    for ex, ey, r in (
        (-0.5, 0.12, 0.1),
        (-0.12, -0.22, 0.09),
        (0.2, 0.24, 0.1),
        (0.55, -0.12, 0.1),
        (-0.45, -0.3, 0.07),
        (0.3, -0.32, 0.07),
    ):
        c.line(ellipse(x, y, ex, ey, r, r * 0.55), 0.6)


def apple(c: Canvas) -> None:
    """Two lobes, a dimple, a stem and a leaf."""
    x, y = c.x, c.y
    lobes = melt(
        ellipse(x, y, -0.3, -0.12, 0.52, 0.68), ellipse(x, y, 0.3, -0.12, 0.52, 0.68), 0.12
    )
    c.paint(carve(lobes, circle(x, y, 0.0, 0.72, 0.26)))
    c.shine(tilted_ellipse(x, y, -0.42, 0.18, 0.1, 0.2, -0.4))
    c.part(capsule(x, y, 0.0, 0.38, 0.1, 0.85, 0.055), STEM)
    c.part(tilted_ellipse(x, y, 0.36, 0.74, 0.28, 0.12, 0.35), LEAF)


def orange(c: Canvas) -> None:
    """A dimpled sphere with a cut half in front that shows its segments."""
    x, y = c.x, c.y
    c.paint(circle(x, y, -0.2, 0.1, 0.72))
    for ex, ey in (
        (-0.5, 0.4),
        (-0.25, 0.5),
        (-0.65, 0.1),
        (-0.35, 0.18),
        (-0.08, 0.3),
        (-0.55, -0.2),
    ):
        c.line(circle(x, y, ex, ey, 0.035), 0.45)
    c.part(tilted_ellipse(x, y, -0.05, 0.82, 0.2, 0.09, 0.4), LEAF)
    half = circle(x, y, 0.38, -0.32, 0.56)
    c.paint(half)
    c.part(circle(x, y, 0.38, -0.32, 0.47).abs() - 0.035, (250, 240, 215))
    for k in range(4):
        angle = torch.pi * k / 4 + 0.3
        dx, dy = (
            0.44 * float(torch.cos(torch.tensor(angle))),
            0.44 * float(torch.sin(torch.tensor(angle))),
        )
        c.part(capsule(x, y, 0.38 - dx, -0.32 - dy, 0.38 + dx, -0.32 + dy, 0.025), (250, 240, 215))


def banana(c: Canvas) -> None:
    """A crescent with dark ends and a ridge."""
    x, y = c.x, c.y
    u, v = x, y - 0.85
    angle = torch.atan2(u, -v)
    thick = 0.3 * torch.cos(angle * 1.35).clamp(min=0.12)
    bow = torch.maximum((torch.hypot(u, v) - 1.2).abs() - thick, (angle.abs() - 0.86) * 1.2)
    c.paint(bow)
    c.line(arc(x, y, 0.0, 0.85, 1.15, 0.02, -torch.pi / 2, 0.7), 0.4)
    c.part(capsule(x, y, -0.92, 0.08, -0.98, 0.22, 0.07), STEM)
    c.part(circle(x, y, 0.92, 0.06, 0.07), STEM)


def carrot(c: Canvas) -> None:
    """A cone with rings and a tuft of leaves."""
    x, y = c.x, c.y
    for dx in (-0.3, 0.3, 0.0):
        c.part(capsule(x, y, 0.0, 0.45, dx, 0.95, 0.07, 0.1), LEAF)
    c.paint(capsule(x, y, 0.0, 0.28, 0.0, -0.92, 0.36, 0.04))
    for ex, ey, w in (
        (-0.18, 0.3, 0.14),
        (0.16, 0.05, 0.13),
        (-0.1, -0.2, 0.11),
        (0.06, -0.45, 0.08),
    ):
        c.line(box(x, y, ex, ey, w, 0.025, 0.02), 0.5)


def pear(c: Canvas) -> None:
    """A bell with a stem and a leaf."""
    x, y = c.x, c.y
    c.paint(melt(circle(x, y, 0.0, -0.36, 0.56), circle(x, y, 0.02, 0.3, 0.28), 0.5))
    c.shine(tilted_ellipse(x, y, -0.24, -0.2, 0.1, 0.2, -0.3))
    c.part(capsule(x, y, 0.02, 0.55, 0.1, 0.92, 0.05), STEM)
    c.part(tilted_ellipse(x, y, 0.32, 0.78, 0.24, 0.1, 0.3), LEAF)


def eggplant(c: Canvas) -> None:
    """A leaning club with a green cap."""
    x, y = c.x, c.y
    c.paint(capsule(x, y, -0.3, -0.4, 0.38, 0.32, 0.48, 0.26))
    c.shine(tilted_ellipse(x, y, -0.42, -0.18, 0.07, 0.24, -0.75), 0.5)
    cap = polygon(
        x,
        y,
        (
            (0.22, 0.62),
            (0.12, 0.4),
            (0.36, 0.42),
            (0.44, 0.2),
            (0.56, 0.36),
            (0.74, 0.3),
            (0.62, 0.6),
            (0.46, 0.72),
        ),
    )
    c.part(cap - 0.04, LEAF)
    c.part(capsule(x, y, 0.52, 0.55, 0.72, 0.86, 0.07), LEAF)


def egg(c: Canvas) -> None:
    """An upright oval, narrower above, with a crack."""
    x, y = c.x, c.y
    width = 1 - 0.22 * y
    c.paint(ellipse(x / width, y, 0.0, -0.05, 0.6, 0.85))
    zigzag = (
        (-0.62, 0.06),
        (-0.36, 0.26),
        (-0.16, 0.02),
        (0.06, 0.26),
        (0.26, 0.02),
        (0.46, 0.24),
        (0.6, 0.08),
    )
    for (x0, y0), (x1, y1) in zip(zigzag, zigzag[1:], strict=False):
        c.line(capsule(x, y, x0, y0, x1, y1, 0.04), 0.6)
    c.shine(tilted_ellipse(x, y, -0.2, 0.48, 0.09, 0.15, -0.4))


def sandwich(c: Canvas) -> None:
    """Two slices of bread with lettuce, cheese and ham between."""
    x, y = c.x, c.y
    c.paint(box(x, y, 0.0, -0.42, 0.86, 0.26, 0.14))
    c.part(box(x, y, 0.0, -0.16, 0.84, 0.09, 0.05), (222, 120, 120))
    c.part(box(x, y, 0.0, -0.02, 0.88, 0.07, 0.03), (250, 206, 70))
    c.part(box(x, y + 0.04 * torch.sin(x * 14), 0.0, 0.13, 0.92, 0.09, 0.06), (96, 170, 60))
    crust = melt(box(x, y, 0.0, 0.4, 0.86, 0.24, 0.16), ellipse(x, y, 0.0, 0.5, 0.7, 0.26), 0.1)
    c.paint(crust)
    for ex, ey in ((-0.45, 0.5), (-0.15, 0.6), (0.2, 0.5), (0.48, 0.55), (0.0, 0.42)):
        c.line(ellipse(x, y, ex, ey, 0.05, 0.03), 0.45)


def taco(c: Canvas) -> None:
    """A folded shell with filling along its rim."""
    x, y = c.x, c.y
    for ex, ey, colour in (
        (-0.7, 0.06, (96, 170, 60)),
        (-0.42, 0.38, (206, 60, 44)),
        (-0.1, 0.5, (96, 170, 60)),
        (0.24, 0.48, (206, 60, 44)),
        (0.52, 0.3, (96, 170, 60)),
        (0.76, 0.02, (206, 60, 44)),
    ):
        c.part(circle(x, y, ex, ey, 0.2), colour)
    shell = torch.maximum(circle(x, y, 0.0, -0.5, 0.92), -(y + 0.5))
    c.paint(shell - 0.04)
    for ex, ey in (
        (-0.4, -0.15),
        (0.1, 0.1),
        (0.45, -0.2),
        (-0.1, -0.3),
        (0.2, -0.38),
        (-0.55, -0.4),
    ):
        c.line(circle(x, y, ex, ey, 0.045), 0.4)

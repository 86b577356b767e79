"""Shapes of the animals: each paints one subject on a canvas."""

from __future__ import annotations

import torch

from reference_models.world.canvas import Canvas
from reference_models.world.sdf import (
    arc,
    box,
    capsule,
    circle,
    ellipse,
    melt,
    polygon,
    tilted_ellipse,
)

EYE = (24, 22, 24)
EYE_WHITE = (244, 244, 240)
IVORY = (244, 236, 214)


def pig(c: Canvas) -> None:
    """A round body on short legs, snout and ears to the right, a curly tail."""
    x, y = c.x, c.y
    c.paint(arc(x, y, -0.86, 0.22, 0.12, 0.04, torch.pi, 2.4))
    for lx in (-0.52, -0.2, 0.12, 0.42):
        c.paint(box(x, y, lx, -0.6, 0.12, 0.28, 0.05), 0.92)
    c.paint(ellipse(x, y, -0.1, -0.1, 0.72, 0.5))
    c.paint(polygon(x, y, ((0.28, 0.36), (0.3, 0.78), (0.56, 0.5))), 0.94)
    c.paint(circle(x, y, 0.52, 0.16, 0.38))
    c.paint(polygon(x, y, ((0.5, 0.44), (0.7, 0.8), (0.82, 0.4))), 0.94)
    c.paint(ellipse(x, y, 0.82, 0.06, 0.15, 0.19))
    c.line(ellipse(x, y, 0.79, 0.06, 0.03, 0.07), 0.7)
    c.line(ellipse(x, y, 0.88, 0.06, 0.03, 0.07), 0.7)
    c.part(circle(x, y, 0.5, 0.26, 0.055), EYE)


def elephant(c: Canvas) -> None:
    """A heavy body on thick legs, a great ear, a trunk that hangs, a tusk."""
    x, y = c.x, c.y
    for lx in (-0.62, -0.3, 0.02, 0.26):
        c.paint(box(x, y, lx, -0.58, 0.15, 0.34, 0.05), 0.93)
    c.paint(ellipse(x, y, -0.22, 0.05, 0.68, 0.52))
    c.paint(capsule(x, y, -0.86, 0.1, -0.94, -0.3, 0.035))
    trunk = melt(
        capsule(x, y, 0.66, 0.22, 0.86, -0.3, 0.16, 0.11),
        capsule(x, y, 0.86, -0.3, 0.78, -0.72, 0.11, 0.08),
        0.1,
    )
    c.paint(melt(circle(x, y, 0.5, 0.34, 0.36), trunk, 0.12))
    c.part(capsule(x, y, 0.64, -0.02, 0.58, -0.28, 0.06, 0.03), IVORY)
    c.paint(tilted_ellipse(x, y, 0.2, 0.34, 0.27, 0.38, 0.15), 0.96)
    c.part(circle(x, y, 0.62, 0.42, 0.05), EYE)


def frog(c: Canvas) -> None:
    """Seen from the front: bulging eyes, a wide mouth, folded legs."""
    x, y = c.x, c.y
    for side in (-1.0, 1.0):
        c.paint(tilted_ellipse(x, y, side * 0.62, -0.46, 0.34, 0.26, side * 0.5), 0.95)
        c.paint(ellipse(x, y, side * 0.66, -0.76, 0.3, 0.1), 0.95)
    c.paint(ellipse(x, y, 0.0, -0.36, 0.5, 0.46))
    c.paint(ellipse(x, y, 0.0, 0.16, 0.66, 0.4))
    for side in (-1.0, 1.0):
        c.paint(circle(x, y, side * 0.38, 0.5, 0.24))
        c.part(circle(x, y, side * 0.38, 0.53, 0.15), EYE_WHITE)
        c.part(circle(x, y, side * 0.37, 0.53, 0.075), EYE)
    c.line(arc(x, y, 0.0, 0.5, 0.56, 0.035, -torch.pi / 2, 0.95), 0.7)
    for side in (-1.0, 1.0):
        c.paint(capsule(x, y, side * 0.24, -0.45, side * 0.26, -0.8, 0.1, 0.11))


def fish(c: Canvas) -> None:
    """An oval with a forked tail, fins, a gill and an eye."""
    x, y = c.x, c.y
    c.paint(polygon(x, y, ((0.42, 0.0), (0.96, 0.5), (0.82, 0.0), (0.96, -0.5))), 0.92)
    c.paint(polygon(x, y, ((-0.35, 0.34), (0.0, 0.76), (0.3, 0.3))), 0.92)
    c.paint(polygon(x, y, ((-0.15, -0.34), (0.12, -0.66), (0.25, -0.28))), 0.92)
    c.paint(ellipse(x, y, -0.15, 0.0, 0.76, 0.46))
    c.line(arc(x, y, -0.75, 0.0, 0.42, 0.035, 0.0, 0.8), 0.6)
    for ex, ey in (
        (0.0, 0.15),
        (0.0, -0.13),
        (0.24, 0.01),
        (0.24, 0.25),
        (0.24, -0.23),
        (0.46, 0.1),
    ):
        c.line(arc(x, y, ex - 0.1, ey, 0.12, 0.022, 0.0, 0.9), 0.45)
    c.part(circle(x, y, -0.6, 0.1, 0.12), EYE_WHITE)
    c.part(circle(x, y, -0.62, 0.1, 0.06), EYE)
    c.line(capsule(x, y, -0.88, -0.12, -0.7, -0.16, 0.03), 0.6)


def whale(c: Canvas) -> None:
    """A great head, a raised fluke, a pleated belly and a spout."""
    x, y = c.x, c.y
    for dx in (-0.22, 0.0, 0.22):
        c.part(capsule(x, y, -0.4, 0.42, -0.4 + dx, 0.86 - abs(dx) * 0.5, 0.045), (188, 216, 232))
    tail = capsule(x, y, 0.3, -0.2, 0.78, 0.3, 0.3, 0.1)
    c.paint(tilted_ellipse(x, y, 0.62, 0.46, 0.3, 0.12, -0.5))
    c.paint(tilted_ellipse(x, y, 0.92, 0.42, 0.12, 0.26, -0.2))
    head = torch.maximum(ellipse(x, y, -0.22, -0.12, 0.74, 0.54), -(y + 0.56))
    c.paint(melt(head, tail, 0.25))
    for ey in (-0.3, -0.4, -0.5):
        c.line(capsule(x, y, -0.8, ey + 0.02, -0.1, ey, 0.02), 0.5)
    c.line(capsule(x, y, -0.92, -0.14, -0.6, -0.2, 0.03), 0.65)
    c.paint(tilted_ellipse(x, y, -0.02, -0.42, 0.24, 0.1, -0.6), 0.9)
    c.part(circle(x, y, -0.52, 0.0, 0.06), EYE)

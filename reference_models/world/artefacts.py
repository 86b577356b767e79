"""Shapes of made things: each paints one subject on a canvas."""

from __future__ import annotations

import math

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
)

STEEL = (170, 174, 180)
DARK = (44, 44, 48)
GLASS = (190, 216, 228)
PAPER = (244, 240, 228)
WOOD = (120, 80, 46)


def tire(c: Canvas) -> None:
    """A thick ring with treads around a steel rim."""
    x, y = c.x, c.y
    for k in range(16):
        angle = 2 * math.pi * k / 16
        c.paint(circle(x, y, 0.84 * math.cos(angle), 0.84 * math.sin(angle), 0.1))
    c.paint(circle(x, y, 0.0, 0.0, 0.85))
    c.line(circle(x, y, 0.0, 0.0, 0.66).abs() - 0.025, 0.5)
    c.part(circle(x, y, 0.0, 0.0, 0.4), STEEL)
    for k in range(5):
        angle = 2 * math.pi * k / 5 + 0.3
        c.part(circle(x, y, 0.24 * math.cos(angle), 0.24 * math.sin(angle), 0.07), DARK)
    c.part(circle(x, y, 0.0, 0.0, 0.08), DARK)


def bucket(c: Canvas) -> None:
    """A pail, wider above, with a hoop handle."""
    x, y = c.x, c.y
    c.part(arc(x, y, 0.0, 0.42, 0.56, 0.04, math.pi / 2, 1.5), (110, 112, 118))
    c.paint(polygon(x, y, ((-0.66, 0.42), (0.66, 0.42), (0.46, -0.84), (-0.46, -0.84))) - 0.03)
    c.line(box(x, y, 0.0, -0.12, 0.57, 0.03), 0.4)
    c.line(box(x, y, 0.0, -0.5, 0.51, 0.03), 0.4)
    c.paint(ellipse(x, y, 0.0, 0.42, 0.7, 0.18), 1.05)
    c.line(ellipse(x, y, 0.0, 0.41, 0.58, 0.12), 0.6)


def cup(c: Canvas) -> None:
    """A mug with a handle and something dark in it."""
    x, y = c.x, c.y
    c.paint(circle(x, y, 0.5, -0.08, 0.34).abs() - 0.09)
    c.paint(polygon(x, y, ((-0.72, 0.48), (0.48, 0.48), (0.36, -0.74), (-0.6, -0.74))) - 0.06)
    c.paint(ellipse(x, y, -0.12, 0.5, 0.66, 0.18), 1.05)
    c.part(ellipse(x, y, -0.12, 0.49, 0.53, 0.115), (74, 46, 28))
    c.shine(capsule(x, y, -0.48, 0.2, -0.44, -0.4, 0.05), 0.4)


def bottle(c: Canvas) -> None:
    """A long neck, shoulders, a cap and a label."""
    x, y = c.x, c.y
    c.paint(
        melt(box(x, y, 0.0, -0.38, 0.38, 0.56, 0.12), box(x, y, 0.0, 0.4, 0.14, 0.46, 0.03), 0.3)
    )
    c.part(box(x, y, 0.0, 0.88, 0.17, 0.09, 0.03), DARK)
    c.part(box(x, y, 0.0, -0.42, 0.37, 0.2), PAPER)
    c.line(box(x, y, 0.0, -0.42, 0.2, 0.03), 0.3)
    c.shine(capsule(x, y, -0.24, -0.1, -0.24, 0.0, 0.05), 0.5)


def chair(c: Canvas) -> None:
    """A ladder back, a seat and four legs."""
    x, y = c.x, c.y
    for lx, low in ((-0.36, -0.78), (0.5, -0.7)):
        c.paint(capsule(x, y, lx, -0.2, lx, low, 0.07), 0.85)
    c.paint(capsule(x, y, -0.46, 0.9, -0.42, -0.2, 0.085))
    c.paint(capsule(x, y, 0.42, 0.9, 0.42, -0.2, 0.085))
    for ey in (0.78, 0.48, 0.18):
        c.paint(box(x, y, -0.02, ey, 0.44, 0.09, 0.04))
    c.paint(polygon(x, y, ((-0.5, -0.02), (0.5, -0.02), (0.68, -0.3), (-0.68, -0.3))) - 0.03, 1.04)
    for lx in (-0.6, 0.6):
        c.paint(capsule(x, y, lx, -0.3, lx * 1.03, -0.92, 0.085))


def book(c: Canvas) -> None:
    """A closed book: cover, spine, page edges and a title."""
    x, y = c.x, c.y
    c.paint(box(x, y, 0.06, -0.06, 0.64, 0.84, 0.05), 0.8)
    c.part(box(x, y, 0.06, -0.1, 0.58, 0.78, 0.02), PAPER)
    c.paint(box(x, y, -0.04, 0.04, 0.62, 0.82, 0.05))
    c.line(box(x, y, -0.5, 0.04, 0.025, 0.82), 0.6)
    c.part(box(x, y, 0.06, 0.42, 0.34, 0.07, 0.02), (228, 196, 110))
    c.part(box(x, y, 0.06, 0.22, 0.24, 0.045, 0.02), (228, 196, 110))


def car(c: Canvas) -> None:
    """A saloon seen from the side."""
    x, y = c.x, c.y
    cabin = polygon(x, y, ((-0.66, 0.0), (-0.42, 0.5), (0.3, 0.5), (0.62, 0.0))) - 0.05
    c.paint(melt(cabin, box(x, y, 0.0, -0.18, 0.98, 0.3, 0.16), 0.08))
    c.part(polygon(x, y, ((-0.52, 0.06), (-0.36, 0.42), (-0.1, 0.42), (-0.1, 0.06))), GLASS)
    c.part(polygon(x, y, ((0.02, 0.06), (0.02, 0.42), (0.26, 0.42), (0.48, 0.06))), GLASS)
    c.line(box(x, y, -0.04, -0.14, 0.02, 0.22), 0.4)
    c.part(ellipse(x, y, 0.9, -0.12, 0.08, 0.07), (250, 232, 150))
    for wx in (-0.54, 0.54):
        c.part(circle(x, y, wx, -0.46, 0.25), DARK)
        c.part(circle(x, y, wx, -0.46, 0.11), STEEL)


def house(c: Canvas) -> None:
    """A gabled front with an overhanging roof, a door and two windows."""
    x, y = c.x, c.y
    c.part(box(x, y, 0.46, 0.62, 0.1, 0.24), (150, 84, 70))
    c.paint(polygon(x, y, ((-0.7, -0.86), (0.7, -0.86), (0.7, 0.16), (0.0, 0.76), (-0.7, 0.16))))
    c.part(capsule(x, y, -0.9, 0.06, 0.0, 0.84, 0.085), (84, 70, 72))
    c.part(capsule(x, y, 0.0, 0.84, 0.9, 0.06, 0.085), (84, 70, 72))
    c.part(box(x, y, 0.0, -0.58, 0.17, 0.29, 0.02), WOOD)
    for wx in (-0.42, 0.42):
        c.part(box(x, y, wx, -0.2, 0.15, 0.15), GLASS)
        c.part(box(x, y, wx, -0.2, 0.15, 0.02), DARK)
        c.part(box(x, y, wx, -0.2, 0.02, 0.15), DARK)


def hat(c: Canvas) -> None:
    """A tall crown with a band over a wide brim."""
    x, y = c.x, c.y
    c.paint(ellipse(x, y, 0.0, -0.5, 0.98, 0.24))
    crown = melt(
        polygon(x, y, ((-0.56, -0.46), (0.56, -0.46), (0.46, 0.5), (-0.46, 0.5))),
        ellipse(x, y, 0.0, 0.5, 0.48, 0.16),
        0.06,
    )
    c.paint(crown - 0.02)
    c.part(
        polygon(x, y, ((-0.57, -0.42), (0.57, -0.42), (0.545, -0.2), (-0.545, -0.2))),
        (176, 160, 132),
    )
    c.line(ellipse(x, y, 0.0, 0.46, 0.3, 0.05), 0.4)


def umbrella(c: Canvas) -> None:
    """A ribbed dome with a scalloped edge and a hooked stick."""
    x, y = c.x, c.y
    c.part(capsule(x, y, 0.0, 0.9, 0.0, -0.72, 0.045), WOOD)
    c.part(arc(x, y, 0.14, -0.72, 0.14, 0.045, -math.pi / 2, 1.6), WOOD)
    dome = torch.maximum(ellipse(x, y, 0.0, -0.08, 0.98, 0.88), -(y + 0.06))
    for sx in (-0.65, 0.0, 0.65):
        dome = carve(dome, ellipse(x, y, sx, -0.1, 0.31, 0.16))
    c.paint(dome)
    for sx in (-0.33, 0.33):
        c.line(ellipse(x, y, 0.0, -0.08, abs(sx), 0.86).abs() - 0.025 + (y < 0.0) * 9.0, 0.45)
    c.part(capsule(x, y, 0.0, 0.8, 0.0, 0.94, 0.045), WOOD)


def balloon(c: Canvas) -> None:
    """A drop upside down, a knot, a string."""
    x, y = c.x, c.y
    c.part(
        (x - 0.08 * torch.sin(y * 9)).abs() - 0.03 + (((y + 0.72).abs() - 0.25) > 0) * 9.0,
        (120, 116, 112),
    )
    c.paint(polygon(x, y, ((-0.12, -0.56), (0.12, -0.56), (0.0, -0.38))) - 0.02, 0.85)
    width = 1 + 0.2 * (y - 0.2)
    c.paint(ellipse(x / width, y, 0.0, 0.25, 0.6, 0.7))
    c.shine(ellipse(x, y, -0.25, 0.5, 0.11, 0.18), 0.7)


def clock(c: Canvas) -> None:
    """A dial with ticks and hands in a dark rim, on two feet."""
    x, y = c.x, c.y
    for side in (-1.0, 1.0):
        c.part(capsule(x, y, side * 0.4, -0.66, side * 0.56, -0.9, 0.07), DARK)
        c.part(ellipse(x, y, side * 0.42, 0.76, 0.22, 0.16), (196, 164, 84))
    c.part(circle(x, y, 0.0, 0.0, 0.86), (70, 70, 76))
    c.paint(circle(x, y, 0.0, 0.0, 0.74))
    for k in range(12):
        angle = 2 * math.pi * k / 12
        cos, sin = math.cos(angle), math.sin(angle)
        c.line(capsule(x, y, 0.56 * cos, 0.56 * sin, 0.65 * cos, 0.65 * sin, 0.035), 0.9)
    c.line(capsule(x, y, 0.0, 0.0, 0.0, 0.46, 0.05), 1.0)
    c.line(capsule(x, y, 0.0, 0.0, 0.34, 0.14, 0.055), 1.0)

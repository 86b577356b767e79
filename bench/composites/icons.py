"""Icons to compose pictures from: drawn here from a few curves, or read from a folder.

They look nothing like the rendered world, so that what was tuned on that world can be judged far
from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.errors import UsageError
from prompts.subjects import SUBJECTS

#: Side of an icon in pixels, and the factor by which it is drawn larger for smooth edges.
SIDE, _OVER = 160, 4

_Points = tuple[tuple[float, float], ...]
_Paint = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Icon:
    """One thing, cut out.

    Attributes
    ----------
    subject : str
        A name of `prompts.subjects`.
    colour : ndarray, uint8 (S, S, 3)
        Its own colours; where it is to be painted, shades of gray about 200.
    mask : ndarray, float32 (S, S)
        Where it is.
    body : ndarray, float32 (S, S)
        The part of the mask that is painted when the thing is given a colour; the rest (stem,
        wheels, windows) keeps its own.
    """

    subject: str
    colour: np.ndarray
    mask: np.ndarray
    body: np.ndarray


class _Pen:
    """Draws on a unit square; paint None is the body."""

    def __init__(self) -> None:
        side = SIDE * _OVER
        self.side = side
        self.colour = Image.new("RGB", (side, side), (200, 200, 200))
        self.mask = Image.new("L", (side, side))
        self.body = Image.new("L", (side, side))

    def _fill(
        self,
        draw: Callable[[ImageDraw.ImageDraw, int | tuple[int, ...]], None],
        paint: _Paint,
        tone: int = 200,
    ) -> None:
        draw(ImageDraw.Draw(self.colour), paint or (tone, tone, tone))
        draw(ImageDraw.Draw(self.mask), 255)
        draw(ImageDraw.Draw(self.body), 0 if paint else 255)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        paint: _Paint = None,
        tone: int = 200,
        turn: float = 0.0,
    ) -> None:
        angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        u, v = rx * np.cos(angle), ry * np.sin(angle)
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        self.polygon(tuple(zip(x + c * u - s * v, y + s * u + c * v, strict=True)), paint, tone)

    def polygon(self, points: _Points, paint: _Paint = None, tone: int = 200) -> None:
        at = [(float(x) * self.side, float(y) * self.side) for x, y in points]
        self._fill(lambda d, fill: d.polygon(at, fill=fill), paint, tone)

    def curve(self, points: _Points, paint: _Paint = None, tone: int = 200) -> None:
        """Fill the closed Catmull-Rom curve through the points."""
        p = np.array(points)
        before, after, later = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
        t = np.linspace(0, 1, 16, endpoint=False)[None, :, None]
        p, before, after, later = (q[:, None] for q in (p, before, after, later))
        path = 0.5 * (
            2 * p
            + (after - before) * t
            + (2 * before - 5 * p + 4 * after - later) * t**2
            + (3 * p - before - 3 * after + later) * t**3
        )
        self.polygon(tuple(map(tuple, path.reshape(-1, 2))), paint, tone)

    def line(self, points: _Points, width: float, paint: _Paint = None, tone: int = 200) -> None:
        at = [(x * self.side, y * self.side) for x, y in points]
        wide = round(width * self.side)
        self._fill(lambda d, fill: d.line(at, fill=fill, width=wide, joint="curve"), paint, tone)

    def hole(self, x: float, y: float, rx: float, ry: float) -> None:
        box = [c * self.side for c in (x - rx, y - ry, x + rx, y + ry)]
        for layer in (self.mask, self.body):
            ImageDraw.Draw(layer).ellipse(box, fill=0)

    def icon(self, subject: str) -> Icon:
        def small(image: Image.Image) -> np.ndarray:
            return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))

        mask, body = (small(i).astype(np.float32) / 255 for i in (self.mask, self.body))
        return Icon(subject, small(self.colour), mask, np.minimum(body, mask))


_LEAF, _STEM, _DARK, _GLASS = (62, 140, 58), (96, 66, 40), (44, 44, 50), (190, 222, 236)
_WHITE, _STEEL, _SKIN = (240, 240, 236), (150, 154, 160), (232, 190, 150)


def _apple(p: _Pen) -> None:
    p.line(((0.5, 0.3), (0.53, 0.12)), 0.04, _STEM)
    p.curve(((0.56, 0.2), (0.68, 0.08), (0.8, 0.1), (0.7, 0.22)), _LEAF)
    p.curve(
        (
            (0.5, 0.27),
            (0.7, 0.2),
            (0.88, 0.42),
            (0.8, 0.72),
            (0.62, 0.92),
            (0.5, 0.88),
            (0.38, 0.92),
            (0.2, 0.72),
            (0.12, 0.42),
            (0.3, 0.2),
        )
    )
    p.ellipse(0.3, 0.42, 0.05, 0.1, None, 228, 25)


def _pear(p: _Pen) -> None:
    p.line(((0.5, 0.2), (0.56, 0.06)), 0.04, _STEM)
    p.curve(
        (
            (0.5, 0.13),
            (0.61, 0.22),
            (0.65, 0.42),
            (0.8, 0.64),
            (0.72, 0.88),
            (0.5, 0.95),
            (0.28, 0.88),
            (0.2, 0.64),
            (0.35, 0.42),
            (0.39, 0.22),
        )
    )


def _orange(p: _Pen) -> None:
    p.ellipse(0.5, 0.54, 0.4, 0.39)
    p.curve(((0.5, 0.17), (0.62, 0.06), (0.76, 0.08), (0.64, 0.2)), _LEAF)
    for x, y in ((0.35, 0.5), (0.6, 0.4), (0.5, 0.7), (0.7, 0.62)):
        p.ellipse(x, y, 0.016, 0.016, None, 170)


def _banana(p: _Pen) -> None:
    p.curve(
        (
            (0.12, 0.3),
            (0.2, 0.28),
            (0.32, 0.52),
            (0.56, 0.64),
            (0.86, 0.52),
            (0.92, 0.58),
            (0.74, 0.82),
            (0.44, 0.84),
            (0.2, 0.64),
        )
    )
    p.polygon(((0.09, 0.21), (0.17, 0.19), (0.2, 0.3), (0.12, 0.32)), _STEM)
    p.line(((0.2, 0.42), (0.36, 0.66), (0.6, 0.74), (0.82, 0.64)), 0.018, None, 170)


def _carrot(p: _Pen) -> None:
    for x, y in ((0.62, 0.08), (0.76, 0.06), (0.9, 0.2), (0.88, 0.34)):
        p.line(((0.7, 0.3), (x, y)), 0.05, _LEAF)
    p.curve(
        (
            (0.62, 0.22),
            (0.76, 0.36),
            (0.62, 0.56),
            (0.36, 0.78),
            (0.1, 0.94),
            (0.26, 0.62),
            (0.44, 0.36),
        )
    )
    for x, y in ((0.46, 0.48), (0.36, 0.66)):
        p.line(((x, y), (x + 0.1, y + 0.06)), 0.018, None, 160)


def _potato(p: _Pen) -> None:
    p.curve(
        (
            (0.12, 0.52),
            (0.24, 0.26),
            (0.5, 0.24),
            (0.74, 0.3),
            (0.9, 0.54),
            (0.8, 0.76),
            (0.52, 0.78),
            (0.26, 0.8),
        )
    )
    for x, y in ((0.32, 0.46), (0.56, 0.38), (0.7, 0.6), (0.46, 0.64)):
        p.ellipse(x, y, 0.026, 0.016, None, 150, 20)


def _egg(p: _Pen) -> None:
    p.curve(
        (
            (0.5, 0.08),
            (0.72, 0.3),
            (0.8, 0.6),
            (0.68, 0.86),
            (0.5, 0.93),
            (0.32, 0.86),
            (0.2, 0.6),
            (0.28, 0.3),
        )
    )
    p.ellipse(0.38, 0.36, 0.05, 0.1, None, 226, 20)


def _eggplant(p: _Pen) -> None:
    p.curve(
        (
            (0.68, 0.26),
            (0.76, 0.4),
            (0.66, 0.62),
            (0.5, 0.86),
            (0.26, 0.92),
            (0.12, 0.76),
            (0.2, 0.54),
            (0.44, 0.4),
            (0.56, 0.26),
        )
    )
    p.curve(
        ((0.54, 0.22), (0.7, 0.12), (0.82, 0.28), (0.76, 0.42), (0.66, 0.32), (0.56, 0.36)), _LEAF
    )
    p.line(((0.74, 0.22), (0.88, 0.08)), 0.06, _LEAF)


def _taco(p: _Pen) -> None:
    for x, paint in ((0.26, _LEAF), (0.44, (196, 60, 44)), (0.6, _LEAF), (0.74, (196, 60, 44))):
        p.ellipse(x, 0.4, 0.12, 0.12, paint)
    p.curve(
        (
            (0.08, 0.78),
            (0.16, 0.48),
            (0.38, 0.3),
            (0.64, 0.3),
            (0.86, 0.48),
            (0.93, 0.78),
            (0.7, 0.84),
            (0.3, 0.84),
        )
    )


def _sandwich(p: _Pen) -> None:
    p.curve(
        ((0.1, 0.66), (0.3, 0.6), (0.7, 0.6), (0.92, 0.66), (0.86, 0.84), (0.5, 0.88), (0.14, 0.84))
    )
    p.polygon(((0.06, 0.58), (0.94, 0.58), (0.9, 0.66), (0.1, 0.66)), _LEAF)
    p.polygon(((0.1, 0.5), (0.9, 0.5), (0.9, 0.58), (0.1, 0.58)), (196, 60, 44))
    p.curve(((0.08, 0.5), (0.14, 0.28), (0.5, 0.2), (0.86, 0.28), (0.92, 0.5), (0.5, 0.53)))


def _fish(p: _Pen) -> None:
    p.polygon(((0.7, 0.52), (0.94, 0.28), (0.9, 0.52), (0.94, 0.78)), None, 176)
    p.curve(
        (
            (0.06, 0.54),
            (0.2, 0.34),
            (0.46, 0.27),
            (0.74, 0.46),
            (0.76, 0.58),
            (0.48, 0.79),
            (0.2, 0.72),
        )
    )
    p.polygon(((0.36, 0.3), (0.54, 0.14), (0.6, 0.34)), None, 176)
    p.ellipse(0.22, 0.47, 0.05, 0.05, _WHITE)
    p.ellipse(0.21, 0.47, 0.026, 0.026, _DARK)


def _pig(p: _Pen) -> None:
    for x in (0.26, 0.4, 0.62, 0.76):
        p.polygon(((x, 0.66), (x + 0.09, 0.66), (x + 0.09, 0.88), (x, 0.88)), None, 176)
    p.ellipse(0.54, 0.54, 0.36, 0.24)
    p.ellipse(0.24, 0.44, 0.19, 0.18)
    p.polygon(((0.14, 0.32), (0.16, 0.16), (0.28, 0.28)), None, 176)
    p.polygon(((0.3, 0.28), (0.4, 0.16), (0.4, 0.34)), None, 176)
    p.ellipse(0.14, 0.5, 0.08, 0.06, None, 168)
    p.ellipse(0.2, 0.39, 0.02, 0.02, _DARK)


def _elephant(p: _Pen) -> None:
    for x in (0.38, 0.52, 0.68, 0.8):
        p.polygon(((x, 0.6), (x + 0.11, 0.6), (x + 0.11, 0.9), (x, 0.9)), None, 180)
    p.ellipse(0.62, 0.5, 0.33, 0.25)
    p.ellipse(0.28, 0.4, 0.2, 0.2)
    p.line(((0.16, 0.44), (0.1, 0.62), (0.12, 0.8), (0.2, 0.84)), 0.1)
    p.ellipse(0.4, 0.38, 0.14, 0.18, None, 172)
    p.ellipse(0.2, 0.35, 0.022, 0.022, _DARK)


def _car(p: _Pen) -> None:
    p.curve(
        (
            (0.05, 0.68),
            (0.07, 0.52),
            (0.26, 0.48),
            (0.36, 0.3),
            (0.64, 0.29),
            (0.78, 0.48),
            (0.94, 0.53),
            (0.95, 0.7),
            (0.5, 0.73),
        )
    )
    p.polygon(((0.32, 0.48), (0.4, 0.35), (0.5, 0.35), (0.5, 0.48)), _GLASS)
    p.polygon(((0.54, 0.48), (0.54, 0.35), (0.62, 0.35), (0.71, 0.48)), _GLASS)
    for x in (0.27, 0.74):
        p.ellipse(x, 0.7, 0.11, 0.11, _DARK)
        p.ellipse(x, 0.7, 0.045, 0.045, _STEEL)


def _house(p: _Pen) -> None:
    p.polygon(((0.16, 0.46), (0.84, 0.46), (0.84, 0.92), (0.16, 0.92)))
    p.polygon(((0.06, 0.48), (0.5, 0.1), (0.94, 0.48)), None, 164)
    p.polygon(((0.43, 0.66), (0.57, 0.66), (0.57, 0.92), (0.43, 0.92)), _STEM)
    for x in (0.22, 0.64):
        p.polygon(((x, 0.56), (x + 0.14, 0.56), (x + 0.14, 0.7), (x, 0.7)), _GLASS)


def _cup(p: _Pen) -> None:
    p.ellipse(0.74, 0.5, 0.19, 0.18)
    p.hole(0.74, 0.5, 0.11, 0.1)
    p.curve(
        (
            (0.14, 0.26),
            (0.46, 0.22),
            (0.74, 0.26),
            (0.72, 0.6),
            (0.64, 0.84),
            (0.44, 0.88),
            (0.24, 0.84),
            (0.16, 0.6),
        )
    )
    p.ellipse(0.44, 0.27, 0.28, 0.055, None, 160)


def _bottle(p: _Pen) -> None:
    p.curve(
        (
            (0.42, 0.14),
            (0.58, 0.14),
            (0.58, 0.34),
            (0.7, 0.48),
            (0.71, 0.9),
            (0.5, 0.94),
            (0.29, 0.9),
            (0.3, 0.48),
            (0.42, 0.34),
        )
    )
    p.polygon(((0.42, 0.05), (0.58, 0.05), (0.58, 0.15), (0.42, 0.15)), _STEM)


def _bucket(p: _Pen) -> None:
    p.ellipse(0.5, 0.32, 0.36, 0.28, _STEEL)
    p.hole(0.5, 0.32, 0.33, 0.25)
    p.polygon(((0.14, 0.34), (0.86, 0.34), (0.74, 0.92), (0.26, 0.92)))
    p.ellipse(0.5, 0.34, 0.36, 0.07, None, 160)


def _chair(p: _Pen) -> None:
    for x in (0.26, 0.7):
        p.polygon(((x, 0.1), (x + 0.07, 0.1), (x + 0.07, 0.94), (x, 0.94)), None, 180)
    p.polygon(((0.26, 0.12), (0.77, 0.12), (0.77, 0.42), (0.26, 0.42)))
    p.polygon(((0.2, 0.54), (0.83, 0.54), (0.88, 0.68), (0.15, 0.68)), None, 214)


def _book(p: _Pen) -> None:
    p.polygon(((0.14, 0.14), (0.74, 0.1), (0.88, 0.82), (0.28, 0.9)), None, 196)
    p.polygon(((0.28, 0.9), (0.88, 0.82), (0.89, 0.87), (0.29, 0.95)), _WHITE)
    p.polygon(((0.3, 0.28), (0.64, 0.25), (0.67, 0.38), (0.33, 0.41)), None, 226)


def _hat(p: _Pen) -> None:
    p.ellipse(0.5, 0.74, 0.44, 0.12, None, 184)
    p.curve(((0.26, 0.7), (0.29, 0.28), (0.5, 0.2), (0.71, 0.28), (0.74, 0.7), (0.5, 0.76)))
    p.polygon(((0.265, 0.6), (0.735, 0.6), (0.74, 0.69), (0.26, 0.69)), _DARK)


def _umbrella(p: _Pen) -> None:
    p.line(((0.5, 0.3), (0.5, 0.84), (0.56, 0.92), (0.64, 0.88)), 0.035, _STEM)
    p.curve(
        (
            (0.06, 0.54),
            (0.14, 0.3),
            (0.36, 0.12),
            (0.64, 0.12),
            (0.86, 0.3),
            (0.94, 0.54),
            (0.72, 0.49),
            (0.5, 0.54),
            (0.28, 0.49),
        )
    )
    p.line(((0.5, 0.12), (0.5, 0.53)), 0.012, None, 160)


def _balloon(p: _Pen) -> None:
    p.line(((0.5, 0.74), (0.46, 0.84), (0.54, 0.97)), 0.014, _DARK)
    p.curve(
        (
            (0.5, 0.05),
            (0.74, 0.16),
            (0.8, 0.42),
            (0.66, 0.64),
            (0.5, 0.74),
            (0.34, 0.64),
            (0.2, 0.42),
            (0.26, 0.16),
        )
    )
    p.polygon(((0.5, 0.72), (0.45, 0.8), (0.55, 0.8)), None, 170)
    p.ellipse(0.37, 0.28, 0.05, 0.09, None, 230, 25)


def _frog(p: _Pen) -> None:
    for x in (0.2, 0.8):
        p.ellipse(x, 0.74, 0.16, 0.13, None, 180)
    p.ellipse(0.5, 0.62, 0.35, 0.27)
    for x in (0.32, 0.68):
        p.ellipse(x, 0.34, 0.12, 0.12)
        p.ellipse(x, 0.33, 0.065, 0.065, _WHITE)
        p.ellipse(x, 0.34, 0.035, 0.035, _DARK)
    p.line(((0.3, 0.62), (0.42, 0.7), (0.58, 0.7), (0.7, 0.62)), 0.02, None, 120)


def _whale(p: _Pen) -> None:
    p.curve(
        (
            (0.06, 0.56),
            (0.14, 0.38),
            (0.4, 0.32),
            (0.66, 0.44),
            (0.84, 0.4),
            (0.86, 0.22),
            (0.98, 0.26),
            (0.94, 0.5),
            (0.76, 0.74),
            (0.4, 0.82),
            (0.12, 0.74),
        )
    )
    p.ellipse(0.22, 0.54, 0.025, 0.025, _DARK)
    p.line(((0.08, 0.66), (0.3, 0.7), (0.5, 0.68)), 0.016, None, 140)


DRAWINGS: dict[str, Callable[[_Pen], None]] = {
    "potato": _potato, "apple": _apple, "orange": _orange, "banana": _banana, "carrot": _carrot,
    "pear": _pear, "eggplant": _eggplant, "egg": _egg, "sandwich": _sandwich, "taco": _taco,
    "pig": _pig, "elephant": _elephant, "frog": _frog, "fish": _fish, "whale": _whale,
    "bucket": _bucket, "cup": _cup, "bottle": _bottle, "chair": _chair, "book": _book,
    "car": _car, "house": _house, "hat": _hat, "umbrella": _umbrella, "balloon": _balloon,
}  # fmt: skip


@lru_cache(maxsize=1)
def drawn_icons() -> tuple[Icon, ...]:
    """The icons that are drawn here, one a subject."""
    icons = []
    for subject, draw in DRAWINGS.items():
        pen = _Pen()
        draw(pen)
        icons.append(pen.icon(subject))
    return tuple(icons)


def read_icons(folder: Path) -> tuple[Icon, ...]:
    """Icons from a folder of PNG files with transparency, named by subject (``apple.png``).

    The commonest colour of an icon, with its shades, is taken for the body that is painted.

    Raises
    ------
    UsageError
        No file of the folder is named like a subject, or one has no transparency.
    """
    from bench.colour import memberships

    icons = []
    for path in sorted(folder.glob("*.png")):
        if path.stem not in SUBJECTS:
            continue
        with Image.open(path) as image:
            rgba = np.asarray(image.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        mask = rgba[..., 3].astype(np.float32) / 255
        if mask.min() > 0.5:
            raise UsageError(f"{path} has no transparent part; expected an icon that is cut out")
        rgb = rgba[..., :3]
        named = memberships(rgb)
        main = int(np.einsum("hw,hwc->c", mask, named).argmax())
        body = mask * (named[..., main] > 0.3)
        light = rgb.astype(np.float32).max(-1)
        scale = 200 / max(float(np.median(light[body > 0.5])), 1.0) if (body > 0.5).any() else 1.0
        gray = np.clip(light * scale, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)
        colour = np.where((body > 0.5)[..., None], gray, rgb)
        icons.append(Icon(path.stem, colour, mask, body.astype(np.float32)))
    if not icons:
        raise UsageError(
            f"no PNG of {folder} is named like a subject; known: {', '.join(SUBJECTS)}"
        )
    return tuple(icons)

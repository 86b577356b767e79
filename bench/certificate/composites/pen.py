"""A pen that draws icons: ellipses, polygons, lines and smooth curves on a unit square."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from bench.certificate.composites.icon import SIDE, Icon

#: Factor by which an icon is drawn larger, for smooth edges.
_OVER = 4

Points = tuple[tuple[float, float], ...]
#: A colour that the thing keeps whatever it is painted; None is the body.
Paint = tuple[int, int, int] | None
Drawing = Callable[["Pen"], None]

LEAF, STEM, DARK = (62, 140, 58), (96, 66, 40), (44, 44, 50)
GLASS, WHITE, STEEL = (190, 222, 236), (240, 240, 236), (150, 154, 160)


class Pen:
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
        paint: Paint,
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
        paint: Paint = None,
        tone: int = 200,
        turn: float = 0.0,
    ) -> None:
        """Fill an ellipse about (x, y), turned by so many degrees."""
        angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        u, v = rx * np.cos(angle), ry * np.sin(angle)
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        self.polygon(tuple(zip(x + c * u - s * v, y + s * u + c * v, strict=True)), paint, tone)

    def polygon(self, points: Points, paint: Paint = None, tone: int = 200) -> None:
        """Fill a polygon."""
        at = [(float(x) * self.side, float(y) * self.side) for x, y in points]
        self._fill(lambda d, fill: d.polygon(at, fill=fill), paint, tone)

    def curve(self, points: Points, paint: Paint = None, tone: int = 200) -> None:
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

    def line(self, points: Points, width: float, paint: Paint = None, tone: int = 200) -> None:
        """Draw a line through the points."""
        at = [(x * self.side, y * self.side) for x, y in points]
        wide = round(width * self.side)
        self._fill(lambda d, fill: d.line(at, fill=fill, width=wide, joint="curve"), paint, tone)

    def hole(self, x: float, y: float, rx: float, ry: float) -> None:
        """Take an upright ellipse out of the thing."""
        box = [c * self.side for c in (x - rx, y - ry, x + rx, y + ry)]
        for layer in (self.mask, self.body):
            ImageDraw.Draw(layer).ellipse(box, fill=0)

    def icon(self, subject: str) -> Icon:
        """Return what was drawn."""

        def small(image: Image.Image) -> np.ndarray:
            return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))

        mask, body = (small(i).astype(np.float32) / 255 for i in (self.mask, self.body))
        return Icon(subject, small(self.colour), mask, np.minimum(body, mask))

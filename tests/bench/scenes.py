"""Small drawn scenes with exact masks: a ball on a plate before a wall, in paints of choice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.judge.colour.named import resolve
from bench.judge.colour.spaces import from_linear, to_linear
from bench.records import Generation, Regions
from prompts.cells import Binding, Cell, Sample

TAN = "#b9884f"


@dataclass(frozen=True)
class Scene:
    """A picture to draw; paints are colour words or codes.

    ``share`` of the subject has the paint ``subject``, the rest ``rest``, split by ``pattern``.
    ``light`` is the linear RGB of the light, ``shading`` how far the ball darkens to its rim,
    ``gloss`` the radius of a highlight as a share of the ball's.
    """

    subject: str = TAN
    rest: str = TAN
    share: float = 1.0
    plate: str = "#d8d2c8"
    wall: str = "#a9b0a8"
    table: str = "#8a6f55"
    size: int = 64
    pattern: str = "halves"
    shading: float = 0.0
    gloss: float = 0.0
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 0.0
    second: str | None = None

    def but(self, **changes: object) -> Scene:
        return replace(self, **changes)


def _paint(words: str) -> np.ndarray:
    return to_linear(np.array(resolve(words)) / 255.0)


def draw(scene: Scene) -> tuple[np.ndarray, Regions]:
    """The picture, uint8 (H, W, 3), and its exact regions: ball or balls, plate, ground."""
    size = scene.size
    y, x = np.mgrid[0:size, 0:size] / size + 0.5 / size
    picture = np.where((y < 0.6)[..., None], _paint(scene.wall), _paint(scene.table))
    plate = ((x - 0.5) / 0.46) ** 2 + ((y - 0.78) / 0.18) ** 2 < 1
    picture[plate] = _paint(scene.plate)
    centres = [(0.5, 0.5)] if scene.second is None else [(0.28, 0.5), (0.72, 0.5)]
    radius = 0.3 if scene.second is None else 0.2
    balls = []
    for index, (cx, cy) in enumerate(centres):
        distance = np.hypot(x - cx, y - cy) / radius
        ball = distance < 1
        paint = np.broadcast_to(
            _paint(scene.subject if index == 0 else str(scene.second)), (size, size, 3)
        ).copy()
        if scene.share < 1:
            order = {"halves": x, "stripes": (x * 8) % 1 + 1e-3 * x, "rings": distance}[
                scene.pattern
            ]
            limit = np.quantile(order[ball], scene.share)
            paint[order > limit] = _paint(scene.rest)
        factor = (
            1
            - scene.shading
            * np.clip(np.hypot(x - cx + 0.3 * radius, y - cy + 0.3 * radius) / (1.3 * radius), 0, 1)
            ** 2
        )
        picture[ball] = (paint * factor[..., None])[ball]
        if scene.gloss:
            spot = np.exp(
                -(
                    (
                        np.hypot(x - cx + 0.35 * radius, y - cy + 0.35 * radius)
                        / (scene.gloss * radius)
                    )
                    ** 4
                )
            )
            picture[ball] += (spot[..., None] * 0.9)[ball]
        balls.append(ball)
    picture = picture * np.array(scene.light)
    encoded = from_linear(picture) * 255
    if scene.noise:
        encoded = encoded + np.random.default_rng(0).normal(0, scene.noise, encoded.shape)
    image = np.clip(np.round(encoded), 0, 255).astype(np.uint8)
    masks = np.stack(balls).astype(np.float32)
    on_plate = plate & ~np.any(balls, axis=0)
    ground = ~(on_plate | np.any(balls, axis=0))
    names = ("potato",) if scene.second is None else ("potato", "cup")
    regions = Regions(
        names,
        masks,
        np.ones(len(masks), dtype=np.float32),
        ("plate",),
        on_plate[None].astype(np.float32),
        ground.astype(np.float32),
        "exact",
    )
    return image, regions


def single(
    colour: str | None = "blue", subject: str = "potato", scenery: tuple[Binding, ...] = ()
) -> Cell:
    return Cell(
        f"single/{colour}/{subject}",
        f"a {colour} {subject}",
        (Binding(colour, subject),),
        "single",
        f"control/{subject}",
        scenery,
    )


def pair(first: str = "red", second: str = "blue") -> Cell:
    return Cell(
        f"pair/{first}/{second}",
        f"a {first} potato and a {second} cup",
        (Binding(first, "potato"), Binding(second, "cup")),
        "pair",
        "control/potato/cup",
    )


def generation(image: np.ndarray, cell: Cell, invalid: str | None = None) -> Generation:
    return Generation(Sample(cell, 0), image, invalid=invalid)

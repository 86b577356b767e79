"""A plan in three dimensions: where things stand, in which paint and light, seen from where.

The scene is a description of its own (`PhotorealScene`), which `reference_models.photoreal.render`
hands to Mitsuba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_models.photoreal.draws import Draws
from reference_models.photoreal.meshes import Mesh, displaced, joined, moved, revolution
from reference_models.photoreal.paint import colour_of, painted, surface
from reference_models.photoreal.plan import THINGS, PlannedThing, ScenePlan
from reference_models.photoreal.thing import Thing, box, standing

#: Values of the pixels of a mask: places first, then body and details of each thing.
WALL, SUPPORT, PLATE, FRAME, FIRST = 0, 1, 2, 3, 4
#: Lights of every scene; some may be off.
LIGHTS = 3
#: No thing reaches further from the origin, and no light comes nearer.
REACH = 2.6
#: Places of the things of a crowd, in gaps beside and in steps behind the middle.
_CROWD = ((0, 0), (0.8, 0.2), (-0.8, 0.1), (0.5, 0.9), (-0.4, 1.0), (0.1, -0.9))
#: Things that hang in the air or on the wall rather than stand.
_FLOATS = frozenset({"balloon"})


@dataclass(frozen=True, slots=True, eq=False)
class ScenePiece:
    """A mesh with a colour for each vertex.

    Attributes
    ----------
    mesh : Mesh
    srgb : ndarray, float (V, 3)
        In [0, 1].
    label : int
        Value of its pixels in the mask.
    roughness : float
    """

    mesh: Mesh
    srgb: np.ndarray
    label: int
    roughness: float


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """A sphere that shines: centre, radius, radiance (3,)."""

    centre: tuple[float, float, float]
    radius: float
    radiance: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class PhotorealScene:
    """A scene ready to be rendered.

    Attributes
    ----------
    pieces : tuple of ScenePiece
    wall, support : ndarray, float (S, S, 3)
        SRGB pictures on both.
    wall_at : float
        Distance of the wall behind the origin.
    shine : (float, float)
        Roughness of wall and support.
    lights : tuple of Light
    ambient : ndarray, float (3,)
        Radiance of the surroundings.
    eye, target : (3,)
    view : float
        Field of view, degrees.
    aperture : float
        Radius of the lens.
    paints : (ndarray, ndarray)
        SRGB of the first thing's paint and of its second one.
    """

    pieces: tuple[ScenePiece, ...]
    wall: np.ndarray
    support: np.ndarray
    wall_at: float
    shine: tuple[float, float]
    lights: tuple[Light, ...]
    ambient: np.ndarray
    eye: np.ndarray
    target: np.ndarray
    view: float
    aperture: float
    paints: tuple[np.ndarray, np.ndarray]


def build(plan: ScenePlan, d: Draws, photo: np.ndarray | None = None) -> PhotorealScene:
    """Build the scene of a plan.

    Parameters
    ----------
    plan : ScenePlan
    d : Draws
    photo : ndarray or None, float (S, S, 3)
        A photograph whose light and dark patterns the wall.
    """
    pieces: list[ScenePiece] = []
    low = d.chance(0.18)
    count = len(plan.drawn)
    gap = d.uniform(0.8, 1.25)
    if plan.layout == "touching":
        gap = d.uniform(0.4, 0.8)
    paints: list[tuple[np.ndarray, np.ndarray]] = []
    for k, one in enumerate(plan.drawn):
        size = d.uniform(0.8, 1.15)
        x = 0.0 if count == 1 else (k - 0.5) * gap
        y = d.uniform(-0.25, 0.25) if count > 1 else 0.0
        if plan.layout == "crowd":
            size *= d.uniform(0.5, 1.0)
            x, y = _CROWD[k % len(_CROWD)]
            x, y = gap * x + d.uniform(-0.2, 0.2), 0.8 * y + d.uniform(-0.2, 0.2)
        lift = 0.06 if plan.plate is not None and count == 1 else 0.0
        lift += d.uniform(0.15, 0.5) if one.name in _FLOATS else 0.0
        first = colour_of(one.colour, d)
        second = first if one.second is None else colour_of(one.second, d)
        paints.append((first, second))
        pieces += _thing(one, k, d, size, (x, y, lift), paints[-1])
    if plan.plate is not None:
        pieces.append(_plate(plan.plate, d))
    wall_at = d.uniform(0.9, 4.0)
    if plan.frame is not None:
        wall_at = d.uniform(0.9, 1.6)
        pieces += _frame(plan.frame, d, wall_at)
    top = plan.wall is None and plan.frame is None and d.chance(0.12) and plan.verdict != "spilled"
    rise = 80.0 if top else d.uniform(4, 16) if low else d.uniform(14, 48)
    if plan.frame is not None or (plan.wall is not None and plan.verdict != "bound"):
        rise = min(rise, d.uniform(6, 24))
    span = (1.5 if count > 1 else 0.9) * d.uniform(0.8, 2.2) + 0.35
    if plan.plate is not None or plan.frame is not None:
        span = max(span, d.uniform(1.7, 2.4))
    if d.chance(0.12) and plan.verdict in ("bound", "prior", "wrong", "mixed"):
        span = d.uniform(0.65, 0.9)
    if plan.layout == "crowd":
        span = d.uniform(1.8, 3.2)
    elif plan.layout == "small":
        span *= d.uniform(1.3, 2.0)
    elif plan.layout == "close":
        span = d.uniform(0.5, 0.8)
    view = d.uniform(24, 50)
    distance = span / (2 * np.tan(np.radians(view / 2))) + 0.3
    turn = np.radians(d.uniform(-35, 35))
    target = np.array([d.uniform(-0.15, 0.15) * span, 0, 0.38 + d.uniform(-0.1, 0.1) * span])
    if plan.frame is not None:
        target[2] += 0.25
    up = np.radians(rise)
    eye = target + distance * np.array(
        [np.cos(up) * np.sin(turn), -np.cos(up) * np.cos(turn), np.sin(up)]
    )
    eye[2] = max(eye[2], 0.12)
    tint = 1 + d.shape(0, 0.12) * d.rng.uniform(-1, 1, 3)
    on = (True, d.chance(0.5), d.chance(0.2))
    lights = tuple(_light(d, tint * there, eye, target) for there in on)
    if plan.wall is not None or plan.support is not None:
        photo = None
    return PhotorealScene(
        tuple(pieces),
        surface(colour_of(plan.wall, d), d, photo),
        surface(colour_of(plan.support, d), d),
        wall_at,
        (d.uniform(0.5, 1.0), d.uniform(0.15, 1.0)),
        lights,
        d.uniform(0.25, 1.0) * tint,
        eye,
        target,
        view,
        d.uniform(0.02, 0.07) if d.chance(0.4) else 0.002,
        paints[0] if paints else (np.zeros(3), np.zeros(3)),
    )


def _light(d: Draws, radiance: np.ndarray, eye: np.ndarray, target: np.ndarray) -> Light:
    """A light out of view; one that is off lies under the floor."""
    radius = d.shape(0.15, 1.4)
    bright = radiance * d.uniform(4, 14) / radius**2
    ahead = (target - eye) / np.linalg.norm(target - eye)
    for _ in range(30):
        angle, high, far = d.uniform(-2.6, 2.6), d.uniform(0.5, 1.3), d.uniform(3.6, 5.5)
        flat = far * np.cos(high)
        centre = np.array([flat * np.sin(angle), -flat * abs(np.cos(angle)), far * np.sin(high)])
        way = centre - eye
        # Twice its size beside the widest view; not about the lens.
        if way @ ahead < 0.55 * np.linalg.norm(way) - 2 * radius and np.linalg.norm(way) > 1.5:
            break
    else:
        centre = np.array([0.0, -6.0, 6.0])
    if not radiance.any():
        centre = np.array([0.0, 0.0, -20.0])
    return Light((float(centre[0]), float(centre[1]), float(centre[2])), radius, bright)


def _thing(
    one: PlannedThing,
    k: int,
    d: Draws,
    size: float,
    at: tuple[float, float, float],
    paints: tuple[np.ndarray, np.ndarray],
) -> list[ScenePiece]:
    thing: Thing = standing(THINGS[one.name](d))
    if one.name in ("clock", "book", "house"):
        turn = d.uniform(-35, 35)
    elif one.name in ("umbrella", "tire", "taco", "banana"):
        turn = d.uniform(-60, 60)
    else:
        turn = d.uniform(0, 360)
    glossy = d.chance(0.5)
    rough = d.uniform(0.12, 0.4) if glossy else d.uniform(0.5, 1.0)
    pieces = []
    for part in thing:
        mesh = moved(part.mesh, at, size, ("z", turn))
        if part.own is None:
            around = (mesh.vertices - np.asarray(at)) / size
            srgb = painted(around, *paints, one.pattern, d)
        else:
            own = np.clip(np.array(part.own) / 255 * d.uniform(0.8, 1.15), 0.02, 0.95)
            srgb = np.broadcast_to(own, mesh.vertices.shape)
        label = FIRST + 2 * k + (part.own is not None)
        pieces.append(ScenePiece(mesh, srgb, label, rough))
    return pieces


def _plate(term: str, d: Draws) -> ScenePiece:
    wide, rim = d.shape(0.75, 0.95), d.uniform(0.05, 0.12)
    inner = wide * d.uniform(0.55, 0.8)
    profile = [(0.01, 0.0), (inner, 0.005), (wide, rim), (wide - 0.02, rim + 0.015),
               (inner - 0.02, 0.04), (0.01, 0.035)]  # fmt: skip
    mesh = revolution(profile, 96)
    return ScenePiece(
        mesh,
        painted(mesh.vertices, (paint := colour_of(term, d)), paint, "plain", d),
        PLATE,
        d.uniform(0.1, 0.5),
    )


def _frame(term: str, d: Draws, wall_at: float) -> list[ScenePiece]:
    wide, high, thick = d.uniform(0.5, 0.9), d.uniform(0.45, 0.75), d.uniform(0.07, 0.14)
    x, z, y = d.uniform(-0.5, 0.5), 0.75 + d.uniform(0.1, 0.4), wall_at - 0.04
    bars = [box((x + s * wide, y, z), (thick, 0.04, high + thick)) for s in (-1, 1)]
    bars += [box((x, y, z + s * high), (wide + thick, 0.04, thick)) for s in (-1, 1)]
    ring = joined(*bars)
    inside = displaced(box((x, wall_at - 0.01, z), (wide, 0.01, high)), 0.0, d.rng)
    quiet = colour_of(None, d)
    return [
        ScenePiece(
            ring,
            painted(ring.vertices, (paint := colour_of(term, d)), paint, "plain", d),
            FRAME,
            d.uniform(0.2, 0.9),
        ),
        ScenePiece(inside, painted(inside.vertices, quiet, quiet, "plain", d), WALL, 0.8),
    ]

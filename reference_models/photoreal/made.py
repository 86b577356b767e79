"""Things that are made: vessels, furniture, vehicles, clothes."""

from __future__ import annotations

import numpy as np

from reference_models.photoreal.draws import Draws
from reference_models.photoreal.meshes import (
    Mesh,
    blobs,
    moved,
    revolution,
    smooth_profile,
    superquadric,
    tube,
)
from reference_models.photoreal.thing import (
    DARK,
    GLASS,
    GREEN,
    METAL,
    PALE,
    STEM,
    Builder,
    Thing,
    body,
    box,
    detail,
    rod,
)


def _turned(*points: tuple[float, float]) -> Mesh:
    return revolution(smooth_profile(points))


def _ring(radius: float, thick: float, turn: tuple[str, float] | None = None,
          start: float = 0.0, end: float = 2 * np.pi) -> Mesh:  # fmt: skip
    t = np.linspace(start, end, 49)
    points = np.stack([radius * np.cos(t), radius * np.sin(t), 0 * t], 1)
    return moved(tube(points, np.full(49, thick), 20), turn=turn)


def _vessel(low: float, wide: float, high: float, wall: float = 0.06) -> Mesh:
    """An open vessel with an inside."""
    return revolution([
        (0.01, 0), (low, 0), (low + 0.02, 0.03), (wide, high), (wide - wall, high),
        (low - wall, wall), (0.01, wall),
    ])  # fmt: skip


def tire(d: Draws) -> Thing:
    """A thick ring with grooves, standing or lying, at times with a rim."""
    thick, outer = d.shape(0.25, 0.33), 1.0
    inner = outer - 1.5 * thick
    profile = smooth_profile([
        (inner, 0), (inner + 0.02, thick * 0.8), (0.82, thick), (0.97, thick * 0.75), (outer, 0),
        (0.97, -thick * 0.75), (0.82, -thick), (inner + 0.02, -thick * 0.8), (inner, 0),
    ], 90)  # fmt: skip
    mesh = revolution(profile[::-1], 144)
    v = mesh.vertices.copy()
    far = np.hypot(v[:, 0], v[:, 1])
    groove = (np.sin(40 * np.arctan2(v[:, 1], v[:, 0])) > 0.3) & (far > 0.93)
    v[groove, :2] *= 0.97
    turn = ("x", 90.0 if d.chance(0.6) else 0.0)
    parts = [body(moved(Mesh(v, mesh.faces), turn=turn))]
    if d.chance(0.4):
        rim = superquadric((inner + 0.02, inner + 0.02, 0.1), 0.2, 1)
        parts.append(detail(METAL, moved(rim, turn=turn)))
    return parts


def bucket(d: Draws) -> Thing:
    """Open, wider above, with a wire handle."""
    pail = _vessel(d.shape(0.5, 0.62), d.shape(0.72, 0.8), d.shape(1.1, 1.4))
    high = pail.vertices[:, 2].max()
    wire = moved(_ring(0.75, 0.025, ("x", 65), 0, np.pi), (0, 0, high - 0.05))
    return [body(pail), detail(METAL, wire)]


def cup(d: Draws) -> Thing:
    """With a handle of its own colour, at times holding something dark."""
    high = d.shape(0.8, 1.15)
    mug = _vessel(d.shape(0.42, 0.34), d.shape(0.46, 0.6), high, 0.05)
    ear = moved(_ring(0.27 * high, 0.06, ("x", 90)), (0.58, 0, 0.5 * high))
    tea = moved(superquadric((0.42, 0.42, 0.01)), (0, 0, 0.8 * high))
    parts = [body(mug, ear)]
    return [*parts, detail((70, 40, 20), tea)] if d.chance(0.4) else parts


def bottle(d: Draws) -> Thing:
    """A neck and a cap."""
    wide, shoulder = d.shape(0.36, 0.46), d.shape(1.2, 1.0)
    glass = _turned((0.01, 0), (wide, 0.02), (wide, 0.3), (wide, shoulder), (0.15, shoulder + 0.4),
                    (0.14, shoulder + 0.8), (0.01, shoulder + 0.81))  # fmt: skip
    cap = moved(superquadric((0.16, 0.16, 0.09), 0.2, 1), (0, 0, shoulder + 0.82))
    parts = [body(glass), detail(METAL if d.chance(0.5) else STEM, cap)]
    if d.chance(0.35):
        parts.append(detail(PALE, moved(_turned((wide + 0.01, 0.35), (wide + 0.012, 0.85)))))
    return parts


def chair(d: Draws) -> Thing:
    """A seat, a back and four legs of one colour."""
    high, back = d.shape(0.85, 1.0), d.shape(0.9, 1.2)
    seat = box((0, 0, high), (0.5, 0.5, 0.06))
    legs = [rod((x, y, 0), (0.9 * x, 0.9 * y, high), 0.055) for x in (0.45, -0.45) for y in (0.45,
            -0.45)]  # fmt: skip
    if d.chance(0.5):
        rest = [box((-0.46, 0, high + 0.5 * back), (0.05, 0.5, 0.5 * back))]
    else:
        rest = [rod((-0.45, y, high), (-0.52, y, high + back), 0.05)
                for y in np.linspace(-0.45, 0.45, 4)]  # fmt: skip
        rest.append(box((-0.52, 0, high + back), (0.06, 0.5, 0.12)))
    return [body(seat, *legs, *rest)]


def book(d: Draws) -> Thing:
    """Covers about pale pages, lying or standing."""
    thick, wide = d.shape(0.1, 0.18), d.shape(0.7, 0.8)
    covers = [box((0, 0, z), (wide, 1.0, 0.02)) for z in (0.0, 2 * thick)]
    spine = box((-wide, 0, thick), (0.03, 1.0, thick + 0.02))
    pages = box((0, 0, thick), (wide - 0.05, 0.96, thick - 0.01))
    turn = ("x", 75.0) if d.chance(0.4) else ("x", 0.0)
    return [
        body(*(moved(m, turn=turn) for m in (*covers, spine))),
        detail(PALE, moved(pages, turn=turn)),
    ]


def car(d: Draws) -> Thing:
    """A body and a cabin, windows, wheels and lamps."""
    long, roof = d.shape(1.25, 1.0), d.shape(0.28, 0.36)
    hull = superquadric((long, 0.5, 0.26), 0.35, 0.3)
    shell = moved(hull, (0, 0, 0.42))
    back = d.shape(-0.1, -0.25)
    cabin = moved(superquadric((0.62 * long, 0.42, roof), 0.55, 0.35), (back, 0, 0.72))
    glass = moved(superquadric((0.63 * long, 0.43, 0.6 * roof), 0.55, 0.4), (back, 0, 0.75))
    wheels = [
        moved(superquadric((0.24, 0.24, 0.09), 0.3, 1), (x, y, 0.22), turn=("x", 90))
        for x in (0.62 * long, -0.62 * long)
        for y in (0.46, -0.46)
    ]
    lamps = [moved(superquadric((0.06, 0.1, 0.06)), (0.97 * long, y, 0.5)) for y in (0.3, -0.3)]
    return [
        body(shell, cabin),
        detail(DARK, *wheels),
        detail((70, 84, 96), glass),
        detail(PALE, *lamps),
    ]


def _prism(half: float, deep: float, low: float, high: float) -> Mesh:
    v = np.array([[x, y, z] for y in (-deep, deep) for x, z in ((-half, low), (half, low),
                  (0, high))])  # fmt: skip
    f = np.array([[0, 1, 2], [3, 5, 4], [0, 3, 4], [0, 4, 1], [1, 4, 5], [1, 5, 2], [2, 5, 3],
                  [2, 3, 0]])  # fmt: skip
    fan = [Mesh(v[t], np.array([[0, 1, 2]])) for t in f]
    return Mesh(
        np.concatenate([m.vertices for m in fan]),
        np.concatenate([m.faces + 3 * k for k, m in enumerate(fan)]),
    )


def house(d: Draws) -> Thing:
    """Walls in the paint; roof, door and windows in their own colours."""
    high, wide = d.shape(0.9, 1.2), d.shape(0.8, 1.0)
    walls = box((0, 0, high / 2), (wide, 0.7, high / 2))
    roof = _prism(wide + 0.15, 0.82, high - 0.02, high + d.shape(0.5, 0.8))
    door = box((d.uniform(-0.3, 0.3), -0.7, 0.25), (0.13, 0.03, 0.26))
    panes = [box((x, -0.7, 0.65 * high), (0.13, 0.03, 0.13)) for x in (-0.6 * wide, 0.6 * wide)]
    panes += [box((wide, y, 0.6 * high), (0.03, 0.12, 0.14)) for y in (-0.3, 0.3)]
    return [
        body(walls),
        detail((130, 74, 58) if d.chance(0.5) else (84, 84, 90), roof),
        detail(STEM, door),
        detail(GLASS, *panes),
    ]


def hat(d: Draws) -> Thing:
    """A crown and a brim, with a band."""
    high, wide = d.shape(0.5, 0.85), d.shape(0.9, 1.1)
    felt = _turned((wide, 0.02), (wide - 0.02, 0.06), (0.55, 0.08), (0.5, 0.5 * high),
                   (0.44, 0.95 * high), (0.2, high), (0.01, 0.97 * high))  # fmt: skip
    band = _turned((0.555, 0.09), (0.535, 0.2))
    return [body(felt), detail(DARK if d.chance(0.7) else PALE, band)]


def umbrella(d: Draws) -> Thing:
    """An open canopy over a stick."""
    count, deep = 8, d.shape(0.45, 0.65)
    u, w = np.meshgrid(np.linspace(0.001, 1, 40), np.linspace(0, 2 * np.pi, 128, endpoint=False),
                       indexing="ij")  # fmt: skip
    sag = 1 - 0.1 * u**2 * np.abs(np.sin(count / 2 * w))
    x, y, z = u * sag * np.cos(w), u * sag * np.sin(w), 1.6 - deep * u**2
    from reference_models.photoreal.meshes import _grid_faces

    faces = _grid_faces(40, 128, True)
    sheet = np.stack([x, y, z], -1).reshape(-1, 3)
    under = sheet - [0, 0, 0.015]
    canopy = Mesh(
        np.concatenate([sheet, under]), np.concatenate([faces[:, ::-1], faces + len(sheet)])
    )
    t = np.linspace(0, np.pi, 16)
    hook = tube(np.stack([0.12 - 0.12 * np.cos(t), 0 * t, -0.12 * np.sin(t)], 1), np.full(16, 0.03))
    stick = [rod((0, 0, 0), (0, 0, 1.7), 0.025), hook]
    if d.chance(0.5):
        return [body(moved(canopy, turn=("y", 100))), detail(STEM, *(moved(m, turn=("y", 100))
                for m in stick))]  # fmt: skip
    return [body(canopy), detail(STEM, *stick)]


def balloon(d: Draws) -> Thing:
    """A drop with a knot and a string, hanging in the air."""
    skin = _turned((0.05, -1.05), (0.3, -0.85), (0.75, -0.2), (d.shape(0.78, 0.9), 0.25),
                   (0.5, 0.75), (0.01, 0.9))  # fmt: skip
    t = np.linspace(0, 1, 30)
    line = np.stack([0.06 * np.sin(5 * t), 0 * t, -1.1 - 0.9 * t], 1)
    knot = _turned((0.1, -1.15), (0.04, -1.05))
    return [body(skin, knot), detail(PALE, tube(line, np.full(30, 0.012), 8))]


def clock(d: Draws) -> Thing:
    """A painted dial in a ring, with hands and marks; facing the camera."""
    turn = ("x", 90.0)
    dial = revolution([(0.001, -0.1), (1, -0.1), (1, 0.1), (0.001, 0.1)])
    rim = _ring(1.0, d.shape(0.07, 0.11))
    marks = [
        moved(box((0.82, 0, 0.11), (0.07, 0.02, 0.015)), turn=("z", 30 * k)) for k in range(12)
    ]
    hands = [
        moved(box((0.3 * s, 0, 0.13), (0.3 * s, 0.03, 0.012)), turn=("z", d.uniform(0, 360)))
        for s in (1.0, 0.65)
    ]
    ring = DARK if d.chance(0.6) else METAL
    return [
        body(moved(dial, turn=turn)),
        detail(ring, moved(rim, turn=turn)),
        detail(DARK, *(moved(m, turn=turn) for m in (*marks, *hands))),
    ]


def bowl(d: Draws) -> Thing:
    """Wide and open."""
    deep = d.shape(0.5, 0.8)
    return [body(_turned((0.01, 0), (0.4, 0.02), (0.8, 0.4 * deep), (1.0, deep), (0.95, deep),
                         (0.72, 0.45 * deep), (0.35, 0.09), (0.01, 0.08)))]  # fmt: skip


def vase(d: Draws) -> Thing:
    """A belly and a neck, at times with flowers."""
    belly, neck = d.shape(0.5, 0.7), d.shape(0.2, 0.3)
    skin = _turned((0.01, 0), (0.32, 0.02), (belly, 0.6), (neck, 1.25), (neck + 0.12, 1.55),
                   (neck + 0.07, 1.55), (neck - 0.06, 1.25), (0.01, 1.0))  # fmt: skip
    if d.chance(0.6):
        return [body(skin)]
    stalks = [rod((0, 0, 1.1), (d.uniform(-0.4, 0.4), d.uniform(-0.3, 0.3), 2.1), 0.02)
              for _ in range(4)]  # fmt: skip
    heads = [moved(superquadric((0.14, 0.14, 0.1)), s.vertices[-1]) for s in stalks]
    return [body(skin), detail(GREEN, *stalks), detail((220, 90, 130), *heads)]


def ball(d: Draws) -> Thing:
    """A ball."""
    return [body(superquadric((1, 1, 1), n=72))]


def package(d: Draws) -> Thing:
    """A closed box."""
    half = (d.shape(1.0, 0.7), d.shape(0.7, 1.0), d.shape(0.6, 0.9))
    parts = [body(box((0, 0, half[2]), half))]
    if d.chance(0.4):
        tape = box((0, 0, half[2]), (0.12, half[1] + 0.004, half[2] + 0.004))
        parts.append(detail((196, 160, 110), tape))
    return parts


def bench(d: Draws) -> Thing:
    """Planks on iron legs."""
    planks = [box((0, y, 0.6), (1.3, 0.08, 0.035)) for y in (-0.25, -0.05, 0.15)]
    planks += [box((0, 0.3, z), (1.3, 0.03, 0.09)) for z in (0.8, 1.05)]
    legs = [box((x, 0, 0.3), (0.05, 0.3, 0.3)) for x in (-1.1, 1.1)]
    legs += [box((x, 0.34, 0.8), (0.05, 0.03, 0.35)) for x in (-1.1, 1.1)]
    return [body(*planks), detail(DARK, *legs)]


def suitcase(d: Draws) -> Thing:
    """A case with a handle, corners and a seam."""
    wide, high = d.shape(0.7, 1.0), d.shape(0.9, 0.7)
    case = moved(superquadric((wide, 0.25, high), 0.15, 0.25), (0, 0, high))
    grip = moved(_ring(0.2, 0.035, ("x", 90), 0, np.pi), (0, 0, 2 * high))
    seam = moved(superquadric((wide + 0.008, 0.03, high + 0.008), 0.15, 0.2), (0, 0, high))
    return [body(case), detail(DARK, grip, seam)]


def teapot(d: Draws) -> Thing:
    """Belly, lid, spout and handle of one colour."""
    pot = _turned((0.01, 0), (0.45, 0.02), (d.shape(0.75, 0.9), 0.45), (0.4, 0.9), (0.35, 0.95),
                  (0.1, 1.08), (0.09, 1.18), (0.01, 1.25))  # fmt: skip
    t = np.linspace(0, 1, 20)[:, None]
    spout = tube(np.concatenate([0.6 + 0.6 * t, 0 * t, 0.35 + 0.6 * t**1.5], 1),
                 np.linspace(0.16, 0.07, 20))  # fmt: skip
    ear = moved(_ring(0.32, 0.06, ("x", 90), 0.5 * np.pi, 1.5 * np.pi), (-0.7, 0, 0.5))
    return [body(pot, spout, ear)]


def lamp(d: Draws) -> Thing:
    """A shade on a foot."""
    shade = revolution([(0.66, 0.9), (d.shape(0.3, 0.42), 1.6), (0.3, 1.58), (0.64, 0.92)])
    foot = _turned((0.01, 0), (0.4, 0.02), (0.36, 0.08), (0.08, 0.2), (0.16, 0.5), (0.05, 1.0))
    return [body(shade), detail(METAL if d.chance(0.5) else STEM, foot)]


def backpack(d: Draws) -> Thing:
    """A sack with a pocket and straps."""
    sack = blobs([((0, 0, 0.75), (0.55, 0.34, 0.75)), ((0, -0.3, 0.45), (0.4, 0.2, 0.32)),
                  ((0, 0, 1.2), (0.45, 0.3, 0.35))], 0.06)  # fmt: skip
    zips = [_ring(0.42, 0.02, ("x", 90), 0.2, np.pi - 0.2)]
    loop = moved(_ring(0.12, 0.03, ("x", 90), 0, np.pi), (0, 0, 1.5))
    return [body(sack), detail(DARK, loop, moved(zips[0], (0, -0.33, 0.7)))]


def donut(d: Draws) -> Thing:
    """A ring of dough under a glaze that wears the paint."""
    glaze = moved(_ring(0.65, 0.33), scale=(1, 1, 0.9))
    dough = moved(_ring(0.66, 0.34), (0, 0, -0.12), (1, 1, 0.85))
    return [body(moved(glaze, (0, 0, 0.05))), detail((196, 140, 80), dough)]


def bus(d: Draws) -> Thing:
    """A long box with a row of windows."""
    long = d.shape(1.4, 1.7)
    shell = moved(superquadric((long, 0.45, 0.55), 0.15, 0.15), (0, 0, 0.75))
    panes = [box((x, 0, 0.95), (0.16, 0.46, 0.16)) for x in np.linspace(-0.8, 0.8, 5) * long]
    wheels = [
        moved(superquadric((0.22, 0.22, 0.1), 0.3, 1), (x * long, y, 0.2), turn=("x", 90))
        for x in (0.65, -0.6)
        for y in (0.42, -0.42)
    ]
    front = box((long, 0, 0.95), (0.02, 0.38, 0.2))
    return [body(shell), detail((60, 74, 86), *panes, front), detail(DARK, *wheels)]


def sofa(d: Draws) -> Thing:
    """A seat, a back and two arms."""
    wide = d.shape(0.8, 1.2)
    parts = [((0, 0.0, 0.35), (wide, 0.5, 0.2)), ((0, 0.45, 0.75), (wide, 0.16, 0.45))]
    meshes = [moved(superquadric(h, 0.3, 0.25), c) for c, h in parts]
    meshes += [moved(superquadric((0.15, 0.5, 0.34), 0.3, 0.25), (x, 0, 0.5)) for x in (-wide,
               wide)]  # fmt: skip
    feet = [rod((x, y, 0), (x, y, 0.2), 0.05) for x in (-0.8 * wide, 0.8 * wide) for y in (-0.4,
            0.4)]  # fmt: skip
    return [body(*meshes), detail(STEM, *feet)]


def can(d: Draws) -> Thing:
    """A drink can: bright metal ends."""
    high = d.shape(1.5, 1.9)
    side = _turned((0.45, 0.05), (0.5, 0.12), (0.5, high - 0.12), (0.44, high))
    ends = [moved(superquadric((0.44, 0.44, 0.03), 0.3, 1), (0, 0, z)) for z in (0.05, high)]
    return [body(side), detail(METAL, *ends)]


def candle(d: Draws) -> Thing:
    """A cylinder with a wick."""
    high = d.shape(0.9, 1.5)
    wax = _turned((0.01, 0), (0.4, 0.02), (0.4, high - 0.05), (0.36, high), (0.01, high - 0.03))
    return [body(wax), detail(DARK, rod((0, 0, high - 0.05), (0.02, 0, high + 0.15), 0.02))]


def boot(d: Draws) -> Thing:
    """A shaft, a foot and a dark sole."""
    leather = blobs([((0, 0, 0.8), (0.24, 0.22, 0.75)), ((0.25, 0, 0.22), (0.5, 0.22, 0.2)),
                     ((0, 0, 1.3), (0.27, 0.24, 0.3))], 0.06)  # fmt: skip
    return [body(leather), detail(DARK, box((0.2, 0, 0.02), (0.58, 0.24, 0.05)))]


MADE: dict[str, Builder] = {
    "tire": tire, "bucket": bucket, "cup": cup, "bottle": bottle, "chair": chair, "book": book,
    "car": car, "house": house, "hat": hat, "umbrella": umbrella, "balloon": balloon,
    "clock": clock, "bowl": bowl, "vase": vase, "ball": ball, "box": package, "bench": bench,
    "suitcase": suitcase, "teapot": teapot, "lamp": lamp, "backpack": backpack, "donut": donut,
    "bus": bus, "sofa": sofa, "can": can, "candle": candle, "boot": boot,
}  # fmt: skip

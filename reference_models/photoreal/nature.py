"""Food, plants and animals."""

from __future__ import annotations

import numpy as np

from reference_models.photoreal.draws import Draws
from reference_models.photoreal.meshes import (
    Mesh,
    blobs,
    displaced,
    moved,
    revolution,
    smooth_profile,
    superquadric,
    tube,
)
from reference_models.photoreal.thing import (
    DARK,
    GREEN,
    PALE,
    STEM,
    Builder,
    Thing,
    bend,
    body,
    detail,
    rod,
)

#: Centre and half axes.
Blob = tuple[tuple[float, float, float], tuple[float, float, float]]


def _turned(*points: tuple[float, float]) -> Mesh:
    return revolution(smooth_profile(points))


def _leaf(d: Draws, at: tuple[float, float, float], size: float) -> Mesh:
    return moved(superquadric((size, 0.45 * size, 0.03)), at, turn=("y", d.uniform(-40, 40)))


def potato(d: Draws) -> Thing:
    """A lumpy ellipsoid."""
    size = (1.0, d.shape(0.62, 0.85), d.shape(0.55, 0.75))
    return [body(displaced(superquadric(size), d.shape(0.05, 0.12), d.rng))]


def _round_fruit(d: Draws, dent: float, high: float) -> Mesh:
    return _turned(
        (0.02, -high + dent), (0.35, -high), (0.85, -0.5 * high), (1.0, 0.1 * high),
        (0.85, 0.7 * high), (0.45, high), (0.12, high - dent), (0.01, high - 1.6 * dent),
    )  # fmt: skip


def apple(d: Draws) -> Thing:
    """Dented above and below, with a stem and at times a leaf."""
    high = d.shape(0.88, 1.05)
    parts = [body(_round_fruit(d, 0.2, high)), detail(STEM, rod((0, 0, 0.6), (0.1, 0, 1.2), 0.05))]
    return [*parts, detail(GREEN, _leaf(d, (0.3, 0, 1.1), 0.3))] if d.chance(0.5) else parts


def orange(d: Draws) -> Thing:
    """A ball with a fine rind."""
    ball = displaced(superquadric((1, 1, d.shape(0.92, 1.0)), n=96), 0.006, d.rng, 6)
    return [body(ball), detail(GREEN, moved(superquadric((0.07, 0.07, 0.04)), (0, 0, 0.94)))]


def banana(d: Draws) -> Thing:
    """A bent tube with dark ends, lying."""
    t = np.linspace(-1, 1, 40)
    arc = d.shape(0.7, 1.1)
    points = np.stack([np.sin(arc * t), 1 - np.cos(arc * t), 0 * t], 1)
    radius = d.shape(0.17, 0.23) * (1 - np.abs(t) ** 4 * 0.75)
    tips = [rod(points[0], points[0] + (points[0] - points[3]) * 0.7, 0.05),
            rod(points[-1], points[-1] + (points[-1] - points[-4]) * 1.3, 0.06)]  # fmt: skip
    if d.chance(0.5):
        second = tube(points * [1, 0.9, 1] + [0.05, -0.35, 0.04], radius, 24)
        return [body(tube(points, radius), second), detail(STEM, *tips)]
    return [body(tube(points, radius)), detail(STEM, *tips)]


def carrot(d: Draws) -> Thing:
    """A tapered root with leaves, lying."""
    t = np.linspace(0, 1, 40)
    points = np.stack([1.6 * t, d.uniform(-0.1, 0.1) * t**2, 0 * t], 1)
    root = displaced(tube(points, d.shape(0.2, 0.28) * (1 - 0.85 * t**1.3)), 0.02, d.rng)
    leaves = [
        rod((0, 0, 0), (-d.uniform(0.4, 0.8), d.uniform(-0.35, 0.35), d.uniform(0, 0.35)), 0.035)
        for _ in range(7)
    ]
    return [body(root), detail(GREEN, *leaves)]


def pear(d: Draws) -> Thing:
    """Wide below, narrow above."""
    neck = d.shape(0.38, 0.5)
    skin = _turned(
        (0.01, -0.9), (0.4, -1.0), (0.85, -0.7), (1.0, -0.25), (0.8, 0.3), (neck, 0.9),
        (neck * 0.8, 1.3), (0.02, 1.45),
    )  # fmt: skip
    return [
        body(bend(skin, d.uniform(0, 0.08))),
        detail(STEM, rod((0, 0, 1.3), (0.12, 0, 1.8), 0.05)),
    ]


def eggplant(d: Draws) -> Thing:
    """A lying club with a green cap."""
    skin = _turned((0.01, -1.2), (0.5, -1.1), (0.68, -0.6), (0.5, 0.3), (0.33, 0.9), (0.02, 1.1))
    cap = _turned((0.42, 0.72), (0.38, 0.98), (0.12, 1.12), (0.08, 1.5), (0.01, 1.52))
    bow = d.shape(0.05, 0.2)
    return [
        body(moved(bend(skin, bow), turn=("y", 80))),
        detail(GREEN, moved(bend(cap, bow), turn=("y", 80))),
    ]


def egg(d: Draws) -> Thing:
    """A turned oval, standing or lying."""
    skin = _turned((0.01, -1.0), (0.5, -0.87), (0.78, -0.3), (0.66, 0.4), (0.36, 0.9), (0.01, 1.08))
    return [body(moved(skin, turn=("x", 90 if d.chance(0.6) else 0)))]


def sandwich(d: Draws) -> Thing:
    """Two slices of bread about green and pale layers."""
    high, corner = d.shape(0.1, 0.16), d.shape(0.3, 0.6)
    slices = [
        displaced(moved(superquadric((1, 0.95, high), 0.3, corner), (0, 0, z)), 0.015, d.rng)
        for z in (0.0, 2.4 * high + 0.14)
    ]
    leaf = displaced(moved(superquadric((1.06, 1.0, 0.05), 0.4, 0.5), (0, 0, high + 0.05)), 0.05,
                     d.rng, 5)  # fmt: skip
    ham = moved(superquadric((0.98, 0.96, 0.06), 0.3, 0.4), (0, 0, high + 0.15))
    return [body(*slices), detail(GREEN, leaf), detail((236, 190, 150), ham)]


def taco(d: Draws) -> Thing:
    """A folded shell about a filling."""
    u, v = np.meshgrid(np.linspace(0, np.pi, 48), np.linspace(-1, 1, 33), indexing="ij")
    wide = d.shape(0.3, 0.45)

    def sheet(lift: float) -> np.ndarray:
        x, z = np.cos(u) * (1 - 0.04 * lift), np.abs(v) * np.sin(u)
        return np.stack([x, np.sign(v) * wide * np.abs(v) ** 0.6 * (1 - 0.1 * lift), z], -1)

    i, j = np.meshgrid(np.arange(47), np.arange(32))
    a = (i * 33 + j).ravel()
    faces = np.concatenate([np.stack([a, a + 33, a + 34], 1), np.stack([a, a + 34, a + 1], 1)])
    outer, inner = sheet(0).reshape(-1, 3), sheet(1).reshape(-1, 3)
    shell = Mesh(
        np.concatenate([outer, inner]), np.concatenate([faces, faces[:, ::-1] + len(outer)])
    )
    fill = [
        moved(superquadric((0.14, 0.1, 0.1)), (x, d.uniform(-0.1, 0.1), 0.9 * (1 - x * x) ** 0.5))
        for x in np.linspace(-0.8, 0.8, 9)
    ]
    return [body(shell), detail(GREEN, *fill[::2]), detail((150, 60, 40), *fill[1::2])]


def _beast(d: Draws, *, trunk: tuple[float, float, float], legs: float, head: float, up: float,
           snout: float, ear: tuple[float, float, float], tail: float) -> Thing:  # fmt: skip
    """An animal on four legs, looking along x."""
    length, wide, high = trunk
    z = legs + 0.8 * high
    thick = 0.32 * wide + 0.03
    hx, hz = length + 0.5 * head, z + up
    parts: list[Blob] = [
        ((0, 0, z), trunk),
        ((hx, 0, hz), (head, 0.9 * head, head)),
        ((hx + 0.9 * head, 0, hz - 0.25 * head), (snout, 0.5 * head, 0.45 * head)),
        ((length * 0.75, 0, (z + hz) / 2), (0.6 * head, 0.55 * head, 0.35 * abs(up) + 0.5 * head)),
        ((-length - 0.5 * tail, 0, z + 0.3 * high), (tail, 0.06, 0.07)),
    ]
    for x in (0.65 * length, -0.65 * length):
        for y in (0.5 * wide, -0.5 * wide):
            parts.append(((x, y, legs / 2), (thick, thick, legs / 2 + 0.08)))
    for y in (0.75 * head, -0.75 * head):
        parts.append(((hx - 0.1 * head, y, hz + 0.8 * head), ear))
    eyes = [
        moved(superquadric((0.14 * head,) * 3, n=16), (hx + 0.72 * head, y, hz + 0.3 * head))
        for y in (0.42 * head, -0.42 * head)
    ]
    return [body(blobs(parts, 0.05)), detail(DARK, *eyes)]


def pig(d: Draws) -> Thing:
    """Round, short legs, a short snout."""
    return _beast(d, trunk=(0.7, d.shape(0.42, 0.5), 0.42), legs=d.shape(0.3, 0.4), head=0.3,
                  up=0.12, snout=0.2, ear=(0.09, 0.06, 0.13), tail=0.1)  # fmt: skip


def elephant(d: Draws) -> Thing:
    """Large ears and a trunk that hangs down."""
    thing = _beast(d, trunk=(0.75, 0.5, d.shape(0.5, 0.58)), legs=d.shape(0.6, 0.75), head=0.36,
                   up=0.25, snout=0.2, ear=(0.08, 0.3, 0.34), tail=0.08)  # fmt: skip
    x, z = 1.25, d.shape(1.15, 1.25)
    t = np.linspace(0, 1, 24)[:, None]
    nose = tube(np.concatenate([x + 0.35 * np.sin(2.2 * t), 0 * t, z - 1.0 * t], 1),
                np.linspace(0.17, 0.07, 24), 20)  # fmt: skip
    return [body(thing[0].mesh, nose), thing[1]]


def frog(d: Draws) -> Thing:
    """Squat, with bulging eyes and folded legs."""
    wide = d.shape(0.5, 0.62)
    parts: list[Blob] = [((0, 0, 0.42), (0.62, wide, 0.36)), ((0.5, 0, 0.6), (0.36, 0.42, 0.24))]
    for y in (1, -1):
        parts += [
            ((0.55, 0.26 * y, 0.84), (0.14, 0.13, 0.14)),
            ((-0.3, 0.58 * y, 0.26), (0.45, 0.17, 0.24)),
            ((0.1, 0.78 * y, 0.07), (0.32, 0.14, 0.07)),
            ((0.55, 0.46 * y, 0.16), (0.13, 0.11, 0.2)),
            ((0.72, 0.5 * y, 0.05), (0.2, 0.12, 0.05)),
        ]
    eyes = [moved(superquadric((0.09,) * 3, n=16), (0.64, 0.28 * y, 0.88)) for y in (1, -1)]
    return [body(blobs(parts, 0.04)), detail(DARK, *eyes)]


def _swimmer(d: Draws, high: float, tail: tuple[float, float, float], fin: float) -> Thing:
    parts = [
        ((0, 0, 0), (1.0, 0.3, high)), ((-1.1, 0, 0), tail),
        ((-0.75, 0, 0), (0.45, 0.14, 0.45 * high)), ((0.0, 0, high), (0.35, 0.05, fin)),
        ((0.3, 0.35, -0.2), (0.25, 0.22, 0.05)), ((0.3, -0.35, -0.2), (0.25, 0.22, 0.05)),
    ]  # fmt: skip
    eyes = [moved(superquadric((0.07,) * 3, n=16), (0.68, y, 0.12)) for y in (0.2, -0.2)]
    return [body(blobs(parts, 0.05)), detail(DARK, *eyes)]


def fish(d: Draws) -> Thing:
    """A flat oval with an upright tail."""
    return _swimmer(d, d.shape(0.45, 0.6), (0.2, 0.06, d.shape(0.42, 0.55)), 0.25)


def whale(d: Draws) -> Thing:
    """A thick body with a level tail and a pale belly."""
    thing = _swimmer(d, d.shape(0.42, 0.5), (0.2, d.shape(0.5, 0.65), 0.06), 0.1)
    fat = moved(superquadric((0.85, 0.48, 0.44)), (0.25, 0, 0))
    belly = moved(superquadric((0.7, 0.42, 0.3)), (0.25, 0, -0.17))
    return [body(thing[0].mesh, fat), detail(PALE, belly)]


def dog(d: Draws) -> Thing:
    """Long legs, a snout, hanging ears."""
    return _beast(d, trunk=(0.62, 0.26, 0.28), legs=d.shape(0.5, 0.65), head=0.25,
                  up=d.shape(0.35, 0.45), snout=0.24, ear=(0.07, 0.06, 0.16), tail=0.3)  # fmt: skip


def cat(d: Draws) -> Thing:
    """A round head, pointed ears, a long tail."""
    return _beast(d, trunk=(0.55, 0.24, 0.25), legs=d.shape(0.38, 0.5), head=0.26, up=0.25,
                  snout=0.1, ear=(0.05, 0.07, 0.15), tail=0.45)  # fmt: skip


def sheep(d: Draws) -> Thing:
    """Fleece with a dark face and legs."""
    fleece = displaced(moved(superquadric((0.75, 0.5, 0.5), n=80), (0, 0, 0.85)), 0.07, d.rng, 6)
    legs = [rod((x, y, 0), (x, y, 0.6), 0.08) for x in (0.4, -0.4) for y in (0.22, -0.22)]
    head = moved(superquadric((0.3, 0.2, 0.22)), (0.9, 0, 1.15))
    return [body(fleece), detail(DARK, head, *legs)]


def teddy_bear(d: Draws) -> Thing:
    """Sitting, with round ears and a pale muzzle."""
    parts: list[Blob] = [((0, 0, 0.5), (0.42, 0.46, 0.52)), ((0.05, 0, 1.25), (0.38, 0.42, 0.37))]
    for y in (1, -1):
        parts += [((0, 0.34 * y, 1.56), (0.1, 0.15, 0.15)),
                  ((0.2, 0.5 * y, 0.72), (0.18, 0.16, d.shape(0.3, 0.4))),
                  ((0.5, 0.34 * y, 0.17), (0.36, 0.18, 0.18))]  # fmt: skip
    eyes = [moved(superquadric((0.05,) * 3, n=12), (0.39, 0.14 * y, 1.33)) for y in (1, -1)]
    return [
        body(blobs(parts, 0.04)),
        detail(DARK, *eyes),
        detail(PALE, moved(superquadric((0.12, 0.16, 0.13)), (0.36, 0, 1.16))),
    ]


def duck(d: Draws) -> Thing:
    """A bath duck with a bill."""
    parts = [((0, 0, 0.4), (0.75, 0.5, 0.4)), ((0.45, 0, d.shape(0.95, 1.1)), (0.34, 0.32, 0.34)),
             ((-0.75, 0, 0.65), (0.2, 0.2, 0.14)), ((0.35, 0, 0.7), (0.25, 0.25, 0.3))]  # fmt: skip
    eyes = [moved(superquadric((0.05,) * 3, n=12), (0.7, 0.17 * y, 1.1)) for y in (1, -1)]
    bill = moved(superquadric((0.2, 0.15, 0.06)), (0.88, 0, 0.95))
    return [body(blobs(parts, 0.05)), detail(DARK, *eyes), detail((236, 150, 30), bill)]


def mushroom(d: Draws) -> Thing:
    """A cap on a pale stalk."""
    cap = _turned((0.1, 0.75), (0.8, 0.7), (1.0, 0.85), (0.75, 1.2), (0.3, 1.4), (0.01, 1.43))
    stalk = _turned((0.01, 0), (0.36, 0.02), (d.shape(0.24, 0.32), 0.5), (0.28, 0.9))
    return [body(cap), detail(PALE, stalk)]


def pumpkin(d: Draws) -> Thing:
    """A ribbed ball with a stem."""
    skin = _round_fruit(d, 0.15, 0.75)
    v = skin.vertices.copy()
    ribs = 1 + 0.09 * np.abs(np.cos(4.5 * np.arctan2(v[:, 1], v[:, 0]))) - 0.05
    v[:, :2] *= ribs[:, None]
    return [body(Mesh(v, skin.faces)), detail(GREEN, rod((0, 0, 0.5), (0.12, 0, 1.05), 0.1))]


def flower(d: Draws) -> Thing:
    """Petals about a yellow middle on a green stalk."""
    count = 5 + int(d.rng.integers(5))
    petals = [
        moved(moved(superquadric((0.34, d.shape(0.14, 0.2), 0.05)), (0.42, 0, 0.1), turn=("z", 0)),
              turn=("z", 360 * k / count))
        for k in range(count)
    ]  # fmt: skip
    head = [moved(moved(p, turn=("y", 50)), (0, 0, 1.5)) for p in petals]
    middle = moved(moved(superquadric((0.2, 0.2, 0.1)), (0, 0, 0.12), turn=("y", 50)), (0, 0, 1.5))
    return [
        body(*head),
        detail((240, 200, 40), middle),
        detail(GREEN, rod((0, 0, 0), (0, 0, 1.5), 0.05), _leaf(d, (0.25, 0, 0.6), 0.3)),
    ]


def tree(d: Draws) -> Thing:
    """A crown of balls on a brown trunk."""
    balls = []
    for _ in range(5):
        at = (d.rng.normal(0, 0.25), d.rng.normal(0, 0.25), d.uniform(1.1, 1.7))
        balls.append(displaced(moved(superquadric((0.45,) * 3, n=40), at), 0.1, d.rng, 5))
    return [body(*balls), detail(STEM, rod((0, 0, 0), (0, 0, 1.2), 0.12))]


NATURE: dict[str, Builder] = {
    "potato": potato, "apple": apple, "orange": orange, "banana": banana, "carrot": carrot,
    "pear": pear, "eggplant": eggplant, "egg": egg, "sandwich": sandwich, "taco": taco, "pig": pig,
    "elephant": elephant, "frog": frog, "fish": fish, "whale": whale, "dog": dog, "cat": cat,
    "sheep": sheep, "teddy bear": teddy_bear, "duck": duck, "mushroom": mushroom,
    "pumpkin": pumpkin, "flower": flower, "tree": tree,
}  # fmt: skip

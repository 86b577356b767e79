"""What a thing is made of: a body, which wears the paint, and details, which keep their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_models.photoreal.draws import Draws
from reference_models.photoreal.meshes import Mesh, joined, moved, slab, tube

#: sRGB of details.
GREEN, STEM, DARK, PALE, METAL, GLASS = (
    (62, 120, 48), (96, 70, 40), (24, 24, 26), (232, 228, 216), (150, 152, 156), (120, 150, 165),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mesh, and the sRGB colour in [0, 255] that it keeps; None for the body."""

    mesh: Mesh
    own: tuple[int, int, int] | None = None


Thing = list[Part]
Builder = Callable[[Draws], Thing]


def body(*meshes: Mesh) -> Part:
    """The part that wears the paint."""
    return Part(joined(*meshes))


def detail(own: tuple[int, int, int], *meshes: Mesh) -> Part:
    """A part that keeps its own colour."""
    return Part(joined(*meshes), own)


def rod(first: Sequence[float], last: Sequence[float], radius: float, end: float = 0) -> Mesh:
    """A straight rod, tapering to ``end`` where that is given."""
    points = np.linspace(first, last, 12)
    return tube(points, np.linspace(radius, end or radius, 12), 16)


def box(centre: Sequence[float], half: Sequence[float]) -> Mesh:
    """A box with rounded edges."""
    return moved(slab(half), centre)


def bend(mesh: Mesh, strength: float) -> Mesh:
    """Bend a mesh that stands along z towards x."""
    v = mesh.vertices.copy()
    v[:, 0] += strength * v[:, 2] ** 2
    return Mesh(v, mesh.faces)


def standing(thing: Thing) -> Thing:
    """Scaled to a largest extent of 1 and set on z = 0, its middle over the origin."""
    every = np.concatenate([p.mesh.vertices for p in thing])
    low, high = every.min(0), every.max(0)
    scale = 1 / (high - low).max()
    shift = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]) * scale
    return [Part(moved(p.mesh, shift, scale), p.own) for p in thing]

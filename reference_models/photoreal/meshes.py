"""Triangle meshes in numpy: surfaces of revolution, superquadrics, tubes, level sets of distances.

Lengths are in units of a thing's own size, z points up, right-handed; faces turn counterclockwise
seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles.

    Attributes
    ----------
    vertices : ndarray, float64 (V, 3)
    faces : ndarray, int64 (F, 3)
    """

    vertices: np.ndarray
    faces: np.ndarray


def _grid_faces(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Two triangles for each cell of a grid of vertices whose columns may close to a ring."""
    wide = columns if closed else columns - 1
    i, j = (one.ravel() for one in np.meshgrid(np.arange(rows - 1), np.arange(wide)))
    k = (j + 1) % columns
    a, b, c, d = i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def revolution(profile: Sequence[tuple[float, float]], around: int = 72, along: int = 72) -> Mesh:
    """A profile of (radius, height) turned about z; the profile runs from below upwards outside.

    The profile is resampled to ``along`` points by arc length.
    """
    points = np.asarray(profile, dtype=float)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.unique(np.concatenate([np.linspace(0, arc[-1], along), arc]))
    radius, height = (np.interp(at, arc, points[:, k]) for k in (0, 1))
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    vertices = np.stack(
        [
            radius[:, None] * np.cos(angle),
            radius[:, None] * np.sin(angle),
            np.broadcast_to(height[:, None], (len(at), around)),
        ],
        -1,
    ).reshape(-1, 3)
    return Mesh(vertices, _grid_faces(len(at), around, True))


def smooth_profile(points: Sequence[tuple[float, float]], n: int = 60) -> list[tuple[float, float]]:
    """A profile through points by monotone cubic interpolation along the arc."""
    from scipy.interpolate import PchipInterpolator

    p = np.asarray(points, dtype=float)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    at = np.linspace(0, arc[-1], n)
    radius, height = (PchipInterpolator(arc, p[:, k])(at) for k in (0, 1))
    return [(max(0.0, float(r)), float(z)) for r, z in zip(radius, height, strict=True)]


def superquadric(size: Sequence[float], north: float = 1.0, east: float = 1.0, n: int = 64) -> Mesh:
    """A superquadric of half axes ``size``; exponents of 1 make an ellipsoid, near 0 a box.

    References
    ----------
    Barr (1981), "Superquadrics and Angle-Preserving Transformations".
    """
    eta = np.linspace(-np.pi / 2, np.pi / 2, n)[:, None]
    omega = np.linspace(-np.pi, np.pi, 2 * n, endpoint=False)[None]

    def power(x: np.ndarray, e: float) -> np.ndarray:
        return np.sign(x) * np.abs(x) ** e

    x = power(np.cos(eta), north) * power(np.cos(omega), east)
    y = power(np.cos(eta), north) * power(np.sin(omega), east)
    z = power(np.sin(eta), north) * np.ones_like(omega)
    return Mesh(
        (np.stack([x, y, z], -1) * np.asarray(size)).reshape(-1, 3), _grid_faces(n, 2 * n, True)
    )


def slab(size: Sequence[float], n: int = 20) -> Mesh:
    """A box with rounded edges, half axes ``size``: a cube's grid drawn to an inner box."""
    half = np.asarray(size, dtype=float)
    radius = 0.25 * half.min()
    line = np.tanh(np.linspace(-2.2, 2.2, n)) / np.tanh(2.2)
    u, v = np.meshgrid(line, line, indexing="ij")
    u, v = u.ravel(), v.ravel()
    faces = _grid_faces(n, n, False)
    sides = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            points = np.empty((n * n, 3))
            points[:, axis], points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = sign, u, v
            sides.append(Mesh(points * half, faces if sign < 0 else faces[:, ::-1]))
    cube = joined(*sides)
    inner = np.clip(cube.vertices, radius - half, half - radius)
    out = cube.vertices - inner
    out *= radius / np.linalg.norm(out, axis=1, keepdims=True).clip(1e-9)
    return Mesh(inner + out, cube.faces)


def tube(points: np.ndarray, radii: np.ndarray, around: int = 24) -> Mesh:
    """A round tube along points (N, 3) with radii (N,), its ends closed by radii near zero."""
    points = np.asarray(points, dtype=float)
    radii = np.concatenate([[1e-4], np.asarray(radii, dtype=float), [1e-4]])
    points = np.concatenate([points[:1], points, points[-1:]])
    tangent = np.gradient(points[1:-1], axis=0)
    tangent = np.concatenate([tangent[:1], tangent, tangent[-1:]])
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True).clip(1e-9)
    side = np.cross(tangent, [0.31, 0.17, 0.93])
    side /= np.linalg.norm(side, axis=1, keepdims=True).clip(1e-9)
    up = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * up[:, None]
    vertices = points[:, None] + radii[:, None, None] * ring
    return Mesh(vertices.reshape(-1, 3), _grid_faces(len(points), around, True)[:, ::-1])


def level_set(
    distance: Callable[[np.ndarray], np.ndarray], reach: Sequence[float], n: int = 60
) -> Mesh:
    """The surface where ``distance`` of points (..., 3) is zero, within a box of half axes."""
    from skimage.measure import marching_cubes

    half = np.asarray(reach, dtype=float)
    step = 2 * half.max() / (n - 1)
    axes = [np.arange(-h, h + step, step) for h in half]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    vertices, faces, _, _ = marching_cubes(distance(points), 0.0, spacing=(step,) * 3)
    return Mesh(vertices - half, faces.astype(np.int64))


def blobs(parts: Sequence[tuple[Sequence[float], Sequence[float]]], blend: float = 0.06) -> Mesh:
    """Ellipsoids (centre, half axes) that flow into one another: a smooth union of distances.

    References
    ----------
    Quilez, "Smooth minimum": exponential form.
    """
    centres = np.array([c for c, _ in parts], dtype=float)
    halves = np.array([h for _, h in parts], dtype=float)
    reach = np.abs(centres).max(0) + halves.max(0) + 2 * blend
    reach = np.maximum(reach, np.max(np.abs(centres) + halves, 0) + blend)

    def distance(points: np.ndarray) -> np.ndarray:
        total = np.zeros(points.shape[:-1])
        for centre, half in zip(centres, halves, strict=True):
            q = (points - centre) / half
            far = np.linalg.norm(q, axis=-1)
            slope = np.linalg.norm(q / half, axis=-1).clip(1e-9)
            total += np.exp(-(far * (far - 1) / slope).clip(-20 * blend, 30 * blend) / blend)
        return -blend * np.log(total.clip(1e-30))

    return level_set(distance, reach, 64)


def moved(
    mesh: Mesh,
    shift: Sequence[float] = (0, 0, 0),
    scale: float | Sequence[float] = 1.0,
    turn: tuple[str, float] | None = None,
) -> Mesh:
    """Scale, then turn about an axis by degrees, then shift."""
    vertices = mesh.vertices * np.asarray(scale)
    if turn is not None:
        axis, degrees = turn
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        vertices = vertices.copy()
        first, second = vertices[:, i].copy(), vertices[:, j].copy()
        vertices[:, i], vertices[:, j] = c * first - s * second, s * first + c * second
    return Mesh(vertices + np.asarray(shift, dtype=float), mesh.faces)


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0, *(len(m.vertices) for m in meshes[:-1])])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + o for m, o in zip(meshes, offsets, strict=True)]),
    )


def waves(points: np.ndarray, rng: np.random.Generator, octaves: int = 4) -> np.ndarray:
    """Smooth noise at points (N, 3), about in [-1, 1]: sums of sines in random directions."""
    out = np.zeros(len(points))
    for octave in range(octaves):
        for _ in range(4):
            direction = rng.standard_normal(3) * 2.2 * 1.9**octave
            out += np.sin(points @ direction + rng.uniform(0, 6.3)) / (4 * 1.6**octave)
    return out


def displaced(mesh: Mesh, amount: float, rng: np.random.Generator, octaves: int = 3) -> Mesh:
    """Push vertices away from the middle, or in, by smooth noise."""
    centre = mesh.vertices.mean(0)
    push = 1 + amount * waves(mesh.vertices * 2, rng, octaves)
    return Mesh(centre + (mesh.vertices - centre) * push[:, None], mesh.faces)

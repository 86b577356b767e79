"""Meshes: volumes and areas that are known, faces that look outwards."""

import numpy as np
import pytest

from reference_models.photoreal.meshes import (
    Mesh,
    blobs,
    joined,
    moved,
    revolution,
    slab,
    superquadric,
    tube,
)


def volume(mesh: Mesh) -> float:
    """Signed: positive where faces look outwards (divergence theorem)."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        (superquadric((1, 1, 1)), 4 / 3 * np.pi),
        (superquadric((1, 2, 0.5)), 4 / 3 * np.pi),
        (revolution([(1e-6, 0), (1, 0), (1, 2), (1e-6, 2)]), 2 * np.pi),
        (tube(np.stack([np.zeros(9), np.zeros(9), np.linspace(0, 3, 9)], 1), np.full(9, 0.5)),
         3 * np.pi / 4),
        (blobs([((0, 0, 0), (1, 1, 1))]), 4 / 3 * np.pi),
    ],
)  # fmt: skip
def test_volumes(mesh, expected):
    assert volume(mesh) == pytest.approx(expected, rel=0.05)


def test_a_box_has_rounded_edges_and_flat_sides():
    box = slab((1, 1, 1))
    assert 7.0 < volume(box) < 8.0
    assert np.abs(box.vertices).max() == pytest.approx(1.0)


def test_a_turn_keeps_the_volume_and_a_shift_the_shape():
    box = slab((1, 0.5, 0.25))
    turned = moved(box, (3, 0, 0), 2.0, ("z", 30))
    assert volume(turned) == pytest.approx(8 * volume(box))
    assert turned.vertices.mean(0) == pytest.approx([3, 0, 0], abs=1e-6)


def test_joined_meshes_keep_their_own_faces():
    both = joined(slab((1, 1, 1)), moved(slab((1, 1, 1)), (5, 0, 0)))
    assert volume(both) == pytest.approx(2 * volume(slab((1, 1, 1))))

import math

import pytest
import torch

from reference_models.world import sdf

AXIS = torch.linspace(-2, 2, 41)
X, Y = torch.meshgrid(AXIS, AXIS, indexing="xy")


def at(distance, x, y):
    return float(distance(torch.tensor([x]), torch.tensor([y]))[0])


def test_circle_is_exact():
    assert torch.allclose(sdf.circle(X, Y, 0.5, 0.0, 1.0), torch.hypot(X - 0.5, Y) - 1)


@pytest.mark.parametrize(
    ("x", "y", "d"), [(2, 0, 1), (0, 0, -0.5), (2, 1.5, math.sqrt(2)), (0, 1.5, 1)]
)
def test_box_known_distances(x, y, d):
    assert at(lambda a, b: sdf.box(a, b, 0, 0, 1.0, 0.5), x, y) == pytest.approx(d)


def test_ellipse_is_zero_on_its_axes():
    for x, y in ((0.8, 0), (-0.8, 0), (0, 0.3), (0, -0.3)):
        assert at(lambda a, b: sdf.ellipse(a, b, 0, 0, 0.8, 0.3), x, y) == pytest.approx(
            0, abs=1e-6
        )


def test_polygon_agrees_with_a_box():
    square = ((-1.0, -0.5), (1.0, -0.5), (1.0, 0.5), (-1.0, 0.5))
    a, b = sdf.polygon(X + 0.013, Y + 0.017, square), sdf.box(X + 0.013, Y + 0.017, 0, 0, 1.0, 0.5)
    assert torch.allclose(a, b, atol=1e-5)


def test_polygon_may_be_hollow_on_one_side():
    arrow = ((0.0, 0.0), (1.0, 1.0), (0.5, 0.0), (1.0, -1.0))
    assert at(lambda a, b: sdf.polygon(a, b, arrow), 0.3, 0.01) < 0
    assert at(lambda a, b: sdf.polygon(a, b, arrow), 0.9, 0.01) > 0


def test_melt_only_adds_and_carve_only_takes():
    a, b = sdf.circle(X, Y, -0.5, 0, 0.6), sdf.circle(X, Y, 0.5, 0, 0.6)
    assert bool((sdf.melt(a, b, 0.2) <= torch.minimum(a, b) + 1e-6).all())
    assert bool((sdf.carve(a, b) >= a).all())

import numpy as np
import pytest

from bench.judge import colour
from bench.judge.colour.difference import TOLERANCE, membership_table
from prompts.colours import COLOUR_NAMES

#: Sharma, Wu and Dalal (2005), table 1: two CIELAB colours and their CIEDE2000.
PUBLISHED = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_published_pairs():
    from skimage.color import deltaE_ciede2000

    rows = np.array([line.split() for line in PUBLISHED.strip().splitlines()], dtype=float)
    np.testing.assert_allclose(deltaE_ciede2000(rows[:, :3], rows[:, 3:6]), rows[:, 6], atol=1e-4)


def test_a_colour_answers_to_itself():
    for words in ("teal", "#3fa7d6", "Sky Blue", "burnt sienna"):
        rgb = np.array(colour.resolve(words), dtype=np.uint8)
        assert colour.delta_e(rgb, words) == pytest.approx(0, abs=1e-6)
        assert colour.match(rgb, words) > 0.97


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("teal", "blue"),
        ("teal", "green"),
        ("turquoise", "white"),
        ("navy", "black"),
        ("maroon", "brown"),
        ("gold", "orange"),
        ("lavender", "purple"),
    ],
)
def test_other_colours_do_not(asked, other):
    assert colour.match(np.array(colour.resolve(other), dtype=np.uint8), asked) < 0.5


def test_shading_matters_less_than_hue():
    teal = np.array(colour.resolve("teal"))
    assert colour.match((teal * 0.75).astype(np.uint8), "teal") > 0.7
    assert colour.match(teal[[2, 0, 1]].astype(np.uint8), "teal") < 0.01


def test_match_is_half_at_the_tolerance():
    rgb = np.random.default_rng(0).integers(0, 256, (20_000, 3), dtype=np.uint8)
    distance, match = colour.delta_e(rgb, "salmon"), colour.match(rgb, "salmon")
    at = np.abs(distance - TOLERANCE) < 0.3
    assert at.sum() > 20
    assert match[at].mean() == pytest.approx(0.5, abs=0.05)
    assert np.all(match[distance > TOLERANCE + 12] < 0.05)


def test_a_narrow_tolerance():
    rgb = np.array([0, 128, 150], dtype=np.uint8)
    assert colour.match(rgb, "teal", tolerance=3) < colour.match(rgb, "teal")


def test_memberships_of_mixes_terms_and_names():
    rgb = np.array([[0, 128, 128], [36, 84, 216]], dtype=np.uint8)
    asked = colour.memberships_of(rgb, ("teal", "blue", "grey"))
    assert asked.shape == (2, 3)
    np.testing.assert_array_equal(
        asked[:, 1], colour.memberships(rgb)[:, COLOUR_NAMES.index("blue")]
    )
    np.testing.assert_array_equal(asked[:, 0], colour.match(rgb, "teal"))


def test_the_table_of_the_basic_terms_is_shared():
    assert membership_table(COLOUR_NAMES) is membership_table(COLOUR_NAMES)

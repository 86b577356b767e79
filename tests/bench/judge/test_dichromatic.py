"""The light rule: ``bind`` follows the painted share, whatever the shading."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.judge.colour.palette import histograms_of, palette_of
from bench.judge.dichromatic import LEAST, plain_shares, surface_shares
from prompts.colours import COLOUR_NAMES
from tests.bench.scenes import TAN, Scene, draw

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


def shares_of(scene: Scene, quality: int | None = None) -> dict[str, float]:
    image, regions = draw(scene)
    if quality is not None:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        image = np.array(Image.open(buffer).convert("RGB"))
    palette = palette_of([image.reshape(-1, 3)])
    regions = histograms_of(palette, [[regions.masks[0].ravel()]], LEAST)
    (surface,) = surface_shares(palette, regions, 11)
    return dict(zip(COLOUR_NAMES, surface.shares.tolist(), strict=True))


def rest_for(term: str) -> str:
    return TAN if term != "brown" else "#4070c0"


@pytest.mark.parametrize("pattern", ["halves", "stripes", "rings"])
@pytest.mark.parametrize("term", COLOUR_NAMES)
def test_bind_follows_the_painted_share(term, pattern):
    scene = Scene(subject=term, rest=rest_for(term), pattern=pattern, size=128)
    found = [shares_of(scene.but(share=share))[term] for share in SHARES]
    assert np.all(np.diff(found) > 0)
    np.testing.assert_allclose(found, SHARES, atol=0.05)


@pytest.mark.parametrize("term", [term for term in COLOUR_NAMES if term != "white"])
def test_bind_follows_the_painted_share_in_shade(term):
    scene = Scene(subject=term, rest=rest_for(term), shading=0.6, size=128)
    found = [shares_of(scene.but(share=share))[term] for share in SHARES]
    assert np.all(np.diff(found) > 0)
    np.testing.assert_allclose(found, SHARES, atol=0.05)


@pytest.mark.parametrize("quality", [90, 60])
@pytest.mark.parametrize("term", COLOUR_NAMES)
def test_bind_follows_the_painted_share_under_jpeg(term, quality):
    scene = Scene(subject=term, rest=rest_for(term), size=256)
    found = [shares_of(scene.but(share=share), quality)[term] for share in SHARES]
    assert np.all(np.diff(found) > 0)
    np.testing.assert_allclose(found, SHARES, atol=0.05)


@pytest.mark.parametrize("light", [(1.0, 0.9, 0.78), (0.8, 0.9, 1.0)], ids=["warm", "cool"])
@pytest.mark.parametrize("term", ["red", "yellow", "green", "blue", "purple", "brown", "black"])
def test_bind_follows_the_painted_share_under_a_cast(term, light):
    scene = Scene(subject=term, rest=rest_for(term), size=128, light=light)
    found = [shares_of(scene.but(share=share))[term] for share in SHARES]
    assert np.all(np.diff(found) > 0)
    np.testing.assert_allclose(found, SHARES, atol=0.05)


@pytest.mark.parametrize("term", COLOUR_NAMES)
@pytest.mark.parametrize("shading", [0.3, 0.6, 0.8])
def test_a_shaded_surface_keeps_its_colour(term, shading):
    assert shares_of(Scene(subject=term, shading=shading))[term] > 0.94


@pytest.mark.parametrize("term", [term for term in COLOUR_NAMES if term not in ("white", "black")])
def test_gloss_is_not_paint(term):
    scene = Scene(subject=term, shading=0.4, gloss=0.2, size=128)
    assert shares_of(scene)[term] > 0.93
    assert shares_of(scene)["white"] < 0.04


def test_a_large_white_part_is_paint():
    found = shares_of(Scene(subject="white", rest="red", share=0.3))
    assert found["white"] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(("dark", "light"), [("brown", "orange"), ("gray", "white")])
def test_a_dark_paint_is_no_shade_of_a_light_one(dark, light):
    found = shares_of(Scene(subject=dark, rest=light, share=0.5, pattern="stripes"))
    assert found[dark] == pytest.approx(0.5, abs=0.05)
    assert found[light] == pytest.approx(0.5, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(COLOUR_NAMES),
    st.sampled_from(COLOUR_NAMES),
    st.floats(0, 1),
    st.floats(0, 0.8),
    st.sampled_from(["halves", "stripes", "rings"]),
)
def test_shares_are_shares(first, second, share, shading, pattern):
    found = shares_of(
        Scene(subject=first, rest=second, share=share, shading=shading, pattern=pattern)
    )
    assert all(0 <= value <= 1 for value in found.values())
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)


def test_an_empty_region_has_no_shares():
    palette = palette_of([np.zeros((9, 3), dtype=np.uint8)])
    regions = histograms_of(palette, [[np.zeros(9, dtype=np.float32)]])
    for (surface,) in (surface_shares(palette, regions, 11), plain_shares(palette, regions)):
        assert surface.area == 0
        assert np.isnan(surface.shares).all()

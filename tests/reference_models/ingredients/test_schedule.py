"""Trainings that never see full noise: pairs that differ in that alone, and what is kept."""

import json
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from reference_models.ingredients import schedule
from reference_models.ingredients.schedule import MEMBERS, captioned, lightness, train
from reference_models.presets import PRESETS


@pytest.fixture(scope="module")
def scenes():
    found = captioned(800, 3)
    return {
        name: replace(one, captions=one.captions[:3], pictures=one.pictures[:3])
        for name, one in found.items()
    }


@pytest.fixture
def small(monkeypatch):
    for name in MEMBERS:
        tiny = replace(PRESETS[name], fine=32, coarse=48, fine_blocks=1, coarse_blocks=1, steps=1)
        monkeypatch.setitem(PRESETS, name, replace(tiny, batch=4))


def test_the_members_differ_in_the_noise_that_they_see_alone():
    whole, capped = (asdict(PRESETS[name]) for name in MEMBERS)
    assert {key for key in whole if whole[key] != capped[key]} == {"first"}


@pytest.mark.usefixtures("small")
def test_every_pair_is_kept_with_its_walls_and_not_trained_again(tmp_path, scenes):
    def go(deadline):
        train(tmp_path, "cpu", deadline, images=8, pool=16, seeds=(1,), scenes=scenes)
        return json.loads((tmp_path / "tone.json").read_text())

    found = go(time.monotonic() + 100)
    trained = {"local-cov-75-seed1", "local-capped-seed1"}
    assert set(found) == {"rendered", "local-capped-bundled"} | trained
    assert found["local-capped-seed1"]["pictures"] == 8
    assert all(0 <= one <= 100 for one in found["local-capped-seed1"]["black"])
    walls = np.asarray(Image.open(tmp_path / "black-local-capped-seed1.png"))
    assert walls.shape == (64, 64 * len(scenes["black"].captions), 3)
    assert go(time.monotonic() - 1) == found


def test_nothing_is_trained_after_the_deadline(tmp_path, scenes):
    schedule.train(tmp_path, "cpu", time.monotonic() - 1, seeds=(1,), scenes=scenes)
    assert set(json.loads((tmp_path / "tone.json").read_text())) == {"rendered"}


def test_walls_that_are_called_black_are_dark_and_white_ones_light(scenes):
    black, white = (lightness(scenes[name].pictures) for name in ("black", "white"))
    assert max(black) < min(white)
    gray = np.full((1, 64, 64, 3), 119, np.uint8)
    gray[0, 30:50, 20:40] = 0
    assert lightness(gray) == pytest.approx([50.0], abs=0.2)

"""Scalars for TensorBoard: what was written is read back from the event files."""

import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from reference_models import train
from reference_models.data import ScenePool
from reference_models.presets import PRESETS
from reference_models.scalars import Scalars

TINY = replace(PRESETS["smoke"], fine=8, coarse=16, batch=8, images=32)
OPTIONS = ["--preset", "smoke", "--device", "cpu", "--tensorboard", "--out"]


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(one.step, one.value) for one in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_a_training_writes_loss_speed_and_rates(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "smoke", TINY)
    monkeypatch.setattr(
        train, "ScenePool", lambda *a, **k: ScenePool(*a, **{**k, "size": 64, "block": 64})
    )
    for part in ("upsampler_for", "publish", "write_sheet"):
        monkeypatch.setattr(train, part, lambda *_: None)
    result = CliRunner().invoke(train.main, [*OPTIONS, str(tmp_path)])
    assert result.exit_code == 0, result.output
    found = read(tmp_path / "tensorboard")
    rates = {"learning_rate/muon", "learning_rate/adam"}
    assert {"loss", "pictures", "pictures_per_second"} < set(found)
    assert {name for name in found if name.startswith("learning_rate/")} & rates
    last = (tmp_path / "log.csv").read_text().splitlines()[-1].split(",")
    step, pictures = found["pictures"][-1]
    assert (step, pictures) == (4, float(last[0])) == (4, 32)
    assert found["loss"][-1][1] == pytest.approx(float(last[2]), abs=1e-4)
    assert found["pictures_per_second"][-1][1] > 0


def test_what_a_stopped_training_wrote_after_its_checkpoint_is_not_shown(tmp_path):
    first = Scalars(tmp_path)
    for step in (1, 2, 3):
        first.write({"loss": float(step)}, step)
    first.close()
    again = Scalars(tmp_path, 2)
    again.write({"loss": 0.5}, 2)
    again.close()
    assert read(tmp_path)["loss"] == [(1, 1.0), (2, 0.5)]


def test_without_tensorboard_the_remedy_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "smoke", TINY)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setattr(train, "ScenePool", lambda *a, **k: pytest.fail("trained all the same"))
    result = CliRunner().invoke(train.main, [*OPTIONS, str(tmp_path)])
    assert result.exit_code == 1
    assert "pip install 'binding-bench[tensorboard]'" in result.output
    assert len(result.output.splitlines()) == 1
